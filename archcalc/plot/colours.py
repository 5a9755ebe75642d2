"""The colours of pictures on a white and on a dark background. Pictures and pages read this table.

The colours are the palette of Okabe and Ito, in an order in which neighbours also differ in lightness. No information
is in a colour alone: a marker, a dash or a position shows the same. A picture is drawn on white; for a dark background,
every colour has a counterpart.
"""

from __future__ import annotations

from collections.abc import Mapping

INK, WHITE, PALE, GREY = "#000000", "#ffffff", "#f0f0f0", "#7f7f7f"
BLUE, ORANGE, GREEN, RED, SKY, PURPLE, YELLOW = (
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#d55e00",
    "#56b4e9",
    "#cc79a7",
    "#f0e442",
)
IMAGE, OTHER, BOX, INNER_BOX = "#d9d9d9", "#a6a6a6", "#e9e9e9", "#f4f4f4"
"""IMAGE, OTHER: the input and other volumes of a diagram. BOX, INNER_BOX: boxes of outer and inner blocks in graphs."""

PLAIN, SHADED, DEEP = 1.0, 0.92, 0.84
"""Brightness factors for the faces of a volume, and for bands that touch."""


def shade(colour: str, light: float) -> str:
    """The colour, darker: each channel is multiplied by ``light``.

    >>> shade("#ff8000", 0.5)
    '#804000'
    """
    return "#" + "".join(f"{round(light * int(colour[at : at + 2], 16)):02x}" for at in (1, 3, 5))


_DARK = {
    INK: "#e6edf3",
    WHITE: "#14181d",
    PALE: "#222931",
    GREY: "#98a2ad",
    BLUE: "#3f97d9",
    ORANGE: "#e69f00",
    GREEN: "#22b98d",
    RED: "#ec7a35",
    SKY: "#93d3f8",
    PURPLE: "#d98fb8",
    YELLOW: "#e9de62",
    IMAGE: "#c3cbd3",
    OTHER: "#87919b",
    BOX: "#262d36",
    INNER_BOX: "#1d232a",
}

DARK: Mapping[str, str] = {
    **{shade(light, how): shade(dark, how) for light, dark in _DARK.items() for how in (DEEP, SHADED)},
    **_DARK,
}
"""For every colour of a picture, the colour on a dark background."""
