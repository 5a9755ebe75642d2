"""How PyTorch runs convolutions and linear layers."""

from __future__ import annotations

from typing import Any

from archcalc.layers.base import per_axis
from archcalc.pytorch.runner import (
    INT64,
    Kept,
    Run,
    Runner,
    formatted,
    halves,
    into,
    its_input,
    last,
    merges,
    params,
    trivial,
)
from archcalc.pytorch.tape import SCRATCH, Made, TapeTensor
from archcalc.sizes import Shape, product

MANY = 2
"""Images of a batch: more than one, so that their stride matters."""


def convolution(operator: str) -> Run:
    """A convolution, or another layer that keeps its input and has weights."""

    def run(tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        (x,) = xs
        # A map over one axis is seen with a second axis of one position, and with it may have its channels last.
        order = "last" if x.order == "unit" else formatted(x, shapes[0])
        weight, bias, _ = tape.ask(params, layer, shapes[0])
        second = out.channels if layer.type == "conv_transpose" else shapes[0].channels
        moved = order == "last" and second > layer.groups and _cells(layer, shapes[0]) > 1  # else both orders are one
        gradients, copies = tape.weights(weight, bias, last=moved)
        x = tape.low(x)
        backward = tape.new(x, gradients)
        keep: list[Kept] = [(x, its_input(layer)), *halves(copies)]
        return tape.run(
            operator, [x, *copies], out.values, keep=keep, weights=True, backward=backward, order=order, gives=order
        )

    return run


def _cells(layer: Any, x: Shape) -> int:
    return product(per_axis(layer.kernel, x, "kernel"))


def conv_table(tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
    """A convolution of one map after another, each on a copy of the input maps that it sees."""
    (x,), (shape,) = xs, shapes
    positions, cells = x.count // shape.channels, layer.kernel_cells(shape)
    maps = []
    for row in layer.table:
        tape.moment("_to_copy")
        numbers = tape.make("kept", 0, INT64 * len(row), "numbers of input maps")
        step = [[Made(SCRATCH, x.count * x.itemsize, 0, 1)], [Made(0, x.count * x.itemsize, 0)]]
        some = tape.run(
            "index",
            [x],
            len(row) * positions,
            what="some maps",
            role="scratch",
            order="first",
            gives="first",
            keep=[(numbers, "conv_table: numbers of input maps")],
            backward=step,
        )
        numbers.until(len(tape.moments) - 1)
        gradients, copies = tape.weights(len(row) * cells, int(layer.bias))
        whole, some = some, tape.low(some)
        backward = tape.new(some, gradients)
        keep: list[Kept] = [(some, its_input(layer)), *halves(copies)]
        maps.append(
            tape.run(
                "convolution",
                [some, *copies],
                out.values // out.channels,
                weights=True,
                keep=keep,
                backward=backward,
                gives=some.order,
            )
        )
        whole.storage.until(len(tape.moments) - 1)
    return tape.run("cat", maps, out.values, passes=True)


def linear(tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
    """A matrix product; what does not lie in the order of the product is copied first."""
    (x,) = xs
    moved = bool(shapes[0].axes and layer.axis == "channels")
    whole = not x.strides
    plain = not shapes[0].axes or (whole and (x.order == ("last" if moved else "first") or trivial(shapes[0])))
    seen = plain or (bool(x.strides) and _one_matrix(x, shapes[0], moved))
    weight, bias, _ = tape.ask(params, layer, shapes[0])
    if moved:
        x = tape.run("permute", [x], x.count, view=True, passes=True)
    gradients, copies = tape.weights(weight, bias)
    x = low = tape.low(x)
    if not seen:
        x = tape.run("clone", [x], x.count, order="first", what="input in order", role="scratch", passes=True)
    of_weight, *of_bias = [[made] for made in gradients]
    fused = layer.bias and plain
    # Gradients come by the alphabet: mat1, mat2, self of addmm, but mat2, self of mm.
    backward = [*tape.new(x), of_weight, *of_bias] if fused else [of_weight, *tape.new(x)]
    y = tape.run(
        "addmm" if fused else "mm",
        [x, *copies[: len(copies) if fused else 1]],
        out.values,
        order=last(out) if moved else "first",
        keep=[(x, its_input(layer)), *(halves(copies) if x.derived else [])],
        weights=True,
        backward=backward,
        gives="last" if moved else "first",
        applies=2,
    )
    if out.axes:
        rows = out.channels * product(out.axes[:-1])  # of an image, which the product takes as rows of a matrix
        wants = ("" if rows == 1 else "first") if not moved else "" if trivial(out) else "last"
        y = tape.run("view", [y], out.values, view=True, passes=True, wants=wants)
    if of_bias and not fused:
        steps = [[made._replace(of=1 if copies else made.of) for made in step] for step in of_bias]
        y = tape.run("add", [y, *copies[1:]], out.values, weights=True, backward=steps, passes=True)
    low.storage.until(len(tape.moments) - 1)
    return y


def _one_matrix(x: TapeTensor, shape: Shape, moved: bool) -> bool:
    """Whether a part of a map can be seen as a matrix without a copy; its rows are those of all images."""
    image = x.storage.per_image // x.itemsize
    sizes, strides = (shape.channels, *shape.axes), x.strides
    rows = (sizes[1:], strides[1:]) if moved else (sizes[:-1], strides[:-1])
    return merges((MANY, *rows[0]), (image, *rows[1]))


def rbf(tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
    (x,) = xs
    n, size = out.values * x.count, max(x.itemsize, tape.itemsize)
    whole = n * size
    apart = tape.run(
        "sub",
        xs,
        n,
        itemsize=size,
        what="differences",
        role="scratch",
        backward=() if out.channels == 1 else into(0, x, size, x.count, 1),
        passes=out.channels == 1,
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
