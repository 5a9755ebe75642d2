"""What PyTorch does with poolings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from archcalc.layers import Layer
from archcalc.layers.base import per_axis
from archcalc.layers.pool import AdaptiveAvgPool, AvgPool
from archcalc.pytorch.code import ModuleCode, alike, dims, sides
from archcalc.pytorch.placing import Kind, Placement, Sides, placement
from archcalc.pytorch.record import Record
from archcalc.pytorch.runner import INT64, Runner, format_of, into, last
from archcalc.pytorch.tape import (
    NOTHING_SAVED,
    ORDERED,
    PASSES,
    SCRATCH,
    WEIGHT,
    BackwardRule,
    Extra,
    Made,
    Result,
    Saves,
    TapeTensor,
)
from archcalc.sizes import Shape, product


def averages(record: Record, tape: Runner, operator: str, x: TapeTensor, out: Shape) -> TapeTensor:
    """Means in the memory order of the input. Over three axes, output and input gradient are contiguous instead."""
    if len(out.axes) == 3:
        x, order = tape.single(x), "first"
    else:
        order = format_of(x)
    return tape.run(operator, [x], out.values, ORDERED[order], record.saves, tape.rule(x, order))


class PoolRecord(Record):
    """A pooling over windows. PyTorch pools the map or a padded map, or unfolds the windows (see ``placing``)."""

    saves_input, saves_output = True, False
    in_place = False
    keeps_format = True
    kind: ClassVar[Kind]

    def placement(self, layer: Any, x: Shape, out: Shape) -> Placement:
        return placement(self.kind, layer, x, out)

    def around(self, layer: Any, x: Shape) -> Sides:
        at = self.placement(layer, x, layer.shape(x))
        return at.around if at.pads else ()

    def returns_view(self, layer: Any, out: Shape) -> bool:
        return len(out.axes) == 1

    def module(self, name: str, layer: Any, x: Shape, at: Placement) -> ModuleCode:
        """The pooling of torch.nn, with the padding that the pooling adds itself."""
        kernel = alike(per_axis(layer.kernel, x, "kernel"))
        arguments = {
            "kernel_size": kernel,
            "stride": alike(per_axis(layer.stride, x, "stride")),
            "padding": alike(at.own),
            "dilation": alike(per_axis(layer.dilation, x, "dilation")),
            "ceil_mode": at.ceil_mode,
        }
        if self.kind != "max":
            del arguments["dilation"]
        defaults = {"stride": kernel, "padding": 0, "dilation": 1, "ceil_mode": False}
        return ModuleCode(dims(name, x), arguments, 1, defaults)

    def sums(self, layer: Any, x: Shape) -> ModuleCode:
        """The sums of windows that no pooling of torch.nn has."""
        windows = {name: per_axis(getattr(layer, name), x, name) for name in ("kernel", "stride", "dilation")}
        dims("AvgPool", x)
        return ModuleCode("WindowSum", windows, 2, {"dilation": (1,) * len(x.axes)})

    def windows(
        self, tape: Runner, layer: Any, x: TapeTensor, shapes: tuple[Shape, Shape], at: Placement
    ) -> TapeTensor:
        """The means or sums of the windows of a padded map, by a pooling or by unfolding."""
        shape, out = shapes
        if not at.unfolded:
            return averages(self, tape, "avg_pool", x, out)
        axes, cells = at.padded(shape).axes, shape.channels
        kernels, dilations = per_axis(layer.kernel, shape, "kernel"), per_axis(layer.dilation, shape, "dilation")
        for axis, (size, kernel, dilation) in enumerate(zip(out.axes, kernels, dilations, strict=True)):
            cells, rest = cells * size, product(axes[axis + 1 :])
            whole = cells * rest * ((kernel - 1) * dilation + 1)
            x = tape.run("unfold", [x], whole, Result(view=True), rule=tape.rule(x, "first"))
            cells *= kernel
            if dilation > 1:
                x = tape.run("slice", [x], cells * rest, Result(view=True), rule=tape.rule(x, "first"))
        return tape.run("sum", [x], out.values, Result(order="first", label="sums"), rule=PASSES)

    def stand_in(self, layer: Any, out: Shape) -> Sequence[Layer]:
        names = ("kernel", "stride", "pad", "dilation", "ceil_mode")
        return [AvgPool(**{name: getattr(layer, name) for name in names})]


class MaxPoolRecord(PoolRecord, type="max_pool"):
    """The maxima and the indices of the maxima. PyTorch makes the indices at inference too."""

    kind = "max"
    modules = ("MaxPool2d",)
    padding_value = ', value=float("-inf")'

    def code(self, layer: Any, x: Shape, out: Shape) -> ModuleCode:
        return self.module("MaxPool", layer, x, self.placement(layer, x, out))

    def run(self, tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        (x,) = xs
        if len(out.axes) == 3 and tape.node not in (tape.unpooled or ()):  # a pooling with indices is not cast
            x = tape.single(x)
        indices = Extra(out.values * INT64, 0, "indices (int64)", "the indices of its maxima (int64)")
        saves = self.saves._replace(extra=[indices])
        order = format_of(x)
        y = tape.run("max_pool_with_indices", [x], out.values, ORDERED[order], saves, tape.rule(x, order))
        tape.indices[tape.node] = TapeTensor(tape.storages[-1], out.values, INT64, y.order, times=tape.times)
        return y


class AvgPoolRecord(PoolRecord, type="avg_pool"):
    """The means. If other cells count than nn.AvgPool counts, the means are divided by the means of a map of ones."""

    kind = "mean"
    modules = ("AvgPool2d",)

    def code(self, layer: Any, x: Shape, out: Shape) -> ModuleCode:
        at = self.placement(layer, x, out)
        module = self.sums(layer, x) if at.unfolded else self.module("AvgPool", layer, x, at)
        if at.divided:
            beyond = {"beyond": sides(at.beyond)} if any(map(any, at.beyond)) else {}
            return ModuleCode("DividedMean", {"windows": module, **beyond}, 1)
        if any(at.own):
            arguments = {**module.arguments, "count_include_pad": layer.counts_padding}
            module = module._replace(arguments=arguments, defaults={**module.defaults, "count_include_pad": True})
        return module

    def run(self, tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        (x,), (shape,) = xs, shapes
        at = self.placement(layer, shape, out)
        if not at.divided:
            return averages(self, tape, "avg_pool", x, out)
        whole, cells, size = at.padded(shape).axes, out._replace(channels=1), x.itemsize
        count = product(n - before - after for n, (before, after) in zip(whole, at.beyond, strict=True))
        ones = tape.scratch("new_ones", 0, count * size, "cells that count")
        if any(map(any, at.beyond)):
            padded = tape.scratch("constant_pad_nd", 0, product(whole) * size, "cells with zeros around")
            ones.until(tape.now)
            ones = padded
        means = self.windows(tape, layer, x, (shape, out), at)
        operator = "sum" if at.unfolded else "avg_pool"
        divisor = tape.scratch(operator, 0, cells.values * means.itemsize, "cells per window")
        saves = Saves(tensors=[(divisor, "the cells per window")])
        result = tape.run("div", [means], out.values, saves=saves, rule=tape.rule(means))
        for storage in (ones, divisor):
            storage.until(tape.now)
        return result


class SubsampleRecord(PoolRecord, type="subsample"):
    """Sums over windows, times a coefficient, plus a bias. Product and bias are written in place.

    The gradient of the coefficient needs the sums, so a copy of the sums is saved.
    """

    kind = "sum"
    keeps_format = True

    def returns_view(self, layer: Any, out: Shape) -> bool:
        return False

    def code(self, layer: Any, x: Shape, out: Shape) -> ModuleCode:
        at = self.placement(layer, x, out)
        if at.unfolded:
            sums = self.sums(layer, x)
        else:
            sums = self.module("AvgPool", layer, x, at)
            sums = sums._replace(arguments={**sums.arguments, "divisor_override": 1})
        cells = layer.kernel_cells(x)
        return ModuleCode("Subsample", {"channels": x.channels, "axes": len(x.axes), "cells": cells, "sums": sums}, 4)

    def run(self, tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        at = self.placement(layer, shapes[0], out)
        sums = self.windows(tape, layer, xs[0], (shapes[0], out), at)
        saves = NOTHING_SAVED
        if tape.trains:
            saves = Saves(tensors=[(tape.copy(sums, "copy of the sums"), "a copy of its sums")])
        size = max(sums.itemsize, tape.itemsize)
        lower = [[Made(SCRATCH, 0, out.channels * sums.itemsize, 9)]] if sums.itemsize < tape.itemsize else []
        gradient = [*lower, [Made(WEIGHT, 0, out.channels * tape.itemsize)]]
        of_sums = into(0, sums, size, out.values, 2)
        steps = [[Made(SCRATCH, out.values * sums.itemsize, 0, 1 + len(of_sums))], *of_sums, *gradient]
        if tape.frozen:
            steps, lower, gradient = into(0, sums, size, out.values, 1), [], []
        rule = BackwardRule(steps, weights=True, reading_steps=1 if tape.frozen else 2)
        scaled = tape.run("mul_", [sums], out.values, Result(over=sums), saves, rule)
        rule = BackwardRule(gradient, weights=True, passes_gradient_on=True)
        return tape.run("add_", [scaled], out.values, Result(over=scaled), rule=rule)


class AdaptiveAvgPoolRecord(Record, type="adaptive_avg_pool"):
    """Means over windows that PyTorch places. If the output has one position, PyTorch computes a mean over all axes."""

    saves_input, saves_output = True, False
    in_place = False
    keeps_format = True
    fvcore_operator = "adaptive_avg_pool2d"
    modules = ("AdaptiveAvgPool2d",)

    def returns_view(self, layer: Any, out: Shape) -> bool:
        return len(out.axes) == 1

    def code(self, layer: Any, x: Shape, out: Shape) -> ModuleCode:
        return ModuleCode(dims("AdaptiveAvgPool", x), {"output_size": alike(out.axes)}, 1)

    def run(self, tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        (x,) = xs
        if product(out.axes) > 1:
            return averages(self, tape, "_adaptive_avg_pool", x, out)
        if len(out.axes) == 3:
            x = tape.single(x)
        y = tape.run("mean", [x], out.values, Result(order="first"), rule=tape.rule(x, "first"))
        if x.order in ("last", "unit"):  # new strides: backward undoes them on a tensor of zeros
            y = tape.run("as_strided_", [y], y.count, Result(view=True, order=last(out)), rule=tape.rule(y))
        return y

    def stand_in(self, layer: Any, out: Shape) -> Sequence[Layer]:
        return [layer]


class GlobalAvgPoolRecord(AdaptiveAvgPoolRecord, type="global_avg_pool"):
    """An adaptive pooling to one position."""

    saves_input, saves_output = False, False


class AdaptiveMaxPoolRecord(Record, type="adaptive_max_pool"):
    """The maxima of windows that PyTorch places, and the indices of the maxima, which PyTorch makes at inference too."""

    saves_input, saves_output = True, False
    in_place = False
    keeps_format = True
    modules = ("AdaptiveMaxPool2d",)

    def returns_view(self, layer: Any, out: Shape) -> bool:
        return len(out.axes) == 1

    def code(self, layer: Any, x: Shape, out: Shape) -> ModuleCode:
        return ModuleCode(dims("AdaptiveMaxPool", x), {"output_size": alike(out.axes)}, 1)

    def run(self, tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        (x,) = xs
        if len(out.axes) == 3:
            x, order = tape.single(x), "first"
        else:
            order = format_of(x)
        indices = Extra(out.values * INT64, 0, "indices (int64)", "the indices of its maxima (int64)")
        saves = self.saves._replace(extra=[indices])
        return tape.run("adaptive_max_pool", [x], out.values, ORDERED[order], saves, tape.rule(x, order))

    def stand_in(self, layer: Any, out: Shape) -> Sequence[Layer]:
        return [AdaptiveAvgPool(out=out.axes)]


class GlobalMaxPoolRecord(AdaptiveMaxPoolRecord, type="global_max_pool"):
    """An adaptive pooling to one position."""
