"""The receptive field along one axis: through windows, and where paths meet.

Most fields are one line: unit i sees what unit 0 sees, moved by i steps. Behind transposed convolution, upsampling and
uneven pooling units differ, but in turns: unit i + P sees what unit i sees, moved by one step. So a field is a line, and
where units differ also a list of P ranges, its phases. The line is then the narrowest that holds them all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import gcd as gcd_of
from typing import Any, NamedTuple

from archcalc.sizes import (
    MOST_READS,
    Int,
    Span,
    Window,
    ceil_div,
    equal,
    gcd,
    greater,
    is_array,
    largest,
    lesser,
)

SCANNED = 16
"""So many positions of a window are looked at for each phase, on average at most; beyond that a field is a bound."""


class Field(NamedTuple):
    """Unit i sees pixels ``(first + i*step)/per`` to ``(last + i*step)/per`` along one axis.

    With ``phases``, of which there are ``per``, that is a bound, and unit q*per + r sees exactly the pixels
    ``phases[r]``, moved by q*step; () where it sees nothing. ``units`` is the size of the map where it has fewer units
    than there are phases, else 0.
    """

    first: Int = 0
    last: Int = 0
    step: Int = 1
    per: Int = 1
    phases: tuple[Span, ...] = ()
    units: int = 0

    @property
    def size(self) -> Int:
        """Pixels from first to last, of the unit that sees most."""
        if self.phases:
            return max(self._sizes())
        return (self.last - self.first) // self.per + 1

    @property
    def smallest(self) -> Int:
        """Pixels from first to last, of the unit that sees least."""
        return min(self._sizes()) if self.phases else self.size

    def _sizes(self) -> list[int]:
        phases = self.phases[: self.units] if self.units else self.phases
        return [span[1] - span[0] + 1 if span else 0 for span in phases]

    @property
    def start(self) -> Int:
        """The first pixel that output unit 0 sees; negative inside the padding."""
        if self.phases and self.phases[0]:
            return self.phases[0][0]
        return ceil_div(self.first, self.per)

    def of(self, unit: int) -> Span:
        """The first and last pixel that a unit sees; () where it sees none. A bound where the field is one."""
        if not self.phases:
            return ceil_div(self.first + unit * self.step, self.per), (self.last + unit * self.step) // self.per
        turn, phase = divmod(unit, self.per)
        return _moved(self.phases[phase], turn * self.step)

    def on(self, units: Int) -> Field:
        """The field on a map of so many units."""
        if not self.phases:
            return self
        return self._replace(units=units if units < self.per else 0)

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

    def scaled(self, per: Int) -> Field:
        """The same line with its numbers over the multiple ``per`` of its own denominator."""
        k = per // self.per
        return Field(self.first * k, self.last * k, self.step * k, per)


def _moved(span: Span, by: int) -> Span:
    return (span[0] + by, span[1] + by) if span else ()


def in_turns(phases: Sequence[Span], step: int) -> Field:
    """The field of which unit q*P + r sees ``phases[r]`` moved by q*step, P being the number of phases.

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
    seen = [(r, span) for r, span in enumerate(phases) if span]
    first = min((span[0] * per - r * step for r, span in seen), default=0)
    last = max((span[1] * per - r * step for r, span in seen), default=-1)
    return Field(first, last, step, per, tuple(phases))


