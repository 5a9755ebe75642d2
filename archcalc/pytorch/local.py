"""What PyTorch does with convolutions whose weights are not shared."""

from __future__ import annotations

from typing import Any

from archcalc.layers.axes import sizes_of
from archcalc.layers.base import per_axis
from archcalc.pytorch.code import ModuleCode, dims
from archcalc.pytorch.placing import Sides
from archcalc.pytorch.runner import Runner, halves, last, layer_params, trivial
from archcalc.pytorch.tape import PASSES, VIEW, BackwardRule, Made, Result, Saves, TapeTensor
from archcalc.pytorch.weighted import ConvolutionRecord
from archcalc.sizes import Shape, product


class LocallyConnectedRecord(ConvolutionRecord, type="locally_connected"):
    """The windows of all positions are copied one after another, and each is a group of a 1x1 convolution.

    The channels of a position then lie together, so the output is channels-last.
    """

    saves_input = False
    keeps_format = True

    def around(self, layer: Any, x: Shape) -> Sides:
        pads = tuple((before, after) for *_, before, after in layer.slides(x))
        return pads if any(map(any, pads)) else ()

    def returns_view(self, layer: Any, out: Shape) -> bool:
        return True

    def code(self, layer: Any, x: Shape, out: Shape) -> ModuleCode:
        dims("Conv", x)
        dilation = per_axis(layer.dilation, x, "dilation")
        arguments = {
            "in_channels": x.channels,
            "out_channels": layer.out,
            "kernel": per_axis(layer.kernel, x, "kernel"),
            "size": out.axes,
            "stride": per_axis(layer.stride, x, "stride"),
            "dilation": dilation if any(d > 1 for d in dilation) else (),
            "bias": layer.bias,
        }
        return ModuleCode("LocalConv", arguments, 2, {"dilation": (), "bias": True})

    def run(self, tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        (x,), (shape,) = xs, shapes
        windows = self._unfold(tape, layer, x, shape, out)
        weight, bias, _ = tape.ask(layer_params, layer, shape)
        gradients, copies = tape.weights(weight, bias)
        low = tape.low(windows)
        saves = Saves("the windows of its input", tensors=halves(copies))
        y = tape.run("convolution", [low, *copies], out.values, saves=saves, rule=tape.rule(low, "first", gradients))
        windows.storage.until(tape.now)
        rule = BackwardRule(
            passes_gradient_on=True, needs_order="values" if trivial(out) else "image", sizes=sizes_of(out)
        )
        return tape.run("view", [y], out.values, Result(view=True, order=last(out)), rule=rule)

    def _unfold(self, tape: Runner, layer: Any, x: TapeTensor, shape: Shape, out: Shape) -> TapeTensor:
        """The windows of all positions, copied. A step of the backward pass adds them up along one axis."""
        axes = [n + before + after for n, *_, before, after in layer.slides(shape)]
        cells = 1
        rows = zip(per_axis(layer.kernel, shape, "kernel"), per_axis(layer.dilation, shape, "dilation"), strict=True)
        for axis, (k, d) in enumerate(rows):
            before = shape.channels * product(axes) * cells
            axes[axis] = out.axes[axis]
            whole = shape.channels * product(axes) * cells * ((k - 1) * d + 1)
            x = _summed(tape, "unfold", x, before, whole)
            cells *= k
            if d > 1:
                x = _summed(tape, "slice", x, whole, shape.channels * product(axes) * cells)
        result = Result(order="first", role="scratch", label="windows of its input")
        return tape.run("clone", [x], x.count, result, rule=PASSES)


def _summed(tape: Runner, operator: str, x: TapeTensor, before: int, count: int) -> TapeTensor:
    """A view of ``count`` values of a tensor. The backward pass sums their gradients in a new tensor."""
    rule = BackwardRule([[Made(0, before * x.itemsize, 0)]], gradient_order="first")
    return tape.run(operator, [x], count, VIEW, rule=rule)
