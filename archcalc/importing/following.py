"""What changes from turn to turn of a repeat, as an expression of the index ``i``, which counts from 1."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

FEWEST_FOLLOWING = 3
"""The fewest turns whose numbers follow the index."""
MOST_PARTS = 400
"""The most parts that a number is divided into."""


def followed(values: Sequence[Any]) -> Any:
    """What stands for the values of all turns: the value, or an expression of the index; None if there is none."""
    first = values[0]
    if all(repr(value) == repr(first) for value in values):
        return {} if first is None else first
    if len(values) < FEWEST_FOLLOWING or any(isinstance(value, bool) for value in values):
        return None
    if all(isinstance(value, int) for value in values):
        step = values[1] - first
        return _linear(step, first - step) if _counts(values, step) else None
    return _parts(values) if all(isinstance(value, (int, float)) for value in values) else None


def from_first(values: Sequence[Any]) -> str:
    """What stands for a value of the first turn, and one of all others; '' if there are others."""
    first, *others = values
    if not all(isinstance(value, (bool, int)) and repr(value) == repr(others[0]) for value in others):
        return ""
    if isinstance(first, bool):
        return "i == 1" if first else "i > 1"
    return f"{first} if i == 1 else {others[0]}"


def _counts(values: Sequence[int], step: int) -> bool:
    return all(value == values[0] + turn * step for turn, value in enumerate(values))


def _linear(step: int, rest: int) -> str:
    """A number by the index of its turn."""
    product = "i" if abs(step) == 1 else f"{abs(step)} * i"
    if step < 0:
        return f"{rest} - {product}"
    return product if not rest else f"{product} {'+' if rest > 0 else '-'} {abs(rest)}"


def _parts(values: Sequence[float]) -> str | None:
    """Numbers such as 0.2 * 3 / 11, 0.2 * 5 / 11, 0.2 * 7 / 11, exactly, as ``0.2 * (2 * i + 1) / 11``."""
    step = values[1] - values[0]
    if not step or any(abs(b - a - step) > abs(step) / MOST_PARTS for a, b in pairwise(values)):
        return None
    longest = max(len(str(value)) for value in values)
    for parts in range(1, MOST_PARTS):
        for each in range(1, 4):
            whole = float(f"{step * parts / each:.9g}")
            first = round(values[0] * parts / whole) if abs(values[0] * parts / whole) < MOST_PARTS else 0
            if len(str(whole)) < longest - 4 and all(
                value == whole * (first + turn * each) / parts for turn, value in enumerate(values)
            ):
                count = _linear(each, first - each)
                return f"{whole} * {f'({count})' if ' ' in count else count} / {parts}"
    return None


def numbered(names: Sequence[str]) -> str:
    """Names that differ in one number alone, which counts the turns, as one: ``layer{i}``; '' if they do not."""
    for before, first, behind in numbers_of(names[0]):
        if all(name == f"{before}{first + turn}{behind}" for turn, name in enumerate(names)):
            return f"{before}{{{_linear(1, first - 1)}}}{behind}"
    return ""


def numbers_of(name: str) -> list[tuple[str, int, str]]:
    """Every number in a name, with what stands before and behind it."""
    return [
        (name[: found.start()], int(found[0]), name[found.end() :])
        for found in re.finditer(r"(?<![0-9])(0|[1-9][0-9]*)(?![0-9])", name)
        if "{" not in name
    ]


def read_by_turn(sources: Sequence[list[str] | None], names: Mapping[str, tuple[int, int]]) -> list[str] | None:
    """The names that every turn reads, as one list; [] if no turn reads by name, None if the turns have nothing in common.

    ``names``: the place in its turn, and the turn, of every item of the group.
    """
    if all(one is None for one in sources):
        return []
    last = sources[-1]
    if last is None or None in sources:
        return None
    found: list[str] = []
    per_turn: list[list[str]] = [[] for _ in sources]
    at, count = 0, len(sources)
    turns = {place: name for name, place in names.items()}
    while at < len(last):
        place, turn = names.get(last[at], (0, -1))
        if turn < 0:  # outside of the group
            read = [[last[at]] for _ in sources]
            found.append(last[at])
            at += 1
        elif turn == count - 1:  # in the same turn
            read = [[turns[place, n]] for n in range(count)]
            found.append(numbered([one[0] for one in read]))
            at += 1
        else:  # in all turns before
            run = [turns[place, n] for n in range(count - 1)]
            if last[at : at + len(run)] != run:
                return None
            read = [run[:n] for n in range(count)]
            template = numbered([turns[place, n] for n in range(count)])
            found.append(re.sub(r"\{i(.*?)\}", lambda m: f"{{{_first(m[1])}..i - 1{m[1]}}}", template))
            at += len(run)
        for mine, more in zip(per_turn, read, strict=True):
            mine += more
    return found if per_turn == [*sources] and all(found) else None


def _first(rest: str) -> int:
    """The number of the first turn, where ``rest`` stands behind the index: ' - 1' or ' + 3'."""
    return 1 + int(rest.replace(" ", "") or 0)
