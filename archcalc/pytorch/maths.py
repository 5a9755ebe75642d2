"""What PyTorch does with functions of mathematics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archcalc.layers import Layer
from archcalc.pytorch.code import InlineCode
from archcalc.pytorch.record import Record
from archcalc.pytorch.runner import Runner
from archcalc.pytorch.tape import NEW, PASSES, SCRATCH, BackwardRule, Made, Result, Saves, TapeTensor
from archcalc.sizes import Shape

WITHIN = {"abs": 1, "exp": 0, "log": 0, "sqrt": 1, "sin": 1, "cos": 2, "power": 2}
"""How many tensors the backward pass of each function makes before the gradient."""
OF_OUTPUT = ("exp", "sqrt")
"""Functions whose backward pass reads the output."""


class MathRecord(Record, type="math"):
    """One operator. The backward pass of a power makes the power less one and its product with the exponent, that of a cosine
    the sine and its negative."""

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


class ScaleRecord(Record, type="scale"):
    """A product with a constant, and a sum with another one."""

    saves_input, saves_output = False, False
    in_place = True
    keeps_format = True

    def code(self, layer: Any, x: Shape, out: Shape) -> InlineCode:
        return self._written("{0}", " * {factor}", " + {shift}", layer)

    def code_in_place(self, layer: Any, x: Shape) -> InlineCode:
        return self._written("{0}", ".mul_({factor})", ".add_({shift})", layer)

    def _written(self, x: str, product: str, total: str, layer: Any) -> InlineCode:
        product, total = product * layer.multiplies, total * (layer.shift != 0)
        arguments = {"factor": layer.factor} if product else {}
        return InlineCode(x + product + total, arguments | ({"shift": layer.shift} if total else {}))

    def run(self, tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        (x,) = xs
        if tape.overwrite:
            if layer.multiplies:
                x = tape.run("mul_", xs, out.values, Result(over=x), rule=tape.rule(x))
            return tape.run("add_", [x], out.values, Result(over=x), rule=PASSES) if layer.shift else x
        if layer.shift == 0:
            return tape.run("mul", xs, out.values, rule=tape.rule(x))
        if layer.multiplies:
            x = tape.run("mul", xs, out.values, Result(role="scratch", label="scaled"), rule=tape.rule(x))
        return tape.run("add", [x], out.values, rule=PASSES)

    def stand_in(self, layer: Any, out: Shape) -> Sequence[Layer]:
        """No layers: a unit reads only its own position."""
        return []
