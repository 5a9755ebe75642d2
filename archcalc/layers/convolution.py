"""Convolutions: full, grouped, by a connection table, without shared weights, and transposed."""

from __future__ import annotations

from archcalc.errors import LayerError
from archcalc.layers.base import Layer, per_axis
from archcalc.layers.border import PAD_MODES, Pad
from archcalc.layers.computed import EPS, WEIGHT_NORMS, computing, factors, need_constants, need_several
from archcalc.layers.settings import Choice, Connections, Flag, Number, PerAxis, WholeNumber
from archcalc.layers.spread import spread_axes, spread_windows
from archcalc.layers.windowed import Windowed
from archcalc.sizes import (
    Int,
    Params,
    Shape,
    Window,
    Work,
    divide,
    equal,
    greater,
    int_text,
    largest,
    lesser,
    product,
    smallest,
)


class Conv(Windowed, type="conv"):
    """Convolution. With ``groups``, each group of output channels reads its own group of input channels.

    ``pad_mode`` says what lies around the map, as in the layer ``pad``. The field of a unit at the border does not include
    the pixels that the padding repeats.

    A map can have an axis of heads before its three axes. With a kernel of 1 along the heads, as in ``kernel: [1, 3, 3, 3]``,
    all heads have the same weights (Fan et al., Multiscale vision transformers, 2021, Table 15, in the authors' code).

    With ``weight_norm``, every forward pass computes the weights from trained numbers, once for the whole batch.
    ``channels``: the weights of each output channel have a trained length (weight normalisation). ``last``: the weights
    at each position of the kernel's last axis have one. ``standardised``: the weights of each output channel have mean 0
    and deviation 1 (weight standardisation). ``scaled``: they are then multiplied with a trained gain and divided by the
    root of their number, and ``gamma`` is one more factor: the gain of an activation, as in timm's NF-RegNets and NFNets.

    With ``relative``, channels are positions along an axis: a group is a position of the queries, and its output channels
    are the positions of the keys. The weights of two positions are the trained vector of their relative position, in steps
    of the finer one of both (MViT v2: Li et al., 2022, equation 4, decomposed relative position embeddings).

    With ``fixed``, the weights are constants that training does not change: the blur before a step between windows, as in
    Zhang, Making convolutional networks shift-invariant again, 2019, section 3.3. They are buffers, as in ``parameter``.

    Source of ``weight_norm``: Salimans and Kingma, Weight normalization, 2016, equation 2; Qiao et al., Micro-batch
    training with batch-channel normalization and weight standardization, 2019, equation 5; Brock et al., Characterizing
    signal propagation to close the performance gap in unnormalized ResNets, 2021, section 4.
    """

    out = WholeNumber("output channels")
    groups = WholeNumber("groups of channels; for a depthwise convolution, the number of input channels", 1)
    bias = Flag("whether every output channel has a bias", True)
    pad_mode = Choice("what the padding is", PAD_MODES, "zeros")
    weight_norm = Choice(
        "weights that every forward pass computes: with a trained length for each output channel (channels) or for each "
        "position of the kernel's last axis (last), with mean 0 and deviation 1 in each output channel (standardised), "
        "then times a trained gain and divided by the root of their number (scaled)",
        WEIGHT_NORMS,
        None,
    )
    eps = Number("added to the variance of the weights, where standardised or scaled", EPS)
    gamma = Number("constant factor of the weights, where scaled", 1.0)
    relative = Flag(
        "whether groups and their output channels are positions, with trained vectors of relative positions", False
    )
    fixed = Flag("whether the weights are buffers, which training does not change", False)

    def shape(self, x: Shape) -> Shape:
        divide(x.channels, self.groups, "input channels / groups")
        divide(self.out, self.groups, "output channels / groups")
        self._need_points(x)
        if self.fixed and (self.bias or self.relative or self.weight_norm or self.pad_mode != "zeros"):
            raise LayerError(
                "conv: fixed weights need bias: false, and no relative, no weight_norm and no pad_mode; the layer pad puts "
                "other values around"
            )
        need_constants(self.weight_norm, self.gamma, self.eps)
        need_several(self.weight_norm, self.fan_in(x))
        slides = self.slides(x)
        if self.pad_mode != "zeros":
            if self.weight_norm:
                raise LayerError(
                    f"weight_norm and pad_mode {self.pad_mode} cannot be combined; put the layer pad before"
                )
            for *_, before, after in slides:
                if not equal(before, after):
                    raise LayerError(
                        f"pad_mode {self.pad_mode} needs the same padding on both sides of an axis, got "
                        f"{int_text(before)} and {int_text(after)}; the layer pad puts different numbers around",
                        before != after,
                    )
            self.padding(x).shape(x)
        return Shape(self.out, self.output_axes(slides))

    def _need_points(self, x: Shape) -> None:
        """LayerError if relative positions are combined with what they do not go with."""
        if not self.relative:
            return
        if self.weight_norm or any((k, s, a, b) != (1, 1, 0, 0) for _, k, s, a, b in self.slides(x)):
            raise LayerError("conv: relative needs kernel 1, stride 1, no padding and no weight_norm")
        queries, keys = self.groups, self.out // self.groups
        if largest(greater(queries, keys) % lesser(queries, keys)):
            raise LayerError(
                f"conv: relative positions of {int_text(queries)} groups and {int_text(keys)} output channels of each: "
                f"one of both numbers must be a multiple of the other",
                greater(queries, keys) % lesser(queries, keys) != 0,
            )

    def padding(self, x: Shape) -> Pad:
        """The layer that puts the padding around x."""
        return Pad(by=tuple((before, after) for *_, before, after in self.slides(x)), mode=self.pad_mode)

    def fan_in(self, x: Shape) -> Int:
        group: Int = x.channels // self.groups
        return group * self.kernel_cells(x)

    def params(self, x: Shape) -> Params:
        if self.fixed:
            return Params(buffers=self.kernel_weights(x))
        weights = self.vectors * self.fan_in(x) if self.relative else self.kernel_weights(x) + self.factors(x)
        return Params(weights, self.out * self.bias)

    @property
    def vectors(self) -> Int:
        """The number of relative positions."""
        most: Int = greater(self.groups, self.out // self.groups)
        return 2 * most - 1

    def work(self, out: Shape, x: Shape) -> Work:
        return Work(mac=out.values * self.fan_in(x), add=out.values * self.bias)

    def work_once(self, *inputs: Shape) -> Work:
        (x,) = inputs
        groups = self.factors(x) if self.weight_norm == "last" else self.out
        return computing(self.weight_norm, self.kernel_weights(x), groups)

    def kernel_weights(self, x: Shape) -> Int:
        """The weights that slide over the map."""
        count: Int = self.out * self.fan_in(x)
        return count

    def factors(self, x: Shape) -> Int:
        """The trained numbers from which the weights are computed, beside numbers of the shape of the weights."""
        return factors(self.weight_norm, self.out, per_axis(self.kernel, x, "kernel")[-1])


class ConvTable(Windowed, type="conv_table"):
    """Convolution where a table lists the input maps that each output map reads.

    Source: LeCun et al., Gradient-based learning applied to document recognition, 1998, Table I.
    """

    table = Connections("for each output map, the input maps (from 0) that it reads")
    bias = Flag("whether every output map has a bias", True)

    def shape(self, x: Shape) -> Shape:
        top = max(max(row) for row in self.table)
        if top >= smallest(x.channels):
            raise LayerError(
                f"the table names input map {top}, but the input {x} has maps 0 to {smallest(x.channels) - 1}",
                x.channels <= top,
            )
        return Shape(len(self.table), self.output_axes(self.slides(x)))

    def params(self, x: Shape) -> Params:
        return Params(sum(map(len, self.table)) * self.kernel_cells(x), len(self.table) * self.bias)

    def work(self, out: Shape, x: Shape) -> Work:
        return Work(mac=self.params(x).weight * product(out.axes), add=out.values * self.bias)


class LocallyConnected(Windowed, type="locally_connected"):
    """Convolution whose weights are not shared: every output position has weights and biases of its own.

    The operations are those of a convolution. The number of weights grows with the size of the map.

    Source: LeCun, Generalization and network design strategies, 1989, section 5; Taigman et al., DeepFace, 2014,
    section 3.
    """

    out = WholeNumber("output channels")
    bias = Flag("whether every output value has a bias", True)

    def shape(self, x: Shape) -> Shape:
        return Shape(self.out, self.output_axes(self.slides(x)))

    def fan_in(self, x: Shape) -> Int:
        return x.channels * self.kernel_cells(x)

    def params(self, x: Shape) -> Params:
        units = self.shape(x).values
        return Params(units * self.fan_in(x), units * self.bias)

    def work(self, out: Shape, x: Shape) -> Work:
        return Work(mac=out.values * self.fan_in(x), add=out.values * self.bias)


class ConvTranspose(Layer, type="conv_transpose"):
    """Transposed convolution: output size ``(n - 1) * stride - 2 * pad + span + output_pad``.

    Every *input* position is multiplied with the whole kernel, so the work follows the input's size:
    a 2x2 kernel with stride 2 on a 4x4 map takes 4*4*4 products per channel pair, not 8*8*4.

    With ``weight_norm``, every forward pass computes the weights, as in ``conv``. The weights of each *input* channel have
    a trained length, as PyTorch's weight normalisation makes it: the first axis of the weights is the input channels.

    Source: Dumoulin and Visin, A guide to convolution arithmetic for deep learning, 2016, section 4.
    """

    out = WholeNumber("output channels")
    kernel = PerAxis("size of the window")
    stride = PerAxis("step between windows in the output", 1)
    pad = PerAxis("positions cut off on every side of the output", 0, least=0)
    output_pad = PerAxis("positions added at the end of the output, fewer than the stride or the dilation", 0, least=0)
    dilation = PerAxis("distance between the window's cells", 1)
    groups = WholeNumber("groups of channels", 1)
    bias = Flag("whether every output channel has a bias", True)
    weight_norm = Choice(
        "weights that every forward pass computes, with a trained length for each input channel (channels)",
        (None, "channels"),
        None,
    )

    def window(self, x: Shape) -> tuple[Window, ...]:
        return spread_windows(self, x)

    def shape(self, x: Shape) -> Shape:
        divide(x.channels, self.groups, "input channels / groups")
        divide(self.out, self.groups, "output channels / groups")
        return Shape(self.out, spread_axes(self, x))

    def params(self, x: Shape) -> Params:
        return Params(self.kernel_weights(x) + self.factors(x), self.out * self.bias)

    def work(self, out: Shape, x: Shape) -> Work:
        return Work(mac=self.kernel_weights(x) * product(x.axes), add=out.values * self.bias)

    def work_once(self, *inputs: Shape) -> Work:
        (x,) = inputs
        return computing(self.weight_norm, self.kernel_weights(x), x.channels)

    def kernel_weights(self, x: Shape) -> Int:
        """The weights that slide over the output."""
        fan_out: Int = self.out // self.groups * product(per_axis(self.kernel, x, "kernel"))
        return x.channels * fan_out

    def factors(self, x: Shape) -> Int:
        """The trained lengths of the weights."""
        return factors(self.weight_norm, x.channels, 0)


CONVOLUTIONS = (Conv, ConvTable, ConvTranspose, LocallyConnected)
