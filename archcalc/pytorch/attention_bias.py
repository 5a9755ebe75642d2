"""What attention adds to its scores: a map or a trained bias by relative position, and a mask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from archcalc.layers.arrangement import Arrangement, Part
from archcalc.layers.attention import HIDDEN
from archcalc.pytorch.runner import Runner
from archcalc.pytorch.tape import (
    PASSES,
    SCRATCH,
    WEIGHT,
    BackwardRule,
    Made,
    Operation,
    Result,
    Saved,
    Storage,
    TapeTensor,
)
from archcalc.sizes import Shape, product


class Bias(NamedTuple):
    """What is added to the scores: a tensor for all images, or a copy for each image (``repeated``).

    values: the numbers of the tensor, or of the copy of one image. table: computed numbers from which it was gathered.
    """

    tensor: TapeTensor
    values: int
    repeated: bool = False
    table: Storage | None = None

    @classmethod
    def none(cls, tape: Runner) -> Bias:
        """A tensor that takes no memory."""
        return cls(TapeTensor(Storage("", tape.node, "scratch", 0, 0, tape.now, ""), 0, tape.itemsize), 0)

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
        saves_output: str = "",
    ) -> Bias:
        """The result of an operator on the tensor."""
        old, count = self.tensor, count or self.values
        itemsize, repeated = itemsize or old.itemsize, repeated or self.repeated
        size = count * itemsize
        storage = tape.scratch(operator, size if repeated else 0, 0 if repeated else size, label)
        old.storage.until(tape.now)
        new = TapeTensor(storage, count, itemsize, derived=old.derived, times=tape.times if repeated else 1)
        if old.derived:
            saved = [Saved(storage, tape.node, saves_output)] if saves_output else []
            tape.operations.append(Operation(tape.node, operator, [old], new, saved, rule, tape.parameter))
        return Bias(new, count, repeated, self.table)

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
    bias = _given(tape, xs[3], shapes[3]) if given else _trained(tape, layer, shapes[0], xs[0])
    if layer.shifted or layer.causal:
        bias = _masked(tape, layer, bias, shapes)
    if bias.table:
        bias.table.until(tape.now)
    return bias


def _masked(tape: Runner, layer: Any, bias: Bias, shapes: Sequence[Shape]) -> Bias:
    """The bias, -inf where a query does not read a key; a copy for each image if the windows differ."""
    given, (queries, keys) = len(shapes) > 3, shapes[:2]
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
        size = max(tokens.itemsize, tape.itemsize if layer.cosine else 0)  # of queries times a scale
        return Bias.made(tape, "new_zeros", 1, size, False, "bias")
    if layer.bias == "continuous":
        bias = _gathered(tape, _computed(tape, layer), heads * n * n)
    else:
        bias = _gathered_parameters(tape, int(layer.heads * layer.relative_positions), heads * n * n)
    return bias.then(tape, "clone", PASSES, "bias by heads") if heads > 1 and n > 1 else bias


def _gathered_parameters(tape: Runner, numbers: int, count: int) -> Bias:
    """The trained number of each pair of positions."""
    size, derived = tape.itemsize, tape.trains
    bias = Bias.made(tape, "index", count, size, derived, "bias")
    if derived:
        steps = [[Made(SCRATCH, 0, numbers * size)], tape.gradients(numbers)]
        tape.operations.append(Operation(tape.node, "index", [], bias.tensor, [], BackwardRule(steps), tape.parameter))
        tape.parameter += 1
    return bias


def _gathered(tape: Runner, table: Bias, count: int) -> Bias:
    """The computed number of each pair of positions. The table stays alive until the bias is complete."""
    size = table.values * table.tensor.itemsize
    rule = BackwardRule([[Made(SCRATCH, 0, size)], [Made(0, 0, size)]])
    return table.then(tape, "index", rule, "bias", count)._replace(table=table.tensor.storage)


def _computed(tape: Runner, layer: Any) -> Bias:
    """A number for each relative position and head: two linear layers with ReLU between, and 16 times a sigmoid."""
    rows, axes = layer.relative_positions, len(layer.sides)
    hidden = rows * HIDDEN
    distances = Bias.none(tape)
    weights = tape.weights(axes * HIDDEN, HIDDEN)
    if tape.amp:
        distances = Bias.made(tape, "_to_copy", rows * axes, 2, False, "distances in half precision")
    first = _linear(tape, distances, weights, "addmm", hidden)
    first = _rectified(tape, first)
    second = _linear(tape, first, tape.weights(HIDDEN * layer.heads), "mm", rows * layer.heads)
    size = second.values * second.tensor.itemsize
    rule = BackwardRule([[Made(0, 0, size)]])
    logistic = second.then(tape, "sigmoid", rule, "sigmoid of numbers", saves_output="its output")
    return logistic.then(tape, "mul", rule, "number of each relative position")


def _linear(tape: Runner, x: Bias, weights: tuple[list[Made], list[TapeTensor]], operator: str, count: int) -> Bias:
    """A linear layer. Autograd makes the gradients of weight, bias and input (addmm), or of weight and input (mm)."""
    gradients, copies = weights
    old, itemsize = x.tensor, 2 if tape.amp else tape.itemsize
    y = Bias.made(tape, operator, count, itemsize, tape.trains, "hidden features" if operator == "addmm" else "numbers")
    for one in (old, *copies):
        one.storage.until(tape.now)
    if not tape.trains:
        return y
    saved = [Saved(old.storage, tape.node, "its input")]
    if old.derived:
        saved += [Saved(copy.storage, tape.node, "its weights in half precision") for copy in copies[:1]]
    steps = [[made] for made in gradients] + [[Made(0, 0, x.values * old.itemsize)]] * old.derived
    rule = BackwardRule(steps, weights=True, reading_steps=2)
    tape.operations.append(Operation(tape.node, operator, [old, *copies], y.tensor, saved, rule, tape.parameter))
    tape.parameter += sum(made.target == WEIGHT for made in gradients)
    return y


def _rectified(tape: Runner, x: Bias) -> Bias:
    """ReLU in place."""
    old = x.tensor
    old.storage.until(tape.moment("relu_"))
    new = TapeTensor(old.storage, x.values, old.itemsize, derived=old.derived)
    if old.derived:
        rule = BackwardRule([[Made(0, 0, x.values * old.itemsize)]])
        saved = [Saved(old.storage, tape.node, "its output")]
        tape.operations.append(Operation(tape.node, "relu_", [old], new, saved, rule, tape.parameter))
    return x._replace(tensor=new)
