"""The field of one unit of a layer: a rectangle of pixels, with and without the pixels outside the network input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from archcalc.errors import ArchcalcError
from archcalc.field.axis import AxisField
from archcalc.field.grid import Grid
from archcalc.field.pixels_read import PixelReader, Run
from archcalc.network import Node
from archcalc.sizes import Span


class UnitField(NamedTuple):
    """The field of one unit along one axis, as first and last pixel.

    endless: the field as if the network input had no border; () if the unit sees nothing. inside: the pixels inside the
    input; () if the unit sees only padding. exact: False if the pixels are a bound.
    """

    endless: Span
    inside: Span
    exact: bool


def unit_fields(grid: Grid, node: Node, field: Sequence[AxisField], unit: Sequence[int]) -> list[UnitField]:
    """The field of one unit of a node along every axis of the network input.

    ``field`` is the field of the node. ``unit`` has a position for every axis of the node's map.
    ArchcalcError for a unit outside the map, or for a node without positions.
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
    there = grid.position(node.index, unit)
    if not field or (there is None and not grid.tokens_see_all(node.index)):
        return [UnitField((), (), True)] * len(grid.pixels)
    each = enumerate(zip(field, there or (0,) * len(field), strict=True))
    return [_unit_field(axis_field, grid, node, at, axis) for axis, (axis_field, at) in each]


def _listed(unit: Sequence[int]) -> str:
    return ",".join(map(str, unit))


def _unit_field(field: AxisField, grid: Grid, node: Node, unit: int, axis: int) -> UnitField:
    inside = PixelReader(grid.network, grid=grid).of(node, Run(unit, unit), axis)
    if inside is None:
        raise ArchcalcError(f"{node.name} has windows too large to follow one unit of it through the network")
    return UnitField(field.field.of(unit), inside, field.exact)
