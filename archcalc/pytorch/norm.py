"""What PyTorch does with normalisations and scales."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archcalc.layers import Layer
from archcalc.layers.axes import sizes_of
from archcalc.layers.pool import AdaptiveAvgPool
from archcalc.layers.reduce import Reduce
from archcalc.layers.reshape import Expand
from archcalc.pytorch.code import ModuleCode, dims
from archcalc.pytorch.layout import channels_last
from archcalc.pytorch.record import Record
from archcalc.pytorch.runner import Runner, formatted, into, last, layer_params
from archcalc.pytorch.tape import (
    ORDERED,
    PASSES,
    VIEW,
    BackwardRule,
    Made,
    Result,
    Saves,
    TapeTensor,
)
from archcalc.sizes import Shape, product


class NormRecord(Record):
    """A normalisation, whose output has new storage and whose backward pass reads its input."""

    saves_input, saves_output = True, False
    in_place = False
    keeps_format = True

    def stand_in(self, layer: Any, out: Shape) -> Sequence[Layer]:
        """No layers: a unit reads only its own position (all channels)."""
        return []


class BatchNormRecord(NormRecord, type="batch_norm"):
    """Saves the mean and the deviation of each channel, in training only."""

    modules = ("BatchNorm2d", "FrozenBatchNorm2d")

    def code(self, layer: Any, x: Shape, out: Shape) -> ModuleCode:
        if layer.frozen:
            arguments = {"channels": x.channels, "axes": len(x.axes), "eps": layer.eps}
            return ModuleCode("FrozenBatchNorm", arguments, 1, {"eps": 1e-5})
        target = dims("BatchNorm", x) if x.axes else "nn.BatchNorm1d"
        if layer.affine and not layer.scale:
            return ModuleCode("BatchNormShift", {"channels": x.channels, "eps": layer.eps}, 1, {"eps": 1e-5})
        arguments = {"num_features": x.channels, "eps": layer.eps, "affine": layer.affine}
        return ModuleCode(target, arguments, 1, {"eps": 1e-5, "affine": True})

    def run(self, tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        (x,) = xs
        if layer.frozen:
            return frozen(tape, x, out)
        why, size = "the mean and deviation of each channel", out.channels * tape.itemsize
        weight, bias, _ = tape.ask(layer_params, layer, shapes[0])
        order = formatted(x, shapes[0])
        if x.apart and len(out.axes) > 1 and x.strides == channels_last(x.sizes):
            order = "last"  # this operator ignores the stride of a single image
        saves = Saves(self.saves.input, extra=tape.statistics(0, size, why)) if tape.training else self.saves
        rule = tape.rule(x, order, tape.gradients(weight, bias))
        result = ORDERED["first" if tape.contiguous(x, shapes[0]) else order]
        return tape.run("native_batch_norm", xs, out.values, result, saves, rule)


def frozen(tape: Runner, x: TapeTensor, out: Shape) -> TapeTensor:
    """Computes one factor and one shift per channel from four buffers. The gradient of x needs the factor only."""
    channels, size = out.channels * tape.itemsize, max(x.itemsize, tape.itemsize)
    variance = tape.scratch("add", 0, channels, "variance and epsilon")
    root = tape.scratch("rsqrt", 0, channels, "one over the deviation")
    variance.until(tape.now)
    factor = tape.scratch("mul", 0, channels, "factor of each channel")
    root.until(tape.now)
    mean = tape.scratch("mul", 0, channels, "scaled mean")
    shift = tape.scratch("sub", 0, channels, "shift of each channel")
    mean.until(tape.now)
    rule = BackwardRule(into(0, x, size, out.values, 1))
    saves = Saves(tensors=[(factor, "the factor of each channel")])
    scaled = tape.run("mul", [x], out.values, Result(itemsize=size, role="scratch", label="scaled"), saves, rule)
    # a single image has the sizes of factor and shift, if the map has one position: the result is contiguous
    alike = x.order == "unit" and product(out.axes) == 1 and tape.batch.alone(x.times)
    shifted = tape.run("add", [scaled], out.values, ORDERED["first" if alike else ""], rule=PASSES)
    for one in (factor, shift):
        one.until(tape.now)
    return shifted


class LayerNormRecord(NormRecord, type="layer_norm"):
    """Makes the mean and the deviation of each group of values that are normalised together; training saves both."""

    modules = ("LayerNorm", "LayerNorm2d")

    def code(self, layer: Any, x: Shape, out: Shape) -> ModuleCode:
        sizes = layer.sizes(x)
        over = sizes if len(sizes) > 1 else sizes[0]
        target = "ChannelNorm" if over_channels(layer, x) else "nn.LayerNorm"
        arguments = {"normalized_shape": over, "eps": layer.eps, "elementwise_affine": layer.affine}
        return ModuleCode(target, arguments, 1, {"eps": 1e-5, "elementwise_affine": True})

    def returns_view(self, layer: Any, out: Shape) -> bool:
        return over_channels(layer, out)

    def run(self, tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        (x,) = xs
        why = "the mean and deviation of each position"
        weight, bias, _ = tape.ask(layer_params, layer, shapes[0])
        gradients = tape.gradients(weight, bias)
        size = out.values // layer.features(shapes[0]) * (tape.itemsize if gradients else x.itemsize)
        order = last(out) if over_channels(layer, out) else "first"
        saves = Saves(self.saves.input, extra=tape.statistics(size, 0, why))
        return tape.run("native_layer_norm", xs, out.values, ORDERED[order], saves, tape.rule(x, order, gradients))

    def stand_in(self, layer: Any, out: Shape) -> Sequence[Layer]:
        return mixed(out, *layer.over(out))


def over_channels(layer: Any, x: Shape) -> bool:
    """Whether a normalisation is over the channels at each position of a map."""
    return bool(x.axes and layer.over(x) == (0,))


class GroupNormRecord(NormRecord, type="group_norm"):
    """Makes the mean and the deviation of each group; training saves both."""

    modules = ("GroupNorm",)

    def code(self, layer: Any, x: Shape, out: Shape) -> ModuleCode:
        arguments = {"num_groups": layer.groups, "num_channels": x.channels, "eps": layer.eps, "affine": layer.affine}
        return ModuleCode("nn.GroupNorm", arguments, 2, {"eps": 1e-5, "affine": True})

    def run(self, tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        (x,) = xs
        why = "the mean and deviation of each group"
        weight, bias, _ = tape.ask(layer_params, layer, shapes[0])
        gradients, order = tape.gradients(weight, bias), formatted(x, shapes[0])
        size = layer.groups * (tape.itemsize if gradients else x.itemsize)
        saves = Saves(self.saves.input, extra=tape.statistics(size, 0, why))
        return tape.run("native_group_norm", xs, out.values, ORDERED[order], saves, tape.rule(x, order, gradients))

    def stand_in(self, layer: Any, out: Shape) -> Sequence[Layer]:
        return whole_map(out)


class InstanceNormRecord(NormRecord, type="instance_norm"):
    """PyTorch views the batch as one image, repeats the parameters for every image, and runs a batch normalisation."""

    keeps_format = False
    modules = ("InstanceNorm2d",)

    def code(self, layer: Any, x: Shape, out: Shape) -> ModuleCode:
        arguments = {"num_features": x.channels, "eps": layer.eps, "affine": layer.affine}
        return ModuleCode(dims("InstanceNorm", x), arguments, 1, {"eps": 1e-5, "affine": False})

    def returns_view(self, layer: Any, out: Shape) -> bool:
        return True

    def run(self, tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        (x,) = xs
        size = out.channels * (tape.itemsize if layer.affine else x.itemsize)
        repeated = [tape.repeated(out.channels, label) for label in ("scale", "shift") if layer.affine]
        if not tape.contiguous(x, out):
            x = tape.run("clone", [x], x.count, Result(order="first", label="input in order"), rule=PASSES)
        image = tape.run("view", [x], x.count, Result(view=True, order="first"), rule=PASSES)
        why = "the mean and deviation of each channel"
        scale = [(one.storage, "its scale, repeated") for one in repeated[:1]]
        saves = Saves(self.saves.input, "", scale, tape.statistics(size, 0, why))
        gradients = [Made(at, out.channels * tape.itemsize, 0) for at, _ in enumerate(repeated, 1)]
        rule = BackwardRule(tape.step(image, gradients), gradient_order="first")
        y = tape.run("native_batch_norm", [image, *repeated], out.values, ORDERED["first"], saves, rule)
        rule = BackwardRule(passes_gradient_on=True, needs_order="channels", sizes=sizes_of(out))
        y = tape.run("view", [y], y.count, VIEW, rule=rule)
        for one in (x, *repeated):
            one.storage.until(tape.now)
        return y

    def stand_in(self, layer: Any, out: Shape) -> Sequence[Layer]:
        return whole_map(out)


def whole_map(out: Shape) -> Sequence[Layer]:
    """Layers in which every position reads all positions."""
    return mixed(out, *range(1, len(out.axes) + 1))


def mixed(out: Shape, *axes: int) -> Sequence[Layer]:
    """Layers in which every position reads all positions along some axes, by their numbers."""
    if not any(axes):
        return []
    sizes = tuple(1 if at in axes else n for at, n in enumerate(out.axes, 1))
    if len(sizes) <= 3:
        return [AdaptiveAvgPool(out=sizes), Expand(size=out.axes)]
    return [Reduce(by="mean", axis="last" if {*axes} <= {0, len(sizes)} else "positions"), Expand(size=out.axes)]


class LayerScaleRecord(NormRecord, type="layer_scale"):
    """A product with one trained number per channel, and a sum with another one."""

    keeps_format = True

    def code(self, layer: Any, x: Shape, out: Shape) -> ModuleCode:
        arguments = {"channels": x.channels, "axes": len(x.axes), "init": float(layer.init), "bias": layer.bias}
        return ModuleCode("LayerScale", arguments, 1, {"bias": False})

    def run(self, tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        (x,) = xs
        size = max(x.itemsize, tape.itemsize)
        rule = tape.scaling(x, size, out.values, out.channels)
        if not layer.bias:
            return tape.run("mul", xs, out.values, Result(itemsize=size), self.saves, rule)
        result = Result(itemsize=size, role="scratch", label="scaled")
        scaled = tape.run("mul", xs, out.values, result, self.saves, rule)
        of_bias = BackwardRule([tape.gradients(out.channels)], weights=True, passes_gradient_on=True)
        return tape.run("add", [scaled], out.values, rule=of_bias)
