"""Equal parts of a network, found from the innermost modules outwards: each kind of part is a block."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from archcalc.importing.block_names import CONTAINERS
from archcalc.importing.bodies import collapsed
from archcalc.importing.items import ALIAS, INPUT_OF_BLOCK, Item, lists_of, rename
from archcalc.importing.kinds import Kinds, conform
from archcalc.importing.parts import Part, activates, around, has_sources, key_of, module_of, unit_at
from archcalc.importing.structure import restructured

FEWEST_UNITS, FEWEST_USES = 3, 2
"""The fewest uses of a block of a layer with its normalisation and activation, and of any other block."""


class Recovery:
    """The blocks of a network. ``uses``: the uses of each block. ``modules``: the path of the module that each use is, or ''."""

    def __init__(
        self,
        items: list[Item],
        inputs: Iterable[str],
        outputs: Iterable[str],
        classes: Mapping[str, str],
        variants: bool = True,
    ) -> None:
        self.top, self.inputs, self.outputs = items, [*inputs], [*outputs]
        self.kinds = Kinds(self.inside, self.family, variants)
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
                module, dot, _ = item.path.rpartition(".")
                inside = behind.path.startswith(module + dot)
                if behind is not item and inside and behind.plain and behind.sources is None and activates(behind):
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
        """Make a block of each kind of part that is there often enough, and replace its uses. Whether there are any."""
        grown = self.kinds.sort(places, fewest)
        chosen = {key: parts for key, parts in places.items() if key in self.kinds.known}
        for key, parts in chosen.items():
            kind = self.kinds.known[key]
            if not kind.block:
                kind.block = f"block {len(self.uses)}"
                self.uses[kind.block], self.modules[kind.block] = [], []
            modules = [part.path or self.whole(part.unit) for part in parts]
            self.modules[kind.block] += modules
            uses = [self.use(kind.block, part, path) for part, path in zip(parts, modules, strict=True)]
            self.uses[kind.block] += uses
            if kind.varied and kind not in grown:
                conform(uses, kind.form)
        for kind in grown:
            conform(self.uses[kind.block], kind.form)
        return bool(chosen)

    def family(self, part: Part) -> str:
        """What blocks have in common that may become one: the class of the module, or what a unit or join begins with."""
        class_ = self.classes.get(part.path or self.whole(part.unit), "")
        if class_ not in CONTAINERS:
            return class_
        first = part.unit[0]
        alone = first.depthwise and not self.classes  # what no module separates are depthwise and other layers in turn
        return f"{first.type} {first.branches is None} {bool(part.path)} {alone}"

    def inside(self, part: Part) -> list[Item]:
        """The items of a part as the body of a block, with the names that its layers have inside."""
        unit, path = part.unit, part.path
        first = unit[0]
        first.sources = None
        if not path:
            every = [one.name for some in lists_of(unit) for one in some]
            common = next((one for one in around(every[0]) if all(name.startswith(f"{one}.") for name in every)), "")
            rename(unit, {name: name.removeprefix(f"{common}.") for name in every})
            return collapsed(unit)
        names = {self.renamed.get(name, name): inner for name, inner in part.names.items()}
        read = {name for some in lists_of(unit) for one in some for name in (*(one.sources or ()), *one.texts())}
        rename(unit, names)
        if not any(inner == INPUT_OF_BLOCK and name in read for name, inner in names.items()):
            return collapsed(unit)
        alias = Item(ALIAS, {}, INPUT_OF_BLOCK, first.line)
        alias.inside = first.inside
        return [alias, *collapsed(unit)]

    def use(self, block: str, part: Part, module: str) -> Item:
        """Replace a part by the use of a block. ``module``: the path of the module that the part is, or ''."""
        items, unit = part.items, part.unit
        first, last = unit[0], unit[-1]
        use = Item(block, {}, last.name, first.line)
        use.path, use.sources, use.named = last.path, first.sources, last.named
        use.at, use.inside = first.at, first.inside
        place = next(n for n, item in enumerate(items) if item is first)
        items[place : place + len(unit)] = [use]
        use.body = self.inside(part)
        name = use.name
        if module and module not in self.names and name not in self.by_text:
            use.name = module
            self.renamed[name] = module
            rename(self.top, {name: module}, only_reads=True)
            self.outputs = [module if one == name else one for one in self.outputs]
            self.names.add(module)
        return use

    def whole(self, unit: Sequence[Item]) -> str:
        """The path of the module whose layers are those of a unit; '' if there is none."""
        leaves = [leaf for item in unit for leaf in item.leaves()]
        found = [path for path in around(leaves[0].path) if self.sizes[path] == len(leaves)]
        return next((path for path in found if all(leaf.path.startswith(f"{path}.") for leaf in leaves)), "")
