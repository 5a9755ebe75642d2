"""The style of all pictures, and the settings with which the same input gives the same file.

Text stays text in SVG and PDF. This module does not use pyplot. Each kind of picture draws on a ``Page``. The page
knows the width, and adds title, caption and background to the drawing.
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
"""Colour, dash and marker of each line of a figure. Lines also differ without colour."""

FONTS = [FIRST, "Verdana", "Arial", "Helvetica", "sans-serif"]
RC = {
    "font.family": "sans-serif",
    "font.sans-serif": FONTS,  # DejaVu Sans comes with matplotlib; a viewer of an SVG that lacks it uses the next fonts
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
    "text.parse_math": False,  # a network can have the name $x$
    "text.usetex": False,
    "savefig.dpi": 300,
    "savefig.bbox": None,
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
}
DATES = {"png": {"Software": "archcalc"}, "svg": {"Date": None, "Creator": "archcalc"}, "pdf": {"CreationDate": None}}


def applied(salt: str = "", written: Iterable[str] = ()) -> AbstractContextManager[None]:
    """Apply matplotlib's defaults and this style; settings of the user are ignored. ``salt``: for ids inside an SVG.

    ``written``: the characters of texts from specs. Characters that DejaVu Sans lacks are drawn in other fonts.
    """
    fonts = families(frozenset(written))
    chosen = {"font.family": [*fonts, "sans-serif"]} if len(fonts) > 1 else {}
    return matplotlib.style.context(["default", {**RC, **chosen, "svg.hashsalt": f"archcalc {salt}"}])


class Page:
    """The place of a picture: the axes of the user, or a new figure with title, caption and background."""

    def __init__(self, user_axes: Sequence[Axes], choices: Look) -> None:
        self.user_axes, self.look = list(user_axes), choices
        self.width = choices.width
        if user_axes:
            self.width = float(user_axes[0].get_window_extent().width / figure_of(user_axes[0]).dpi)
        self._axes = list(user_axes)

    def figure(self, height: float, *, scaled: bool = False) -> Figure:
        """A new figure. ``height``: inches. ``scaled``: the height is for the width of a column and grows with it."""
        return Figure(
            figsize=(self.width, self.look.tall(height) if scaled else height), layout="constrained", facecolor="white"
        )

    def axes(self, height: float, *, scaled: bool = True) -> Axes:
        """The axes of the user, or the axes of a new figure: see ``figure``."""
        if not self.user_axes:
            self._axes = [self.figure(height, scaled=scaled).add_subplot()]
        return self._axes[0]

    def framed(self, ax: Axes, caption: str) -> None:
        """Add the title above and the caption below the figure of the axes. A figure of the user is not changed."""
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
        self._lay_out(figure)  # sets the ticks; the layout at the end makes room for them

    def _lay_out(self, figure: Figure) -> None:
        """Run the layout once. ArchcalcError if the labels leave no room for the drawing."""
        engine = figure.get_layout_engine()
        assert engine is not None
        with quiet(), warnings.catch_warnings():
            warnings.filterwarnings("error", message="constrained_layout not applied")
            try:
                engine.execute(figure)
            except UserWarning:
                raise ArchcalcError(
                    f"a width of {self.width:g} inches leaves no room for the drawing beside its labels; "
                    "use a larger --width"
                ) from None

    def close(self) -> None:
        """Set the background of the picture, warn once about characters that no font has, and fix the layout.

        Each further run of matplotlib's constrained layout moves the axes by about a pixel: without a fixed layout, the
        second file of a figure would differ from the first.
        """
        drawings: list[Axes | Figure] = [*self.user_axes]
        if not self.user_axes:
            figure = figure_of(self._axes[0])
            self._lay_out(figure)
            figure.set_layout_engine("none")
            drawings = [figure]
        for drawing in drawings:
            on_ground(drawing, dark=self.look.dark, transparent=self.look.transparent)
            missing_glyphs(drawing)


@contextmanager
def page(
    ax: Axes | Sequence[Axes] | None, options: Looks, *analyses: Analysis, texts: Iterable[str] = ()
) -> Iterator[Page]:
    """The page for a picture of the analyses, or with these texts. The style is applied inside the ``with`` block."""
    own = [] if ax is None else [ax] if isinstance(ax, Axes) else list(ax)
    if own and (wrong := [name for name in options if name != "dark"]):
        raise ArchcalcError(f"{wrong[0]} belongs to a whole figure; with ax, the caller decides")
    choices = look(options)
    with applied(written=characters(choices.title, *analyses).union(*texts)):
        drawing = Page(own, choices)
        yield drawing
        drawing.close()


def characters(title: str, *analyses: Analysis) -> set[str]:
    """The characters of the title and of all texts of specs that can appear in a picture."""
    letters = set(title)
    for a in analyses:
        letters.update(a.network.name, a.network.title, *map(str, a.network.settings.values()))
        for node in a.network.nodes:
            letters.update(node.name, *node.scopes)
    return letters


def figure_of(ax: Axes) -> Figure:
    """The figure to which the axes belong."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    return figure


def lay_out(figure: Figure) -> None:
    """Place the axes, so that what has a place in their data has one in points. Nothing is drawn for it."""
    engine = figure.get_layout_engine()
    if engine is not None:
        with quiet():
            engine.execute(figure)
    for ax in figure.axes:
        ax.apply_aspect()
        ax.get_xlim(), ax.get_ylim()  # sets limits that are still open


def file_of(figure: Figure, format: str) -> bytes:
    """The figure as the bytes of a file. The same figure gives the same bytes."""
    stream = BytesIO()
    with quiet():
        figure.savefig(stream, format=format, metadata=DATES[format], transparent=None)
    content = stream.getvalue()
    return tidy(content.decode(), figure.get_label()).encode() if format == "svg" else content


def tidy(svg: str, title: object) -> str:
    """The SVG with its caption as title, coordinates in hundredths of a point, and without unused ids.

    Unused ids are removed because the next picture of a page would have the same ids.
    """
    from html import escape

    used = set(re.findall(r'(?:url\(|href=")#([^")]+)', svg))
    svg = re.sub(r' id="([^"]*)"', lambda name: name[0] if name[1] in used else "", svg)
    svg = re.sub(r' d="[^"]*"', lambda path: re.sub(r"(\.\d\d)\d+", r"\1", path[0]), svg)
    return re.sub(
        r"(<svg [^>]*)>", lambda start: f'{start[1]} role="img">\n <title>{escape(str(title))}</title>', svg, count=1
    )


def scaled_axis(numbers: Iterable[int], units: tuple[tuple[int, str], ...]) -> tuple[int, str, FuncFormatter]:
    """For an axis with these numbers: the unit, the name of the unit, and the formatter of the ticks."""
    size, name = unit_for(numbers, units)
    return size, name, FuncFormatter(lambda n, _: f"{n / size:,.6g}")


def spread(places: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Move the places as little as possible, so that neighbours have a distance of at least ``gap``, from low to high.

    >>> spread([1.0, 1.1, 5.0], 1.0, 0.0, 10.0)
    [0.55, 1.55, 5.0]
    """
    groups: list[tuple[float, int]] = []  # runs of touching places: first place, number of places
    for at in places:
        start, n = at, 1
        while groups and groups[-1][0] + groups[-1][1] * gap > start:
            before, m = groups.pop()
            start = (before * m + (start - m * gap) * n) / (m + n)
            n += m
        start = max(low, min(start, high - (n - 1) * gap))
        groups.append((start, n))
    return [round(start + i * gap, 9) for start, n in groups for i in range(n)]
