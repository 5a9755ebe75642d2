"""A recording of what PyTorch runs for a network: operators one after another, and the tensors that they make.

Every moment of a run is one operator; a tensor is alive from the moment that makes it to the last that
needs it. Sizes are exact for every batch at once: so many bytes per image and so many whatever the batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

Phase = Literal["forward", "backward", "step"]
Role = Literal["map", "saved", "scratch", "gradient", "weight gradient", "weight copy", "image"]
"""map: output of a layer; saved: indices, statistics and masks for the backward pass; scratch: freed within a layer."""


class Storage:
    """The memory behind one or more tensors: its size, and the first and last moment at which it is alive.

    ``label`` tells it from others of the same layer.
    """

    __slots__ = ("born", "dies", "fixed", "label", "layer", "node", "per_image", "role")

    def __init__(
        self, layer: str, node: int, role: Role, per_image: int, fixed: int, born: int, label: str = ""
    ) -> None:
        self.layer, self.node, self.role, self.label = layer, node, role, label
        self.per_image, self.fixed = per_image, fixed
        self.born = self.dies = born

    @property
    def name(self) -> str:
        return f"{self.layer}: {self.label}" if self.label else self.layer

    def bytes(self, batch: int) -> int:
        return self.fixed + batch * self.per_image

    def until(self, moment: int) -> None:
        """Alive at that moment too."""
        if moment > self.dies:
            self.dies = moment


class Moment(NamedTuple):
    """One operator: the phase, the index of the layer that it belongs to, and its name in PyTorch."""

    phase: Phase
    node: int
    operator: str


class TapeTensor:
    """A tensor as operators see it.

    count:    values per image
    itemsize: bytes of one value
    order:    memory order. ``first``: contiguous (NCHW). ``last``: channels-last (NHWC). ``unit``: channels-last
              strides, but the values lie as in ``first`` because the map has one channel or one position.
              ``part``: some channels of a larger map.
    derived:  whether a gradient flows to the tensor
    strides:  strides of the channels and of every axis, where the tensor is some positions of a larger map; else empty
    """

    __slots__ = ("count", "derived", "itemsize", "order", "storage", "strides")

    def __init__(self, storage: Storage, count: int, itemsize: int, order: str = "first", derived: bool = False):
        self.storage, self.count, self.itemsize, self.order, self.derived = storage, count, itemsize, order, derived
        self.strides: tuple[int, ...] = ()


class Made(NamedTuple):
    """What one step of an operator's backward pass makes.

    target:    the number of the input whose gradient it is, or WEIGHT, SCRATCH or COPIED (the gradient of a weight in
               another dtype or order, which is copied afterwards)
    per_image, fixed: bytes per image, and bytes whatever the batch
    until:     scratch lives up to and with this step
    becomes:   the bytes of a COPIED gradient after the copy
    """

    target: int
    per_image: int
    fixed: int
    until: int = -1
    becomes: int = 0


WEIGHT, SCRATCH, COPIED = -1, -2, -3
Backward = Sequence[Sequence[Made]]
"""The steps of an operator's backward pass, and what each makes."""


class Result(NamedTuple):
    """Where an operator's result lies.

    over:     the tensor whose storage the result takes (an operator in place)
    view:     whether the result is a view of the first input
    order:    memory order; '' = that of the first input
    itemsize: bytes of a value; 0 = those of the first input
    role, label: of a new storage
    """

    over: TapeTensor | None = None
    view: bool = False
    order: str = ""
    itemsize: int = 0
    role: Role = "map"
    label: str = ""


class Extra(NamedTuple):
    """A further result of an operator, and why the backward pass needs it ('' where it does not)."""

    per_image: int
    fixed: int
    label: str
    why: str = ""


class Saves(NamedTuple):
    """What an operator saves for its backward pass.

    input, output: why it saves its first input, and its result; '' where it does not
    tensors: other tensors that it saves, each with the reason
    extra:   further results, which it makes without a backward pass too
    """

    input: str = ""
    output: str = ""
    tensors: Sequence[tuple[Storage, str]] = ()
    extra: Sequence[Extra] = ()


