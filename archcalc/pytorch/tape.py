"""A recording of what PyTorch runs for a network: operators one after another, and the tensors that they make.

Every moment of a run is one operator. A tensor is alive from the moment that makes the tensor to the last moment that
reads the tensor. Every size has two parts, bytes per image and fixed bytes, and so is exact for every batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from archcalc.pytorch.layout import packed
from archcalc.pytorch.operation import COPIED as COPIED
from archcalc.pytorch.operation import SCRATCH as SCRATCH
from archcalc.pytorch.operation import WEIGHT as WEIGHT
from archcalc.pytorch.operation import Backward as Backward
from archcalc.pytorch.operation import BackwardRule as BackwardRule
from archcalc.pytorch.operation import Made as Made
from archcalc.pytorch.operation import Operation as Operation
from archcalc.pytorch.operation import Phase as Phase
from archcalc.pytorch.operation import Ran as Ran
from archcalc.pytorch.operation import Saved as Saved
from archcalc.pytorch.tensor import Role as Role
from archcalc.pytorch.tensor import Storage as Storage
from archcalc.pytorch.tensor import TapeTensor as TapeTensor


class Moment(NamedTuple):
    """One operator: the phase, the index of the layer that it belongs to, and its name in PyTorch."""

    phase: Phase
    node: int
    operator: str


class Result(NamedTuple):
    """The storage and the format of an operator's result.

    over:     the tensor whose storage the result takes (an operator in place)
    view:     whether the result is a view of the first input
    order:    memory order; '' = the order of the first input
    itemsize: bytes of a value; 0 = the itemsize of the first input
    role, label: role and label of a new storage
    """

    over: TapeTensor | None = None
    view: bool = False
    order: str = ""
    itemsize: int = 0
    role: Role = "map"
    label: str = ""


class Extra(NamedTuple):
    """A further result of an operator. ``why``: the reason to save the result; '' = not saved."""

    per_image: int
    fixed: int
    label: str
    why: str = ""


class Saves(NamedTuple):
    """What an operator saves for its backward pass.

    input, output: the reason to save the first input, and the result; '' = not saved
    tensors: other tensors that the operator saves, each with the reason
    extra:   further results, which the operator makes even without a backward pass
    """

    input: str = ""
    output: str = ""
    tensors: Sequence[tuple[Storage, str]] = ()
    extra: Sequence[Extra] = ()


PRODUCTS = frozenset(("addmm", "mm", "bmm", "mul", "mul_"))
"""Operators that save their input only for the gradient of their weights. Others, as a convolution, always save it."""


def without_weights(rule: BackwardRule) -> BackwardRule:
    """The backward pass of an operator whose weights are frozen."""
    steps = [[made for made in step if made.target not in (WEIGHT, COPIED)] for step in rule.steps]
    return rule._replace(steps=steps, weights=False)


NEW, VIEW, NOTHING_SAVED = Result(), Result(view=True), Saves()
ORDERED = {order: Result(order=order) for order in ("", "first", "last", "unit")}
"""New storage for a map in a memory order."""
NO_STEPS, PASSES = BackwardRule(), BackwardRule(passes_gradient_on=True)


class Stopped(Exception):  # noqa: N818
    """The tape reached its last operator (``Tape.stop_at``); ``ran`` says whether this operator ran."""

    def __init__(self, ran: bool) -> None:
        self.ran = ran


class Tape:
    """A recording in progress: layers run their operators on the tape, one by one.

    Number ``stop_at`` of ``operations`` is the last operator; then Stopped is raised. The last operator does not run if
    all tensors that it saves exist already.
    """

    def __init__(self, training: bool) -> None:
        self.training = training
        self.moments: list[tuple[Phase, int, str]] = []
        """The fields of every Moment."""
        self.ran: list[Ran] = []
        """Every operator that is not a view, with what it read and made, in running order."""
        self.storages: list[Storage] = []
        self.operations: list[Operation] = []
        self.node, self.name = 0, ""
        self.phase: Phase = "forward"
        self.times = 1
        """How often the operators of the layer run for one image: once for each of its regions."""
        self.stop_at = -1
        self.parameter = 0
        """How many weights of this layer the operators have used so far."""
        self.frozen = False
        """Whether the weights of the layer are frozen."""

    @property
    def trains(self) -> bool:
        """Whether gradients flow to the weights of the layer."""
        return self.training and not self.frozen

    @property
    def now(self) -> int:
        """The last moment so far."""
        return len(self.moments) - 1

    def make(self, role: Role, per_image: int, fixed: int = 0, label: str = "") -> Storage:
        """A new storage, which the operator of this moment makes."""
        made = Storage(self.name, self.node, role, per_image, fixed, len(self.moments) - 1, label)
        self.storages.append(made)
        return made

    def moment(self, operator: str) -> int:
        """Record that an operator runs; returns the moment."""
        self.moments.append((self.phase, self.node, operator))
        self.ran.append(Ran(self.phase, self.node, operator, len(self.moments) - 1))
        return len(self.moments) - 1

    def run(
        self,
        operator: str,
        inputs: Sequence[TapeTensor],
        count: int,
        result: Result = NEW,
        saves: Saves = NOTHING_SAVED,
        rule: BackwardRule = NO_STEPS,
    ) -> TapeTensor:
        """Run one operator on the inputs; returns the result, a tensor of ``count`` values per image.

        In training, gradients flow if an input derives from a weight or if the operator has trained weights.
        """
        if self.frozen and rule.weights:
            rule = without_weights(rule)
            if operator in PRODUCTS:
                saves = saves._replace(input="")
        last = len(self.operations) == self.stop_at and (rule.weights or any(value.derived for value in inputs))
        if last and not saves.output and not any(extra.why for extra in saves.extra):
            saved = self._saved(inputs[0], saves)
            self.operations.append(Operation(self.node, operator, inputs, inputs[0], saved, rule, self.parameter))
            raise Stopped(ran=False)
        now = len(self.moments)
        self.moments.append((self.phase, self.node, operator))
        flows = rule.weights
        for value in inputs:
            value.storage.dies = now
            flows = flows or value.derived
        flows = flows and self.training
        output = self._output(inputs[0], count, result, flows)
        if not result.view:
            self.ran.append(Ran(self.phase, self.node, operator, now, tuple(inputs), output))
        saved = self._saved(inputs[0], saves) if flows else []
        for per_image, fixed, label, why in saves.extra:
            made = self.make("saved", per_image * self.times, fixed, label)
            if why and flows:
                saved.append(Saved(made, self.node, why))
        if flows:
            if saves.output:
                saved.append(Saved(output.storage, self.node, saves.output))
            for one in saved:
                one.storage.dies = now
            self.operations.append(Operation(self.node, operator, inputs, output, saved, rule, self.parameter))
            if rule.weights:
                for step in rule.steps:
                    for target, *_ in step:
                        self.parameter += target in (WEIGHT, COPIED)
        if last:
            raise Stopped(ran=True)
        return output

    def _output(self, source: TapeTensor, count: int, result: Result, derived: bool) -> TapeTensor:
        over, view, order, size, role, label = result
        size = size or source.itemsize
        if over is not None:
            storage = over.storage
        elif view:
            storage = source.storage
        else:
            storage = self.make(role, count * size * self.times, 0, label)
        output = TapeTensor(storage, count, size, order or source.order, derived, self.times)
        if source.strides and not order:
            if storage is source.storage:
                output.sizes, output.strides, output.apart = source.sizes, source.strides, source.apart
            elif source.order == "moved":
                output.sizes, output.strides = source.sizes, packed(source.sizes, [source.strides])
                output.apart = source.apart if output.strides == source.strides else 0
        return output

    def _saved(self, source: TapeTensor, saves: Saves) -> list[Saved]:
        saved = [Saved(source.storage, self.node, saves.input)] if saves.input else []
        return [*saved, *(Saved(tensor, self.node, why) for tensor, why in saves.tensors)]
