"""Movements: layers that move values between the channels and the axes of a map by a pattern, and compute nothing."""

from __future__ import annotations

from collections.abc import Iterable

from archcalc.errors import LayerError
from archcalc.layers.arrangement import Arrangement, Pattern, PatternText, nearest_multiples, read_pattern, sized
from archcalc.layers.base import Layer, StorageKind, agreed, need_map, per_axis, registry, whole
from archcalc.layers.reshape import Expand
from archcalc.layers.settings import Flag, Like, PerAxis, Shifts, WholeNumber
from archcalc.layers.unfold import Fold, Unfold
from archcalc.sizes import (
    NO_PARAMS,
    NO_WORK,
    POINT,
    Int,
    Params,
    Shape,
    Window,
    Work,
    equal,
    int_text,
    is_array,
    largest,
)

LETTERS = {1: ("l",), 2: ("h", "w"), 3: ("d", "h", "w")}
"""The parts of a pattern that stand for the axes of a map, by the number of axes."""


class Movement(Layer):
    """A layer that moves the values of a map by a pattern, which follows from its settings."""

    _last: tuple[Shape, Arrangement] | None = None
    """The arrangement of the last input. Every fact asks for it."""

    def pattern_on(self, x: Shape) -> Pattern:
        """The pattern for an input x."""
        raise NotImplementedError

    def arrangement(self, x: Shape) -> Arrangement:
        """The parts of the channels and of every axis, before and after the values are moved."""
        last = self._last
        if last is None or last[0] is not x:
            last = self._last = x, self.pattern_on(x).arranged(x)
        return last[1]

    def within(self, x: Shape, sizes: Int | tuple[Int, ...], name: str) -> dict[str, Int]:
        """The sizes of a setting for the axes of x, by the names of the parts of a pattern."""
        need_map(x, self.type)
        return {f"s{at}": size for at, size in enumerate(per_axis(sizes, x, name), 1)}

    def map_sizes(self) -> tuple[Int, ...]:
        """The sizes of the map that the settings ``size`` or ``like`` state."""
        size, like = getattr(self, "size", None), getattr(self, "like", None)
        if (size is None) == (like is None):
            raise LayerError(f"{self.type} needs size or like, one of the two")
        sizes = like if size is None else size
        return sizes if isinstance(sizes, tuple) else (sizes,)

    def window(self, x: Shape) -> tuple[Window, ...]:
        before, after = self.arrangement(x)
        return POINT if before[1:] == after[1:] else whole(x)

    def held(self, out: Shape, *inputs: Shape) -> StorageKind:
        return "view" if self.arrangement(inputs[0]).is_view else "new"

    def shape(self, x: Shape) -> Shape:
        return self.arrangement(x).shape

    def params(self, x: Shape) -> Params:
        return NO_PARAMS

    def work(self, out: Shape, x: Shape) -> Work:
        return NO_WORK


class Rearrange(Movement, type="rearrange"):
    """Moves the values of a map between the channels and the axes, as a pattern says.

    Without a copy if the memory of the input can be read in the new order: then the output is a view of the input.

    Source: Rogozhnikov, Einops: clear and reliable tensor manipulations with Einstein-like notation, ICLR 2022.
    """

    pattern = PatternText('the channels and the axes before and after, as in "c (h 2) (w 2) -> (c 2 2) h w"')
    direct = "pattern"

    def pattern_on(self, x: Shape) -> Pattern:
        return read_pattern(self.pattern)


class ChannelShuffle(Movement, type="channel_shuffle"):
    """Splits the channels into ``groups`` equal parts and takes one channel of each part in turn:
    ``(groups c) h w -> (c groups) h w``.

    Source: Zhang et al., ShuffleNet, 2018, section 3.1.
    """

    groups = WholeNumber("equal parts of the channels")

    def pattern_on(self, x: Shape) -> Pattern:
        axes = axes_text(x)
        return sized(f"(g c){axes} -> (c g){axes}", g=self.groups)


