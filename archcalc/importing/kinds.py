"""The kinds of blocks of a network. Parts that differ in a few layers or settings are of one kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from archcalc.importing.items import ALIAS, Item, copied
from archcalc.importing.parts import Part
from archcalc.importing.variants import conformed, joined

HEAD = 3
"""The lines of a block without its layers."""
MOST_KINDS = 12
"""The most kinds of blocks with which a new one is compared."""


class Kind:
    """A kind of block. ``form``: every layer that a use may have. ``varied``: whether some uses lack some of them."""

    def __init__(self, form: list[Item]) -> None:
        self.form, self.block, self.count, self.varied = form, "", 0, False

    def pays(self, fewest: int) -> bool:
        """Whether the kind is a block, or is there often enough. A block of blocks alone has to save lines."""
        uses = [item for item in self.form if item.type != ALIAS]
        if all(item.block for item in uses):
            fewest = max(fewest, (len(uses) + HEAD) // (len(uses) - 1) + 1) if len(uses) > 1 else self.count + 1
        return bool(self.block) or self.count >= fewest


class Kinds:
    """All kinds of blocks. ``inside``: the body of a block for a part. ``family``: what parts of one kind have in common.

    ``variants``: whether parts that differ are compared at all.
    """

    def __init__(self, inside: Callable[[Part], list[Item]], family: Callable[[Part], str], variants: bool) -> None:
        self.inside, self.family, self.variants = inside, family, variants
        self.known: dict[Any, Kind] = {}
        """The kinds by the keys of their parts."""
        self.of_family: dict[str, list[Kind]] = {}

    def sort(self, places: Mapping[Any, Sequence[Part]], fewest: int) -> list[Kind]:
        """Find the kind of every part: a known one, one that differs in little, or a new one. The kinds that have grown."""
        grown: dict[int, Kind] = {}
        new: list[tuple[str, Kind]] = []
        for key, parts in sorted(places.items(), key=lambda one: -len(one[1])):
            if key in self.known:
                self.known[key].count += len(parts)
                continue
            part = parts[0]
            body = self.inside(part._replace(unit=copied(part.unit)))
            family = self.family(part)
            kinds = self.of_family.setdefault(family, [])
            rare = len(parts) < fewest
            compared = [one for one in kinds if self.variants and not (rare and unlike(one.form, body))]
            ways = ((one, form) for one in compared if (form := joined(one.form, body)))
            kind, form = next(ways, (Kind(body), None))
            if form:
                kind.form, kind.varied = form, True
                grown[id(kind)] = kind
            elif len(kinds) < MOST_KINDS or len(parts) >= fewest:
                kinds.append(kind)
                new.append((family, kind))
            kind.count += len(parts)
            self.known[key] = kind
        for family, kind in new:
            if not kind.pays(fewest):
                self.of_family[family].remove(kind)
        self.known = {key: kind for key, kind in self.known.items() if kind.pays(fewest)}
        return [kind for kind in grown.values() if kind.pays(fewest)]


def unlike(form: Sequence[Item], body: Sequence[Item]) -> bool:
    """Whether one of two bodies begins with a depthwise convolution."""
    return form[0].depthwise != body[0].depthwise


def conform(uses: Sequence[Item], form: Sequence[Item]) -> None:
    for use in uses:
        use.body = conformed(form, use.body or [])
