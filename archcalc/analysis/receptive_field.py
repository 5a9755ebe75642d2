"""How far layers see, by which paths, and what that means at an input's size.

Everything here follows the paths beside gates. A gate (squeeze and excitation) sees the whole input through its
pooling, but scales channels alone: behind the first one every field would be the whole input, and nothing could be
told of the layers after it. ``Row.views`` counts gates in, ``beside_gates`` leaves them out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from archcalc.analysis import Analysis
from archcalc.analysis.depth import followed
from archcalc.analysis.positions import of_whole_maps
from archcalc.errors import ArchcalcError, LayerError
from archcalc.layers.base import per_axis
from archcalc.layers.dense import Linear, Rbf
from archcalc.layers.pool import AdaptiveAvgPool
from archcalc.layers.windowed import Windowed
from archcalc.network import Network, Node
from archcalc.sizes import Field, View, ceil_div, is_array, join

Views = tuple[View, ...]


class Sight(NamedTuple):
    """What one layer sees: a view for every axis, and for every axis whether all paths to it have one centre.

    ``changes`` says that it sees something else than one of its inputs; a vector that is passed on sees nothing
    yet, but what weighs it does. ``widens`` says that its own window adds pixels; ``idle`` that a unit of its input
    saw the whole image already, so that they add no context to that; ``spent`` that every unit of its input did.
    ``padded`` says that TensorFlow's padding on the way is another one at another input size. ``gate`` marks a layer
    of a gate.
    """

    node: Node
    views: Views
    centred: tuple[bool, ...]
    changes: bool
    widens: bool
    idle: bool
    spent: bool
    padded: bool
    gate: bool


class Verdict(NamedTuple):
    """What the fields mean at this input.

    ``first`` is the first layer of which a unit sees the whole input, ``everywhere`` the first of which every unit
    does. Of the ``widening`` layers the ``idle`` ones take what has seen the whole input already. From the square
    input of side ``least`` on none is idle; None when there is none, or none can be told.
    """

    first: Sight | None
    everywhere: Sight | None
    widening: list[Sight]
    idle: list[Sight]
    least: int | None


def sights(analysis: Analysis) -> list[Sight]:
    """What every layer of the analysis sees; ArchcalcError when the network has no spatial axes."""
    network = analysis.network
    if not network.input.axes:
        raise ArchcalcError(
            f"{network.name} has no spatial axes: its input is a vector of {network.input}, all of which every unit sees"
        )
    if any(map(is_array, network.input.axes)):
        raise ArchcalcError("fields need single sizes; on arrays, read the views of the rows")
    shown = {row.node.index for row in analysis.rows if row.node is not None}
    return [sight for sight in _sights(network) if sight.node.index in shown]


def _sights(network: Network) -> list[Sight]:
    views, gates = beside_gates(network), _gates(network)
    found: list[Sight] = []
    told: list[Views] = []  # what was seen when it last changed
    for node, seen, padded in zip(network.nodes, views, padding_varies(network), strict=True):
        inputs = followed(node, network)
        before = [found[i] for i in inputs]
        told.append(told[inputs[0]] if _passed_on(node) and inputs else seen)
        widens = any(_widens(node, sight.views, seen) for sight in before)
        found.append(
            Sight(
                node,
                seen,
                _centred(before, len(seen)),
                any(_differ(told[-1], told[i]) for i in inputs),
                widens,
                widens and _covers(before[0].views, before[0].node, network),
                widens and _covers_everywhere(before[0], network),
                padded,
                node.index in gates,
            )
        )
    return found


def _widens(node: Node, before: Views, after: Views) -> bool:
    """Whether a layer's own window adds pixels; one that follows the map's size, or sees all of it, does not count."""
    if node.layer.joins or isinstance(node.layer, AdaptiveAvgPool):
        return False
    return any(new.field.step != 0 and new.field.size > old.field.size for old, new in zip(before, after, strict=True))


def _passed_on(node: Node) -> bool:
    """Whether the layer makes a vector, but weighs nothing: flatten, and what may stand behind it."""
    return not node.shape.axes and not isinstance(node.layer, (Linear, Rbf))


def beside_gates(network: Network, *, cut: bool = True) -> list[Views]:
    """The views of every node over the paths that pass no gate; without ``cut``, whole maps are not looked into."""
    pixels = network.input.axes
    views: list[Views] = []
    for node in network.nodes:
        ends = [views[i] for i in followed(node, network)] or [tuple(View() for _ in pixels)]
        behind = ends[0] if len(ends) == 1 else tuple(join(at, n) for *at, n in zip(*ends, pixels, strict=True))
        windows = node.layer.window(*network.input_shapes(node))
        seen = tuple(map(View.through, behind, windows, pixels)) if windows else behind
        views.append(of_whole_maps(network, node, windows, behind, seen) if windows and cut else seen)
    return views


def _gates(network: Network) -> set[int]:
    """The nodes whose outputs serve gates alone."""
    used = {i for node in network.nodes for i in node.inputs}
    kept: set[int] = set()
    for node in reversed(network.nodes):
        if node.index in kept or node.index not in used:
            kept |= {node.index, *followed(node, network)}
    return {node.index for node in network.nodes} - kept


def _centred(before: Sequence[Sight], axes: int) -> tuple[bool, ...]:
    """For every axis whether all paths that meet have one centre and one step."""
    return tuple(
        all(
            sight.centred[axis] and _same_centre(before[0].views[axis].field, sight.views[axis].field)
            for sight in before
        )
        for axis in range(axes)
    )


def _same_centre(a: Field, b: Field) -> bool:
    return a.step * b.per == b.step * a.per and (a.first + a.last) * b.per == (b.first + b.last) * a.per


def _differ(a: Views, b: Views) -> bool:
    return any((v.field, v.least, v.exact) != (w.field, w.least, w.exact) for v, w in zip(a, b, strict=True))


def padding_varies(network: Network) -> list[bool]:
    """For every node whether TensorFlow's padding on the way to it is another one at another input size."""
    found: list[bool] = []
    for node in network.nodes:
        found.append(any(found[i] for i in followed(node, network)) or _pads_by_size(node, network))
    return found