class SpaceToDepth(Movement, type="space_to_depth"):
    """Moves blocks of neighbouring positions into the channels, as ``nn.PixelUnshuffle`` does:
    ``c (h block) (w block) -> (c block block) h w``. The layer ``reorg`` of darknet has another order of the values.

    Source: Shi et al., Real-time single image and video super-resolution using an efficient sub-pixel convolutional
    neural network, 2016, section 3.2.
    """

    block = PerAxis("positions of a block, along every axis")

    def pattern_on(self, x: Shape) -> Pattern:
        within = self.within(x, self.block, "block")
        return sized(f"c{split_text(x, within)} -> (c {' '.join(within)}){axes_text(x)}", **within)


class PixelShuffle(Movement, type="pixel_shuffle"):
    """Moves parts of the channels to positions between the positions: a larger map of fewer channels,
    as ``nn.PixelShuffle`` makes it: ``(c factor factor) h w -> c (h factor) (w factor)``.

    Source: Shi et al., Real-time single image and video super-resolution using an efficient sub-pixel convolutional
    neural network, 2016, section 3.2.
    """

    factor = PerAxis("how many times larger, along every axis")

    def pattern_on(self, x: Shape) -> Pattern:
        within = self.within(x, self.factor, "factor")
        return sized(f"(c {' '.join(within)}){axes_text(x)} -> c{split_text(x, within)}", **within)


class ToTokens(Movement, type="to_tokens"):
    """Puts the positions of a map one after another on a single axis: ``c h w -> c (h w)``.

    Source: Dosovitskiy et al., An image is worth 16x16 words, ICLR 2021, section 3.1.
    """

    def pattern_on(self, x: Shape) -> Pattern:
        need_map(x, self.type)
        return read_pattern(f"c{axes_text(x)} -> c ({axes_text(x).strip()})")


class ToMap(Movement, type="to_map"):
    """Puts positions that stand one after another on the axes of a map: the reverse of ``to_tokens``,
    ``c (h w) -> c h w`` with the sizes of the map.
    """

    size = PerAxis("size of the map, one number for every axis", None)
    like = Like("the layer whose map has the size, instead of size", None)

    def pattern_on(self, x: Shape) -> Pattern:
        axes = self.map_sizes()
        names = {f"m{at}": size for at, size in enumerate(axes, 1)}
        return sized(f"c ({' '.join(names)}) -> c {' '.join(names)}", **names)


class Windows(Movement, type="windows"):
    """Cuts a map into windows: one axis for the windows, and one for the positions of a window:
    ``c (h size) (w size) -> c (h w) (size size)``. With ``grid``, a window has ``size`` positions at
    equal distances over the whole map: ``c (size h) (size w) -> c (h w) (size size)``.

    Source: Liu et al., Swin transformer, 2021, section 3.2; Tu et al., MaxViT, 2022, section 3.2 (grid).
    """

    size = PerAxis("positions of a window, along every axis")
    grid = Flag("positions at equal distances over the whole map", False)

    def pattern_on(self, x: Shape) -> Pattern:
        within = self.within(x, self.size, "size")
        whole, moved = windows_text(axes_of(x), tuple(within), self.grid)
        return sized(f"c {whole} -> c {moved}", **within)


class FromWindows(Movement, type="from_windows"):
    """Puts windows together to the map that they were cut from: the reverse of ``windows``,
    ``c (h w) (block block) -> c (h block) (w block)`` with the size of the map. A window has as
    many positions along every axis, unless ``block`` says how many.
    """

    size = PerAxis("size of the map, one number for every axis", None)
    like = Like("the layer whose map has the size, instead of size", None)
    block = PerAxis("positions of a window, along every axis (default: as many along every axis)", None)
    grid = Flag("positions at equal distances over the whole map", False)

    def pattern_on(self, x: Shape) -> Pattern:
        if len(x.axes) != 2:
            raise LayerError(f"from_windows needs a map of windows and positions, got {x}")
        whole = Shape(x.channels, self.map_sizes())
        within = self.within(whole, root(x.axes[1], len(whole.axes)) if self.block is None else self.block, "block")
        counts = {
            axis: _windows_along(n, size, self.type)
            for axis, n, size in zip(axes_of(whole), whole.axes, within.values(), strict=True)
        }
        together, apart = windows_text(axes_of(whole), tuple(within), self.grid)
        return sized(f"c {apart} -> c {together}", **counts, **within)


