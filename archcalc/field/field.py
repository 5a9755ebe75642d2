"""The receptive field along one axis, as a line or unit by unit: after a window, and at a join of two fields.

Most fields are one line: the field of unit i is the field of unit 0, moved by i steps. After a transposed convolution,
upsampling or an uneven pooling, units have different fields, but the pattern repeats: the field of unit i + P is the
field of unit i, moved by one step. So a field has a line. If units differ, it also has a list of P ranges, its phases.
Then the line is the narrowest line that contains all phases.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from math import gcd as gcd_of
from typing import Any, NamedTuple

from archcalc.sizes import Int, Span, Window, ceil_div, greater, is_array, lesser, settled

SCANNED = 16
"""The most positions of a window that are examined per phase, on average. If more are needed, the field is a bound."""


class Field(NamedTuple):
    """Unit i sees pixels ``(first + i*step)/per`` to ``(last + i*step)/per`` along one axis.

    If there are ``phases``, their number is ``per``, and this line is a bound. Unit q*per + r sees exactly the pixels
    ``phases[r]``, moved by q*step pixels; (): the unit sees nothing. ``units``: the size of the map if the map has
    fewer units than phases, else 0. ``listed``: the phases are those of all units of one map, and never repeat.
    """

    first: Int = 0
    last: Int = 0
    step: Int = 1
    per: Int = 1
    phases: tuple[Span, ...] = ()
    units: int = 0
    listed: bool = False

    @property
    def size(self) -> Int:
        """Pixels from the first to the last pixel of the largest field of a unit."""
        if self.phases:
            return max(self._sizes())
        pixels = self.last - self.first
        return pixels + 1 if type(self.per) is int and self.per == 1 else pixels // self.per + 1

    @property
    def smallest(self) -> Int:
        """Pixels from the first to the last pixel of the smallest field of a unit."""
        return min(self._sizes()) if self.phases else self.size

    def _sizes(self) -> list[int]:
        phases = self.phases[: self.units] if self.units else self.phases
        return [span[1] - span[0] + 1 if span else 0 for span in phases]

    @property
    def start(self) -> Int:
        """The first pixel of unit 0. Negative: the pixel lies in the padding."""
        if self.phases and self.phases[0]:
            return self.phases[0][0]
        return ceil_div(self.first, self.per)

    def of(self, unit: int) -> Span:
        """The first and last pixel of a unit; () if the unit sees no pixel. A bound if the field is a bound."""
        if not self.phases:
            return ceil_div(self.first + unit * self.step, self.per), (self.last + unit * self.step) // self.per
        turn, phase = divmod(unit, self.per)
        return _moved(self.phases[phase], turn * self.step)

    def on(self, units: Int) -> Field:
        """The field on a map of ``units`` units."""
        if not self.phases:
            return self
        fewer = units if units < self.per else 0
        return self if fewer == self.units else self._replace(units=fewer)

    def line(self) -> Field:
        """The field without its phases. If there were phases, the result is a bound."""
        return self._replace(phases=(), units=0, listed=False) if self.phases else self

    def of_each(self) -> tuple[Span, ...]:
        """The phases; a line without phases gives one range."""
        return self.phases or ((self.first, self.last),)

    def through(self, window: Window) -> Field:
        """The line after one more window; a bound if units have different fields."""
        up, step, before = window.up, self.step, window.before
        return Field(
            self.first * up - before * step,
            self.last * up + (window.span - 1 - before) * step,
            step * window.stride,
            self.per * up,
        )

    def over(self, per: Int) -> Field:
        """The same line with the denominator ``per``, which is a multiple of the line's denominator."""
        k = per // self.per
        return Field(self.first * k, self.last * k, self.step * k, per)

    @property
    def whole(self) -> bool:
        """Whether every unit has the same field; on arrays, of every element."""
        return (self.step == 0) & (not self.phases)

    def hull(self, units: Int, pixels: Int) -> Field:
        """The field of all units together, cut to a network input of ``pixels`` pixels."""
        first, last = self._ends(units)
        return Field(greater(first, 0), lesser(last, pixels - 1), 0, 1)

    def _ends(self, units: Int) -> tuple[Int, Int]:
        """The first and last pixel over all units. If no unit sees a pixel, last is smaller than first."""
        if not self.phases:
            return ceil_div(self.first, self.per), (self.last + (units - 1) * self.step) // self.per
        seen = [(phase, span) for phase, span in enumerate(self.phases) if span]
        first, none = max((span[0] for _, span in seen), default=0), True
        last: Int = min((span[1] for _, span in seen), default=-1)
        for phase, span in seen:
            here = units > phase  # unit ``phase`` has the first pixels of its phase, a unit of the last turn the last
            turn = (units - 1 - phase) // len(self.phases)
            first = mixed_number(first, lesser(first, span[0]), here)
            last = mixed_number(last, greater(last, span[1] + turn * self.step), here)
            none = none & (units <= phase)
        return mixed_number(first, 0, none), mixed_number(last, -1, none)


def _moved(span: Span, by: int) -> Span:
    return (span[0] + by, span[1] + by) if span else ()


