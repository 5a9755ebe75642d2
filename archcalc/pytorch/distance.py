"""What PyTorch does with distances to fixed codes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archcalc.layers import Layer
from archcalc.pytorch.code import ModuleCode
from archcalc.pytorch.record import Record
from archcalc.pytorch.runner import Runner, into
from archcalc.pytorch.tape import PASSES, SCRATCH, BackwardRule, Made, Result, Saves, TapeTensor
from archcalc.sizes import Shape


class RbfRecord(Record, type="rbf"):
    """Differences to fixed codes, the squares of the differences, and the sums of the squares."""

    saves_input, saves_output = False, False
    in_place = False
    keeps_format = False

    def code(self, layer: Any, x: Shape, out: Shape) -> ModuleCode:
        return ModuleCode("Rbf", {"features": x.channels, "classes": layer.out}, 2)

    def run(self, tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        (x,) = xs
        n, size = out.values * x.count, max(x.itemsize, tape.itemsize)
        rule = PASSES if out.channels == 1 else BackwardRule(into(0, x, size, x.count, 1))
        apart = tape.run("sub", xs, n, Result(itemsize=size, role="scratch", label="differences"), rule=rule)
        whole = n * size
        rule = BackwardRule([[Made(SCRATCH, whole, 0, 2)], [Made(SCRATCH, whole, 0, 2)], [Made(0, whole, 0)]])
        saves = Saves("the differences")
        squares = tape.run("pow", [apart], n, Result(role="scratch", label="squares"), saves, rule)
        return tape.run("sum", [squares], out.values, rule=PASSES)

    def stand_in(self, layer: Any, out: Shape) -> Sequence[Layer]:
        return []
