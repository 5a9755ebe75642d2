"""Other layers: they compute nothing or nearly nothing, but rearrange, resize, pass on or drop values."""

from __future__ import annotations

from archcalc.errors import LayerError
from archcalc.layers.base import Layer, Pointwise, StorageKind, whole
from archcalc.layers.settings import Number, WholeNumber
from archcalc.sizes import (
    NO_PARAMS,
    NO_WORK,
    POINT,
    Params,
    Shape,
    Window,
    Work,
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
