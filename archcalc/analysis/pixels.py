"""Which pixels one unit of a layer sees: a rectangle of the input, as if it went on for ever and within the image."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from archcalc.analysis import Analysis
from archcalc.analysis.depth import followed
from archcalc.analysis.receptive_field import Sight, sights
from archcalc.errors import ArchcalcError, unknown
from archcalc.layers.base import per_axis
from archcalc.layers.windowed import Windowed
from archcalc.network import Network, Node
from archcalc.sizes import View, Window, ceil_div


class Pixels(NamedTuple):
    """What one unit sees along one axis: the first and last pixel as if the image went on, and within it.

    ``inside`` is None for a unit that sees padding alone; ``exact`` is False where the pixels are a bound.
    """

    first: int
    last: int
    inside: tuple[int, int] | None
    exact: bool


def pixels(analysis: Analysis, name: str, unit: Sequence[int]) -> tuple[Sight, list[Pixels]]:
    """What the unit of a layer sees along every axis, beside gates; a block's name stands for its last layer.

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
    named = [sight for sight in found if sight.node.name == name] or [
        sight for sight in found if sight.node.name.startswith(f"{name}.") or name in sight.node.scopes
    ]
    if not named:
        raise ArchcalcError(unknown("layer", name, [sight.node.name for sight in found]))
    return named[-1]


def _pixels(view: View, network: Network, node: Node, unit: int, axis: int) -> Pixels:
    field = view.field
    inside = _inside(network, node, unit, axis)
    return Pixels(
        ceil_div(field.first + unit * field.step, field.per),
        (field.last + unit * field.step) // field.per,
        (min(inside), max(inside)) if inside else None,
        view.exact,
    )


def _inside(network: Network, node: Node, unit: int, axis: int) -> set[int]:
    """The pixels of the image that a unit reads along an axis: position by position, padding left out on the way."""
    read: dict[int, set[int]] = {node.index: {unit}}
    for at in range(node.index, 0, -1):
        positions, here = read.pop(at, set()), network.nodes[at]
        if not positions:
            continue
        shapes = network.input_shapes(here)
        windows = here.layer.window(*shapes)
        for i in followed(here, network):
            size = network.nodes[i].shape.axes[axis] if network.nodes[i].shape.axes else 1
            through = _through(windows[axis], positions, _dilation(here, axis), size) if windows else positions
            read.setdefault(i, set()).update(p for p in through if 0 <= p < size)
    return read.get(0, set())


def _through(window: Window, positions: set[int], dilation: int, size: int) -> Iterable[int]:
    """The positions of its input that a window reads for the given outputs; a bound where the window is one."""
    if window.whole:
        return range(size)
    starts = [p * window.stride - window.before for p in positions]
    if window.up == 1 and window.exact:
        return {start + cell for start in starts for cell in range(0, window.span, dilation)}
    return {
        p for start in starts for p in range(ceil_div(start, window.up), (start + window.span - 1) // window.up + 1)
    }


def _dilation(node: Node, axis: int) -> int:
    if not isinstance(node.layer, Windowed):
        return 1
    return per_axis(node.layer.dilation, node.shape, "dilation")[axis]
