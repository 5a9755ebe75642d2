"""How PyTorch places the windows of a pooling: in a pooling layer, in a pooling layer after padding, or by unfolding.

A pooling of torch.nn pads both sides of an axis by the same amount, at most half a window, and has its own rule for the
last window. If a pooling needs other padding, the map is padded first. torch.nn has no average over dilated windows.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Literal, NamedTuple

from archcalc.errors import LayerError
from archcalc.layers.base import per_axis
from archcalc.sizes import Shape, lesser, positive

Sides = tuple[tuple[int, int], ...]
Kind = Literal["max", "mean", "sum"]
"""The value that a pooling computes from a window."""


class Placement(NamedTuple):
    """How PyTorch computes a pooling.

    around:    padding that is put around the map before the pooling
    own:       padding that the pooling adds itself
    ceil_mode: whether the pooling rounds its output size up
    divided:   the mean counts other cells than nn.AvgPool counts. The mean is divided by the same mean of a map of
               ones, with ``counted`` ones around the map and zeros up to ``around``.
    unfolded:  no pooling of torch.nn has such windows
    """

    around: Sides
    own: tuple[int, ...]
    ceil_mode: bool = False
    divided: bool = False
    counted: Sides = ()
    unfolded: bool = False

    @property
    def pads(self) -> bool:
        return any(map(any, self.around))

    def padded(self, x: Shape) -> Shape:
        rows = zip(x.axes, self.around, strict=True)
        return Shape(x.channels, tuple(n + before + after for n, (before, after) in rows))

    @property
    def beyond(self) -> Sides:
        """The zeros around the map of ones, outside the ``counted`` ones."""
        rows = zip(self.around, self.counted or ((0, 0),) * len(self.around), strict=True)
        return tuple((positive(before - b), positive(after - a)) for (before, after), (b, a) in rows)


def widened(shape: Shape, around: Sides) -> Shape:
    """A map with padding around it."""
    if not around:
        return shape
    return Shape(
        shape.channels, tuple(n + before + after for n, (before, after) in zip(shape.axes, around, strict=True))
    )


def uneven(layer: Any, x: Shape) -> Sides:
    """The padding of a convolution on x, if two sides differ (torch.nn has no such convolution); else empty."""
    pads = tuple((before, after) for *_, before, after in layer.slides(x))
    return () if all(before == after for before, after in pads) else pads


def placement(kind: Kind, layer: Any, x: Shape, out: Shape) -> Placement:
    """How PyTorch places the windows of a pooling whose input has shape x and whose output has shape ``out``."""
    slides, kernels = layer.slides(x), per_axis(layer.kernel, x, "kernel")
    pads = tuple((before, after) for *_, before, after in slides)
    nothing, none = ((0, 0),) * len(pads), (0,) * len(pads)
    mean = kind == "mean"
    counts = mean and layer.counts_padding
    dilated = kind != "max" and any(d != 1 for d in per_axis(layer.dilation, x, "dilation"))
    unfolded = dilated or (kind == "sum" and len(pads) == 1)  # nn.AvgPool1d has no divisor_override
    rows = zip(slides, out.axes, strict=True)
    whole = tuple((b, positive((size - 1) * s + span - n - b)) for (n, span, s, b, _), size in rows)
    ones = tuple((b, lesser(a, w)) for (b, a), (_, w) in zip(pads, whole, strict=True)) if counts else ()
    if unfolded:
        return Placement(whole, none, divided=mean, counted=ones, unfolded=True)
    own = tuple(before for before, _ in pads)
    ends = mean and not counts  # padding does not count, so its size after the map does not matter
    if (ends or all(b == a for b, a in pads)) and all(2 * p <= k for p, k in zip(own, kernels, strict=True)):
        mode = _mode(kind, layer, own, x, out)
        if mode is not None:
            return Placement(nothing, own, mode)
    if not mean:
        return Placement(whole, none)
    if counts:
        first = Placement(pads, none)
        mode = _mode(kind, layer, none, first.padded(x), out)
        if mode is not None:
            return first._replace(ceil_mode=mode)
    return Placement(whole, none, divided=True, counted=ones)


def _mode(kind: Kind, layer: Any, own: tuple[int, ...], x: Shape, out: Shape) -> bool | None:
    """The ceil_mode with which a pooling with padding ``own`` makes ``out``; None if neither value does.

    nn.AvgPool3d needs a map at least as large as the kernel. This check of nn.AvgPool3d ignores the padding.
    """
    kernels = per_axis(layer.kernel, x, "kernel")
    if kind != "max" and len(own) == 3 and any(n < k for n, k in zip(x.axes, kernels, strict=True)):
        return None
    windows = {name: layer.settings[name] for name in ("kernel", "stride", "dilation")}
    for mode in (False, True):
        with suppress(LayerError):  # the kernel is larger than the padded map
            if type(layer)(**windows, pad=own, ceil_mode=mode).shape(x).axes == out.axes:
                return mode
    return None


def pads_other_values(layer: Any, x: Shape) -> bool:
    """Whether a convolution pads x with something else than zeros."""
    return layer.pad_mode != "zeros" and any(before for *_, before, _ in layer.slides(x))
