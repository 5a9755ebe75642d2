"""What convolutions and poolings share: a window that slides along every spatial axis."""

from __future__ import annotations

from typing import Any

from archcalc.errors import LayerError
from archcalc.layers.base import Layer, need_map, per_axis
from archcalc.layers.fields import Padding, PerAxis
from archcalc.sizes import Int, Shape, Window, ceil_div, positive, product, smallest


class Windowed(Layer):
    """A sliding window: output size floor((n + before + after - span)/stride) + 1, span (k-1)*d + 1.

    Dumoulin and Visin, A guide to convolution arithmetic for deep learning, 2016, section 2.
    Padding ``same`` is TensorFlow's: output ceil(n/stride), the odd zero after (bottom and right).
    """

    kernel = PerAxis("size of the window")
    stride = PerAxis("step between windows", 1)
    pad = Padding("zeros around the input", 0)
    dilation = PerAxis("distance between the window's cells", 1)

    def kernel_cells(self, x: Shape) -> Int:
        return product(per_axis(self.kernel, x, "kernel"))

    def slides(self, x: Shape) -> list[tuple[Int, Int, Int, Int, Int]]:
        """Size, span, stride, zeros before and zeros after, for each axis of x."""
        need_map(x, self.type)
        kernels = per_axis(self.kernel, x, "kernel")
        strides = per_axis(self.stride, x, "stride")
        dilations = per_axis(self.dilation, x, "dilation")
        pads = per_axis(self.pad, x, "pad")
        rows = zip(x.axes, kernels, strides, dilations, pads, strict=True)
        return [_slide(n, (k - 1) * d + 1, s, pad) for n, k, s, d, pad in rows]

    def window(self, x: Shape) -> tuple[Window, ...]:
        return tuple(Window(span, stride, before) for _, span, stride, before, _ in self.slides(x))

    def output_axes(self, x: Shape) -> tuple[Int, ...]:
        return tuple(self.output_size(*slide) for slide in self.slides(x))

    def output_size(self, n: Int, span: Int, stride: Int, before: Int, after: Int) -> Int:
        need_fit(n, span, before, after)
        return (n + before + after - span) // stride + 1


def _slide(n: Int, span: Int, stride: Int, pad: Any) -> tuple[Int, Int, Int, Int, Int]:
    if isinstance(pad, str):
        zeros = positive((ceil_div(n, stride) - 1) * stride + span - n)
        return n, span, stride, zeros // 2, zeros - zeros // 2
    before, after = pad if isinstance(pad, tuple) else (pad, pad)
    return n, span, stride, before, after


def need_fit(n: Int, span: Int, before: Int, after: Int) -> None:
    if smallest(n + before + after - span) < 0:
        raise LayerError(f"the kernel spans {span} but the padded input is only {n} + {before} + {after} = "
                         f"{n + before + after}")
