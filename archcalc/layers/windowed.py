"""What convolutions and poolings share: a window that slides along every spatial axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from archcalc.errors import LayerError
from archcalc.layers.base import Layer, need_map, per_axis
from archcalc.layers.settings import Padding, PerAxis
from archcalc.sizes import Int, Shape, Window, ceil_div, int_text, positive, product, settled, smallest

Slide: TypeAlias = tuple[Int, Int, Int, Int, Int]
"""Along one axis: its size, the window's span, the stride, zeros before and zeros after."""


class Windowed(Layer):
    """A sliding window: output size floor((n + before + after - span)/stride) + 1, span (k-1)*d + 1.

    Dumoulin and Visin, A guide to convolution arithmetic for deep learning, 2016, section 2.
    Padding ``same`` is TensorFlow's: output ceil(n/stride), the odd zero after (bottom and right).
    """

    kernel = PerAxis("size of the window")
    stride = PerAxis("step between windows", 1)
    pad = Padding("zeros around the input", 0, instead="; the layer crop cuts positions off")
    dilation = PerAxis("distance between the window's cells", 1)

    def kernel_cells(self, x: Shape) -> Int:
        return product(per_axis(self.kernel, x, "kernel"))

    def slides(self, x: Shape) -> list[Slide]:
        """How the window slides along each axis of x."""
        need_map(x, self.type)
        kernels = per_axis(self.kernel, x, "kernel")
        strides = per_axis(self.stride, x, "stride")
        dilations = per_axis(self.dilation, x, "dilation")
        pads = per_axis(self.pad, x, "pad")
        rows = zip(x.axes, kernels, strides, dilations, pads, strict=True)
        return [_slide(n, (k - 1) * d + 1, s, pad) for n, k, s, d, pad in rows]

    def window(self, x: Shape) -> tuple[Window, ...]:
        dilations = per_axis(self.dilation, x, "dilation")
        slides = self.slides(x)
        rows = zip(slides, dilations, self.output_axes(slides), strict=True)
        return tuple([_window(*slide, d, size) for slide, d, size in rows])

    def output_axes(self, slides: Sequence[Slide]) -> tuple[Int, ...]:
        """The size of the output along every axis."""
        return tuple([self.output_size(*slide) for slide in slides])

    def output_size(self, n: Int, span: Int, stride: Int, before: Int, after: Int) -> Int:
        need_fit(n, span, before, after)
        return (n + before + after - span) // stride + 1


def _slide(n: Int, span: Int, stride: Int, pad: Any) -> Slide:
    if isinstance(pad, str):
        zeros = positive((ceil_div(n, stride) - 1) * stride + span - n)
        return n, span, stride, zeros // 2, zeros - zeros // 2
    before, after = pad if isinstance(pad, tuple) else (pad, pad)
    return n, span, stride, before, after


def _window(n: Int, span: Int, stride: Int, before: Int, after: Int, dilation: Int, size: Int) -> Window:
    over = (size - 1) * stride - before + span - n
    return Window(span, stride, settled(before), by=dilation, over=settled(over))


def need_fit(n: Int, span: Int, before: Int, after: Int) -> None:
    if smallest(n + before + after - span) < 0:
        raise LayerError(
            f"the kernel spans {int_text(span)} but the padded input is only {int_text(n)} + "
            f"{int_text(before)} + {int_text(after)} = {int_text(n + before + after)}",
            n + before + after < span,
        )
