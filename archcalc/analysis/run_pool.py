"""How PyTorch runs poolings."""

from __future__ import annotations

from typing import Any

from archcalc.analysis.runner import INT64, Runner, its_input, pad
from archcalc.analysis.tape import SCRATCH, WEIGHT, Made, Storage, Value
from archcalc.layers.base import per_axis
from archcalc.sizes import Shape, positive, product


def max_pool(tape: Runner, layer: Any, xs: list[Value], shapes: list[Shape], out: Shape) -> Value:
    """The maxima and their indices, which PyTorch makes at inference too."""
    (x,), (shape,) = xs, shapes
    if not _placed(layer, shape, out):
        rows = zip(layer.slides(shape), out.axes, strict=True)
        pads = [(before, positive((size - 1) * s + span - n - before)) for (n, span, s, before, _), size in rows]
        x = pad(tape, x, shape, pads)
    indices = (out.values * INT64, 0, "indices (int64)", "max_pool: the indices of its maxima (int64)")
    keep = [(x, its_input(layer))]
    return tape.run("max_pool_with_indices", [x], out.values, keep=keep, beside=[indices], backward=tape.new(x))


def avg_pool(tape: Runner, layer: Any, xs: list[Value], shapes: list[Shape], out: Shape) -> Value:
    """The means; where PyTorch cannot place the windows, their sums by the number of cells."""
    (x,), (shape,) = xs, shapes
    dilations = per_axis(layer.dilation, shape, "dilation")
    kernels = per_axis(layer.kernel, shape, "kernel")
    small = len(shape.axes) == 3 and any(n < k for n, k in zip(shape.axes, kernels, strict=True))
    if _placed(layer, shape, out) and not small and all(d == 1 for d in dilations):  # nn.AvgPool3d forgets the pads
        return tape.run("avg_pool", xs, out.values, keep=[(x, its_input(layer))], backward=tape.new(x))
    one, cells = shape._replace(channels=1), out._replace(channels=1)
    count = fixed(tape, "constant_pad_nd", _padded_values(layer, one), "cells")
    sums = _window_sums(tape, layer, x, shape, out)
    padded = fixed(tape, "constant_pad_nd", _padded_values(layer, one, out), "cells with the overhang")
    divisor = fixed(tape, "sum", cells.values, "cells per window")
    padded.until(len(tape.moments) - 1)
    keep = [(divisor, "avg_pool: the cells per window")]
    result = tape.run("div", [sums], out.values, keep=keep, backward=tape.new(sums))
    for storage in (count, divisor):
        storage.until(len(tape.moments) - 1)
    return result


def adaptive_avg_pool(tape: Runner, layer: Any, xs: list[Value], shapes: list[Shape], out: Shape) -> Value:
    (x,) = xs
    if product(out.axes) == 1:
        return tape.run("mean", xs, out.values, order="first", backward=tape.new(x))
    keep = [(x, its_input(layer))]
    return tape.run("_adaptive_avg_pool2d", xs, out.values, keep=keep, backward=tape.new(x))


def subsample(tape: Runner, layer: Any, xs: list[Value], shapes: list[Shape], out: Shape) -> Value:
    """Sums over windows, times a coefficient, plus a bias."""
    sums = _window_sums(tape, layer, xs[0], shapes[0], out)
    whole = out.values * sums.itemsize
    product_ = tape.run(
        "mul",
        [sums],
        out.values,
        what="products",
        role="scratch",
        weights=True,
        keep=[(sums, "subsample: its sums")],
        backward=[[Made(0, whole, 0)], [Made(SCRATCH, whole, 0, 2)], [Made(WEIGHT, 0, out.channels * tape.itemsize)]],
    )
    return tape.run(
        "add",
        [product_],
        out.values,
        weights=True,
        backward=[[Made(WEIGHT, 0, out.channels * tape.itemsize)]],
        passes=True,
    )


def fixed(tape: Runner, operator: str, count: int, what: str) -> Storage:
    tape.moment(operator)
    return tape.make("scratch", 0, count * tape.itemsize, what)


def _placed(layer: Any, x: Shape, out: Shape) -> bool:
    """Whether a pooling of torch.nn has these windows: padded alike on both sides, by half a window at most."""
    kernels = per_axis(layer.kernel, x, "kernel")
    rows = zip(layer.slides(x), kernels, strict=True)
    if any(before != after or 2 * before > kernel for (*_, before, after), kernel in rows):
        return False
    modes = (False, True) if not layer.ceil_mode else (True,)
    return any(type(layer)(**{**layer.settings, "ceil_mode": mode}).shape(x) == out for mode in modes)


def _overhang(layer: Any, x: Shape, out: Shape) -> list[int]:
    """How far the last window of each axis sticks out of the padded input."""
    rows = zip(layer.slides(x), out.axes, strict=True)
    return [positive((size - 1) * s + span - n - before - after) for (n, span, s, before, after), size in rows]


def _padded_values(layer: Any, x: Shape, out: Shape | None = None) -> int:
    """The values of the padded input, for the windows of ``out`` with what sticks out of it."""
    over = [0] * len(x.axes) if out is None else _overhang(layer, x, out)
    rows = zip(layer.slides(x), over, strict=True)
    return x.channels * product(n + before + after + extra for (n, _, _, before, after), extra in rows)


def _window_sums(tape: Runner, layer: Any, x: Value, shape: Shape, out: Shape) -> Value:
    """The sums over windows of a padded copy, unfolded axis by axis, and thinned where the windows are dilated."""
    pads = [(before, after) for *_, before, after in layer.slides(shape)]
    x = pad(tape, x, shape, pads)
    over = _padded_values(layer, shape, out)
    x = tape.run("constant_pad_nd", [x], over, what="padded to whole windows", role="scratch", backward=tape.new(x))
    axes = [n + b + a + o for (n, _, _, b, a), o in zip(layer.slides(shape), _overhang(layer, shape, out), strict=True)]
    kernels = per_axis(layer.kernel, shape, "kernel")
    dilations = per_axis(layer.dilation, shape, "dilation")
    cells = shape.channels
    for at, (size, kernel, dilation) in enumerate(zip(out.axes, kernels, dilations, strict=True)):
        cells, rest = cells * size, product(axes[at + 1 :])
        x = tape.run("unfold", [x], cells * rest * ((kernel - 1) * dilation + 1), view=True, backward=tape.new(x))
        cells *= kernel
        if dilation > 1:
            x = tape.run("slice", [x], cells * rest, view=True, backward=tape.new(x))
    return tape.run("sum", [x], out.values, what="sums", role="scratch", passes=True)
