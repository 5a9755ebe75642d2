"""How every picture looks, and what makes it the same file on every run: the one place for both.

Text stays text in SVG and PDF. Colours are those of Okabe and Ito, ordered so that neighbours differ in
lightness as well; whatever a colour tells, a marker, a dash or a place tells too. Nothing here touches pyplot.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from io import BytesIO
from typing import Any

import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextToPath
from matplotlib.ticker import FuncFormatter

from archcalc.analysis import Analysis
from archcalc.report.units import unit_for

COLUMN = 3.5
"""The width of a column of a paper, in inches."""

SIZE = 7
"""The size of all text, in points; the least that is legible in print."""

INK, PALE, GREY = "#000000", "#f0f0f0", "#7f7f7f"
BLUE, ORANGE, GREEN, RED, SKY, PURPLE, YELLOW = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#56B4E9",
    "#CC79A7",
    "#F0E442",
)
LINES = (
    (BLUE, "-", "o"),
    (ORANGE, "--", "s"),
    (INK, "-.", "^"),
    (SKY, (0, (5, 1)), "D"),
    (RED, (0, (3, 1, 1, 1)), "v"),
    (GREEN, (0, (1, 1)), "P"),
    (PURPLE, (0, (7, 2)), "X"),
)
"""Colour, dash and marker of the lines of a figure, which are told apart without colour too."""

FONTS = ["DejaVu Sans", "Verdana", "Arial", "Helvetica", "sans-serif"]
RC = {
    "font.family": "sans-serif",
    "font.sans-serif": FONTS,  # DejaVu Sans comes with matplotlib; the others are for readers of an SVG without it
    "font.size": SIZE,
    "axes.titlesize": SIZE + 1,
    "axes.labelsize": SIZE,
    "xtick.labelsize": SIZE,
    "ytick.labelsize": SIZE,
    "legend.fontsize": SIZE,
    "legend.frameon": False,
    "legend.handlelength": 2.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "lines.linewidth": 1.2,
    "lines.markersize": 3.5,
    "hatch.linewidth": 0.5,
    "text.parse_math": False,  # a network may be called $x$
    "text.usetex": False,
    "savefig.dpi": 300,
    "savefig.bbox": None,
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
}
DATES = {"png": {"Software": "archcalc"}, "svg": {"Date": None, "Creator": "archcalc"}, "pdf": {"CreationDate": None}}


def applied(salt: str = "") -> AbstractContextManager[None]:
    """matplotlib's own defaults and this style, whatever the user's settings; the salt is for names inside an SVG."""
    return matplotlib.style.context(["default", {**RC, "svg.hashsalt": f"archcalc {salt}"}])


def new_figure(height: float, width: float = COLUMN) -> Figure:
    """An empty figure of that size in inches."""
    return Figure(figsize=(width, height), layout="constrained")


def new_axes(height: float, width: float = COLUMN) -> Axes:
    """The axes of a new figure of that size in inches."""
    return new_figure(height, width).add_subplot()


def figure_of(ax: Axes) -> Figure:
    """The figure that axes belong to."""
    found = ax.get_figure(root=True)
    assert found is not None
    return found


def captioned(ax: Axes, text: str) -> None:
    """Add the caption below the axes' figure, which grows by as many lines as the caption has."""
    figure = figure_of(ax)
    width, height = figure.get_size_inches()
    lines = wrapped(text, width - 0.1)
    band = 0.02 + len(lines) * SIZE * 1.25 / 72 + 0.06
    figure.set_size_inches(width, height + band)
    figure.set_layout_engine("constrained", rect=(0, band / (height + band), 1, height / (height + band)))
    figure.text(0.05 / width, 0.04 / (height + band), "\n".join(lines), va="bottom", linespacing=1.2)
    figure.set_label(text)
    figure.draw_without_rendering()  # ticks settle after the first layout, and the next takes account of them


def wrapped(text: str, width: float) -> list[str]:
    """The text in lines of at most that many inches; a longer word has a line of its own."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and text_width(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


@lru_cache(maxsize=4096)
def text_width(text: str, size: float = SIZE) -> float:
    """The width of a line of text in inches."""
    font = FontProperties(family="DejaVu Sans", size=size)
    width, *_ = TextToPath().get_text_width_height_descent(text, font, False)
    return float(width) / 72


def file_of(figure: Figure, format: str) -> bytes:
    """The figure as the bytes of a file: the same for the same figure."""
    stream = BytesIO()
    figure.savefig(stream, format=format, metadata=DATES[format])
    content = stream.getvalue()
    return tidy(content.decode(), figure.get_label()).encode() if format == "svg" else content


def tidy(svg: str, title: object) -> str:
    """An SVG with its caption as title, hundredths of a point, and no names that nothing refers to.

    Names would be the same in the next picture of a page.
    """
    from html import escape

    used = set(re.findall(r'(?:url\(|href=")#([^")]+)', svg))
    svg = re.sub(r' id="([^"]*)"', lambda found: found[0] if found[1] in used else "", svg)
    svg = re.sub(r' d="[^"]*"', lambda path: re.sub(r"(\.\d\d)\d+", r"\1", path[0]), svg)
    return re.sub(
        r"(<svg [^>]*)>", lambda found: f'{found[1]} role="img">\n <title>{escape(str(title))}</title>', svg, count=1
    )


def about(*analyses: Analysis, counted: bool = True) -> str:
    """Networks, inputs, and how things are counted, for a caption."""
    named = [_named(a) for a in analyses]
    inputs = [str(a.input).replace("x", "×") for a in analyses]
    if len(set(inputs)) == 1:
        text = f"{', '.join(named)}; input {inputs[0]}"
    else:
        text = "; ".join(f"{name}, input {size}" for name, size in zip(named, inputs, strict=True))
    if not counted:
        return f"{text}."
    first = analyses[0]
    how = first.convention
    return f"{text}, batch {first.batch}, {first.dtype}. Convention {how.name}: {how.about}."


def _named(analysis: Analysis) -> str:
    from archcalc.report.layers import meta

    network = analysis.network
    named = network.name if network.title == network.name else f"{network.title} ({network.name})"
    settings = meta(analysis)["settings"]
    return f"{named}, {settings}" if settings else named


def size_text(axes: Sequence[Any]) -> str:
    """Height × width; vector where there are none."""
    return "×".join(map(str, axes)) or "vector"


def scaled_axis(numbers: Iterable[int], units: tuple[tuple[int, str], ...]) -> tuple[int, str, FuncFormatter]:
    """The unit for an axis over the numbers, its name, and the ticks' formatter."""
    size, name = unit_for(numbers, units)
    return size, name, FuncFormatter(lambda n, _: f"{n / size:,.6g}")


def apart(places: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """The places moved as little as keeps them a gap apart, in their order, between low and high.

    >>> apart([1.0, 1.1, 5.0], 1.0, 0.0, 10.0)
    [0.55, 1.55, 5.0]
    """
    groups: list[tuple[float, int]] = []  # where the first of a run of touching places would stand, and how many
    for at in places:
        start, n = at, 1
        while groups and groups[-1][0] + groups[-1][1] * gap > start:
            before, m = groups.pop()
            start = (before * m + (start - m * gap) * n) / (m + n)
            n += m
        start = max(low, min(start, high - (n - 1) * gap))
        groups.append((start, n))
    return [round(start + i * gap, 9) for start, n in groups for i in range(n)]
