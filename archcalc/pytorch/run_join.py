"""How PyTorch runs joins, and layers that rearrange."""

from __future__ import annotations

from typing import Any

from archcalc.layers.join import broadcast
from archcalc.pytorch.runner import Run, Runner, dense, formatted, into, merges, trivial
from archcalc.pytorch.tape import SCRATCH, Made, TapeTensor
from archcalc.sizes import Shape, product


def add(tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
    """One sum after another, each a statement of its own, after which what was added is freed."""
    shape = shapes[0]
    for other in shapes[1:]:
        total, x = xs[:2]
        terms = shape, other
        last = len(xs) == 2 and layer.type == "add"
        size = max(total.itemsize, x.itemsize)
        shape = broadcast(shape, other)
        total = tape.run(
            "add",
            [total, x],
            shape.values,
            over=total if tape.overwrite and total.itemsize == size else None,
            itemsize=size,
            order=_order((total, x), terms, shape),
            what="" if last else "sum so far",
            role="map" if last else "scratch",
            passes=True,
            backward=_summed((total, x), shape.values, size),
        )
        xs[:2] = [total]
    return tape.run("div", xs[:1], out.values, backward=tape.new(xs[0])) if layer.type == "mean" else xs[0]


def multiply(tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
    """One product after another, as sums are; the gradient of a gate is a map before it is summed."""
    shape = shapes[0]
    for second in shapes[1:]:
        result, x = xs[:2]
        factors = shape, second
        shape = broadcast(shape, second)
        size = max(result.itemsize, x.itemsize)
        last = len(xs) == 2
        result = tape.run(
            "mul",
            [result, x],
            shape.values,
            itemsize=size,
            order=_order((result, x), factors, shape),
            what="" if last else "product so far",
            role="map" if last else "scratch",
            keep=[(other, "multiply: the other factor") for other, self in ((x, result), (result, x)) if self.derived],
            backward=_factors((result, x), shape.values, size),
            applies=result.derived + x.derived,
        )
        xs[:2] = [result]
    return xs[0]


def _order(xs: tuple[TapeTensor, TapeTensor], shapes: tuple[Shape, Shape], out: Shape) -> str:
    """The order of a map made of two: that of the first that is as large; where neither is, as both lie in memory.

    PyTorch's TensorIterator sorts the axes, the innermost first, by the first of the two that has a stride along both.
    """
    for x in xs:
        if x.count == out.values:
            return x.order
    sizes = (out.channels, *out.axes)
    rows = [_strides(x, shape, sizes) for x, shape in zip(xs, shapes, strict=True)]
    axes = list(reversed(range(len(sizes))))
    for end in range(1, len(axes)):
        here = end
        for before in reversed(range(end)):
            outer = _outer(axes[before], axes[here], rows, sizes)
            if outer is False:
                break
            if outer:
                axes[before], axes[here] = axes[here], axes[before]
                here = before
    return "last" if len(axes) > 1 and axes == [0, *reversed(range(1, len(sizes)))] else "first"


def _strides(x: TapeTensor, shape: Shape, sizes: tuple[int, ...]) -> list[int]:
    """The strides of channels and axes of a map that is read at every position of a larger one: there they are 0."""
    own = (shape.channels, *(shape.axes or (1,) * (len(sizes) - 1)))
    strides = (x.strides or dense(x, shape)) if shape.axes else (1,) * len(sizes)
    return [0 if n < size else stride for n, size, stride in zip(own, sizes, strides, strict=True)]


def _outer(a: int, b: int, rows: list[list[int]], sizes: tuple[int, ...]) -> bool | None:
    """Whether axis a lies outside of axis b; None where no map says."""
    for strides in rows:
        if strides[a] and strides[b] and strides[a] != strides[b]:
            return strides[a] > strides[b]
        if strides[a] and strides[b] and sizes[a] > sizes[b]:
            return True
    return None


def _summed(terms: tuple[TapeTensor, TapeTensor], count: int, itemsize: int) -> list[list[Made]]:
    """The gradients of terms that are smaller than their sum: summed, and copied into the term's precision."""
    steps: list[list[Made]] = []
    for n, x in enumerate(terms):
        if x.count < count and x.derived:
            steps += into(n, x, itemsize, x.count, len(steps) + 1)
    return steps


def _factors(factors: tuple[TapeTensor, TapeTensor], count: int, itemsize: int) -> list[list[Made]]:
    """The gradients of two factors: that of the second first, and each whole; then, that of the first first, summed
    where the factor is smaller and copied into its precision.
    """
    derived = [(n, x) for n, x in enumerate(factors) if x.derived]
    whole: dict[int, list[Made]] = {}
    rest: list[list[Made]] = []
    for n, x in derived:
        sizes = [count * itemsize, x.count * itemsize, x.count * x.itemsize]
        sizes = list(dict.fromkeys(sizes))
        at = len(derived) + len(rest)
        made = [Made(SCRATCH, size, 0, at + turn) for turn, size in enumerate(sizes[:-1])] + [Made(n, sizes[-1], 0)]
        whole[n] = [made[0]]
        rest += [[one] for one in made[1:]]
    return [*reversed(whole.values()), *rest]


def concat(tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
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
    order = "last" if all(formatted(x, out) == "last" for x in xs) else "first"
    return tape.run("cat", xs, out.values, itemsize=size, order=order, passes=True)


def flatten(tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
    """The values as they lie; a map whose channels come last in memory, or a part of one, is copied into order."""
    (x,), (shape,) = xs, shapes
    one = merges((shape.channels, *shape.axes), x.strides) if x.strides else x.order != "last" or trivial(shape)
    if not one:
        return tape.run("clone", xs, out.values, order="first", passes=True)
    return tape.run("view", xs, out.values, view=True, order="first", passes=True)


def identity(tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
    return xs[0]


def slice_(tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
    (x,) = xs
    if out.values == x.count:
        return x
    part = tape.run("slice", xs, out.values, view=True, backward=tape.new(x), gives="first")
    part.order = "part" if x.order == "first" else x.order
    return part


def crop(tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
    """One slice after another, for every axis of which something is cut off; each has a gradient of full size."""
    (x,), (shape,) = xs, shapes
    strides, axes = x.strides or dense(x, shape), list(shape.axes)
    for at, size in enumerate(out.axes):
        if size < axes[at]:
            axes[at] = size
            count = shape.channels * product(axes)
            x = tape.run("slice", [x], count, view=True, backward=tape.new(x), gives="first")
            x.strides = strides
    return x


def pad(tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
    return xs[0] if out == shapes[0] else copied("constant_pad_nd")(tape, layer, xs, shapes, out)


def copied(operator: str) -> Run:
    """A layer that makes a map and keeps nothing."""

    def run(tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        order, one = formatted(xs[0], shapes[0]), operator == "upsample" and len(out.axes) == 1
        return tape.run(operator, xs, out.values, backward=tape.new(xs[0]), order=order, gives="first" if one else "")

    return run


def channel_shuffle(tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
    (x,) = xs
    if layer.groups in (1, out.channels):
        return x
    return tape.run("clone", xs, out.values, order="first", backward=tape.new(x))
