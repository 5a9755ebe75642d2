"""Checkpointing: a block saves only its inputs, and runs a second time when the backward pass reaches the block.

The model is torch.utils.checkpoint with use_reentrant=False: the second run ends with the last operator that saves a
tensor. Chen et al., Training deep nets with sublinear memory cost, 2016.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from copy import copy

from archcalc.errors import ArchcalcError, unknown
from archcalc.letters import normal
from archcalc.network import Network, Node
from archcalc.pytorch.run import run_layer
from archcalc.pytorch.runner import Runner
from archcalc.pytorch.tape import Operation, Saved, Stopped, TapeTensor


def block_runs(network: Network, nodes: Sequence[Node], block: str) -> list[list[Node]]:
    """The nodes of every use of a block; one list per use.

    ``block`` is the label of one use, or the name of the block in the spec; commas separate several blocks. If one use
    lies inside another use, the outer use counts. ArchcalcError, with the nearest name, if there is no such block.
    """
    wanted = {normal(name.strip()) for name in block.split(",")}
    for name in sorted(wanted):
        if not any(_use(network, node, {name}) for node in nodes):
            labels = dict.fromkeys(label for node in nodes for label in node.scopes)
            known = list(dict.fromkeys([*network.blocks.values(), *labels]))
            if name in known:
                raise ArchcalcError(f"{network.full_name}: the block {name!r} has no layer at this input")
            raise ArchcalcError(f"{network.full_name}: {unknown('block', name, known)}")
    runs: list[list[Node]] = []
    before = ""
    for node in nodes:
        found = _use(network, node, wanted)
        if found and found != before:
            runs.append([])
        if found:
            runs[-1].append(node)
        before = found
    return runs


def _use(network: Network, node: Node, wanted: Set[str]) -> str:
    """The path of the outermost use of a wanted block that contains the node; empty if there is no such use."""
    for depth, label in enumerate(node.scopes):
        path = ".".join(node.scopes[: depth + 1])
        if not wanted.isdisjoint((label, path)):
            return path
    names = node.name.split(".")
    paths = (".".join(names[:depth]) for depth in range(1, len(names)))
    return next((path for path in paths if not wanted.isdisjoint((path, network.blocks.get(path)))), "")


class CheckpointedBlock:
    """A block that runs twice: its nodes, its inputs, and the operators of the first run."""

    def __init__(self, network: Network, nodes: Sequence[Node]) -> None:
        self.network, self.nodes = network, nodes
        self.taken: dict[int, TapeTensor] = {}
        self.operations: list[Operation] = []
        self.wanting: set[Operation] = set()
        """Operators of the block that need saved tensors. When the backward pass reaches the first of them, the block
        runs a second time."""
        self.again: list[Node] = []
        """The nodes that ran again."""
        self._done = False

    def first(self, tape: Runner, values: dict[int, TapeTensor]) -> list[Saved]:
        """The first run of the block, which saves only the inputs of the block; returns the saved tensors."""
        inside = {node.index for node in self.nodes}
        start = len(tape.operations)
        for node in self.nodes:
            self.taken.update({i: values[i] for i in node.inputs if i not in inside})
            values[node.index] = run_layer(tape, self.network, node, values)
        self.operations = tape.operations[start:]
        self._last = max((at for at, operation in enumerate(self.operations) if operation.saved), default=-1)
        self.saved = [
            Saved(value.storage, self.nodes[0].index, "the input of the block") for value in self.taken.values()
        ]
        wanting = [operation for operation in self.operations if operation.saved]
        self.wanting = set(wanting)
        for operation in self.operations:
            operation.saved = []
        for operation in (wanting or self.operations)[:1]:  # the last operator of the block in the backward pass
            operation.saved = self.saved
        return self.saved

    def run(self, tape: Runner) -> None:
        """The second run, at the moment when the backward pass first reaches the block."""
        if self._done or self._last < 0:
            return
        self._done = True
        start = len(tape.operations)
        tape.stop_at = start + self._last
        values = {i: copy(value) for i, value in self.taken.items()}
        try:
            for node in self.nodes:
                values[node.index] = run_layer(tape, self.network, node, values)
                self.again.append(node)
        except Stopped as stopped:
            self.again += [self.network.nodes[tape.node]] if stopped.ran else []
        lasts = {i: node.index for node in self.nodes for i in node.inputs}
        for i, value in values.items():  # tensors with later readers stay until the run stops
            if lasts.get(i, len(self.network.nodes)) > tape.node:
                value.storage.until(len(tape.moments) - 1)
        tape.stop_at = -1
        tape.release_copies()
        for operation, again in zip(self.operations, tape.operations[start:], strict=False):
            operation.saved = [*operation.saved, *again.saved]
