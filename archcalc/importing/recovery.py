"""Equal parts of a network, found from the innermost modules outwards: each kind of part is a block."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from archcalc.importing.block_names import CONTAINERS
from archcalc.importing.items import ALIAS, INPUT_OF_BLOCK, NO_NAMES, Item, lists_of, rename
from archcalc.importing.structure import restructured
from archcalc.layers import registry
from archcalc.layers.activation import Glu

WEIGHTED = ("conv", "conv_transpose", "linear", "conv_table")
NORMS = ("batch_norm", "layer_norm", "group_norm", "instance_norm", "lrn", "layer_scale")
FEWEST_UNITS, FEWEST_USES = 3, 2
"""The fewest uses of a block of a layer with its normalisation and activation, and of any other block."""


class Part(NamedTuple):
    """A part of a list of items. ``path``: of the module that the part is, or ''. ``names``: what its layers are called inside."""

    items: list[Item]
    unit: list[Item]
    path: str = ""
    names: Mapping[str, str] = {}


class Recovery:
    """The blocks of a network. ``uses``: the uses of each block. ``modules``: the path of the module that each use is, or ''."""

    def __init__(
        self, items: list[Item], inputs: Iterable[str], outputs: Iterable[str], classes: Mapping[str, str]
    ) -> None:
        self.top, self.inputs, self.outputs = items, [*inputs], [*outputs]
        self.known: dict[Any, str] = {}
        """The blocks by what their uses have in common."""
        self.uses: dict[str, list[Item]] = {}
        self.modules: dict[str, list[str]] = {}
        leaves = [leaf for item in items for leaf in item.leaves()]
        self.sizes = Counter(path for leaf in leaves for path in around(leaf.path))
        self.names = {leaf.name for leaf in leaves}
        self.renamed: dict[str, str] = {}
        """What layers are called that are the last ones of a block."""
        self.classes = classes
        self.by_text: set[str] = set()
        """The layers whose weights, sizes or indices others use."""
        self.deepest = max((leaf.path.count(".") for leaf in leaves), default=0)

    def run(self) -> None:
        self.units()
        for depth in range(self.deepest, -1, -1):
            while self.joins(depth):
                pass
            if depth:
                self.parts(depth)
                for items in lists_of(self.top):
                    restructured(items, self.inputs[0] if items is self.top else "", self.outputs)

    def units(self) -> None:
        """Make blocks of layers with weights, with the normalisation and the activation behind them."""
        self.by_text = {text for items in lists_of(self.top) for one in items for text in one.texts()}
        places: dict[Any, list[Part]] = {}
        for items in lists_of(self.top):
            at = 0
            while at < len(items):
                unit = unit_at(items, at)
                if len(unit) > 1:
                    places.setdefault(key_of(unit), []).append(Part(items, unit))
                at += max(len(unit), 1)
        self.make(places, FEWEST_UNITS)

    def joins(self, depth: int) -> bool:
        """Make blocks of joins with their branches, and of the activation behind them. Whether there are any."""
        places: dict[Any, list[Part]] = {}
        for items in lists_of(self.top):
            for at, item in enumerate(items):
                inner = [one for branch in item.branches or () for one in branch]
                if item.branches is None or item.path.count(".") < depth or any(one.branches for one in inner):
                    continue
                if any(atom.named for one in inner for atom in one.atoms()) or has_sources(inner):
                    continue
                unit = [item]
                behind = items[at + 1] if at + 1 < len(items) else item
                if behind is not item and behind.plain and behind.sources is None and activates(behind):
                    unit += [] if item.named else [behind]
                places.setdefault(key_of(unit), []).append(Part(items, unit))
        return self.make(places, FEWEST_USES)

    def parts(self, depth: int) -> None:
        """Make blocks of the modules at a depth."""
        places: dict[Any, list[Part]] = {}
        readers: dict[str, set[int]] = {name: {0} for name in self.outputs}
        self.by_text = {text for items in lists_of(self.top) for one in items for text in one.texts()}
        for one in (one for items in lists_of(self.top) for one in items):
            for name in (*(one.sources or ()), *one.texts()):
                readers.setdefault(name, set()).add(id(one))
        for items in lists_of(self.top):
            at = 0
            while at < len(items):
                path, end = module_of(items[at], depth), at + 1
                while path and end < len(items) and module_of(items[end], depth) == path:
                    end += 1
                part = self.part(items, at, end, path, readers) if path else None
                if part:
                    places.setdefault(key_of(part.unit, part.names), []).append(part)
                at = end
        self.make(places, FEWEST_USES)

    def part(self, items: list[Item], at: int, end: int, path: str, readers: Mapping[str, set[int]]) -> Part | None:
        """The items of a module, if they are the whole module, and read and are read at their ends alone."""
        count = sum(1 for item in items[at:end] for _ in item.leaves())
        if count != self.sizes[path]:
            return None
        while at < end and items[at].join and items[at].branches is None:
            at += 1
        unit = items[at:end]
        if not unit or (len(unit) == 1 and unit[0].branches is None):
            return None
        kinds = [item.type for item in unit if item.block]
        if self.classes.get(path, "") in CONTAINERS and len(kinds) > 1:
            return None
        every = [one for some in lists_of(unit) for one in some]
        inside, last = {one.name for one in every}, unit[-1]
        ids = {id(one) for one in every}
        start = unit[0].sources[0] if unit[0].sources else items[at - 1].name if at else ""
        names = {name: name for name in self.inputs} | {name: name.removeprefix(f"{path}.") for name in inside}
        if start:
            names[start] = INPUT_OF_BLOCK
        for one in every:
            given = () if one is unit[0] else one.sources or ()
            read = (*given, *(text for text in one.texts() if text in self.names))
            if one.entry is not None or any(name not in names for name in read):
                return None
            if (one is not last or one.name in self.by_text) and not readers.get(one.name, set()) <= ids:
                return None
        return Part(items, unit, path, names)

    def make(self, places: Mapping[Any, Sequence[Part]], fewest: int) -> bool:
        """Make a block of each kind of part that is there often enough, and replace its uses."""
        chosen = {key: parts for key, parts in places.items() if len(parts) >= fewest or key in self.known}
        for key, parts in chosen.items():
            block = self.known.setdefault(key, f"block {len(self.known)}")
            modules = [part.path or self.whole(part.unit) for part in parts]
            self.modules.setdefault(block, []).extend(modules)
            uses = [self.use(block, part, path) for part, path in zip(parts, modules, strict=True)]
            self.uses.setdefault(block, []).extend(uses)
        return bool(chosen)

    def use(self, block: str, part: Part, module: str) -> Item:
        """Replace a part by the use of a block. ``module``: the path of the module that the part is, or ''."""
        items, unit, path = part.items, part.unit, part.path
        names = {self.renamed.get(name, name): inner for name, inner in part.names.items()}
        first, last = unit[0], unit[-1]
        use = Item(block, {}, last.name, first.line)
        use.path, use.sources, use.named = last.path, first.sources, last.named
        use.at, use.inside = first.at, first.inside
        first.sources = None
        place = next(n for n, item in enumerate(items) if item is first)
        items[place : place + len(unit)] = [use]
        if module and module not in self.names and last.name not in self.by_text:
            use.name = module
            self.renamed[last.name] = module
            rename(self.top, {last.name: module}, only_reads=True)
            self.outputs = [module if name == last.name else name for name in self.outputs]
            self.names.add(module)
        use.body = unit
        if not path:
            every = [one.name for some in lists_of(unit) for one in some]
            common = next((one for one in around(every[0]) if all(name.startswith(f"{one}.") for name in every)), "")
            rename(unit, {name: name.removeprefix(f"{common}.") for name in every})
        else:
            read = {name for some in lists_of(unit) for one in some for name in (*(one.sources or ()), *one.texts())}
            rename(unit, names)
            aliased = [name for name, inner in names.items() if inner == INPUT_OF_BLOCK and name in read]
            if aliased:
                alias = Item(ALIAS, {}, INPUT_OF_BLOCK, first.line)
                alias.inside = first.inside
                unit.insert(0, alias)
        return use

    def whole(self, unit: Sequence[Item]) -> str:
        """The path of the module whose layers are those of a unit; '' if there is none."""
        leaves = [leaf for item in unit for leaf in item.leaves()]
        found = [path for path in around(leaves[0].path) if self.sizes[path] == len(leaves)]
        return next((path for path in found if all(leaf.path.startswith(f"{path}.") for leaf in leaves)), "")


def key_of(unit: Sequence[Item], names: Mapping[str, str] = NO_NAMES) -> Any:
    """What two uses of one block have in common. What the first item reads is no part of the block."""
    return unit[0].key(names), *(one.full_key(names) for one in unit[1:])


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
