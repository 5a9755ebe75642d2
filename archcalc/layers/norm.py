"""Normalisation, and scaling by channel."""

from __future__ import annotations

from archcalc.errors import LayerError
from archcalc.layers.axes import AxisOrAxes, axis_names, axis_number, sizes_of, whole_along
from archcalc.layers.base import Layer, Pointwise, need_map, whole
from archcalc.layers.pool import AvgPool
from archcalc.layers.settings import Choice, Flag, Number, WholeNumber
from archcalc.sizes import POINT, Int, Params, Shape, Window, Work, divide, int_text, product, smallest


class BatchNorm(Pointwise, type="batch_norm"):
    """Batch normalisation at inference: one multiplication and one addition per value.

    The layer owns a scale and a shift per channel, and the running mean and variance as buffers. If ``frozen``, all four
    are buffers, and training does not change them (torchvision's FrozenBatchNorm2d).

    Source: Ioffe and Szegedy, Batch normalization, 2015, Algorithm 2.
    """

    affine = Flag("whether a scale and a shift are trained", True)
    scale = Flag("whether the scale is trained, where affine", True)
    frozen = Flag("whether scale, shift, mean and variance are buffers that training does not change", False)
    eps = Number("added to the variance", 1e-5)

    def shape(self, x: Shape) -> Shape:
        if self.frozen and not (self.affine and self.scale):
            off = "scale" if self.affine else "affine"
            raise LayerError(f"frozen keeps a scale and a shift as buffers, but {off} is false; leave one of them out")
        return x

    def params(self, x: Shape) -> Params:
        if self.frozen:
            return Params(buffers=4 * x.channels)
        return Params(x.channels * (self.affine and self.scale), x.channels * self.affine, 2 * x.channels)

    def work(self, out: Shape, x: Shape) -> Work:
        return Work(mul=x.values, add=x.values)


