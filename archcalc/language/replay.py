"""Uses of a block that add the same layers: the first is expanded and recorded, and the others are copies of its layers.

The layers of a block follow from its arguments, the names of the family that it uses, and the map that it reads, unless
they use layers outside of it. Only their names and numbers begin elsewhere. So a record serves all networks of a family.
A use with a problem is neither recorded nor copied: a problem names its place.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from archcalc.errors import Place
from archcalc.language.context import Context
from archcalc.language.family import Family
from archcalc.language.naming import Names
from archcalc.language.steps import BlockStep, Step
from archcalc.language.turns import Turns
from archcalc.layers import Layer
from archcalc.layers.base import StorageKind
from archcalc.layers.known import key_part
from archcalc.network import Network, Node
from archcalc.sizes import Int, Shape

MAX_STEPS = 50_000
MOST_RECORDED = 50_000
"""The most layers in the records of a family."""

READ = -1
"""The number of the map that a block reads; its own layers have the numbers from 0 on."""


class RecordedNode(NamedTuple):
    """A layer of a block, with its name and the labels around it inside the block.

    ``name`` of a layer without a name: '', and then ``base`` is its scope and its type.
    """

    name: str
    base: str
    layer: Layer
    inputs: tuple[int, ...]
    shape: Shape
    labels: tuple[str, ...]
    side: bool
    shares: int | None
    place: Place | None
    storage: StorageKind
    regions: Int
    trained: bool


class Record(NamedTuple):
    """What a use of a block adds. All names are those inside the block.

    ``given``: its names in their order, each with the number of the set that holds it. ``placed``: the number of the output
    of each name, and for a scope its first layer and the layer after its last. ``result``: the output that the next step
    reads. ``regions``: whether a block with regions was entered. ``steps`` and ``operations``: what the use took.
    """

    nodes: list[RecordedNode]
    given: list[tuple[str, int]]
    placed: list[tuple[str, int, tuple[int, int] | None]]
    blocks: list[tuple[str, str]]
    result: int
    regions: bool
    steps: int
    operations: int


class Run(NamedTuple):
    """A use of a block that was expanded. ``nodes``, ``placed`` and ``noted``: the first and the end of what it added to these
    lists.

    ``letters`` and ``labels``: how much of the names and scopes of its layers are the use's own and of the scopes around.
    The others are those of the record.
    """

    nodes: slice
    placed: slice
    noted: slice
    letters: int
    labels: int
    result: int
    regions: bool
    steps: int
    operations: int


class Replay(Turns):
    """The blocks of an expansion. ``steps_taken``: the steps so far."""

    def __init__(self, family: Family, network: Network, names: Names) -> None:
        super().__init__(network, names)
        self.family, self.steps_taken = family, 0
        self.scope: dict[str, Any] = {}
        """The family's parameters and names, which every block sees in addition to its own parameters and names."""
        self.runs: dict[Any, Run] = {}
        """The uses that are not recorded yet: a second use records them."""
        self.records: dict[Any, Record] = {}
        self.outermost: list[tuple[Any, int, int]] = []
        """The uses that lie in no other recorded use, each with its first layer and the number of its layers.

        At the end, they are recorded for other networks of the family.
        """
        self.of_family: dict[Any, Record] = {} if network.arrays else family.records

    def run_all(self, steps: list[Step], current: int | None, context: Context) -> int | None:
        """Expand steps one after another. The result is the output that the next step reads."""
        raise NotImplementedError

    def run_block(
        self,
        step: BlockStep,
        scope: dict[str, Any],
        current: int | None,
        name: str,
        label: str,
        context: Context,
        regions: Int | None,
    ) -> int | None:
        """Expand a block in a scope with its arguments, or copy a use with the same arguments."""
        block = self.family.blocks[step.block]
        record = key = None
        if name and current is not None and self._flawless():
            key = self._key(step.block, scope, current, name, context, regions)
            record = self._record(key)
        if record is not None and record.operations <= self.left and self.steps_taken + record.steps <= MAX_STEPS:
            assert current is not None
            return self._copied(record, current, f"{context.prefix}{name}.", (*context.scopes, label or name))
        first, placed, noted = len(self.nodes), len(self.names.placed), len(self.names.noted)
        left, steps, (reached, self.reached) = self.left, self.steps_taken, (self.reached, None)
        for key_, given in block.let.items():
            scope[key_] = self.evaluate(given.value, scope, given.place)
        inner = context.inner(scope=scope, name=name, label=label, block=step.block, regions=regions)
        result = self.run_all(block.steps, current, inner)
        alone = self.reached is None or self.reached >= first
        if key is not None and result is not None and alone and self._flawless():
            self.runs[key] = Run(
                slice(first, len(self.nodes)),
                slice(placed, len(self.names.placed)),
                slice(noted, len(self.names.noted)),
                len(inner.prefix),
                len(inner.scopes),
                result,
                self.has_regions,
                self.steps_taken - steps,
                left - self.left,
            )
            while self.outermost and self.outermost[-1][1] >= first:
                self.outermost.pop()
            self.outermost.append((key, first, len(self.nodes) - first))
        if reached is not None:
            self.reach(reached)
        return result

    def _record(self, key: Any) -> Record | None:
        """The record with this key; None if there is none."""
        if key in self.runs:
            self.records[key] = self._recorded(self.runs.pop(key))
        return self.records.get(key) or self.of_family.get(key)

    def keep_records(self) -> None:
        """Record uses for other networks of the family. If there are many records, the earlier ones are dropped."""
        family = self.family
        for key, _, layers in () if self.network.arrays else self.outermost:
            record = self._record(key) if layers <= MOST_RECORDED // 10 else None
            if record is not None:
                family.recorded += layers
                if family.recorded > MOST_RECORDED:
                    family.records.clear()
                    family.recorded = layers
                family.records[key] = record

    def _flawless(self) -> bool:
        """Whether no problem was found so far, no turn is one of some elements of arrays, and no name lies in two scopes."""
        found = self.problems or self.skipped or self.unfound or self.network.side_problem
        return not found and self.uneven is None and self.names.apart

    def _key(
        self, block: str, scope: dict[str, Any], current: int, name: str, context: Context, regions: Int | None
    ) -> Any:
        """What the layers of a use depend on, and what the use takes; None if it is not copied."""
        node = self.nodes[current]
        around = context.side, context.trained, context.depth, context.regions, self.has_regions
        key = (
            block,
            len(context.prefix) + len(name),
            around,
            regions,
            node.shape,
            node.side,
            node.regions,
            *[key_part(scope[one]) for one in self.family.blocks[block].params],
            *[key_part(self.scope[one]) for one in self.family.names_of(block)],
        )
        try:
            hash(key)
        except TypeError:  # arrays
            return None
        return key

    def _recorded(self, run: Run) -> Record:
        names, blocks, first, letters = self.names, self.network.blocks, run.nodes.start, run.letters

        def number(index: int | None) -> int:
            assert index is not None
            return index - first if index >= first else READ

        def scope(full: str) -> tuple[int, int] | None:
            start, end = self.scopes.get(full, (first, None))
            return None if end is None else (start - first, end - first)

        noted = names.noted[run.noted]
        return Record(
            [
                RecordedNode(
                    node.name[letters:],
                    "" if node.name else names.bases[node.index][letters:],
                    node.layer,
                    tuple([number(i) for i in node.inputs]),
                    node.shape,
                    node.scopes[run.labels :],
                    node.side,
                    None if node.shares is None else node.shares - first,
                    node.place,
                    node.storage,
                    node.regions,
                    node.trained,
                )
                for node in self.nodes[run.nodes]
            ],
            [(full[letters:], kind) for full, kind in noted],
            [(full[letters:], number(self.outputs[full]), scope(full)) for full in names.placed[run.placed]],
            [(full[letters:], blocks[full]) for full, _ in noted if full in blocks],
            number(run.result),
            run.regions,
            run.steps,
            run.operations,
        )

    def _copied(self, record: Record, current: int, prefix: str, scopes: tuple[str, ...]) -> int:
        """Add copies of the layers of a use, which read the node ``current``. The result is their output."""
        nodes, names = self.nodes, self.names
        first = len(nodes)
        labels: dict[tuple[str, ...], tuple[str, ...]] = {}
        for name, base, layer, reads, shape, inside, side, shares, place, storage, regions, trained in record.nodes:
            index = len(nodes)
            if inside not in labels:
                labels[inside] = scopes + inside
            if len(reads) == 1:
                inputs: tuple[int, ...] = (first + reads[0] if reads[0] >= 0 else current,)
            else:
                inputs = tuple([first + i if i >= 0 else current for i in reads])
            owner = None if shares is None else first + shares
            full = prefix + name if name else ""
            node = Node(index, full, layer, inputs, shape, labels[inside], side, owner, place, storage, regions)
            node.trained = trained
            nodes.append(node)
            if not name:
                names.unnamed(prefix + base, index)
        for name, kind in record.given:
            names.note(kind, prefix + name)
        for name, block in record.blocks:
            self.network.blocks[prefix + name] = block
        for name, number, scope in record.placed:
            names.place(prefix + name, first + number if number >= 0 else current)
            if scope is not None:
                self.scopes[prefix + name] = first + scope[0], first + scope[1]
        self.has_regions = record.regions
        self.steps_taken += record.steps
        self.left -= record.operations
        return first + record.result if record.result >= 0 else current
