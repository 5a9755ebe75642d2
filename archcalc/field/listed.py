"""Fields that are a list: a range for every unit of one map, without a pattern that repeats.

Positions on a ring (a rolled map), positions at equal distances over a whole map, and maps that lie side by side give
such fields. Outside the map there are no units, so a list says nothing about them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from archcalc.field.field import SCANNED, Field, united
from archcalc.sizes import Span, Window, ceil_div, is_array


def listed(spans: Sequence[Span]) -> Field:
    """The field of a map whose units see these pixels.

    >>> listed([(0, 3), (1, 2)])
    Field(first=0, last=6, step=0, per=2, phases=((0, 3), (1, 2)), units=0, listed=True)
    """
    if spans[0] and all(span == spans[0] for span in spans):
        return Field(*spans[0], 0)
    per = len(spans)
    first = min((span[0] for span in spans if span), default=0)
    last = max((span[1] for span in spans if span), default=-1)
    return Field(first * per, last * per, 0, per, tuple(spans), listed=True)


def behind_list(field: Field, window: Window, most: int, units: int) -> Field | None:
    """The field after a window, of which the field or the window is a list; None if it would take too long.

    ``units``: the size of the map after the window, 0 if the size is not known.
    """
    many = len(window.reads) if window.wraps else units
    numbers = (*field[:4], window.span, window.stride, window.before, window.by, many)
    if any(map(is_array, numbers)) or not 0 < many <= most or (window.up != 1 and not window.reads):
        return None
    spans: list[Span] = []
    left = SCANNED * most
    for unit in range(many):
        seen: Span = ()
        for low, high in _pieces(window.reading(unit), window, len(field.phases)):
            ends = range(low, high + 1, window.by) if field.phases else (low, high)
            left -= len(ends)
            if left < 0:
                return None
            for position in ends:
                seen = united(seen, field.of(position))
        spans.append(seen)
    return listed(spans)


def meeting_list(a: Field, b: Field, most: int) -> Field | None:
    """Both fields together, of which one is a list; None if that is another map."""
    sizes = {len(one.phases) for one in (a, b) if one.listed}
    if len(sizes) > 1 or max(sizes) > most:
        return None
    return listed([united(a.of(unit), b.of(unit)) for unit in range(sizes.pop())])


def _pieces(span: Span, window: Window, size: int) -> Iterable[tuple[int, int]]:
    """The positions of a map of ``size`` that a unit reads."""
    if not span:
        return []
    if window.wraps:
        return on_ring(span, window.by, window.wraps)
    low, high = span
    low += max(0, ceil_div(-low, window.by)) * window.by
    high -= max(0, ceil_div(high - size + 1, window.by)) * window.by
    return [(low, high)] if low <= high else []


def on_ring(span: Span, by: int, size: int) -> list[tuple[int, int]]:
    """The positions of a span, with numbers modulo ``size``: one range, or a range at each end of the map.

    A span with gaps (``by``) does not go around.
    """
    if not span:
        return []
    low, high = span
    if by == 1 and high - low + 1 >= size:
        return [(0, size - 1)]
    first = low % size
    last = first + high - low
    return [(first, last)] if last < size else [(first, size - 1), (0, last - size)]
