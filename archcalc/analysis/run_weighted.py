"""How PyTorch runs convolutions and linear layers."""

from __future__ import annotations

from typing import Any

from archcalc.analysis.runner import INT64, Kept, Run, Runner, its_input, padded, params, trivial
from archcalc.analysis.tape import COPIED, SCRATCH, Made, Value
from archcalc.layers.base import per_axis
from archcalc.sizes import Shape, product


def convolution(operator: str) -> Run:
    """A convolution, or another layer that keeps its input and has weights."""

    def run(tape: Runner, layer: Any, xs: list[Value], shapes: list[Shape], out: Shape) -> Value:
        x = tape.low(padded(tape, layer, xs[0], shapes[0]))
        weight, bias, _ = tape.ask(params, layer, shapes[0])
        gradients, copies = tape.weights(weight, bias)
        if x.order == "last" and not tape.amp and shapes[0].channels > layer.groups and _cells(layer, shapes[0]) > 1:
            # The gradient has the channels last as the maps do, and is copied into the order of the weight.
            first, *others = gradients
            gradients = [Made(COPIED, 0, first.fixed, becomes=first.fixed), *others]
        backward = tape.new(x, gradients)
        keep: list[Kept] = [(x, its_input(layer)), *copies]
        return tape.run(operator, [x], out.values, keep=keep, weights=True, backward=backward)

    return run


def _cells(layer: Any, x: Shape) -> int:
    return product(per_axis(layer.kernel, x, "kernel"))


def conv_table(tape: Runner, layer: Any, xs: list[Value], shapes: list[Shape], out: Shape) -> Value:
    """A convolution of one map after another, each on a copy of the input maps that it sees."""
    x, shape = padded(tape, layer, xs[0], shapes[0]), shapes[0]
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
        keep: list[Kept] = [(some, its_input(layer)), *copies]
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
    plain = not shapes[0].axes or x.order == ("last" if moved else "first") or (moved and trivial(shapes[0]))
    x = tape.low(x)
    weight, bias, _ = tape.ask(params, layer, shapes[0])
    if not plain:
        x = tape.run("clone", [x], x.count, order="first", what="input in order", role="scratch", passes=True)
    gradients, copies = tape.weights(weight, bias)
    y = tape.run(
        "addmm" if layer.bias and plain else "mm",
        [x],
        out.values,
        order="last" if moved and not trivial(out) else "first",
        keep=[(x, its_input(layer)), *(copies if x.derived else [])],
        weights=True,
        backward=[*tape.new(x), *([made] for made in gradients)],
    )
    if layer.bias and not plain:
        y = tape.run("add", [y], out.values, passes=True)
    return y


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
