"""The background of a finished picture, and a warning about characters that no installed font has.

Every kind of picture draws on white. For a dark background, this module replaces every colour by its counterpart in
``colours.DARK``.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import Collection
from matplotlib.colors import to_hex, to_rgba, to_rgba_array
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text

from archcalc.plot.colours import DARK
from archcalc.plot.fonts import FIRST, lacking


def on_ground(drawing: Figure | Axes, *, dark: bool, transparent: bool) -> None:
    """``dark``: use the colours for a dark background. ``transparent``: remove the background of figure and axes."""
    if dark:
        for artist in drawing.findobj(Artist):
            _darken(artist)
    if transparent and isinstance(drawing, Figure):
        for ground in [drawing.patch, *(ax.patch for ax in drawing.axes)]:
            ground.set_alpha(0)


def _darken(artist: Artist) -> None:
    if isinstance(artist, Text):
        artist.set_color(_dark(artist.get_color()))
        arrow = getattr(artist, "arrow_patch", None)  # the arrow of an annotation is not in get_children()
        if arrow is not None:
            _darken(arrow)
    elif isinstance(artist, Line2D):
        artist.set_color(_dark(artist.get_color()))
        artist.set_markerfacecolor(_dark(artist.get_markerfacecolor()))
        artist.set_markeredgecolor(_dark(artist.get_markeredgecolor()))
    elif isinstance(artist, Patch):
        hatch: Any = artist.get_edgecolor()
        artist.set_facecolor(_dark(artist.get_facecolor()))
        artist.set_edgecolor(_dark(hatch))
    elif isinstance(artist, Collection):
        artist.set_facecolor([_dark(colour) for colour in to_rgba_array(artist.get_facecolor())])
        artist.set_edgecolor([_dark(colour) for colour in to_rgba_array(artist.get_edgecolor())])


def _dark(colour: Any) -> Any:
    """The counterpart of the colour, with the same alpha. The colour itself if it has no counterpart."""
    if isinstance(colour, str) and colour in ("none", "auto"):
        return colour
    *_, alpha = to_rgba(colour)
    counterpart = DARK.get(to_hex(colour))
    return colour if counterpart is None else to_rgba(counterpart, alpha)


def missing_glyphs(drawing: Figure | Axes) -> None:
    """Warn once about all characters that no font of their text has."""
    missing: set[str] = set()
    for text in drawing.findobj(Text):
        if isinstance(text, Text) and not text.get_text().isascii():
            rest = frozenset(text.get_text())
            for name in _fonts(text.get_fontfamily()):
                rest = lacking(rest, name)
            missing |= rest
    if missing:
        some = ", ".join(sorted(missing)[:8]) + (", ..." if len(missing) > 8 else "")
        warnings.warn(
            f"no installed font has {some}: these characters are drawn as boxes; install a font that has them, such as Noto",
            stacklevel=2,
        )


def _fonts(families: Sequence[str]) -> list[str]:
    return [name if name != "sans-serif" else FIRST for name in families]
