"""Activations: one value in, one value out.

Operations are counted from the textbook formula, once per value. Any transcendental function is one ``exp``. Constants
are multiplied and added like other values.
"""

from __future__ import annotations

from archcalc.errors import LayerError
from archcalc.layers.axes import AxisName, axis_number, axis_size, whole_along
from archcalc.layers.base import Layer, Pointwise
from archcalc.layers.settings import INFINITY, Choice, Flag, Number
from archcalc.sizes import NO_PARAMS, POINT, Int, Params, Shape, Window, Work, divide, int_text, is_array, largest


class Activation(Pointwise):
    """A function of each value alone, which can work in place."""

    storage = "in_place"


class Relu(Activation, type="relu"):
    """The larger one of the value and zero: ``max(x, 0)``."""

    def work(self, out: Shape, x: Shape) -> Work:
        return Work(compare=x.values)


class Relu6(Activation, type="relu6"):
    """ReLU with an upper limit of 6: ``min(max(x, 0), 6)``.

    Source: Krizhevsky, Convolutional deep belief networks on CIFAR-10, 2010.
    """

    def work(self, out: Shape, x: Shape) -> Work:
        return Work(compare=2 * x.values)


class HardTanh(Activation, type="hard_tanh"):
    """The value within limits, as ``clamp`` has it: ``min(max(x, min), max)``.

    Source: Collobert, Large scale machine learning, 2004, chapter 5.
    """

    min = Number("lower limit", -1.0, low=-INFINITY)
    max = Number("upper limit", 1.0, low=-INFINITY)

    def shape(self, x: Shape) -> Shape:
        if largest(self.min - self.max) >= 0:
            low, high = (int_text(n) if is_array(n) else f"{n:g}" for n in (self.min, self.max))
            raise LayerError(f"hard_tanh: min {low} must be smaller than max {high}", self.min >= self.max)
        return x

    def work(self, out: Shape, x: Shape) -> Work:
        return Work(compare=2 * x.values)


class LeakyRelu(Activation, type="leaky_relu"):
    """ReLU with a constant slope below zero: ``max(x, slope * x)``.

    Source: Maas et al., Rectifier nonlinearities improve neural network acoustic models, 2013.
    """

    slope = Number("slope below zero", 0.01)

    def work(self, out: Shape, x: Shape) -> Work:
        return Work(compare=x.values, mul=x.values)


class Prelu(Activation, type="prelu"):
    """ReLU with a trained slope below zero: ``x`` above zero, ``a * x`` below.

    Source: He et al., Delving deep into rectifiers, 2015, equation 1.
    """

    per_channel = Flag("whether every channel has its own slope", True)

    def params(self, x: Shape) -> Params:
        return Params(weight=x.channels if self.per_channel else 1)

    def work(self, out: Shape, x: Shape) -> Work:
        return Work(compare=x.values, mul=x.values)


class Elu(Activation, type="elu"):
    """Exponential below zero: ``x`` above zero, ``alpha * (exp(x) - 1)`` below.

    Source: Clevert et al., Fast and accurate deep network learning by exponential linear units, 2016.
    """

    alpha = Number("scale below zero", 1.0)

    def work(self, out: Shape, x: Shape) -> Work:
        return Work(compare=x.values, exp=x.values, add=x.values, mul=x.values)


class Selu(Activation, type="selu"):
    """Exponential below zero, with fixed numbers: ``scale * x`` above zero, ``scale * alpha * (exp(x) - 1)`` below.

    Source: Klambauer et al., Self-normalizing neural networks, 2017, equation 2.
    """

    def work(self, out: Shape, x: Shape) -> Work:
        return Work(compare=x.values, exp=x.values, add=x.values, mul=2 * x.values)


class Softplus(Activation, type="softplus"):
    """A smooth ReLU: ``log(1 + exp(x))``.

    Source: Dugas et al., Incorporating second-order functional knowledge for better option pricing, 2001.
    """

    def work(self, out: Shape, x: Shape) -> Work:
        return Work(exp=2 * x.values, add=x.values)


