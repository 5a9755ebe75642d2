"""What PyTorch does with convolutions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archcalc.layers import Layer
from archcalc.layers.axes import sizes_of
from archcalc.layers.base import per_axis
from archcalc.layers.convolution import Conv, ConvTranspose
from archcalc.pytorch.code import ModuleCode, alike, dims
from archcalc.pytorch.computed import weights_of, with_weight_norm
from archcalc.pytorch.leading import WINDOW, folded, last_axes, leading, over_last_axes, unfolded
from archcalc.pytorch.placing import Sides, pads_other_values, uneven, widened
from archcalc.pytorch.record import Record, records
from archcalc.pytorch.runner import FLOAT, INT64, Runner, formatted, halves
from archcalc.pytorch.tape import ORDERED, PASSES, SCRATCH, BackwardRule, Made, Result, Saves, TapeTensor
from archcalc.sizes import Shape, product

SLIDING = {"stride": 1, "padding": 0, "dilation": 1}
CONVOLVING = {**SLIDING, "groups": 1, "bias": True}


LARGE = 20_480
"""The values along the channels and the first two axes of an image, above which PyTorch takes oneDNN."""


class ConvolutionRecord(Record):
    """A layer that slides weights over a map, and whose backward pass reads its input."""

    saves_input, saves_output = True, False
    in_place = False
    keeps_format = True
    fvcore_operator = "conv"

    def sliding(self, layer: Any, x: Shape) -> dict[str, Any]:
        """Stride, padding and dilation. Padding that differs by side is added before the layer (``around``)."""
        return {
            "stride": alike(per_axis(layer.stride, x, "stride")),
            "padding": 0 if self.around(layer, x) else alike(before for *_, before, _ in layer.slides(x)),
            "dilation": alike(per_axis(layer.dilation, x, "dilation")),
        }

    def second(self, x: Shape, out: Shape) -> int:
        """The size of the weight's second axis, if there is one group."""
        return x.channels

    def run(self, tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        (x,), (shape,) = xs, shapes
        if not leading(shape):
            return self.convolved(tape, layer, x, shape, out)
        x = folded(tape, x, widened(shape, tape.ask(self.around, layer, shape)))
        y = self.convolved(tape, layer, x, shape, out)
        x.storage.until(tape.now)
        return unfolded(tape, y, out)

    def convolved(self, tape: Runner, layer: Any, x: TapeTensor, shape: Shape, out: Shape) -> TapeTensor:
        """The convolution itself, with the axes before the last three in the batch."""
        order = "first"
        if not leading(shape):
            # PyTorch gives a map over one axis a second axis with one position. The output can then be channels-last.
            order = "last" if x.order == "unit" else formatted(x, shape)
            if tape.channels_last and len(shape.axes) in (2, 3):
                order = "last"
            if order == "last" and len(shape.axes) == 3 and x.itemsize == FLOAT and not tape.amp:
                kernel = per_axis(layer.kernel, shape, "kernel")
                if not in_onednn(sizes_of(shape), kernel, layer.groups) and tape.batch.alone(x.times):
                    order = "first"
        cells = product(per_axis(layer.kernel, shape, "kernel"))
        moved = order == "last" and self.second(shape, out) > layer.groups and cells > 1  # else the orders agree
        gradients, copies, kept, computed = weights_of(tape, layer, shape, moved)
        x = tape.low(x)
        saves = Saves(self.saves.input, tensors=kept) if kept else self.saves
        rule = tape.rule(x, order, gradients)
        y = tape.run("convolution", [x, *copies], out.values, ORDERED[order], saves, rule)
        for one in computed:
            one.storage.until(tape.now)
        return y

    def stand_in(self, layer: Any, out: Shape) -> Sequence[Layer]:
        return [Conv(out=1, bias=False, **{name: getattr(layer, name) for name in WINDOW})]


def in_onednn(sizes: Sequence[int], kernel: Sequence[int], groups: int) -> bool:
    """Whether PyTorch runs a convolution of a single image in oneDNN, whose results keep the order over three axes.

    The sizes are those of the channels and axes. Source: ConvParams::use_mkldnn in PyTorch's Convolution.cpp.
    """
    return groups > 1 or min(kernel[-2:]) > 3 or product(sizes[:3]) > LARGE


class ConvRecord(ConvolutionRecord, type="conv"):
    modules = ("Conv2d",)

    def around(self, layer: Any, x: Shape) -> Sides:
        return uneven(layer, x)

    def returns_view(self, layer: Any, out: Shape) -> bool:
        return leading(out) > 0

    def code(self, layer: Any, x: Shape, out: Shape) -> ModuleCode:
        if leading(x):
            return over_last_axes(self.code(*last_axes(layer, x, out)))
        if layer.relative:
            arguments = {"in_channels": x.channels, "out_channels": out.channels, "groups": layer.groups}
            dims("Conv", x)
            return ModuleCode("RelativeConv", {**arguments, "axes": len(x.axes), "bias": layer.bias}, 3, {"bias": True})
        if layer.fixed:
            arguments = {"in_channels": x.channels, "out_channels": out.channels}
            arguments |= {"kernel_size": per_axis(layer.kernel, x, "kernel"), **self.sliding(layer, x)}
            dims("Conv", x)
            return ModuleCode("FixedConv", {**arguments, "groups": layer.groups}, 3, {**SLIDING, "groups": 1})
        arguments = {
            "in_channels": x.channels,
            "out_channels": out.channels,
            "kernel_size": alike(per_axis(layer.kernel, x, "kernel")),
            **self.sliding(layer, x),
            "groups": layer.groups,
            "bias": layer.bias,
            "padding_mode": layer.pad_mode if pads_other_values(layer, x) else "zeros",
        }
        conv = ModuleCode(dims("Conv", x), arguments, 3, {**CONVOLVING, "padding_mode": "zeros"})
        return with_weight_norm(layer, conv, len(x.axes))

    def convolved(self, tape: Runner, layer: Any, x: TapeTensor, shape: Shape, out: Shape) -> TapeTensor:
        """Padding that is not zeros is put around in the module, which holds the map without padding to its end."""
        if not pads_other_values(layer, shape):
            return super().convolved(tape, layer, x, shape, out)
        pad = layer.padding(shape)
        whole = pad.shape(shape)
        padded = records["pad"].run(tape, pad, [x], [shape], whole)
        y = super().convolved(tape, layer, padded, whole, out)
        padded.storage.until(tape.now)
        return y


class ConvTransposeRecord(ConvolutionRecord, type="conv_transpose"):
    modules = ("ConvTranspose2d",)

    def second(self, x: Shape, out: Shape) -> int:
        return out.channels

    def code(self, layer: Any, x: Shape, out: Shape) -> ModuleCode:
        each = {name: alike(per_axis(getattr(layer, name), x, name)) for name in (*WINDOW, "output_pad")}
        arguments = {
            "in_channels": x.channels,
            "out_channels": out.channels,
            "kernel_size": each["kernel"],
            "stride": each["stride"],
            "padding": each["pad"],
            "output_padding": each["output_pad"],
            "groups": layer.groups,
            "bias": layer.bias,
            "dilation": each["dilation"],
        }
        conv = ModuleCode(dims("ConvTranspose", x), arguments, 3, {**CONVOLVING, "output_padding": 0})
        return with_weight_norm(layer, conv, len(x.axes))

    def stand_in(self, layer: Any, out: Shape) -> Sequence[Layer]:
        return [ConvTranspose(out=1, bias=False, **{name: getattr(layer, name) for name in (*WINDOW, "output_pad")})]


class ConvTableRecord(ConvolutionRecord, type="conv_table"):
    """One convolution for each output map. The convolution reads a copy of the input maps that its table row names."""

    saves_input = False

    def around(self, layer: Any, x: Shape) -> Sides:
        return uneven(layer, x)

    def code(self, layer: Any, x: Shape, out: Shape) -> ModuleCode:
        arguments = {
            "table": layer.table,
            "axes": len(x.axes),
            "kernel_size": alike(per_axis(layer.kernel, x, "kernel")),
            **self.sliding(layer, x),
            "bias": layer.bias,
        }
        dims("Conv", x)
        return ModuleCode("TableConv", arguments, 1, CONVOLVING)

    def run(self, tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        (x,), (shape,) = xs, shapes
        cells = layer.kernel_cells(shape)
        maps = []
        for row in layer.table:
            whole = some = self._some(tape, x, x.count // shape.channels, len(row))
            gradients, copies = tape.weights(len(row) * cells, int(layer.bias))
            some = tape.low(some)
            saves = Saves("its input", tensors=halves(copies))
            rule = tape.rule(some, some.order, gradients)
            one = tape.run("convolution", [some, *copies], out.values // out.channels, saves=saves, rule=rule)
            maps.append(one)
            whole.storage.until(tape.now)
        return tape.run("cat", maps, out.values, rule=PASSES)

    def _some(self, tape: Runner, x: TapeTensor, positions: int, count: int) -> TapeTensor:
        """A copy of some of the input maps."""
        tape.moment("_to_copy")
        numbers = tape.make("saved", 0, INT64 * count, "numbers of input maps")
        size = x.count * x.itemsize
        rule = BackwardRule([[Made(SCRATCH, size, 0, 1)], [Made(0, size, 0)]], gradient_order="first")
        result = Result(order="first", role="scratch", label="some maps")
        saves = Saves(tensors=[(numbers, "numbers of input maps")])
        some = tape.run("index", [x], count * positions, result, saves, rule)
        numbers.until(tape.now)
        return some
