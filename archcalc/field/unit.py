"""Which pixels one unit of a layer sees: a rectangle of the input, as if it went on for ever and within the image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from archcalc.errors import ArchcalcError
from archcalc.field.axis import AxisField
from archcalc.field.pixels_read import Positions, Run
from archcalc.network import Network, Node
from archcalc.sizes import Span


class UnitField(NamedTuple):
    """What one unit sees along one axis: the first and last pixel as if the image went on, and those within it.

    ``endless`` is () for a unit that sees nothing at all, ``inside`` for one that sees padding alone; ``exact`` is False
    where the pixels are a bound.
    """

    endless: Span
    inside: Span
    exact: bool


def unit_fields(network: Network, node: Node, views: Sequence[AxisField], unit: Sequence[int]) -> list[UnitField]:
    """What the unit of a node sees along every axis; ``views`` are the node's.

    ArchcalcError for a unit that is not in the map, or a node without positions.
    """
    sizes = node.shape.axes
    if not sizes:
        raise ArchcalcError(
            f"{node.name} is a vector of {node.shape}, without positions; its row shows what all of it sees"
        )
    if len(unit) != len(sizes):
        numbers = "1 number" if len(sizes) == 1 else f"{len(sizes)} numbers"
        raise ArchcalcError(f"{node.name} has a map of {node.shape}: a unit has {numbers}, got {len(unit)}")
    if not all(0 <= at < size for at, size in zip(unit, sizes, strict=True)):
        raise ArchcalcError(
            f"unit {_listed(unit)} is not in the map of {node.name}: it is {'x'.join(map(str, sizes))}, "
            f"units {_listed([0] * len(sizes))} to {_listed([size - 1 for size in sizes])}"
        )
    each = enumerate(zip(views, unit, strict=True))
    return [_unit_field(view, network, node, at, axis) for axis, (view, at) in each]


def _listed(unit: Sequence[int]) -> str:
    return ",".join(map(str, unit))


def _unit_field(view: AxisField, network: Network, node: Node, unit: int, axis: int) -> UnitField:
    inside = Positions(network).of(node, Run(unit, unit), axis)
    if inside is None:
        raise ArchcalcError(f"{node.name} has windows too large to follow one unit of it through the network")
    return UnitField(view.field.of(unit), inside, view.exact)
