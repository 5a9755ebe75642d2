"""Windows that overlap, as channels: their values side by side, and their sums in a map."""

from __future__ import annotations

from archcalc.errors import LayerError
from archcalc.layers.base import Layer, need_map, per_axis
from archcalc.layers.settings import PerAxis
from archcalc.layers.spread import spread_axes, spread_windows
from archcalc.layers.windowed import Windowed
from archcalc.sizes import NO_PARAMS, NO_WORK, Int, Params, Shape, Window, Work, divide, int_text, largest, product


def need_plane(x: Shape, what: str) -> None:
    """LayerError unless x has two axes: PyTorch unfolds over two."""
    need_map(x, what)
    if len(x.axes) != 2:
        raise LayerError(f"{what} takes a map with height and width, got {x}")


class Unfold(Windowed, type="unfold"):
    """The values of each window as channels: for each channel, all cells of the window, row by row (im2col).

    Windows may overlap. ``windows`` and ``space_to_depth`` move the values of windows that do not. PyTorch's Unfold makes
    one axis of all windows. Here they keep their places on the map, as in TensorFlow's extract_patches; ``to_tokens``
    makes one axis of them.

    Source: Yuan et al., VOLO, 2021, section 3.1 (outlook attention).
    """

    pad = PerAxis("zeros on every side of the input", 0, least=0)

    def shape(self, x: Shape) -> Shape:
        need_plane(x, self.type)
        return Shape(x.channels * self.kernel_cells(x), self.output_axes(self.slides(x)))

    def params(self, x: Shape) -> Params:
        return NO_PARAMS

    def work(self, out: Shape, x: Shape) -> Work:
        return NO_WORK


class Fold(Layer, type="fold"):
    """The windows that ``unfold`` makes, back on the map: the sum of all values that lie on a position (col2im).

    The size of the output is that of a transposed convolution. Every value of the input is added once, those beyond the
    padding included.

    Source: Yuan et al., VOLO, 2021, section 3.1 (outlook attention).
    """

    kernel = PerAxis("size of the window")
    stride = PerAxis("step between windows in the output", 1)
    pad = PerAxis("positions cut off on every side of the output", 0, least=0)
    output_pad = PerAxis("positions added at the end of the output, fewer than the stride", 0, least=0)
    dilation = PerAxis("distance between the window's cells", 1)

    def cells(self, x: Shape) -> Int:
        """The cells of a window."""
        return product(per_axis(self.kernel, x, "kernel"))

    def window(self, x: Shape) -> tuple[Window, ...]:
        return spread_windows(self, x)

    def shape(self, x: Shape) -> Shape:
        need_plane(x, self.type)
        channels = divide(x.channels, self.cells(x), f"channels / cells of the window ({int_text(self.cells(x))})")
        for stride, more in zip(
            per_axis(self.stride, x, "stride"), per_axis(self.output_pad, x, "output_pad"), strict=True
        ):
            if largest(more - stride) >= 0:
                text = f"output_pad {int_text(more)} must be smaller than the stride {int_text(stride)}"
                raise LayerError(f"{text}: another window would fit", more >= stride)
        return Shape(channels, spread_axes(self, x))

    def params(self, x: Shape) -> Params:
        return NO_PARAMS

    def work(self, out: Shape, x: Shape) -> Work:
        return Work(add=x.values)