class BackwardRule(NamedTuple):
    """How gradients flow through an operator.

    steps:              what each step of its backward pass makes
    weights:            whether the operator has weights, so that a gradient always flows
    passes_gradient_on: whether the gradient of the output is that of every input that no step makes one for
    gradient_order:     memory order of the input gradients; '' = order of the output gradient
    needs_order:        memory order that the operator needs for its output gradient; a gradient in another order is
                        copied first
    reading_steps:      number of steps that read saved tensors; 0 = all. Later steps sum gradients to smaller shapes
                        or cast them.
    """

    steps: Backward = ()
    weights: bool = False
    passes_gradient_on: bool = False
    gradient_order: str = ""
    needs_order: str = ""
    reading_steps: int = 0


NEW, VIEW, NOTHING_SAVED = Result(), Result(view=True), Saves()
ORDERED = {order: Result(order=order) for order in ("", "first", "last", "unit", "part")}
"""New storage for a map in a memory order."""
NO_STEPS, PASSES = BackwardRule(), BackwardRule(passes_gradient_on=True)


class Saved(NamedTuple):
    """A storage that the backward pass of a layer needs, and as what."""

    storage: Storage
    node: int
    why: str


class Operation:
    """An operator that gradients flow through.

    node, operator: the layer that it belongs to, and its name in PyTorch
    inputs, output: its tensors
    saved:     what it saved for its backward pass
    rule:      how gradients flow through it
    parameter: the number of its first weight among those of its layer
    """

    __slots__ = ("inputs", "node", "operator", "output", "parameter", "rule", "saved")

    def __init__(
        self,
        node: int,
        operator: str,
        inputs: Sequence[TapeTensor],
        output: TapeTensor,
        saved: list[Saved],
        rule: BackwardRule,
        parameter: int,
    ) -> None:
        self.node, self.operator, self.inputs, self.output = node, operator, inputs, output
        self.saved, self.rule, self.parameter = saved, rule, parameter


class Stopped(Exception):  # noqa: N818
    """The last operator that was wanted has run, or need not run."""

    def __init__(self, ran: bool) -> None:
        self.ran = ran


class Tape:
    """The recording while it is made: a layer runs its operators through it one by one.

    The operator that would be number ``stop_at`` of ``operations`` is the last: it runs, or where all that is saved
    of it was there before, it does not, and Stopped is raised.
    """

    def __init__(self, training: bool) -> None:
        self.training = training
        self.moments: list[tuple[Phase, int, str]] = []
        """The fields of every Moment."""
        self.storages: list[Storage] = []
        self.operations: list[Operation] = []
        self.node, self.name = 0, ""
        self.phase: Phase = "forward"
        self.stop_at = -1
        self.parameter = 0
        """How many weights of this layer have had their operators."""

    @property
    def now(self) -> int:
        """The last moment so far."""
        return len(self.moments) - 1

    def make(self, role: Role, per_image: int, fixed: int = 0, label: str = "") -> Storage:
        """A storage that the operator of this moment makes."""
        made = Storage(self.name, self.node, role, per_image, fixed, len(self.moments) - 1, label)
        self.storages.append(made)
        return made

    def moment(self, operator: str) -> int:
        """An operator runs; its moment."""
        self.moments.append((self.phase, self.node, operator))
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
        """Run one operator on the inputs; the tensor of ``count`` values per image that it makes.

        In training, gradients flow where an input derives from a weight, or where the operator has weights.
        """
        last = len(self.operations) == self.stop_at
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
        saved = self._saved(inputs[0], saves) if flows else []
        for per_image, fixed, label, why in saves.extra:
            made = self.make("saved", per_image, fixed, label)
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
            storage = self.make(role, count * size, 0, label)
        output = TapeTensor(storage, count, size, order or source.order, derived)
        if source.strides and not order and storage is source.storage:
            output.strides = source.strides
        return output

    def _saved(self, source: TapeTensor, saves: Saves) -> list[Saved]:
        saved = [Saved(source.storage, self.node, saves.input)] if saves.input else []
        return [*saved, *(Saved(tensor, self.node, why) for tensor, why in saves.tensors)]
