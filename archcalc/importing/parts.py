"""Parts of a list of items that may be a block: a layer with its normalisation and activation, a join, a module."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from archcalc.importing.bodies import same
from archcalc.importing.items import NO_NAMES, Item, lists_of
from archcalc.layers import registry
from archcalc.layers.activation import Glu

WEIGHTED = ("conv", "conv_transpose", "linear", "conv_table")
NORMS = ("batch_norm", "layer_norm", "group_norm", "instance_norm", "lrn", "layer_scale")


class Part(NamedTuple):
    """A part of a list of items. ``path``: of the module that the part is, or ''. ``names``: what its layers are called inside."""

    items: list[Item]
    unit: list[Item]
    path: str = ""
    names: Mapping[str, str] = {}


def key_of(unit: Sequence[Item], names: Mapping[str, str] = NO_NAMES) -> Any:
    """What two uses of one block have in common. What the first item reads is no part of the block.

    Equal uses of a block one after another are one entry of a body, so where they stand is a part of the key.
    """
    equal = [same(one, two) for some in lists_of([*unit]) for one, two in pairwise(some) if one.block and two.block]
    return unit[0].key(names), *(one.full_key(names) for one in unit[1:]), *equal


def around(path: str) -> list[str]:
    """The paths of the modules around a layer, the innermost one first."""
    parts = path.split(".")
    return [".".join(parts[:n]) for n in range(len(parts) - 1, 0, -1)]


def module_of(item: Item, depth: int) -> str:
    """The path of the module at a depth that all layers of an item belong to; ''."""
    found = {".".join(leaf.path.split(".")[:depth]) for leaf in item.leaves() if leaf.path.count(".") >= depth}
    return found.pop() if len(found) == 1 and all(one.path.count(".") >= depth for one in item.leaves()) else ""


def unit_at(items: Sequence[Item], at: int) -> list[Item]:
    """The unit that begins at a place of a list: a layer with weights, its normalisation and its activation."""
    if not items[at].plain or items[at].type not in WEIGHTED:
        return []
    found = [items[at]]
    for item in items[at + 1 : at + 3]:
        norm = item.type in NORMS and len(found) == 1
        if found[-1].named or not item.plain or item.sources is not None or not (norm or activates(item)):
            break
        found.append(item)
        if not norm:
            break
    return found


def has_sources(items: Sequence[Item]) -> bool:
    """Whether an item in a branch reads another one than the item before it."""
    return any(item.sources is not None or any(has_sources(branch) for branch in item.branches or ()) for item in items)


def activates(item: Item) -> bool:
    layer = registry.get(item.type)
    return layer is not None and not item.block and layer.__module__ == Glu.__module__
