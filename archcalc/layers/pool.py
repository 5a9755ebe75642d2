"""Pooling: sliding, adaptive, global, and LeNet-5's with trained coefficients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archcalc.errors import LayerError
from archcalc.layers.base import Layer, need_map, per_axis, whole
from archcalc.layers.settings import Choice, Flag, PerAxis
from archcalc.layers.windowed import Slide, Windowed, need_fit
from archcalc.sizes import (
    MOST_READS,
    NO_PARAMS,
    Int,
    Params,
    Shape,
    Span,
    Window,
    Work,
    ceil_div,
    gcd,
    int_text,
    is_array,
    largest,
    product,
    smallest,
)


class Pool(Windowed):
    """A window over each channel alone.

    ``ceil_mode`` rounds the output size up. PyTorch then drops a last window that starts in the
    padding after the input; Caffe does so only where there is padding on any axis (pooling_layer.cpp,
    Reshape). With stride > kernel that differs: n=5, k=1, s=3 gives 2 windows in PyTorch and 3 in Caffe.
    Both keep one window that is larger than the padded input, by less than the stride.
    """

    stride = PerAxis("step between windows; no default, because tools differ in it")
    ceil_mode = Choice(
        "round the output size up: by PyTorch's rule (true) or Caffe's (caffe)", (False, True, "caffe"), False
    )

    def output_size(self, n: Int, span: Int, stride: Int, before: Int, after: Int) -> Int:
        if largest(before - span) >= 0 or largest(after - span) >= 0:
            raise LayerError(
                f"pad {int_text(before)} and {int_text(after)} must be smaller than the kernel's span {int_text(span)}",
                (before >= span) | (after >= span),
            )
        if not self.ceil_mode:
            return super().output_size(n, span, stride, before, after)
        size = ceil_div(n + before + after - span, stride) + 1
        if smallest(size) < 1:
            need_fit(n, span, before, after)
        return size

    def output_axes(self, slides: Sequence[Slide]) -> tuple[Int, ...]:
        sizes = super().output_axes(slides)
        drops: Any = self.ceil_mode
        if drops == "caffe":
            drops = sum(before + after for *_, before, after in slides) > 0
        rows = zip(sizes, slides, strict=True)
        return tuple(size - drops * ((size - 1) * stride >= n + before) for size, (n, _, stride, before, _) in rows)

    def shape(self, x: Shape) -> Shape:
        return Shape(x.channels, self.output_axes(self.slides(x)))

    def params(self, x: Shape) -> Params:
        return NO_PARAMS


class MaxPool(Pool, type="max_pool"):
    """The largest value of each window: k - 1 comparisons for k cells."""

    def work(self, out: Shape, x: Shape) -> Work:
        return Work(compare=out.values * (self.kernel_cells(x) - 1))


class AvgPool(Pool, type="avg_pool"):
    """The mean of each window: k - 1 additions and a division for k cells. Zeros of the padding are cells too.

    Tools differ in the divisor. PyTorch and Caffe count the padding, TensorFlow's ``same`` does not. No tool counts the
    cells that a size rounded up adds beyond the padding.
    """

    count_include_pad = Flag("whether padding counts in the divisor (default: true, but false with pad: same)", None)

    @property
    def counts_padding(self) -> bool:
        return self.pad != "same" if self.count_include_pad is None else bool(self.count_include_pad)

    def work(self, out: Shape, x: Shape) -> Work:
        return Work(add=out.values * (self.kernel_cells(x) - 1), div=out.values)


class Subsample(Pool, type="subsample"):
    """LeNet-5's pooling: the sum of each window times a trained coefficient, plus a trained bias.

    Every map has one coefficient and one bias.

    Source: LeCun et al., Gradient-based learning applied to document recognition, 1998, section II.B, layer S2.
    """

    def params(self, x: Shape) -> Params:
        return Params(x.channels, x.channels)

    def work(self, out: Shape, x: Shape) -> Work:
        return Work(add=out.values * self.kernel_cells(x), mul=out.values)


class AdaptivePool(Layer):
    """A window for each output position: from ``floor(i * n / out)`` to ``ceil((i + 1) * n / out) - 1``.

    Where out does not divide n, windows differ in size, and neighbouring windows overlap by one cell at
    out - gcd(n, out) borders.
    """

    out = PerAxis("output size")

    def sizes(self, x: Shape) -> list[tuple[Int, Int]]:
        need_map(x, self.type)
        return list(zip(x.axes, per_axis(self.out, x, "out"), strict=True))

    def window(self, x: Shape) -> tuple[Window, ...]:
        windows = []
        for n, m in self.sizes(x):
            common = gcd(n, m)
            up, stride = m // common, n // common
            reads: tuple[Span, ...] = ()
            if not is_array(up) and 1 < up <= MOST_READS:
                reads = tuple((i * stride // up, ceil_div((i + 1) * stride, up) - 1) for i in range(up))
            exact = bool(reads) or largest(up) == 1
            windows.append(Window(stride + up - 1, stride, up - 1, up, exact, reads=reads))
        return tuple(windows)

    def shape(self, x: Shape) -> Shape:
        return Shape(x.channels, tuple(m for _, m in self.sizes(x)))

    def params(self, x: Shape) -> Params:
        return NO_PARAMS

    def cells(self, x: Shape) -> Int:
        """The values in all windows."""
        return x.channels * product(n + m - gcd(n, m) for n, m in self.sizes(x))


class AdaptiveAvgPool(AdaptivePool, type="adaptive_avg_pool"):
    """The mean over windows for an output size: from ``floor(i * n / out)`` to ``ceil((i + 1) * n / out) - 1``."""

    def work(self, out: Shape, x: Shape) -> Work:
        return Work(add=self.cells(x) - out.values, div=out.values)


class AdaptiveMaxPool(AdaptivePool, type="adaptive_max_pool"):
    """The largest value of each window for an output size, with the windows of ``adaptive_avg_pool``."""

    def work(self, out: Shape, x: Shape) -> Work:
        return Work(compare=self.cells(x) - out.values)


class GlobalPool(Layer):
    """A window over all positions of each channel."""

    def window(self, x: Shape) -> tuple[Window, ...]:
        return whole(x)

    def shape(self, x: Shape) -> Shape:
        need_map(x, self.type)
        return Shape(x.channels, (1,) * len(x.axes))

    def params(self, x: Shape) -> Params:
        return NO_PARAMS


class GlobalAvgPool(GlobalPool, type="global_avg_pool"):
    """The mean of each channel over all positions. The output is a map of size 1."""

    def work(self, out: Shape, x: Shape) -> Work:
        return Work(add=x.values - out.values, div=out.values)


class GlobalMaxPool(GlobalPool, type="global_max_pool"):
    """The largest value of each channel over all positions. The output is a map of size 1."""

    def work(self, out: Shape, x: Shape) -> Work:
        return Work(compare=x.values - out.values)
