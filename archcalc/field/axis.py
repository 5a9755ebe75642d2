"""The receptive field along one axis over all paths, and along the path with the least: behind a window, and at joins."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from archcalc.field.field import Field, behind, meeting, mixed, narrower
from archcalc.sizes import MOST_READS, Int, Window, equal, gcd, greater, largest, lesser


class AxisField(NamedTuple):
    """The receptive field along one axis, in pixels of the network input.

    field: over all paths. least: along the path with the smallest field. exact: ``field`` is the hull of the pixels that
    a unit sees; else a bound, and some units may see less. ends: how many units at the start of the map are known to
    read the first pixel, and at its end the last. together: for a vector that was made from a map, which has the fields
    of the map's positions, the field of all of its values.

    Padding counts as pixels, as if the maps went on beyond their borders, and channels are not told apart. A whole
    window is cut to the input, which stays exact where both ``ends`` are above 0. Elsewhere ``field.pixels_read`` follows
    the positions that are read, for single sizes.
    """

    field: Field = Field()
    least: Field = Field()
    exact: bool = True
    ends: tuple[int, int] = (1, 1)
    together: AxisField | None = None

    def through(self, window: Window, pixels: Int, most: int = MOST_READS) -> AxisField:
        """The field behind one more window; a bound with more than ``most`` phases."""
        field, least, ends = self.field, self.least, _still_read(self.ends, window)
        exact = self.exact and window.exact
        if window.whole:
            hull = field.hull(window.span, pixels)
            least = hull if least is field else least.hull(window.span, pixels)
            return AxisField(hull, least, exact and (min(self.ends) > 0 or field.whole), ends)
        if field.phases or window.reads or least.phases:
            each = behind(field, window, most) if exact else None
            least = each if each and least == field else behind(least, window, most) or least.through(window)
            return AxisField(each or field.through(window), least, each is not None, ends)
        line = field.through(window)
        return AxisField(line, line if least is field else least.through(window), exact, ends)

    def on(self, units: Int) -> AxisField:
        """The field on a map of that many units: see ``Field.on``."""
        field, least = self.field.on(units), self.least.on(units)
        return self if field is self.field and least is self.least else self._replace(field=field, least=least)


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


def join(paths: Iterable[AxisField], pixels: Int, most: int = MOST_READS) -> AxisField:
    """The field where paths meet: the hull over the paths, and the path with the least."""
    joined, *others = paths
    for path in others:
        if path is not joined:
            joined = _join(joined, path, pixels, most)
    return joined


def _join(a: AxisField, b: AxisField, pixels: Int, most: int) -> AxisField:
    f, g, ends = a.field, b.field, (max(a.ends[0], b.ends[0]), max(a.ends[1], b.ends[1]))
    least = narrower(a.least, b.least)
    if f.phases or g.phases:
        both = meeting(f, g, most) if a.exact and b.exact else None
        if both is not None:
            return AxisField(both, least, True, ends)
    line = a.exact and b.exact and not (f.phases or g.phases)
    if f.per is not g.per:
        per = f.per // gcd(f.per, g.per) * g.per
        f, g = f.over(per), g.over(per)
    per = f.per
    hull = Field(lesser(f.first, g.first), greater(f.last, g.last), f.step, per)
    if equal(f.step, g.step):
        return AxisField(hull, least, line, ends)
    # Different steps: no one step describes the hull of both, so the whole input bounds it. It is
    # exactly that where a path that sees everything (a gate) is one of the two.
    everything = any(path.exact and equal(path.field.step, 0) and equal(path.field.size, pixels) for path in (a, b))
    same: Any = f.step == g.step
    if not largest(same):
        return AxisField(Field(0, pixels - 1, 0, 1), least, everything, ends)
    bound = Field(0, (pixels - 1) * per, 0, per)  # an array whose steps agree in some places and not in others
    return AxisField(mixed(bound, hull, same), least, everything and line, ends)
