"""The rows of a network: the numbers of every layer, and its receptive field."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, NamedTuple

from archcalc.conventions import Convention, Use
from archcalc.conventions.source_style import FUNCTIONAL, MODULE
from archcalc.field.propagation import FieldByAxis, Propagation, has_gates, passed
from archcalc.layers.base import agreed
from archcalc.layers.convolution import CONVOLUTIONS
from archcalc.layers.known import known
from archcalc.layers.region import output_text
from archcalc.network import Network, Node
from archcalc.sizes import NO_PARAMS, NO_WORK, Int, Params, Shape, Window, Work, is_array, product, unequal

AS_MODULE = ("module", 0)
ONCE = "once in a forward pass"
"""The part of the work that does not depend on the batch."""


class Seconds(NamedTuple):
    """How long a layer takes on a device, for the whole batch."""

    estimate: float
    lower_bound: float


class Row(NamedTuple):
    """The numbers of one layer, or of several layers folded into one row.

    scopes            the labels of the blocks around the layer, outermost first
    inputs, shape     input shapes and output shape for one image; shape is None for layers folded by type
    params            weights, biases and buffers
    param_count       parameters under the convention
    work              operations by kind, for the whole batch
    macs              MACs under the convention, for the whole batch; None: not counted, or unknown
    values            values in new storage, for the whole batch; None: in place, a view, or not counted
    conv_inputs       values of the input of a convolution, for the whole batch
    field             the receptive field along every axis, past the gates; empty for layers folded by type
    field_with_gates  the receptive field over all paths: behind a gate the whole input
    layers            the number of layers in the row
    shared            name of the layer whose parameters this layer uses
    node              the layer in the graph; None for folded layers
    unknown_types     layer types that the convention says nothing about; if any, ``macs`` is incomplete
    regions           the regions of an image for which the layer runs; 0: it runs for the whole image
    present           0 for the elements of arrays that lack the layer, and have turns less of a repeat; else 1
    time              the seconds on the device of the analysis; None: no device, or no layer
    """

    name: str
    type: str
    scopes: tuple[str, ...]
    inputs: tuple[Shape, ...]
    shape: Shape | None
    params: Params
    param_count: Int
    work: Work
    macs: Int | None
    values: Int | None
    conv_inputs: Int
    field: FieldByAxis
    field_with_gates: FieldByAxis
    layers: Int = 1
    shared: str = ""
    node: Node | None = None
    unknown_types: tuple[str, ...] = ()
    regions: Int = 0
    present: Int = 1
    time: Seconds | None = None

    @property
    def output(self) -> str:
        """The output shape as text, with the regions of an image; '' for layers folded by type."""
        return "" if self.shape is None else output_text(self.shape, self.regions)


def work_parts(row: Row, batch: Int) -> dict[str, Work]:
    """The work of a layer for the whole batch, by part; {} if the work has one part."""
    if row.node is None or row.shape is None:
        return {}
    layer = row.node.layer
    parts = layer.work_parts(row.shape, *row.inputs)
    found = {part: work.times(batch * row.node.times) for part, work in parts.items()}
    once = layer.work_once(*row.inputs)
    return {**found, ONCE: once.times(row.present)} if found and once is not NO_WORK else found


class Facts(NamedTuple):
    """The numbers of a layer that is present, for its input shapes, for the whole batch and under a convention."""

    params: Params
    param_count: Int
    work: Work
    macs: Int | None
    values: Int | None
    conv_inputs: Int
    unknown_types: tuple[str, ...]

    def times(self, n: Int) -> Facts:
        """The numbers of n such layers."""
        if type(n) is int and n == 1:
            return self
        return Facts(
            Params(*[_times(count, n) for count in self.params]),
            _times(self.param_count, n),
            Work(*[_times(count, n) for count in self.work]),
            None if self.macs is None else _times(self.macs, n),
            None if self.values is None else _times(self.values, n),
            _times(self.conv_inputs, n),
            self.unknown_types,
        )


def _times(count: Int, n: Int) -> Int:
    """count * n; a count of 0 stays one number."""
    return count if type(count) is int and count == 0 else count * n


def row_facts(use: Use, convention: Convention) -> Facts:
    """The layer's numbers. Operations and values are multiplied by the batch, except operations that run once."""
    layer, inputs = use.layer, use.inputs
    return Facts(
        use.params,
        convention.count_params(use),
        use.work if use.once is NO_WORK else Work.sum((use.work, use.once)),
        convention.count_macs(use),
        convention.count_values(use),
        inputs[0].values * use.batch if isinstance(layer, CONVOLUTIONS) else 0,
        () if convention.knows(layer.type) else (layer.type,),
    )


def applied(node: Node, inputs: tuple[Shape, ...], batch: Int, form: tuple[str, int]) -> Use:
    """A node's layer as a convention counts the layer. form: its form in the model's code, the number of wrappers."""
    batch = batch * node.parts
    if getattr(node.layer, "antialias", False) and form[0] == MODULE:  # torch.nn has no module for it
        form = FUNCTIONAL, form[1]
    params, work = node.layer.params(*inputs), node.layer.work(node.shape, *inputs).times(batch)
    return Use(node.layer, (node.shape, inputs), params, work, batch, node.storage, form, node.parts)