class Roll(Layer, type="roll"):
    """Moves the positions of a map along its axes; those that leave at the end come in at the start.
    Position p moves to position p + ``by``, as in ``torch.roll``. A negative number moves the positions to the start.

    Source: Liu et al., Swin transformer, 2021, section 3.2 (the cyclic shift).
    """

    by = Shifts("how far, one number for every axis")

    def shifts(self, x: Shape) -> tuple[Int, ...]:
        """How far the positions move along every axis, from 0 to the size of the axis."""
        need_map(x, self.type)
        return tuple(shift % n for n, shift in zip(x.axes, per_axis(self.by, x, "by"), strict=True))

    def window(self, x: Shape) -> tuple[Window, ...]:
        still = [largest(shift) == 0 for shift in self.shifts(x)]
        if all(still):
            return POINT
        return tuple(
            Window(1, over=0) if stays else Window(n, whole=True, exact=False)
            for n, stays in zip(x.axes, still, strict=True)
        )

    def held(self, out: Shape, *inputs: Shape) -> StorageKind:
        return "new" if agreed(sum((shift != 0) * 1 for shift in self.shifts(inputs[0])) > 0) else "view"

    def shape(self, x: Shape) -> Shape:
        self.shifts(x)
        return x

    def params(self, x: Shape) -> Params:
        return NO_PARAMS

    def work(self, out: Shape, x: Shape) -> Work:
        return NO_WORK


def windows_text(axes: tuple[str, ...], within: tuple[str, ...], grid: bool) -> tuple[str, str]:
    """The axes of a map, and the axes of its windows, as they stand in a pattern behind the channels."""
    pairs = [(inner, axis) if grid else (axis, inner) for axis, inner in zip(axes, within, strict=True)]
    return " ".join(f"({a} {b})" for a, b in pairs), f"({' '.join(axes)}) ({' '.join(within)})"


def root(n: Int, degree: int) -> Int:
    """The whole number whose power is n; LayerError if there is none."""
    found: Int = (n ** (1 / degree)).round().astype("int64") if is_array(n) else _whole_root(n, degree)
    if not equal(found**degree, n):
        raise LayerError(
            f"from_windows needs block: a window of {int_text(n)} positions is not as long on every axis",
            found**degree != n,
        )
    return found


def _whole_root(n: int, degree: int) -> int:
    """The largest whole number whose power is at most n, by Newton's method."""
    found = 1 << -(-n.bit_length() // degree)
    while found**degree > n:
        found = ((degree - 1) * found + n // found ** (degree - 1)) // degree
    return found


def _windows_along(n: Int, size: Int, what: str) -> Int:
    if largest(n % size) != 0:
        raise LayerError(
            f"{what}: {int_text(n)} positions of the map are not divisible by windows of {int_text(size)}"
            f"{nearest_multiples(n, size)}",
            n % size != 0,
        )
    return n // size


def axes_of(x: Shape) -> tuple[str, ...]:
    """The parts that stand for the axes of x."""
    return LETTERS.get(len(x.axes)) or tuple(f"a{at}" for at in range(1, len(x.axes) + 1))


def axes_text(x: Shape) -> str:
    """The axes of x as they stand in a pattern behind the channels."""
    return "".join(f" {axis}" for axis in axes_of(x))


def split_text(x: Shape, within: Iterable[str]) -> str:
    """The axes of x as they stand in a pattern if each is split into an outer part and one of the parts ``within``."""
    return "".join(f" ({axis} {part})" for axis, part in zip(axes_of(x), within, strict=True))


MOVEMENTS = frozenset(
    name for name, layer in registry.items() if issubclass(layer, (Movement, Roll, Expand, Unfold, Fold))
)
"""The layer types that move or repeat values, or add them where windows overlap. They have no parameters."""
