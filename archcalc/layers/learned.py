"""Learned additions: numbers that are trained and that every image gets, not weights of the input."""

from __future__ import annotations

from archcalc.errors import LayerError
from archcalc.layers.base import Layer, Pointwise
from archcalc.layers.settings import WholeNumber
from archcalc.sizes import NO_WORK, Params, Shape, Window, Work


class Position(Pointwise, type="position"):
    """Adds a trained map: one number for every channel at every position.

    Source: Dosovitskiy et al., An image is worth 16x16 words, 2021, section 3.1, equation 1.
    """

    def params(self, x: Shape) -> Params:
        return Params(weight=x.values)

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
