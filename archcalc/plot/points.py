"""Names beside the discs of a picture, where they cover no disc and no other name. Lengths are points."""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot, pi, sqrt
from typing import NamedTuple

from matplotlib.axes import Axes

from archcalc.plot import labels, style
from archcalc.plot.colours import INK

REACHES = (1, 5, 10, 16, 24, 34)
"""Possible distances from a disc to its text."""

FAR = 4
"""The distance from a disc to its text from which on a line joins the two."""

AROUND = ((1, 0), (0, 1), (0, -1), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1))
"""Possible directions from a disc to its text, as (right, up)."""

OUTSIDE = 10
"""How much worse it is to leave the frame than to cover a disc."""


class Rect(NamedTuple):
    """A rectangle on the page."""

    left: float
    low: float
    right: float
    high: float


def name_discs(
    ax: Axes,
    texts: Sequence[str],
    places: Sequence[tuple[float, float]],
    areas: Sequence[float],
    taken: Sequence[Rect] = (),
) -> None:
    """Write each text close to its disc, where it covers no disc, no text and nothing that is taken.

    ``places`` are in the data of the axes, ``areas`` in square points. A distant text has a line to its disc. A disc
    whose text is empty has no name.
    """
    figure = style.figure_of(ax)
    style.lay_out(figure)
    points = [ax.transData.transform(at) * 72 / figure.dpi for at in places]
    frame = Rect(*(n * 72 / figure.dpi for n in ax.get_window_extent().extents))
    discs = [(x, y, sqrt(area / pi)) for (x, y), area in zip(points, areas, strict=True)]
    covers = [*taken, *(Rect(x - r, y - r, x + r, y + r) for x, y, r in discs)]
    line = {"arrowstyle": "-", "linewidth": 0.4, "color": INK, "shrinkA": 0, "shrinkB": 0}
    for at in sorted((at for at in range(len(texts)) if texts[at]), key=lambda at: areas[at]):
        x, y, r = discs[at]
        width, height = labels.text_width(texts[at]) * 72 + 2, labels.SIZE * 1.1
        spots = [
            (hypot(across, up) * (r + reach) - r, Rect(left, low, left + width, low + height))
            for reach in REACHES
            for across, up in AROUND
            for left in [x + across * (r + reach) + (across - 1) / 2 * width]
            for low in [y + up * (r + reach) - height / 2]
        ]
        around = Rect(
            min(one.left for _, one in spots),
            min(one.low for _, one in spots),
            max(one.right for _, one in spots),
            max(one.high for _, one in spots),
        )
        near = [other for other in covers if _shared(other, around)]
        gap, spot = min(spots, key=lambda one: covered(one[1], near, frame))
        covers.append(spot)
        name = ax.annotate(
            texts[at],
            places[at],
            ((spot.left + spot.right) / 2 - x, (spot.low + spot.high) / 2 - y),
            textcoords="offset points",
            ha="center",
            va="center",
            zorder=4,
            arrowprops=line if gap > FAR else None,
        )
        name.set_in_layout(False)


def covered(spot: Rect, taken: Sequence[Rect], frame: Rect) -> float:
    """The area of the spot, in square points, that lies on a taken rectangle, and OUTSIDE times that outside the frame."""
    width, height = spot.right - spot.left, spot.high - spot.low
    return OUTSIDE * (width * height - _shared(spot, frame)) + sum(_shared(spot, other) for other in taken)


def _shared(a: Rect, b: Rect) -> float:
    """The area that is in both. Comparisons are several times as fast as min and max, and large tables need that."""
    left, low, right, high = a
    other_left, other_low, other_right, other_high = b
    width = (right if right < other_right else other_right) - (left if left > other_left else other_left)
    if width <= 0:
        return 0.0
    height = (high if high < other_high else other_high) - (low if low > other_low else other_low)
    return width * height if height > 0 else 0.0
