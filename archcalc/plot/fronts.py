"""A Pareto set: the rows of a table that no other row beats in two columns, and all other rows."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import log10
from typing import Any, Unpack

from matplotlib.axes import Axes

from archcalc.errors import ArchcalcError
from archcalc.plot import labels, style
from archcalc.plot.colours import BLUE, GREY, INK
from archcalc.plot.look import Looks
from archcalc.plot.points import Rect, name_discs
from archcalc.plot.scales import XY, set_scale
from archcalc.settings_text import setting_text
from archcalc.spaces.pareto import Objective, front, objective
from archcalc.spaces.sheet import Sheet, sheet_of
from archcalc.units import counted

NAMED, NAME_WIDTH, AREA = 12, 1.3, 14
"""The most rows with names, inches of a name, and square points of a mark."""
CELLS, FINE = 120, 800
"""Rows outside the set are drawn once in each cell of a grid of CELLS x CELLS, and rows of the set in FINE
x FINE: a million marks are no picture."""


def pareto(
    table: Any,
    x: str = "",
    y: str = "",
    label: str = "",
    log: str | None = None,
    ax: Axes | None = None,
    **look: Unpack[Looks],
) -> Axes:
    """The rows of a table in two columns; those that no other row beats are joined, and have names.

    ``table``: a data frame, a mapping of columns, or a Sheet. ``x``, ``y``: the columns (macs or the first figure, and the
    next figure); with a ``-`` before, more is better. ``label``: the columns of the names (what varies). ``log``: x, y, xy or
    none. ArchcalcError for a column that does not exist or is not of numbers.
    """
    sheet = sheet_of(table)
    across, up = _objectives(sheet, x, y)
    rows = [
        at
        for at, pair in enumerate(zip(sheet.numbers(across.column), sheet.numbers(up.column), strict=True))
        if None not in pair
    ]
    if not rows:
        raise ArchcalcError(f"{sheet.name}: no row has both {across.column} and {up.column}")
    best = front(sheet.columns, [f"{'-' * one.more}{one.column}" for one in (across, up)])
    xs, ys = (sheet.columns[one.column] for one in (across, up))
    marks: dict[tuple[Any, Any], int] = {}
    for at in sorted(best, key=lambda at: (xs[at], ys[at])):
        marks.setdefault((xs[at], ys[at]), at)
    named = _label_columns(sheet, label, best)
    names = {at: _text(sheet, named, at) for at in _spaced(list(marks.values()))} if named else {}
    with style.page(ax, look, texts=[sheet.name, *sheet.columns, *names.values()]) as page:
        ax = page.axes(2.9)
        places = [(xs[at], ys[at]) for at in rows]
        logs = [
            set_scale(ax, which, one.column, [place[i] for place in places], log)
            for i, (which, one) in enumerate(zip(XY, (across, up), strict=True))
        ]
        others = _thinned(places, logs, CELLS)
        ax.scatter([x for x, _ in others], [y for _, y in others], s=5, c=GREY, alpha=0.5, linewidths=0, zorder=1.5)
        steps = "steps-pre" if across.more else "steps-post"
        drawn = _thinned(list(marks), logs, FINE)
        line = list(zip(*drawn, strict=True))
        ax.plot(*line, color=BLUE, linewidth=1, drawstyle=steps, zorder=2)
        ax.scatter(line[0], line[1], s=AREA, c=BLUE, edgecolors=INK, linewidths=0.4, zorder=3)
        ax.margins(0.12)
        page.framed(ax, _caption(sheet, across, up, named, len(rows), len(best)))
        texts = dict(zip(names, labels.short_names(list(names.values()), NAME_WIDTH), strict=True))
        seen = {*drawn, *((xs[at], ys[at]) for at in names)}
        discs = {place: texts.get(at, "") for place, at in marks.items() if place in seen}
        name_discs(ax, list(discs.values()), list(discs), [AREA] * len(discs), _along(ax, drawn, across.more))
    return ax


def _along(ax: Axes, line: Sequence[tuple[Any, Any]], before: bool) -> list[Rect]:
    """Where the steps of the line are, in points; with ``before``, a step goes upwards before it goes across."""
    figure = style.figure_of(ax)
    style.lay_out(figure)
    places = [tuple(place) for place in (ax.transData.transform(line) * 72 / figure.dpi)]
    found = []
    for (x, y), (next_x, next_y) in pairwise(places):
        level, turn = (next_y, x) if before else (y, next_x)
        found += [Rect(x, level - 1, next_x, level + 1), Rect(turn - 1, min(y, next_y), turn + 1, max(y, next_y))]
    return found


def _spaced(rows: Sequence[int]) -> list[int]:
    """At most NAMED of the rows, at even distances from the first to the last."""
    if len(rows) <= NAMED:
        return list(rows)
    return [rows[round(nth * (len(rows) - 1) / (NAMED - 1))] for nth in range(NAMED)]


def _objectives(sheet: Sheet, x: str, y: str) -> tuple[Objective, Objective]:
    """The columns of the axes."""
    figures = sheet.figures
    known = list(sheet.columns)
    if not x:
        if not figures:
            raise ArchcalcError(
                f"{sheet.name} has no figures: name two columns, --x and --y; it has {', '.join(known)}"
            )
        x = "macs" if "macs" in figures else figures[0]
    across = objective(x, known)
    if not y:
        others = [name for name in figures if name != across.column]
        other = next((name for name in others if len({*sheet.columns[name]}) > 1), others[0] if others else None)
        if other is None:
            raise ArchcalcError(f"{sheet.name} has one figure, {across.column}: name a second column, --y")
        y = other
    return across, objective(y, known)


def _label_columns(sheet: Sheet, label: str, best: Sequence[int]) -> list[str]:
    """The columns of the names: those of the user, else what varies in the set."""
    if label == "none":
        return []
    if label:
        named = [name.strip() for name in label.split(",") if name.strip()]
        for name in named:
            sheet.column(name)
        return named
    return [name for name in sheet.varied if len({str(sheet.columns[name][at]) for at in best}) > 1]


def _text(sheet: Sheet, named: Sequence[str], at: int) -> str:
    values = [sheet.columns[name][at] for name in named]
    return ", ".join(value if isinstance(value, str) else setting_text(value) for value in values)


def _thinned(places: Sequence[tuple[Any, Any]], logs: Sequence[bool], count: int) -> list[tuple[Any, Any]]:
    """One place of each cell of a grid of count x count, in their order."""
    cells: dict[tuple[int, int], tuple[Any, Any]] = {}
    axes = [[log10(place[i]) if logs[i] else place[i] for place in places] for i in range(2)]
    lows, spans = [min(axis) for axis in axes], [max(axis) - min(axis) or 1 for axis in axes]
    for place, *at in zip(places, *axes, strict=True):
        cell = tuple(int(count * (n - low) / span) for n, low, span in zip(at, lows, spans, strict=True))
        cells.setdefault((cell[0], cell[1]), place)
    return list(cells.values())


def _caption(sheet: Sheet, across: Objective, up: Objective, named: Sequence[str], rows: int, best: int) -> str:
    better = " and ".join(f"{one.column} ({'more' if one.more else 'less'} is better)" for one in (across, up))
    names = f" Names: {', '.join(named)}." if named else ""
    of = f"{sheet.name}: {best:,} of {counted(rows, 'row')}, joined, that no other row beats in {better}."
    return labels.one_line(f"{of}{names}", 600)
