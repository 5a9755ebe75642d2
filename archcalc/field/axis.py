"""The receptive field along one axis: over all paths, and along the path with the smallest field."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from archcalc.field.field import Field, behind, meeting, mixed, mixed_number, narrower
from archcalc.field.listed import behind_list, meeting_list
from archcalc.sizes import (
    MAX_SIZE,
    MOST_READS,
    Int,
    Window,
    alike,
    any_array,
    gcd,
    greater,
    is_array,
    largest,
    lesser,
    positive,
    settled,
    smallest,
)


class AxisField(NamedTuple):
    """The receptive field along one axis, in pixels of the network input.

    field: over all paths. least: along the path with the smallest field. exact: ``field`` is the range from the first
    to the last pixel that a unit sees. If not exact, ``field`` is a bound: some units may have a smaller field. ends:
    how many units at the start of the map are known to read the first pixel, and how many units at the end of the map
    are known to read the last pixel. some: every unit is known to read a pixel. together: only for a vector that was made
    from a map. Each value of such a vector has the field of a position of the map, and ``together`` is the field of all
    values.

    Pixels of the padding count, as if the maps had no border. All channels have the same field. The field of a window
    that takes the whole map is cut to the network input. This field is exact if both ``ends`` are above 0. If not,
    ``field.pixels_read`` follows the positions that are read.

    On arrays, ``exact`` is an array if elements differ. If units differ, and not in the same turns for all elements, the
    field is a bound.
    """

    field: Field = Field()
    least: Field = Field()
    exact: bool = True
    ends: tuple[Int, Int] = (1, 1)
    together: AxisField | None = None
    some: bool = True

    @property
    def reads_ends(self) -> bool:
        """Whether units are known to read the first and the last pixel; on arrays, of every element."""
        return (self.ends[0] > 0) & (self.ends[1] > 0)

    def through(self, window: Window, pixels: Int, most: int = MOST_READS, units: Int = MAX_SIZE) -> AxisField:
        """The field after one more window, on a map of ``units``; a bound if there are more than ``most`` phases."""
        field, least, ends = self.field, self.least, self._still_read(window, units)
        exact = self.exact & window.exact
        if window.whole:
            hull = field.hull(window.span, pixels)
            least = hull if least is field else least.hull(window.span, pixels)
            read = self.reads_ends
            some = window.reads_both_ends & (window.exact | read)  # not padding alone
            uncut = (hull.first * field.per == field.first) & (hull.last * field.per == field.last)
            same = (field.whole & uncut & some) | (window.exact & read)
            whole = AxisField(hull, least, settled(self.exact & same), ends, some=self._still_some(window, units))
            return self if alike(same & field.whole, True) and alike(whole, self) else whole
        if field.phases or window.reads or least.phases:
            each = _next(field, window, most, units) if largest(exact) else None
            each_least = each if each and alike(least, field) else _next(least, window, most, units)
            known = each is not None and (each_least is not None or not any_array(least[:4]))
            least = each_least or _bound(least, window, pixels)
            return AxisField(each or _bound(field, window, pixels), least, settled(exact & known), ends, some=False)
        line, some = field.through(window), self._still_some(window, units)
        return AxisField(line, line if least is field else least.through(window), exact, ends, some=some)

    def on(self, units: Int) -> AxisField:
        """The field on a map of ``units`` units: see ``Field.on``."""
        field, least = self.field.on(units), self.least.on(units)
        return self if field is self.field and least is self.least else self._replace(field=field, least=least)

    def _still_read(self, window: Window, units: Int) -> tuple[Int, Int]:
        """How many units at each end of the map behind a window read the first and the last pixel.

        The window of unit j starts at position j*stride - before. The unit reads one of the first ``head`` positions if
        the start is below ``head`` and the window does not lie in the padding alone. The cells of the window are ``by``
        positions apart, so ``by`` positions in a row contain a cell.
        """
        over, span, before, by = window.over, window.span, window.before, window.by
        read = self.reads_ends
        if window.whole or over is None:
            some = 1 * (read & window.reads_both_ends)
            return some, some
        read = read & (before < span) & (over < span)
        size = _size(window, units)
        each = []
        for known, outside in zip(self.ends, (before, over), strict=True):
            dense = (by <= known) & (by <= size)
            at_end = (outside >= 0) & (outside % by == 0)
            many = positive((known - 1 + outside) // window.stride + 1) * dense + at_end * (1 - dense)
            each.append(settled(many * read))
        return each[0], each[1]

    def _still_some(self, window: Window, units: Int) -> bool:
        """Whether every unit behind a window is known to read a pixel: no window lies in the padding or in a gap alone."""
        if window.whole:
            read = (self.some & window.reads_both_ends) | (self.reads_ends & window.exact)
        elif window.over is None or window.exact is not True:
            return False
        else:
            read = (window.before < window.span) & (window.over < window.span) & (window.by <= _size(window, units))
            read = read & self.some
        some: bool = settled(read)
        return some


def _size(window: Window, units: Int) -> Int:
    """The size of a map that windows with ``over`` read, given the number of windows."""
    assert window.over is not None
    return (units - 1) * window.stride - window.before + window.span - window.over


def _next(field: Field, window: Window, most: int, units: Int) -> Field | None:
    """The field after a window, unit by unit; None on most arrays, and if that would take too long."""
    if window.reads and all(window.reads) and alike((field.per, field.step), (1, 0)) and not field.phases:
        return field  # every unit has the same field
    if window.wraps or field.listed:
        return behind_list(field, window, most, units)
    return behind(field, window, most)


def _bound(field: Field, window: Window, pixels: Int) -> Field:
    """A field that contains the field of every unit after a window."""
    if window.wraps or field.listed:
        return field.hull(window.wraps or len(field.phases), pixels)
    return field.through(window)


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
    f, g, ends = a.field, b.field, (greater(a.ends[0], b.ends[0]), greater(a.ends[1], b.ends[1]))
    least, some = narrower(a.least, b.least), settled(a.some | b.some)
    if (a.least.phases or b.least.phases) and least is not a.least and least is not b.least:
        a, b = a._replace(exact=False), b._replace(exact=False)  # arrays in which either is the smaller
    if f.phases or g.phases:
        meet = meeting_list if f.listed or g.listed else meeting
        both = meet(f, g, most) if largest(a.exact & b.exact) else None
        if both is not None:
            return AxisField(both, least, settled(a.exact & b.exact), ends, some=some)
    line = a.exact & b.exact & (not (f.phases or g.phases))
    if f.per is not g.per:
        per = f.per // gcd(f.per, g.per) * g.per
        f, g = f.over(per), g.over(per)
    per = f.per
    hull = Field(lesser(f.first, g.first), greater(f.last, g.last), f.step, per)
    same: Any = f.step == g.step
    # The field is exact if all units of one of the two paths (a gate) see the whole network input.
    everything = _everything(a, pixels) | _everything(b, pixels)
    exact = settled((line & same) | everything)
    if smallest(same):
        return AxisField(hull, least, exact, ends, some=some)
    # Different steps: no single step describes the field over both paths. So the bound is the whole network input.
    field = Field(0, pixels - 1, 0, 1)
    if largest(same):  # an array in which some steps are equal and others differ
        field = mixed(Field(0, (pixels - 1) * per, 0, per), hull, same)
    if is_array(units) or units:
        for whole, other in ((a, b), (b, a)):
            inside = whole.exact & whole.field.whole & ((same | everything) ^ True)
            if largest(inside):
                inside = settled(inside & _within(whole.field, other.field, units, pixels))
                field = whole.field if inside is True else mixed(field, whole.field, inside)
                exact = settled(exact | inside)
    return AxisField(field, least, exact, ends, some=some)


def chosen(which: Any, field: AxisField, other: AxisField) -> AxisField:
    """The field ``field`` where ``which`` is 1, else ``other``; a bound where units differ."""
    here: Any = which == 1
    alone, alone_other = (not (one.field.phases or one.least.phases) for one in (field, other))
    exact = (here & field.exact & alone) | ((here ^ True) & other.exact & alone_other)
    head, tail = map(mixed_number, other.ends, field.ends, (which, which))
    together = field.together and other.together and chosen(which, field.together, other.together)
    line, least = mixed(other.field, field.field, which), mixed(other.least, field.least, which)
    return AxisField(line, least, settled(exact), (head, tail), together, settled(field.some & other.some))


def _everything(path: AxisField, pixels: Int) -> bool:
    """Whether every unit sees the whole network input, and not as many pixels with some of the padding."""
    first, last, step, per = path.field[:4]
    return path.exact & (not path.field.phases) & (step == 0) & (first == 0) & (last == (pixels - 1) * per)


def _within(whole: Field, other: Field, units: Int, pixels: Int) -> bool:
    """Whether the units of a map see no pixel outside the range that all of them see along another path."""
    hull = other.hull(units, pixels)
    return (hull.last < hull.first) | ((whole.first <= hull.first) & (hull.last <= whole.last))
