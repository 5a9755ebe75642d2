"""Windows along the axes of the grid, and the layout after them: what a layer reads of one of its inputs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from archcalc.field.layout import FREE, Digit, Layout, Slot, free, simplest
from archcalc.sizes import ITSELF, MOST_READS, POINT, Int, Span, Window, alike, equal, is_array, largest, settled


def everything(size: Int, *, exact: bool = True, some: bool = True) -> Window:
    """The window of units that all read every position.

    Not ``exact``: units may read fewer positions, but at least one. Not ``some``: units may read no position.
    """
    return Window(size, whole=True, exact=exact & some, reads_both_ends=some)


def all_of(size: Int, *, exact: bool = True) -> Window:
    """The window of units that read all of several positions; of arrays, a bound where there is one position."""
    return everything(size, exact=settled(exact & (size != 1)))


def in_turn(reads: Sequence[Span], stride: int, by: int = 1) -> Window:
    """The window in which unit q*up + r reads ``reads[r]`` moved by q*stride; ``up`` is the number of reads."""
    up = len(reads)
    first = min(span[0] * up - r * stride for r, span in enumerate(reads) if span)
    last = max(span[1] * up - r * stride for r, span in enumerate(reads) if span)
    return Window(last - first + 1, stride, -first, up, by=by, reads=tuple(reads))


def one_by_one(reads: Sequence[Span], size: int, by: int = 1) -> Window:
    """The window in which each unit reads its own entry, with positions counted modulo ``size``."""
    if len(reads) > MOST_READS:
        return everything(size, exact=False, some=all(reads))
    return Window(size, size, 0, len(reads), by=by, reads=tuple(reads), wraps=size)


class Reading:
    """The windows of one layer on the grid of an input, and the grid and the layout that result."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.axes, self.shifts, self.slots = list(layout.axes), list(layout.shifts), list(layout.slots)
        self.windows: dict[int, Window] = {}
        self.masked = False
        """Whether units that a roll brought together do not read each other."""
        self.told, self.unsure = layout.told, False
        self.some = layout.told or not layout.tokens
        """Whether every position of the map has a field."""

    def tell(self, tokens: Sequence[int], read: Sequence[int]) -> None:
        """Units read the tokens on these axes, or tokens read units; ``read``: the axes that are read as a whole.

        If everything is read, tokens know everything from here on. If not, their axes are given up.
        """
        wide = [axis for axis, n in enumerate(self.layout.axes) if not equal(n, 1)]
        every = all(axis in self.windows and _whole(self.windows[axis]) for axis in wide)
        if every and all(at in read for at in tokens):
            self.told = True
            return
        for at in tokens:
            self.give_up_slot(at, self.slots[at].size)

    def put(self, axis: int, window: Window) -> None:
        """Read through a window along an axis; two windows along one axis are a bound."""
        self.windows[axis] = everything(self.layout.axes[axis], exact=False) if axis in self.windows else window

    def give_up(self, axis: int) -> None:
        """All units see what all positions together see, as a bound: the axis has one position from here on."""
        self.windows[axis] = everything(self.layout.axes[axis], exact=False, some=self.some)
        self.axes[axis], self.shifts[axis] = 1, 0
        self.slots = [
            slot._replace(digits=tuple(d._replace(axis=FREE, inner=1) if d.axis == axis else d for d in slot.digits))
            for slot in self.slots
        ]

    def give_up_slot(self, at: int, size: Int) -> None:
        """Give up the axes of which an axis of the map consists. This axis has ``size`` positions afterwards."""
        self.unsure = self.unsure or at in self.layout.tokens
        for axis in _axes_of(self.slots[at].digits):
            self.give_up(axis)
        self.slots[at] = free(size)

    def uncertain(self) -> None:
        """Mark all windows as a bound, of units that may read nothing."""
        for axis in range(len(self.axes)):
            self.windows[axis] = self.windows.get(axis, ITSELF)._replace(exact=False, reads_both_ends=False)

    def gather(self, digits: Iterable[Digit], *, keep: bool) -> None:
        """Every unit reads all positions that differ in these digits only.

        ``keep``: a unit for every position remains, as in attention. Otherwise one unit remains, as after a mean.
        """
        digits = list(digits)
        for axis in _axes_of(digits):
            here = simplest(sorted((d for d in digits if d.axis == axis), key=lambda d: -largest(d.inner)), self.axes)
            if not here:  # digits of one value
                continue
            others = [
                d
                for slot in self.slots
                for d in slot.digits
                if d.axis == axis and not any(_same(d, one) for one in digits)
            ]
            if not others:
                self.put(axis, everything(self.layout.axes[axis]))
                if not keep:
                    self.axes[axis], self.shifts[axis] = 1, 0
            elif len(here) > 1 or axis in self.windows:
                self.give_up(axis)
            elif keep:
                self.put(axis, self._kept(here[0]))
            else:
                self._merge(here[0])

    def _kept(self, digit: Digit) -> Window:
        n, inner, shift = self.axes[digit.axis], digit.inner, self.shifts[digit.axis]
        if any(map(is_array, (*digit, n, shift))):
            return everything(n, exact=False)
        m, period = digit.size, digit.inner * digit.size
        if period == n:  # the outermost digit: every class of positions reads itself
            if shift:
                return everything(n, exact=False)
            return one_by_one([(unit % inner, n - inner + unit % inner) for unit in range(n)], n, inner)
        if inner > 1:
            if shift:
                return everything(n, exact=False)
            return in_turn([(unit % inner, period - inner + unit % inner) for unit in range(period)], period, inner)
        on_ring = shift and not self.masked
        if m > MOST_READS:
            return everything(n, exact=False)
        firsts = [(unit + shift) // m * m - shift for unit in range(n if on_ring else m)]
        reads = [(first, first + m - 1) for first in firsts]
        return one_by_one(reads, n) if on_ring else in_turn(reads, m)

    def _merge(self, digit: Digit) -> None:
        """One position is left of the positions that differ in a digit."""
        axis, m, inner = digit
        n, shift = self.axes[axis], self.shifts[axis]
        window = _merged(n, m, inner, shift)
        if window is None:
            self.give_up(axis)
            return
        self.put(axis, window)
        self.axes[axis], self.shifts[axis] = n // m, 0
        self.slots = [
            slot._replace(
                digits=tuple(
                    d._replace(inner=d.inner // m) if d.axis == axis and largest(d.inner - inner) > 0 else d
                    for d in slot.digits
                )
            )
            for slot in self.slots
        ]

    def done(self, *, carried: bool | None = None) -> tuple[Layout, tuple[Window, ...]]:
        """The layout after the windows, and the windows; POINT if every unit reads its own position."""
        old = self.layout
        if self.unsure:
            self.uncertain()
        layout = Layout(
            tuple(self.axes),
            tuple(slot._replace(digits=simplest(slot.digits, self.axes)) for slot in self.slots),
            tuple(self.shifts),
            old.carried if carried is None else carried,
            self.told,
        )
        return layout, all_windows(self.windows, len(self.axes))


def _whole(window: Window) -> bool:
    return window.whole and window.exact


def all_windows(windows: dict[int, Window], axes: int) -> tuple[Window, ...]:
    """The windows of all axes; POINT if every unit reads its own position."""
    if all(window is ITSELF for window in windows.values()):
        return POINT
    each = [windows.get(axis, ITSELF) for axis in range(axes)]
    return tuple(each[0] if alike(window, each[0]) else window for window in each)  # equal windows are one object


def _same(a: Digit, b: Digit) -> bool:
    """Whether two digits are equal, also on arrays."""
    return all(map(equal, a, b))


def _axes_of(digits: Iterable[Digit]) -> list[int]:
    return list(dict.fromkeys(digit.axis for digit in digits if digit.axis != FREE))


def _merged(n: Int, m: Int, inner: Int, shift: Int) -> Window | None:
    """The window of a position in whose place there were m positions, ``inner`` apart; None if there is no formula."""
    if equal(inner, 1):
        if equal(shift, 0):
            return Window(m, m, over=0)
        if any(map(is_array, (n, m, shift))):
            return None
        return one_by_one([(unit * m - shift, unit * m - shift + m - 1) for unit in range(n // m)], n)
    if any(map(is_array, (n, m, inner, shift))) or shift:
        return None
    if inner * m == n:
        return Window(n - inner + 1, by=inner, over=0)
    if inner > MOST_READS:
        return None
    return in_turn([(unit, (m - 1) * inner + unit) for unit in range(inner)], m * inner, inner)


def grown(slot: Slot, layout_axes: Sequence[Int], shifts: Sequence[Int]) -> tuple[int, Window] | None:
    """The axis of the grid that a slot enlarges, and the window: every position is repeated, as in pixel_shuffle."""
    if len(slot.digits) != 2 or not alike(slot[1:], (0, 0)):
        return None
    outer, inside = slot.digits
    if outer.axis == FREE or inside.axis != FREE or not equal(outer.size, layout_axes[outer.axis]):
        return None
    if not equal(shifts[outer.axis], 0):
        return None
    up = inside.size
    if is_array(up) or up > MOST_READS:
        return outer.axis, Window(up, 1, up - 1, up, exact=False)
    return outer.axis, Window(up, 1, up - 1, up, reads=((0, 0),) * up)
