"""Which positions units read, followed back layer by layer on maps as large as they are; padding is left out.

A field is a formula, of maps that go on for ever. What is read of real ones may be less: strides leave pixels over at
the edge. Where a layer takes the whole map, its field is therefore found here, from the units near the map's ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from archcalc.analysis.depth import followed
from archcalc.layers.base import per_axis
from archcalc.layers.windowed import Windowed
from archcalc.network import Network, Node
from archcalc.sizes import Field, View, Window, ceil_div, is_array

MOST = 100_000
"""The most positions of one map that are followed; where that is not enough, a field stays a bound."""

FEW = 32
"""So many units are asked from either end of a map at first; of a smaller map all are."""


def read(network: Network, node: Node, units: Iterable[int], axis: int) -> set[int] | None:
    """The pixels that units of a layer read along an axis, beside gates; None where that would take too long.

    Behind transposed convolution, upsampling and uneven pooling they may be more than are read.
    """
    waiting: dict[int, set[int]] = {node.index: set(units)}
    seen: dict[tuple[Any, ...], tuple[Window, ...]] = {}  # layers repeat
    for at in range(node.index, 0, -1):
        positions, here = waiting.pop(at, set()), network.nodes[at]
        if not positions:
            continue
        key = here.layer, *network.input_shapes(here)
        if key not in seen:
            seen[key] = here.layer.window(*key[1:])
        windows, dilation = seen[key], _dilation(here, axis)
        if windows and (windows[axis].span // dilation + 1) * (1 if windows[axis].whole else len(positions)) > MOST:
            return None
        for i in followed(here, network):
            size = _size(network.nodes[i], axis)
            through = _through(windows[axis], positions, dilation, size) if windows else positions
            if here.layer.joins and size == 1:  # the one position there is along the axis
                through = (0,)
            waiting.setdefault(i, set()).update(p for p in through if 0 <= p < size)
    return waiting.get(0, set())


def _size(node: Node, axis: int) -> int:
    return int(node.shape.axes[axis]) if node.shape.axes else 1


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
    dilation: int = per_axis(node.layer.dilation, node.shape, "dilation")[axis]
    return dilation


def of_whole_maps(
    network: Network, node: Node, windows: Sequence[Window], behind: tuple[View, ...], seen: tuple[View, ...]
) -> tuple[View, ...]:
    """The views ``seen`` through a layer's windows; where one takes the whole map, cut to the pixels that are read of it.

    ``behind`` are the views of the map. What is exact, or was a bound before, stays as it is; so do arrays.
    """
    if all(
        now.exact or not was.exact or not window.whole for was, now, window in zip(behind, seen, windows, strict=True)
    ):
        return seen
    source = network.nodes[node.inputs[0]]
    if any(is_array(n) for n in (*source.shape.axes, *(n for view in behind for n in view.field))):
        return seen
    cut: list[View] = []
    for axis, (was, now, window) in enumerate(zip(behind, seen, windows, strict=True)):
        if axis and now is seen[axis - 1] and was is behind[axis - 1]:  # alike in every layer on the way here
            cut.append(cut[-1])
            continue
        ends = () if now.exact or not was.exact or not window.whole else _ends(network, source, was.field, axis)
        cut.append(now._replace(field=Field(*ends, 0, 1), exact=True) if ends else now)
    return tuple(cut)


def _ends(network: Network, source: Node, field: Field, axis: int) -> tuple[int, int] | tuple[()]:
    """The first and last pixel that is read of a map; none where there is no pixel, or where it would take too long.

    Units are asked from either end on, until by the formula no other can see beyond what is found.
    """
    units, many = _size(source, axis), FEW
    while many < units and many <= MOST:
        left, right = (read(network, source, ends, axis) for ends in (range(many), range(units - many, units)))
        if left is None or right is None:
            return ()
        if (
            left
            and right
            and min(left) * field.per <= field.first + many * field.step
            and max(right) * field.per >= field.last + (units - 1 - many) * field.step
        ):
            return min(left), max(right)
        many *= 2
    found = read(network, source, range(units), axis) if units <= MOST else None
    return (min(found), max(found)) if found else ()
