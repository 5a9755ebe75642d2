"""What attention adds to its scores: a trained bias by relative position, and a mask for windows of a rolled map."""

from __future__ import annotations

from typing import Any, NamedTuple

from archcalc.pytorch.runner import Runner
from archcalc.pytorch.tape import PASSES, SCRATCH, BackwardRule, Made, Operation, TapeTensor
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


def bias_of(tape: Runner, layer: Any, queries: Shape) -> Bias | None:
    """What is added to the scores, if anything is: for the images alike, or a copy for each image."""
    if not layer.bias and not layer.shifted:
        return None
    heads, n, size = layer.heads if layer.bias else 1, queries.axes[-1], tape.itemsize
    derived = tape.trains and layer.bias is not None
    count = heads * n * n if layer.bias else 1
    bias = Bias.made(tape, "index" if layer.bias else "new_zeros", count, size, derived, "bias")
    if derived:
        numbers = int(layer.params(queries).weight)
        steps = [[Made(SCRATCH, 0, numbers * size)], tape.gradients(numbers)]
        tape.operations.append(Operation(tape.node, "index", [], bias.tensor, [], BackwardRule(steps), tape.parameter))
        tape.parameter += 1
    if layer.bias and heads > 1 and n > 1:
        bias = bias.then(tape, "clone", PASSES, "bias by heads")
    if layer.shifted:
        windows = product(queries.axes[:-1])
        steps = [[Made(SCRATCH, 0, heads * n * n * windows * size)], [Made(0, 0, count * size)]]
        rule = BackwardRule(steps if windows > 1 else [[Made(0, 0, count * size)]])
        bias = bias.then(tape, "masked_fill", rule, "bias of every window", heads * n * n * windows)
        rule = BackwardRule([[Made(0, 0, bias.values * size)]])
        bias = bias.then(tape, "repeat", rule, "bias of every image", repeated=True)
    return bias
