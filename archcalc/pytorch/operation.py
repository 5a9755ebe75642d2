"""An operator on a tape: what it read, made and saved, and how gradients flow through it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from archcalc.layers.arrangement import Arrangement
from archcalc.pytorch.tensor import Storage, TapeTensor

Phase = Literal["forward", "backward", "step"]


class Made(NamedTuple):
    """What one step of an operator's backward pass makes.

    target:    the number of the input to which the gradient belongs, or WEIGHT, SCRATCH or COPIED (the gradient of a
               weight in another dtype or order, which is copied afterwards)
    per_image, fixed: bytes per image or per region, and bytes that do not depend on the batch
    until:     number of the last step at which the scratch is alive
    becomes:   the bytes of a COPIED gradient after the copy; of a gradient of an input, the slack behind its values
    """

    target: int
    per_image: int
    fixed: int
    until: int = -1
    becomes: int = 0


WEIGHT, SCRATCH, COPIED = -1, -2, -3
Backward = Sequence[Sequence[Made]]
"""The steps of an operator's backward pass, and what each makes."""


class BackwardRule(NamedTuple):
    """How gradients flow through an operator.

    steps:              what each step of the operator's backward pass makes
    weights:            whether the operator has weights, so that a gradient always flows
    passes_gradient_on: whether the output gradient is also the gradient of each input for which no step makes one
    gradient_order:     memory order of the input gradients; '' = order of the output gradient; ``format`` = its memory
                        format; ``moved`` = order of the input; ``repeated``: as the repeated output gradient
    needs_order:        memory order that the operator needs for its output gradient; a gradient in another order is
                        copied first. ``last``, ``first``: all axes but the innermost as one; ``channels``: the channels
                        of all images as one; ``windows``: all axes but the last as one, copied as ``last``;
                        ``matrices``: all axes but the innermost two as one, copied as ``first``; ``image``: the axes and
                        then the channels of an image as one, copied as ``last``; ``values``: as ``image``, where the order
                        of axes and channels does not matter; ``heads``: all axes but the last, and then the channels, as
                        one; ``positions``: the axes of an image as one, copied as ``first``
    copies_inside:      whether the operator itself makes the copy in that order: the gradient stays alive while it runs
    sizes:              the sizes of the result, if ``needs_order`` is not empty
    reading_steps:      number of steps that read saved tensors; 0 = all. Later steps sum gradients to smaller shapes
                        or cast them.
    keeps:              whether the gradient of a weight is the output gradient itself, if this lies as the weight does
    moves:              how the operator moved the values, if it is a movement: the gradient moves back
    parts:              the sizes of each input of a concatenation or a reduction, and the sizes of the result
    """

    steps: Backward = ()
    weights: bool = False
    passes_gradient_on: bool = False
    gradient_order: str = ""
    needs_order: str = ""
    copies_inside: bool = False
    sizes: tuple[int, ...] = ()
    reading_steps: int = 0
    keeps: bool = False
    moves: Arrangement | None = None
    parts: tuple[tuple[int, ...], ...] = ()


class Saved(NamedTuple):
    """A storage that the backward pass of a layer needs, and the reason."""

    storage: Storage
    node: int
    why: str


class Operation:
    """An operator that gradients flow through.

    node, operator: index of the operator's layer, and name of the operator in PyTorch
    inputs, output: the tensors that the operator reads and makes
    saved:     the storages that the operator saved for the backward pass
    rule:      how gradients flow through the operator
    parameter: the number of the operator's first weight among the weights of the layer
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


class Ran(NamedTuple):
    """One operator that ran, and the tensors that it read and made.

    moment:    the moment of the operator, at which the storages that it makes are born
    inputs, output: the tensors of an operator of the forward pass; none are known of an operator that only makes storages
    operation: of a step of the backward pass, the operator of the forward pass
    made:      what this step makes
    summed:    bytes per image and fixed bytes of a gradient to which another is added in place, which is no moment
    """

    phase: Phase
    node: int
    operator: str
    moment: int
    inputs: Sequence[TapeTensor] = ()
    output: TapeTensor | None = None
    operation: Operation | None = None
    made: Sequence[Made] = ()
    summed: tuple[int, int] = (0, 0)
