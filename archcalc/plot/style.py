"""The look of all pictures, and why the same input gives the same file: the one place for both.

Text stays text in SVG and PDF. Nothing here touches pyplot. A kind of picture draws on a ``Page``, which knows the
width, and puts title, caption and ground around what was drawn.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from io import BytesIO

import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from archcalc.analysis import Analysis
from archcalc.errors import ArchcalcError
from archcalc.plot.colours import BLUE, GREEN, INK, ORANGE, PURPLE, RED, SKY
from archcalc.plot.fonts import FIRST, families, quiet
from archcalc.plot.ground import missing_glyphs, on_ground
from archcalc.plot.labels import SIZE, one_line, wrapped
from archcalc.plot.look import Look, Looks, look
from archcalc.units import unit_for

LINES = (
    (BLUE, "-", "o"),
    (ORANGE, "--", "s"),
    (INK, "-.", "^"),
    (SKY, (0, (5, 1)), "D"),
    (RED, (0, (3, 1, 1, 1)), "v"),
    (GREEN, (0, (1, 1)), "P"),
    (PURPLE, (0, (7, 2)), "X"),
)
"""Colour, dash and marker of the lines of a figure; lines differ without colour too."""

FONTS = [FIRST, "Verdana", "Arial", "Helvetica", "sans-serif"]
RC = {
    "font.family": "sans-serif",
    "font.sans-serif": FONTS,  # DejaVu Sans comes with matplotlib; the others are for readers of an SVG without it
    "font.size": SIZE,
    "figure.facecolor": "white",
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


def applied(salt: str = "", written: Iterable[str] = ()) -> AbstractContextManager[None]:
    """matplotlib's own defaults and this style, whatever the user's settings; the salt is for names inside an SVG.

    ``written`` are the characters of texts that come from specs: what DejaVu Sans lacks of them is drawn in other fonts.
    """
    fonts = families(frozenset(written))
    chosen = {"font.family": [*fonts, "sans-serif"]} if len(fonts) > 1 else {}
    return matplotlib.style.context(["default", {**RC, **chosen, "svg.hashsalt": f"archcalc {salt}"}])


class Page:
    """The place of a picture: the axes of the user, or a figure of its own with title, caption and ground."""

    def __init__(self, user_axes: Sequence[Axes], choices: Look) -> None:
        self.user_axes, self.look = list(user_axes), choices
        self.width = choices.width
        if user_axes:
            self.width = float(user_axes[0].get_window_extent().width / figure_of(user_axes[0]).dpi)
        self._axes = list(user_axes)

    def figure(self, height: float, *, scaled: bool = False) -> Figure:
        """A figure of that height in inches; ``scaled``: the height is that of a column, and grows with the width."""
        return Figure(
            figsize=(self.width, self.look.tall(height) if scaled else height), layout="constrained", facecolor="white"
        )

    def axes(self, height: float, *, scaled: bool = True) -> Axes:
        """The axes of the user, or those of a new figure of that height."""
        if not self.user_axes:
            self._axes = [self.figure(height, scaled=scaled).add_subplot()]
        return self._axes[0]

    def framed(self, ax: Axes, caption: str) -> None:
        """Add the title above and the caption below the figure of the axes; a figure of the user stays as it is."""
        if self.user_axes:
            return
        self._axes = [ax]
        figure, line = figure_of(ax), SIZE * 1.25 / 72
        width, height = figure.get_size_inches()
        title = wrapped(one_line(self.look.title), width - 0.1, SIZE + 1) if self.look.title else []
        below = wrapped(caption, width - 0.1) if self.look.caption else []
        top = len(title) * line * (SIZE + 1) / SIZE + 0.06 if title else 0.0
        band = 0.02 + len(below) * line + 0.06 if below else 0.0
        whole = height + band + top
        figure.set_size_inches(width, whole)
        figure.set_layout_engine("constrained", rect=(0, band / whole, 1, height / whole))
        if below:
            figure.text(0.05 / width, 0.04 / whole, "\n".join(below), va="bottom", linespacing=1.2)
        if title:
            figure.text(0.5, 1 - 0.05 / whole, "\n".join(title), ha="center", va="top", fontsize=SIZE + 1)
        figure.set_label(caption)
        with quiet(), warnings.catch_warnings():
            warnings.filterwarnings("error", message="constrained_layout not applied")
            try:
                figure.draw_without_rendering()  # ticks settle after the first layout, and the next takes account of them
            except UserWarning:
                raise ArchcalcError(
                    f"a width of {self.width:g} inches leaves no room for the drawing beside its labels; "
                    "use a larger --width"
                ) from None

    def close(self) -> None:
        """Give the picture its ground, and warn once of characters that no font has."""
        for ax in self._axes:
            on_ground(ax if self.user_axes else figure_of(ax), dark=self.look.dark, transparent=self.look.transparent)
            missing_glyphs(ax if self.user_axes else figure_of(ax))
            if not self.user_axes:
                break


@contextmanager
def page(ax: Axes | Sequence[Axes] | None, options: Looks, *analyses: Analysis) -> Iterator[Page]:
    """The page for a picture of the analyses, with the style applied while it is drawn."""
    own = [] if ax is None else [ax] if isinstance(ax, Axes) else list(ax)
    if own and (wrong := [name for name in options if name != "dark"]):
        raise ArchcalcError(f"{wrong[0]} belongs to a whole figure; with ax, the caller decides")
    choices = look(options)
    with applied(written=characters(choices.title, *analyses)):
        drawing = Page(own, choices)
        yield drawing
        drawing.close()


def characters(title: str, *analyses: Analysis) -> set[str]:
    """The characters of all texts of specs that may stand in a picture, and of its title."""
    letters = set(title)
    for a in analyses:
        letters.update(a.network.name, a.network.title, *map(str, a.network.settings.values()))
        for node in a.network.nodes:
            letters.update(node.name, *node.scopes)
    return letters


def figure_of(ax: Axes) -> Figure:
    """The figure that axes belong to."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    return figure


def file_of(figure: Figure, format: str) -> bytes:
    """The figure as the bytes of a file: the same for the same figure."""
    stream = BytesIO()
    with quiet():
        figure.savefig(stream, format=format, metadata=DATES[format], transparent=None)
    content = stream.getvalue()
    return tidy(content.decode(), figure.get_label()).encode() if format == "svg" else content


def tidy(svg: str, title: object) -> str:
    """An SVG with its caption as title, hundredths of a point, and no names that nothing refers to.

    Names would be the same in the next picture of a page.
    """
    from html import escape

    used = set(re.findall(r'(?:url\(|href=")#([^")]+)', svg))
    svg = re.sub(r' id="([^"]*)"', lambda name: name[0] if name[1] in used else "", svg)
    svg = re.sub(r' d="[^"]*"', lambda path: re.sub(r"(\.\d\d)\d+", r"\1", path[0]), svg)
    return re.sub(
        r"(<svg [^>]*)>", lambda start: f'{start[1]} role="img">\n <title>{escape(str(title))}</title>', svg, count=1
    )


def scaled_axis(numbers: Iterable[int], units: tuple[tuple[int, str], ...]) -> tuple[int, str, FuncFormatter]:
    """The unit for an axis over the numbers, its name, and the ticks' formatter."""
    size, name = unit_for(numbers, units)
    return size, name, FuncFormatter(lambda n, _: f"{n / size:,.6g}")


def spread(places: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """The places, moved as little as possible so that neighbours are at least ``gap`` apart, between low and high.

    >>> spread([1.0, 1.1, 5.0], 1.0, 0.0, 10.0)
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
