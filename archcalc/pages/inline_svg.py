"""Pictures inside a page: ids that are unique in the page, and colours from the page's style."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from archcalc.plot.colours import DARK, INK, WHITE


@lru_cache(maxsize=1)
def _variables() -> Mapping[str, str]:
    """For every colour of a picture, the name of a CSS variable of the page."""
    return {colour: f"--c{nth}" for nth, colour in enumerate(sorted(DARK))}


class PictureColours(NamedTuple):
    """The CSS variable of the text colour, and the colour of every variable on a light and on a dark screen."""

    ink: str
    light: Mapping[str, str]
    dark: Mapping[str, str]


def picture_colours() -> PictureColours:
    """The colours of pictures for the CSS of a page."""
    names = _variables()
    light = {name: colour for colour, name in names.items()}
    return PictureColours(names[INK], light, {name: DARK[colour] for name, colour in light.items()})


def inline_svg(svg: str, prefix: str) -> str:
    """The SVG with the prefix before every id, and with the CSS variables of the page as colours.

    Black and white text on the nodes of a graph keeps its colour, because nodes are light on a dark screen too.
    """
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}-\1"', svg)
    svg = re.sub(r'((?:xlink:)?href=")#', rf"\1#{prefix}-", svg)
    svg = re.sub(r"url\(#", f"url(#{prefix}-", svg)
    svg = re.sub(r'\b(fill|stroke)="(white|black)"', lambda at: f'{at[1]}="{WHITE if at[2] == "white" else INK}"', svg)
    svg = re.sub(
        r'<g class="node">.*?</g>',
        lambda node: re.sub(r'(<text [^>]*fill="#)(0|f)\2{5}"', r'\1\2\2\2"', node[0]),
        svg,
        flags=re.DOTALL,
    )
    names = _variables()
    return re.sub(
        r"((?:fill|stroke)(?:: |=\"))(#[0-9a-f]{6})\b",
        lambda at: f"{at[1]}var({names[at[2]]})" if at[2] in names else at[0],
        svg,
    )
