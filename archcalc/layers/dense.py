"""Fully connected layers: linear, and LeNet-5's radial basis functions."""

from __future__ import annotations

from archcalc.errors import LayerError
from archcalc.layers.base import Layer, whole
from archcalc.layers.computed import computing, factors
from archcalc.layers.settings import Choice, Flag, WholeNumber
from archcalc.sizes import POINT, Int, Params, Shape, Window, Work


class Linear(Layer, type="linear"):
    """Fully connected layer on a vector, or on one axis of a map at every position of the other axes.

    A map needs ``axis``: its channels (the same as a 1x1 convolution) or its last axis (as ``torch.nn.Linear`` takes a
    C x H x W tensor). Without ``axis`` a map is an error, so that a forgotten ``flatten`` is seen.

    With ``weight_norm``, every forward pass computes the weights once for the whole batch: those of each output feature
    have a trained length.

    Source of ``weight_norm``: Salimans and Kingma, Weight normalization, 2016, equation 2.
    """

    mixes = True
    out = WholeNumber("output features")
    bias = Flag("whether every output feature has a bias", True)
    axis = Choice("the axis of a map that the weights apply to", (None, "channels", "last"), None)
    weight_norm = Choice(
        "weights that every forward pass computes, with a trained length for each output feature (channels)",
        (None, "channels"),
        None,
    )

    def features(self, x: Shape) -> Int:
        if x.axes and self.axis is None:
            raise LayerError(f"linear on the map {x}: put flatten before it, or say axis: channels or axis: last")
        return x.axes[-1] if x.axes and self.axis == "last" else x.channels

    def window(self, x: Shape) -> tuple[Window, ...]:
        if x.axes and self.axis == "last":
            return (*(Window(1) for _ in x.axes[:-1]), whole(x)[-1])
        return POINT

    def shape(self, x: Shape) -> Shape:
        self.features(x)
        if x.axes and self.axis == "last":
            return Shape(x.channels, (*x.axes[:-1], self.out))
        return Shape(self.out, x.axes)

    def params(self, x: Shape) -> Params:
        return Params(self.kernel_weights(x) + self.factors(x), self.out * self.bias)

    def work(self, out: Shape, x: Shape) -> Work:
        return Work(mac=out.values * self.features(x), add=out.values * self.bias)

    def work_once(self, *inputs: Shape) -> Work:
        return computing(self.weight_norm, self.kernel_weights(*inputs), self.out)

    def kernel_weights(self, x: Shape) -> Int:
        """The weights of the matrix product."""
        count: Int = self.features(x) * self.out
        return count

    def factors(self, x: Shape) -> Int:
        """The trained lengths of the weights."""
        return factors(self.weight_norm, self.out, 0)


class Rbf(Layer, type="rbf"):
    """LeNet-5's output layer: squared distances to fixed codes, ``y_i = sum over j of (x_j - w_ij)^2``.

    The codes are not trained, so they are buffers.

    Source: LeCun et al., Gradient-based learning applied to document recognition, 1998, section II.B, equation 7.
    """

    mixes = True
    out = WholeNumber("number of classes")

    def window(self, x: Shape) -> tuple[Window, ...]:
        return POINT

    def shape(self, x: Shape) -> Shape:
        if x.axes:
            raise LayerError(f"rbf needs a vector, got the map {x}: put flatten before it")
        return Shape(self.out)

    def params(self, x: Shape) -> Params:
        return Params(buffers=x.channels * self.out)

    def work(self, out: Shape, x: Shape) -> Work:
        return Work(mul=out.values * x.channels, add=out.values * (2 * x.channels - 1))
