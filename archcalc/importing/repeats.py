"""Runs of a list of items as one item with ``repeat``: equal neighbours, equal groups, and numbers that follow the index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archcalc.importing.items import Item

LONGEST_PERIOD, FEWEST_FOLLOWING = 12, 3
"""The most items of a group that repeats, and the fewest items whose numbers follow the index."""


def repeated(items: list[Item]) -> list[Item]:
    """The items with every run of equal neighbours as one item, and then every run of equal groups of neighbours."""
    return _grouped(_following(_grouped(items, 1)), LONGEST_PERIOD)


def _following(items: list[Item]) -> list[Item]:
    """The items with every run of neighbours as one item whose numbers follow the index: ``out: 16 * i + 48``."""
    found: list[Item] = []
    at = 0
    while at < len(items):
        run = [items[at]]
        while at + len(run) < len(items) and _goes_on(run, items[at + len(run)]):
            run.append(items[at + len(run)])
        if len(run) >= FEWEST_FOLLOWING:
            group, first, second = Item("", {}, "", run[0].line), run[0], run[1]
            steps = {key: second.args[key] - n for key, n in first.args.items() if _differs(first, second, key)}
            first.args |= {key: _follows(step, first.args[key] - step) for key, step in steps.items()}
            group.items, group.times, group.inside = [first], len(run), first.inside
            found.append(group)
        else:
            del run[1:]
            found.append(run[0])
        at += len(run)
    return found


def _goes_on(run: Sequence[Item], item: Item) -> bool:
    """Whether the numbers of an item continue those of a run: each is the same, or differs by the same step."""
    before = run[-1]
    if any(one.named or one.sources is not None or one.items or one.branches is not None for one in (before, item)):
        return False
    if item.entry is not None or before.key() != item.key() or before.args.keys() != item.args.keys():
        return False
    steps = {key: _step(before, item, key) for key in item.args if _differs(before, item, key)}
    if not steps or None in steps.values():
        return False
    return len(run) < 2 or steps == {
        key: _step(run[-2], before, key) for key in item.args if _differs(run[-2], before, key)
    }


def _differs(one: Item, other: Item, key: str) -> bool:
    return repr(one.args[key]) != repr(other.args[key])


def _step(one: Item, other: Item, key: str) -> int | None:
    a, b = one.args[key], other.args[key]
    return b - a if isinstance(a, int) and isinstance(b, int) else None


def _follows(step: int, rest: int) -> str:
    """A number by the index of its turn, which counts from 1."""
    product = "i" if abs(step) == 1 else f"{abs(step)} * i"
    if step < 0:
        return f"{rest} - {product}"
    return product if not rest else f"{product} {'+' if rest > 0 else '-'} {abs(rest)}"


def _grouped(items: list[Item], longest: int) -> list[Item]:
    numbers: dict[Any, int] = {}
    codes = [
        -1 - at if item.named or item.entry is not None else numbers.setdefault(_whole(item, at), len(numbers))
        for at, item in enumerate(items)
    ]
    found: list[Item] = []
    at = 0
    while at < len(items):
        period, times = _run(codes, at, longest)
        if times < 2:
            found.append(items[at])
            at += 1
            continue
        group = Item("", {}, "", items[at].line)
        group.items, group.times, group.inside = items[at : at + period], times, items[at].inside
        found.append(group)
        at += period * times
    return found


def _whole(item: Item, at: int) -> Any:
    """What two equal neighbours have in common: everything."""
    if item.sources is not None:
        return at
    if item.items:
        return item.times, tuple(_whole(one, at) for one in item.items)
    return item.key(), _numbers([item])


def _numbers(items: Sequence[Item]) -> str:
    return repr([(sorted(map(str, one.args.items())), [_numbers(b) for b in one.branches or ()]) for one in items])


def _run(codes: Sequence[int], at: int, longest: int) -> tuple[int, int]:
    """The period and the number of equal groups that begin at a place: those that replace most items."""
    best = (1, 1)
    for period in range(1, min(longest, (len(codes) - at) // 2) + 1):
        times = 1
        while codes[at + times * period : at + (times + 1) * period] == codes[at : at + period]:
            times += 1
        if times > 1 and period * (times - 1) > best[0] * (best[1] - 1):
            best = (period, times)
    return best
