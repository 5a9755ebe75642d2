"""What PyTorch does with functions of mathematics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archcalc.layers import Layer
from archcalc.pytorch.code import InlineCode
from archcalc.pytorch.record import Record
from archcalc.pytorch.runner import Runner
from archcalc.pytorch.tape import NEW, SCRATCH, BackwardRule, Made, Saves, TapeTensor
from archcalc.sizes import Shape

WITHIN = {"abs": 1, "exp": 0, "log": 0, "sqrt": 1, "power": 2}
"""How many tensors the backward pass of each function makes before the gradient."""
OF_OUTPUT = ("exp", "sqrt")
"""Functions whose backward pass reads the output."""


class MathRecord(Record, type="math"):
    """One operator. The backward pass of a power makes the power less one and its product with the exponent."""

    saves_input, saves_output = True, True
    in_place = False
    keeps_format = False

    def code(self, layer: Any, x: Shape, out: Shape) -> InlineCode:
        if layer.function == "power":
            return InlineCode("{0} ** {exponent}", {"exponent": layer.exponent})
        return InlineCode(f"{{0}}.{layer.function}()")

    def run(self, tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        (x,) = xs
        count, size = WITHIN[layer.function], x.count * x.itemsize
        rule = BackwardRule([*([Made(SCRATCH, size, 0, count)] for _ in range(count)), [Made(0, size, 0)]])
        of_output = layer.function in OF_OUTPUT
        saves = Saves(output=self.saves.output) if of_output else Saves(self.saves.input)
        operator = "pow" if layer.function == "power" else layer.function
        return tape.run(operator, xs, x.count, NEW, saves, rule)

    def stand_in(self, layer: Any, out: Shape) -> Sequence[Layer]:
        """No layers: a unit reads only its own position."""
        return []
