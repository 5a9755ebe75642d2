"""Blocks and repeats, recovered from a flat spec: equal structures become one block, and runs become ``repeat``.

First the branches of joins are recovered (``structure``). Then a layer with weights, its normalisation and its activation
become one block; then joins with their branches. Numbers that differ become parameters (``fitting``). Last, equal
neighbours become one entry with ``repeat``. The text that is written from the result is expanded again and compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from archcalc.importing.fitting import fit
from archcalc.importing.items import Item, entry_of
from archcalc.importing.repeats import repeated
from archcalc.importing.structure import structured
from archcalc.layers import registry
from archcalc.layers.activation import Glu
from archcalc.named_inputs import INPUT
from archcalc.trees import Tree, tree_of

WEIGHTED = ("conv", "conv_transpose", "linear", "conv_table")
NORMS = ("batch_norm", "layer_norm", "group_norm", "instance_norm", "lrn", "layer_scale")
SHORT = {"batch_norm": "norm", "conv_transpose": "up", "leaky_relu": "leaky", "hard_swish": "swish"}
JOINED = {"add": "projection", "concat": "branches", "multiply": "gated", "maximum": "largest", "attention": "attend"}
WITH_IDENTITY = {"add": "residual", "concat": "dense_layer", "multiply": "gate", "attention": "attend"}
"""The name of a block that is a join, and of one with a branch that passes its input on."""
FEWEST_USES = 2


def recovered(tree: Tree, channels: Mapping[str, int]) -> Tree:
    """The spec with blocks and repeats. ``channels``: how many channels reach a layer, by its name."""
    first = INPUT if "input" in tree.value else next(iter(tree.value["inputs"].value))
    items = structured(tree.value["layers"].value, channels, first)
    recovery = _Recovery(items)
    recovery.units()
    recovery.joins()
    items = repeated(items)
    entries = [entry_of(item) for item in items]
    blocks = {name: tree_of(body, 1) for name, body in recovery.blocks.items()}
    parts: dict[str, Any] = {key: value for key, value in tree.value.items() if key != "layers"}
    if blocks:
        parts["blocks"] = tree_of(blocks, 1)
    return tree_of({**parts, "layers": tree_of(entries, 1)}, 1)


class _Recovery:
    def __init__(self, items: list[Item]) -> None:
        self.top = items
        self.blocks: dict[str, dict[str, Any]] = {}

    def lists(self) -> list[list[Item]]:
        """Every list of items: the branches of the innermost joins first, the layers of the network last."""
        found: list[list[Item]] = []

        def visit(items: list[Item]) -> None:
            for item in items:
                for branch in item.branches or ():
                    visit(branch)
            found.append(items)

        visit(self.top)
        return found

    def units(self) -> None:
        """Make blocks of layers with weights, with the normalisation and the activation behind them."""
        places: dict[Any, list[tuple[list[Item], list[Item]]]] = {}
        for items in self.lists():
            at = 0
            while at < len(items):
                unit = self.unit(items, at)
                if len(unit) > 1:
                    places.setdefault(tuple(item.key() for item in unit), []).append((items, unit))
                at += max(len(unit), 1)
        for uses in places.values():
            if len(uses) > FEWEST_USES:
                unit = uses[0][1]
                parts = ["depthwise" if item.depthwise else SHORT.get(item.type, item.type) for item in unit]
                self.make("_".join(parts), uses)

    def unit(self, items: list[Item], at: int) -> list[Item]:
        """The unit that begins at a place of the list."""
        if not plain(items[at]) or items[at].type not in WEIGHTED:
            return []
        found = [items[at]]
        for item in items[at + 1 : at + 3]:
            norm = item.type in NORMS and len(found) == 1
            if found[-1].named or not plain(item) or item.sources is not None or not (norm or activates(item)):
                break
            found.append(item)
            if not norm:
                break
        return found

    def joins(self) -> None:
        """Make blocks of joins with their branches, and of the activation behind them."""
        while True:
            places: dict[Any, list[tuple[list[Item], list[Item]]]] = {}
            for items in self.lists():
                for at, item in enumerate(items):
                    inner = [one for branch in item.branches or () for one in branch]
                    if item.branches is None or any(one.branches is not None for one in inner if ready(one)):
                        continue
                    if any(atom.named for one in inner for atom in one.atoms()) or has_sources(inner):
                        continue
                    unit = [item]
                    behind = items[at + 1] if at + 1 < len(items) else item
                    if behind is not item and plain(behind) and behind.sources is None and activates(behind):
                        unit += [] if item.named else [behind]
                    places.setdefault(tuple(one.key() for one in unit), []).append((items, unit))
            chosen = [uses for uses in places.values() if len(uses) >= FEWEST_USES]
            if not chosen:
                return
            for uses in chosen:
                self.make(join_name(uses[0][1][0]), uses)

    def make(self, name: str, uses: Sequence[tuple[list[Item], list[Item]]]) -> None:
        """Make a block, and replace its uses."""
        base, number = name, 1
        while name in self.blocks or name in registry:
            number += 1
            name = f"{base}{number}"
        body = [deepcopy(item) for item in uses[0][1]]
        found = fit([body, *[unit for _, unit in uses]])
        for values in found.params.values():
            del values[0]
        for at, (items, unit) in enumerate(uses):
            use = Item(name, found.args(at), unit[-1].name, unit[0].line)
            use.block, use.sources, use.named = True, unit[0].sources, unit[-1].named
            use.at, use.inside = unit[0].at, unit[0].inside
            place = next(n for n, item in enumerate(items) if item is unit[0])
            items[place : place + len(unit)] = [use]
        for item in body:
            item.sources, item.named = None, False
        stated = {"params": found.stated()} if found.params else {}
        self.blocks[name] = {**stated, "layers": [entry_of(item, keep_names=False) for item in body]}


def plain(item: Item) -> bool:
    """Whether an item is a layer without branches that uses no weights of another one."""
    return item.entry is None and not item.block and not item.items and "weights" not in item.options and not item.join


def ready(item: Item) -> bool:
    return not item.block


def has_sources(items: Sequence[Item]) -> bool:
    """Whether an item in a branch reads another one than the item before it."""
    return any(item.sources is not None or any(has_sources(branch) for branch in item.branches or ()) for item in items)


def activates(item: Item) -> bool:
    layer = registry.get(item.type)
    return layer is not None and not item.block and layer.__module__ == Glu.__module__


def join_name(join: Item) -> str:
    names = JOINED if all(join.branches or ()) else WITH_IDENTITY
    return names.get(join.type, "join")
