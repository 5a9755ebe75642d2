"""Uses of a block that add the same layers: the first is expanded, and the others are copies of its layers.

In one expansion, the layers of a block follow from its arguments and from the map that it reads, unless they use layers
outside of it. Only their names and numbers begin elsewhere. A use with a problem is not copied: a problem names its place.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from archcalc.language.context import Context
from archcalc.language.family import Family
from archcalc.language.naming import Names
from archcalc.language.steps import BlockStep, Step
from archcalc.language.turns import Turns
from archcalc.layers.known import key_part
from archcalc.network import Network, Node
from archcalc.sizes import Int

MAX_STEPS = 50_000


class Run(NamedTuple):
    """A use of a block. ``nodes``, ``placed`` and ``noted``: the first and the end of what it added to these lists.

    ``letters`` and ``labels``: how much of the names and scopes of its layers are the use's own and of the scopes around.
    ``result``: the output that the next step reads. ``steps`` and ``operations``: what the use took.
    """

    nodes: tuple[int, int]
    placed: tuple[int, int]
    noted: tuple[int, int]
    letters: int
    labels: int
    result: int
    steps: int
    operations: int


class Replay(Turns):
    """The blocks of an expansion. ``steps_taken``: the steps so far."""

    def __init__(self, family: Family, network: Network, names: Names) -> None:
        super().__init__(network, names)
        self.family, self.steps_taken = family, 0
        self.runs: dict[Any, Run] = {}

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
        run = key = None
        if name and current is not None and self._flawless():
            key = self._key(step.block, [scope[one] for one in block.params], current, name, context, regions)
            run = self.runs.get(key)
        if run is not None and run.operations <= self.left and self.steps_taken + run.steps <= MAX_STEPS:
            assert current is not None
            return self._copied(run, current, f"{context.prefix}{name}.", (*context.scopes, label or name))
        first, placed, noted = len(self.nodes), len(self.names.placed), len(self.names.noted)
        left, steps, (reached, self.reached) = self.left, self.steps_taken, (self.reached, None)
        for key_, given in block.let.items():
            scope[key_] = self.evaluate(given.value, scope, given.place)
        inner = context.inner(scope=scope, name=name, label=label, block=step.block, regions=regions)
        result = self.run_all(block.steps, current, inner)
        if key is not None and result is not None and (self.reached is None or self.reached >= first):
            self.runs[key] = Run(
                (first, len(self.nodes)),
                (placed, len(self.names.placed)),
                (noted, len(self.names.noted)),
                len(inner.prefix),
                len(inner.scopes),
                result,
                self.steps_taken - steps,
                left - self.left,
            )
        if reached is not None:
            self.reach(reached)
        return result

    def _flawless(self) -> bool:
        """Whether no problem was found so far, no turn is one of some elements of arrays, and no name lies in two scopes."""
        found = self.problems or self.skipped or self.unfound or self.network.side_problem
        return not found and self.uneven is None and self.names.apart

    def _key(
        self, block: str, arguments: list[Any], current: int, name: str, context: Context, regions: Int | None
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
            *map(key_part, arguments),
        )
        try:
            hash(key)
        except TypeError:  # arrays
            return None
        return key

    def _copied(self, run: Run, current: int, prefix: str, scopes: tuple[str, ...]) -> int:
        """Add copies of the layers of a use, which read the node ``current``. The result is their output."""
        nodes, names = self.nodes, self.names
        first, end = run.nodes
        moved = len(nodes) - first
        labels: dict[tuple[str, ...], tuple[str, ...]] = {}
        for node in nodes[first:end]:
            if node.scopes not in labels:
                labels[node.scopes] = scopes + node.scopes[run.labels :]
            copy = Node(
                node.index + moved,
                prefix + node.name[run.letters :] if node.name else "",
                node.layer,
                tuple([i + moved if i >= first else current for i in node.inputs]),
                node.shape,
                labels[node.scopes],
                node.side,
                None if node.shares is None else node.shares + moved,
                node.place,
                node.storage,
                node.regions,
            )
            copy.trained = node.trained
            nodes.append(copy)
            if not node.name:
                names.unnamed(prefix + names.bases[node.index][run.letters :], copy.index)
        blocks = self.network.blocks
        for alike, full in names.noted[slice(*run.noted)]:
            again = prefix + full[run.letters :]
            names.note(alike, again)
            if full in blocks:
                blocks[again] = blocks[full]
        for full in names.placed[slice(*run.placed)]:
            index, again = self.outputs[full], prefix + full[run.letters :]
            assert index is not None
            names.place(again, index + moved if index >= first else current)
            if full in self.scopes:
                start, stop = self.scopes[full]
                self.scopes[again] = start + moved, stop + moved
        self.steps_taken += run.steps
        self.left -= run.operations
        return run.result + moved if run.result >= first else current
