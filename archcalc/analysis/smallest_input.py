"""From which square input on no layer is idle, found by building the network at one size after another."""

from __future__ import annotations

from archcalc.analysis.depth import followed
from archcalc.analysis.views import Views, adds_pixels, beside_gates, gate_nodes, padding_varies, unit_covers
from archcalc.errors import ArchcalcError, LayerError
from archcalc.network import Network
from archcalc.sizes import Field


def smallest_input(network: Network) -> tuple[int | None, bool]:
    """The side of the square input from which on no layer is idle, found on the network itself; whether it is exact.

    Arithmetic says from where on no unit of an endless map could see the whole input. Below that, sizes are tried one
    by one until a layer is idle; sizes that the network does not take are passed over. None where no layer can be
    idle, where no size fits, or where fields grow with the input, as behind an adaptive pooling. It is not exact where
    a layer may be idle at the next smaller size.
    """
    taken = _taken(network)
    if not taken:
        return None, True
    varies = any(padding_varies(network))
    enough = 1 + max(min(_reach(view.field, varies) for view in views) for views in taken)
    stride = max(1, *(view.field.step // view.field.per for views in taken for view in views))
    least = next((n for n in range(enough, max(enough + stride, 1 + max(network.input.axes))) if _at(network, n)), None)
    if (
        least is None
        or _largest(_taken(_at(network, least) or network)) != _largest(taken)
        or any(known is not False for known in _idle_at(network, least) or ())
    ):
        return None, True
    missed = 0
    for side in range(min(enough, least) - 1, 0, -1):
        idle = _idle_at(network, side)
        missed = missed + 1 if idle is None else 0
        if missed == stride:
            break
        if idle and any(known is not False for known in idle):
            return least, True in idle
        least = least if idle is None else side
    return least, True


def _taken(network: Network) -> list[Views]:
    """What the layers take that may be idle: the views of their inputs."""
    views, gates = beside_gates(network, cut=False), gate_nodes(network)
    return [
        views[i]
        for node in network.nodes
        if node.index not in gates and not node.side
        for i in followed(node, network)
        if adds_pixels(node, views[i], views[node.index])
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


def _idle_at(network: Network, side: int) -> list[bool | None] | None:
    """Whether layers are idle at a square input, one by one; None where the network does not take it."""
    other = _at(network, side)
    if other is None:
        return None
    views, gates = beside_gates(other, cut=False), gate_nodes(other)
    return [
        unit_covers(views[i], other.nodes[i], other)
        for node in other.nodes
        if node.index not in gates and not node.side
        for i in followed(node, other)
        if adds_pixels(node, views[i], views[node.index])
    ]
