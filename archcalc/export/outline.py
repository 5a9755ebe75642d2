"""A network as nested blocks, from the dots in its names. Each block has items, inputs and outputs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import takewhile
from operator import eq
from typing import NamedTuple

from archcalc.export.module_names import all_written, box_value, boxes_of, indices_value, module_paths, taken
from archcalc.letters import all_prefixes, prefixes
from archcalc.network import Network, Node
from archcalc.pytorch.code import InlineCode, ModuleCode, takes
from archcalc.sizes import Shape

FLATTEN = "{0}.flatten(1)"
DEEPEST = 3
"""The most levels of nested Sequentials."""


class Item(NamedTuple):
    """A layer or inner block of a block. Values are numbers: a value has the index of its node.

    what: the code; None if the module of an earlier item is called again. inputs, outputs: values. side: whether the
    item runs in training only. shape: the shape of the first output; None if the value belongs to no node.
    """

    name: str
    what: ModuleCode | InlineCode | ModuleOutline | None
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    side: bool
    shape: Shape | None


class ModuleOutline:
    """A block of the model.

    path: its name, with dots. kind: the block of the spec, or empty. items: its items in running order. An item whose
    name has dots lies in a namespace: a block that holds modules, but whose layers do not run in a row. inputs,
    outputs: values. ties: pairs (module, owner). ``module`` uses the parameters of ``owner`` (option ``weights`` of the
    spec).
    """

    def __init__(self, path: str, kind: str, items: list[Item], outputs: Sequence[int], ties: list[tuple[str, str]]):
        self.path, self.kind, self.items, self.outputs, self.ties = path, kind, items, tuple(outputs), ties
        inner = {value for item in items for value in item.outputs}
        self.inputs = tuple(dict.fromkeys(v for item in items for v in item.inputs if v not in inner))
        modules = [item.name for item in items if not isinstance(item.what, InlineCode)]
        self.namespaces = all_prefixes(modules)
        self.arguments: dict[int, str] = {}
        """The names of the arguments of ``forward``, if they have names."""

    @property
    def side(self) -> bool:
        """Whether the whole block runs in training only."""
        return all(item.side for item in self.items)

    @cached_property
    def uses(self) -> dict[int, int]:
        """How often each value is used by the items and as an output of the block."""
        uses = dict.fromkeys(self.inputs, 0)
        for values in (*(item.inputs for item in self.items), self.outputs):
            for value in values:
                uses[value] = uses.get(value, 0) + 1
        return uses

    @cached_property
    def chain(self) -> bool:
        """Whether the block is a chain of modules. Then it can be a Sequential."""
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
        """Whether the block is written as a Sequential inside the outer block: branches, groups, runs of blocks."""
        plain = not self.kind or all(isinstance(item.what, ModuleOutline) for item in self.items)
        return self.chain and plain and self.height <= DEEPEST

    @cached_property
    def height(self) -> int:
        """The number of levels of nested Sequentials if the block is a Sequential."""
        inner = [item.what for item in self.items if isinstance(item.what, ModuleOutline)]
        return 1 + max((block.height for block in inner if block.inline), default=0)


def outline(network: Network) -> tuple[ModuleOutline, list[int], list[int]]:
    """The network as a block, its output values, and the outputs of side heads. ArchcalcError if PyTorch lacks a layer."""
    outliner = _Outliner(network)
    root = outliner.block(outliner.nested_runs())
    root.inputs = (*range(len(network.inputs)), *(-1 - at for at in range(len(outliner.boxes))))
    return root, outliner.main, outliner.sides


class _Run(NamedTuple):
    """Consecutive layers inside one block. path: the path of the block. Each inner block is a separate run."""

    path: str
    parts: list[Node | _Run]

    @property
    def last(self) -> Node:
        end = self.parts[-1]
        return end.last if isinstance(end, _Run) else end


class _Extent:
    """The first and last place of a block's layers in the running order, and the number of its layers."""

    __slots__ = ("count", "first", "last", "sides")

    def __init__(self, first: int) -> None:
        self.first, self.last, self.count, self.sides = first, first, 0, 0

    def add(self, first: int, last: int, count: int, sides: int) -> None:
        """Add ``count`` layers between the places ``first`` and ``last``; ``sides`` of them run in training only."""
        self.first, self.last = min(self.first, first), max(self.last, last)
        self.count += count
        self.sides += sides

    @property
    def closed(self) -> bool:
        """Whether no other layer runs between the block's layers, and all or none of these run in training only."""
        return self.last - self.first + 1 == self.count and self.sides in (0, self.count)