def is_called_again(network: Network, node: Node) -> bool:
    """Whether a layer with shared parameters calls the owner's module again. If not, the layer is another module."""
    if node.shares is None:
        return False
    owner = network.nodes[node.shares]
    axes = len(network.input_shapes(node)[0].axes), len(network.input_shapes(owner)[0].axes)
    ours, theirs = node.layer.settings, owner.layer.settings
    return axes[0] == axes[1] and not any(agreed(_differ(ours[name], theirs[name])) for name in ours)


def _differ(ours: Any, theirs: Any) -> Any:
    """Where two values of a setting differ. A number and a list of it, one for each axis, do not."""
    axes = max((len(value) for value in (ours, theirs) if isinstance(value, tuple)), default=1)
    return unequal(*(value if isinstance(value, tuple) else (value,) * axes for value in (ours, theirs)))


class Counter:
    """Computes the numbers of the layers of a network, layer by layer. Equal layers on equal shapes are computed once."""

    def __init__(self, network: Network, batch: Int, convention: Convention) -> None:
        self.network, self.batch, self.convention = network, batch, convention
        self._known: dict[Any, Facts] = {}
        self._known_windows: dict[Any, tuple[Window, ...]] = {}
        if not network.arrays:
            self._known_windows = known("windows")
            if type(batch) is int:
                with suppress(TypeError):  # a convention of a user that cannot be a key
                    self._known = known((batch, convention))
        self._form_of = _forms(network, convention) if convention.library or convention.counts_fused_biases else None

    @property
    def by_name(self) -> bool:
        """Whether the numbers of a layer depend on its form in the model's code, too, and so on its name."""
        return self._form_of is not None

    def facts(self, node: Node, inputs: tuple[Shape, ...]) -> Facts:
        """The numbers of a layer, if all of its parameters are its own."""
        form = AS_MODULE if self._form_of is None else self._form_of(node)
        try:
            known = self._known.get((node.layer, inputs, node.storage, form, node.regions))
        except TypeError:  # arrays cannot be keys of a dictionary
            known = None
        return known or self._new(node, inputs, form)

    def _new(self, node: Node, inputs: tuple[Shape, ...], form: tuple[str, int]) -> Facts:
        by_identity = self.network.interned.key
        key = node.layer, by_identity(inputs), node.storage, form, by_identity(node.regions)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = row_facts(applied(node, inputs, self.batch, form), self.convention)
        return found

    def windows(self, node: Node, inputs: tuple[Shape, ...]) -> tuple[Window, ...]:
        """The windows of a layer in their shortest form, where equal windows with arrays are one object."""
        key = node.layer, self.network.interned.key(inputs)
        found = self._known_windows.get(key)
        if found is None:
            found = self._known_windows[key] = self._interned(passed(node.layer.window(*inputs)))
        return found

    def _interned(self, windows: tuple[Window, ...]) -> tuple[Window, ...]:
        if not any(is_array(n) for window in windows for n in window):
            return windows
        interned = self.network.interned
        keys = [interned.key(window) for window in windows]
        return tuple([windows[keys.index(key)] for key in keys])

    def params(self, node: Node, facts: Facts) -> tuple[Params, Int, str]:
        """The parameters that are the layer's own, their count, and the owner of shared parameters."""
        if node.shares is None or node.layer.type == "unpool":
            return facts.params, facts.param_count, ""
        calls, ties, _ = self.convention.reuse
        again = calls if calls == ties or is_called_again(self.network, node) else ties
        return NO_PARAMS, facts.param_count if again else 0, self.network.nodes[node.shares].name


def trace_rows(network: Network, batch: Int, convention: Convention) -> list[Row]:
    """One row per layer, the input first, side heads included."""
    nodes, counter = network.nodes, Counter(network, batch, convention)
    past_gates = Propagation(network)
    all_paths = Propagation(network, gates=True) if has_gates(network) else None
    rows = []
    for node in nodes:
        layer, inputs = node.layer, tuple([nodes[i].shape for i in node.inputs])
        facts = counter.facts(node, inputs)
        windows = counter.windows(node, inputs)
        facts = facts if type(node.present) is int else facts.times(node.present)
        params, count, shared = counter.params(node, facts)
        field = past_gates.add(node, windows)
        rows.append(
            Row(
                node.name,
                layer.type,
                node.scopes,
                inputs,
                node.shape,
                params,
                count,
                facts.work,
                facts.macs,
                facts.values,
                facts.conv_inputs,
                field,
                all_paths.add(node, windows) if all_paths else field,
                node.present if node.inputs else 0,
                shared,
                node,
                facts.unknown_types,
                node.regions,
                node.present,
            )
        )
    return rows


def _forms(network: Network, convention: Convention) -> Callable[[Node], tuple[str, int]] | None:
    from archcalc.analysis.forms import forms

    return forms(network, convention)


def largest_field(rows: Iterable[Row]) -> Row | None:
    """The row with the largest field, without rows whose units all have the same field; None if no row is left."""
    local = [row for row in rows if row.field and all(axis_field.least.step != 0 for axis_field in row.field)]
    return max(local, key=lambda row: product(axis_field.field.size for axis_field in row.field), default=None)
