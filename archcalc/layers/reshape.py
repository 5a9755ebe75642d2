"""Other layers: they compute nothing or nearly nothing, but rearrange, resize, pass on or drop values."""

from __future__ import annotations

from archcalc.errors import LayerError
from archcalc.layers.axes import AxisName, axis_names, axis_number, sizes_of
from archcalc.layers.base import Layer, Pointwise, StorageKind, agreed, need_map, per_axis, whole
from archcalc.layers.join import broadcast_windows
from archcalc.layers.settings import Like, Number, PerAxis, WholeNumber
from archcalc.sizes import (
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
    int_text,
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


class Slice(Layer, type="slice"):
    """The channels or positions from ``start`` up to, but not including, ``stop``, in steps of ``step``."""

    start = WholeNumber("the first one, from 0", 0, least=0)
    stop = WholeNumber("the one after the last one (default: all that remain)", None)
    step = WholeNumber("from one to the next", 1)
    axis = AxisName("the axis along which is cut", "channels")
    storage = "view"

    def along(self, x: Shape) -> tuple[int, Int, Int]:
        """The number of the axis, its size, and the stop; LayerError if a part is not there."""
        at = axis_number(self.axis, x, self.type)
        n = sizes_of(x)[at]
        stop = n if self.stop is None else self.stop
        if smallest(stop - self.start) < 1 or largest(stop - n) > 0:
            axis = ("channels", *axis_names(x))[at]
            inside = f"the input's {int_text(n)} channels" if at == 0 else f"the {axis} {int_text(n)} of the input"
            raise LayerError(
                f"{axis} {int_text(self.start)} to {int_text(stop)} do not lie in {inside}",
                (stop - self.start < 1) | (stop > n),
            )
        return at, n, stop

    def window(self, x: Shape) -> tuple[Window, ...]:
        at, n, stop = self.along(x)
        if at == 0:
            return POINT
        size = ceil_div(stop - self.start, self.step)
        whole = largest(self.start) == 0 and equal(self.start + (size - 1) * self.step, n - 1)
        cut = Window(1, self.step, -self.start, reads_both_ends=bool(whole))
        return tuple(cut if axis == at else Window(1, over=0) for axis in range(1, len(x.axes) + 1))

    def shape(self, x: Shape) -> Shape:
        at, _, stop = self.along(x)
        sizes = list(sizes_of(x))
        sizes[at] = ceil_div(stop - self.start, self.step)
        return Shape(sizes[0], tuple(sizes[1:]))

    def params(self, x: Shape) -> Params:
        return NO_PARAMS

    def work(self, out: Shape, x: Shape) -> Work:
        return NO_WORK


class Expand(Layer, type="expand"):
    """Repeats a position along the axes of size 1, without a copy."""

    size = PerAxis("output size, one number for every axis", None)
    like = Like("the layer whose map has the output size, instead of size", None)
    storage = "view"

    def window(self, x: Shape) -> tuple[Window, ...]:
        return broadcast_windows(x, self.shape(x))

    def shape(self, x: Shape) -> Shape:
        need_map(x, self.type)
        if (self.size is None) == (self.like is None):
            raise LayerError("expand needs size or like, one of the two")
        name = "size" if self.like is None else "like"
        sizes = per_axis(getattr(self, name), x, name)
        for n, m in zip(x.axes, sizes, strict=True):
            if largest((n != m) * (n != 1)) > 0:
                raise LayerError(
                    f"expand cannot make {x} a map of {'x'.join(map(int_text, sizes))}: along an axis, the sizes must be "
                    f"equal, or 1 before; upsample makes other maps larger",
                    (n != m) & (n != 1),
                )
        return Shape(x.channels, sizes)

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
        return "view" if agreed(out.values == inputs[0].values) else self.storage

    def shape(self, x: Shape) -> Shape:
        return Shape(self.before + x.channels + self.after, x.axes)

    def params(self, x: Shape) -> Params:
        return NO_PARAMS

    def work(self, out: Shape, x: Shape) -> Work:
        return NO_WORK
