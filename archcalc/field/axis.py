"""The receptive field along one axis: over all paths, and along the path with the smallest field."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from archcalc.field.field import Field, behind, meeting, mixed, narrower
from archcalc.field.listed import behind_list, meeting_list
from archcalc.sizes import MOST_READS, Int, Window, any_array, equal, gcd, greater, is_array, largest, lesser


class AxisField(NamedTuple):
    """The receptive field along one axis, in pixels of the network input.

    field: over all paths. least: along the path with the smallest field. exact: ``field`` is the range from the first
    to the last pixel that a unit sees. If not exact, ``field`` is a bound: some units may have a smaller field. ends:
    how many units at the start of the map are known to read the first pixel, and how many units at the end of the map
    are known to read the last pixel. together: only for a vector that was made from a map. Each value of such a vector
    has the field of a position of the map, and ``together`` is the field of all values.

    Pixels of the padding count, as if the maps had no border. All channels have the same field. The field of a window
    that takes the whole map is cut to the network input. This field is exact if both ``ends`` are above 0. If not,
    ``field.pixels_read`` follows the positions that are read; this needs single sizes (no arrays).
    """

    field: Field = Field()
    least: Field = Field()
    exact: bool = True
    ends: tuple[int, int] = (1, 1)
    together: AxisField | None = None

    def through(self, window: Window, pixels: Int, most: int = MOST_READS, units: Int = 0) -> AxisField:
        """The field after one more window, on a map of ``units``; a bound if there are more than ``most`` phases."""
        field, least, ends = self.field, self.least, _still_read(self.ends, window)
        exact = self.exact and window.exact
        if window.whole:
            hull = field.hull(window.span, pixels)
            least = hull if least is field else least.hull(window.span, pixels)
            read = min(self.ends) > 0
            some = window.reads_both_ends and (window.exact or read)  # not padding alone
            uncut = equal(hull.first * field.per, field.first) and equal(hull.last * field.per, field.last)
            alike = (field.whole and uncut and some) or (window.exact and read)
            whole = AxisField(hull, least, self.exact and alike, ends)
            single = not any_array((pixels, field[:4], self.least[:4], hull[:4], least[:4]))
            return self if alike and field.whole and single and whole == self else whole
        if field.phases or window.reads or least.phases:
            each = _next(field, window, most, units) if exact else None
            alike = each is not None and least == field
            least = each if each and alike else _next(least, window, most, units) or _bound(least, window, pixels)
            return AxisField(each or _bound(field, window, pixels), least, each is not None, ends)
        line = field.through(window)
        return AxisField(line, line if least is field else least.through(window), exact, ends)

    def on(self, units: Int) -> AxisField:
        """The field on a map of ``units`` units: see ``Field.on``."""
        field, least = self.field.on(units), self.least.on(units)
        return self if field is self.field and least is self.least else self._replace(field=field, least=least)


def _next(field: Field, window: Window, most: int, units: Int) -> Field | None:
    """The field after a window, unit by unit; None if that would take too long."""
    if window.wraps or field.listed:
        return behind_list(field, window, most, units)
    return behind(field, window, most)


def _bound(field: Field, window: Window, pixels: Int) -> Field:
    """A field that contains the field of every unit after a window."""
    if window.wraps or field.listed:
        return field.hull(window.wraps or len(field.phases), pixels)
    return field.through(window)


def _still_read(ends: tuple[int, int], window: Window) -> tuple[int, int]:
    """How many units at each end of a map read the first and the last pixel; ``ends``: these numbers one map earlier.

    The window of unit j starts at position j*stride - before. The unit reads one of the first ``head`` positions if the
    start is below ``head`` and the window does not lie in the padding alone. The cells of the window are ``by``
    positions apart, so ``by`` positions in a row contain a cell.
    """
    head, tail = ends
    span, stride, before, over, by = window.span, window.stride, window.before, window.over, window.by
    if head <= 0 or tail <= 0 or window.whole or over is None or any_array((span, stride)):
        return (1, 1) if head > 0 and tail > 0 and window.reads_both_ends else (0, 0)
    if before >= span or over >= span:
        return (0, 0)
    first = (head - 1 + before) // stride + 1 if head >= by else 1 * (before >= 0 and before % by == 0)
    last = (tail - 1 + over) // stride + 1 if tail >= by else 1 * (over >= 0 and over % by == 0)
    return max(first, 0), max(last, 0)


def join(paths: Iterable[AxisField], pixels: Int, most: int = MOST_READS, units: Int = 0) -> AxisField:
    """The field at a join: from the first to the last pixel over all paths; along the path with the smallest field.

    ``units``: the size of the map; 0 if the size is not known.
    """
    joined, *others = paths
    for path in others:
        if path is not joined:
            joined = _join(joined, path, pixels, most, units)
    return joined


def _join(a: AxisField, b: AxisField, pixels: Int, most: int, units: Int) -> AxisField:
    f, g, ends = a.field, b.field, (max(a.ends[0], b.ends[0]), max(a.ends[1], b.ends[1]))
    least = narrower(a.least, b.least)
    if f.phases or g.phases:
        meet = meeting_list if f.listed or g.listed else meeting
        both = meet(f, g, most) if a.exact and b.exact else None
        if both is not None:
            return AxisField(both, least, True, ends)
    line = a.exact and b.exact and not (f.phases or g.phases)
    if f.per is not g.per:
        per = f.per // gcd(f.per, g.per) * g.per
        f, g = f.over(per), g.over(per)
    per = f.per
    hull = Field(lesser(f.first, g.first), greater(f.last, g.last), f.step, per)
    if line and equal(f.step, g.step):
        return AxisField(hull, least, True, ends)
    # The field is exact if all units of one of the two paths (a gate) see the whole network input.
    alike = (path for path in (a, b) if path.exact and not path.field.phases)
    everything = any(_everything(path.field, pixels) for path in alike)
    if equal(f.step, g.step):
        return AxisField(hull, least, everything, ends)
    # Different steps: no single step describes the field over both paths. So the bound is the whole network input.
    same: Any = f.step == g.step
    if not everything and (a.field.whole or b.field.whole) and not is_array(units) and units:
        whole, other = (a, b) if a.field.whole else (b, a)
        known = not any_array((pixels, whole.field[:4], other.field[:4]))
        if whole.exact and known and _within(whole.field, other.field, units, pixels):
            return AxisField(whole.field, least, True, ends)
    if not largest(same):
        return AxisField(Field(0, pixels - 1, 0, 1), least, everything, ends)
    bound = Field(0, (pixels - 1) * per, 0, per)  # an array in which some steps are equal and others differ
    return AxisField(mixed(bound, hull, same), least, everything and line, ends)


def _everything(field: Field, pixels: Int) -> bool:
    """Whether every unit sees the whole network input, and not as many pixels with some of the padding."""
    first, last, step, per = field[:4]
    return equal(step, 0) and equal(first, 0) and equal(last, (pixels - 1) * per)


def _within(whole: Field, other: Field, units: int, pixels: Int) -> bool:
    """Whether the units of a map see no pixel outside the range that all of them see along another path."""
    hull = other.hull(units, pixels)
    return bool(hull.last < hull.first or (whole.first <= hull.first and hull.last <= whole.last))
