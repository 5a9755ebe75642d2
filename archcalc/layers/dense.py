"""Layers that weigh all features: linear, and LeNet-5's radial basis functions."""

from __future__ import annotations

from archcalc.errors import LayerError
from archcalc.layers.base import Layer, whole
from archcalc.layers.settings import Choice, Flag, WholeNumber
from archcalc.sizes import POINT, Int, Params, Shape, Window, Work


class Linear(Layer, type="linear"):
    """A fully connected layer on a vector, or on one axis of a map at every position of the others.

    A map must say which axis: its channels (as a 1x1 convolution) or its last axis (as
    ``torch.nn.Linear`` on a C x H x W tensor); without it, a forgotten flatten would pass unseen.
    """

    mixes = True
    out = WholeNumber("output features")
    bias = Flag("whether every output feature has a bias", True)
    axis = Choice("which axis of a map is weighed", (None, "channels", "last"), None)

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
        return Params(self.features(x) * self.out, self.out * self.bias)

    def work(self, out: Shape, x: Shape) -> Work:
        return Work(mac=out.values * self.features(x), add=out.values * self.bias)


class Rbf(Layer, type="rbf"):
    """LeNet-5's output: squared distances to fixed codes, y_i = sum over j of (x_j - w_ij)^2.

    The codes are not trained, so they are buffers. LeCun et al. 1998, section II.B, equation 7.
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
