"""A recording of what PyTorch runs for a network: operators one after another, and the tensors that they make.

Every moment of a run is one operator; a tensor is alive from the moment that makes it to the last that
needs it. Sizes are exact for every batch at once: so many bytes per image and so many whatever the batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

Phase = Literal["forward", "backward", "step"]
Role = Literal["map", "kept", "scratch", "gradient", "weight gradient", "weight copy", "image"]
"""map: what layers pass on; kept: indices, statistics and masks for the backward pass; scratch: within a layer."""


class Storage:
    """The memory behind one or more tensors: its size, and the first and last moment at which it is alive.

    ``what`` tells it from others of the same layer.
    """

    __slots__ = ("born", "dies", "fixed", "layer", "node", "per_image", "role", "what")

    def __init__(
        self, layer: str, node: int, role: Role, per_image: int, fixed: int, born: int, what: str = ""
    ) -> None:
        self.layer, self.node, self.role, self.what = layer, node, role, what
        self.per_image, self.fixed = per_image, fixed
        self.born = self.dies = born

    @property
    def name(self) -> str:
        return f"{self.layer}: {self.what}" if self.what else self.layer

    def bytes(self, batch: int) -> int:
        return self.fixed + batch * self.per_image

    def until(self, moment: int) -> None:
        """Alive at that moment too."""
        if moment > self.dies:
            self.dies = moment

    def __repr__(self) -> str:
        return f"Storage({self.name}, {self.per_image}/image + {self.fixed}, {self.born}..{self.dies})"


class Moment(NamedTuple):
    """One operator: the phase, the index of the layer that it belongs to, and its name in PyTorch."""

    phase: Phase
    node: int
    operator: str


class TapeTensor:
    """A tensor as operators see it: values per image, bytes of one, order in memory, and what it derives from.

    ``order`` is ``first`` where the values of an image lie in the order of the shape, ``last`` where the channels
    come last, ``unit`` where they do but lie as in ``first``, and ``part`` for some channels of a larger map.
    ``derived`` says that a gradient flows to it. ``strides`` are those of the channels and of every axis where the
    tensor is some positions of a larger map, and empty otherwise.
    """

    __slots__ = ("count", "derived", "itemsize", "order", "storage", "strides")

    def __init__(self, storage: Storage, count: int, itemsize: int, order: str = "first", derived: bool = False):
        self.storage, self.count, self.itemsize, self.order, self.derived = storage, count, itemsize, order, derived
        self.strides: tuple[int, ...] = ()


class Made(NamedTuple):
    """What one step of an operator's backward pass makes: the gradient of an input, of a weight, or scratch.

    ``of`` is the number of the input, WEIGHT, SCRATCH or COPIED: the gradient of a weight in another dtype or
    order, which becomes one of so many bytes afterwards. Scratch lives up to and with the step ``until``.
    """

    of: int
    per_image: int
    fixed: int
    until: int = -1
    becomes: int = 0


WEIGHT, SCRATCH, COPIED = -1, -2, -3
Backward = Sequence[Sequence[Made]]


class Saved(NamedTuple):
    """A storage that the backward pass of a layer needs, and as what."""

    storage: Storage
    node: int
    why: str


class Operation:
    """An operator that gradients flow through: how, and what it saved for that.

    ``parameter`` is the number of its first weight among those of its layer. ``gives`` is the order in memory of the
    gradients of its inputs, that of the output's where it says nothing; with ``wants`` its output's gradient is
    copied if it comes in another order. Only the first ``applies`` steps read what was saved, if it says so: those
    after them sum gradients to smaller shapes, or copy them into another precision.
    """

    __slots__ = (
        "applies",
        "backward",
        "gives",
        "inputs",
        "node",
        "operator",
        "output",
        "parameter",
        "passes",
        "saved",
        "wants",
    )

    def __init__(
        self,
        node: int,
        operator: str,
        inputs: Sequence[TapeTensor],
        output: TapeTensor,
        saved: list[Saved],
        backward: Backward,
        passes: bool,
        parameter: int,
        gives: str,
        wants: str,
        applies: int = 0,
    ) -> None:
        self.node, self.operator, self.inputs, self.output = node, operator, inputs, output
        self.saved, self.backward, self.passes = saved, backward, passes
        self.parameter, self.gives, self.wants, self.applies = parameter, gives, wants, applies


class Stopped(Exception):  # noqa: N818
    """The last operator that was wanted has run, or need not run."""

    def __init__(self, ran: bool) -> None:
        self.ran = ran


class Tape:
    """The recording while it is made: a layer runs its operators through it one by one.

    The operator that would be number ``stop_at`` of ``operations`` is the last: it runs, or where all that is kept
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

    def make(self, role: Role, per_image: int, fixed: int = 0, what: str = "") -> Storage:
        """A storage that the operator of this moment makes."""
        made = Storage(self.name, self.node, role, per_image, fixed, len(self.moments) - 1, what)
        self.storages.append(made)
        return made

    def moment(self, operator: str) -> int:
        self.moments.append((self.phase, self.node, operator))
        return len(self.moments) - 1

    def run(
        self,
        operator: str,
        inputs: Sequence[TapeTensor],
        count: int,
        *,
        over: TapeTensor | None = None,
        view: bool = False,
        order: str = "",
        itemsize: int = 0,
        role: Role = "map",
        what: str = "",
        keep: Iterable[tuple[TapeTensor | Storage, str]] = (),
        keep_output: str = "",
        beside: Iterable[tuple[int, int, str, str]] = (),
        weights: bool = False,
        backward: Backward = (),
        passes: bool = False,
        gives: str = "",
        wants: str = "",
        applies: int = 0,
    ) -> TapeTensor:
        """One operator on the inputs, and the tensor that it makes.

        The result is new memory, that of ``over``, or with ``view`` that of the first input. In training
        ``keep`` are the tensors whose values the backward pass reads, and as what (``keep_output``: the result);
        ``beside`` are further results (bytes per image, fixed bytes, what it is, and why it is kept, if it is).
        Gradients flow where an input derives from a weight or where the operator has ``weights``; they take the
        steps of ``backward``, or with ``passes`` go on as they are; the rest is as in Operation.
        """
        last = len(self.operations) == self.stop_at
        if last and not keep_output and not any(why for *_, why in beside):
            self.operations.append(
                Operation(
                    self.node,
                    operator,
                    inputs,
                    inputs[0],
                    self._saved(keep),
                    backward,
                    passes,
                    self.parameter,
                    gives,
                    wants,
                    applies,
                )
            )
            raise Stopped(ran=False)
        now, node = len(self.moments), self.node
        self.moments.append((self.phase, node, operator))
        flows = weights
        for value in inputs:
            value.storage.dies = now
            flows = flows or value.derived
        flows = flows and self.training
        source = inputs[0]
        size = itemsize or source.itemsize
        if over is not None:
            storage = over.storage
        elif view:
            storage = source.storage
        else:
            storage = self.make(role, count * size, 0, what)
        output = TapeTensor(storage, count, size, order or source.order, flows)
        if source.strides and not order and storage is source.storage:
            output.strides = source.strides
        saved = self._saved(keep) if flows else []
        for per_image, fixed, name, why in beside:
            made = self.make("kept", per_image, fixed, name)
            if why and flows:
                saved.append(Saved(made, node, why))
        if flows:
            if keep_output:
                saved.append(Saved(storage, node, keep_output))
            for one in saved:
                one.storage.dies = now
            self.operations.append(
                Operation(
                    node, operator, inputs, output, saved, backward, passes, self.parameter, gives, wants, applies
                )
            )
            if weights:
                for step in backward:
                    for of, *_ in step:
                        self.parameter += of in (WEIGHT, COPIED)
        if last:
            raise Stopped(ran=True)
        return output

    def _saved(self, keep: Iterable[tuple[TapeTensor | Storage, str]]) -> list[Saved]:
        saved = []
        for kept, why in keep:
            saved.append(Saved(kept.storage if isinstance(kept, TapeTensor) else kept, self.node, why))
        return saved
