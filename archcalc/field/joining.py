"""What joins read on the grids of their inputs: value by value, or side by side along an axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from archcalc.field.layout import FREE, Digit, Layout, Slot, free, simplest, vector_layout
from archcalc.field.reading import Reading, all_windows, everything, one_by_one
from archcalc.field.sliding import slid
from archcalc.layers.join import overlap
from archcalc.layers.spread import spread
from archcalc.sizes import ITSELF, POINT, Int, Shape, Span, Window, alike, equal, is_array, largest, product, settled

Result: TypeAlias = tuple[Layout | None, list[tuple[Window, ...]]]
"""The layout of the output, None if no input depends on the network input; and the windows on each input's grid."""

Layouts: TypeAlias = Sequence[Layout | None]


def joined(layouts: Layouts, xs: Sequence[Shape], out: Shape) -> Result:
    """The inputs combined value by value: a unit reads its own position, or the one position of an axis of size 1."""
    known = [layout for layout in layouts if layout]
    if not known:
        return None, [POINT] * len(xs)
    if not out.axes:
        return vector_layout(len(known[0].axes)), [POINT] * len(xs)
    target = _target(layouts, xs, out)
    if target.tokens and not all(alike([s[1:] for s in one.slots], [s[1:] for s in target.slots]) for one in known):
        reading = Reading(target)  # a token reads a position
        for at in target.tokens:
            reading.give_up_slot(at, out.axes[at])
        return reading.done()[0], bounds(layouts)
    return target, [aligned(layout, target) for layout in layouts]


def overlapping(layouts: Layouts, xs: Sequence[Shape], out: Shape) -> Result:
    """Maps of other sizes, added to the first map at every k-th position of one of the two."""
    read = [
        slid(layout, _steps(x, out), x, out) if layout else (None, POINT) for layout, x in zip(layouts, xs, strict=True)
    ]
    inner = [layout for layout, _ in read]
    target, _ = joined(inner, [out] * len(xs), out)
    if all(layout is None or (target and alike(layout.key, target.key)) for layout in inner):
        return target, [windows for _, windows in read]
    return target, bounds(layouts)


def _steps(x: Shape, out: Shape) -> tuple[Window, ...]:
    """The windows on an input of another size: every k-th position, or a position for every k-th unit."""
    _, here, there = overlap(out, x)
    if equal(here, 1):
        rows = zip(out.axes, x.axes, strict=True)
        return tuple(Window(1, there, over=settled((n - 1) * there + 1 - m)) for n, m in rows)
    return tuple(spread(m, 1, here, 0, 0, 1, n) for n, m in zip(out.axes, x.axes, strict=True))


def bounds(layouts: Layouts, *, some: bool = False) -> list[tuple[Window, ...]]:
    """Windows of units that read anything: at least ``some`` position, or perhaps none."""
    return [
        tuple(everything(n, exact=False, some=some) for n in layout.axes) if layout else POINT for layout in layouts
    ]


def _target(layouts: Layouts, xs: Sequence[Shape], out: Shape) -> Layout:
    """The layout of the output: of the input with the most positions. Its axes of size 1 are taken from other inputs."""
    full = [(layout, x) for layout, x in zip(layouts, xs, strict=True) if layout and x.axes]
    vector = next(layout for layout in layouts if layout)
    if not full:  # vectors, and maps without a field
        return Layout(vector.axes, tuple(map(free, out.axes)), vector.shifts)
    base = min(full, key=lambda one: (_missing(one[1], out), -largest(product(one[0].axes))))[0]
    carried = any(layout.carried for layout in layouts if layout)
    told = any(layout.told for layout in layouts if layout)
    axes, slots, shifts = list(base.axes), list(base.slots), list(base.shifts)
    for at, size in enumerate(out.axes):
        if equal(slots[at].size, size):
            continue
        other = next((layout for layout, x in full if equal(x.axes[at], size)), None)
        slots[at] = free(size)
        if other is None:
            continue
        digits = other.slots[at].digits
        if all(d.axis == FREE or equal(axes[d.axis], 1) or equal(other.axes[d.axis], 1) for d in digits):
            slots[at] = other.slots[at]
            for d in digits:
                if d.axis != FREE:
                    axes[d.axis], shifts[d.axis] = other.axes[d.axis], other.shifts[d.axis]
    tidy = tuple(slot._replace(digits=simplest(slot.digits, axes)) for slot in slots)
    return Layout(tuple(axes), tidy, tuple(shifts), carried, told)


def _missing(x: Shape, out: Shape) -> int:
    """How many axes of x are repeated."""
    return sum(not equal(n, m) for n, m in zip(x.axes, out.axes, strict=True))


