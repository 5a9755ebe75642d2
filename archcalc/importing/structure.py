"""Branches of joins, recovered from a flat list of layers.

A join reads several layers by name. Where every path back from the join ends at the same layer, and no other entry reads
a layer on these paths, the paths become the branches of the join. The order in which the layers run stays.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from archcalc.importing.items import Item, item_of, lists_of, mark_named
from archcalc.named_inputs import INPUT
from archcalc.trees import Tree

DEEPEST = 8
"""The most levels of joins in branches of joins."""


def structured(
    entries: Sequence[Tree], channels: Mapping[str, int], first: str = INPUT, outputs: Iterable[str] = ()
) -> list[Item]:
    """The items of a flat list of entries, with branches.

    ``channels``: how many reach a layer, by its name. ``outputs``: the layers that the network names as its outputs.
    """
    items = [item_of(tree, at) for at, tree in enumerate(entries)]
    before = first
    for item in items:
        item.inside = channels.get(item.name, 0)
        if item.sources is None and item.entry is None:
            item.sources = [before]
        before = item.name or before
    return _Collapsing(items, first, outputs).result()


def restructured(items: list[Item], first: str, outputs: Iterable[str]) -> None:
    """Find the branches of joins in a list in which blocks have taken the place of layers."""
    before, at = first, 0
    for item in items:
        if item.sources is None and item.entry is None:
            item.sources = [before]
        before = item.name or before
        for atom in item.atoms():
            atom.at, at = at, at + 1
    items[:] = _Collapsing(items, first, outputs).result()
    mark_named(items, outputs)


class _Collapsing:
    def __init__(self, items: list[Item], first: str, outputs: Iterable[str]) -> None:
        self.first = first
        self.items = items
        self.by_name = {item.name: item for item in items if item.name}
        every = [one for some in lists_of(items) for one in some]
        self.readers = Counter(source for item in every for source in item.sources or ())
        self.texts = {name for name in outputs if name in self.by_name}
        """The names that entries read which stay as they are, that settings and options hold, and of outputs."""
        for item in every:
            self.texts.update(name for name in item.texts() if name in self.by_name)
        self.readers.update(dict.fromkeys(self.texts, 2))
        self.inside: set[int] = set()

    def result(self) -> list[Item]:
        for item in self.items:
            if item.join and item.branches is None and len(item.sources or ()) > 1:
                self.collapse(item)
        left = [item for item in self.items if id(item) not in self.inside]
        self.settle(left)
        return left

    def collapse(self, join: Item) -> None:
        """Make the paths to the join its branches, if they begin at one layer and run one after the other."""
        paths = [self.path(source) for source in join.sources or ()]
        starts = {start for start, _ in paths}
        if len(starts) != 1 or not any(path for _, path in paths):
            return
        depth = 1 + max(item.depth for _, path in paths for item in path)
        if depth > DEEPEST:
            return
        start = starts.pop()
        order = [atom.at for _, path in paths for item in path for atom in item.atoms()]
        at = self.by_name[start].at + 1 if start in self.by_name else 0
        if order != sorted(order) or len(order) != len(set(order)):
            return
        if order[-1] - order[0] != len(order) - 1 or order[-1] != join.at - 1 or order[0] < at:
            return
        join.depth = depth
        join.branches = [path for _, path in paths]
        for _, path in paths:
            for n, item in enumerate(path):
                self.inside.add(id(item))
                item.sources = None if n or item.sources == [start] else item.sources
        join.sources = [start]
        join.inside = next(path[0].inside for _, path in paths if path)
        self.readers[start] -= len(paths) - 1

    def path(self, name: str) -> tuple[str, list[Item]]:
        """The layers back from ``name`` that nothing else reads, in their order, and the layer that they begin at."""
        found: list[Item] = []
        while self.readers[name] == 1 and name in self.by_name:
            item = self.by_name[name]
            if item.sources is None or len(item.sources) != 1 or item.entry is not None:
                break
            found.insert(0, item)
            name = item.sources[0]
        return name, found

    def settle(self, items: Sequence[Item]) -> None:
        """Leave out the source of an item that reads the item before it, and mark the items that others read by name."""
        before = self.first
        for item in items:
            if item.sources == [before] and (item.branches is not None or not item.join):
                item.sources = None
            for source in item.sources or ():
                if source in self.by_name:
                    self.by_name[source].named = True
            before = item.name or before
        for name in self.texts:
            self.by_name[name].named = True
