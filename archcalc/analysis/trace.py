"""Network to rows: the facts of every layer, and the receptive field followed through the graph."""

from __future__ import annotations

from collections.abc import Callable
from operator import is_
from typing import Any, NamedTuple

from archcalc.analysis.positions import of_whole_maps
from archcalc.conventions import Convention, Use
from archcalc.errors import LayerError
from archcalc.layers.convolution import CONVOLUTIONS
from archcalc.layers.join import seen as seen_of
from archcalc.network import Network, Node
from archcalc.sizes import NO_PARAMS, POINT, Int, Params, Shape, View, Window, Work, equal, is_array, join

MAX_STEP = 10**1000
"""The most that strides and upsampling factors on one path may multiply to; beyond it numbers cannot be printed."""

AS_MODULE = ("module", 0)


class Row(NamedTuple):
    """The numbers of one layer, or of several folded into one line.

    ``macs`` and ``values`` are None where the convention does not count them; ``values`` are the
    feature-map values that the layer newly holds. Work, macs and values are for the whole batch.
    ``shared`` names the layer whose parameters this one uses; ``shape`` is None and ``views`` are empty
    for layers folded by type.
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
    views: tuple[View, ...]
    layers: int = 1
    shared: str = ""
    node: Node | None = None


class Facts(NamedTuple):
    """What a layer states for its input shapes, for the whole batch and under a convention."""

    params: Params
    param_count: Int
    work: Work
    macs: Int | None
    values: Int | None
    conv_inputs: Int
    windows: tuple[Window, ...]


def facts(use: Use, convention: Convention) -> Facts:
    """The layer's facts, multiplied by the batch where they are work or values."""
    layer, inputs = use.layer, use.inputs
    return Facts(
        use.params,
        convention.count_params(use),
        use.work,
        convention.count_macs(use),
        convention.count_values(use),
        inputs[0].values * use.batch if isinstance(layer, CONVOLUTIONS) else 0,
        layer.window(*inputs),
    )


def applied(node: Node, inputs: tuple[Shape, ...], batch: Int, form: tuple[str, int]) -> Use:
    """A node's layer as a convention sees it; ``form`` says how it is written and how often wrapped."""
    params, work = node.layer.params(*inputs), node.layer.work(node.shape, *inputs).times(batch)
    return Use(node.layer, node.shape, inputs, params, work, batch, node.storage, *form)


def is_called_again(network: Network, node: Node) -> bool:
    """Whether a layer with shared parameters is its owner's module, called again; else it is another module."""
    if node.shares is None:
        return False
    owner = network.nodes[node.shares]
    axes = len(network.input_shapes(node)[0].axes), len(network.input_shapes(owner)[0].axes)
    ours, theirs = node.layer.settings, owner.layer.settings
    return axes[0] == axes[1] and all(equal(_once(ours[name]), _once(theirs[name])) for name in ours)


def _once(value: Any) -> Any:
    """A setting that is the same for every axis, written once."""
    return value[0] if isinstance(value, tuple) and all(v is value[0] or v == value[0] for v in value) else value


def trace(network: Network, batch: Int, convention: Convention) -> list[Row]:
    """One row per layer, the input first, side heads included."""
    nodes = network.nodes
    pixels = network.input.axes if any(map(is_array, network.input.axes)) else _same(network.input.axes)
    views: list[tuple[View, ...]] = []
    known: dict[Any, Facts] = {}
    form_of = _forms(network, convention.sees_code) if convention.sees_code else None
    rows = []
    for node in nodes:
        layer, inputs = node.layer, tuple(nodes[i].shape for i in node.inputs)
        form = AS_MODULE if form_of is None else form_of(layer.type, node.name)
        try:
            found = known.get((layer, inputs, node.storage, form))
            if found is None:
                found = facts(applied(node, inputs, batch, form), convention)
                found = known[layer, inputs, node.storage, form] = found._replace(windows=_same(found.windows))
        except TypeError:  # sizes that are arrays cannot be looked up
            found = facts(applied(node, inputs, batch, form), convention)
        views.append(_views(network, node, found.windows, views, pixels))
        params, count, shared = found.params, found.param_count, ""
        if node.shares is not None:
            params, shared = NO_PARAMS, nodes[node.shares].name
            count = count if convention.counts_again(is_called_again(network, node)) else 0
        rows.append(
            Row(
                node.name,
                layer.type,
                node.scopes,
                inputs,
                node.shape,
                params,
                count,
                found.work,
                found.macs,
                found.values,
                found.conv_inputs,
                views[-1],
                1 if node.inputs else 0,
                shared,
                node,
            )
        )
    return rows


def _forms(network: Network, library: str) -> Callable[[str, str], tuple[str, int]]:
    from archcalc.conventions.written import written

    return written(network.zoo_name, library).form


def _per_axis(compute: Callable[..., View], *columns: tuple[Any, ...]) -> tuple[View, ...]:
    """compute for each axis; an axis with the very values of the one before, as on square maps, shares its view."""
    views: list[View] = []
    before: tuple[Any, ...] = ()
    for values in zip(*columns, strict=True):
        views.append(views[-1] if before and all(map(is_, values, before)) else compute(*values))
        before = values
    return tuple(views)


def _same(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """The values, those that equal the first being the first itself."""
    return tuple(values[0] if value == values[0] else value for value in values)


def _views(
    network: Network,
    node: Node,
    windows: tuple[Window, ...],
    views: list[tuple[View, ...]],
    pixels: tuple[Int, ...],
) -> tuple[View, ...]:
    if not node.inputs:
        return (View(),) * len(pixels)
    behind = views[node.inputs[0]]
    if len(node.inputs) > 1:
        beside = [_beside(network.nodes[i], node, views[i], pixels) for i in node.inputs]
        behind = _per_axis(lambda *at: join(at[:-1], at[-1]), *beside, pixels)
    if windows is POINT:
        return behind
    seen = of_whole_maps(network, node, windows, behind, _per_axis(View.through, behind, windows, pixels))
    for view in seen:
        if any(not is_array(n) and n > MAX_STEP for n in (view.field.step, view.field.per)):
            raise LayerError(f"{node.name}: the strides on the way here multiply to more than 10^1000")
    return seen


def _beside(source: Node, node: Node, views: tuple[View, ...], pixels: tuple[Int, ...]) -> tuple[View, ...]:
    """What a unit of a join sees through one of its inputs."""
    windows = seen_of(source.shape, node.shape)
    return views if windows is POINT else _per_axis(View.through, views, windows, pixels)
