"""What PyTorch does with normalisations by the size of the values: rms_norm and l2_norm.

On the CPU, PyTorch has no operator for either. It runs one operator for each step of the formula.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archcalc.layers import Layer
from archcalc.pytorch.code import ModuleCode
from archcalc.pytorch.norm import NormRecord, mixed, over_channels
from archcalc.pytorch.runner import FLOAT, Runner, dense, last, layer_params, trivial
from archcalc.pytorch.tape import ORDERED, PASSES, SCRATCH, VIEW, BackwardRule, Made, Result, Saves, TapeTensor
from archcalc.sizes import Shape


class RmsNormRecord(NormRecord, type="rms_norm"):
    """Squares, their mean, one over the root, and one or two products. Half precision is cast to single precision."""

    modules = ("RMSNorm",)

    def code(self, layer: Any, x: Shape, out: Shape) -> ModuleCode:
        sizes = layer.sizes(x)
        over = sizes if len(sizes) > 1 else sizes[0]
        target = "ChannelRMSNorm" if over_channels(layer, x) else "nn.RMSNorm"
        arguments = {"normalized_shape": over, "eps": layer.eps, "elementwise_affine": layer.affine}
        return ModuleCode(target, arguments, 1, {"elementwise_affine": True})

    def returns_view(self, layer: Any, out: Shape) -> bool:
        return over_channels(layer, out)

    def run(self, tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        (x,), n = xs, out.values
        size, groups = x.itemsize, n // layer.features(shapes[0])
        channels = over_channels(layer, out)
        if channels:  # moved to the end: a view, in which the gradients of the two operators that read it are added
            x = tape.run("permute", [x], x.count, VIEW, rule=PASSES)
        if size < FLOAT:
            x = tape.cast(x, FLOAT, "in single precision", "scratch")
        y, root = self.normalised(tape, x, n, groups)
        moved = not _has_format(tape, x if x.order == "first" and x.strides else y, out, channels)
        weight = tape.ask(layer_params, layer, shapes[0]).weight
        steps: list[Any] = [("mul", weight)] if weight else []
        steps += [("clone", 0)] * moved + [("_to_copy", 0)] * (size < y.itemsize)
        held = [root.storage, x.storage]
        for at, (operator, weight) in enumerate(steps):
            final = at == len(steps) - 1
            made = Result(
                order="first" if operator == "clone" else "",
                itemsize=size if operator == "_to_copy" else 0,
                role="map" if final else "scratch",
                label="" if final else "normalised",
            )
            if operator == "mul":
                y = scaled(tape, y, n, weight, made)
                continue
            if operator == "_to_copy":
                for storage in held:
                    storage.until(tape.now)
                held = [root.storage]
            held.append(y.storage)
            y = tape.run(operator, [y], n, made, rule=PASSES if operator == "clone" else tape.rule(y))
        for storage in held:
            storage.until(tape.now)
        order = "first" if moved or groups == n else y.order
        if channels and (groups == n or (moved and not trivial(out))):
            order = last(out)
        if y.order != order:
            y = tape.run("view", [y], n, Result(view=True, order=order), rule=PASSES)
        return y

    def normalised(self, tape: Runner, x: TapeTensor, n: int, groups: int) -> tuple[TapeTensor, TapeTensor]:
        """x divided by the root of the mean of its squares, and one over the root."""
        small, whole, why = groups * x.itemsize, n * x.itemsize, self.saves.input
        rule = BackwardRule([*[[Made(SCRATCH, whole, 0, 2)]] * 2, [Made(0, whole, 0)]])
        squares = tape.run("pow", [x], n, _within("squares"), Saves(why), rule)
        mean = tape.run("mean", [squares], groups, _within("mean of squares"), rule=tape.rule(squares))
        rule = BackwardRule([*[[Made(SCRATCH, small, 0, 2)]] * 2, [Made(0, small, 0)]])
        root = tape.run("rsqrt", [mean], groups, _within("one over the root"), Saves(output="one over the root"), rule)
        squares.storage.until(tape.now)
        saves = Saves(why, tensors=[(root.storage, "one over the root")])
        steps = [[Made(0, whole, 0)], [Made(SCRATCH, whole, 0, 2)], [Made(1, small, 0)]]
        if groups == n:
            del steps[1]
        return tape.run("mul", [x, root], n, _within("normalised"), saves, BackwardRule(steps)), root

    def stand_in(self, layer: Any, out: Shape) -> Sequence[Layer]:
        return mixed(out, *layer.over(out))


class L2NormRecord(NormRecord, type="l2_norm"):
    """The length of the values, at least eps, a quotient, and a product with the scale."""

    def code(self, layer: Any, x: Shape, out: Shape) -> ModuleCode:
        over: Any = tuple(1 + at for at in layer.over(x))
        channels = x.channels if layer.per_channel else 1
        scale = {"channels": channels, "axes": len(x.axes), "init": float(layer.init)} if layer.scale else {}
        arguments = {"eps": layer.eps, "dim": over if len(over) > 1 else over[0], **scale}
        return ModuleCode("L2Norm", arguments, 1, {"dim": 1})

    def stand_in(self, layer: Any, out: Shape) -> Sequence[Layer]:
        return mixed(out, *layer.over(out))

    def run(self, tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        (x,), n = xs, out.values
        y = unit_length(tape, x, n, n // layer.features(out), _within("normalised") if layer.scale else ORDERED[""])
        if not layer.scale:
            return y
        normalised = y.storage
        weights = out.channels if layer.per_channel else 1
        y = scaled(tape, y, n, weights, Result(itemsize=max(x.itemsize, tape.itemsize)))
        normalised.until(tape.now)
        return y


def _has_format(tape: Runner, x: TapeTensor, shape: Shape, channels: bool) -> bool:
    """Whether x has a memory format, with the channels as its last axis if the normalisation is over ``channels``."""
    sizes, strides = (shape.channels, *shape.axes), dense(x, shape)
    if channels:
        sizes, strides = (*sizes[1:], sizes[0]), (*strides[1:], strides[0])
    order, _ = tape.batch.order_of(sizes, strides, x.apart or shape.values, x.times)
    return order in ("first", "unit") or (order == "last" and len(shape.axes) in (2, 3))


def unit_length(tape: Runner, x: TapeTensor, n: int, groups: int, result: Result) -> TapeTensor:
    """x divided by its lengths, as F.normalize does it."""
    small, whole, why = groups * x.itemsize, n * x.itemsize, "its input"
    steps = [[Made(SCRATCH, whole, 0, 2)], [Made(SCRATCH, groups, 0, 2)], [Made(0, whole, 0)]]
    saves = Saves(why, "its lengths")
    length = tape.run("linalg_vector_norm", [x], groups, _within("lengths"), saves, BackwardRule(steps))
    steps = [[Made(SCRATCH, 0, x.itemsize, 2)], [Made(SCRATCH, groups, 0, 2)], [Made(0, small, 0)]]
    saves = Saves("its lengths")
    least = tape.run("clamp_min", [length], groups, _within("lengths from eps"), saves, BackwardRule(steps))
    rule = PASSES if groups == n else BackwardRule([[Made(0, small, 0)]])
    divisor = tape.run("expand", [least], n, VIEW, rule=rule)
    length.storage.until(tape.now)
    steps = [*[[Made(SCRATCH, whole, 0, 3)]] * 3, [Made(1, whole, 0)], [Made(0, whole, 0)]]
    saves = Saves(why, tensors=[(least.storage, "its lengths from eps")])
    if groups == n and x.order == "unit":  # the result is contiguous, as both operands are
        result = result._replace(order="first")
    return tape.run("div", [x, divisor], n, result, saves, BackwardRule(steps))


def _within(label: str) -> Result:
    """A new storage that is freed within the layer."""
    return Result(role="scratch", label=label)


def scaled(tape: Runner, x: TapeTensor, count: int, weights: int, result: Result) -> TapeTensor:
    """x times a trained scale of so many numbers."""
    size = result.itemsize or x.itemsize
    rule = tape.scaling(x, size, count, weights)
    return tape.run("mul", [x], count, result, Saves("the normalised values"), rule)
