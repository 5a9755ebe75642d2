"""What training holds: tensors kept for the backward pass, gradients, and the peak over both passes.

The backward pass runs the operators in reverse, as autograd does. A gradient lives from its first
contribution until the operator that it belongs to has used it; a kept tensor is let go with that operator.
Gradients of weights stay. The steps and scratch of every operator's backward pass are those of ``running``.
"""

from __future__ import annotations

from collections.abc import Sequence

from archcalc.analysis.lifetime import Schedule, forward, overwrites, results, running
from archcalc.analysis.memory import itemsize
from archcalc.analysis.running import Runner
from archcalc.analysis.tape import COPIED, SCRATCH, Moment, Operation, Saved, Storage, Value
from archcalc.network import Network

FOREVER = 2**62
"""Later than any moment."""


class Training(Schedule):
    """The schedule of a forward and a backward pass, and what the first kept for the second.

    ``kept`` has every tensor that autograd saves, storages that several operators save again each time;
    ``turn`` is the first moment of the backward pass.
    """

    def __init__(
        self, network: Network, moments: list[Moment], storages: list[Storage], kept: list[Saved], turn: int
    ) -> None:
        super().__init__(network, moments, storages)
        self.kept, self.turn = kept, turn

    def kept_once(self) -> list[Saved]:
        """What is kept, each storage where it is first needed; without the image."""
        found = {saved.storage: saved for saved in reversed(self.kept) if saved.storage.role != "image"}
        return [saved for saved in self.kept if found.get(saved.storage) is saved]

    def kept_bytes(self, batch: int = 1) -> int:
        """The bytes that a forward pass keeps for the backward pass, the image apart."""
        return sum(saved.storage.bytes(batch) for saved in self.kept_once())


def training(network: Network, dtype: str = "float32", *, amp: bool = False, sums_in_place: bool = True) -> Training:
    """The schedule of one step of training up to the optimizer, side heads included.

    Where two gradients of one tensor meet, autograd adds the second to the first in place when nothing else
    refers to that; without ``sums_in_place`` the sum is a tensor of its own, as it is under any dispatch mode.
    """
    nodes = running(network, training=True)
    tape = Runner(True, itemsize(dtype), amp, overwrites(network))
    values = forward(tape, network, nodes, itemsize(dtype))
    outputs = [values[index] for index in results(network, nodes)]
    turn = len(tape.moments)
    tape.release_copies()
    _backward(tape, network, outputs, sums_in_place)
    end = len(tape.moments) - 1
    for value in outputs:
        value.storage.until(end)
    for storage in tape.storages:
        if storage.dies > end:
            storage.dies = end
    kept = [saved for operation in tape.operations for saved in operation.saved]
    return Training(network, tape.moments, tape.storages, kept, turn)


class Gradient:
    """The gradient of a tensor while contributions to it meet; ``whole`` where it is not a part of a larger one."""

    __slots__ = ("storage", "whole")

    def __init__(self, storage: Storage, whole: bool) -> None:
        self.storage, self.whole = storage, whole


def _backward(tape: Runner, network: Network, outputs: Sequence[Value], sums_in_place: bool) -> None:
    pending: dict[Value, Gradient] = {}
    users: dict[Storage, int] = {}
    tape.node, tape.name = network.output, "gradient of the output"
    for value in outputs:
        if value.derived:
            tape.moment("loss_backward", "backward")
            storage = tape.make("gradient", value.count * value.itemsize, 0, "", "backward")
            pending[value] = Gradient(storage, True)
            users[storage] = 1
    for value in outputs:
        if value in pending:
            pending[value].storage.until(len(tape.moments) - 1)
    summed: set[tuple[int, int]] = set()
    for operation in reversed(tape.operations):
        gradient = pending.pop(operation.output, None)
        if gradient is not None:
            _through(tape, network, operation, gradient, pending, users, summed, sums_in_place)


def _through(
    tape: Runner,
    network: Network,
    operation: Operation,
    gradient: Gradient,
    pending: dict[Value, Gradient],
    users: dict[Storage, int],
    summed: set[tuple[int, int]],
    sums_in_place: bool,
) -> None:
    """One operator of the backward pass, and what it adds to the gradients of its inputs."""
    node = network.nodes[operation.node]
    tape.node, tape.name = node.index, node.name or node.layer.type
    made: dict[int, Storage] = {}
    scratch: list[tuple[Storage, int]] = []
    copied: list[tuple[Storage, int, int]] = []
    at: list[int] = []
    owner = node.index if node.shares is None else node.shares
    weights = 0
    for step in operation.backward:
        wanted = [m for m in step if m.of < 0 or operation.inputs[m.of].derived]
        if wanted:
            tape.moment(f"{operation.operator} backward", "backward")
        at.append(len(tape.moments) - 1)
        for m in wanted:
            if m.of >= 0:
                made[m.of] = tape.make("gradient", m.per_image, m.fixed, "gradient of its input", "backward")
            elif m.of == SCRATCH:
                scratch.append((tape.make("scratch", m.per_image, m.fixed, "backward", "backward"), m.until))
            elif m.of == COPIED:
                storage = tape.make("scratch", 0, m.fixed, "gradient of weights to be copied", "backward")
                copied.append((storage, m.becomes, weights))
                weights += 1
            else:
                _weight_gradient(tape, m.fixed, (owner, weights), summed)
                weights += 1
    last = len(tape.moments) - 1
    for storage, until in scratch:
        storage.until(at[min(until, len(at) - 1)] if until >= 0 else last)
    gradient.storage.until(last)
    users[gradient.storage] -= 1
    for saved in operation.saved:
        saved.storage.until(last)
    for i, value in enumerate(operation.inputs):
        if value.derived:
            if operation.passes:
                new = Gradient(gradient.storage, gradient.whole and operation.operator != "cat")
            else:
                new = Gradient(made[i], True)
                new.storage.until(last)
            users[new.storage] = users.get(new.storage, 0) + 1
            _add(tape, pending, users, value, new, sums_in_place)
    for storage, size, number in copied:
        tape.moment("copy", "backward")
        _weight_gradient(tape, size, (owner, number), summed)
        storage.until(len(tape.moments) - 1)


def _weight_gradient(tape: Runner, size: int, which: tuple[int, int], summed: set[tuple[int, int]]) -> None:
    """The gradient of a weight, which stays; that of a shared weight is added to the first."""
    if which in summed:
        tape.make("scratch", 0, size, "gradient of shared weights", "backward")
    else:
        summed.add(which)
        tape.make("weight gradient", 0, size, "gradient of weights", "backward").until(FOREVER)


def _add(
    tape: Runner,
    pending: dict[Value, Gradient],
    users: dict[Storage, int],
    value: Value,
    new: Gradient,
    in_place: bool,
) -> None:
    """Add a contribution to the gradient of a tensor."""
    old = pending.get(value)
    if old is None:
        pending[value] = new
        return
    users[new.storage] -= 1
    if in_place and old.whole and users[old.storage] == 1:
        return
    users[old.storage] -= 1
    now = tape.moment("add", "backward")
    old.storage.until(now)
    new.storage.until(now)
    total = tape.make("gradient", value.count * value.itemsize, 0, "sum of gradients", "backward")
    pending[value] = Gradient(total, True)
    users[total] = 1
