"""Runs of a list of items as one item with ``repeat``: equal groups of neighbours, also with numbers that follow the index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archcalc.importing.fitting import plain
from archcalc.importing.following import followed, from_first, numbered, read_by_turn
from archcalc.importing.items import Item

FEWEST_OF_STAGE = 4
"""The fewest layers of a block whose first turn may have another stride, or a layer more."""
OF_ALL_TURNS, MOST_OF_FIRST = ("out", "kernel", "expand"), 3
"""Arguments that the first block of a stage has in common with the others, and the most that it has not."""
LONGEST_PERIOD = 12
"""The most items of a group that repeats."""


def repeated(items: list[Item]) -> list[Item]:
    """The items with every run of neighbours that repeat as one item, and then every run of groups of neighbours."""
    for item in items:
        if item.branches is not None:
            item.branches = [repeated(branch) for branch in item.branches]
    return _grouped(_grouped(items, 1), LONGEST_PERIOD)


def _grouped(items: list[Item], longest: int) -> list[Item]:
    numbers: dict[Any, int] = {}
    codes = [numbers.setdefault(_shape(item), len(numbers)) for item in items]
    found: list[Item] = []
    at = 0
    while at < len(items):
        group, count = _longest(items, codes, at, longest)
        found.append(group or items[at])
        at += count
    return found


def _longest(items: list[Item], codes: Sequence[int], at: int, longest: int) -> tuple[Item | None, int]:
    """The group that replaces most of the items from a place on, and how many they are."""
    candidates = []
    for period in range(1, min(longest, (len(codes) - at) // 2) + 1):
        times = 1
        while codes[at + times * period : at + (times + 1) * period] == codes[at : at + period]:
            times += 1
        candidates += [(period * (n - 1), -period, n) for n in range(2, times + 1)]
    for saved, period, times in sorted(candidates, reverse=True):
        del saved
        group = _group([items[at + n * -period : at + (n + 1) * -period] for n in range(times)])
        if group:
            return group, times * -period
    return None, 1


def _group(turns: list[list[Item]]) -> Item | None:
    """The turns as one item with ``repeat``; None if they differ in more than numbers that follow the index."""
    names = {item.name: (at, turn) for turn, items in enumerate(turns) for at, item in enumerate(items)}
    found: list[tuple[Item, dict[str, Any], str, list[str] | None]] = []
    for column in zip(*turns, strict=True):
        first = column[0]
        args = _by_turn(column)
        name = numbered([one.name for one in column]) if any(one.named for one in column) else first.name
        sources = read_by_turn([one.sources for one in column], names)
        if args is None or not name or sources is None:
            return None
        found.append((first, args, name, sources or None))
    group = Item("", {}, "", turns[0][0].line)
    group.times, group.inside = len(turns), turns[0][0].inside
    for (item, args, name, sources), *_ in zip(found, strict=True):
        item.args, item.name, item.sources = args, name, sources
        item.named = any(one[name_at].named for one in turns for name_at in [len(group.items)])
        group.items.append(item)
    return group


def _by_turn(column: Sequence[Item]) -> dict[str, Any] | None:
    """What stands for the arguments of all turns; None if they differ in more than numbers that follow the index.

    The first block of a stage may have another stride, and what goes with the stride.
    """
    first = column[0]
    rows = {key: [one.args[key] for one in column] for key in first.args}
    args = {key: followed(values) for key, values in rows.items()}
    others = [key for key, value in args.items() if value is None]
    stage = first.block and sum(1 for _ in first.leaves()) >= FEWEST_OF_STAGE
    if not others or not stage or any(plain(key) in OF_ALL_TURNS for key in others):
        return None if others else args
    args |= {key: from_first(rows[key]) for key in others}
    strided = any(plain(key) == "stride" or isinstance(rows[key][0], bool) for key in others)
    return args if strided and all(args.values()) and len(others) <= MOST_OF_FIRST else None


def _shape(item: Item) -> Any:
    """What the turns of a group have in common: everything but names and numbers."""
    if item.entry is not None or any(one.named for one in item.items):
        return id(item)
    if item.items:
        return item.times, tuple((_shape(one), repr(sorted(one.args.items()))) for one in item.items)
    inner = [[(_shape(one), repr(sorted(one.args.items()))) for one in branch] for branch in item.branches or ()]
    return item.key(), item.times, tuple(sorted(item.args)), repr(inner)
