"""What layers with one input read on the grid: windows that slide, positions that are cut off, and rearrangements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from archcalc.field.layout import FREE, Digit, Layout, Slot, free, split, vector_layout
from archcalc.field.reading import Reading, everything, grown
from archcalc.layers.arrangement import Arrangement, Group
from archcalc.sizes import POINT, Int, Shape, Window, alike, equal, is_array, largest, settled, smallest

Result: TypeAlias = tuple[Layout | None, tuple[Window, ...]]
"""The layout of the output, None if the output does not depend on the network input; and the windows on the grid."""


def slid(layout: Layout, windows: tuple[Window, ...], x: Shape, out: Shape) -> Result:
    """The layout and the windows after a layer whose unit reads ``windows`` along the axes of its input x."""
    if not out.axes and x.axes:
        return vector_layout(len(layout.axes)), tuple(map(everything, layout.axes))
    if not windows:
        return layout, POINT
    reading = Reading(layout)
    kept: list[Digit] = []
    gone: list[Digit] = []
    for at, (window, n, m) in enumerate(zip(windows, x.axes, out.axes, strict=True)):
        slot = layout.slots[at]
        axis = layout.plain(slot)
        if axis is not None:
            reading.put(axis, window)
            reading.axes[axis], reading.slots[at] = m, Slot((Digit(axis, m),))
        elif window.whole and window.exact:
            if equal(n, m) and not equal(n, 1):
                kept += slot.digits
                continue
            gone += slot.digits
            reading.slots[at] = Slot(tuple(d._replace(size=1, inner=1) for d in slot.digits), *free(m)[1:])
            if not equal(m, 1):
                reading.slots[at] = Slot((*reading.slots[at].digits, *free(m).digits))
        elif alike(window[:6], Window(1)[:6]) and equal(n, m):
            continue
        elif alike((*window[:2], window.up), (1, 1, 1)) and not window.reads and not window.whole:
            if not _cut(reading, at, -window.before, m):
                return None, POINT
        elif _all_free(slot) and alike(slot[1:], (0, 0)):
            if _reads_nothing(window):
                reading.some = False
                for axis in range(len(reading.axes)):
                    reading.give_up(axis)
            reading.slots[at] = free(m)
        else:
            if _reads_nothing(window):
                reading.some, reading.unsure = False, True
            reading.give_up_slot(at, m)
    reading.gather(gone, keep=False)
    reading.gather(kept, keep=True)
    read = [at for at, window in enumerate(windows) if window.whole]
    if read and layout.tokens:
        reading.tell(layout.tokens, read)
    return reading.done()


def _all_free(slot: Slot) -> bool:
    return all(digit.axis == FREE for digit in slot.digits)


def _reads_nothing(window: Window) -> bool:
    """Whether a unit may read the padding alone, or no position."""
    behind = window.over is not None and largest(window.over - window.span) >= 0
    return largest(window.before - window.span) >= 0 or behind or not all(window.reads)


def _cut(reading: Reading, at: int, first: Int, size: Int) -> bool:
    """Keep ``size`` positions of an axis from ``first`` on; a negative ``first`` adds positions before.

    False if only positions without a field are left.
    """
    slot = reading.slots[at]
    body = slot.size - slot.before - slot.after
    before, after = settled(slot.before - first), settled(first + size - slot.before - body)
    within: Any = (before >= 0) & (after >= 0)
    if largest(within) and any(map(is_array, (before, after, *slot[1:]))):
        reading.give_up_slot(at, size)
    elif largest(within):
        more = before > slot.before or after > slot.after
        if more and reading.told and reading.layout.tokens:  # tokens that have seen the map, and new ones
            reading.some = False
            reading.give_up_slot(at, size)
            return True
        reading.told = reading.told and not more
        reading.slots[at] = slot._replace(before=before, after=after)
    elif smallest((before >= size) | (after >= size)):
        if not reading.told:
            return False
        for axis in range(len(reading.axes)):
            reading.give_up(axis)
        reading.slots[at] = free(size)
    else:
        reading.give_up_slot(at, size)
    return True


def regrouped(layout: Layout, arrangement: Arrangement) -> Result:
    """The layout and the windows after a rearrangement.

    Parts that move into the channels are read together. For parts that move out of the channels, positions are
    repeated, because all channels have the same field.
    """
    reading = Reading(layout)
    slots = _parts(reading, arrangement.before[1:])
    pieces = {name: slot.digits for name, slot in slots.items()}
    channels = {part.name: free(part.size).digits for part in arrangement.before[0]}
    into = [digit for part in arrangement.after[0] for digit in pieces.get(part.name, ()) if digit.axis != FREE]
    out_of = any(part.name in channels and largest(part.size) > 1 for group in arrangement.after[1:] for part in group)
    pieces.update(channels)
    tokens = [name for name, slot in slots.items() if not alike(slot[1:], (0, 0))]
    reading.slots = []
    for group in arrangement.after[1:]:
        alone = group[0].name if len(group) == 1 else ""
        ends: Any = slots[alone][1:] if alone in tokens else (0, 0)
        reading.slots.append(Slot(tuple(digit for part in group for digit in pieces[part.name]), *ends))
    if any(len(group) != 1 and part.name in tokens for group in arrangement.after[1:] for part in group) or any(
        part.name in tokens for part in arrangement.after[0]
    ):
        return _given_up(layout, arrangement)
    reading.gather(into, keep=False)
    if layout.carried and out_of:
        reading.uncertain()
    for at, slot in enumerate(reading.slots):
        growth = grown(slot, reading.axes, reading.shifts)
        if growth:
            axis, window = growth
            reading.put(axis, window)
            reading.axes[axis] = slot.size
            reading.slots[at] = Slot((Digit(axis, slot.size),))
    return reading.done(carried=layout.carried or any(largest(digit.size) > 1 for digit in into))


def _given_up(layout: Layout, arrangement: Arrangement) -> Result:
    """All axes as a bound: a class token becomes a part of other axes, or of the channels."""
    reading = Reading(layout)
    for axis in range(len(reading.axes)):
        reading.give_up(axis)
    reading.slots = [free(size) for size in arrangement.shape.axes]
    return reading.done(carried=True)


def _parts(reading: Reading, groups: Sequence[Group]) -> dict[str, Slot]:
    """The digits of every part of the axes. Axes that do not divide into the parts are given up."""
    while True:
        parts: dict[str, Slot] = {}
        for at, group in enumerate(groups):
            slot = reading.slots[at]
            if len(group) == 1:
                parts[group[0].name] = slot
                continue
            each = None if not alike(slot[1:], (0, 0)) else split(slot.digits, [part.size for part in group])
            if each is None:
                size = slot.size
                reading.give_up_slot(at, size)
                each = [list(free(part.size).digits) for part in group]
                if any(digit.axis != FREE for digit in slot.digits):
                    reading.slots[at] = Slot(tuple(digit for digits in each for digit in digits))
                    break  # digits of the same axis in other slots are given up, too
            parts.update((part.name, Slot(tuple(digits))) for part, digits in zip(group, each, strict=True))
        else:
            return parts


def rolled(layout: Layout, by: Sequence[Int]) -> Result:
    """The layout after a cyclic shift of the positions of every axis."""
    reading = Reading(layout)
    for at, (slot, shift) in enumerate(zip(layout.slots, by, strict=True)):
        free_slot = _all_free(slot) and alike(slot[1:], (0, 0))
        if free_slot or (not is_array(shift) and shift == 0):
            continue
        if len(slot.digits) == 1 and alike(slot[1:], (0, 0)) and equal(slot.size, layout.axes[slot.digits[0].axis]):
            axis = slot.digits[0].axis
            reading.shifts[axis] = (reading.shifts[axis] + shift) % layout.axes[axis]
        else:
            reading.give_up_slot(at, slot.size)
    return reading.done()
