"""What transposed convolutions and sums of windows share: a window that is spread over the output."""

from __future__ import annotations

from typing import Any

from archcalc.errors import LayerError
from archcalc.layers.base import need_map, per_axis
from archcalc.sizes import MOST_READS, Int, Shape, Span, Window, gcd, greater, int_text, is_array, largest, smallest


def spread_slides(layer: Any, x: Shape) -> list[tuple[Int, Int, Int, Int, Int, Int]]:
    """Size, span, stride, pad, output pad and dilation, for each axis of x: how windows are spread over the output."""
    need_map(x, layer.type)
    names = ("kernel", "stride", "pad", "output_pad", "dilation")
    settings = zip(*(per_axis(getattr(layer, name), x, name) for name in names), strict=True)
    rows = zip(x.axes, settings, strict=True)
    return [(n, (k - 1) * d + 1, s, p, extra, d) for n, (k, s, p, extra, d) in rows]


def spread_axes(layer: Any, x: Shape) -> tuple[Int, ...]:
    """The sizes of the output over which windows are spread."""
    axes = []
    for n, span, s, p, extra, d in spread_slides(layer, x):
        size = (n - 1) * s - 2 * p + span + extra
        if smallest(size) < 1:
            raise LayerError(
                f"no output is left: ({int_text(n)} - 1)*{int_text(s)} - 2*{int_text(p)} + "
                f"{int_text(span)} + {int_text(extra)} = {int_text(size)}",
                size < 1,
            )
        if largest(extra - greater(s, d)) >= 0:
            raise LayerError(
                f"output_pad {int_text(extra)} must be smaller than the stride {int_text(s)} or the "
                f"dilation {int_text(d)}",
                extra >= greater(s, d),
            )
        axes.append(size)
    return tuple(axes)


def spread_windows(layer: Any, x: Shape) -> tuple[Window, ...]:
    """The windows of the output of a layer that spreads windows over its output."""
    return tuple(
        spread(*slide, size) for slide, size in zip(spread_slides(layer, x), spread_axes(layer, x), strict=True)
    )


def spread(n: Int, span: Int, stride: Int, pad: Int, extra: Int, dilation: Int, size: Int) -> Window:
    """The window of a transposed convolution: output o reads input (o + pad - t*dilation)/stride where that is whole.

    Of the kernel's cells t it reads every (stride/g)-th, g being the greatest common divisor of stride and dilation; the
    inputs that they lie on are dilation/g apart. It may read none: a 1x1 of stride 2 leaves every other output empty.
    """
    if any(map(is_array, (span, stride, pad, dilation))) or stride > MOST_READS:
        return Window(span, 1, span - 1 - pad, stride, exact=False, reads_both_ends=False)
    if stride == 1:
        return Window(span, 1, span - 1 - pad, by=dilation).with_edges(n, size)
    common = gcd(stride, dilation)
    kernel, apart, by = (span - 1) // dilation + 1, stride // common, dilation // common
    reads: list[Span] = [()] * stride
    for cell in range(min(kernel, apart)):
        phase = (cell * dilation - pad) % stride
        last = (phase + pad - cell * dilation) // stride
        reads[phase] = (last - (kernel - 1 - cell) // apart * by, last)
    return Window(span, 1, span - 1 - pad, stride, by=by, reads=tuple(reads)).with_edges(n, size)
