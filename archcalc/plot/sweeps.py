"""The figures of a sweep against one axis: a line for each combination of the other axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from matplotlib.axes import Axes

from archcalc.errors import ArchcalcError
from archcalc.plot import labels, style
from archcalc.plot.look import Looks
from archcalc.plot.scales import set_scale
from archcalc.settings_text import setting_text
from archcalc.spaces.sheet import Sheet, sheet_of
from archcalc.units import counted

MOST_PANELS, MOST_MARKS = 6, 40
"""The most columns upwards. A line with more points than MOST_MARKS has no marks."""


def sweep(
    table: Any,
    x: str = "",
    y: str = "",
    by: str = "",
    log: str | None = None,
    ax: Axes | Sequence[Axes] | None = None,
    **look: Unpack[Looks],
) -> Axes | list[Axes]:
    """The columns ``y`` of a table against its column ``x``, each on axes of its own.

    ``table``: a data frame, a mapping of columns, or a Sheet. ``x``: a column (input or the first), ``y``: columns with
    commas between (macs or the first figure). ``by``: the columns that tell the lines apart (all others that vary).
    ``log``: x, y, xy or none. Of more than 7 lines, 7 at even distances are drawn. ``ax``: as many axes as columns in ``y``. Returns the axes, as a list if there are several.
    ArchcalcError for columns that do not exist, and for two rows at one place of a line.
    """
    sheet = sheet_of(table)
    across = x or ("input" if "input" in sheet.columns else next(iter(sheet.columns)))
    ups = _ups(sheet, y, across)
    every = _groups(sheet, _lines_by(sheet, by, across))
    groups = _spaced(every)
    positions, ticks = _positions(sheet.column(across))
    lines = {name: _line(sheet, name, rows, across, positions) for name, rows in groups.items()}
    with style.page(ax, look, texts=[sheet.name, *sheet.columns, *groups, *ticks]) as page:
        drawn = page.user_axes
        height = page.look.tall(2.0 if len(ups) > 1 else 2.6)
        if not drawn:
            figure = page.figure(height * len(ups))
            drawn = list(figure.subplots(len(ups), 1, sharex=True, squeeze=False)[:, 0])
        if len(drawn) != len(ups):
            raise ArchcalcError(f"expected {'one axis' if len(ups) == 1 else f'{len(ups)} axes'}, got {len(drawn)}")
        for one, up in zip(drawn, ups, strict=True):
            _panel(one, sheet, up, lines, positions)
            values = [value for value in sheet.numbers(up) if value is not None]
            set_scale(one, "y", up, values, log)
            if not ticks:
                set_scale(one, "x", across, list(positions), log)
            else:
                one.set_xticks(range(len(ticks)), labels.short_names(ticks, 0.8))
                one.set_xlabel(labels.one_line(across, 60))
        for one in drawn[:-1]:
            one.set_xlabel("")
        if len(groups) > 1:
            drawn[-1].legend(loc="upper center", bbox_to_anchor=(0.45, -0.5 / height), ncols=2, columnspacing=1)
        page.framed(drawn[0], _caption(sheet, across, ups, len(groups), len(every)))
    return drawn[0] if len(drawn) == 1 else drawn


def _ups(sheet: Sheet, y: str, across: str) -> list[str]:
    """The columns upwards."""
    names = _split(y)
    if not names:
        figures = [name for name in sheet.figures if name != across]
        if not figures:
            raise ArchcalcError(f"{sheet.name} has no figures: name a column, --y; it has {', '.join(sheet.columns)}")
        names = ["macs" if "macs" in figures else figures[0]]
    if len(names) > MOST_PANELS:
        raise ArchcalcError(f"sweep draws {MOST_PANELS} columns at most, got {len(names)}")
    for name in names:
        sheet.numbers(name)
    return names


def _split(text: str) -> list[str]:
    """The columns in a text; a comma in parentheses belongs to a name."""
    from archcalc.conditions.condition import named_figures

    return [name for name, _ in named_figures(text)] if text.strip() else []


def _lines_by(sheet: Sheet, by: str, across: str) -> list[str]:
    named = _split(by)
    for name in named:
        sheet.column(name)
    return named or [name for name in sheet.varied if name != across and len(set(map(str, sheet.columns[name]))) > 1]


def _groups(sheet: Sheet, by: Sequence[str]) -> dict[str, list[int]]:
    """The rows of every line, by its name."""
    groups: dict[tuple[Any, ...], list[int]] = {}
    columns = [sheet.columns[column] for column in by]
    for at, values in enumerate(zip(*columns, strict=True) if by else [()] * sheet.rows):
        groups.setdefault(values, []).append(at)
    return {
        ", ".join(f"{column} {_text(value)}" for column, value in zip(by, values, strict=True)): rows
        for values, rows in groups.items()
    }


def _spaced(groups: Mapping[str, list[int]]) -> dict[str, list[int]]:
    """As many of the lines as a picture has, at even distances from the first to the last."""
    names, most = list(groups), len(style.LINES)
    if len(names) > most:
        names = [names[round(nth * (len(names) - 1) / (most - 1))] for nth in range(most)]
    return {name: groups[name] for name in names}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else setting_text(value)


def _positions(column: Sequence[Any]) -> tuple[dict[Any, float], list[str]]:
    """The place of every value across, in their order; and the texts at 0, 1, 2 ... if the values are no numbers."""
    values = list(dict.fromkeys(column))
    if all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values):
        return {value: value for value in sorted(values)}, []
    return {value: at for at, value in enumerate(values)}, [_text(value) for value in values]


def _line(
    sheet: Sheet, name: str, rows: Sequence[int], across: str, positions: Mapping[Any, float]
) -> list[tuple[float, int]]:
    """The places of a line, from left to right, each with its row."""
    column, found = sheet.columns[across], dict[float, int]()
    for at in rows:
        place = positions[column[at]]
        if place in found:
            where = f" of the line {name}" if name else ""
            raise ArchcalcError(
                f"{sheet.name}: two rows have {across} {_text(column[at])}{where}: name the columns that tell lines apart (--by)"
            )
        found[place] = at
    return sorted(found.items())


def _panel(
    ax: Axes,
    sheet: Sheet,
    up: str,
    lines: Mapping[str, Sequence[tuple[float, int]]],
    positions: Mapping[Any, float],
) -> None:
    for (name, line), (colour, dash, marker) in zip(lines.items(), style.LINES, strict=False):
        values = [sheet.columns[up][at] for _, at in line]
        ax.plot(
            [place for place, _ in line],
            [float("nan") if value is None else value for value in values],
            color=colour,
            linestyle=dash,
            marker=marker if len(positions) <= MOST_MARKS else None,
            label=labels.shortened(labels.one_line(name), labels.LEGEND_WIDTH),
        )


def _caption(sheet: Sheet, across: str, ups: Sequence[str], drawn: int, lines: int) -> str:
    of = f", {drawn} of {lines:,} lines" if drawn < lines else f" in {lines} lines" if lines > 1 else ""
    return labels.one_line(f"{sheet.name}: {', '.join(ups)} against {across}, {counted(sheet.rows, 'row')}{of}.", 600)
