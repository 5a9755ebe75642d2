"""What PyTorch does with reductions: one operator over one or more axes, whose output keeps the axes with size 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archcalc.layers import Layer
from archcalc.layers.axes import sizes_of
from archcalc.pytorch.code import InlineCode
from archcalc.pytorch.record import Record
from archcalc.pytorch.runner import INT64, Runner
from archcalc.pytorch.tape import NOTHING_SAVED, ORDERED, SCRATCH, BackwardRule, Made, TapeTensor
from archcalc.sizes import Shape

OPERATORS = {"mean": "mean", "sum": "sum", "max": "amax"}


class ReduceRecord(Record, type="reduce"):
    """The output is contiguous (channels first), whatever the memory order of the input.

    The gradient of a sum is a view that repeats the output's gradient. The gradient of a mean is this view, divided. The
    gradient of a maximum is divided among equal maxima: a mask of the maxima, its sums in int64, a quotient, a product.
    """

    saves_input, saves_output = True, True
    in_place = False
    keeps_format = False

    def code(self, layer: Any, x: Shape, out: Shape) -> InlineCode:
        dims: Any = tuple(1 + at for at in layer.over(x))
        return InlineCode(
            f"{{0}}.{OPERATORS[layer.by]}({{dim}}, keepdim=True)", {"dim": dims if len(dims) > 1 else dims[0]}
        )

    def run(self, tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        (x,), parts, saves = xs, (sizes_of(shapes[0]), sizes_of(out)), NOTHING_SAVED
        steps = [[Made(0, x.count * x.itemsize, 0)]]
        if layer.by == "max":
            temporary = x.count, out.values * INT64, out.values * x.itemsize
            steps = [*([Made(SCRATCH, size, 0)] for size in temporary), *steps]
            saves = self.saves
        rule = BackwardRule([] if layer.by == "sum" else steps, False, layer.by == "sum", "repeated", parts=parts)
        return tape.run(OPERATORS[layer.by], xs, out.values, ORDERED["first"], saves, rule)

    def stand_in(self, layer: Any, out: Shape) -> Sequence[Layer]:
        return [type(layer)(by="mean", axis=layer.axis)] if out.axes and layer.axis != "channels" else []
