"""How PyTorch runs normalisations and scales."""

from __future__ import annotations

from typing import Any

from archcalc.pytorch.runner import FLOAT, Runner, formatted, into, its_input, last, params
from archcalc.pytorch.tape import SCRATCH, WEIGHT, Made, TapeTensor
from archcalc.sizes import Shape, product


def batch_norm(tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
    (x,) = xs
    why = "batch_norm: the mean and deviation of each channel"
    size = out.channels * tape.itemsize
    beside = [(0, size, "mean", why), (0, size, "deviation", why)] if tape.training else []
    weight, bias, _ = tape.ask(params, layer, shapes[0])
    gradients = tape.gradients(weight, bias)
    backward = tape.new(x, gradients)
    keep, order = [(x, its_input(layer))], formatted(x, shapes[0])
    return tape.run(
        "native_batch_norm",
        xs,
        out.values,
        keep=keep,
        beside=beside,
        weights=bool(gradients),
        backward=backward,
        order=order,
        gives=order,
    )


def layer_norm(tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
    (x,) = xs
    groups = out.values // layer.features(shapes[0])
    why = "layer_norm: the mean and deviation of each position"
    weight, bias, _ = tape.ask(params, layer, shapes[0])
    gradients = tape.gradients(weight, bias)
    size = groups * (tape.itemsize if gradients else x.itemsize)
    order = last(out) if out.axes and layer.axis == "channels" else "first"
    return tape.run(
        "native_layer_norm",
        xs,
        out.values,
        order=order,
        keep=[(x, its_input(layer))],
        beside=[(size, 0, "mean", why), (size, 0, "deviation", why)],
        weights=bool(gradients),
        backward=tape.new(x, gradients),
        gives=order,
    )


def lrn(tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
    """x / (k + alpha * mean of neighbouring squares)^beta, written out in torch.nn.functional."""
    (x,) = xs
    if not out.axes:
        x = tape.run("view", xs, out.values, view=True, passes=True)
    n = out.values
    why = "lrn: its input"
    one = x.count * x.itemsize
    square = tape.run(
        "mul",
        [x, x],
        n,
        what="squares",
        role="scratch",
        keep=[(x, why)],
        backward=[[Made(0, one, 0)], [Made(1, one, 0)]],
    )
    padded = tape.run(
        "constant_pad_nd",
        [square],
        (out.channels + layer.size - 1) * product(out.axes),
        what="padded squares",
        role="scratch",
        backward=tape.new(square),
    )
    low = padded.storage
    if tape.amp and padded.itemsize == 2 and len(out.axes) > 1:  # avg_pool3d alone needs single precision
        padded = tape.run(
            "_to_copy",
            [padded],
            padded.count,
            itemsize=FLOAT,
            what="padded squares in single precision",
            role="scratch",
            backward=tape.new(padded),
        )
    mean = tape.run(
        "avg_pool3d",
        [padded],
        n,
        what="mean of squares",
        role="scratch",
        keep=[(padded, "lrn: the padded squares")],
        backward=tape.new(padded),
    )
    low.until(len(tape.moments) - 1)
    scaled = tape.run("mul", [mean], n, what="scaled mean", role="scratch", backward=tape.new(mean))
    shifted = tape.run("add", [scaled], n, what="shifted mean", role="scratch", passes=True)
    size = n * shifted.itemsize
    power = tape.run(
        "pow",
        [shifted],
        n,
        what="denominator",
        role="scratch",
        keep=[(shifted, "lrn: the base of its power")],
        backward=[[Made(SCRATCH, size, 0, 2)], [Made(SCRATCH, size, 0, 2)], [Made(0, size, 0)]],
    )
    mean.storage.until(len(tape.moments) - 1)
    return tape.run(
        "div",
        [x, power],
        n,
        itemsize=power.itemsize,
        keep=[(x, why), (power, "lrn: its denominator")],
        backward=[
            [Made(SCRATCH, size, 0, 3)],
            [Made(SCRATCH, size, 0, 3)],
            [Made(SCRATCH, size, 0, 3)],
            [Made(1, size, 0)],
            *into(0, x, power.itemsize, n, 5),
        ],
    )


def layer_scale(tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
    (x,) = xs
    size = max(x.itemsize, tape.itemsize)
    whole = out.values * size
    steps = [
        [Made(SCRATCH, whole, 0, 9)],
        *into(0, x, size, out.values, 2),
        [Made(WEIGHT, 0, out.channels * tape.itemsize)],
    ]
    keep = [(x, its_input(layer))]
    return tape.run("mul", xs, out.values, itemsize=size, keep=keep, weights=True, backward=steps, applies=2)


def scaled(tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
    (x,) = xs
    over = x if tape.overwrite else None
    return tape.run("mul_" if over else "mul", xs, out.values, over=over, backward=tape.new(x))
