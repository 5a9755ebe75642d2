"""Memory of training: tensors saved for the backward pass, gradients, and the peak over both passes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

from archcalc.dtypes import itemsize
from archcalc.memory.backward import BackwardPass
from archcalc.memory.checkpoint import CheckpointedBlock, block_runs
from archcalc.memory.lifetime import Schedule, images, overwritten
from archcalc.network import Network, Node
from archcalc.pytorch.layout import Batch
from archcalc.pytorch.run import run_layer
from archcalc.pytorch.runner import AttentionForm, Runner
from archcalc.pytorch.tape import Operation, Saved, TapeTensor


class Training(Schedule):
    """The schedule of a forward and a backward pass, and the tensors that the forward pass saves.

    saved: every tensor that autograd saves; a storage that several operators save is listed several times
    turn:  the first moment of the backward pass
    again: the layers that the backward pass runs a second time (checkpointing)
    """

    def __init__(
        self,
        network: Network,
        tape: Runner,
        values: Mapping[int, TapeTensor],
        saved: list[Saved],
        turn: int,
        again: list[Node],
        record: Callable[[Batch], Self],
    ) -> None:
        super().__init__(network, tape, values, record)
        self.saved, self.turn, self.again = saved, turn, again

    def saved_once(self) -> list[Saved]:
        """The saved tensors without the network input; each storage appears once, where it is first saved."""
        first = {one.storage: one for one in reversed(self.saved) if one.storage.role != "image"}
        return [one for one in self.saved if first.get(one.storage) is one]

    def saved_bytes(self, batch: int = 1) -> int:
        """The bytes that a forward pass saves for the backward pass, without the network input."""
        return sum(saved.storage.bytes(batch) for saved in self.of_batch(batch).saved_once())


def training(
    network: Network,
    dtype: str = "float32",
    *,
    amp: bool = False,
    checkpoint: str | None = None,
    sums_in_place: bool = True,
    attention: AttentionForm = "flash",
    channels_last: bool = False,
    batch: Batch | None = None,
) -> Training:
    """The schedule of one step of training up to the optimizer, side heads included.

    ``checkpoint`` names a block that runs a second time instead of saving its tensors. If a tensor has two gradients,
    autograd adds the second gradient to the first, in place if nothing else refers to the first. Without
    ``sums_in_place`` this sum, and all that PyTorch adds in place, has a new storage, as under any dispatch mode of
    PyTorch. ``attention``: how PyTorch runs attention. ``channels_last``: the input and the weights of convolutions are
    channels-last. ``batch``: the batch that is recorded first.
    """
    nodes = network.running()
    blocks = (
        []
        if checkpoint is None
        else [CheckpointedBlock(network, run) for run in block_runs(network, nodes, checkpoint)]
    )
    taken = _taken(blocks)
    over = {node: read for node, read in overwritten(network).items() if node not in taken}
    tape = Runner(True, itemsize(dtype), amp, over, attention, batch, sums_in_place)
    tape.channels_last = channels_last
    if network.arrays:
        tape.key = network.interned.key
    values = images(network, dtype, channels_last)
    begins = {block.nodes[0].index: block for block in blocks}
    inside = {node.index for block in blocks for node in block.nodes}
    for node in nodes:
        if node.index in begins:
            begins[node.index].first(tape, values)
        elif node.index not in inside:
            values[node.index] = run_layer(tape, network, node, values)
    saved = [one for operation in tape.operations for one in operation.saved]
    outputs = {index: values[index] for index in network.results()}
    turn = len(tape.moments)
    tape.release_copies()
    recomputed: dict[Operation, CheckpointedBlock] = {op: block for block in blocks for op in block.wanting}
    BackwardPass(tape, network, recomputed, sums_in_place).run(outputs)
    for value in outputs.values():
        value.storage.until(len(tape.moments) - 1)
    again = [node for block in blocks for node in block.again]
    settings: dict[str, Any] = {"amp": amp, "checkpoint": checkpoint, "attention": attention}
    settings |= {"sums_in_place": sums_in_place, "channels_last": channels_last}
    return Training(
        network, tape, values, saved, turn, again, lambda one: training(network, dtype, **settings, batch=one)
    )


def _taken(blocks: list[CheckpointedBlock]) -> frozenset[int]:
    """The nodes that read an input of their block. They must not overwrite the input: the second run reads it again."""
    found = set()
    for block in blocks:
        inside = {node.index for node in block.nodes}
        found |= {node.index for node in block.nodes if not inside.issuperset(node.inputs)}
    return frozenset(found)
