"""Functions of mathematics, value by value."""

from __future__ import annotations

from typing import Any

from archcalc.errors import LayerError
from archcalc.layers.base import Pointwise
from archcalc.layers.settings import INFINITY, Choice, Number
from archcalc.sizes import Shape, Work, largest

FUNCTIONS = ("abs", "exp", "log", "sqrt", "sin", "cos", "power")


class Math(Pointwise, type="math"):
    """A function of every value alone: its absolute value, exponential, natural logarithm, square root, sine or cosine, or a
    power of it.

    ``math: exp`` names the function, ``math: {function: power, exponent: 2}`` is the square. The layers ``scale`` before
    and behind make the base of a logarithm or of an exponential, and ``hard_tanh`` keeps values within limits. No other
    layer has these functions: activations have the shape that their name says, and ``scale`` is a line.

    An absolute value is one comparison, every other function one ``exp``; a square is one product.

    Source: Jia et al., Caffe, 2014: layers AbsVal, Exp, Log and Power. Heo et al., Rotary position embedding for vision
    transformer, 2024, arXiv:2403.13298 (RoPE-Mixed): sines and cosines of trained angles.
    """

    direct = "function"
    function = Choice("what is computed of every value", FUNCTIONS)
    exponent = Number("the exponent of a power", None, low=-INFINITY)

    def shape(self, x: Shape) -> Shape:
        if (self.exponent is None) == (self.function == "power"):
            raise LayerError(
                "math: power needs an exponent, as in {function: power, exponent: 2}"
                if self.exponent is None
                else f"math: {self.function} has no exponent; say function: power"
            )
        if self.exponent is not None and largest(self.exponent == 0):
            raise LayerError("math: power with the exponent 0 makes every value 1", self.exponent == 0)
        return x

    def work(self, out: Shape, x: Shape) -> Work:
        if self.function == "abs":
            return Work(compare=x.values)
        square: Any = (self.exponent == 2) * 1
        return Work(mul=x.values * square, exp=x.values * (1 - square))


class Scale(Pointwise, type="scale"):
    """Every value times one constant, as in scaled residuals, and with ``shift`` plus another constant.

    Source: Szegedy et al., Inception-v4, Inception-ResNet and the impact of residual connections, 2016, section 3.3.
    """

    factor = Number("the constant factor", low=float("-inf"))
    shift = Number("the constant that is added", 0.0, low=float("-inf"))
    storage = "in_place"

    @property
    def multiplies(self) -> Any:
        """Whether there is a product: not for a factor of 1 beside a shift."""
        return (self.factor != 1) | (self.shift == 0)

    def work(self, out: Shape, x: Shape) -> Work:
        return Work(mul=x.values * self.multiplies, add=x.values * (self.shift != 0))
