"""The receptive field along one axis, as a line or unit by unit: behind a window, and where two fields meet.

Most fields are one line: unit i sees what unit 0 sees, moved by i steps. Behind transposed convolution, upsampling and
uneven pooling units differ, but in turns: unit i + P sees what unit i sees, moved by one step. So a field is a line, and
where units differ also a list of P ranges, its phases. The line is then the narrowest that holds them all.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import gcd as gcd_of
from typing import Any, NamedTuple

from archcalc.sizes import Int, Span, Window, ceil_div, greater, is_array, lesser

SCANNED = 16
"""The most positions of a window that are looked at for each phase, on average; beyond that a field is a bound."""


class Field(NamedTuple):
    """Unit i sees pixels ``(first + i*step)/per`` to ``(last + i*step)/per`` along one axis.

    With ``phases``, of which there are ``per``, that line is a bound, and unit q*per + r sees exactly the pixels
    ``phases[r]``, moved by q*step; () where the unit sees nothing. ``units`` is the size of the map where the map has
    fewer units than there are phases, else 0.
    """

    first: Int = 0
    last: Int = 0
    step: Int = 1
    per: Int = 1
    phases: tuple[Span, ...] = ()
    units: int = 0

    @property
    def size(self) -> Int:
        """Pixels from first to last, of the unit with the largest field."""
        if self.phases:
            return max(self._sizes())
        return (self.last - self.first) // self.per + 1

    @property
    def smallest(self) -> Int:
        """Pixels from first to last, of the unit with the smallest field."""
        return min(self._sizes()) if self.phases else self.size

    def _sizes(self) -> list[int]:
        phases = self.phases[: self.units] if self.units else self.phases
        return [span[1] - span[0] + 1 if span else 0 for span in phases]

    @property
    def start(self) -> Int:
        """The first pixel of unit 0; negative inside the padding."""
        if self.phases and self.phases[0]:
            return self.phases[0][0]
        return ceil_div(self.first, self.per)

    def of(self, unit: int) -> Span:
        """The first and last pixel of a unit; () where the unit sees none. A bound where the field is a bound."""
        if not self.phases:
            return ceil_div(self.first + unit * self.step, self.per), (self.last + unit * self.step) // self.per
        turn, phase = divmod(unit, self.per)
        return _moved(self.phases[phase], turn * self.step)

    def on(self, units: Int) -> Field:
        """The field on a map of that many units."""
        fewer = units if units < self.per else 0
        return self if not self.phases or fewer == self.units else self._replace(units=fewer)

    def line(self) -> Field:
        """The line alone, a bound where there are phases."""
        return self._replace(phases=(), units=0) if self.phases else self

    def of_each(self) -> tuple[Span, ...]:
        """The phases; a line over whole pixels has one."""
        return self.phases or ((self.first, self.last),)

    def through(self, window: Window) -> Field:
        """The line behind one more window, a bound where units differ."""
        up, step, before = window.up, self.step, window.before
        return Field(
            self.first * up - before * step,
            self.last * up + (window.span - 1 - before) * step,
            step * window.stride,
            self.per * up,
        )

    def over(self, per: Int) -> Field:
        """The same line with its numbers over the denominator ``per``, a multiple of its own."""
        k = per // self.per
        return Field(self.first * k, self.last * k, self.step * k, per)

    @property
    def whole(self) -> bool:
        """Whether every unit has the same field; False on arrays, where that may differ."""
        return not is_array(self.step) and self.step == 0 and not self.phases

    def hull(self, units: Int, pixels: Int) -> Field:
        """The field of all of the units together, cut to an input of that many pixels."""
        first, last = self._ends(units)
        return Field(greater(first, 0), lesser(last, pixels - 1), 0, 1)

    def _ends(self, units: Int) -> tuple[Int, Int]:
        """The first and last pixel of any of the units; the last before the first where no unit sees a pixel."""
        if not self.phases or is_array(units):
            return ceil_div(self.first, self.per), (self.last + (units - 1) * self.step) // self.per
        few = min(units, self.per)
        spans = [self.of(unit) for unit in (*range(few), *range(units - few, units))]
        return min((s[0] for s in spans if s), default=0), max((s[1] for s in spans if s), default=-1)


def _moved(span: Span, by: int) -> Span:
    return (span[0] + by, span[1] + by) if span else ()


def in_turns(phases: Sequence[Span], step: int) -> Field:
    """The field in which unit q*P + r sees ``phases[r]`` moved by q*step, P being the number of phases.

    >>> in_turns([(0, 1), (2, 3)], 4)
    Field(first=0, last=1, step=2, per=1, phases=(), units=0)
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
    """The field behind a window where outputs or units differ; None on arrays, or beyond ``most`` phases.

    Outputs repeat after ``len(reads)``, and units after ``len(phases)``: both together after ``turns`` of the former.
    """
    phases, reads = field.of_each(), window.reads or (window.reading(0),)
    numbers = (*field[:4], window.span, window.stride, window.before, window.by)
    if any(map(is_array, numbers)) or len(phases) != field.per:
        return None
    per, by, step = len(phases), window.by, field.step
    turns = per // gcd_of(per, window.stride)
    apart = 1 if _ordered(phases, step) else per // gcd_of(per, by)  # the positions after which units repeat
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
    """Whether every unit sees something, and no unit begins or ends before the one before it."""
    if len(phases) == 1:
        return bool(phases[0])
    row = (*phases, _moved(phases[0], step))
    return all(a and b and a[0] <= b[0] and a[1] <= b[1] for a, b in pairwise(row))


def mixed(a: Field, b: Field, which: Any) -> Field:
    """The lines of two fields on arrays: b's where ``which`` is 1, else a's."""
    first, last, step, per = (m + (n - m) * which for m, n in zip(a[:4], b[:4], strict=True))
    return Field(first, last, step, per)


def narrower(a: Field, b: Field) -> Field:
    """The smaller one of two fields."""
    if a is b:
        return a
    smaller = b.size < a.size
    if is_array(smaller):
        return mixed(a, b, smaller)
    return b if smaller else a


def meeting(a: Field, b: Field, most: int) -> Field | None:
    """The hull of two fields, unit by unit; None on arrays, where steps differ, or beyond ``most`` phases."""
    ours, theirs = a.of_each(), b.of_each()
    if any(map(is_array, (*a[:4], *b[:4]))):
        return None
    if a.step * len(theirs) != b.step * len(ours):
        return None
    per = len(ours) // gcd_of(len(ours), len(theirs)) * len(theirs)
    if per > most:
        return None
    spans = [_hull(_unit(ours, a.step, unit), _unit(theirs, b.step, unit)) for unit in range(per)]
    return in_turns(spans, a.step * per // len(ours))


def _hull(a: Span, b: Span) -> Span:
    return (min(a[0], b[0]), max(a[1], b[1])) if a and b else a or b
