"""What attention reads on the grids of its queries, keys and values, and of a bias."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archcalc.field.joining import Layouts, Result, aligned, bounds
from archcalc.field.layout import FREE, Digit, Layout, free
from archcalc.field.reading import Reading, all_of, all_windows, everything, one_by_one
from archcalc.sizes import ITSELF, POINT, Shape, Window, alike, equal, is_array, smallest

BIAS = 3
"""The number of the bias among the inputs."""


def attended(layer: Any, layouts: Layouts, xs: Sequence[Shape], out: Shape) -> Result:
    """A unit reads its own position of the queries, and the whole last axis of the keys, the values and the bias."""
    known = [layout for layout in layouts[1:3] if layout]
    target = layouts[0]
    if target is None and len(layouts) > 3 and layouts[3]:
        target = _rows(layouts[3])
    if target is None and known:
        target = _learned_queries(known[0], out)
    if target is None:  # no input depends on the network input
        return None, [POINT] * len(xs)
    windows, told = _read(layer, layouts, target)
    told = told and target.tokens in ([], [len(target.slots) - 1])
    if target.tokens and not told:
        target, windows = _without_tokens(target), bounds(layouts)
    return Layout(target.axes, target.slots, target.shifts, False, target.told or told), windows


def _read(layer: Any, layouts: Layouts, target: Layout) -> tuple[list[tuple[Window, ...]], bool]:
    """The windows on all inputs, and whether every unit reads everything."""
    axes, told = range(len(target.axes)), False
    windows = [aligned(layouts[0], target)]
    for at, layout in enumerate(layouts[1:], 1):
        if at == 2 and layout is layouts[1]:  # keys and values are read in the same way
            windows.append(windows[1])
            continue
        each: dict[int, Window] = {}
        if layout:
            read = _added if at == BIAS else _attended
            each = {axis: read(layer, layout, target, axis) for axis in axes}
            every = all(smallest((n == 1) | (each[at].whole & each[at].exact)) for at, n in enumerate(layout.axes))
            every = every and not layer.causal  # the first of the last axis reads itself alone
            told = told or every
            if layout.tokens and not every:  # a token may have seen more than its window
                each = {axis: everything(n, exact=False) for axis, n in enumerate(layout.axes)}
        windows.append(all_windows(each, len(target.axes)))
    return windows, told


def _without_tokens(layout: Layout) -> Layout:
    """The layout in which axes with tokens are given up."""
    reading = Reading(layout)
    for at in layout.tokens:
        reading.give_up_slot(at, layout.slots[at].size)
    return reading.done()[0]


def _learned_queries(keys: Layout, out: Shape) -> Layout:
    """The layout of queries that do not depend on the network input: all of them read the same."""
    reading = Reading(keys)
    for axis in dict.fromkeys(digit.axis for digit in keys.slots[-1].digits if digit.axis != FREE):
        reading.give_up(axis)
    reading.slots[-1] = free(out.axes[-1])
    return reading.done()[0]


def _attended(layer: Any, layout: Layout, target: Layout, axis: int) -> Window:
    """The window on the keys or the values along an axis of the grid."""
    n, last = layout.axes[axis], len(layout.slots) - 1
    places = layout.places(axis)
    inside = [place for place in places if place[0] == last]
    same = equal(n, target.axes[axis]) and alike(places, target.places(axis))
    same = same and equal(layout.shifts[axis], target.shifts[axis])
    if equal(n, 1) or not inside:
        return _own(layout, target, axis)
    if layer.causal:
        alone = same and not layer.shifted
        return _before(layout, target, axis) if alone else everything(n, exact=False)
    masked = _masked(layer, layout, axis)
    if len(inside) == len(places):
        return all_of(n, exact=masked is False)
    if not same or masked is None:
        return everything(n, exact=False)
    reading = Reading(layout)
    reading.masked = masked
    reading.gather([digit for digit in layout.slots[-1].digits if digit.axis == axis], keep=True)
    return reading.windows[axis]


def _rows(layout: Layout) -> Layout:
    """The layout of the rows of a bias, each of which is read as a whole."""
    reading = Reading(layout)
    last = reading.slots[-1]
    if last[1:] != (0, 0):
        reading.give_up_slot(len(reading.slots) - 1, last.size)
    reading.gather([digit for digit in reading.slots[-1].digits if digit.axis != FREE], keep=False)
    there = reading.done()[0]
    return Layout(there.axes, there.slots[:-1], there.shifts, there.carried, there.told)


def _added(layer: Any, layout: Layout, target: Layout, axis: int) -> Window:
    """The window on the bias along an axis of the grid: a unit reads its own row."""
    n, last = layout.axes[axis], len(layout.slots) - 1
    places = layout.places(axis)
    inside = [place for place in places if place[0] == last]
    if equal(n, 1) or not inside:
        return _own(layout, target, axis)
    hides = layer.causal or layer.shifted
    return all_of(n, exact=len(inside) == len(places) and not hides)


def _own(layout: Layout, target: Layout, axis: int) -> Window:
    windows = aligned(layout, target)
    return windows[axis] if windows else ITSELF


def _before(layout: Layout, target: Layout, axis: int) -> Window:
    """The window of positions that read all positions up to their own."""
    n, slot = layout.axes[axis], layout.slots[-1]
    outermost = alike(slot, target.slots[-1]) and alike(slot, (slot.digits, 0, 0))
    if not outermost or is_array(n) or slot.digits[0] != Digit(axis, n) or not equal(layout.shifts[axis], 0):
        return everything(n, exact=False)
    return one_by_one([(0, unit) for unit in range(n)], n)


def _masked(layer: Any, layout: Layout, axis: int) -> bool | None:
    """Whether the layer hides the positions that the roll of this axis brought together; None if that is unknown."""
    if not getattr(layer, "shifted", False):
        return False
    return not equal(layout.shifts[axis], 0) if _as_cut(layer, layout) else None


def _as_cut(layer: Any, layout: Layout) -> bool:
    """Whether the windows are those that the layer states: cut from a map of its size, which was rolled by its shift."""
    whole = zip(layout.axes, layer.map_size, layer.sides, layer.shifts, layout.shifts, strict=False)
    if len(layer.map_size) != len(layout.axes):
        return False
    if not all(equal(n, size) and equal(-shift % n, there) for n, size, _, shift, there in whole):
        return False
    *outer, inner = (slot.digits for slot in layout.slots)
    counts = [Digit(axis, n // side, side) for axis, (n, side) in enumerate(zip(layout.axes, layer.sides, strict=True))]
    inside = [Digit(axis, side) for axis, side in enumerate(layer.sides)]
    pairs = ([digit for digits in outer for digit in digits], counts), (inner, inside)
    return not layout.tokens and all(_equal_digits(found, stated) for found, stated in pairs)


def _equal_digits(found: Sequence[Digit], stated: Sequence[Digit]) -> bool:
    mine, theirs = ([digit for digit in digits if not equal(digit.size, 1)] for digits in (found, stated))
    return len(mine) == len(theirs) and all(all(map(equal, a, b)) for a, b in zip(mine, theirs, strict=True))


def anywhere(layouts: Layouts, xs: Sequence[Shape], out: Shape) -> Result:
    """Regions or positions of maps, which may lie anywhere: a unit reads at most everything."""
    known = next((layout for layout in layouts if layout), None)
    if known is None:
        return None, [POINT] * len(xs)
    return Layout((1,) * len(known.axes), tuple(map(free, out.axes)), (0,) * len(known.axes)), bounds(layouts)
