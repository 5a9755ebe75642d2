"""Reductions: one value in place of all values along an axis."""

from __future__ import annotations

from archcalc.layers.axes import WORDS, axis_number, sizes_of, whole_along
from archcalc.layers.base import Layer, need_map
from archcalc.layers.settings import Choice
from archcalc.sizes import NO_PARAMS, Params, Shape, Window, Work


class Reduce(Layer, type="reduce"):
    """The mean, the sum or the largest one of the values along an axis, which has size 1 afterwards.

    Over n values: n-1 add (mean, sum) or n-1 compare (max), and 1 div (mean).

    Source: Woo et al., CBAM, 2018, section 3.2 (mean and maximum over the channels, for a spatial gate).
    """

    mixes = True
    by = Choice("what stands for the values", ("mean", "sum", "max"))
    axis = Choice("the axis; positions: all axes but the channels", (*WORDS, "positions"))

    def over(self, x: Shape) -> tuple[int, ...]:
        """The numbers of the axes: 0 for the channels, then 1, 2, ..."""
        if self.axis == "positions":
            need_map(x, "reduce over positions")
            return tuple(range(1, len(x.axes) + 1))
        return (axis_number(self.axis, x, self.type),)

    def window(self, x: Shape) -> tuple[Window, ...]:
        return whole_along(x, *self.over(x))

    def shape(self, x: Shape) -> Shape:
        over = self.over(x)
        channels, *axes = (1 if at in over else n for at, n in enumerate(sizes_of(x)))
        return Shape(channels, tuple(axes))

    def params(self, x: Shape) -> Params:
        return NO_PARAMS

    def work(self, out: Shape, x: Shape) -> Work:
        steps = x.values - out.values
        if self.by == "max":
            return Work(compare=steps)
        return Work(add=steps, div=out.values * (self.by == "mean"))
