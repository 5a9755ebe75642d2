"""Activations: one value in, one value out, and the operations that takes.

Counted as the textbook formula written out once per value, with any transcendental function as one
``exp``; constants are multiplied and added like anything else.
"""

from __future__ import annotations

from archcalc.layers.base import Pointwise
from archcalc.layers.settings import Flag, Number
from archcalc.sizes import Params, Shape, Work


class Activation(Pointwise):
    """A function of each value by itself, which can overwrite its input."""

    storage = "in_place"


class Relu(Activation, type="relu"):
    """max(x, 0)"""

    def work(self, out: Shape, x: Shape) -> Work:
        return Work(compare=x.values)


class Relu6(Activation, type="relu6"):
    """min(max(x, 0), 6)"""

    def work(self, out: Shape, x: Shape) -> Work:
        return Work(compare=2 * x.values)


class LeakyRelu(Activation, type="leaky_relu"):
    """max(x, slope*x)"""

    slope = Number("slope below zero", 0.01)

    def work(self, out: Shape, x: Shape) -> Work:
        return Work(compare=x.values, mul=x.values)


class Prelu(Activation, type="prelu"):
    """max(x, a*x) with a trained. He et al., Delving deep into rectifiers, 2015, equation 1."""

    per_channel = Flag("whether every channel has its own slope", True)

    def params(self, x: Shape) -> Params:
        return Params(weight=x.channels if self.per_channel else 1)

    def work(self, out: Shape, x: Shape) -> Work:
        return Work(compare=x.values, mul=x.values)


class Elu(Activation, type="elu"):
    """x above zero, alpha*(exp(x) - 1) below"""

    alpha = Number("scale below zero", 1.0)

    def work(self, out: Shape, x: Shape) -> Work:
        return Work(compare=x.values, exp=x.values, add=x.values, mul=x.values)


class Sigmoid(Activation, type="sigmoid"):
    """1/(1 + exp(-x))"""

    def work(self, out: Shape, x: Shape) -> Work:
        return Work(exp=x.values, add=x.values, div=x.values)


class HardSigmoid(Activation, type="hard_sigmoid"):
    """min(max(x + 3, 0), 6)/6. Howard et al., Searching for MobileNetV3, 2019, section 5.2."""

    def work(self, out: Shape, x: Shape) -> Work:
        return Work(add=x.values, compare=2 * x.values, div=x.values)


class Silu(Activation, type="silu"):
    """x/(1 + exp(-x)), also called swish"""

    def work(self, out: Shape, x: Shape) -> Work:
        return Work(exp=x.values, add=x.values, div=x.values, mul=x.values)


class HardSwish(Activation, type="hard_swish"):
    """x*min(max(x + 3, 0), 6)/6. Howard et al. 2019, section 5.2."""

    def work(self, out: Shape, x: Shape) -> Work:
        return Work(add=x.values, compare=2 * x.values, div=x.values, mul=x.values)


class Gelu(Activation, type="gelu"):
    """0.5*x*(1 + erf(x/sqrt(2)))"""

    def work(self, out: Shape, x: Shape) -> Work:
        return Work(mul=2 * x.values, add=x.values, exp=x.values, div=x.values)


class Tanh(Activation, type="tanh"):
    """tanh(x), one transcendental function"""

    def work(self, out: Shape, x: Shape) -> Work:
        return Work(exp=x.values)


class Softmax(Pointwise, type="softmax"):
    """exp(x) over the sum of exp(x) across the channels, at each position."""

    mixes = True

    def work(self, out: Shape, x: Shape) -> Work:
        positions = x.values // x.channels
        return Work(exp=x.values, add=x.values - positions, div=x.values)
