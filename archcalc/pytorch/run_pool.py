"""How PyTorch runs poolings."""

from __future__ import annotations

from typing import Any

from archcalc.layers.base import per_axis
from archcalc.pytorch.placing import Placed, placed
from archcalc.pytorch.runner import FLOAT, INT64, Kept, Runner, into, its_input, last
from archcalc.pytorch.tape import SCRATCH, WEIGHT, Made, Storage, TapeTensor
from archcalc.sizes import Shape, product


def max_pool(tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
    """The maxima and their indices, which PyTorch makes at inference too."""
    (x,) = xs
    if len(out.axes) == 3:
        x = single(tape, x)
    indices = (out.values * INT64, 0, "indices (int64)", "max_pool: the indices of its maxima (int64)")
    keep = [(x, its_input(layer))]
    return tape.run(
        "max_pool_with_indices", [x], out.values, keep=keep, beside=[indices], backward=tape.new(x), gives=x.order
    )


def avg_pool(tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
    """The means; where other cells count than those of the windows, divided by the means of a map of ones."""
    (x,), (shape,) = xs, shapes
    at = placed(layer, shape, out)
    if not at.divided:
        return _averages(tape, "avg_pool", layer, single(tape, x) if len(out.axes) == 3 else x, out)
    whole, cells, size = at.padded(shape).axes, out._replace(channels=1), x.itemsize
    count = product(n - before - after for n, (before, after) in zip(whole, at.beyond, strict=True))
    ones = fixed(tape, "new_ones", count * size, "cells that count")
    if any(map(any, at.beyond)):
        ones = _then(tape, ones, fixed(tape, "constant_pad_nd", product(whole) * size, "cells with zeros around"))
    means = _means(tape, layer, x, shape, out, at)
    divisor = fixed(tape, "sum" if at.unfolded else "avg_pool", cells.values * means.itemsize, "cells per window")
    keep = [(divisor, "avg_pool: the cells per window")]
    result = tape.run("div", [means], out.values, keep=keep, backward=tape.new(means))
    for storage in (ones, divisor):
        storage.until(len(tape.moments) - 1)
    return result


def adaptive_avg_pool(tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
    (x,) = xs
    if len(out.axes) == 3:
        x = single(tape, x)
    if product(out.axes) == 1:
        y = tape.run("mean", [x], out.values, order="first", backward=tape.new(x), gives="first")
        if x.order in ("last", "unit"):  # its strides are changed, which is undone on a tensor of zeros
            y = tape.run("as_strided_", [y], y.count, view=True, order=last(out), backward=tape.new(y))
        return y
    return _averages(tape, "_adaptive_avg_pool", layer, x, out)


def _averages(tape: Runner, operator: str, layer: Any, x: TapeTensor, out: Shape) -> TapeTensor:
    """In the order of the input, but for maps of three axes, which both have the channels first."""
    order = "first" if len(out.axes) == 3 else x.order
    keep = [(x, its_input(layer))]
    return tape.run(operator, [x], out.values, keep=keep, backward=tape.new(x), order=order, gives=order)


def subsample(tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
    """Sums over windows, times a coefficient, plus a bias, both written over the sums.

    The gradient of the coefficient needs the sums, so that autograd keeps a copy of them.
    """
    at = placed(layer, shapes[0], out)
    sums = _means(tape, layer, xs[0], shapes[0], out, at)
    keep: list[Kept] = []
    if tape.training:
        sums.storage.until(tape.moment("clone"))
        keep = [(tape.make("kept", out.values * sums.itemsize, 0, "copy of the sums"), "subsample: a copy of its sums")]
    size = max(sums.itemsize, tape.itemsize)
    lower = [[Made(SCRATCH, 0, out.channels * sums.itemsize, 9)]] if sums.itemsize < tape.itemsize else []
    gradient = [*lower, [Made(WEIGHT, 0, out.channels * tape.itemsize)]]
    of_sums = into(0, sums, size, out.values, 2)
    steps = [[Made(SCRATCH, out.values * sums.itemsize, 0, 1 + len(of_sums))], *of_sums, *gradient]
    scaled = tape.run("mul_", [sums], out.values, over=sums, weights=True, keep=keep, applies=2, backward=steps)
    return tape.run("add_", [scaled], out.values, over=scaled, weights=True, backward=gradient, passes=True)


def single(tape: Runner, x: TapeTensor) -> TapeTensor:
    """x in single precision, which autocast gives to poolings over three axes."""
    if not tape.amp or x.itemsize == FLOAT:
        return x
    return tape.run("_to_copy", [x], x.count, itemsize=FLOAT, what="in single precision", backward=tape.new(x))


def fixed(tape: Runner, operator: str, size: int, what: str) -> Storage:
    tape.moment(operator)
    return tape.make("scratch", 0, size, what)


def _then(tape: Runner, before: Storage, after: Storage) -> Storage:
    """What takes the place of another tensor, which is gone once the operator is done."""
    before.until(len(tape.moments) - 1)
    return after


def _means(tape: Runner, layer: Any, x: TapeTensor, shape: Shape, out: Shape, at: Placed) -> TapeTensor:
    """The means or sums of the windows of a map with zeros around, by a pooling or by unfolding."""
    if not at.unfolded:
        x = single(tape, x) if len(out.axes) == 3 else x
        return _averages(tape, "avg_pool", layer, x, out)
    axes, cells = at.padded(shape).axes, shape.channels
    kernels, dilations = per_axis(layer.kernel, shape, "kernel"), per_axis(layer.dilation, shape, "dilation")
    for axis, (size, kernel, dilation) in enumerate(zip(out.axes, kernels, dilations, strict=True)):
        cells, rest = cells * size, product(axes[axis + 1 :])
        x = tape.run(
            "unfold", [x], cells * rest * ((kernel - 1) * dilation + 1), view=True, backward=tape.new(x), gives="first"
        )
        cells *= kernel
        if dilation > 1:
            x = tape.run("slice", [x], cells * rest, view=True, backward=tape.new(x), gives="first")
    return tape.run("sum", [x], out.values, what="sums", order="first", passes=True)
