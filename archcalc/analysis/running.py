"""How PyTorch runs each layer type: its operators, what they make, and what they keep for the backward pass.

This is the one place that knows. It describes PyTorch's eager mode on the CPU; a GPU differs in that
dropout keeps one byte per value there and not a float, and that cuDNN may add a reserve to batch normalisation.
Scratch inside an operator (im2col, oneDNN's reordered copies) is not part of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from archcalc.analysis.tape import COPIED, SCRATCH, WEIGHT, Backward, Made, Storage, Tape, Value
from archcalc.layers.base import per_axis
from archcalc.network import Node
from archcalc.sizes import Shape, positive, product

Kept = tuple[Value | Storage, str]
INT64, FLOAT = 8, 4
Run = Callable[["Runner", Any, list[Value], list[Shape], Shape], Value]


class Runner(Tape):
    """A tape on which layers run, in training or not, under autocast or not."""

    def __init__(self, training: bool, itemsize: int, amp: bool, in_place: Mapping[int, int]) -> None:
        super().__init__(training)
        self.itemsize, self.amp, self.in_place = itemsize, amp, in_place
        self.shares: int | None = None
        self.overwrite = False
        self._copies: dict[tuple[int, int], Storage] = {}

    def layer(self, node: Node, inputs: list[Value], shapes: list[Shape]) -> Value:
        """Run a layer; what its inputs hold stays until it is done."""
        self.node, self.name = node.index, node.name or node.layer.type
        self.shares, self.overwrite = node.shares, node.index in self.in_place
        over = node.inputs.index(self.in_place[node.index]) if self.overwrite else 0
        if over:  # a sum has its inputs in any order
            inputs = [inputs[over], *inputs[:over], *inputs[over + 1 :]]
        out = RUN[node.layer.type](self, node.layer, inputs, shapes, node.shape)
        last = len(self.moments) - 1
        for value in inputs:
            value.storage.until(last)
        return out

    def low(self, x: Value) -> Value:
        """x in half precision, which autocast gives to convolutions and linear layers."""
        if not self.amp or x.itemsize == 2:
            return x
        step = [[Made(0, x.count * x.itemsize, 0)]]
        return self.run("_to_copy", [x], x.count, itemsize=2, what="in half precision", backward=step)

    def weights(self, *counts: int) -> tuple[list[Made], list[Kept]]:
        """The gradients of weights with so many values each, and what is kept of the first under autocast.

        Autocast makes a copy of each weight in half precision where it is first used, and keeps it to the end
        of the forward pass; the backward pass needs that of the first.
        """
        if not self.amp:
            return [Made(WEIGHT, 0, n * self.itemsize) for n in counts if n], []
        owner = self.node if self.shares is None else self.shares
        for at, count in enumerate(counts):
            if count and (owner, at) not in self._copies:
                self.moment("_to_copy")
                self._copies[owner, at] = self.make("weight copy", 0, 2 * count, "weights in half precision")
        kept: list[Kept] = [(self._copies[owner, 0], "its weights in half precision")] if counts[0] else []
        return [Made(COPIED, 0, 2 * n, becomes=n * self.itemsize) for n in counts if n], kept

    def release_copies(self) -> None:
        """The end of autocast, which lets go of its copies of weights."""
        for copy in self._copies.values():
            copy.until(len(self.moments) - 1)

    def new(self, x: Value, weights: Iterable[Made] = ()) -> Backward:
        """One step that makes the gradient of the first input, with those of weights."""
        return [[Made(0, x.count * x.itemsize, 0), *weights]]


def _unary(operator: str, keeps: str, in_place: str = "") -> Run:
    """An activation that keeps its input or its output; in place it keeps its output or a copy of the input."""

    def run(tape: Runner, layer: Any, xs: list[Value], shapes: list[Shape], out: Shape) -> Value:
        (x,) = xs
        keep: list[Kept]
        keep, keep_output = [(x, f"{layer.type}: its input")] if keeps == "input" else [], ""
        if keeps == "output":
            keep_output = f"{layer.type}: its output"
        if tape.overwrite:
            if in_place == "output":
                keep, keep_output = [], f"{layer.type}: its output"
            elif in_place == "copy" and tape.training and x.derived:
                tape.moment("clone")
                copy = tape.make("kept", x.count * x.itemsize, 0, "copy of the input")
                keep = [(copy, f"{layer.type}: a copy of its input")]
            return tape.run(
                operator + "_", xs, x.count, over=x, keep=keep, keep_output=keep_output, backward=tape.new(x)
            )
        return tape.run(operator, xs, x.count, keep=keep, keep_output=keep_output, backward=tape.new(x))

    return run


def _input(layer: Any) -> str:
    return f"{layer.type}: its input"


def _weighted(operator: str) -> Run:
    """A convolution, or another layer that keeps its input and has weights."""

    def run(tape: Runner, layer: Any, xs: list[Value], shapes: list[Shape], out: Shape) -> Value:
        x = tape.low(_padded(tape, layer, xs[0], shapes[0]))
        params = layer.params(*shapes)
        gradients, copies = tape.weights(params.weight, params.bias)
        cells = product(per_axis(layer.kernel, shapes[0], "kernel"))
        if x.order == "last" and shapes[0].channels > layer.groups and cells > 1 and not tape.amp:
            # The gradient has the channels last as the maps do, and is copied into the order of the weight.
            gradients[0] = Made(COPIED, 0, gradients[0].fixed, becomes=gradients[0].fixed)
        backward = tape.new(x, gradients)
        keep: list[Kept] = [(x, _input(layer)), *copies]
        return tape.run(operator, [x], out.values, keep=keep, weights=True, backward=backward)

    return run


def _padded(tape: Runner, layer: Any, x: Value, shape: Shape) -> Value:
    """x with its zeros around it, where PyTorch cannot pad both sides of an axis alike within the layer."""
    if not hasattr(layer, "slides"):
        return x
    pads = [(slide[-2], slide[-1]) for slide in layer.slides(shape)]
    if all(before == after for before, after in pads) or layer.type == "conv_transpose":
        return x
    return _pad(tape, x, shape, pads)


def _pad(tape: Runner, x: Value, shape: Shape, pads: list[tuple[int, int]], what: str = "padded input") -> Value:
    axes = [n + before + after for n, (before, after) in zip(shape.axes, pads, strict=True)]
    count = shape.channels * product(axes)
    return tape.run("constant_pad_nd", [x], count, what=what, role="scratch", backward=tape.new(x))


def conv_table(tape: Runner, layer: Any, xs: list[Value], shapes: list[Shape], out: Shape) -> Value:
    """A convolution of one map after another, each on a copy of the input maps that it sees."""
    x, shape = _padded(tape, layer, xs[0], shapes[0]), shapes[0]
    positions, cells = x.count // shape.channels, layer.kernel_cells(shape)
    maps = []
    for row in layer.table:
        tape.moment("_to_copy")
        numbers = tape.make("kept", 0, INT64 * len(row), "numbers of input maps")
        step = [[Made(SCRATCH, x.count * x.itemsize, 0), Made(0, x.count * x.itemsize, 0)]]
        some = tape.run(
            "index",
            [x],
            len(row) * positions,
            what="some maps",
            role="scratch",
            keep=[(numbers, "conv_table: numbers of input maps")],
            backward=step,
        )
        numbers.until(len(tape.moments) - 1)
        some = tape.low(some)
        gradients, copies = tape.weights(len(row) * cells, int(layer.bias))
        backward = tape.new(some, gradients)
        keep: list[Kept] = [(some, _input(layer)), *copies]
        maps.append(
            tape.run("convolution", [some], out.values // out.channels, weights=True, keep=keep, backward=backward)
        )
    result = tape.run("cat", maps, out.values, passes=True)
    x.storage.until(len(tape.moments) - 1)
    return result


def linear(tape: Runner, layer: Any, xs: list[Value], shapes: list[Shape], out: Shape) -> Value:
    """A matrix product; what does not lie in the order of the product is copied first."""
    (x,) = xs
    moved = bool(shapes[0].axes and layer.axis == "channels")
    plain = not shapes[0].axes or x.order == ("last" if moved else "first") or (moved and _trivial(shapes[0]))
    x = tape.low(x)
    params = layer.params(*shapes)
    if not plain:
        x = tape.run("clone", [x], x.count, order="first", what="input in order", role="scratch", passes=True)
    gradients, copies = tape.weights(params.weight, params.bias)
    y = tape.run(
        "addmm" if layer.bias and plain else "mm",
        [x],
        out.values,
        order="last" if moved and not _trivial(out) else "first",
        keep=[(x, _input(layer)), *(copies if x.derived else [])],
        weights=True,
        backward=[*tape.new(x), *([made] for made in gradients)],
    )
    if layer.bias and not plain:
        y = tape.run("add", [y], out.values, passes=True)
    return y


def _trivial(x: Shape) -> bool:
    """Whether moving the channels to the end leaves the values where they are."""
    return x.channels == 1 or product(x.axes) == 1


def max_pool(tape: Runner, layer: Any, xs: list[Value], shapes: list[Shape], out: Shape) -> Value:
    """The maxima and their indices, which PyTorch makes at inference too."""
    (x,), (shape,) = xs, shapes
    if not _placed(layer, shape, out):
        rows = zip(layer.slides(shape), out.axes, strict=True)
        pads = [(before, positive((size - 1) * s + span - n - before)) for (n, span, s, before, _), size in rows]
        x = _pad(tape, x, shape, pads)
    indices = (out.values * INT64, 0, "indices (int64)", "max_pool: the indices of its maxima (int64)")
    keep = [(x, _input(layer))]
    return tape.run("max_pool_with_indices", [x], out.values, keep=keep, beside=[indices], backward=tape.new(x))


def avg_pool(tape: Runner, layer: Any, xs: list[Value], shapes: list[Shape], out: Shape) -> Value:
    """The means; where PyTorch cannot place the windows, their sums by the number of cells."""
    (x,), (shape,) = xs, shapes
    dilations = per_axis(layer.dilation, shape, "dilation")
    kernels = per_axis(layer.kernel, shape, "kernel")
    small = len(shape.axes) == 3 and any(n < k for n, k in zip(shape.axes, kernels, strict=True))
    if _placed(layer, shape, out) and not small and all(d == 1 for d in dilations):  # nn.AvgPool3d forgets the pads
        return tape.run("avg_pool", xs, out.values, keep=[(x, _input(layer))], backward=tape.new(x))
    one, cells = shape._replace(channels=1), out._replace(channels=1)
    count = _fixed(tape, "constant_pad_nd", _padded_values(layer, one), "cells")
    sums = _window_sums(tape, layer, x, shape, out)
    padded = _fixed(tape, "constant_pad_nd", _padded_values(layer, one, out), "cells with the overhang")
    divisor = _fixed(tape, "sum", cells.values, "cells per window")
    padded.until(len(tape.moments) - 1)
    keep = [(divisor, "avg_pool: the cells per window")]
    result = tape.run("div", [sums], out.values, keep=keep, backward=tape.new(sums))
    for storage in (count, divisor):
        storage.until(len(tape.moments) - 1)
    return result


def _fixed(tape: Runner, operator: str, count: int, what: str) -> Storage:
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
    x = _pad(tape, x, shape, pads)
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


def adaptive_avg_pool(tape: Runner, layer: Any, xs: list[Value], shapes: list[Shape], out: Shape) -> Value:
    (x,) = xs
    if product(out.axes) == 1:
        return tape.run("mean", xs, out.values, order="first", backward=tape.new(x))
    keep = [(x, _input(layer))]
    return tape.run("_adaptive_avg_pool2d", xs, out.values, keep=keep, backward=tape.new(x))


def batch_norm(tape: Runner, layer: Any, xs: list[Value], shapes: list[Shape], out: Shape) -> Value:
    (x,) = xs
    why = "batch_norm: the mean and deviation of each channel"
    size = out.channels * tape.itemsize
    beside = [(0, size, "mean", why), (0, size, "deviation", why)] if tape.training else []
    params = layer.params(*shapes)
    sizes = [n * tape.itemsize for n in (params.weight, params.bias) if n]
    backward = tape.new(x, [Made(WEIGHT, 0, size) for size in sizes])
    keep = [(x, _input(layer))]
    return tape.run(
        "native_batch_norm", xs, out.values, keep=keep, beside=beside, weights=bool(sizes), backward=backward
    )


def layer_norm(tape: Runner, layer: Any, xs: list[Value], shapes: list[Shape], out: Shape) -> Value:
    (x,) = xs
    groups = out.values // layer.features(shapes[0])
    why = "layer_norm: the mean and deviation of each position"
    size = groups * tape.itemsize
    params = layer.params(*shapes)
    sizes = [n * tape.itemsize for n in (params.weight, params.bias) if n]
    channels = out.axes and layer.axis == "channels" and not _trivial(out)
    return tape.run(
        "native_layer_norm",
        xs,
        out.values,
        order="last" if channels else "first",
        keep=[(x, _input(layer))],
        beside=[(size, 0, "mean", why), (size, 0, "deviation", why)],
        weights=bool(sizes),
        backward=tape.new(x, [Made(WEIGHT, 0, size) for size in sizes]),
    )


def lrn(tape: Runner, layer: Any, xs: list[Value], shapes: list[Shape], out: Shape) -> Value:
    """x / (k + alpha * mean of neighbouring squares)^beta, written out in torch.nn.functional."""
    (x,) = xs
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
    if tape.amp and padded.itemsize == 2:
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
            [Made(0, one, 0)],
        ],
    )


def dropout(tape: Runner, layer: Any, xs: list[Value], shapes: list[Shape], out: Shape) -> Value:
    (x,) = xs
    if not tape.training or layer.p == 0:
        return x
    tape.moment("bernoulli_")
    mask = tape.make("kept", *((x.count * x.itemsize, 0) if layer.p < 1 else (0, x.itemsize)), "mask")
    return tape.run("mul", xs, out.values, keep=[(mask, "dropout: its mask")], backward=tape.new(x))


def drop_path(tape: Runner, layer: Any, xs: list[Value], shapes: list[Shape], out: Shape) -> Value:
    (x,) = xs
    if not tape.training or layer.p == 0:
        return x
    random = _scratch(tape, "rand", FLOAT, "random numbers")
    kept = _scratch(tape, "ge", 1, "which to keep")
    random.until(len(tape.moments) - 1)
    tape.moment("_to_copy")
    mask = tape.make("kept", x.itemsize, 0, "mask")
    kept.until(len(tape.moments) - 1)
    keep = [(mask, "drop_path: its mask")]
    masked = tape.run("mul", xs, out.values, what="masked", role="scratch", keep=keep, backward=tape.new(x))
    mask.until(len(tape.moments) - 1)
    return tape.run("div", [masked], out.values, backward=tape.new(masked))


def _scratch(tape: Runner, operator: str, per_image: int, what: str) -> Any:
    tape.moment(operator)
    return tape.make("scratch", per_image, 0, what)


def add(tape: Runner, layer: Any, xs: list[Value], shapes: list[Shape], out: Shape) -> Value:
    """One sum after another."""
    total = xs[0]
    for at, x in enumerate(xs[1:], 2):
        last = at == len(xs) and layer.type == "add"
        size = max(total.itemsize, x.itemsize)
        total = tape.run(
            "add",
            [total, x],
            out.values,
            over=total if tape.overwrite and total.itemsize == size else None,
            itemsize=size,
            what="" if last else "sum so far",
            role="map" if last else "scratch",
            passes=True,
        )
    if layer.type == "mean":
        total = tape.run("div", [total], out.values, backward=tape.new(total))
    return total


def multiply(tape: Runner, layer: Any, xs: list[Value], shapes: list[Shape], out: Shape) -> Value:
    """One product after another; the gradient of a gate is a map before it is summed."""
    result, shape = xs[0], shapes[0]
    for at, (x, other) in enumerate(zip(xs[1:], shapes[1:], strict=True), 2):
        full = shape if shape.values >= other.values else other
        size = max(result.itemsize, x.itemsize)
        whole = full.values * size
        small = [(n, v) for n, v in enumerate((result, x)) if v.count < full.values]
        steps = [[Made(n if v.count == full.values else SCRATCH, whole, 0, 9)] for n, v in enumerate((result, x))]
        steps += [[Made(n, v.count * v.itemsize, 0)] for n, v in small]
        last = at == len(xs)
        result = tape.run(
            "mul",
            [result, x],
            full.values,
            itemsize=size,
            what="" if last else "product so far",
            role="map" if last else "scratch",
            keep=[(other, "multiply: the other factor") for other, self in ((x, result), (result, x)) if self.derived],
            backward=steps,
        )
        shape = full
    return result


def concat(tape: Runner, layer: Any, xs: list[Value], shapes: list[Shape], out: Shape) -> Value:
    size = max(x.itemsize for x in xs)
    if tape.amp:
        xs = [
            x
            if x.itemsize == size
            else tape.run(
                "_to_copy",
                [x],
                x.count,
                itemsize=size,
                role="scratch",
                what="in single precision",
                backward=tape.new(x),
            )
            for x in xs
        ]
    order = "last" if all(x.order == "last" for x in xs) else "first"
    return tape.run("cat", xs, out.values, itemsize=size, order=order, passes=True)


def scaled(tape: Runner, layer: Any, xs: list[Value], shapes: list[Shape], out: Shape) -> Value:
    (x,) = xs
    over = x if tape.overwrite else None
    return tape.run("mul_" if over else "mul", xs, out.values, over=over, backward=tape.new(x))


def layer_scale(tape: Runner, layer: Any, xs: list[Value], shapes: list[Shape], out: Shape) -> Value:
    (x,) = xs
    size = max(x.itemsize, tape.itemsize)
    whole = out.values * size
    steps = [[Made(0, whole, 0)], [Made(SCRATCH, whole, 0, 2)], [Made(WEIGHT, 0, out.channels * tape.itemsize)]]
    keep = [(x, _input(layer))]
    return tape.run("mul", xs, out.values, itemsize=size, keep=keep, weights=True, backward=steps)


def prelu(tape: Runner, layer: Any, xs: list[Value], shapes: list[Shape], out: Shape) -> Value:
    x = tape.low(xs[0])
    gradients, copies = tape.weights(layer.params(*shapes).weight)
    whole = x.count * x.itemsize
    steps = [[Made(0, whole, 0), Made(SCRATCH, whole, 0, 1)], gradients]
    keep: list[Kept] = [(x, _input(layer)), *copies]
    return tape.run("_prelu_kernel", [x], out.values, keep=keep, weights=True, backward=steps)


def rbf(tape: Runner, layer: Any, xs: list[Value], shapes: list[Shape], out: Shape) -> Value:
    (x,) = xs
    n = out.values * x.count
    whole = n * x.itemsize
    apart = tape.run(
        "sub",
        xs,
        n,
        what="differences",
        role="scratch",
        backward=[[Made(SCRATCH, whole, 0, 1)], [Made(0, x.count * x.itemsize, 0)]],
    )
    squares = tape.run(
        "pow",
        [apart],
        n,
        what="squares",
        role="scratch",
        keep=[(apart, "rbf: the differences")],
        backward=[[Made(SCRATCH, whole, 0, 2)], [Made(SCRATCH, whole, 0, 2)], [Made(0, whole, 0)]],
    )
    return tape.run("sum", [squares], out.values, passes=True)


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


def flatten(tape: Runner, layer: Any, xs: list[Value], shapes: list[Shape], out: Shape) -> Value:
    """The values as they lie; a map whose channels come last in memory is copied into order."""
    (x,) = xs
    if x.order == "last" and not _trivial(shapes[0]):
        return tape.run("clone", xs, out.values, order="first", passes=True)
    return tape.run("view", xs, out.values, view=True, order="first", passes=True)


def identity(tape: Runner, layer: Any, xs: list[Value], shapes: list[Shape], out: Shape) -> Value:
    return xs[0]


def slice_(tape: Runner, layer: Any, xs: list[Value], shapes: list[Shape], out: Shape) -> Value:
    (x,) = xs
    order = "part" if x.order == "first" and out.values < x.count else x.order
    return tape.run("slice", xs, out.values, view=True, order=order, backward=tape.new(x))


def copied(operator: str) -> Run:
    """A layer that makes a map and keeps nothing."""

    def run(tape: Runner, layer: Any, xs: list[Value], shapes: list[Shape], out: Shape) -> Value:
        return tape.run(operator, xs, out.values, backward=tape.new(xs[0]))

    return run


def channel_shuffle(tape: Runner, layer: Any, xs: list[Value], shapes: list[Shape], out: Shape) -> Value:
    (x,) = xs
    if layer.groups in (1, out.channels):
        return tape.run("view", xs, out.values, view=True, passes=True)
    return tape.run("clone", xs, out.values, order="first", backward=tape.new(x))


RUN: Mapping[str, Run] = {
    "conv": _weighted("convolution"),
    "conv_transpose": _weighted("convolution"),
    "conv_table": conv_table,
    "linear": linear,
    "rbf": rbf,
    "max_pool": max_pool,
    "avg_pool": avg_pool,
    "subsample": subsample,
    "adaptive_avg_pool": adaptive_avg_pool,
    "global_avg_pool": adaptive_avg_pool,
    "batch_norm": batch_norm,
    "lrn": lrn,
    "layer_norm": layer_norm,
    "scale": scaled,
    "layer_scale": layer_scale,
    "relu": _unary("relu", "output", "output"),
    "relu6": _unary("relu6", "input", "copy"),
    "leaky_relu": _unary("leaky_relu", "input", "output"),
    "prelu": prelu,
    "elu": _unary("elu", "input", "output"),
    "sigmoid": _unary("sigmoid", "output", "output"),
    "hard_sigmoid": _unary("hardsigmoid", "input", "copy"),
    "silu": _unary("silu", "input", "copy"),
    "hard_swish": _unary("hardswish", "input", "copy"),
    "gelu": _unary("gelu", "input"),
    "tanh": _unary("tanh", "output", "output"),
    "softmax": _unary("_softmax", "output"),
    "add": add,
    "mean": add,
    "multiply": multiply,
    "concat": concat,
    "flatten": flatten,
    "identity": identity,
    "dropout": dropout,
    "drop_path": drop_path,
    "upsample": copied("upsample"),
    "slice": slice_,
    "pad_channels": copied("constant_pad_nd"),
    "channel_shuffle": channel_shuffle,
}
"""How PyTorch runs a layer, by its type."""