def _pads_by_size(node: Node, network: Network) -> bool:
    """Whether TensorFlow's ``same`` puts other zeros before the first position at another input size.

    With span k and stride s there are max(k - r, 0) // 2 of them, r being the size modulo s, from 1 to s.
    """
    layer = node.layer
    if not isinstance(layer, Windowed):
        return False
    (x,) = network.input_shapes(node)
    pads: tuple[Any, ...] = per_axis(layer.pad, x, "pad")
    return any(
        pad == "same" and len({max(span - r, 0) // 2 for r in range(1, min(stride, span) + 1)}) > 1
        for pad, (_, span, stride, *_) in zip(pads, layer.slides(x), strict=True)
    )


def _units(node: Node, network: Network) -> Sequence[int]:
    """The size of the layer's map; one unit along every axis for a vector."""
    return node.shape.axes or (1,) * len(network.input.axes)


def _covers(views: Views, node: Node, network: Network) -> bool:
    """Whether a unit of the layer sees the whole input."""
    return all(
        _covering(view.field, m, n) for view, m, n in zip(views, _units(node, network), network.input.axes, strict=True)
    )


def _covering(field: Field, units: int, pixels: int) -> bool:
    """Whether one of the units sees all pixels along an axis: the first to reach the end still sees the start."""
    end = (pixels - 1) * field.per
    if field.step == 0:
        return field.first <= 0 and field.last >= end
    reaches = max(0, ceil_div(end - field.last, field.step))
    return reaches < units and field.first + reaches * field.step <= 0


def _covers_everywhere(sight: Sight, network: Network) -> bool:
    """Whether every unit sees the whole input: the first to its end, and the last to its start."""
    return all(
        view.field.last >= (n - 1) * view.field.per and view.field.first + (m - 1) * view.field.step <= 0
        for view, m, n in zip(sight.views, _units(sight.node, network), network.input.axes, strict=True)
    )


def verdict(analysis: Analysis) -> Verdict:
    """What the fields mean at this input, and at which they would all count; ArchcalcError as ``sights``.

    Richter et al., Should you go deeper?, 2021, arXiv:2106.12307: a layer cannot add context when the field of what
    it takes is the whole image already. Convolutions and poolings are asked; layers that see everything by their
    nature (global and adaptive poolings, fully connected ones) are not.
    """
    network = analysis.network
    on_path = [sight for sight in sights(analysis) if not sight.gate and not sight.node.side]
    widening = [sight for sight in on_path if sight.widens]
    seeing = [sight for sight in on_path if not _passed_on(sight.node)]
    return Verdict(
        next((sight for sight in seeing if _covers(sight.views, sight.node, network)), None),
        next((sight for sight in seeing if _covers_everywhere(sight, network)), None),
        widening,
        [sight for sight in widening if sight.idle],
        _least(network),
    )


def _least(network: Network) -> int | None:
    """The side of the square input from which on no layer is idle, found on the network itself.

    Arithmetic says from where on no unit of an endless map could see the whole input. Below that, sizes are tried one
    by one until a layer is idle; sizes that the network does not take are passed over. None where no layer can be
    idle, where no size fits, or where fields grow with the input, as behind an adaptive pooling.
    """
    taken = _taken(network)
    if not taken:
        return None
    varies = any(padding_varies(network))
    enough = 1 + max(min(_reach(view.field, varies) for view in views) for views in taken)
    stride = max(1, *(view.field.step // view.field.per for views in taken for view in views))
    least = next((n for n in range(enough, max(enough + stride, 1 + max(network.input.axes))) if _at(network, n)), None)
    if least is None or _largest(_taken(_at(network, least) or network)) != _largest(taken) or _idle_at(network, least):
        return None
    missed = 0
    for side in range(min(enough, least) - 1, 0, -1):
        idle = _idle_at(network, side)
        missed = missed + 1 if idle is None else 0
        if idle or missed == stride:
            break
        least = side if idle is False else least
    return least


def _taken(network: Network) -> list[Views]:
    """What the layers take that may be idle: the views of their inputs."""
    views, gates = beside_gates(network, cut=False), _gates(network)
    return [
        views[i]
        for node in network.nodes
        if node.index not in gates and not node.side
        for i in followed(node, network)
        if _widens(node, views[i], views[node.index])
    ]


def _reach(field: Field, varies: bool) -> int:
    """The most pixels from pixel 0 on that a unit of an endless map sees; where padding varies, at any padding."""
    if varies or field.step == 0:
        return field.size
    return 0 if field.first > 0 else (field.last + -field.first // field.step * field.step) // field.per + 1


def _largest(taken: list[Views]) -> int:
    return max(view.field.size for views in taken for view in views)


def _at(network: Network, side: int) -> Network | None:
    """The network at a square input; None where it does not take it."""
    try:
        return network.at(network.input._replace(axes=(side,) * len(network.input.axes)))
    except (ArchcalcError, LayerError):
        return None


def _idle_at(network: Network, side: int) -> bool | None:
    """Whether a layer is idle at a square input; None where the network does not take it."""
    other = _at(network, side)
    if other is None:
        return None
    views, gates = beside_gates(other, cut=False), _gates(other)
    return any(
        _widens(node, views[i], views[node.index]) and _covers(views[i], other.nodes[i], other)
        for node in other.nodes
        if node.index not in gates and not node.side
        for i in followed(node, other)
    )
