"""How PyTorch runs poolings."""

from __future__ import annotations

from typing import Any

from archcalc.analysis.runner import FLOAT, INT64, Runner, into, its_input, last, pad
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
    if len(out.axes) == 3:
        x = single(tape, x)
    indices = (out.values * INT64, 0, "indices (int64)", "max_pool: the indices of its maxima (int64)")
    keep = [(x, its_input(layer))]
    return tape.run(
        "max_pool_with_indices", [x], out.values, keep=keep, beside=[indices], backward=tape.new(x), gives=x.order
    )


def avg_pool(tape: Runner, layer: Any, xs: list[Value], shapes: list[Shape], out: Shape) -> Value:
    """The means; where PyTorch cannot place the windows, their sums by the number of cells."""
    (x,), (shape,) = xs, shapes
    dilations = per_axis(layer.dilation, shape, "dilation")
    kernels = per_axis(layer.kernel, shape, "kernel")
    small = len(shape.axes) == 3 and any(n < k for n, k in zip(shape.axes, kernels, strict=True))
    if _placed(layer, shape, out) and not small and all(d == 1 for d in dilations):  # nn.AvgPool3d forgets the pads
        x = single(tape, x) if len(out.axes) == 3 else x
        return _averages(tape, "avg_pool", layer, x, out)
    one, cells = shape._replace(channels=1), out._replace(channels=1)
    ones = fixed(tape, "ones_like", one.values * x.itemsize, "ones")
    count = fixed(tape, "constant_pad_nd", _padded_values(layer, one) * x.itemsize, "cells")
    ones.until(len(tape.moments) - 1)
    sums = _window_sums(tape, layer, x, shape, out)
    padded = fixed(tape, "constant_pad_nd", _padded_values(layer, one, out) * x.itemsize, "cells with the overhang")
    divisor = fixed(tape, "sum", cells.values * x.itemsize, "cells per window")
    padded.until(len(tape.moments) - 1)
    keep = [(divisor, "avg_pool: the cells per window")]
    result = tape.run("div", [sums], out.values, keep=keep, backward=tape.new(sums))
    for storage in (count, divisor):
        storage.until(len(tape.moments) - 1)
    return result


def adaptive_avg_pool(tape: Runner, layer: Any, xs: list[Value], shapes: list[Shape], out: Shape) -> Value:
    (x,) = xs
    if len(out.axes) == 3:
        x = single(tape, x)
    if product(out.axes) == 1:
        y = tape.run("mean", [x], out.values, order="first", backward=tape.new(x), gives="first")
        if x.order in ("last", "unit"):  # its strides are changed, which is undone on a tensor of zeros
            y = tape.run("as_strided_", [y], y.count, view=True, order=last(out), backward=tape.new(y))
        return y
    return _averages(tape, "_adaptive_avg_pool", layer, x, out)


def _averages(tape: Runner, operator: str, layer: Any, x: Value, out: Shape) -> Value:
    """In the order of the input, but for maps of three axes, which both have the channels first."""
    order = "first" if len(out.axes) == 3 else x.order
    keep = [(x, its_input(layer))]
    return tape.run(operator, [x], out.values, keep=keep, backward=tape.new(x), order=order, gives=order)


def subsample(tape: Runner, layer: Any, xs: list[Value], shapes: list[Shape], out: Shape) -> Value:
    """Sums over windows, times a coefficient, plus a bias."""
    sums = _window_sums(tape, layer, xs[0], shapes[0], out)
    size = max(sums.itemsize, tape.itemsize)
    whole = out.values * size
    product_ = tape.run(
        "mul",
        [sums],
        out.values,
        itemsize=size,
        what="products",
        role="scratch",
        weights=True,
        keep=[(sums, "subsample: its sums")],
        applies=2,
        backward=[
            [Made(SCRATCH, whole, 0, 9)],
            *into(0, sums, size, out.values, 2),
            [Made(WEIGHT, 0, out.channels * tape.itemsize)],
        ],
    )
    return tape.run(
        "add",
        [product_],
        out.values,
        weights=True,
        backward=[[Made(WEIGHT, 0, out.channels * tape.itemsize)]],
        passes=True,
    )


def single(tape: Runner, x: Value) -> Value:
    """x in single precision, which autocast gives to poolings over three axes."""
    if not tape.amp or x.itemsize == FLOAT:
        return x
    return tape.run("_to_copy", [x], x.count, itemsize=FLOAT, what="in single precision", backward=tape.new(x))


def fixed(tape: Runner, operator: str, size: int, what: str) -> Storage:
    tape.moment(operator)
    return tape.make("scratch", 0, size, what)


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
        x = tape.run(
            "unfold", [x], cells * rest * ((kernel - 1) * dilation + 1), view=True, backward=tape.new(x), gives="first"
        )
        cells *= kernel
        if dilation > 1:
            x = tape.run("slice", [x], cells * rest, view=True, backward=tape.new(x), gives="first")
    return tape.run("sum", [x], out.values, what="sums", role="scratch", order="first", passes=True)
