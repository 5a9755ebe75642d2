"""The measures of a volume in a block diagram: its scale, and the sides of its box. All lengths are inches."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from archcalc.sizes import Shape, product

MAP, SLAB, BAR = 0.62, 0.4, 0.8
"""The most inches of a map's height, of a map's channels, and of a vector's channels."""

SLANT, RISE = 0.32, 0.2
"""The shares of a map's width that go to the right and up."""

THICK = 0.06
"""The width of a vector's bar."""

LONG = 64
"""A vector with more than this many times the channels of any map is cut."""


class Scale(NamedTuple):
    """Inches per pixel of height and width, and per channel."""

    pixel: float
    channel: float


class Box(NamedTuple):
    """The measures of a volume: its front (channels by height), and how far its width goes to the right and up.

    ``cut``: the bar is too long to be drawn in full. ``above`` and ``left``: the letters of skips.
    """

    front: float
    height: float
    slant: float
    rise: float
    cut: bool = False
    above: str = ""
    left: str = ""


def is_bar(shape: Shape) -> bool:
    """Whether it is a vector, or a map of one position."""
    return bool(product(shape.axes) == 1)


def scale_for(shapes: Iterable[Shape]) -> Scale:
    """The scale at which the largest shapes take MAP, SLAB or BAR inches; far longer vectors do not count."""
    shapes = list(shapes)
    maps = [shape for shape in shapes if not is_bar(shape)]
    tall = max((n for shape in maps for n in shape.axes), default=1)
    most = LONG * max((shape.channels for shape in maps), default=max(s.channels for s in shapes))
    bars = [s.channels for s in shapes if is_bar(s)]
    channels = [SLAB / s.channels for s in maps] + [BAR / n for n in bars if n <= most]
    return Scale(MAP / tall, min(channels, default=BAR / max(bars, default=1)))


def box_of(shape: Shape, scale: Scale) -> Box:
    """A vector stands upright; a map shows channels by height, with its width going back."""
    if is_bar(shape):
        height = shape.channels * scale.channel
        return Box(THICK, min(height, BAR), 0, 0, cut=height > 1.001 * BAR)
    height, width = (*shape.axes, 1)[:2]
    back = width * scale.pixel
    return Box(shape.channels * scale.channel, height * scale.pixel, back * SLANT, back * RISE)
