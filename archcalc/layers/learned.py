"""Learned additions: numbers that are trained and that every image gets, not weights of the input."""

from __future__ import annotations

from typing import Any

from archcalc.errors import LayerError
from archcalc.layers.axes import AxisName, AxisNames, axis_number
from archcalc.layers.base import Layer, Pointwise, whole
from archcalc.layers.settings import Flag, PerAxis, WholeNumber, message_text
from archcalc.sizes import NO_PARAMS, NO_WORK, POINT, Int, Params, Shape, Window, Work, product


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


class Sizes(PerAxis):
    """The channels, and the size of every axis."""

    def __init__(self, help: str) -> None:
        super().__init__(help)
        self.allowed = "[channels, height, width]"

    def read(self, value: Any) -> Any:
        if not isinstance(value, (list, tuple)):
            raise LayerError(f"expected the channels and every axis, as in [64, 14, 14], got {message_text(value)}")
        return super().read(value)

    def schema(self) -> dict[str, Any]:
        return {**super().schema()["anyOf"][-1], "description": self.help}


class Parameter(Layer, type="parameter"):
    """A trained map, the same for every image. Of its input, the layer reads the number of images alone.

    With ``fixed``, the numbers are constants that training does not change: buffers, as those of a rotary or sinusoidal
    position embedding. The map is copied for every image, so that any layer can read it.

    Source: Vaswani et al., Attention is all you need, 2017, section 3.5 (fixed); Dosovitskiy et al., An image is worth 16x16
    words, 2021, section 3.1; Su et al., RoFormer, 2021, equation 34 (factors of a rotary position embedding).
    """

    size = Sizes("the channels, and the size of every axis")
    fixed = Flag("whether the numbers are buffers, which training does not change", False)

    def window(self, x: Shape) -> tuple[Window, ...]:
        return whole(x)

    def shape(self, x: Shape) -> Shape:
        return Shape(self.size[0], self.size[1:])

    def params(self, x: Shape) -> Params:
        count = product(self.size)
        return Params(buffers=count) if self.fixed else Params(weight=count)

    def work(self, out: Shape, x: Shape) -> Work:
        return NO_WORK


class IndexSelect(Layer, type="index_select"):
    """Positions of one axis, or channels, chosen by a list of constants: a table of numbers becomes a map of biases.

    The list is a buffer that no count contains. A position can stand in it several times, or not at all.

    Source: Liu et al., Swin transformer, 2021, section 3.2 (biases from a table of relative positions).
    """

    count = WholeNumber("positions of the output, or its channels")
    axis = AxisName("the axis along which is chosen", "last")

    def window(self, x: Shape) -> tuple[Window, ...]:
        chosen = axis_number(self.axis, x, self.type)
        if not chosen:
            return POINT
        return tuple(
            Window(n, whole=True, exact=False) if at == chosen else Window(1) for at, n in enumerate(x.axes, 1)
        )

    def shape(self, x: Shape) -> Shape:
        sizes = [x.channels, *x.axes]
        sizes[axis_number(self.axis, x, self.type)] = self.count
        return Shape(sizes[0], tuple(sizes[1:]))

    def params(self, x: Shape) -> Params:
        return NO_PARAMS

    def work(self, out: Shape, x: Shape) -> Work:
        return NO_WORK


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
