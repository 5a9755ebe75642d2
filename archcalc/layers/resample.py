"""Maps of another size: each output value is a value of the input, or interpolated from a few."""

from __future__ import annotations

from typing import Any, NamedTuple

from archcalc.errors import LayerError
from archcalc.layers.axes import sizes_of
from archcalc.layers.base import Layer, need_map, per_axis
from archcalc.layers.pool import MaxPool
from archcalc.layers.settings import Choice, Flag, Like, PerAxis, message_text
from archcalc.layers.spread import spread
from archcalc.sizes import (
    MOST_READS,
    NO_PARAMS,
    NO_WORK,
    Int,
    Params,
    Shape,
    Span,
    Window,
    Work,
    ceil_div,
    equal,
    gcd,
    int_text,
    is_array,
    smallest,
    unequal,
)

NEIGHBOURS = {"nearest": 1, "bilinear": 2, "bicubic": 4}
"""How many positions along an axis an output value is computed from."""


class Upsample(Layer, type="upsample"):
    """A larger map, by the nearest value, bilinear or bicubic. ``like`` and ``size`` can also make a map smaller.

    Bilinear takes 4 products and 3 additions per output value; on one axis 2 and 1, on three axes 8 and 7. Bicubic takes
    16 and 15. Unit o of m lies at ``(o + 1/2) * n/m - 1/2`` of n positions (half-pixel centres), or with
    ``align_corners`` at ``o * (n - 1) / (m - 1)``.

    PyTorch has an interpolation with ``antialias``, whose windows grow where an axis becomes smaller. Where none does, its
    windows are the usual ones, and bicubic takes the constant -0.5 instead of -0.75. A smaller map is refused.

    Source: Keys, Cubic convolution interpolation for digital image processing, 1981, equation 15 (bicubic).
    """

    scale = PerAxis("how many times larger", None)
    size = PerAxis("output size, instead of scale", None)
    like = Like("the layer whose map has the output size, instead of scale", None)
    mode = Choice("how a value is computed", tuple(NEIGHBOURS), "nearest")
    align_corners = Flag("whether the first and the last unit lie on the first and the last position", False)
    antialias = Flag("PyTorch's interpolation with antialias, for a map that becomes smaller along no axis", False)

    def sizes(self, x: Shape) -> list[tuple[Int, Int]]:
        """The sizes of the input and the output, for each axis."""
        need_map(x, self.type)
        given = [name for name in ("scale", "size", "like") if getattr(self, name) is not None]
        if len(given) != 1:
            raise LayerError("upsample needs scale, size or like, one of the three")
        each = per_axis(getattr(self, given[0]), x, given[0])
        if given[0] == "scale":
            return [(n, n * f) for n, f in zip(x.axes, each, strict=True)]
        return list(zip(x.axes, each, strict=True))

    def window(self, x: Shape) -> tuple[Window, ...]:
        if self.align_corners:
            return tuple(self._aligned(n, m) for n, m in self.sizes(x))
        if self.scale is not None:
            factors = per_axis(self.scale, x, "scale")
            return tuple(self._window(n, m, f, 1) for (n, m), f in zip(self.sizes(x), factors, strict=True))
        return tuple(self._window(n, m, m // gcd(n, m), n // gcd(n, m)) for n, m in self.sizes(x))

    def _window(self, n: Int, m: Int, up: Int, stride: Int) -> Window:
        """Nearest reads position o*stride/up, rounded down; others those around (2*o + 1)*stride/(2*up) - 1/2."""
        more = (NEIGHBOURS[self.mode] // 2 - 1) * up
        if self.mode == "nearest":
            window = Window(up, stride, up - 1, up)
        else:
            before = ceil_div(3 * up - stride, 2) + more
            window = Window(before + (up + stride) // 2 + 1 + more, stride, before, up)
        if is_array(up) or up > MOST_READS:
            return window._replace(exact=False, reads_both_ends=False)
        if self.mode == "nearest":
            firsts = [i * stride // up for i in range(up)]
            reads: tuple[Span, ...] = tuple(zip(firsts, firsts, strict=True))
        else:
            reads = tuple(self._around((2 * i + 1) * stride - up, 2 * up) for i in range(up))
        window = window._replace(reads=reads)
        return window if up >= stride else window.with_edges(n, m)

    def _aligned(self, n: Int, m: Int) -> Window:
        """Reads the positions around o * (n - 1) / (m - 1). A single unit reads the first position."""
        both = gcd(n - 1, m - 1)
        both += both == 0
        alone = m == 1
        up, stride = (m - 1) // both + alone, (n - 1) // both * (1 - alone) + n * alone
        reach = NEIGHBOURS[self.mode] // 2 * up - 1
        window = Window(2 * reach + 1, stride, reach, up)
        if is_array(up) or is_array(stride) or up > MOST_READS:
            return window._replace(exact=False, reads_both_ends=False)
        if n == 1:
            return Window(1, whole=True)
        window = window._replace(reads=tuple(self._around(i * stride, up) for i in range(up)))
        return window.with_edges(n, m) if alone else window

    def _around(self, at: Int, of: Int) -> Span:
        """The positions around ``at / of``, of which half lie on each side; the position itself if it is whole."""
        beyond = NEIGHBOURS[self.mode] // 2 - 1 if at % of else 0
        return at // of - beyond, ceil_div(at, of) + beyond

    def shape(self, x: Shape) -> Shape:
        if self.align_corners and self.mode == "nearest":
            raise LayerError("align_corners needs mode bilinear or bicubic, got nearest, which interpolates nothing")
        sizes = self.sizes(x)
        if self.antialias:
            self._filters(sizes)
        return Shape(x.channels, tuple(m for _, m in sizes))

    def _filters(self, sizes: list[tuple[Int, Int]]) -> None:
        """LayerError if PyTorch has no such interpolation with antialias, or if its windows are larger."""
        if self.mode == "nearest":
            raise LayerError("antialias needs mode bilinear or bicubic, got nearest, which interpolates nothing")
        if self.align_corners:
            raise LayerError("antialias and align_corners are not understood together; leave one of them out")
        if len(sizes) != 2:
            raise LayerError(f"antialias is for maps of two axes, got {len(sizes)}")
        for n, m in sizes:
            if smallest(m - n) < 0:
                raise LayerError(
                    f"antialias on an axis that becomes smaller ({int_text(n)} to {int_text(m)}) is not understood",
                    m < n,
                )

    def params(self, x: Shape) -> Params:
        return NO_PARAMS

    def work(self, out: Shape, x: Shape) -> Work:
        read = NEIGHBOURS[self.mode] ** len(x.axes)
        interpolated = out.values * (self.mode != "nearest")
        return Work(mul=read * interpolated, add=(read - 1) * interpolated)


class Pooled(NamedTuple):
    """A max_pool: its settings, and the shapes of its input and its output."""

    kernel: Any
    stride: Any
    pad: Any
    dilation: Any
    ceil_mode: Any
    before: Shape
    after: Shape

    @staticmethod
    def of(layer: MaxPool, before: Shape, after: Shape) -> Pooled:
        return Pooled(layer.kernel, layer.stride, layer.pad, layer.dilation, layer.ceil_mode, before, after)

    @property
    def layer(self) -> MaxPool:
        return MaxPool(**dict(zip(self._fields[:5], self, strict=False)))


class Pooling(Like):
    """The name of a max_pool; when a network is built, ``Pooled`` replaces the name."""

    allowed = "name of a max_pool"

    def read(self, value: Any) -> Any:
        if not isinstance(value, Pooled):
            raise LayerError(f"expected the name of a max_pool in a spec, got {message_text(value)}")
        return value


class Unpool(Layer, type="unpool"):
    """Puts each value where a max pooling found its maximum, and zeros elsewhere: the size before the pooling.

    A unit reads the values of the windows that contain the unit.

    Source: Zeiler and Fergus, Visualizing and understanding convolutional networks, 2014, section 2.1; Badrinarayanan
    et al., SegNet, 2017, section 3.
    """

    of = Pooling("the pooling whose indices say where the values go")

    def shape(self, x: Shape) -> Shape:
        before, after = self.of.before, self.of.after
        sizes = zip((x.channels, *x.axes), (after.channels, *after.axes), strict=False)
        if len(x.axes) != len(after.axes) or not all(equal(n, m) for n, m in sizes):
            raise LayerError(
                f"the input is {x}, but the pooling made {after}; unpool needs a value for each of its maxima",
                unequal(sizes_of(x), sizes_of(after)),
            )
        return Shape(before.channels, before.axes)

    def window(self, x: Shape) -> tuple[Window, ...]:
        slides, dilations = self.of.layer.slides(self.of.before), per_axis(self.of.dilation, self.of.before, "dilation")
        rows = zip(x.axes, slides, dilations, self.of.before.axes, strict=True)
        return tuple(spread(n, span, s, pad, 0, d, size) for n, (_, span, s, pad, _), d, size in rows)

    def params(self, x: Shape) -> Params:
        return NO_PARAMS

    def work(self, out: Shape, x: Shape) -> Work:
        return NO_WORK
