"""The entries of a flat spec as items that blocks are recovered from.

An item is a layer, a join with branches, the use of a block, a repeated group, or an entry that stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from itertools import zip_longest
from types import MappingProxyType
from typing import Any

from archcalc.layers import registry
from archcalc.trees import Tree

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
    "factor",
    "by",
    "block",
    "shift",
)
"""The settings whose numbers may differ between two uses of a block."""
NO_NAMES: Mapping[str, str] = MappingProxyType({})
NUMBER, WHOLE_NUMBER = "size#", r"(?<![\w.])[0-9]+(?![\w.])"
"""The settings that stand for the numbers of a pattern, and how the numbers are found."""
ALIAS, INPUT_OF_BLOCK, MAIN = "layers", "x", "main"
"""An empty group, which gives the input of a block a name; this name; and that of the layer before a sum with this input."""


class Item:
    """An entry. ``sources``: the names that it reads, or None for the entry before it. ``inside``: how many channels reach it.

    ``args`` are the settings of a layer, or of the use of a block. ``branches`` are those of a join.
    """

    def __init__(self, type: str, args: dict[str, Any], name: str, line: int) -> None:
        self.type, self.args, self.name, self.line = type, args, name, line
        self.path = name
        """The name in the imported network; inside a block, layers have other names."""
        self.sources: list[str] | None = None
        self.options: dict[str, Any] = {}
        self.branches: list[list[Item]] | None = None
        self.at = 0
        """The number of the entry in the flat spec; for a join, of the join itself."""
        self.inside = 0
        self.depth = 0
        """The levels of joins inside."""
        self.body: list[Item] | None = None
        """What the use of a block stands for."""
        self.defaults: Mapping[str, Any] = NO_NAMES
        """The defaults of the block's parameters."""
        self.times: Any = 1
        self.turns: list[Item] = []
        """The other uses of a block that the use stands for, if it has several turns."""
        self.items: list[Item] = []
        """The items of a repeated group."""
        self.entry: Tree | None = None
        """The entry, if it stays as it is."""
        self.named = False
        """Whether another entry reads this one by its name."""
        self.optional = self.absent = False
        """Whether some uses of a block lack the item, and whether it stands in one of these."""

    @property
    def block(self) -> bool:
        return self.body is not None

    @property
    def join(self) -> bool:
        return not self.block and self.entry is None and self.type in registry and registry[self.type].joins

    @property
    def plain(self) -> bool:
        """Whether the item is a layer without branches that uses no weights of another one."""
        return (
            self.entry is None and not self.block and not self.items and "weights" not in self.options and not self.join
        )

    @property
    def depthwise(self) -> bool:
        """Whether a convolution has a group for each channel."""
        return self.type == "conv" and self.inside > 1 and self.args.get("groups") == self.inside

    def atoms(self) -> Iterator[Item]:
        """The layers inside, in the order in which they run; the uses of blocks as one."""
        for one in (one for branch in self.branches or () for one in branch):
            yield from one.atoms()
        yield self

    def leaves(self) -> Iterator[Item]:
        """The layers inside, also those of blocks."""
        for one in (one for branch in self.branches or () for one in branch):
            yield from one.leaves()
        if self.body is None:
            if self.type != ALIAS and not self.absent:
                yield self
        else:
            for one in (one for use in (self, *self.turns) for one in use.body or ()):
                yield from one.leaves()

    def key(self, names: Mapping[str, str] = NO_NAMES) -> Any:
        """What two uses of one block have in common: everything but the numbers that a block has as parameters.

        ``names``: what the layers that are read are called inside the block.
        """
        if self.entry is not None or self.items:
            return id(self)
        fixed = tuple((k, _local(v, names)) for k, v in sorted(self.args.items()) if not slot(self, k))
        slots = tuple(sorted(k for k in self.args if slot(self, k)))
        options = tuple((k, _local(v, names)) for k, v in sorted(self.options.items()))
        inner = tuple(tuple(one.full_key(names) for one in branch) for branch in self.branches or ())
        return self.type, fixed, slots, options, inner, self.branches is None, self.depthwise

    def full_key(self, names: Mapping[str, str]) -> Any:
        """The key, with what the item reads by name."""
        return self.key(names), tuple(names.get(source, id(self)) for source in self.sources or ())

    def texts(self) -> Iterator[str]:
        """Every text in the settings and options that may be the name of a layer, or in an entry that stays as it is.

        Layers in a block may use the weights of one outside of the block.
        """
        if self.entry is not None:
            yield from names_read(self.entry)
        options = (value for key, value in self.options.items() if key != "when")
        settings = () if self.block else self.args.values()
        yield from (v for v in (*settings, *options) if isinstance(v, str))
        for one in (one for some in lists_of(self.body or []) for one in some):
            yield from one.texts()


def _local(value: Any, names: Mapping[str, str]) -> str:
    return repr(names.get(value, value) if isinstance(value, str) else value)


def slot(item: Item, key: str) -> bool:
    """Whether a setting is a number that may differ between two uses, and no word."""
    if isinstance(item.args[key], (bool, str)):
        return False
    return key in SLOTS or item.block or key.startswith(NUMBER)


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
    args = args | {k: v for k, v in extra.items() if not isinstance(v, bool)}
    return args | apart(args["pattern"]) if kind == "rearrange" else args


def apart(pattern: str) -> dict[str, Any]:
    """A pattern without its numbers, and the numbers, so that they may differ between two uses."""
    found = re.findall(WHOLE_NUMBER, pattern)
    return {"pattern": re.sub(WHOLE_NUMBER, "#", pattern)} | {f"{NUMBER}{n}": int(one) for n, one in enumerate(found)}


def together(args: Mapping[str, Any]) -> str:
    """The pattern with its numbers, or with expressions in braces in their places."""
    values = (v if isinstance(v, int) else f"{{{v}}}" for k, v in args.items() if k.startswith(NUMBER))
    return "".join(f"{text}{number}" for text, number in zip_longest(args["pattern"].split("#"), values, fillvalue=""))


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


def lists_of(items: list[Item]) -> list[list[Item]]:
    """Every list of items: the branches of the innermost joins first, the layers of the network last."""
    found: list[list[Item]] = []

    def visit(items: list[Item]) -> None:
        for item in items:
            for branch in item.branches or ():
                visit(branch)
        found.append(items)

    visit(items)
    return found


def rename(items: list[Item], names: Mapping[str, str], *, only_reads: bool = False) -> None:
    """Call layers by other names, where they are defined and where they are read. Blocks have names of their own."""
    for item in (one for some in lists_of(items) for one in some):
        if not only_reads:
            item.name = names.get(item.name, item.name)
        if item.sources is not None:
            item.sources = [names.get(name, name) for name in item.sources]
        for held in (item.args, item.options):
            held.update({k: names[v] for k, v in held.items() if isinstance(v, str) and v in names})


def copied(items: Iterable[Item]) -> list[Item]:
    """Copies of items, so that other settings can be written into them."""
    found = [copy(item) for item in items]
    for item in found:
        item.args, item.options = dict(item.args), dict(item.options)
        item.branches = None if item.branches is None else [copied(branch) for branch in item.branches]
    return found


def mark_named(items: list[Item], outputs: Iterable[str] = ()) -> None:
    """Mark the items that others read by their names."""
    every = [one for some in lists_of(items) for one in some]
    read = {*outputs, *(name for one in every for name in (*(one.sources or ()), *one.texts()))}
    for one in every:
        one.named = one.name in read
