"""Joins: layers with several inputs, where branches meet."""

from __future__ import annotations

import operator
from functools import reduce
from itertools import accumulate
from typing import NamedTuple

from archcalc.errors import LayerError
from archcalc.layers.axes import AxisName, axis_number, sizes_of
from archcalc.layers.base import Layer
from archcalc.layers.settings import Flag
from archcalc.sizes import (
    NO_PARAMS,
    NO_WORK,
    POINT,
    Int,
    Params,
    Shape,
    Window,
    Work,
    equal,
    greater,
    int_text,
    largest,
    lesser,
    product,
    smallest,
    unequal,
)


class Join(Layer):
    """A layer with several inputs: a unit reads its own position of each input. Joins own no parameters."""

    joins = True

    def window(self, *xs: Shape) -> tuple[Window, ...]:
        return POINT

    def params(self, *xs: Shape) -> Params:
        return NO_PARAMS


class Elementwise(Join):
    """Inputs combined value by value, one after another.

    One channel of an input applies to all channels, one position along an axis to all positions along it, and a
    vector to every position: the broadcast of PyTorch.
    """

    def shape(self, *xs: Shape) -> Shape:
        try:
            return broadcast(*xs)
        except ValueError as error:
            raise LayerError(
                f"the inputs of {self.type} differ in shape: {shapes_text(xs)}; "
                f"along each axis sizes must be equal, or 1{_crops(xs)}",
                getattr(error, "where", True),
            ) from None

    def combined(self, *xs: Shape) -> Int:
        """The values of all partial results: of the first two inputs, of this result and the third input, and so on."""
        results = list(accumulate(xs, broadcast))[1:]
        return sum(result.values for result in results)


class Add(Elementwise, type="add"):
    """The sum of the inputs, value by value. Adding k inputs of one shape takes k - 1 additions per value.

    With ``unequal``, the output has the shape of the first input, and another input is added where both have values, as
    darknet's shortcut does it: in the first channels, and of a map that is k times larger, every k-th position. A map
    that is k times smaller is added to every k-th position.

    Source of ``unequal``: Redmon, darknet, 2013 to 2016, src/blas.c, shortcut_cpu.
    """

    unequal = Flag("whether the inputs may differ in channels and, by one factor for all axes, in size", False)

    def shape(self, *xs: Shape) -> Shape:
        if not self.unequal:
            return super().shape(*xs)
        for x in xs[1:]:
            overlap(xs[0], x)
        return xs[0]

    def work(self, out: Shape, *xs: Shape) -> Work:
        if self.unequal:
            return Work(add=sum(overlap(out, x).shape.values for x in xs[1:]))
        return Work(add=self.combined(*xs))


class Overlap(NamedTuple):
    """Where a map is added to another one: how many channels and positions, and the step between them in both maps."""

    shape: Shape
    here: Int
    there: Int


