"""From which square input on no layer is idle, found by building the network at one size after another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archcalc.errors import ArchcalcError, LayerError
from archcalc.field.axis import Field
from archcalc.field.coverage import adds_pixels, gate_nodes, padding_varies, unit_covers
from archcalc.field.paths import followed
from archcalc.field.propagation import AxisFields, fields
from archcalc.network import Network
from archcalc.sizes import MAX_SIZE

TRIED, LAYERS = 200, 400_000
"""The most sizes at which the network is built, and the most layers that are built for it, two sizes apart."""


class Taken:
    """What the layers take that may be idle, at one input: the fields of their inputs."""

    def __init__(self, network: Network, views: Sequence[AxisFields]) -> None:
        gates = gate_nodes(network)
        inputs = [
            i
            for node in network.nodes
            if node.index not in gates and not node.side
            for i in followed(node, network)
            if adds_pixels(node, views[i], views[node.index])
        ]
        self.views = [views[i] for i in inputs]
        self.largest = max([view.field.size for views in self.views for view in views], default=0)
        self.network, self.inputs = network, inputs

    def idle(self) -> Iterator[bool | None]:
        """For each of the layers whether it is idle; None where it may be."""
        for views, i in zip(self.views, self.inputs, strict=True):
            yield unit_covers(views, self.network.nodes[i], self.network)

    @property
    def may_be_idle(self) -> bool:
        return any(known is not False for known in self.idle())


def smallest_input(network: Network, views: Sequence[AxisFields]) -> tuple[int | None, bool]:
    """The side of the square input from which on no layer is idle, found on the network itself; whether it is exact.

    ``views`` are those of the network's nodes. Arithmetic says from where on no unit of an endless map could see the
    whole input. Below that, sizes are tried one by one until a layer is idle; sizes that the network does not take are
    passed over. None where no layer can be idle, where no size fits, where fields grow with the input, as behind an
    adaptive pooling, or where the size is beyond all that an input may have. It is not exact where a layer may be idle
    at the next smaller size, or where that many sizes would have to be tried that the search is given up.
    """
    here = Taken(network, views)
    if not here.views:
        return None, True
    varies = any(padding_varies(network))
    enough = 1 + max(min(_reach(view.field, varies) for view in views) for views in here.views)
    stride = max(1, *(view.field.step // view.field.per for views in here.views for view in views))
    tries = max(2, min(TRIED, LAYERS // len(network.nodes)))
    least, there = enough, None
    for least in range(enough, min(max(enough + stride, 1 + max(network.input.axes)), MAX_SIZE, enough + tries)):
        there = _at(network, least)
        if there is not None:
            break
    if there is None or there.largest != here.largest or there.may_be_idle:
        return None, True
    tries -= least - enough
    missed = 0
    for side in range(min(enough, least) - 1, 0, -1):
        if not tries:
            return least, False
        tries -= 1
        there = _at(network, side)
        missed = missed + 1 if there is None else 0
        if missed == stride:
            break
        if there is not None and there.may_be_idle:
            return least, True in there.idle()
        least = least if there is None else side
    return least, True


def _reach(field: Field, varies: bool) -> int:
    """The most pixels from pixel 0 on that a unit of an endless map sees; where padding varies, at any padding."""
    if varies or field.step == 0:
        return field.size
    return 0 if field.first > 0 else (field.last + -field.first // field.step * field.step) // field.per + 1


def _at(network: Network, side: int) -> Taken | None:
    """What layers take at a square input; None where the network does not take it."""
    try:
        there = network.at(network.input._replace(axes=(side,) * len(network.input.axes)))
    except (ArchcalcError, LayerError):
        return None
    return Taken(there, fields(there, cut=False))
