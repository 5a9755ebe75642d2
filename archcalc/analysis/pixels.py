"""Which pixels one unit of a layer sees: a rectangle of the input, as if it went on for ever and within the image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from archcalc.analysis import Analysis
from archcalc.analysis.positions import Positions, Run
from archcalc.analysis.receptive_field import Sight, sights
from archcalc.errors import ArchcalcError, unknown
from archcalc.field import View
from archcalc.letters import normal
from archcalc.network import Network, Node
from archcalc.sizes import Span


class Pixels(NamedTuple):
    """What one unit sees along one axis: the first and last pixel as if the image went on, and those within it.

    ``endless`` is () for a unit that sees nothing at all, ``inside`` for one that sees padding alone; ``exact`` is False
    where the pixels are a bound.
    """

    endless: Span
    inside: Span
    exact: bool


def pixels(analysis: Analysis, name: str, unit: Sequence[int]) -> tuple[Sight, list[Pixels]]:
    """What the unit of a layer sees along every axis, past the gates; a block's name stands for its last layer.

    ArchcalcError for an unknown layer, a unit that is not in its map, or a layer without positions.
    """
    sight = layer(sights(analysis), name)
    node, sizes = sight.node, sight.node.shape.axes
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
    return sight, [
        _pixels(view, analysis.network, node, at, axis)
        for axis, (view, at) in enumerate(zip(sight.views, unit, strict=True))
    ]


def _listed(unit: Sequence[int]) -> str:
    return ",".join(map(str, unit))


def layer(found: Sequence[Sight], name: str) -> Sight:
    """The layer of that name, or the last layer of the block; ArchcalcError with the nearest name."""
    name = normal(name)
    named = [sight for sight in found if sight.node.name == name] or [
        sight for sight in found if sight.node.name.startswith(f"{name}.") or name in sight.node.scopes
    ]
    if not named:
        raise ArchcalcError(unknown("layer", name, [sight.node.name for sight in found]))
    return named[-1]


def _pixels(view: View, network: Network, node: Node, unit: int, axis: int) -> Pixels:
    inside = Positions(network).of(node, Run(unit, unit), axis)
    if inside is None:
        raise ArchcalcError(f"{node.name} has windows too large to follow one unit of it through the network")
    return Pixels(view.field.of(unit), inside, view.exact)
