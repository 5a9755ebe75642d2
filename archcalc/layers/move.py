"""Movements: layers that move values between the channels and the axes of a map by a pattern, and compute nothing."""

from __future__ import annotations

from archcalc.layers.arrangement import Arrangement, Pattern, PatternText, read_pattern, sized
from archcalc.layers.base import Layer, StorageKind, whole
from archcalc.layers.settings import WholeNumber
from archcalc.sizes import NO_PARAMS, NO_WORK, POINT, Params, Shape, Window, Work

LETTERS = {1: ("l",), 2: ("h", "w"), 3: ("d", "h", "w")}
"""The parts of a pattern that stand for the axes of a map, by the number of axes."""


class Movement(Layer):
    """A layer that moves the values of a map by a pattern, which follows from its settings."""

    def pattern_on(self, x: Shape) -> Pattern:
        """The pattern for an input x."""
        raise NotImplementedError

    def arrangement(self, x: Shape) -> Arrangement:
        """The parts of the channels and of every axis, before and after the values are moved."""
        return self.pattern_on(x).arranged(x)

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
    """Splits the channels into ``groups`` equal parts and takes one channel of each part in turn.

    It is the pattern ``(groups c) h w -> (c groups) h w``.

    Source: Zhang et al., ShuffleNet, 2018, section 3.1.
    """

    groups = WholeNumber("equal parts of the channels")

    def pattern_on(self, x: Shape) -> Pattern:
        axes = axes_text(x)
        return sized(f"(g c){axes} -> (c g){axes}", g=self.groups)


def axes_of(x: Shape) -> tuple[str, ...]:
    """The parts that stand for the axes of x."""
    return LETTERS.get(len(x.axes)) or tuple(f"a{at}" for at in range(1, len(x.axes) + 1))


def axes_text(x: Shape) -> str:
    """The axes of x as they stand in a pattern behind the channels."""
    return "".join(f" {axis}" for axis in axes_of(x))
