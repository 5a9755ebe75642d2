"""What the bodies of all uses of a block have in common, place by place."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence
from copy import copy

from archcalc.importing.items import ALIAS, Item, lists_of, rename


def read_in(items: Sequence[Item]) -> set[str]:
    """The names that the items read."""
    every = (one for some in lists_of([*items]) for one in some)
    return {name for one in every for name in (*(one.sources or ()), *one.texts())}


def collapsed(items: Sequence[Item]) -> list[Item]:
    """The items, with every run of equal uses of a block as its first one, which has the number of turns.

    A run that reads a layer by name, or that another layer reads, stands in a group with a name.
    """
    found = _collapsed(items, read_in(items))
    for first in [item for item in found if item.block]:
        at = next((n for n, item in enumerate(found) if item is first), len(found))
        _name_run(found, at)
    return found


def _name_run(items: list[Item], at: int) -> None:
    """Put the run of a block that begins at a place into a group, if it is read by name, or reads so."""
    read, end = read_in(items), at + 1
    while end < len(items) and _follows(items[end - 1], items[end], read):
        end += 1
    run = items[at:end]
    turns, name = sum(one.times for one in run), re.sub(r"\.[0-9]+$", "", run[-1].name if run else "")
    by_name = [run[0].sources is not None, run[-1].name in read] if run else []
    if not (any(by_name) and (turns > 1 or all(by_name))) or any(one.name == name for one in items):
        return
    group = Item(ALIAS, {}, name, run[0].line)
    group.sources, group.inside, group.branches = run[0].sources, run[0].inside, [[run[0]]]
    run[0].sources, run[0].times = None, turns
    run[0].turns += [turn for one in run[1:] for turn in (one, *one.turns)]
    items[at:end] = [group]
    rename(items, {run[-1].name: name}, only_reads=True)


def _follows(one: Item, other: Item, read: Container[str]) -> bool:
    """Whether an item is the next turn of a run."""
    return other.block and other.sources is None and one.name not in read and same(one, other)


def _collapsed(items: Sequence[Item], read: Container[str]) -> list[Item]:
    found: list[Item] = []
    for item in items:
        item.branches = None if item.branches is None else [_collapsed(branch, read) for branch in item.branches]
        last = found[-1] if found else item
        unread = item is not last and last.name not in read and item.name not in read
        if unread and item.block and item.sources is None is last.sources and same(last, item):
            last.times, last.turns = last.times + 1, [*last.turns, item]
        else:
            found.append(item)
    return found


def same(one: Item, other: Item) -> bool:
    """Whether two items have the same layers with the same settings."""
    if (one.type, one.absent, one.options, repr(one.args)) != (
        other.type,
        other.absent,
        other.options,
        repr(other.args),
    ):
        return False
    lists = [*zip(one.branches or (), other.branches or (), strict=True), (one.body or [], other.body or [])]
    return all(len(a) == len(b) and all(map(same, a, b)) for a, b in lists)


def columns(bodies: Sequence[Sequence[Item]]) -> Iterator[list[Item]]:
    """The items in each place of the bodies of all uses, with those in branches, in one order."""
    for column in zip(*bodies, strict=True):
        real = next((item for item in column if not item.absent), column[0])
        for at in range(len(real.branches or ())):
            yield from columns([(item.branches or [])[at] for item in column])
        yield [*column]


def whole(bodies: Sequence[Sequence[Item]]) -> list[Item]:
    """The body of a block with every layer that one of the uses has."""
    found = []
    for column in zip(*bodies, strict=True):
        real = copy(next((item for item in column if not item.absent), column[0]))
        real.args, real.options = dict(real.args), dict(real.options)
        real.optional = any(item.absent for item in column)
        real.times = max(item.times for item in column if not item.absent)
        real.inside = real.inside if all(item.depthwise == real.depthwise for item in column if not item.absent) else 0
        if real.branches is not None:
            real.branches = [whole([(item.branches or [])[at] for item in column]) for at in range(len(real.branches))]
        found.append(real)
    return found