class _Outliner:
    """Makes the blocks of a network. First it collects the facts that every block needs."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.paths, blocks = module_paths(network)
        self.kinds = {blocks[name]: kind for name, kind in network.blocks.items() if name in blocks}
        nodes = network.running()
        self.how, self.boxes = all_written(network, nodes), boxes_of(network)
        self.same = {i: i for i in range(len(network.inputs))}
        """For every node: the node that makes its output. If PyTorch does nothing for the layer, an earlier node."""
        for node in nodes:
            how = self.how[node.index].layer
            nothing = isinstance(how, InlineCode) and how.text == "{0}" and not self.how[node.index].before
            self.same[node.index] = self.same[node.inputs[0]] if nothing else node.index
        returned = [self.same[i] for i in network.results()]
        self.main, self.sides = returned[: len(network.outputs)], returned[len(network.outputs) :]
        self.nodes = self.needed(nodes)
        self.at = {node.index: at for at, node in enumerate(self.nodes)}
        self.last = dict.fromkeys(returned, len(self.nodes))
        """For every value: the place of its last use in the running order."""
        for node in self.nodes:
            for value in self.inputs(node):
                self.last[value] = max(self.last.get(value, 0), self.at[node.index])
        self.own = -len(self.boxes)
        """The latest number of a value that no node makes, a negative number."""
        self.owners: dict[int, int] = {}
        """For a layer that calls the module of another layer again: the other layer."""
        self.ties: dict[str, list[tuple[str, str]]] = {}
        self.closed = {path for path, extent in self.extents().items() if extent.closed}
        self.share_parameters()

    def inputs(self, node: Node) -> tuple[int, ...]:
        return (*box_value(node, self.boxes), *(self.same.get(i, i) for i in taken(node)))

    def needed(self, nodes: list[Node]) -> list[Node]:
        """The nodes without layers that do nothing, and without expressions whose value is not used."""
        used, needed = {*self.main, *self.sides}, []
        for node in reversed(nodes):
            index = node.index
            if self.same[index] == index and (index in used or isinstance(self.how[index].layer, ModuleCode)):
                needed.append(node)
                used.update(self.inputs(node))
        return needed[::-1]

    def extents(self) -> dict[str, _Extent]:
        """The extent of every block, by path. Layers directly in the block are added first, then its inner blocks."""
        extents: dict[str, _Extent] = {}
        for at, node in enumerate(self.nodes):
            if path := _around(self.paths[node.index]):
                extents.setdefault(path, _Extent(at)).add(at, at, 1, node.side)
        for path in sorted({*extents, *all_prefixes(extents)}, key=len, reverse=True):
            if outer := _around(path):
                inner = extents[path]
                extents.setdefault(outer, _Extent(inner.first)).add(inner.first, inner.last, inner.count, inner.sides)
        return extents

    def share_parameters(self) -> None:
        """Find the modules that are called again, and the modules that use the parameters of another module.

        Both calls of a module must reach the module. So a block that contains only one of the calls is not closed.
        Parameters are tied in the innermost closed block that contains both modules.
        """
        apart: dict[tuple[str, str], tuple[str, str]] = {}
        tied: list[tuple[str, str]] = []
        for node in self.nodes:
            if node.shares is None or node.layer.type == "unpool":
                continue
            owner = self.owners.get(node.shares, node.shares)
            ours, theirs = self.paths[node.index], self.paths[owner]
            if self.how[node.index].layer == self.how[owner].layer:
                self.owners[node.index] = owner
                apart[_around(ours), _around(theirs)] = ours, theirs
            else:
                tied.append((ours, theirs))
        for ours, theirs in apart.values():
            self.closed.difference_update(set(prefixes(ours)) ^ set(prefixes(theirs)))
        homes: dict[tuple[str, str], str] = {}
        for ours, theirs in tied:
            blocks = _around(ours), _around(theirs)
            if blocks not in homes:
                both = set(prefixes(theirs)) & self.closed
                homes[blocks] = next((path for path in reversed(prefixes(ours)) if path in both), "")
            home = homes[blocks]
            self.ties.setdefault(home, []).append((_within(home, ours), _within(home, theirs)))

    def nested_runs(self) -> _Run:
        """All layers as nested runs. Each closed block gives a run."""
        root = _Run("", [])
        open_runs = [root]
        chains: dict[str, tuple[str, ...]] = {"": ()}
        """For every path around a layer: the closed blocks around the layer."""
        for path in all_prefixes(self.paths[node.index] for node in self.nodes):
            outer = chains[_around(path)]
            chains[path] = (*outer, path) if path in self.closed else outer
        before = chains[""]
        for node in self.nodes:
            chain = chains[_around(self.paths[node.index])]
            if chain is not before:
                common = sum(1 for _ in takewhile(bool, map(eq, chain, before)))
                del open_runs[common + 1 :]
                for path in chain[common:]:
                    run = _Run(path, [])
                    open_runs[-1].parts.append(run)
                    open_runs.append(run)
                before = chain
            open_runs[-1].parts.append(node)
        return root

    def block(self, run: _Run) -> ModuleOutline:
        """The block of a run."""
        items: list[Item] = []
        for part in run.parts:
            items += self.nested(run.path, part) if isinstance(part, _Run) else self.layer(run.path, part)
        end = self.at[run.last.index] if run.parts else -1
        outputs = [value for item in items for value in item.outputs if self.last.get(value, -1) > end]
        return ModuleOutline(run.path, self.kinds.get(run.path, ""), items, outputs, self.ties.get(run.path, []))

    def layer(self, path: str, node: Node) -> list[Item]:
        """A layer in the block at ``path``, as one item per statement. Intermediate values belong to no node."""
        owner = self.owners.get(node.index)
        name = _within(path, self.paths[node.index if owner is None else owner])
        (before, how), inputs, items = self.how[node.index], self.inputs(node), []
        for expression in before:
            count = takes(expression)
            self.own -= 1
            items.append(Item(name, expression, inputs[:count], (self.own,), node.side, None))
            inputs = (self.own, *inputs[count:])
        made = (node.index, indices_value(node.index)) if "return_indices" in how.arguments else (node.index,)
        return [*items, Item(name, how if owner is None else None, inputs, made, node.side, node.shape)]

    def nested(self, path: str, run: _Run) -> list[Item]:
        """A block inside a block. Expressions at the ends of a branch move out if the rest is a Sequential."""
        block, place = self.block(run), _within(path, run.path)
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
        outputs = [value for item in between for value in item.outputs if value in used]
        inner = ModuleOutline(run.path, block.kind, between, outputs, block.ties)
        if not inner.inline:
            before, inner, after = [], block, []
        node = self.network.nodes[next(iter(inner.outputs), run.last.index)]
        return [*before, Item(place, inner, inner.inputs, inner.outputs, node.side, node.shape), *after]


def _around(name: str) -> str:
    """The name of the innermost block around a name; empty if there is no block."""
    return name.rpartition(".")[0]


def _within(path: str, name: str) -> str:
    """A name relative to the block at ``path``."""
    return name[len(path) + 1 :] if path else name