def _reading(field: Field, window: Window, most: int) -> Field | None:
    """The field behind one more window where outputs or units differ; None where that would take too long, or on arrays.

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
    found: list[Span] = []
    for turn in range(turns):
        for read in reads:
            span = _moved(read, turn * window.stride)
            if not span:
                found.append(())
                continue
            low, high = span
            many = min(apart, (high - low) // by + 1)
            ends = [_unit(phases, step, low + k * by) for k in range(many)]
            firsts = [end[0] for end in ends if end]
            if high > low:
                ends = [_unit(phases, step, high - k * by) for k in range(many)]
            lasts = [end[1] for end in ends if end]
            found.append((min(firsts), max(lasts)) if firsts and lasts else ())
    return in_turns(found, turns * window.stride // per * step)


def _unit(phases: Sequence[Span], step: int, unit: int) -> Span:
    turn, phase = divmod(unit, len(phases))
    return _moved(phases[phase], turn * step)


def _ordered(phases: Sequence[Span], step: int) -> bool:
    """Whether every unit sees something, and no unit begins or ends before the one before it."""
    if len(phases) == 1:
        return bool(phases[0])
    row = (*phases, _moved(phases[0], step))
    return all(a and b and a[0] <= b[0] and a[1] <= b[1] for a, b in pairwise(row))


class AxisField(NamedTuple):
    """The receptive field along one axis: over all paths, and along the path that sees least.

    ``exact`` says that the field over all paths is the hull of the pixels that a unit sees; else it is a bound.
    Padding counts as pixels here, as if the maps went on beyond their borders, and channels are not told apart.
    A whole window is cut to the input. That stays exact where both ``ends`` are above 0: so many units at the start of
    the map are known to read the first pixel, and at its end the last. Where they are not, ``analysis.positions``
    follows what is read, for single sizes.
    A vector that was made from a map has the fields of the map's positions; ``together`` is what all of them see.
    """

    field: Field = Field()
    least: Field = Field()
    exact: bool = True
    ends: tuple[int, int] = (1, 1)
    together: AxisField | None = None

    def through(self, window: Window, pixels: Int, most: int = MOST_READS) -> AxisField:
        """The view behind one more window; with more than ``most`` phases it is a bound."""
        field, least, ends = self.field, self.least, _still_read(self.ends, window)
        exact = self.exact and window.exact
        if window.whole:
            seen = _together(field, window.span, pixels)
            narrow = seen if least is field else _together(least, window.span, pixels)
            return AxisField(seen, narrow, exact and (min(self.ends) > 0 or same_for_all(field)), ends)
        if field.phases or window.reads or least.phases:
            each = _reading(field, window, most) if exact else None
            narrow = each if each and least == field else _reading(least, window, most) or least.through(window)
            return AxisField(each or field.through(window), narrow, each is not None, ends)
        line = field.through(window)
        return AxisField(line, line if least is field else least.through(window), exact, ends)


def _still_read(ends: tuple[int, int], window: Window) -> tuple[int, int]:
    """How many units at each end of a map read the first and the last pixel, by how many positions of the map before do.

    Unit j reads positions from j*stride - before on. It reads one of the first ``head`` if that is below ``head`` and the
    window is not in the padding alone; cells that are ``by`` apart meet every run of so many positions.
    """
    head, tail = ends
    span, stride, before, over, by = window.span, window.stride, window.before, window.over, window.by
    if head <= 0 or tail <= 0 or window.whole or over is None:
        return (1, 1) if head > 0 and tail > 0 and window.reads_both_ends else (0, 0)
    if before >= span or over >= span:
        return (0, 0)
    first = (head - 1 + before) // stride + 1 if head >= by else 1 * (before >= 0 and before % by == 0)
    last = (tail - 1 + over) // stride + 1 if tail >= by else 1 * (over >= 0 and over % by == 0)
    return max(first, 0), max(last, 0)


def _ends(field: Field, units: Int) -> tuple[Int, Int]:
    """The first and last pixel that any of the units sees; the last before the first where that is none."""
    if not field.phases or is_array(units):
        return ceil_div(field.first, field.per), (field.last + (units - 1) * field.step) // field.per
    few = min(units, field.per)
    spans = [field.of(unit) for unit in (*range(few), *range(units - few, units))]
    return min((s[0] for s in spans if s), default=0), max((s[1] for s in spans if s), default=-1)


def same_for_all(field: Field) -> bool:
    """Whether all units see the same."""
    return not is_array(field.step) and field.step == 0 and not field.phases


def _together(field: Field, units: Int, pixels: Int) -> Field:
    """What all of the units see, cut to the input."""
    first, last = _ends(field, units)
    return Field(greater(first, 0), lesser(last, pixels - 1), 0, 1)


def join(views: Iterable[AxisField], pixels: Int, most: int = MOST_READS) -> AxisField:
    """Where paths meet: the hull over them, and beside it the path that sees least."""
    first, *rest = views
    for view in rest:
        if view is not first:
            first = _join(first, view, pixels, most)
    return first


def _join(a: AxisField, b: AxisField, pixels: Int, most: int) -> AxisField:
    f, g, ends = a.field, b.field, (max(a.ends[0], b.ends[0]), max(a.ends[1], b.ends[1]))
    least = _narrower(a.least, b.least)
    if f.phases or g.phases:
        both = _meeting(f, g, most) if a.exact and b.exact else None
        if both is not None:
            return AxisField(both, least, True, ends)
    line = a.exact and b.exact and not (f.phases or g.phases)
    if f.per is not g.per:
        per = f.per // gcd(f.per, g.per) * g.per
        f, g = f.scaled(per), g.scaled(per)
    per = f.per
    hull = Field(lesser(f.first, g.first), greater(f.last, g.last), f.step, per)
    if equal(f.step, g.step):
        return AxisField(hull, least, line, ends)
    # Different steps: no one step describes the hull of both, so the whole input bounds it. It is
    # exactly that where a path that sees everything (a gate) is one of the two.
    everything = any(v.exact and equal(v.field.step, 0) and equal(v.field.size, pixels) for v in (a, b))
    same: Any = f.step == g.step
    if not largest(same):
        return AxisField(Field(0, pixels - 1, 0, 1), least, everything, ends)
    bound = Field(0, (pixels - 1) * per, 0, per)  # an array whose steps agree in some places and not in others
    return AxisField(_mixed(bound, hull, same), least, everything and line, ends)


def _mixed(a: Field, b: Field, which: Any) -> Field:
    """The lines of two fields on arrays: b's where ``which`` is 1, else a's."""
    first, last, step, per = (m + (n - m) * which for m, n in zip(a[:4], b[:4], strict=True))
    return Field(first, last, step, per)


def _narrower(a: Field, b: Field) -> Field:
    """The field of the two that is the smaller."""
    if a is b:
        return a
    narrower = b.size < a.size
    if is_array(narrower):
        return _mixed(a, b, narrower)
    return b if narrower else a


def _meeting(f: Field, g: Field, most: int) -> Field | None:
    """The hull of two fields, unit by unit; None where their units are not as far apart, or where they are too many."""
    a, b = f.of_each(), g.of_each()
    if any(map(is_array, (*f[:4], *g[:4]))):
        return None
    if f.step * len(b) != g.step * len(a):
        return None
    per = len(a) // gcd_of(len(a), len(b)) * len(b)
    if per > most:
        return None
    spans = [(_unit(a, f.step, unit), _unit(b, g.step, unit)) for unit in range(per)]
    return in_turns([_hull(*both) for both in spans], f.step * per // len(a))


def _hull(a: Span, b: Span) -> Span:
    return (min(a[0], b[0]), max(a[1], b[1])) if a and b else a or b
