"""What a file holds for every pair of positions of attention: a mask, or a bias that a model trains for every distance."""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt

HIDDEN = -10
"""What is added to a score that is hidden is this or less."""


def is_mask(values: Sequence[float]) -> bool:
    """Whether numbers hide some pairs of positions, and keep all others."""
    kinds = set(values)
    return len(kinds) == 2 and max(kinds) == 0 and min(kinds) <= HIDDEN


def window_of(values: Sequence[float], heads: int, positions: int) -> tuple[int, int] | None:
    """The height and width of a window in which equal distances have equal numbers; None if there is none.

    A square window is tried first. A window of one row or column would have such numbers too, and says nothing. Nor do
    numbers that are the same in both directions: they have a smaller table.
    """
    if len(set(values)) > heads and all(
        values[(head * positions + a) * positions + b] == values[(head * positions + b) * positions + a]
        for head in range(heads)
        for a in range(positions)
        for b in range(a)
    ):
        return None
    side = isqrt(positions)
    heights = sorted((n for n in range(2, positions // 2 + 1) if positions % n == 0), key=lambda n: abs(n - side))
    return next(
        ((n, positions // n) for n in heights if _by_distance(values, heads, n, positions // n)),
        None,
    )


def _by_distance(values: Sequence[float], heads: int, height: int, width: int) -> bool:
    count = height * width
    known: dict[tuple[int, int, int], float] = {}
    at = 0
    for head in range(heads):
        for query in range(count):
            for key in range(count):
                distance = (head, query // width - key // width, query % width - key % width)
                if known.setdefault(distance, values[at]) != values[at]:
                    return False
                at += 1
    return True
