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


def says_nothing(values: Sequence[float], heads: int) -> bool:
    """Whether every head has one number alone, which is in a table of any size."""
    count = len(values) // heads
    return all(len(set(values[head * count : (head + 1) * count])) == 1 for head in range(heads))


def grid_of(values: Sequence[float], heads: int, queries: int, keys: int) -> tuple[int, int, int] | None:
    """The height and width of the keys' map, and the step between queries on it, where numbers depend on how many rows
    and columns lie between query and key, in both directions alike; None if they do not."""
    for height, width in _sides(keys):
        for step in range(1, max(height, width)):
            if -(-height // step) * -(-width // step) == queries and _alike(values, heads, height, width, step):
                return height, width, step
    return None


def places(height: int, width: int, step: int) -> list[int]:
    """For every pair of a query and a key, the place of its number in the table of ``grid_of``: row by row."""
    rows, columns = range(height), range(width)
    return [
        abs(y - b) * width + abs(x - a) for y in rows[::step] for x in columns[::step] for b in rows for a in columns
    ]


def _alike(values: Sequence[float], heads: int, height: int, width: int, step: int) -> bool:
    known: dict[tuple[int, int], float] = {}
    pairs = ((head, place) for head in range(heads) for place in places(height, width, step))
    return all(known.setdefault(pair, value) == value for pair, value in zip(pairs, values, strict=True))


def _sides(positions: int) -> list[tuple[int, int]]:
    """The sides of a map of so many positions, of two rows and columns at least; those of a square first."""
    side = isqrt(positions)
    heights = sorted((n for n in range(2, positions // 2 + 1) if positions % n == 0), key=lambda n: abs(n - side))
    return [(n, positions // n) for n in heights]


def window_of(values: Sequence[float], heads: int, positions: int) -> tuple[int, int] | None:
    """The height and width of a window in which equal distances have equal numbers; None if there is none.

    A square window is tried first. A window of one row or column would have such numbers too, and says nothing. Nor do
    numbers that are the same in both directions: they have a smaller table.
    """
    if all(
        values[(head * positions + a) * positions + b] == values[(head * positions + b) * positions + a]
        for head in range(heads)
        for a in range(positions)
        for b in range(a)
    ):
        return None
    return next((sides for sides in _sides(positions) if _by_distance(values, heads, *sides)), None)


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
