"""The backward pass on a tape: operators in reverse, as autograd runs them.

The gradient of a tensor is alive from its first contribution until the operator that made the tensor has read the
gradient. A saved tensor is freed after the backward pass of the operator that saved the tensor. Gradients of weights
stay to the end. A ``BackwardRule`` has the steps and the scratch of one operator's backward pass; the records of
``archcalc.pytorch`` state these rules.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from archcalc.memory.checkpoint import CheckpointedBlock
from archcalc.memory.gradient import Gradient, lies, lies_as_weight, made_by, moved_back, passed_by, summed
from archcalc.network import Network
from archcalc.pytorch.runner import Runner
from archcalc.pytorch.tape import COPIED, SCRATCH, WEIGHT, Operation, Ran, Storage, TapeTensor

FOREVER = 2**62
"""Later than any moment."""


VIEWED = frozenset(("addmm", "mm", "_prelu_kernel"))
"""Operators that read their weight through a view; the backward step of the view passes the weight's gradient on."""


_AS = {
    "windows": "last",
    "image": "last",
    "values": "first",
    "matrices": "first",
    "heads": "last",
    "channels": "first",
    "positions": "first",
}
"""The order of the copy, by the order that an operator needs."""


class BackwardPass:
    """One run of the backward pass, from the outputs to the weights."""

    def __init__(
        self, tape: Runner, network: Network, recomputed: dict[Operation, CheckpointedBlock], sums_in_place: bool
    ) -> None:
        self.tape, self.network, self.recomputed, self.sums_in_place = tape, network, recomputed, sums_in_place
        self.pending: dict[TapeTensor, Gradient] = {}
        self.users: dict[Storage, int] = {}
        """How many gradients share a storage. The gradient of a sum, for example, is the gradient of every term."""
        self.weights: dict[tuple[int, int], Storage] = {}
        self.moved: dict[tuple[int, int], int] = {}
        """The bytes of each gradient in ``weights`` that is copied into the order of the weight once it is complete."""
        self.uses: Counter[tuple[int, int]] = Counter()
        """How many gradients of each weight are still to come."""
        self.ends: dict[TapeTensor, int] = {}

    def run(self, outputs: Mapping[int, TapeTensor]) -> None:
        """Run the backward pass of every operator that leads to the outputs of these nodes.

        The loss makes the gradient of each output. These gradients stay alive until all of them are passed on.
        """
        tape = self.tape
        tape.phase = "backward"
        self.uses = self._uses(outputs.values())
        first: list[tuple[TapeTensor, Gradient]] = []
        for index, value in outputs.items():
            if value.derived:
                name = self.network.nodes[index].name if len(outputs) > 1 else "the output"
                tape.node, tape.name = index, f"gradient of {name}"
                tape.moment("loss backward")
                made = tape.make("gradient", value.per_image)
                first.append((value, Gradient(made, True, "first")))
        for value, new in first:
            self._add(value, new)
        for _, new in first:
            new.storage.until(len(tape.moments) - 1)
        for operation in reversed(list(tape.operations)):
            gradient = self.pending.pop(operation.output, None)
            if gradient is not None:
                if operation in self.recomputed:
                    self.recomputed[operation].run(tape)
                self._through(operation, gradient)
            else:
                self._unused(operation)
        last = len(tape.moments) - 1
        for storage in tape.storages:
            if storage.dies > last:
                storage.dies = last

    def _unused(self, operation: Operation) -> None:
        """An operator that leads to no output of the network.

        Its saved tensors stay alive as long as its result, or a tensor that was computed from the result.
        """
        end = max(self.ends.get(operation.output, 0), operation.output.storage.dies)
        for saved in operation.saved:
            saved.storage.until(end)
        for value in operation.inputs:
            self.ends[value] = max(self.ends.get(value, 0), end)

    def _through(self, operation: Operation, gradient: Gradient) -> None:
        """Run the backward pass of one operator, and add the results to the gradients of its inputs."""
        tape, node = self.tape, self.network.nodes[operation.node]
        tape.node, tape.name = node.index, node.name or node.layer.type
        if operation.rule.keeps and lies_as_weight(gradient, operation):
            self._stays(gradient.storage, (node.index if node.shares is None else node.shares, operation.parameter))
            return
        given = gradient.storage
        if operation.rule.needs_order and not lies(tape.batch, gradient, operation):
            gradient = self._in_order(operation, gradient)
        if operation.rule.moves is not None:
            there = moved_back(tape.batch, operation.rule.moves, operation, gradient)
            gradient = there or self._in_order(operation, gradient, "first")
        made, copied, read = (
            self._steps(operation, node.index if node.shares is None else node.shares)
            if operation.rule.steps
            else ({}, [], len(tape.moments) - 1)
        )
        if operation.rule.passes_gradient_on:
            for i, value in enumerate(operation.inputs):
                if value.derived and value.itemsize != operation.output.itemsize and i not in made:
                    tape.moment("_to_copy")
                    made[i] = tape.make("gradient", value.per_image, 0, "gradient of its input")
        last = len(tape.moments) - 1
        gradient.storage.until(last)
        if operation.rule.copies_inside:
            given.until(last)
        self.users[gradient.storage] -= 1
        for saved in operation.saved:
            if operation in self.recomputed:
                saved.storage.until(read)
            else:
                saved.storage.dies = last
        gradients = {
            i: made_by(tape.batch, made[i], operation, gradient, value)
            if i in made
            else passed_by(tape.batch, operation, gradient, i)
            for i, value in enumerate(operation.inputs)
            if value.derived
        }
        if copied or operation.operator in VIEWED:
            shared = [(storage, which) for storage, becomes, which in copied if not becomes]
            self._pass_on_with_weights(operation, gradients, shared)
        else:
            for i, new in gradients.items():
                self._add(operation.inputs[i], new)
            last = len(tape.moments) - 1
            for new in gradients.values():
                new.storage.until(last)
        for storage, becomes, which in copied:
            if which in self.moved and self.uses[which] <= 0:
                storage, becomes = self.weights.pop(which), self.moved.pop(which)
                storage.dies = last
            if becomes:
                storage.until(tape.moment("copy"))
                self._stays(tape.make("weight gradient", 0, becomes, "gradient of weights"), which)

    def _in_order(self, operation: Operation, gradient: Gradient, order: str = "") -> Gradient:
        """A copy of the gradient of an operator's output, in the memory order that the operator needs."""
        gradient.storage.until(self.tape.moment(f"{operation.operator} backward"))
        self.users[gradient.storage] -= 1
        copy = self.tape.make("gradient", operation.output.per_image, 0, "gradient in order")
        self.users[copy] = 1
        return Gradient(copy, True, order or _AS.get(operation.rule.needs_order, operation.rule.needs_order))

    def _pass_on_with_weights(
        self, operation: Operation, gradients: dict[int, Gradient], shared: list[tuple[Storage, tuple[int, int]]]
    ) -> None:
        """Add the gradients that an operator made to the gradients of its inputs and of shared weights.

        All input gradients stay alive until the last gradient is added. Exception: operators in VIEWED (addmm, mm,
        _prelu_kernel) read their weight through a view; the weight's gradient goes to the backward step of that view.
        The bias of these operators is argument 0.
        """
        viewed = operation.operator in VIEWED
        order = [2, 0] if viewed else list(gradients)
        inputs = [i for i in order if i in gradients]
        held = [*(gradient.storage for gradient in gradients.values()), *(storage for storage, _ in shared)]
        for storage, which in shared[1:] if viewed else []:
            self._stays(storage, which)
        for i in inputs:
            self._add(operation.inputs[i], gradients[i])
        for storage, which in [] if viewed else shared:
            self._stays(storage, which)
        now = len(self.tape.moments) - 1
        for storage in held:
            storage.until(now)
        for i in [i for i in gradients if i not in inputs]:
            self._add(operation.inputs[i], gradients[i])
        for storage, which in shared[:1] if viewed else []:
            self._stays(storage, which)

    def _steps(
        self, operation: Operation, owner: int
    ) -> tuple[dict[int, Storage], list[tuple[Storage, int, tuple[int, int]]], int]:
        """Run the steps of an operator's backward pass: input gradients, weight gradients to be copied, and a moment.

        The moment is the time of the last step that reads saved tensors. At this moment, saved tensors of a
        checkpointed block are freed (torch.utils.checkpoint returns each tensor once). Other saved tensors are freed
        after the operator.
        """
        tape, inputs, weights = self.tape, operation.inputs, operation.parameter
        made: dict[int, Storage] = {}
        copied: list[tuple[Storage, int, tuple[int, int]]] = []
        scratch: list[tuple[Storage, int]] = []
        ends = []
        for step in operation.rule.steps:
            begun = False
            for target, per_image, fixed, until, becomes in step:
                if target >= 0 and not inputs[target].derived:
                    continue
                if not begun:
                    tape.moment(f"{operation.operator} backward")
                    wanted = [one for one in step if one.target < 0 or inputs[one.target].derived]
                    tape.ran[-1] = tape.ran[-1]._replace(operation=operation, made=wanted)
                    begun = True
                which = (owner, weights)
                if target in (WEIGHT, COPIED):
                    weights += 1
                    self.uses[which] -= 1
                if target >= 0:
                    made[target] = tape.make(
                        "gradient", per_image * inputs[target].times, fixed, "gradient of its input"
                    )
                    made[target].slack = becomes * inputs[target].times
                elif target == SCRATCH:
                    scratch.append((tape.make("scratch", per_image * operation.output.times, fixed, "backward"), until))
                elif target == COPIED and which not in self.weights and self.uses[which] <= 0:
                    storage = tape.make("scratch", 0, fixed, "gradient of weights to be copied")
                    copied.append((storage, becomes, which))
                elif which in self.weights:
                    copied.append((tape.make("scratch", 0, fixed, "gradient of shared weights"), 0, which))
                else:
                    self.weights[which] = tape.make("weight gradient", 0, fixed, "gradient of weights")
                    self.weights[which].dies = FOREVER
                    if becomes:
                        self.moved[which] = becomes
            ends.append(len(tape.moments) - 1)
        for storage, until in scratch:
            storage.until(ends[until] if 0 <= until < len(ends) else ends[-1])
        return made, copied, ends[operation.rule.reading_steps - 1] if ends else len(tape.moments) - 1

    def _uses(self, outputs: Iterable[TapeTensor]) -> Counter[tuple[int, int]]:
        """How many gradients each weight gets, if layers share weights."""
        uses, reached, nodes = Counter[tuple[int, int]](), set(outputs), self.network.nodes
        if all(node.shares is None for node in nodes):
            return uses
        for operation in reversed(self.tape.operations):
            if operation.output in reached:
                reached.update(value for value in operation.inputs if value.derived)
                node, weights = nodes[operation.node], operation.parameter
                for made in (made for step in operation.rule.steps for made in step):
                    if made.target in (WEIGHT, COPIED):
                        uses[node.index if node.shares is None else node.shares, weights] += 1
                        weights += 1
        return uses

    def _stays(self, made: Storage, which: tuple[int, int]) -> None:
        """Keep the gradient of a weight to the end. If the weight is shared, add the gradient to the first gradient."""
        last = len(self.tape.moments) - 1
        first = self.weights.setdefault(which, made)
        first.until(FOREVER)
        if first is not made and self.sums_in_place:
            made.until(last)
        elif first is not made:
            first.dies = made.dies = self.tape.moment("add")
            size = made.fixed + made.per_image  # a gradient of a single image can be that of the weight
            self.weights[which] = self.tape.make("weight gradient", 0, size, "sum of gradients of weights")
            self.weights[which].until(FOREVER)

    def _add(self, value: TapeTensor, new: Gradient) -> None:
        """Add a contribution to the gradient of a tensor, in place if no other gradient shares the storage."""
        old, users = self.pending.get(value), self.users
        users[new.storage] = users.get(new.storage, 0) + 1
        if old is None:
            self.pending[value] = new
            return
        users[new.storage] -= 1
        if self.sums_in_place and old.whole and users[old.storage] == 1 and old.storage is not new.storage:
            of_weight = value.storage.role == "weight copy"
            both = (0, value.per_image) if of_weight else (value.per_image, 0)
            self.tape.ran.append(Ran("backward", self.tape.node, "add_", self.tape.now, summed=both))
            return
        users[old.storage] -= 1
        now = self.tape.moment("add")
        old.storage.until(now)
        new.storage.until(now)
        size, of_weight = value.per_image, value.storage.role == "weight copy"
        total = self.tape.make("gradient", 0 if of_weight else size, size if of_weight else 0, "sum of gradients")
        self.pending[value] = summed(self.tape.batch, total, value, old, new)
        users[total] = 1
