"""What attention adds to its scores: a map or a trained bias by relative position, and a mask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from archcalc.layers.arrangement import Arrangement, Part
from archcalc.pytorch.runner import Runner
from archcalc.pytorch.tape import PASSES, SCRATCH, BackwardRule, Made, Operation, Result, TapeTensor
from archcalc.sizes import Shape, product


class Bias(NamedTuple):
    """What is added to the scores: a tensor for all images, or a copy for each image (``repeated``).

    values: the numbers of the tensor, or of the copy of one image.
    """

    tensor: TapeTensor
    values: int
    repeated: bool = False

    @classmethod
    def made(cls, tape: Runner, operator: str, count: int, itemsize: int, derived: bool, label: str) -> Bias:
        storage = tape.scratch(operator, 0, count * itemsize, label)
        return cls(TapeTensor(storage, count, itemsize, derived=derived), count)

    def then(
        self,
        tape: Runner,
        operator: str,
        rule: BackwardRule,
        label: str,
        count: int = 0,
        itemsize: int = 0,
        repeated: bool = False,
    ) -> Bias:
        """The result of an operator on the tensor."""
        old, count = self.tensor, count or self.values
        itemsize, repeated = itemsize or old.itemsize, repeated or self.repeated
        size = count * itemsize
        storage = tape.scratch(operator, size if repeated else 0, 0 if repeated else size, label)
        old.storage.until(tape.now)
        new = TapeTensor(storage, count, itemsize, derived=old.derived, times=tape.times if repeated else 1)
        if old.derived:
            tape.operations.append(Operation(tape.node, operator, [old], new, [], rule, tape.parameter))
        return Bias(new, count, repeated)

    def low(self, tape: Runner) -> Bias:
        """The tensor in half precision under autocast."""
        if not tape.amp or self.tensor.itemsize == 2:
            return self
        size = self.values * self.tensor.itemsize
        rule = BackwardRule([[Made(0, size if self.repeated else 0, 0 if self.repeated else size)]])
        return self.then(tape, "_to_copy", rule, "bias in half precision", itemsize=2)


def bias_of(tape: Runner, layer: Any, xs: Sequence[TapeTensor], shapes: Sequence[Shape]) -> Bias | None:
    """What is added to the scores, if anything is: for the images alike, or a copy for each image."""
    given = len(xs) > 3
    if not (given or layer.bias or layer.shifted):
        return None
    queries, keys = shapes[:2]
    bias = _given(tape, xs[3], shapes[3]) if given else _trained(tape, layer, queries, xs[0])
    if not (layer.shifted or layer.causal):
        return bias
    windows = product(queries.axes[:-1]) if layer.shifted else 1
    heads = layer.heads if layer.bias else 1
    count = bias.values if given else heads * queries.axes[-1] * keys.axes[-1] * windows
    size = bias.tensor.itemsize
    steps = [[Made(0, bias.values * size if given else 0, 0 if given else bias.values * size)]]
    if not given and windows > 1:
        steps = [[Made(SCRATCH, 0, count * size)], *steps]
    bias = bias.then(tape, "masked_fill", BackwardRule(steps), "bias of every window", count)
    if layer.shifted and not given:
        rule = PASSES if tape.batch.alone(tape.times) else BackwardRule([[Made(0, 0, bias.values * size)]])
        bias = bias.then(tape, "repeat", rule, "bias of every image", repeated=True)
    return bias


def windows_first(shape: Shape, inner: int) -> Arrangement:
    """A movement of the channels behind all axes but the ``inner`` last, which are as in a batch."""
    first, *parts = [(Part(str(at), size),) for at, size in enumerate((shape.channels, *shape.axes))]
    at = len(parts) - inner
    return Arrangement((first, *parts), (*parts[:at], first, *parts[at:]))


def _given(tape: Runner, x: TapeTensor, shape: Shape) -> Bias:
    """A map that is added to the scores; copied first if it does not lie window by window, then head by head."""
    operator, result = "view", Result(view=True, order="first")
    if not tape.contiguous(x, shape, windows_first(shape, 2)):
        operator, result = "clone", Result(order="first", role="scratch", label="bias in order")
    rule = BackwardRule(passes_gradient_on=True, moves=windows_first(shape, 2))
    return Bias(tape.run(operator, [x], x.count, result, rule=rule), x.count, repeated=True)


def _trained(tape: Runner, layer: Any, queries: Shape, tokens: TapeTensor) -> Bias:
    """A trained number for each relative position, or a zero to which the mask is added."""
    heads, n = layer.heads, queries.axes[-1]
    if not layer.bias:
        return Bias.made(tape, "new_zeros", 1, tokens.itemsize, False, "bias")
    size, derived = tape.itemsize, tape.trains
    bias = Bias.made(tape, "index", heads * n * n, size, derived, "bias")
    if derived:
        numbers = int(layer.params(queries).weight)
        steps = [[Made(SCRATCH, 0, numbers * size)], tape.gradients(numbers)]
        tape.operations.append(Operation(tape.node, "index", [], bias.tensor, [], BackwardRule(steps), tape.parameter))
        tape.parameter += 1
    return bias.then(tape, "clone", PASSES, "bias by heads") if heads > 1 and n > 1 else bias
