"""What PyTorch does with the matrix product of two maps: one product of a batch of matrices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archcalc.layers import Layer
from archcalc.layers.arrangement import Arrangement, Part
from archcalc.layers.axes import sizes_of
from archcalc.layers.join import Add
from archcalc.pytorch.attention_math import low_all
from archcalc.pytorch.code import InlineCode, Statements
from archcalc.pytorch.rearrange import moved_by
from archcalc.pytorch.record import JoinRecord
from archcalc.pytorch.runner import Runner, dense
from archcalc.pytorch.tape import PASSES, VIEW, BackwardRule, Made, Result, Saves, TapeTensor
from archcalc.sizes import Shape

NAMES = ("the first map", "the second map")


class MatmulRecord(JoinRecord, type="matmul"):
    """torch.matmul. The axes before a matrix are merged with the batch: a copy, if they do not lie as one axis."""

    fvcore_operator = "matmul"
    saves_input, saves_output = True, False
    in_place = False
    keeps_format = False

    def write(self, ends: list[str], over: bool) -> list[InlineCode]:
        first, second = ends
        return [InlineCode(f"torch.matmul({{0}}{first}, {{1}}{second})")]

    def statements(self, layer: Any, inputs: Sequence[Shape], out: Shape, over: bool = False) -> Statements:
        return Statements((), self.write([".mT" if swap else "" for swap in layer.swaps], over)[0])

    def stand_in(self, layer: Any, out: Shape) -> Sequence[Layer]:
        return [Add()]

    def run(self, tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        views, sizes = [], []
        for x, shape, swap in zip(xs, shapes, layer.swaps, strict=True):
            arrangement = swapped(shape)
            views.append(moved_by(tape, x, shape, arrangement) if swap else x)
            sizes.append(arrangement.shape if swap else shape)
        low = low_all(tape, views)
        a, b = (self._batched(tape, *each) for each in zip(low, sizes, NAMES, strict=True))
        pairs = ((b, a, NAMES[1]), (a, b, NAMES[0]))
        saved = [(x.storage, why) for x, other, why in pairs if other.derived]
        steps = [[Made(n, x.count * x.itemsize, 0)] for n, x in ((1, b), (0, a))]
        rule = BackwardRule(steps, gradient_order="first", needs_order="matrices", sizes=sizes_of(out))
        y = tape.run("bmm", [a, b], out.values, Result(order="first"), Saves(tensors=saved), rule)
        for x in (*low, a, b):
            x.storage.until(tape.now)
        return y

    def _batched(self, tape: Runner, x: TapeTensor, shape: Shape, name: str) -> TapeTensor:
        """The matrices of all images as one batch: a view or a copy."""
        if tape.batch.merges(sizes_of(shape)[:-2], dense(x, shape)[:-2], x.image, x.times):
            return tape.run("view", [x], x.count, VIEW, rule=PASSES)
        result = Result(order="first", role="scratch", label=f"{name} in order")
        return tape.run("clone", [x], x.count, result, rule=PASSES)


def swapped(shape: Shape) -> Arrangement:
    """The movement that transposes the matrices of a map."""
    *batch, rows, columns = ((Part(str(at), n),) for at, n in enumerate((shape.channels, *shape.axes)))
    return Arrangement((*batch, rows, columns), (*batch, columns, rows))
