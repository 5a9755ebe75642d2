"""A network as blocks within blocks, after the dots in its names: what each holds, takes and gives."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import groupby
from typing import NamedTuple

from archcalc.export.module_names import all_written, module_paths
from archcalc.network import Network, Node
from archcalc.pytorch.code import InlineCode, ModuleCode, takes
from archcalc.settings_text import prefixes
from archcalc.sizes import Shape

FLATTEN = "{0}.flatten(1)"
DEEPEST = 3
"""Sequentials are nested so deep, and not deeper."""


class Item(NamedTuple):
    """A layer or block at its place in a block; values are called by the index of the node that makes them.

    ``what`` is None where the module of that name, which an item before it made, is used again.
    ``shape`` is that of its first output; None for what a layer makes for itself.
    """

    name: str
    what: ModuleCode | InlineCode | ModuleOutline | None
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    side: bool
    shape: Shape | None


class ModuleOutline:
    """A block of the model: the items it runs, in order, the values it takes and those it gives.

    ``kind`` is the block of the spec that it is, if it is one. An item's name has dots where it lies in a
    namespace: a block that holds modules, but does not run in one piece. ``ties`` are the pairs of a module
    that differs from another but for the parameters, and that other.
    """

    def __init__(self, path: str, kind: str, items: list[Item], given: Sequence[int], ties: list[tuple[str, str]]):
        self.path, self.kind, self.items, self.outputs, self.ties = path, kind, items, tuple(given), ties
        made = {value for item in items for value in item.outputs}
        self.inputs = tuple(dict.fromkeys(v for item in items for v in item.inputs if v not in made))
        modules = [item.name for item in items if not isinstance(item.what, InlineCode)]
        self.namespaces = list(dict.fromkeys(prefix for name in modules for prefix in prefixes(name)))

    @property
    def side(self) -> bool:
        """Whether all of it runs in training only."""
        return all(item.side for item in self.items)

    @cached_property
    def uses(self) -> dict[int, int]:
        """How often each value is used inside, and given."""
        found = dict.fromkeys(self.inputs, 0)
        for values in (*(item.inputs for item in self.items), self.outputs):
            for value in values:
                found[value] = found.get(value, 0) + 1
        return found

    @cached_property
    def chain(self) -> bool:
        """Whether it is modules one after another, and so a Sequential."""
        if self.ties or self.namespaces or len(self.inputs) != 1 or not self.items:
            return False
        value = self.inputs[0]
        for item in self.items:
            module = isinstance(item.what, ModuleCode | ModuleOutline) or (
                isinstance(item.what, InlineCode) and item.what.text == FLATTEN and "." not in item.name
            )
            if not module or item.inputs != (value,) or len(item.outputs) != 1 or self.uses[value] != 1:
                return False
            value = item.outputs[0]
        return self.outputs == (value,) and self.uses[value] == 1

    @cached_property
    def inline(self) -> bool:
        """Whether it is written as a Sequential inside the block around it: branches, groups, runs of blocks."""
        plain = not self.kind or all(isinstance(item.what, ModuleOutline) for item in self.items)
        return self.chain and plain and self.height <= DEEPEST

    @cached_property
    def height(self) -> int:
        """How deep Sequentials are nested where it is one."""
        inner = [item.what for item in self.items if isinstance(item.what, ModuleOutline)]
        return 1 + max((block.height for block in inner if block.inline), default=0)


def outline(network: Network) -> tuple[ModuleOutline, list[int], list[int]]:
    """The whole network as a block, the values that it returns, and those of side heads beside them."""
    made = _Outline(network)
    root = made.block("", made.nodes)
    root.inputs = (0,)
    return root, made.main, made.sides


class _Outline:
    def __init__(self, network: Network) -> None:
        self.network = network
        self.paths, blocks = module_paths(network)
        self.kinds = {blocks[name]: kind for name, kind in network.blocks.items() if name in blocks}
        nodes = network.running()
        self.how = all_written(network, nodes)
        self.same = {0: 0}
        for node in nodes:
            how = self.how[node.index].layer
            nothing = isinstance(how, InlineCode) and how.text == "{0}" and not self.how[node.index].before
            self.same[node.index] = self.same[node.inputs[0]] if nothing else node.index
        returned = [self.same[i] for i in network.results()]
        self.main, self.sides = returned[: len(network.outputs)], returned[len(network.outputs) :]
        self.nodes = self.needed(nodes)
        self.at = {node.index: at for at, node in enumerate(self.nodes)}
        self.last = dict.fromkeys(returned, len(self.nodes))
        for node in self.nodes:
            for value in self.inputs(node):
                self.last[value] = max(self.last.get(value, 0), self.at[node.index])
        self.own = 0
        """The last number of a value that no node makes; they are below 0."""
        self.owners: dict[int, int] = {}
        self.ties: dict[str, list[tuple[str, str]]] = {}
        self.closed = self.in_one_piece()

    def inputs(self, node: Node) -> tuple[int, ...]:
        return tuple(self.same[i] for i in node.inputs)

    def needed(self, nodes: list[Node]) -> list[Node]:
        """The nodes without those that do nothing, and without expressions that nothing uses."""
        used, kept = {*self.main, *self.sides}, []
        for node in reversed(nodes):
            index = node.index
            if self.same[index] == index and (index in used or isinstance(self.how[index].layer, ModuleCode)):
                kept.append(node)
                used.update(self.inputs(node))
        return kept[::-1]

    def in_one_piece(self) -> set[str]:
        """The names around layers whose layers run one after another, all of them in training only or none."""
        runs: dict[str, list[Node]] = {}
        for node in self.nodes:
            for prefix in prefixes(self.paths[node.index]):
                runs.setdefault(prefix, []).append(node)
        closed = {
            prefix
            for prefix, run in runs.items()
            if self.at[run[-1].index] - self.at[run[0].index] + 1 == len(run) and len({n.side for n in run}) == 1
        }
        tied = []
        for node in self.nodes:
            if node.shares is None:
                continue
            owner = self.owners.get(node.shares, node.shares)
            ours, theirs = self.paths[node.index], self.paths[owner]
            around = [a for a, b in zip(prefixes(ours), prefixes(theirs), strict=False) if a == b]
            if (
                self.how[node.index].layer == self.how[owner].layer
            ):  # the same module again: called from where both are in reach
                self.owners[node.index] = owner
                closed -= {p for path in (ours, theirs) for p in prefixes(path) if p not in around}
            else:
                tied.append((around, ours, theirs))
        for around, ours, theirs in tied:
            home = next((p for p in reversed(around) if p in closed), "")
            self.ties.setdefault(home, []).append((_within(home, ours), _within(home, theirs)))
        return closed

    def block(self, path: str, nodes: list[Node]) -> ModuleOutline:
        def inner(node: Node) -> str:
            around = prefixes(self.paths[node.index])
            return next((p for p in around if len(p) > len(path) and p in self.closed), f" {node.index}")

        items: list[Item] = []
        for name, run in groupby(nodes, inner):
            members = list(run)
            items += self.nested(path, name, members) if name in self.closed else self.layer(path, members[0])
        end = self.at[nodes[-1].index] if nodes else -1
        given = [value for item in items for value in item.outputs if self.last.get(value, -1) > end]
        return ModuleOutline(path, self.kinds.get(path, ""), items, given, self.ties.get(path, []))

    def layer(self, path: str, node: Node) -> list[Item]:
        """A layer in the block at a path, statement by statement; values that it makes for itself have no node."""
        owner = self.owners.get(node.index)
        name = _within(path, self.paths[node.index if owner is None else owner])
        before, how = self.how[node.index]
        inputs, items = self.inputs(node), []
        for expression in before:
            count = takes(expression)
            self.own -= 1
            items.append(Item(name, expression, inputs[:count], (self.own,), node.side, None))
            inputs = (self.own, *inputs[count:])
        return [*items, Item(name, how if owner is None else None, inputs, (node.index,), node.side, node.shape)]

    def nested(self, path: str, name: str, nodes: list[Node]) -> list[Item]:
        """A block inside a block; expressions at a branch's ends are written outside where that leaves a Sequential."""
        block, place = self.block(name, nodes), _within(path, name)
        items, first, last = block.items, 0, len(block.items)
        if not block.kind:
            while first < last and isinstance(items[first].what, InlineCode):
                first += 1
            while first < last and isinstance(items[last - 1].what, InlineCode):
                last -= 1
        before, between, after = (
            [item._replace(name=f"{place}.{item.name}") for item in items[:first]],
            items[first:last],
            [item._replace(name=f"{place}.{item.name}") for item in items[last:]],
        )
        if not between:
            return before
        used = {*block.outputs, *(value for item in after for value in item.inputs)}
        given = [value for item in between for value in item.outputs if value in used]
        rest = ModuleOutline(name, block.kind, between, given, block.ties)
        if not rest.inline:
            before, rest, after = [], block, []
        made = self.network.nodes[next(iter(rest.outputs), nodes[-1].index)]
        item = Item(place, rest, rest.inputs, rest.outputs, made.side, made.shape)
        return [*before, item, *after]


def _within(path: str, name: str) -> str:
    """A name seen from inside the block at a path."""
    return name[len(path) + 1 :] if path else name