def overlap(first: Shape, x: Shape) -> Overlap:
    """Where x is added to the first map; LayerError if the factor between their sizes is not the same for all axes."""
    if len(first.axes) != len(x.axes):
        raise LayerError(f"the inputs of add differ in their number of axes: {first} and {x}")
    here, there = [[greater(1, a // b) for a, b in zip(*sizes, strict=True)] for sizes in _both(first.axes, x.axes)]
    if not all(equal(n, steps[0]) for steps in (here, there) for n in steps):
        factors = [f"{int_text(a)}/{int_text(b)}" for a, b in zip(first.axes, x.axes, strict=True)]
        raise LayerError(
            f"add of {first} and {x}: the factor between the sizes, in whole numbers, must be the same for all axes, but "
            f"the sizes are {', '.join(factors)}",
            unequal(here, here[:1] * len(here)) | unequal(there, there[:1] * len(there)),
        )
    channels, *axes = map(lesser, sizes_of(first), sizes_of(x))
    return Overlap(Shape(channels, tuple(axes)), here[0] if here else 1, there[0] if there else 1)


def _both(a: tuple[Int, ...], b: tuple[Int, ...]) -> tuple[tuple[tuple[Int, ...], ...], ...]:
    return (a, b), (b, a)


class Mean(Elementwise, type="mean"):
    """The mean of the inputs, value by value.

    Source: Larsson et al., FractalNet, 2017, section 2 (the join).
    """

    def work(self, out: Shape, *xs: Shape) -> Work:
        return Work(add=self.combined(*xs), div=out.values)


class Multiply(Elementwise, type="multiply"):
    """The product of the inputs, value by value. An input may be a gate: one value per channel or per position.

    Source: Hu et al., Squeeze-and-excitation networks, 2018, equation 4; Woo et al., CBAM, 2018, equation 2.
    """

    def work(self, out: Shape, *xs: Shape) -> Work:
        return Work(mul=self.combined(*xs))


class Subtract(Elementwise, type="subtract"):
    """The first input less all other inputs, value by value. A difference counts as an addition."""

    def work(self, out: Shape, *xs: Shape) -> Work:
        return Work(add=self.combined(*xs))


class Divide(Elementwise, type="divide"):
    """The first input divided by all other inputs, value by value."""

    def work(self, out: Shape, *xs: Shape) -> Work:
        return Work(div=self.combined(*xs))


class Maximum(Elementwise, type="maximum"):
    """The largest one of the inputs, value by value.

    Source: Goodfellow et al., Maxout networks, 2013, equation 2.
    """

    def work(self, out: Shape, *xs: Shape) -> Work:
        return Work(compare=self.combined(*xs))


class Minimum(Maximum, type="minimum"):
    """The smallest one of the inputs, value by value."""


class Concat(Join, type="concat"):
    """The channels of all inputs, one input after the other; or the positions along another axis.

    ``from`` may name one input alone, which is copied, as ``torch.cat`` does it.
    """

    fewest_named = 1

    axis = AxisName("the axis along which the inputs stand one after the other", "channels")

    def shape(self, *xs: Shape) -> Shape:
        at = axis_number(self.axis, xs[0], self.type)
        rows = [sizes_of(x) for x in xs]
        for row in rows[1:]:
            same = len(row) == len(rows[0]) and all(
                equal(n, m) for i, (n, m) in enumerate(zip(row, rows[0], strict=True)) if i != at
            )
            if not same:
                hint = _crops(xs) if at == 0 else f"; all sizes but the {self.axis} must be equal"
                others = ([n for i, n in enumerate(one) if i != at] for one in (row, rows[0]))
                raise LayerError(f"the inputs of concat differ in size: {shapes_text(xs)}{hint}", unequal(*others))
        sizes = list(rows[0])
        sizes[at] = sum(row[at] for row in rows)
        return Shape(sizes[0], tuple(sizes[1:]))

    def work(self, out: Shape, *xs: Shape) -> Work:
        return NO_WORK


def same_shape(a: Shape, b: Shape) -> bool:
    return len(a.axes) == len(b.axes) and all(map(equal, (a.channels, *a.axes), (b.channels, *b.axes)))


def is_gate(x: Shape) -> bool:
    return equal(product(x.axes), 1)


def broadcast(*xs: Shape) -> Shape:
    """The shape of inputs combined value by value; ValueError if they do not fit (LayerError: along an axis)."""
    if all(same_shape(x, xs[0]) for x in xs[1:]):
        return xs[0]
    axes = max(len(x.axes) for x in xs)
    rows = [(x.channels, *(x.axes or (1,) * axes)) for x in xs]
    sizes = [reduce(greater, column) for column in zip(*rows, strict=True)]
    wrong = [(n != size) & (n != 1) for row in rows for n, size in zip(row, sizes, strict=True)]
    if any(map(largest, wrong)):
        raise LayerError("sizes that differ, of which none is 1", reduce(operator.or_, wrong))
    return Shape(sizes[0], tuple(sizes[1:]))


def broadcast_windows(x: Shape, out: Shape) -> tuple[Window, ...]:
    """The windows of a join on one input: a unit's own position, or the whole of an axis of size 1."""
    if not x.axes or all(map(equal, x.axes, out.axes)):
        return POINT
    return tuple(Window(1, whole=not equal(n, m)) for n, m in zip(x.axes, out.axes, strict=True))


def shapes_text(xs: tuple[Shape, ...]) -> str:
    return ", ".join(map(str, xs[:6])) + (", ..." if len(xs) > 6 else "")


def _crops(xs: tuple[Shape, ...]) -> str:
    """How to make maps of different size fit."""
    if not xs[0].axes or len({len(x.axes) for x in xs}) > 1:
        return ""
    sizes = [reduce(lesser, column) for column in zip(*(x.axes for x in xs), strict=True)]
    same = all(equal(n, size) for x in xs for n, size in zip(x.axes, sizes, strict=True))
    if same or min(map(smallest, sizes)) == 1:
        return ""
    return f"; crop: {{size: [{', '.join(map(int_text, sizes))}]}} cuts a larger map to that size"
