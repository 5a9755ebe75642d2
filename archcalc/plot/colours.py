"""The colours of pictures, on white and on a dark ground: one table, which pictures and pages read.

They are those of Okabe and Ito, ordered so that neighbours differ in lightness as well; whatever a colour tells, a
marker, a dash or a place tells too. A picture is drawn on white; on a dark ground every colour has its counterpart.
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
"""The input and other volumes of a diagram; the boxes around blocks of a graph, and around those inside."""

PLAIN, SHADED, DEEP = 1.0, 0.92, 0.84
"""How light the faces of a volume are, and bands that lie on each other."""


def shade(colour: str, light: float) -> str:
    """The colour, darker.

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
"""The counterpart of every colour of a picture on a dark ground."""
