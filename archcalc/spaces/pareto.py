"""The Pareto set of a table: the rows that no other row beats.

A row beats another if it is at least as good in every objective, and better in one. Equal rows beat neither, so all of them
belong to the set. Values are replaced by their ranks, so that ints beyond float64 are compared exactly.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any, NamedTuple

from archcalc.errors import ArchcalcError, clipped, unknown

Array = Any
"""A NumPy array."""
CELLS = 2**24
"""The number of pairs of rows that are compared at once."""


class Objective(NamedTuple):
    """A column, and whether more of it is better."""

    column: str
    more: bool


def objective(text: str, columns: Sequence[str]) -> Objective:
    """The objective in a text: ``macs`` (less is better) or ``-accuracy`` (more is better), as ``--sort`` orders rows.

    ArchcalcError for an unknown column.

    >>> objective("-accuracy", ["macs", "accuracy"])
    Objective(column='accuracy', more=True)
    """
    name = text.strip()
    if name.startswith("+"):
        raise ArchcalcError(
            f"{clipped(name, 60)}: write {name[1:]} if less is better, and -{name[1:]} if more is better"
        )
    column = name.removeprefix("-").strip() if name not in columns else name
    if column not in columns:
        raise ArchcalcError(unknown("column", column, columns))
    return Objective(column, column != name)


def front(columns: Mapping[str, Sequence[Any]], objectives: Sequence[str]) -> list[int]:
    """The places of the rows that no other row beats, in their order. A row without a value in an objective is left out.

    ArchcalcError for an unknown column and for a column that is not of numbers.

    >>> front({"macs": [1, 2, 2, 3], "params": [5, 4, 4, 4]}, ["macs", "params"])
    [0, 1, 2]
    """
    import numpy as np

    if not objectives:
        raise ArchcalcError("a Pareto set needs objectives, such as macs,params")
    wanted = [objective(text, list(columns)) for text in objectives]
    values = [_numbers(columns[one.column], one.column) for one in wanted]
    rows = np.flatnonzero(np.logical_and.reduce([known for _, known in values]))
    if not len(rows):
        return []
    ranks = []
    for (numbers, _), one in zip(values, wanted, strict=True):
        rank = np.unique(numbers[rows], return_inverse=True)[1].ravel()
        ranks.append(rank.max() - rank if one.more else rank)
    if len(ranks) == 2:
        kept = _of_two(*ranks)
    else:
        order = np.lexsort(ranks[::-1])
        table = np.stack(ranks, axis=1)[order]
        first = np.concatenate([[True], (table[1:] != table[:-1]).any(axis=1)])
        best = _of_three(table[first]) if len(ranks) == 3 else _of_any(table[first])
        kept = np.empty(len(rows), dtype=bool)
        kept[order] = best[np.cumsum(first) - 1]
    found: list[int] = rows[kept].tolist()
    return found


def _numbers(column: Sequence[Any], name: str) -> tuple[Array, Array]:
    """A column as an array of numbers, and where it has one."""
    import numpy as np

    array: Array = column if hasattr(column, "dtype") else np.fromiter(column, dtype=object, count=len(column))
    if array.dtype.kind in "iub":
        return array, np.ones(len(array), dtype=bool)
    if array.dtype.kind == "f":
        return array, ~np.isnan(array)
    values = array.tolist()
    wrong = [value for value in values if value is not None and not isinstance(value, Real)]
    if wrong:
        raise ArchcalcError(f"{name} is no column of numbers: it has {clipped(str(wrong[0]), 60)!r}")
    known = np.array([value is not None and value == value for value in values], dtype=bool)
    return np.fromiter(values, dtype=object, count=len(values)), known


def _of_two(x: Array, y: Array) -> Array:
    """Which rows belong to the set: those with the least y of their x, if it is less than every y of smaller x."""
    import numpy as np

    order = np.lexsort((y, x))
    x, y = x[order], y[order]
    first = np.concatenate([[True], x[1:] != x[:-1]])
    least = y[first]
    better = np.concatenate([[True], least[1:] < np.minimum.accumulate(least)[:-1]])
    group = np.cumsum(first) - 1
    kept = np.empty(len(x), dtype=bool)
    kept[order] = better[group] & (y == least[group])
    return kept


def _of_three(rows: Array) -> Array:
    """Which rows belong to the set; the rows differ, and are sorted.

    Of the rows so far, ``ys`` and ``zs`` are the stairs in the two other objectives: y rises, and z falls. A row is beaten if
    the last stair with a y that is at most its own has a z that is at most its own.
    """
    import numpy as np

    kept, ys, zs = np.zeros(len(rows), dtype=bool), list[int](), list[int]()
    for at, (_, y, z) in enumerate(rows.tolist()):
        place = bisect_right(ys, y)
        if place and zs[place - 1] <= z:
            continue
        kept[at] = True
        first = place - 1 if place and ys[place - 1] == y else place
        while place < len(ys) and zs[place] >= z:
            place += 1
        ys[first:place], zs[first:place] = [y], [z]
    return kept


def _of_any(rows: Array) -> Array:
    """Which rows belong to the set; the rows differ.

    The sum of the ranks of a row is greater than that of a row that beats it. So rows are compared with better sums alone:
    those of the set so far, and those of their block.
    """
    import numpy as np

    order = rows.sum(axis=1).argsort(kind="stable")
    best, places, done = rows[:0], order[:0], 0
    while done < len(order):
        block = order[done : done + max(64, CELLS // max(len(best), 4096))]
        done += len(block)
        for part in np.array_split(best, len(best) * len(block) // CELLS + 1):
            block = block[~_beaten(rows[block], part)]
        block = block[~_beaten(rows[block], rows[block], itself=True)]
        best, places = np.concatenate([best, rows[block]]), np.concatenate([places, block])
    kept = np.zeros(len(rows), dtype=bool)
    kept[places] = True
    return kept


def _beaten(rows: Array, others: Array, itself: bool = False) -> Array:
    """Which rows are beaten by one of the others, which are unlike them, or are the rows themselves."""
    import numpy as np

    beaten = np.ones((len(others), len(rows)), dtype=bool)
    for column in range(rows.shape[1]):
        beaten &= others[:, column, None] <= rows[None, :, column]
    if itself:
        np.fill_diagonal(beaten, False)
    return beaten.any(axis=0)
