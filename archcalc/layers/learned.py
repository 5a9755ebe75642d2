"""Learned additions: numbers that are trained and that every image gets, not weights of the input."""

from __future__ import annotations

from archcalc.errors import LayerError
from archcalc.layers.axes import AxisNames, axis_number
from archcalc.layers.base import Layer, Pointwise
from archcalc.layers.settings import WholeNumber
from archcalc.sizes import NO_WORK, Int, Params, Shape, Window, Work, product


class Position(Pointwise, type="position"):
    """Adds a trained map: one number for every channel at every position.

    With ``axes``, the numbers differ along these axes only, and repeat along the others: ``axes: [height, width]`` has one
    number for every channel and every place in a frame.

    Source: Dosovitskiy et al., An image is worth 16x16 words, 2021, section 3.1, equation 1; Fan et al., Multiscale vision
    transformers, 2021, Table 11 (axes).
    """

    axes = AxisNames("the axes along which the numbers differ (default: all)", None)

    def sizes(self, x: Shape) -> tuple[Int, ...]:
        """The size of the trained map along every axis: 1 where the numbers repeat."""
        if self.axes is None:
            return x.axes
        numbers = [axis_number(name, x, self.type) for name in self.axes]
        twice = next((name for at, name in enumerate(self.axes) if numbers.index(numbers[at]) < at), None)
        if twice or 0 in numbers:
            raise LayerError(
                f"position: the axis {twice} is listed twice in {', '.join(self.axes)}"
                if twice
                else "position: every channel has numbers of its own, so axes lists the axes of the map alone"
            )
        return tuple(n if at in numbers else 1 for at, n in enumerate(x.axes, 1))

    def shape(self, x: Shape) -> Shape:
        self.sizes(x)
        return x

    def params(self, x: Shape) -> Params:
        return Params(weight=x.channels * product(self.sizes(x)))

    def work(self, out: Shape, x: Shape) -> Work:
        return Work(add=x.values)


class ClassToken(Layer, type="class_token"):
    """Puts trained positions before the last axis of a map, the same for every image.

    Source: Dosovitskiy et al., An image is worth 16x16 words, 2021, section 3.1; Touvron et al., Training data-efficient
    image transformers, 2021, section 4 (two tokens).
    """

    tokens = WholeNumber("positions put before", 1)

    def _need_positions(self, x: Shape) -> None:
        if not x.axes:
            raise LayerError(
                f"class_token needs a map whose last axis holds the positions, got a vector of {x.channels}; to_tokens makes "
                f"such a map"
            )

    def window(self, x: Shape) -> tuple[Window, ...]:
        *others, _ = x.axes
        return (*(Window(1) for _ in others), Window(1, before=self.tokens, reads_both_ends=False))

    def shape(self, x: Shape) -> Shape:
        self._need_positions(x)
        return Shape(x.channels, (*x.axes[:-1], x.axes[-1] + self.tokens))

    def params(self, x: Shape) -> Params:
        return Params(weight=x.channels * self.tokens)

    def work(self, out: Shape, x: Shape) -> Work:
        return NO_WORK
