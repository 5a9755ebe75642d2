"""The rows of a network: the numbers of every layer, and its receptive field."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import lru_cache
from typing import Any, NamedTuple

from archcalc.conventions import Convention, Use
from archcalc.conventions.source_style import FUNCTIONAL, MODULE
from archcalc.field.propagation import FieldByAxis, Propagation, has_gates, passed
from archcalc.layers.convolution import CONVOLUTIONS
from archcalc.layers.region import output_text
from archcalc.network import Network, Node
from archcalc.sizes import NO_PARAMS, NO_WORK, Int, Params, Shape, Window, Work, any_array, equal, product

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
    windows: tuple[Window, ...]
    unknown_types: tuple[str, ...]


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
        layer.window(*inputs),
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
    return axes[0] == axes[1] and all(equal(_once(ours[name]), _once(theirs[name])) for name in ours)


def _once(value: Any) -> Any:
    """The value of a setting that is equal for every axis; else the setting unchanged."""
    return value[0] if isinstance(value, tuple) and all(v is value[0] or v == value[0] for v in value) else value


MOST_KNOWN = 20_000
"""The most layers whose numbers are kept for other networks."""


@lru_cache(maxsize=4)
def _known(batch: int, convention: Convention) -> dict[Any, Facts]:
    """The numbers of layers at their input shapes, for all networks: those of one family have many layers in common."""
    return {}


def traced(
    network: Network, batch: Int, convention: Convention
) -> Iterator[tuple[Node, tuple[Shape, ...], Facts, Params, Int]]:
    """Every node with its input shapes, its numbers, and the parameters that it owns: those of ``shares`` belong elsewhere."""
    nodes = network.nodes
    known: dict[Any, Facts] = {}
    if not any_array((batch, *network.input_sizes, *network.settings.values())):
        with suppress(TypeError):  # a convention of a user that cannot be a key
            known = _known(batch, convention)
    if len(known) > MOST_KNOWN:
        known.clear()
    form_of = _forms(network, convention) if convention.library or convention.counts_fused_biases else None
    for node in nodes:
        layer, inputs = node.layer, tuple([nodes[i].shape for i in node.inputs])
        form = AS_MODULE if form_of is None else form_of(node)
        try:
            layer_facts = known.get((layer, inputs, node.storage, form, node.regions))
            if layer_facts is None:
                layer_facts = row_facts(applied(node, inputs, batch, form), convention)
                layer_facts = known[layer, inputs, node.storage, form, node.regions] = layer_facts._replace(
                    windows=passed(layer_facts.windows)
                )
        except TypeError:  # arrays cannot be keys of a dictionary
            layer_facts = row_facts(applied(node, inputs, batch, form), convention)
        layer_facts = layer_facts if type(node.present) is int else _where(node.present, layer_facts)
        params, count = layer_facts.params, layer_facts.param_count
        if node.shares is not None and layer.type != "unpool":
            params, count = NO_PARAMS, count if convention.counts_again(is_called_again(network, node)) else 0
        yield node, inputs, layer_facts, params, count


def trace_rows(network: Network, batch: Int, convention: Convention) -> list[Row]:
    """One row per layer, the input first, side heads included."""
    nodes = network.nodes
    past_gates = Propagation(network)
    all_paths = Propagation(network, gates=True) if has_gates(network) else None
    rows = []
    for node, inputs, layer_facts, params, count in traced(network, batch, convention):
        field = past_gates.add(node, layer_facts.windows)
        shared = node.shares is not None and node.layer.type != "unpool"
        rows.append(
            Row(
                node.name,
                node.layer.type,
                node.scopes,
                inputs,
                node.shape,
                params,
                count,
                layer_facts.work,
                layer_facts.macs,
                layer_facts.values,
                layer_facts.conv_inputs,
                field,
                all_paths.add(node, layer_facts.windows) if all_paths else field,
                node.present if node.inputs else 0,
                nodes[node.shares].name if shared and node.shares is not None else "",
                node,
                layer_facts.unknown_types,
                node.regions,
                node.present,
            )
        )
    return rows


def _where(present: Int, facts: Facts) -> Facts:
    """The numbers of a layer that is not present everywhere."""
    return facts._replace(
        params=Params(*(n * present for n in facts.params)),
        param_count=facts.param_count * present,
        work=facts.work.times(present),
        macs=None if facts.macs is None else facts.macs * present,
        values=None if facts.values is None else facts.values * present,
        conv_inputs=facts.conv_inputs * present,
    )


def _forms(network: Network, convention: Convention) -> Callable[[Node], tuple[str, int]] | None:
    from archcalc.analysis.forms import forms

    return forms(network, convention)


def largest_field(rows: Iterable[Row]) -> Row | None:
    """The row with the largest field, without rows whose units all have the same field; None if no row is left."""
    local = [row for row in rows if row.field and all(axis_field.least.step != 0 for axis_field in row.field)]
    return max(local, key=lambda row: product(axis_field.field.size for axis_field in row.field), default=None)
