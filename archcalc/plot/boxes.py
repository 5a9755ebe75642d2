"""The size of a volume in a block diagram: the scale, and the sides of the box. All lengths are inches."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from archcalc.sizes import Shape, product

MAP, SLAB, BAR = 0.62, 0.4, 0.8
"""Maximum inches for the height of a map (MAP), the channels of a map (SLAB) and the channels of a vector (BAR)."""

SLANT, RISE = 0.32, 0.2
"""A map's width is drawn as a slanted edge: these shares of the width go to the right (SLANT) and up (RISE)."""

THICK = 0.06
"""The width of a vector's bar, in inches."""

LONG = 64
"""A vector is cut if it has more than LONG times the channels of every map; a map, if it has LONG times the positions
along an axis of any other map."""


class Scale(NamedTuple):
    """Inches per pixel of height and width, and per channel."""

    pixel: float
    channel: float


class Box(NamedTuple):
    """The size of a volume: its front (channels by height), and the slanted edge of its width (right and up).

    ``cut``: the box is too long to be drawn in full. ``above`` and ``left``: the letters of skips.
    """

    front: float
    height: float
    slant: float
    rise: float
    cut: bool = False
    above: str = ""
    left: str = ""


def is_bar(shape: Shape) -> bool:
    """Whether the shape is drawn as a bar: a vector, or a map of one position."""
    return bool(product(shape.axes) == 1)


def scale_for(shapes: Iterable[Shape]) -> Scale:
    """The scale at which the largest shapes take MAP, SLAB or BAR inches. Shapes that are cut (LONG) do not count."""
    shapes = list(shapes)
    maps = [shape for shape in shapes if not is_bar(shape)]
    sides = sorted({n for shape in maps for n in shape.axes[-2:]}) or [1]
    tall = sides[-2] if len(sides) > 1 and sides[-1] > LONG * sides[-2] else sides[-1]
    most = LONG * max((shape.channels for shape in maps), default=max(s.channels for s in shapes))
    bars = [s.channels for s in shapes if is_bar(s)]
    channels = [SLAB / s.channels for s in maps] + [BAR / n for n in bars if n <= most]
    return Scale(MAP / tall, min(channels, default=BAR / max(bars, default=1)))


def box_of(shape: Shape, scale: Scale) -> Box:
    """The box of a shape: a vector is an upright bar; a map has a front of channels by height, and a slanted width.

    Of a map with three axes, one frame is drawn: its last two axes.
    """
    if is_bar(shape):
        height = shape.channels * scale.channel
        return Box(THICK, min(height, BAR), 0, 0, cut=height > 1.001 * BAR)
    height, width = (*shape.axes[-2:], 1)[:2]
    tall, back = height * scale.pixel, min(width * scale.pixel, MAP)
    return Box(shape.channels * scale.channel, min(tall, MAP), back * SLANT, back * RISE, cut=tall > 1.001 * MAP)
