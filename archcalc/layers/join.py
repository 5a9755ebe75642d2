"""Where branches meet."""

from __future__ import annotations

from archcalc.errors import LayerError
from archcalc.layers.base import Layer
from archcalc.sizes import NO_PARAMS, NO_WORK, POINT, Params, Shape, Window, Work, equal, product


class Join(Layer):
    """A layer with several inputs, which sees each at its own position and owns nothing."""

    joins = True

    def window(self, *xs: Shape) -> tuple[Window, ...]:
        return POINT

    def params(self, *xs: Shape) -> Params:
        return NO_PARAMS


class Elementwise(Join):
    """Inputs of one shape, combined value by value."""

    def shape(self, *xs: Shape) -> Shape:
        for x in xs[1:]:
            if not same_shape(x, xs[0]):
                raise LayerError(f"the inputs of {self.type} differ in shape: {listed(xs)}")
        return xs[0]


class Add(Elementwise, type="add"):
    """The sum of the inputs: one addition per value and further input."""

    def work(self, out: Shape, *xs: Shape) -> Work:
        return Work(add=(len(xs) - 1) * out.values)


class Mean(Elementwise, type="mean"):
    """The mean of the inputs. Larsson et al., FractalNet, 2017, section 2: the join."""

    def work(self, out: Shape, *xs: Shape) -> Work:
        return Work(add=(len(xs) - 1) * out.values, div=out.values)


class Multiply(Join, type="multiply"):
    """The product of the inputs; one with a single position (or a vector) applies to every position.

    Hu et al., Squeeze-and-excitation networks, 2018, equation 4.
    """

    def shape(self, *xs: Shape) -> Shape:
        full = max(xs, key=lambda x: (bool(x.axes), not is_gate(x)))
        for x in xs:
            if not (same_shape(x, full) or (is_gate(x) and equal(x.channels, full.channels))):
                raise LayerError(
                    f"the inputs of multiply do not fit: {listed(xs)}; a gate has the same channels and one position"
                )
        return full

    def work(self, out: Shape, *xs: Shape) -> Work:
        return Work(mul=(len(xs) - 1) * out.values)


class Concat(Join, type="concat"):
    """The inputs' channels one after another."""

    def shape(self, *xs: Shape) -> Shape:
        for x in xs[1:]:
            if not same_shape(x._replace(channels=1), xs[0]._replace(channels=1)):
                raise LayerError(f"the inputs of concat differ in size: {listed(xs)}")
        return Shape(sum(x.channels for x in xs), xs[0].axes)

    def work(self, out: Shape, *xs: Shape) -> Work:
        return NO_WORK


def same_shape(a: Shape, b: Shape) -> bool:
    return len(a.axes) == len(b.axes) and all(map(equal, (a.channels, *a.axes), (b.channels, *b.axes)))


def is_gate(x: Shape) -> bool:
    return equal(product(x.axes), 1)


def listed(xs: tuple[Shape, ...]) -> str:
    return ", ".join(map(str, xs[:6])) + (", ..." if len(xs) > 6 else "")
