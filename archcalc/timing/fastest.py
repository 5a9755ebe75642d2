"""The batch with the most images per second.

The time of an operator is linear in the batch, but for two things: the larger of its limits changes, and a tensor outgrows
the last-level cache. So the time of a network is linear from one such batch to the next, and the images per second are
most at an end of such a piece. A sweep over the ends finds the batch without a look at all batches.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from archcalc.timing.device import Device
from archcalc.timing.limits import Mode, largest_cached, limits, seconds
from archcalc.timing.operators import Operator
from archcalc.timing.time import Time, recorded


class Piece(NamedTuple):
    """From the batch ``first`` to ``last``, an operator takes ``fixed + per_image * batch`` seconds."""

    first: int
    last: int
    fixed: float
    per_image: float


def fastest(time: Time, largest: int) -> int:
    """The batch up to ``largest`` with the most images per second, for the settings of a time. Of equals, the smallest."""
    if largest < 2:
        return 1
    single = Time(time.network, time.device, time.settings._replace(batch=1))
    settings = time.settings._replace(batch=2)
    several = recorded(time.network, settings, time.device.kind)
    each, batch = _least(_pieces(several, time.device, settings.mode, largest))
    return batch if each < single.estimate else 1


def _least(pieces: Iterable[Piece]) -> tuple[float, int]:
    """The fewest seconds for each image, and their batch. The pieces of an operator cover all batches from 2 on."""
    changes: dict[int, list[float]] = {}
    for piece in pieces:
        for at, sign in ((piece.first, 1), (piece.last + 1, -1)):
            change = changes.setdefault(at, [0.0, 0.0])
            change[0] += sign * piece.fixed
            change[1] += sign * piece.per_image
    fixed = per_image = 0.0
    ends = []
    for first, after in pairwise(sorted(changes)):
        fixed += changes[first][0]
        per_image += changes[first][1]
        ends += [(fixed / batch + per_image, batch) for batch in (first, after - 1)]
    return min(ends, default=(float("inf"), 1))


def _pieces(operators: Sequence[Operator], device: Device, mode: Mode, largest: int) -> Iterator[Piece]:
    for one in operators:
        held = {largest_cached(access, device) for access in (*one.reads, *one.writes) if access.per_image}
        first = 2
        for last in [*sorted(batch for batch in held if first <= batch < largest), largest]:
            yield from _between(one, device, mode, first, last)
            first = last + 1


def _between(one: Operator, device: Device, mode: Mode, first: int, last: int) -> Iterator[Piece]:
    """The pieces of an operator between two batches, between which no tensor outgrows the cache."""
    begin, end = (_limits(one, device, mode._replace(batch=batch)) for batch in (first, last))
    if first == last:
        yield Piece(first, last, max(begin[:2]) + begin[2], 0.0)
        return
    lines = []
    for low, high in zip(begin, end, strict=True):
        slope = (high - low) / (last - first)
        lines.append((low - slope * first, slope))
    arithmetic, traffic, always = lines
    turn = last
    if (begin[0] - begin[1]) * (end[0] - end[1]) < 0:  # the larger limit changes, after the batch ``turn``
        turn = min(last - 1, max(first, int((traffic[0] - arithmetic[0]) / (arithmetic[1] - traffic[1]))))
    for start, stop in ((first, turn), (turn + 1, last)):
        if start <= stop:
            middle = (start + stop) / 2
            line = max(arithmetic, traffic, key=lambda line: line[0] + line[1] * middle)
            yield Piece(start, stop, line[0] + always[0], line[1] + always[1])


def _limits(one: Operator, device: Device, mode: Mode) -> list[float]:
    return [seconds(terms, device.constants) for terms in limits(one, device, mode)]
