"""The entries of a flat spec as items that blocks are recovered from, and items as entries of a spec.

An item is a layer, a join with branches, the use of a block, a repeated group, or an entry that stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from archcalc.layers import registry
from archcalc.trees import Tree, tree_of

OPTIONS = ("storage", "weights", "trained")
SLOTS = (
    "out",
    "kernel",
    "stride",
    "pad",
    "dilation",
    "groups",
    "start",
    "stop",
    "after",
    "before",
    "size",
    "scale",
    "heads",
    "p",
)
"""The settings whose numbers may differ between two uses of a block."""

ORDER = ("out", "kernel", "stride", "pad", "dilation", "groups")
"""The first settings of an entry, in their order."""


class Item:
    """An entry. ``sources``: the names that it reads, or None for the entry before it. ``inside``: how many channels reach it.

    ``args`` are the settings of a layer, or of the use of a block. ``branches`` are those of a join.
    """

    def __init__(self, type: str, args: dict[str, Any], name: str, line: int) -> None:
        self.type, self.args, self.name, self.line = type, args, name, line
        self.sources: list[str] | None = None
        self.options: dict[str, Any] = {}
        self.branches: list[list[Item]] | None = None
        self.at = 0
        """The number of the entry in the flat spec; for a join, of the join itself."""
        self.inside = 0
        self.depth = 0
        """The levels of joins inside."""
        self.block = False
        self.times = 1
        self.items: list[Item] = []
        """The items of a repeated group."""
        self.entry: Tree | None = None
        """The entry, if it stays as it is."""
        self.named = False
        """Whether another entry reads this one by its name."""

    @property
    def join(self) -> bool:
        return not self.block and self.entry is None and self.type in registry and registry[self.type].joins

    @property
    def depthwise(self) -> bool:
        """Whether a convolution has a group for each channel."""
        return self.type == "conv" and self.inside > 1 and self.args.get("groups") == self.inside

    def atoms(self) -> Iterator[Item]:
        """The layers inside, in the order in which they run."""
        for branch in self.branches or ():
            for one in branch:
                yield from one.atoms()
        yield self

    def key(self) -> Any:
        """What two uses of one block have in common: everything but the numbers that a block has as parameters."""
        if self.entry is not None or self.items:
            return id(self)
        fixed = tuple((k, repr(v)) for k, v in sorted(self.args.items()) if not slot(self, k))
        slots = tuple(sorted(k for k in self.args if slot(self, k)))
        options = tuple((k, repr(v)) for k, v in sorted(self.options.items()))
        inner = None if self.branches is None else tuple(tuple(one.key() for one in branch) for branch in self.branches)
        return self.type, fixed, slots, options, inner, self.depthwise


def slot(item: Item, key: str) -> bool:
    """Whether a setting is a number that may differ between two uses, and no word."""
    if isinstance(item.args[key], (bool, str)) or item.type == "rearrange":
        return False
    return key in SLOTS or item.block


def item_of(tree: Tree, at: int) -> Item:
    """The item of an entry of a flat spec."""
    entry = tree.value
    kind = next((key for key in entry if key in registry), "")
    if not kind:
        item = Item("", {}, "", tree.line)
        item.entry = tree
        return item
    data = entry[kind].data()
    args = data if isinstance(data, dict) else {} if data is None else {registry[kind].direct: data}
    item = Item(kind, filled(kind, args), entry["name"].text, tree.line)
    item.options = {key: entry[key].data() for key in OPTIONS if key in entry}
    if "from" in entry:
        given = entry["from"]
        item.sources = [one.text for one in given.value] if isinstance(given.value, list) else [given.text]
    item.at = at
    return item


def filled(kind: str, args: dict[str, Any]) -> dict[str, Any]:
    """The settings with the defaults of those whose numbers may differ, so that two uses have the same settings."""
    fields = registry[kind].fields
    extra = {
        k: fields[k].default for k in SLOTS if k in fields and k not in args and isinstance(fields[k].default, int)
    }
    return args | {k: v for k, v in extra.items() if not isinstance(v, bool)}


def names_read(tree: Tree) -> Iterator[str]:
    """Every text in an entry that may be the name of another one."""
    if isinstance(tree.value, dict):
        for child in tree.value.values():
            yield from names_read(child)
    elif isinstance(tree.value, list):
        for child in tree.value:
            yield from names_read(child)
    elif isinstance(tree.value, str):
        yield tree.text


def entry_of(item: Item, keep_names: bool = True) -> Tree:
    """The item as an entry of a spec."""
    if item.entry is not None:
        return item.entry
    if item.items:
        inner = [entry_of(one, keep_names=False) for one in item.items]
        if len(inner) == 1:
            one = inner[0]
            value = dict(one.value) if isinstance(one.value, dict) else {one.value: Tree(None, one.line)}
            return tree_of({**value, "repeat": item.times}, item.line)
        return tree_of({"repeat": item.times, "layers": inner}, item.line)
    order = sorted(item.args, key=lambda k: ORDER.index(k) if k in ORDER else len(ORDER))
    args = {key: item.args[key] for key in order if not is_default(item, key, item.args[key])}
    settings: Any = args or None
    if item.branches is not None:
        branches = zip(branch_names(item), item.branches, strict=True)
        settings = args | {name: [entry_of(one, keep_names=False) for one in branch] for name, branch in branches}
    elif not item.block and registry[item.type].direct and args.keys() == {registry[item.type].direct}:
        settings = args[registry[item.type].direct]
    entry: dict[str, Any] = {item.type: settings}
    if item.named or (keep_names and not item.block and item.branches is None):
        entry["name"] = item.name
    if item.sources is not None:
        entry["from"] = item.sources if len(item.sources) > 1 or item.join else item.sources[0]
    entry |= item.options
    return tree_of(item.type if len(entry) == 1 and settings is None else entry, item.line)


def branch_names(item: Item) -> list[str]:
    """The names of a join's branches: those that its layer type has, and of a sum main and shortcut, which is the shorter one."""
    if registry[item.type].slots:
        return list(registry[item.type].slots)[: len(item.branches or ())]
    sizes = [sum(1 for one in branch for _ in one.atoms()) for branch in item.branches or ()]
    if item.type != "add" or len(sizes) != 2 or sizes[0] == sizes[1]:
        return [f"b{n}" for n in range(1, len(sizes) + 1)]
    return ["main", "shortcut"] if sizes[0] > sizes[1] else ["shortcut", "main"]


def is_default(item: Item, key: str, value: Any) -> bool:
    if item.block:
        return False
    field = registry[item.type].fields.get(key)
    return field is not None and not field.required and repr(field.default) == repr(value)
