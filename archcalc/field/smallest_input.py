"""The smallest square input without idle layers, found by building the network at one size after another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archcalc.errors import ArchcalcError, LayerError
from archcalc.field.coverage import adds_pixels, gate_nodes, padding_varies, unit_covers
from archcalc.field.field import Field
from archcalc.field.grid import Grid
from archcalc.field.node_fields import node_fields
from archcalc.field.propagation import FieldByAxis
from archcalc.named_inputs import with_axes
from archcalc.network import Network
from archcalc.sizes import MAX_SIZE

TRIED, LAYERS = 200, 400_000
"""The most sizes at which the network is built, and the most layers that are built. At least two sizes are allowed."""


class WideningInputs:
    """The inputs of the widening layers, at one input of the network: their nodes and fields in pixels of ``source``.

    ``like``: the same object at another input. Fields that are the same objects there are not compared again.
    """

    def __init__(
        self, network: Network, fields: Sequence[FieldByAxis], source: int, like: WideningInputs | None = None
    ) -> None:
        self.network, self.fields, self.grid = network, fields, Grid(network, source)
        gates = gate_nodes(network)
        known = like if like is not None and len(like.fields) == len(fields) else None
        self.of: dict[int, int] = {}
        """Maps the node index of every widening layer to the node index of its input."""
        for node in network.nodes:
            if node.layer.joins or node.side or not node.inputs or node.index in gates:
                continue
            at, (i,) = node.index, node.inputs
            if known and fields[i] is known.fields[i] and fields[at] is known.fields[at]:
                widens = at in known.of
            else:
                widens = adds_pixels(node, fields[i], fields[at])
            if widens:
                self.of[at] = i
        self.largest = max((axis_field.field.size for i in self.of.values() for axis_field in fields[i]), default=0)

    def idle(self) -> Iterator[bool | None]:
        """For each widening layer: whether the layer is idle; None: may be."""
        for i in self.of.values():
            yield unit_covers(self.fields[i], self.network.nodes[i], self.grid)

    @property
    def may_be_idle(self) -> bool:
        return any(known is not False for known in self.idle())


def smallest_input(network: Network, fields: Sequence[FieldByAxis], source: int = 0) -> tuple[int | None, bool]:
    """The side, in pixels, of the square input from which on no layer is idle; and whether that side is exact.

    ``fields`` are the fields of the network's nodes, in pixels of the input ``source``. Inputs with as many axes change
    in proportion. A formula gives a side from which on no unit of a map without
    borders sees the whole input. Then the network is built at one smaller size after another until a layer is idle.
    Sizes that the network does not accept are skipped.

    The side is None if no layer can be idle, if no size fits, if fields grow with the input (adaptive pooling), or if
    the side exceeds the largest size of an input. The side is not exact if a layer may be idle at the next smaller
    size, or if the search stops after too many sizes.
    """
    here = WideningInputs(network, fields, source)
    if not here.of:
        return None, True
    varies = any(padding_varies(network))
    inputs = [fields[i] for i in here.of.values()]
    enough = 1 + max(min(_reach(axis_field.field, varies) for axis_field in field) for field in inputs)
    stride = max(1, *(axis_field.field.step // axis_field.field.per for field in inputs for axis_field in field))
    tries = max(2, min(TRIED, LAYERS // len(network.nodes)))
    least, there = enough, None
    for least in range(enough, min(max(enough + stride, 1 + max(here.grid.pixels)), MAX_SIZE, enough + tries)):
        there = _at(here, least)
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
        there = _at(here, side)
        missed = missed + 1 if there is None else 0
        if missed == stride:
            break
        if there is not None and there.may_be_idle:
            return least, True in there.idle()
        least = least if there is None else side
    return least, True


def _reach(field: Field, varies: bool) -> int:
    """The most pixels, counted from pixel 0, that a unit of a map without borders sees. ``varies``: for any padding."""
    if varies or field.step == 0:
        return field.size
    return 0 if field.first > 0 else (field.last + -field.first // field.step * field.step) // field.per + 1


def _at(here: WideningInputs, side: int) -> WideningInputs | None:
    """The inputs of the widening layers at a square input; None if the network does not accept this input."""
    network, source = here.network, here.grid.source
    try:
        there = network.at(with_axes(network.inputs, (side,) * len(here.grid.pixels), source))
    except (ArchcalcError, LayerError):
        return None
    fields = node_fields(there, cut=False, known=(network, here.fields), source=source)
    return WideningInputs(there, fields, source, here)