def in_turns(phases: Sequence[Span], step: int) -> Field:
    """The field in which unit q*P + r sees ``phases[r]`` moved by q*step pixels. P is the number of phases.

    >>> in_turns([(0, 1), (2, 3)], 4)
    Field(first=0, last=1, step=2, per=1, phases=(), units=0, listed=False)
    """
    for per in range(1, len(phases)):
        if len(phases) % per == 0 and step * per % len(phases) == 0:
            shift = step * per // len(phases)
            if all(_moved(a, shift) == b for a, b in zip(phases, phases[per:], strict=False)):
                phases, step = phases[:per], shift
                break
    if len(phases) == 1 and phases[0]:
        return Field(*phases[0], step)
    per = len(phases)
    ranges = [(r, span) for r, span in enumerate(phases) if span]
    first = min((span[0] * per - r * step for r, span in ranges), default=0)
    last = max((span[1] * per - r * step for r, span in ranges), default=-1)
    return Field(first, last, step, per, tuple(phases))


def behind(field: Field, window: Window, most: int) -> Field | None:
    """The field after a window if outputs or units differ; None on arrays, or if there are more than ``most`` phases.

    The window repeats after ``len(reads)`` outputs, and the field after ``len(phases)`` units. So the result repeats
    after ``turns * len(reads)`` outputs.
    """
    numbers = (*field[:4], window.span, window.stride, window.before, window.by)
    if any(map(is_array, numbers)) or len(field.of_each()) != field.per:
        return None
    return _behind(field, window._replace(over=None, reads_both_ends=True), most)


@lru_cache(maxsize=1024)
def _behind(field: Field, window: Window, most: int) -> Field | None:
    """``behind`` on numbers. The blocks of a network put equal windows on equal fields."""
    phases, reads = field.of_each(), window.reads or (window.reading(0),)
    per, by, step = len(phases), window.by, field.step
    turns = per // gcd_of(per, window.stride)
    apart = (
        1 if _ordered(phases, step) else per // gcd_of(per, by)
    )  # how many cells at each end of a window are examined
    widest = max(((span[1] - span[0]) // by + 1 for span in reads if span), default=0)
    if turns * len(reads) > most or turns * len(reads) * min(apart, widest) > SCANNED * most:
        return None
    spans: list[Span] = []
    for turn in range(turns):
        for read in reads:
            span = _moved(read, turn * window.stride)
            if not span:
                spans.append(())
                continue
            low, high = span
            many = min(apart, (high - low) // by + 1)
            ends = [_unit(phases, step, low + k * by) for k in range(many)]
            firsts = [end[0] for end in ends if end]
            if high > low:
                ends = [_unit(phases, step, high - k * by) for k in range(many)]
            lasts = [end[1] for end in ends if end]
            spans.append((min(firsts), max(lasts)) if firsts and lasts else ())
    return in_turns(spans, turns * window.stride // per * step)


def _unit(phases: Sequence[Span], step: int, unit: int) -> Span:
    turn, phase = divmod(unit, len(phases))
    return _moved(phases[phase], turn * step)


def _ordered(phases: Sequence[Span], step: int) -> bool:
    """Whether every unit sees a pixel, and the first and the last pixel never decrease from unit to unit."""
    if len(phases) == 1:
        return bool(phases[0])
    row = (*phases, _moved(phases[0], step))
    return all(a and b and a[0] <= b[0] and a[1] <= b[1] for a, b in pairwise(row))


def mixed(a: Field, b: Field, which: Any) -> Field:
    """The lines of two fields on arrays: the line of b where ``which`` is 1, else the line of a."""
    first, last, step, per = (mixed_number(m, n, which) for m, n in zip(a[:4], b[:4], strict=True))
    return Field(first, last, step, per)


def mixed_number(m: Int, n: Int, which: Any) -> Int:
    """n where ``which`` is 1, else m."""
    return m if m is n or (type(m) is type(n) is int and m == n) else settled(m + (n - m) * which)


def narrower(a: Field, b: Field) -> Field:
    """The smaller of two fields."""
    if a is b:
        return a
    smaller = settled(b.size < a.size)
    return mixed(a, b, smaller) if is_array(smaller) else b if smaller else a


def meeting(a: Field, b: Field, most: int) -> Field | None:
    """Both fields together, unit by unit; None on arrays, if steps differ, or with more than ``most`` phases."""
    return None if any(map(is_array, (*a[:4], *b[:4]))) else _meeting(a, b, most)


@lru_cache(maxsize=1024)
def _meeting(a: Field, b: Field, most: int) -> Field | None:
    """``meeting`` on numbers."""
    ours, theirs = a.of_each(), b.of_each()
    if a.step * len(theirs) != b.step * len(ours):
        return None
    per = len(ours) // gcd_of(len(ours), len(theirs)) * len(theirs)
    if per > most:
        return None
    spans = [united(_unit(ours, a.step, unit), _unit(theirs, b.step, unit)) for unit in range(per)]
    return in_turns(spans, a.step * per // len(ours))


def united(a: Span, b: Span) -> Span:
    """The range from the first to the last pixel of both."""
    return (min(a[0], b[0]), max(a[1], b[1])) if a and b else a or b
