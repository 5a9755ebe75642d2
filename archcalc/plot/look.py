"""The options of every picture: width, title, caption and background. This module needs no matplotlib."""

from __future__ import annotations

from typing import Any, NamedTuple, TypedDict

from archcalc.errors import ArchcalcError, unknown

WIDTHS = {"column": 3.5, "page": 7.0}
"""Names of widths, in inches: a column of a paper, and a page of two columns."""

NARROWEST, WIDEST = 2.5, 20.0


class Looks(TypedDict, total=False):
    """The options as keyword arguments. All are optional; see ``Look``."""

    width: float | str
    title: str
    caption: bool
    dark: bool
    transparent: bool


class Look(NamedTuple):
    """The options of a picture.

    ``width``: inches. ``title``: a line above the picture. ``caption``: draw the caption below the picture. ``dark``:
    light lines on a dark background. ``transparent``: no background.
    """

    width: float = WIDTHS["column"]
    title: str = ""
    caption: bool = True
    dark: bool = False
    transparent: bool = False

    def tall(self, height: float) -> float:
        """The height of axes in inches. ``height``: at the width of a column. Height grows half as fast as width."""
        return height * (1 + (self.width / WIDTHS["column"] - 1) / 2)


def look(options: Looks | dict[str, Any]) -> Look:
    """The options as a Look. ArchcalcError if the width is neither a number of inches nor a name in WIDTHS."""
    for name in options:
        if name not in Look._fields:
            raise ArchcalcError(unknown("option", name, Look._fields))
    choices = Look(**{**options, "width": WIDTHS["column"]})
    return choices._replace(width=read_width(options.get("width", "column")))


def read_width(width: float | str) -> float:
    """The width in inches, from a number or a name. ArchcalcError for anything else."""
    try:
        inches = WIDTHS[width] if isinstance(width, str) and width in WIDTHS else float(width)
    except ValueError:
        inches = 0.0
    if not NARROWEST <= inches <= WIDEST:
        names = ", ".join(f"{name} ({size:g})" for name, size in WIDTHS.items())
        raise ArchcalcError(f"width: expected {NARROWEST:g} to {WIDEST:g} inches, or one of {names}; got {width}")
    return inches