class Lrn(Pointwise, type="lrn"):
    """Local response normalisation over ``size`` neighbouring channels: ``x / (k + alpha * sum of squares)^beta``.

    With ``axis: positions``, the squares are those of one channel in a window of ``size`` positions along every axis
    around the value, with zeros around the map, as Caffe's WITHIN_CHANNEL has it.

    Per value: a square, an addition less than the window has values for the sum, a product with alpha, the addition of k,
    a power and a division. Values at the edge are counted like all other values.

    Source: Krizhevsky et al., ImageNet classification with deep convolutional neural networks, 2012, section 3.3;
    Jia et al., Caffe, 2014, lrn_layer.cpp (positions).
    """

    mixes = True
    size = WholeNumber("neighbouring channels, or neighbouring positions along every axis", 5)
    alpha = Number("factor of the sum of squares", 1e-4)
    beta = Number("exponent", 0.75)
    k = Number("constant added", 2.0)
    axis = Choice(
        "whether the neighbours are channels, or positions of one channel", ("channels", "positions"), "channels"
    )

    @property
    def within(self) -> bool:
        """Whether the neighbours are positions of one channel."""
        return bool(self.axis == "positions")

    @property
    def windows(self) -> AvgPool:
        """The pooling whose windows are the neighbours of each position."""
        return AvgPool(kernel=self.size, stride=1, pad=self.size // 2)

    def window(self, x: Shape) -> tuple[Window, ...]:
        return self.windows.window(x) if self.within else POINT

    def shape(self, x: Shape) -> Shape:
        if self.within:
            need_map(x, "lrn over positions")
            if smallest(self.size % 2) == 0:
                raise LayerError(
                    f"lrn over positions needs an odd size, got {int_text(self.size)}: as many neighbours before a "
                    f"position as behind it",
                    self.size % 2 == 0,
                )
        return x

    def work(self, out: Shape, x: Shape) -> Work:
        cells = self.windows.kernel_cells(x) if self.within else self.size
        return Work(mul=2 * x.values, add=cells * x.values, exp=x.values, div=x.values)


class AxisNorm(Layer):
    """A normalisation over the channels at each position, over the last axis or axes, or over all values."""

    mixes = True
    axis = AxisOrAxes("which values of a map are normalised together", ("channels", "last", "all"))

    def over(self, x: Shape) -> tuple[int, ...]:
        """The numbers of the axes: 0 for the channels, then 1, 2, ..."""
        every = tuple(range(len(x.axes) + 1))
        if isinstance(self.axis, tuple):
            over = tuple(axis_number(name, x, self.type) for name in self.axis)
            if over not in ((0,), every[len(every) - len(over) :]):
                raise LayerError(
                    f"{self.type} over {', '.join(self.axis)} of the map {x}: a list has the last axes of the map, all of "
                    f"channels, {', '.join(axis_names(x))} from one axis on"
                )
            return over
        if not x.axes:
            return every
        if self.axis is None:
            raise LayerError(f"{self.type} on the map {x}: say axis: channels, axis: last or axis: all")
        return {"channels": (0,), "last": every[-1:], "all": every}[self.axis]

    def sizes(self, x: Shape) -> tuple[Int, ...]:
        """The sizes of the axes."""
        return tuple(sizes_of(x)[at] for at in self.over(x))

    def features(self, x: Shape) -> Int:
        return product(self.sizes(x))

    def window(self, x: Shape) -> tuple[Window, ...]:
        return whole_along(x, *self.over(x))

    def shape(self, x: Shape) -> Shape:
        self.over(x)
        return x


class LayerNorm(AxisNorm, type="layer_norm"):
    """Layer normalisation over the channels at each position, over the last axis, or over all values.

    A list has the last axes of the map, as in PyTorch: ``axis: [height, width]``. Every value that is normalised together
    has a scale and a shift of its own.

    Over n values: mean (n-1 add, 1 div), difference (n add), variance (n mul, n-1 add, 1 div),
    its root (1 add for eps, 1 exp, 1 div), product with the root (n mul), and scale and shift (n mul, n add).

    Source: Ba et al., Layer normalization, 2016, equation 3.
    """

    affine = Flag("whether a scale and a shift are trained", True)
    eps = Number("added to the variance", 1e-5)

    def params(self, x: Shape) -> Params:
        return Params(self.features(x) * self.affine, self.features(x) * self.affine)

    def work(self, out: Shape, x: Shape) -> Work:
        return grouped_work(x, x.values // self.features(x), self.affine)


class RmsNorm(AxisNorm, type="rms_norm"):
    """Every value divided by the root of the mean of the squares, over the axes of ``layer_norm``.

    Over n values: the mean of the squares (n mul, n-1 add, 1 div), one over its root (1 add for eps, 1 exp, 1 div), the
    product with it (n mul), and a trained scale (n mul).

    Source: Zhang and Sennrich, Root mean square layer normalization, 2019, equation 4.
    """

    affine = Flag("whether a scale is trained", True)
    eps = Number("added to the mean of the squares", 1e-6)

    def params(self, x: Shape) -> Params:
        return Params(self.features(x) * self.affine)

    def work(self, out: Shape, x: Shape) -> Work:
        groups = x.values // self.features(x)
        return Work(add=x.values, mul=(2 + self.affine) * x.values, div=2 * groups, exp=groups)


class L2Norm(AxisNorm, type="l2_norm"):
    """The channels at each position divided by their Euclidean length, and with ``scale`` times a number per channel.

    With ``axis``, the values along these axes have one length: all values of a map with ``all``, and those of a channel
    with ``[height, width]``. Any axes can be listed. The scale is a number per channel whatever the axes are, or one
    number for all channels.

    Over n values: the length (n mul, n-1 add, 1 exp), at least eps (1 compare), the quotient (n div), the scale (n mul).

    Source: Liu et al., ParseNet: looking wider to see better, 2015, equations 1 and 3; Liu et al., SSD, 2016, section 3.1.
    """

    axis = AxisOrAxes("the axes of the values that have one length (default: channels)", ("channels", "last", "all"))
    scale = Flag("whether a scale is trained", False)
    per_channel = Flag("whether every channel has its own scale", True)
    init = Number("the scale before training; 20 in SSD", 1.0)
    eps = Number("the least length", 1e-12)

    def over(self, x: Shape) -> tuple[int, ...]:
        if not isinstance(self.axis, tuple):
            every = tuple(range(len(x.axes) + 1))
            return {"last": every[-1:], "all": every}.get(self.axis, (0,))
        over = tuple(sorted({axis_number(name, x, self.type) for name in self.axis}))
        if len(over) < len(self.axis):
            raise LayerError(f"l2_norm of the map {x}: an axis is listed twice in {', '.join(self.axis)}")
        return over

    def params(self, x: Shape) -> Params:
        return Params(weight=(x.channels if self.per_channel else 1) * self.scale)

    def work(self, out: Shape, x: Shape) -> Work:
        return Work.sum((unit_length(x.values, x.values // self.features(x)), Work(mul=x.values * self.scale)))


def unit_length(values: Int, groups: Int) -> Work:
    """The operations that divide each group of values by its length: see ``L2Norm``."""
    return Work(mul=values, add=values - groups, exp=groups, compare=groups, div=values)


def grouped_work(x: Shape, groups: Int, affine: bool) -> Work:
    """The operations to normalise each of so many groups of values: see ``LayerNorm``."""
    shifted = x.values * affine
    return Work(add=3 * x.values - groups + shifted, mul=2 * x.values + shifted, div=3 * groups, exp=groups)


class GroupNorm(Layer, type="group_norm"):
    """Group normalisation: over each of ``groups`` equal parts of the channels, at all positions together.

    A scale and a shift per channel. The operations of a group are those of ``layer_norm`` over its values.

    Source: Wu and He, Group normalization, 2018, equations 1 to 6.
    """

    mixes = True
    groups = WholeNumber("parts of the channels that are normalised separately")
    affine = Flag("whether a scale and a shift are trained", True)
    eps = Number("added to the variance", 1e-5)

    def window(self, x: Shape) -> tuple[Window, ...]:
        return whole(x)

    def shape(self, x: Shape) -> Shape:
        values = divide(x.channels, self.groups, "channels / groups") * product(x.axes)
        if smallest(values) == 1:
            raise LayerError(f"{self.type} on {x}: a group of one value is always 0 after normalisation", values == 1)
        return x

    def params(self, x: Shape) -> Params:
        return Params(x.channels * self.affine, x.channels * self.affine)

    def work(self, out: Shape, x: Shape) -> Work:
        return grouped_work(x, self.groups, self.affine)


class InstanceNorm(Layer, type="instance_norm"):
    """Instance normalisation: over all positions of each channel of an image.

    Without a scale and a shift, as in PyTorch, unless ``affine``. The operations of a channel are those of
    ``layer_norm`` over its values.

    Source: Ulyanov et al., Instance normalization, 2016, equation 2.
    """

    affine = Flag("whether a scale and a shift are trained", False)
    eps = Number("added to the variance", 1e-5)

    def window(self, x: Shape) -> tuple[Window, ...]:
        return whole(x)

    def shape(self, x: Shape) -> Shape:
        need_map(x, self.type)
        if smallest(product(x.axes)) == 1:
            raise LayerError(
                f"{self.type} on {x}: a channel of one value is always 0 after normalisation", product(x.axes) == 1
            )
        return x

    def params(self, x: Shape) -> Params:
        return Params(x.channels * self.affine, x.channels * self.affine)

    def work(self, out: Shape, x: Shape) -> Work:
        return grouped_work(x, x.channels, self.affine)


class LayerScale(Pointwise, type="layer_scale"):
    """Every channel times a trained number, and with ``bias`` plus another one, as in Caffe's layer Scale.

    Source: Touvron et al., Going deeper with image transformers, 2021.
    """

    init = Number("value of the factor before training", 1e-6)
    bias = Flag("whether every channel has a bias", False)

    def params(self, x: Shape) -> Params:
        return Params(x.channels, x.channels * self.bias)

    def work(self, out: Shape, x: Shape) -> Work:
        return Work(mul=x.values, add=x.values * self.bias)
