"""What a matrix product reads on the grids of its two maps."""

from __future__ import annotations

from typing import Any, NamedTuple

from archcalc.field.joining import Layouts, Result, bounds
from archcalc.field.layout import FREE, Layout, Slot, free
from archcalc.field.reading import Reading, all_of, all_windows, everything
from archcalc.sizes import ITSELF, POINT, Int, Shape, Window, alike, equal, settled


class Side(NamedTuple):
    """One of the two maps: its layout, and after its rows or columns are summed; the axis that stays, and windows.

    batch, kept: the axes before the matrix, and the axis of the matrix that stays
    windows:     by axis of the grid, where positions were summed
    """

    layout: Layout
    after: Layout
    batch: tuple[Slot, ...]
    kept: Slot
    windows: dict[int, Window]

    @classmethod
    def of(cls, layout: Layout, kept: int) -> Side:
        """``kept``: which axis stays, -2 or -1."""
        reading, gone = Reading(layout), -3 - kept
        reading.gather([digit for digit in layout.slots[gone].digits if digit.axis != FREE], keep=False)
        after = reading.done()[0]
        return cls(layout, after, after.slots[:-2], after.slots[kept], reading.windows)

    def axes_of(self, *slots: Slot) -> set[int]:
        """The axes of the grid of which axes of the map consist."""
        digits = (digit for slot in slots for digit in slot.digits)
        return {digit.axis for digit in digits if digit.axis != FREE and not equal(self.after.axes[digit.axis], 1)}

    def on(self, target: Layout) -> tuple[Window, ...]:
        return all_windows({axis: self._on(target, axis) for axis in range(len(target.axes))}, len(target.axes))

    def _on(self, target: Layout, axis: int) -> Window:
        n, m, window = self.layout.axes[axis], target.axes[axis], self.windows.get(axis, ITSELF)
        if equal(n, 1):
            return ITSELF if equal(m, 1) else Window(1, whole=True)
        if window.whole:
            return window._replace(exact=settled(window.exact & (n != 1)))  # a unit of one position reads itself
        there = self.after
        same = equal(there.axes[axis], m) and equal(there.shifts[axis], target.shifts[axis])
        return window if same else everything(n, exact=False)


def multiplied(layer: Any, layouts: Layouts, out: Shape) -> Result:
    """A unit reads a row of the first map's matrix and a column of the second map's matrix."""
    first, second = layouts
    if any(layout and layout.tokens for layout in layouts):
        known = first or second
        return known and _nowhere(known, out), bounds(layouts)
    if len(out.axes) == 1:
        return _of_channels(layer, first, second, out)
    a = Side.of(first, -1 if layer.swaps[0] else -2) if first else None
    b = Side.of(second, -2 if layer.swaps[1] else -1) if second else None
    target = _target(a, b, out)
    if target is not None:
        return target, [side.on(target) if side else POINT for side in (a, b)]
    assert a
    target = Layout(a.after.axes, (*a.batch, a.kept, free(out.axes[-1])), a.after.shifts, a.after.carried)
    return target, [a.on(target), *bounds([second])]


def _of_channels(layer: Any, first: Layout | None, second: Layout | None, out: Shape) -> Result:
    """Matrices of channels x positions. All positions of the first map are read: summed, or as rows, which are channels."""
    known = second or first
    assert known
    carried = bool(first and (layer.swaps[0] or first.carried))
    target = _nowhere(known, out, carried)
    windows = POINT
    if second and layer.swaps[1]:
        windows = _all(second, target, exact=not second.carried)
    elif second:
        target = Layout(second.axes, second.slots, second.shifts, carried)
    return target, [_all(first, target) if first else POINT, windows]


def _target(a: Side | None, b: Side | None, out: Shape) -> Layout | None:
    """The layout of rows and columns; None if the same axis of the grid is in both."""
    if a is None or b is None:
        side = a or b
        assert side
        matrix = (side.kept, free(out.axes[-1])) if a else (free(out.axes[-2]), side.kept)
        return Layout(side.after.axes, (*side.batch, *matrix), side.after.shifts, side.after.carried)
    columns = b.axes_of(b.kept)
    if columns & a.axes_of(*a.batch, a.kept) or not alike(a.batch, b.batch):
        return None
    pairs = [b.after if axis in columns else a.after for axis in range(len(a.after.axes))]
    axes: tuple[Int, ...] = tuple(one.axes[axis] for axis, one in enumerate(pairs))
    shifts: tuple[Int, ...] = tuple(one.shifts[axis] for axis, one in enumerate(pairs))
    return Layout(axes, (*a.batch, a.kept, b.kept), shifts, a.after.carried or b.after.carried)


def _nowhere(layout: Layout, out: Shape, carried: bool = False) -> Layout:
    """The layout of a map whose positions all have the same field."""
    count = len(layout.axes)
    return Layout((1,) * count, tuple(map(free, out.axes)), (0,) * count, carried)


def _all(layout: Layout, target: Layout, *, exact: bool = True) -> tuple[Window, ...]:
    """The windows of units that read all positions of a map."""
    axes = zip(layout.axes, target.axes, strict=True)
    each = {
        axis: all_of(n, exact=exact) if not equal(n, 1) else ITSELF if equal(m, 1) else Window(1, whole=True)
        for axis, (n, m) in enumerate(axes)
    }
    return all_windows(each, len(target.axes))