def aligned(layout: Layout | None, target: Layout) -> tuple[Window, ...]:
    """The windows on an input, for units that read their own position."""
    if layout is None or not layout.slots or layout is target:
        return POINT
    axes = range(len(target.axes))
    return all_windows({axis: _one_axis(layout, target, axis) for axis in axes}, len(target.axes))


def _one_axis(layout: Layout, target: Layout, axis: int) -> Window:
    n, m = layout.axes[axis], target.axes[axis]
    if equal(n, 1):
        return ITSELF if equal(m, 1) else Window(1, whole=True)
    if not alike(_ends(layout, axis), _ends(target, axis)):
        return everything(n, exact=False, some=layout.told)
    if not equal(n, m) or not alike(layout.places(axis), target.places(axis)):
        return everything(n, exact=False)
    return _shifted(n, target.shifts[axis] - layout.shifts[axis])


def _shifted(n: Int, by: Int) -> Window:
    """The window of units that read the position ``by`` further on, on a ring of n positions."""
    if equal(by, 0):
        return ITSELF
    if is_array(by) or is_array(n):
        return everything(n, exact=False)
    return one_by_one([(unit + by, unit + by) for unit in range(n)], n)


def _ends(layout: Layout, axis: int) -> list[tuple[Int, Int]]:
    return [slot[1:] for slot in layout.slots if any(digit.axis == axis for digit in slot.digits)]


def side_by_side(layouts: Layouts, xs: Sequence[Shape], out: Shape, at: int) -> Result:
    """The inputs one after the other along axis ``at`` of the map."""
    known = [i for i, layout in enumerate(layouts) if layout]
    if not known:
        return None, [POINT] * len(xs)
    first = layouts[known[0]]
    assert first
    sizes = [x.axes[at] for x in xs]
    starts = [sum(sizes[:i]) for i in range(len(sizes))]
    size, windows = out.axes[at], [POINT] * len(xs)
    plain = first.plain(first.slots[at])
    around = [i for i in known if _knows_all(layouts[i])] if len(known) == len(xs) else []
    maps = [i for i in known if i not in around]
    told = len(maps) == 1 and all(layouts[i].told for i in known)  # type: ignore[union-attr]
    if told or len(known) == 1:
        (i,) = maps or known
        layout = layouts[i]
        assert layout
        target, windows[i] = _extended(layout, at, starts[i], size - starts[i] - sizes[i], tokens=bool(around))
        for token in around:
            windows[token] = aligned(layouts[token], target)
        return target, windows
    reading = Reading(first)
    if plain is None or any(layouts[i].plain(layouts[i].slots[at]) != plain for i in known):  # type: ignore[union-attr]
        reading.give_up_slot(at, size)
    else:
        reading.axes[plain], reading.slots[at] = size, Slot((Digit(plain, size),))
    reading.told = all(layout.told for layout in layouts if layout)
    target, _ = reading.done()
    if any(at in layouts[i].tokens for i in known):  # type: ignore[union-attr]
        return target, bounds(layouts)
    for i in known:
        layout = layouts[i]
        assert layout
        each = {axis: _one_axis(layout, target, axis) for axis in range(len(target.axes))}
        if plain is None:  # positions of one map and of another have one place on the grid
            each = {axis: window._replace(exact=False, reads_both_ends=False) for axis, window in each.items()}
        elif equal(target.axes[plain], size):
            each[plain] = _placed(starts[i], sizes[i], size)
        windows[i] = all_windows(each, len(target.axes))
    return target, windows


def _knows_all(layout: Layout | None) -> bool:
    """Whether all positions are tokens that have read the whole map."""
    return layout is not None and layout.told and all(equal(n, 1) for n in layout.axes)


def _extended(layout: Layout, at: int, before: Int, after: Int, *, tokens: bool) -> tuple[Layout, tuple[Window, ...]]:
    """One input between others along an axis.

    tokens: the others are tokens that have read the whole map. Otherwise they have no field: zeros, or new tokens.
    """
    reading, slot = Reading(layout), layout.slots[at]
    axis = layout.plain(slot)
    if tokens or axis is None:
        reading.slots[at] = slot._replace(before=slot.before + before, after=slot.after + after)
        if not tokens and layout.told and layout.tokens:
            reading.some = False
            reading.give_up_slot(at, reading.slots[at].size)
        reading.told = layout.told and tokens
    else:
        size = slot.size + before + after
        reading.put(axis, Window(1, before=before, reads_both_ends=False))
        reading.axes[axis], reading.slots[at] = size, Slot((Digit(axis, size),))
    return reading.done()


def _placed(start: Int, size: Int, total: Int) -> Window:
    """The window of a map that lies at ``start`` in a larger map, whose other units do not read the map."""
    if any(map(is_array, (start, size, total))):
        return everything(size, exact=False)
    reads: list[Span] = [(unit - start, unit - start) if 0 <= unit - start < size else () for unit in range(total)]
    return one_by_one(reads, size)
