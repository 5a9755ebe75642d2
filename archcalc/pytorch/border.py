"""What PyTorch does with positions that are put around a map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archcalc.errors import LayerError
from archcalc.layers import Layer
from archcalc.pytorch.code import ITSELF, InlineCode, padding
from archcalc.pytorch.leading import MOST
from archcalc.pytorch.rearrange import PadChannelsRecord, copied
from archcalc.pytorch.runner import Runner, formatted
from archcalc.pytorch.tape import ORDERED, SCRATCH, VIEW, BackwardRule, Made, Result, Saves, TapeTensor
from archcalc.sizes import Shape


class PadRecord(PadChannelsRecord, type="pad"):
    """Zeros save nothing. Mirrored and repeated values save the input, and autocast runs them in single precision."""

    saves_input = True
    modules = ("ZeroPad2d", "ReflectionPad2d", "ReplicationPad2d")

    def code(self, layer: Any, x: Shape, out: Shape) -> InlineCode:
        if out == x:
            return ITSELF
        if layer.mode == "zeros":
            return padding(x, layer.sides(x))
        if len(x.axes) > 3:
            raise LayerError(
                f"pad with mode {layer.mode}: PyTorch takes one to three axes, and the map {x} has {len(x.axes)}; "
                f"rearrange can merge axes, or move one into the channels"
            )
        return padding(x, layer.sides(x), f', mode="{layer.mode}"')

    def run(self, tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        (x,), (shape,) = xs, shapes
        if out == shape:
            return x
        if layer.mode == "zeros":
            return copied(tape, "constant_pad_nd", x, shape, out, "")
        if layer.mode == "circular":
            return self.circular(tape, x, layer.sides(shape), out)
        order = formatted(x, shape)
        if layer.mode != "reflect" or len(out.axes) < 3:  # autocast leaves reflection_pad3d in half precision
            x = tape.single(x)
        name = {"reflect": "reflection", "replicate": "replication"}[layer.mode]
        return tape.run(f"{name}_pad", [x], out.values, ORDERED[order], Saves("its input"), tape.rule(x, order))

    def circular(self, tape: Runner, x: TapeTensor, sides: Sequence[tuple[int, int]], out: Shape) -> TapeTensor:
        """The map is copied into new storage, and then each border from the other end, the last axis first.

        Axes before the last three are in the batch.
        """
        size = out.values * x.itemsize
        for _ in sides[-MOST:]:
            x = tape.run("slice", [x], x.count, VIEW, rule=tape.rule(x, "first"))
        into = [[Made(SCRATCH, size, 0, 1)], [Made(0, x.count * x.itemsize, 0)]]
        y = tape.run("copy_", [x], out.values, ORDERED["first"], rule=BackwardRule(into, gradient_order="first"))
        for n, around in reversed(list(zip(out.axes, sides, strict=True))):
            for far in around:
                if far:
                    part = out.values // n * far
                    border = tape.run("slice", [y], part, VIEW, rule=tape.rule(y, "first"))
                    part *= x.itemsize
                    steps = [[Made(0, size, 0)], [Made(1, part, 0)], [Made(SCRATCH, part, 0, 2)]]
                    rule = BackwardRule(steps, gradient_order="first")
                    y = tape.run("copy_", [y, border], out.values, Result(over=y), rule=rule)
        return y

    def stand_in(self, layer: Any, out: Shape) -> Sequence[Layer]:
        return [layer]
