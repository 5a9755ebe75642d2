"""What PyTorch does with windows as channels: im2col, and col2im."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archcalc.layers import Layer
from archcalc.layers.arrangement import Arrangement, Part
from archcalc.layers.base import per_axis
from archcalc.layers.convolution import Conv, ConvTranspose
from archcalc.pytorch.code import InlineCode, alike
from archcalc.pytorch.rearrange import MovingRecord, moved_by
from archcalc.pytorch.runner import Runner
from archcalc.pytorch.tape import ORDERED, BackwardRule, Made, TapeTensor
from archcalc.sizes import Shape, product

NAMES = ("kernel", "dilation", "pad", "stride")


def windows(layer: Any, x: Shape) -> dict[str, Any]:
    """The settings of the windows, in PyTorch's order."""
    return {name: alike(per_axis(getattr(layer, name), x, name)) for name in NAMES}


def merged(layer: Any, x: Shape) -> Arrangement:
    """The positions of x as one axis, as a ``question`` for ``Runner.ask``."""
    channels, *axes = (Part(str(at), size) for at, size in enumerate((x.channels, *x.axes)))
    return Arrangement(((channels,), *((axis,) for axis in axes)), ((channels,), tuple(axes)))


def parted(layer: Any, out: Shape) -> Arrangement:
    """The positions of a map from one axis, as a ``question`` for ``Runner.ask``."""
    whole = merged(layer, out)
    return Arrangement(whole.after, whole.before)


def resized(tape: Runner, operator: str, x: TapeTensor, count: int) -> TapeTensor:
    """The result of an operator that makes a tensor like its input, and gives it another size then (Im2Col.cpp).

    A storage never becomes smaller by this.
    """
    slack = x.itemsize * max(count - x.count, 0)
    rule = BackwardRule([[Made(0, x.count * x.itemsize, 0, becomes=slack)]], gradient_order="first")
    made = tape.run(operator, [x], count, ORDERED["first"], rule=rule)
    made.storage.slack = x.itemsize * max(x.count - count, 0) * tape.times
    return made


class UnfoldRecord(MovingRecord, type="unfold"):
    """im2col makes a new map whose positions are one axis; their axes are a view."""

    modules = ("Unfold",)

    def returns_view(self, layer: Any, out: Shape) -> bool:
        return True

    def code(self, layer: Any, x: Shape, out: Shape) -> InlineCode:
        text = "F.unfold({0}, {kernel}, {dilation}, {pad}, {stride}).unflatten(2, {size})"
        return InlineCode(text, {**windows(layer, x), "size": out.axes})

    def run(self, tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        (x,) = xs
        columns = resized(tape, "im2col", x, out.values)
        return moved_by(tape, columns, Shape(out.channels, (product(out.axes),)), tape.ask(parted, layer, out))

    def stand_in(self, layer: Any, out: Shape) -> Sequence[Layer]:
        return [Conv(out=1, bias=False, **{name: getattr(layer, name) for name in NAMES})]


class FoldRecord(MovingRecord, type="fold"):
    """col2im reads a map whose positions are one axis: a view, or a copy of a map in another memory order."""

    modules = ("Fold",)

    def code(self, layer: Any, x: Shape, out: Shape) -> InlineCode:
        text = "F.fold({0}.flatten(2), {size}, {kernel}, {dilation}, {pad}, {stride})"
        return InlineCode(text, {**windows(layer, x), "size": out.axes})

    def run(self, tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        (x,), (shape,) = xs, shapes
        columns = moved_by(tape, x, shape, tape.ask(merged, layer, shape))
        return resized(tape, "col2im", columns, out.values)

    def stand_in(self, layer: Any, out: Shape) -> Sequence[Layer]:
        settings = {name: getattr(layer, name) for name in (*NAMES, "output_pad")}
        return [ConvTranspose(out=1, bias=False, **settings)]