class Mish(Activation, type="mish"):
    """The value times the hyperbolic tangent of its softplus: ``x * tanh(log(1 + exp(x)))``.

    Source: Misra, Mish: a self regularized non-monotonic activation function, 2019, equation 1.
    """

    def work(self, out: Shape, x: Shape) -> Work:
        return Work(exp=3 * x.values, add=x.values, mul=x.values)


class Sigmoid(Activation, type="sigmoid"):
    """The logistic function: ``1 / (1 + exp(-x))``."""

    def work(self, out: Shape, x: Shape) -> Work:
        return Work(exp=x.values, add=x.values, div=x.values)


class HardSigmoid(Activation, type="hard_sigmoid"):
    """Sigmoid in straight pieces: ``min(max(x + 3, 0), 6) / 6``.

    Source: Howard et al., Searching for MobileNetV3, 2019, section 5.2.
    """

    def work(self, out: Shape, x: Shape) -> Work:
        return Work(add=x.values, compare=2 * x.values, div=x.values)


class Silu(Activation, type="silu"):
    """The value times its sigmoid, also called swish: ``x / (1 + exp(-x))``."""

    def work(self, out: Shape, x: Shape) -> Work:
        return Work(exp=x.values, add=x.values, div=x.values, mul=x.values)


class HardSwish(Activation, type="hard_swish"):
    """The value times its hard sigmoid: ``x * min(max(x + 3, 0), 6) / 6``.

    Source: Howard et al., Searching for MobileNetV3, 2019, section 5.2.
    """

    def work(self, out: Shape, x: Shape) -> Work:
        return Work(add=x.values, compare=2 * x.values, div=x.values, mul=x.values)


class Gelu(Activation, type="gelu"):
    """The value times the normal distribution function: ``0.5 * x * (1 + erf(x / sqrt(2)))``.

    With ``approximate: tanh``: ``0.5 * x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3)))``.

    Source: Hendrycks and Gimpel, Gaussian error linear units, 2016, section 2.
    """

    approximate = Choice("tanh: by the hyperbolic tangent", (None, "tanh"), None)

    def work(self, out: Shape, x: Shape) -> Work:
        if self.approximate:
            return Work(mul=6 * x.values, add=2 * x.values, exp=x.values)
        return Work(mul=2 * x.values, add=x.values, exp=x.values, div=x.values)


class Tanh(Activation, type="tanh"):
    """The hyperbolic tangent, one transcendental function per value."""

    def work(self, out: Shape, x: Shape) -> Work:
        return Work(exp=x.values)


class Softmax(Pointwise, type="softmax"):
    """``exp(x)`` divided by the sum of ``exp(x)`` over the channels at each position, or over another axis."""

    mixes = True
    axis = AxisName("the axis of the sum", "channels")

    def window(self, x: Shape) -> tuple[Window, ...]:
        return whole_along(x, axis_number(self.axis, x, self.type))

    def shape(self, x: Shape) -> Shape:
        axis_number(self.axis, x, self.type)
        return x

    def sums(self, x: Shape) -> Int:
        return x.values // axis_size(self.axis, x, self.type)

    def work(self, out: Shape, x: Shape) -> Work:
        return Work(exp=x.values, add=x.values - self.sums(x), div=x.values)


class LogSoftmax(Softmax, type="log_softmax"):
    """The logarithm of the soft-max over the channels, or over another axis: ``x - log(sum of exp(x))``."""

    def work(self, out: Shape, x: Shape) -> Work:
        return Work(exp=x.values + self.sums(x), add=2 * x.values - self.sums(x))


class Glu(Layer, type="glu"):
    """Gated linear unit: the first half of the channels times the sigmoid of the second half.

    Source: Dauphin et al., Language modeling with gated convolutional networks, 2017, equation 1.
    """

    mixes = True

    def window(self, x: Shape) -> tuple[Window, ...]:
        return POINT

    def shape(self, x: Shape) -> Shape:
        return x._replace(channels=divide(x.channels, 2, "glu halves the channels"))

    def params(self, x: Shape) -> Params:
        return NO_PARAMS

    def work(self, out: Shape, x: Shape) -> Work:
        return Work(exp=out.values, add=out.values, div=out.values, mul=out.values)
