"""What PyTorch does with local response normalisation.

PyTorch has no operator for it. torch.nn.functional has one for neighbouring channels, which runs an operator for each
step of the formula: x / (k + alpha * mean of squares)^beta. For neighbouring positions, the same steps run with a
pooling of the map.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archcalc.layers import Layer
from archcalc.pytorch.code import ModuleCode, dims, sequence
from archcalc.pytorch.norm import NormRecord
from archcalc.pytorch.runner import FLOAT, Runner, format_of, formatted, into
from archcalc.pytorch.tape import PASSES, SCRATCH, VIEW, BackwardRule, Made, Result, Saves, TapeTensor
from archcalc.sizes import Shape, product


class LrnRecord(NormRecord, type="lrn"):
    keeps_format = False

    def code(self, layer: Any, x: Shape, out: Shape) -> ModuleCode:
        settings = {"beta": layer.beta, "k": layer.k}
        if layer.within:
            dims("AvgPool", x)
            alpha = layer.alpha * layer.windows.kernel_cells(x)  # the module takes the mean of the squares
            return ModuleCode("LocalNorm", {"size": layer.size, "axes": len(x.axes), "alpha": alpha, **settings}, 2)
        arguments = {"size": layer.size, "alpha": layer.alpha * layer.size, **settings}
        call = ModuleCode("nn.LocalResponseNorm", arguments, 1)  # PyTorch divides alpha by the size
        if x.axes:
            return call
        shape = ModuleCode("nn.Unflatten", {"dim": 1, "unflattened_size": (x.channels, 1)}, 2)
        return sequence(shape, call, ModuleCode("nn.Flatten"))

    def returns_view(self, layer: Any, out: Shape) -> bool:
        return not layer.within

    def run(self, tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        x, n = xs[0], out.values
        if not out.axes:
            x = tape.run("view", xs, n, VIEW, rule=PASSES)
        why, one = self.saves.input, x.count * x.itemsize
        rule = BackwardRule([[Made(0, one, 0)], [Made(1, one, 0)]])
        square = tape.run("mul", [x, x], n, _within("squares"), Saves(why), rule)
        mean = self._means(tape, layer, square, out)
        scaled = tape.run("mul", [mean], n, _within("scaled mean"), rule=tape.rule(mean))
        shifted = tape.run("add", [scaled], n, _within("shifted mean"), rule=PASSES)
        size = n * shifted.itemsize
        rule = BackwardRule([[Made(SCRATCH, size, 0, 2)], [Made(SCRATCH, size, 0, 2)], [Made(0, size, 0)]])
        saves = Saves("the base of its power")
        power = tape.run("pow", [shifted], n, _within("denominator"), saves, rule)
        mean.storage.until(tape.now)
        steps = [*[[Made(SCRATCH, size, 0, 3)]] * 3, [Made(1, size, 0)], *into(0, x, power.itemsize, n, 5)]
        saves = Saves(why, tensors=[(power.storage, "its denominator")])
        return tape.run("div", [x, power], n, Result(itemsize=power.itemsize), saves, BackwardRule(steps))

    def _means(self, tape: Runner, layer: Any, square: TapeTensor, out: Shape) -> TapeTensor:
        """The means of the squares of the neighbours. The squares are padded first, if the pooling does not pad."""
        n, low, order = out.values, square.storage, ""
        if layer.within and len(out.axes) < 3:
            order = format_of(square)
            made = _within("mean of squares")._replace(order=order)
            mean = tape.run("avg_pool", [square], n, made, Saves("the squares"), tape.rule(square, order))
            low.until(tape.now)
            return mean
        padded_axes = product(size + layer.size - 1 for size in out.axes)
        count = (out.channels + layer.size - 1) * product(out.axes)
        made = _within("padded squares")
        if layer.within:
            count, order = out.channels * padded_axes, "first"
            made = made._replace(order=formatted(square, out))
        padded = tape.run("constant_pad_nd", [square], count, made, rule=tape.rule(square))
        low = padded.storage
        if tape.amp and padded.itemsize == 2 and len(out.axes) > 1:  # autocast: avg_pool3d needs float32
            padded = tape.cast(padded, FLOAT, "padded squares in single precision", "scratch")
        made = _within("mean of squares")._replace(order=order)
        mean = tape.run("avg_pool3d", [padded], n, made, Saves("the padded squares"), tape.rule(padded, order))
        low.until(tape.now)
        return mean

    def stand_in(self, layer: Any, out: Shape) -> Sequence[Layer]:
        """No layers over channels: a unit reads only its own position (all channels)."""
        return [layer.windows] if layer.within else []


def _within(label: str) -> Result:
    """A new storage that is freed within the layer."""
    return Result(role="scratch", label=label)
