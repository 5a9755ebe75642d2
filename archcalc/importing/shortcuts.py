"""Residual blocks whose shortcut runs before the main path, and those without layers in it, as bodies that can be compared.

A sum that reads its shortcut by name reads a group of that name. The group is empty where the shortcut is the input.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import NamedTuple

from archcalc.importing.bodies import read_in
from archcalc.importing.items import ALIAS, INPUT_OF_BLOCK, MAIN, Item, lists_of

SHORTCUT, END = "shortcut", "end"
"""The name of the group, and of its last layer."""


class Place(NamedTuple):
    """Where the shortcut of a body stands: the places of its layers, and of the sum, and what stands behind them reads."""

    start: int
    end: int
    join: int
    source: str


def unrolled(body: Sequence[Item]) -> list[Item] | None:
    """A body that begins with a sum of layers and its own input, with these layers first, and then the sum by names."""
    at = 1 if body and body[0].type == ALIAS else 0
    if len(body) <= at or body[at].type != "add" or body[at].branches is None:
        return None
    join = copy(body[at])
    full = [branch for branch in join.branches or () if branch]
    if len(join.branches or ()) != 2 or len(full) != 1 or join.args:
        return None
    names = [one.name for some in lists_of([*body]) for one in some if one.type != ALIAS]
    read, main = read_in(body), full[0]
    if INPUT_OF_BLOCK in names or any(names.count(name) > 1 for name in read):
        return None
    if main[-1].name not in read and MAIN not in names:
        main[-1].name = MAIN
    if [one.name for one in main].count(main[-1].name) > 1:
        return None
    join.sources = [main[-1].name if branch else INPUT_OF_BLOCK for branch in join.branches or ()]
    join.branches = None
    return [group(INPUT_OF_BLOCK, main[0]), *main, join, *body[at + 1 :]]


def group(name: str, like: Item, items: Sequence[Item] | None = None, *, reads: bool = False) -> Item:
    """A group with a name: of these items, or an empty one. ``reads``: it does not stand behind what it reads."""
    found = Item(ALIAS, {}, name, like.line)
    found.inside = like.inside
    found.branches = None if items is None else [[*items]]
    found.sources = [INPUT_OF_BLOCK] if reads else None
    return found


def place_of(body: Sequence[Item]) -> Place | None:
    """Where the shortcut stands that a sum reads by name; None if there is none before the main path."""
    at = {item.name: n for n, item in enumerate(body)}
    for join, item in enumerate(body):
        if item.type != "add" or item.branches is not None or len(item.sources or ()) != 2:
            continue
        ends = [at.get(name, -1) for name in item.sources or ()]
        if join - 1 not in ends or min(ends) < 0 or body[min(ends)].type == ALIAS:
            continue
        end = start = min(ends)
        while start and body[start].sources is None and body[start - 1].name not in read_in(body):
            start -= 1
        behind = body[end + 1].sources if end + 1 < join else None
        if behind is None or len(behind) != 1:
            return None
        before = body[start - 1] if start else None
        if before is not None and before.type != ALIAS and behind != [before.name]:
            return None
        if (before is None or before.type == ALIAS) and behind != [INPUT_OF_BLOCK]:
            return None
        return Place(start, end, join, behind[0])
    return None


def named(body: Sequence[Item], place: Place) -> list[Item]:
    """The body with its shortcut as a group with a name."""
    inner, join = list(body[place.start : place.end + 1]), copy(body[place.join])
    join.sources = [SHORTCUT if name == inner[-1].name else name for name in join.sources or ()]
    inner[-1].name = END
    head = [] if body[0].type == ALIAS else [group(INPUT_OF_BLOCK, body[0])]
    before, behind = body[: place.start], body[place.end + 1 : place.join]
    if inner[0].sources is None and before and before[-1].type != ALIAS:
        inner[0].sources = [before[-1].name]
    return [
        *head,
        *before,
        group(SHORTCUT, inner[0], inner, reads=place.start > 1 - len(head)),
        *behind,
        join,
        *body[place.join + 1 :],
    ]


def named_like(body: Sequence[Item], form: Sequence[Item]) -> list[Item] | None:
    """A body with a sum of its input, with an empty group where a form has its shortcut."""
    flat = unrolled(body) or [*body]
    at = next((n for n, item in enumerate(form) if item.type == ALIAS and item.name == SHORTCUT), 0)
    join = next((n for n, one in enumerate(flat) if one.type == "add" and INPUT_OF_BLOCK in (one.sources or ())), 0)
    if flat[0].type != ALIAS or not at or at >= join:
        return None
    behind, wanted = flat[at], form[at + 1].sources
    if behind.sources is not None or wanted is None:
        return None
    if wanted != [INPUT_OF_BLOCK]:
        flat[at - 1].name = wanted[0]
    behind.sources = [*wanted]
    sums = next((item for item in form if SHORTCUT in (item.sources or ())), None)
    if sums is None:
        return None
    main = next(name for name in sums.sources or () if name != SHORTCUT)
    flat[join - 1].name = main
    flat[join] = copy(flat[join])
    flat[join].sources = [SHORTCUT if name == INPUT_OF_BLOCK else main for name in flat[join].sources or ()]
    return [*flat[:at], group(SHORTCUT, behind, [], reads=at > 1), *flat[at:]]
