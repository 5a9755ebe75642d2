"""Fully connected layers: linear, and LeNet-5's radial basis functions."""

from __future__ import annotations

from typing import Any

from archcalc.errors import LayerError, clipped
from archcalc.layers.base import Layer, whole
from archcalc.layers.computed import computing, factors
from archcalc.layers.settings import EXPRESSION, Choice, Flag, Setting, WholeNumber, whole_number
from archcalc.sizes import POINT, Int, Params, Shape, Window, Work, int_text, largest


class Part(Setting):
    """A part of a list: its first number, and the number after its last one."""

    allowed = "[start, stop]"

    def read(self, value: Any) -> tuple[Int, Int]:
        if not isinstance(value, (list, tuple)) or len(value) != 2:
            raise LayerError(f"expected [start, stop], got {clipped(repr(value), 60)}")
        start, stop = (whole_number(one, 0) for one in value)
        if largest(start - stop) >= 0:
            raise LayerError(f"the part from {int_text(start)} to {int_text(stop)} is empty", start >= stop)
        return start, stop

    def schema(self) -> dict[str, Any]:
        one = {"anyOf": [{"type": "integer", "minimum": 0}, EXPRESSION]}
        return {"type": "array", "items": one, "minItems": 2, "maxItems": 2, "description": self.help}


class Linear(Layer, type="linear"):
    """Fully connected layer on a vector, or on one axis of a map at every position of the other axes.

    A map needs ``axis``: its channels (the same as a 1x1 convolution) or its last axis (as ``torch.nn.Linear`` takes a
    C x H x W tensor). Without ``axis`` a map is an error, so that a forgotten ``flatten`` is seen.

    The biases of ``zero_bias`` are parameters that every forward pass takes for zero. In Swin V2, keys have no bias: in
    torchvision, one linear layer makes queries, keys and values, and a third of its biases is never used.

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
    zero_bias = Part("output features whose bias is zero: the first one, from 0, and the one after the last one", None)

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
        self._need_bias()
        if x.axes and self.axis == "last":
            return Shape(x.channels, (*x.axes[:-1], self.out))
        return Shape(self.out, x.axes)

    def _need_bias(self) -> None:
        if self.zero_bias is None:
            return
        start, stop = self.zero_bias
        if self.weight_norm:
            raise LayerError("linear: weight_norm and zero_bias cannot be combined")
        if not self.bias or largest(stop - self.out) > 0:
            has = f"{int_text(self.out)} biases" if self.bias else "no bias"
            raise LayerError(
                f"zero_bias is from {int_text(start)} to {int_text(stop)}, but the layer has {has}",
                not self.bias or stop > self.out,
            )

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
