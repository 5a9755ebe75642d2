"""Other layers: they compute nothing or nearly nothing, but rearrange, resize, pass on or drop values."""

from __future__ import annotations

from archcalc.errors import LayerError
from archcalc.layers.base import Layer, Pointwise, StorageKind, need_map, per_axis, whole
from archcalc.layers.settings import Choice, Number, PerAxis, WholeNumber
from archcalc.sizes import (
    MOST_READS,
    NO_PARAMS,
    NO_WORK,
    POINT,
    Int,
    Params,
    Shape,
    Window,
    Work,
    ceil_div,
    equal,
    gcd,
    int_text,
    is_array,
    largest,
    smallest,
)

FEWER = "; slice cuts channels off"


class Input(Layer, type="input"):
    """The network's input."""

    def window(self) -> tuple[Window, ...]:
        return POINT

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.given = shape

    def shape(self) -> Shape:
        return self.given

    def params(self) -> Params:
        return NO_PARAMS

    def work(self, out: Shape) -> Work:
        return NO_WORK


class Flatten(Layer, type="flatten"):
    """All values of a map as one vector.

    Each value keeps the field of its position. The window of the layer is the whole map.
    """

    storage = "view"

    def window(self, x: Shape) -> tuple[Window, ...]:
        return whole(x)

    def shape(self, x: Shape) -> Shape:
        return Shape(x.values)

    def params(self, x: Shape) -> Params:
        return NO_PARAMS

    def work(self, out: Shape, x: Shape) -> Work:
        return NO_WORK


class Identity(Pointwise, type="identity"):
    """The input, unchanged."""

    storage = "view"

    def work(self, out: Shape, x: Shape) -> Work:
        return NO_WORK


class Dropout(Pointwise, type="dropout"):
    """Sets values to zero in training, each with probability ``p``. At inference it does nothing.

    Source: Srivastava et al., Dropout, 2014.
    """

    p = Number("probability of dropping a value", 0.5, high=1)
    storage = "in_place"

    def work(self, out: Shape, x: Shape) -> Work:
        return NO_WORK


class DropPath(Pointwise, type="drop_path"):
    """Leaves a whole path out in training, with probability ``p``. At inference it does nothing.

    Source: Huang et al., Deep networks with stochastic depth, 2016, section 3; Larsson et al., FractalNet, 2017.
    """

    p = Number("probability of dropping the path", high=1)
    storage = "in_place"

    def work(self, out: Shape, x: Shape) -> Work:
        return NO_WORK


class Upsample(Layer, type="upsample"):
    """A larger map, by the nearest value or bilinear (half-pixel centres, corners not aligned).

    Bilinear takes 4 products and 3 additions per output value; on one axis 2 and 1, on three axes 8 and 7.
    """

    scale = PerAxis("how many times larger", None)
    size = PerAxis("output size, instead of scale", None)
    mode = Choice("how a value is computed", ("nearest", "bilinear"), "nearest")

    def sizes(self, x: Shape) -> list[tuple[Int, Int]]:
        need_map(x, self.type)
        if (self.scale is None) == (self.size is None):
            raise LayerError("upsample needs scale or size, one of the two")
        if self.size is not None:
            return list(zip(x.axes, per_axis(self.size, x, "size"), strict=True))
        return [(n, n * f) for n, f in zip(x.axes, per_axis(self.scale, x, "scale"), strict=True)]

    def window(self, x: Shape) -> tuple[Window, ...]:
        if self.scale is not None:
            return tuple(
                self._window(n, m, f, 1)
                for (n, m), f in zip(self.sizes(x), per_axis(self.scale, x, "scale"), strict=True)
            )
        return tuple(self._window(n, m, m // gcd(n, m), n // gcd(n, m)) for n, m in self.sizes(x))

    def _window(self, n: Int, m: Int, up: Int, stride: Int) -> Window:
        """Nearest reads position o*stride/up, rounded down; bilinear the two around (2*o + 1)*stride/(2*up) - 1/2."""
        if self.mode == "nearest":
            window = Window(up, stride, up - 1, up)
        else:
            before = ceil_div(3 * up - stride, 2)
            window = Window(before + (up + stride) // 2 + 1, stride, before, up)
        if is_array(up) or up > MOST_READS:
            return window._replace(exact=False)
        if self.mode == "nearest":
            firsts = [i * stride // up for i in range(up)]
            reads = tuple(zip(firsts, firsts, strict=True))
        else:
            twice = [(2 * i + 1) * stride - up for i in range(up)]
            reads = tuple((at // (2 * up), ceil_div(at, 2 * up)) for at in twice)
        window = window._replace(reads=reads)
        return window if up >= stride else window.with_edges(n, m)

    def shape(self, x: Shape) -> Shape:
        return Shape(x.channels, tuple(m for _, m in self.sizes(x)))

    def params(self, x: Shape) -> Params:
        return NO_PARAMS

    def work(self, out: Shape, x: Shape) -> Work:
        interpolated = out.values * (self.mode == "bilinear")
        corners = 2 ** len(x.axes)
        return Work(mul=corners * interpolated, add=(corners - 1) * interpolated)


class Slice(Layer, type="slice"):
    """The channels from ``start`` up to, but not including, ``stop``."""

    start = WholeNumber("first channel, from 0", 0, least=0)
    stop = WholeNumber("the channel after the last one (default: all remaining channels)", None)
    storage = "view"

    def window(self, x: Shape) -> tuple[Window, ...]:
        return POINT

    def shape(self, x: Shape) -> Shape:
        stop = x.channels if self.stop is None else self.stop
        if smallest(stop - self.start) < 1 or largest(stop - x.channels) > 0:
            raise LayerError(
                f"channels {int_text(self.start)} to {int_text(stop)} do not lie in the input's "
                f"{int_text(x.channels)} channels"
            )
        return Shape(stop - self.start, x.axes)

    def params(self, x: Shape) -> Params:
        return NO_PARAMS

    def work(self, out: Shape, x: Shape) -> Work:
        return NO_WORK


class PadChannels(Layer, type="pad_channels"):
    """Puts channels of zeros before and after the channels of a map.

    Source: He et al., Deep residual learning, 2016, section 3.3, shortcut option A.
    """

    before = WholeNumber("channels of zeros in front", 0, least=0, instead=FEWER)
    after = WholeNumber("channels of zeros behind", 0, least=0, instead=FEWER)

    def window(self, x: Shape) -> tuple[Window, ...]:
        return POINT

    def held(self, out: Shape, *inputs: Shape) -> StorageKind:
        return "view" if equal(out.values, inputs[0].values) else self.storage

    def shape(self, x: Shape) -> Shape:
        return Shape(self.before + x.channels + self.after, x.axes)

    def params(self, x: Shape) -> Params:
        return NO_PARAMS

    def work(self, out: Shape, x: Shape) -> Work:
        return NO_WORK
