"""Blocks that differ in a few layers or settings, as one block.

The form of a block is a list of items that holds every layer that a use may have. Where a use lacks one, an absent item
stands in the body of the use, so that the bodies of all uses have the same items in the same order.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from archcalc.errors import ArchcalcError
from archcalc.importing.bodies import columns, read_in
from archcalc.importing.items import ALIAS, INPUT_OF_BLOCK, Item, copied, slot
from archcalc.importing.shortcuts import named, named_like, place_of, unrolled
from archcalc.layers import registry

LACKING, DIFFERENT = 10, 3
"""What a layer without a partner costs, and a setting that differs and is no number that every block may have as a parameter."""
MOST_COST, MOST_SHARE = 60, 0.5
"""The highest cost of two bodies that become one block, and its highest part of what all layers of the one would cost."""
LONGEST = 60
"""The most items of a list that is compared."""

INFINITE = float("inf")
Pair = tuple[Item | None, Item | None]


class Alignment(NamedTuple):
    """The cost of two lists of items, and their pairs in order; None in a pair where a list lacks the item."""

    cost: float
    pairs: tuple[Pair, ...]


def joined(form: Sequence[Item], body: Sequence[Item]) -> list[Item] | None:
    """The form of a block for the uses of another body too; None if the two differ in too much."""
    few = max(LACKING * int(MOST_SHARE * max(_weight(form), _weight(body))), DIFFERENT)
    for one, other in _pairs(form, body):
        found = None if one is None or other is None else aligned(one, other)
        if found and found.cost <= min(MOST_COST, few):
            return _united(found.pairs)
    return None


def _pairs(form: Sequence[Item], body: Sequence[Item]) -> Iterator[tuple[Sequence[Item] | None, Sequence[Item] | None]]:
    """A form and a body, in the ways of writing a residual block."""
    yield form, body
    yield unrolled(form), body
    yield form, unrolled(body)
    for one, other in ((form, body), (body, form)):
        place = place_of(one)
        if place:
            first = named(copied(one), place)
            second = named_like(copied(other), first)
            yield (first, second) if one is form else (second, first)
    yield form, named_like(copied(body), form)


def conformed(form: Sequence[Item], body: Sequence[Item]) -> list[Item]:
    """The items of the body of a use, with absent items where the form has more."""
    body = _present(body)
    place = place_of(body)
    ways: list[Callable[[], list[Item] | None]] = [lambda: body, lambda: unrolled(body)]
    ways += [lambda: named(body, place) if place else None, lambda: named_like(body, form)]
    for way in ways:
        items = way()
        found = None if items is None else aligned(form, items)
        if found and all(one for one, _ in found.pairs):
            return _conformed(found.pairs)
    raise ArchcalcError("a use of a block has a layer that its form lacks")


def _united(pairs: Sequence[Pair]) -> list[Item]:
    result = []
    read = read_in([other for _, other in pairs if other])
    for one, other in pairs:
        first = one or other
        assert first is not None
        (item,) = copied([first])
        if one is None or other is None:
            item.optional = item.type != ALIAS
        else:
            item.optional = one.optional or other.optional
            item.name = other.name if other.name in read else one.name
            _fill(item, other)
            item.branches = _in_pairs(one, other, _united)
        result.append(item)
    return result


def _conformed(pairs: Sequence[Pair]) -> list[Item]:
    result = []
    for one, item in pairs:
        assert one is not None
        if item is None:
            result.append(absent(one))
            continue
        item.name = one.name
        _fill(item, one)
        item.branches = _in_pairs(one, item, _conformed)
        result.append(item)
    return result


def _in_pairs(one: Item, other: Item, made: Callable[[Sequence[Pair]], list[Item]]) -> list[list[Item]] | None:
    """What is made of each branch of an item and the same branch of another item. None: they have no branches."""
    if one.branches is None:
        return None
    both = [aligned(mine, more) for mine, more in zip(one.branches, other.branches or (), strict=True)]
    return [made(found.pairs) for found in both if found]


def absent(one: Item) -> Item:
    """What stands for an item in a use that lacks the item. A name for the input of a block is no layer, and stays."""
    (item,) = copied([one])
    if item.type != ALIAS:
        item.absent, item.args, item.options, item.body, item.sources = True, {}, {}, None, None
    item.branches = None if one.branches is None else [[absent(each) for each in branch] for branch in one.branches]
    return item


def _present(body: Sequence[Item]) -> list[Item]:
    found = [item for item in body if not item.absent]
    for item in found:
        item.branches = None if item.branches is None else [_present(branch) for branch in item.branches]
    return found


def _fill(item: Item, other: Item) -> None:
    """State the defaults of the settings that the other item states."""
    if not item.block:
        item.args |= {key: _default(item, key) for key in other.args if key not in item.args}


def _default(item: Item, key: str) -> object:
    field = registry[item.type].fields.get(key)
    return None if field is None or field.required else field.default


def aligned(one: Sequence[Item], other: Sequence[Item]) -> Alignment | None:
    """The pairs of two lists that cost least; None if there are none."""
    if max(len(one), len(other)) > LONGEST:
        return None
    reads = read_in(one), read_in(other)
    lacking_one, lacking_other = _lacking(one, reads[0]), _lacking(other, reads[1])
    best: list[list[tuple[float, int]]] = [[(0.0, 0)] * (len(other) + 1) for _ in range(len(one) + 1)]
    for i in range(len(one), -1, -1):
        for j in range(len(other), -1, -1):
            ways = []
            if i < len(one) and j < len(other):
                ways.append((_distance(one[i], other[j], reads) + best[i + 1][j + 1][0], 0))
            if i < len(one):
                ways.append((lacking_one[i] + best[i + 1][j][0], 1))
            if j < len(other):
                ways.append((lacking_other[j] + best[i][j + 1][0], 2))
            best[i][j] = min(ways, default=(0.0, 0))
    if best[0][0][0] == INFINITE:
        return None
    pairs: list[Pair] = []
    i = j = 0
    while i < len(one) or j < len(other):
        step = best[i][j][1]
        pairs.append((one[i] if step != 2 else None, other[j] if step != 1 else None))
        i, j = i + (step != 2), j + (step != 1)
    return Alignment(best[0][0][0] + LACKING * _replaced(pairs), tuple(pairs))


def _replaced(pairs: Sequence[Pair]) -> int:
    """How many items stand in the place of another one, which is no layer more or less."""
    named = [pair for pair in pairs if any(item and item.type != ALIAS for item in pair)]
    kinds = [None if one and other else bool(one) for one, other in named]
    return sum(1 for a, b in pairwise(kinds) if a is not None and b is not None and a != b)


def _lacking(items: Sequence[Item], read: Container[str]) -> list[float]:
    """What it costs that the other list lacks each item: nothing if the item is optional already."""
    costs: list[float] = []
    for at, item in enumerate(items):
        before = items[at - 1].name if at else ""
        passes = not at or item.sources is None or (item.join and {INPUT_OF_BLOCK, before} == {*item.sources})
        if item.optional or (item.type == ALIAS and item.branches is None):
            costs.append(0)
        elif item.name in read or not passes or item.entry is not None or item.items or item.type == ALIAS:
            costs.append(INFINITE)
        else:
            costs.append(LACKING * _weight([item]))
    return costs


def _weight(items: Sequence[Item]) -> int:
    layers = [item for item in items if item.type != ALIAS and not item.absent]
    return sum(1 + sum(_weight(branch) for branch in item.branches or ()) for item in layers)


def _distance(one: Item, other: Item, reads: tuple[Container[str], Container[str]]) -> float:
    """What it costs that two items are the same layer of a block."""
    same = one.type == other.type and one.sources == other.sources and one.block == other.block
    if not same or one.options != other.options or one.entry is not None or one.items or other.items:
        return INFINITE
    read = one.name in reads[0], other.name in reads[1]
    if (all(read) and one.name != other.name) or (one.optional and read[1]) or (other.optional and read[0]):
        return INFINITE
    if (one.branches is None) != (other.branches is None) or len(one.branches or ()) != len(other.branches or ()):
        return INFINITE
    cost = _layers(one, other) if one.block else _settings(one, other)
    for mine, more in zip(one.branches or (), other.branches or (), strict=True):
        found = aligned(mine, more) if cost < INFINITE else None
        cost += INFINITE if found is None else found.cost
    return cost


def _layers(one: Item, other: Item) -> float:
    """What it costs that two uses of a block differ in the layers that they lack, and in being depthwise or not."""
    pairs = zip(columns([one.body or []]), columns([other.body or []]), strict=True)
    return float(DIFFERENT * sum(a.absent != b.absent or a.depthwise != b.depthwise for (a,), (b,) in pairs))


def _settings(one: Item, other: Item) -> float:
    cost = 0.0
    for key in {*one.args, *other.args}:
        values = [item.args.get(key, _default(item, key)) for item in (one, other)]
        if repr(values[0]) == repr(values[1]):
            continue
        given = [item for item in (one, other) if key in item.args]
        if not all(slot(item, key) for item in given):
            cost += DIFFERENT if all(isinstance(value, (bool, int, float)) for value in values) else INFINITE
        elif len(given) < 2 and not all(isinstance(value, (int, float)) for value in values):
            cost += INFINITE
    return cost
