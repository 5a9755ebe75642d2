"""Cells as text: in the unit of their column, padded to the width of their column, or as rows of a Markdown table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from archcalc.errors import visible
from archcalc.report.escape import markdown_cell
from archcalc.report.table import Heading, Table
from archcalc.units import BYTES, COUNTS, NOT_COUNTED, SECONDS, in_unit, ratio_text, seconds_unit, unit_for

FILLER = "\ue000"
"""Stands for the second column of a wide letter. No text contains this character."""


def cell_texts(table: Table, exact: bool) -> tuple[list[str], list[list[str]]]:
    """Titles with units, and every cell as printable text. The total is the last row."""
    rows = table.rows + ([table.total] if table.total else [])
    titles, columns = [], []
    shared: dict[str, tuple[float, str]] = {}
    for at, heading in enumerate(table.headings):
        column = [visible(cell) if isinstance(cell, str) else cell for cell in (row[at] for row in rows)]
        unit = _unit(heading, column, exact)
        title, texts = _column(heading, column, shared.setdefault(heading.unit_group or heading.name, unit))
        titles.append(title)
        columns.append(texts)
    return titles, [list(row) for row in zip(*columns, strict=True)]


def _unit(heading: Heading, column: list[Any], exact: bool) -> tuple[float, str]:
    if heading.kind == "seconds":
        return SECONDS[-1] if exact else seconds_unit(cell for cell in column if cell is not None)
    units = BYTES if heading.kind == "bytes" else COUNTS
    if heading.unit and not exact:
        return next(unit for unit in units if unit[1] == heading.unit)
    return units[-1] if exact else unit_for(column, units)


def _column(heading: Heading, column: list[Any], unit: tuple[float, str]) -> tuple[str, list[str]]:
    if heading.kind == "seconds":
        size, name = unit
        return f"{heading.title} [{name}]", [NOT_COUNTED if cell is None else f"{cell / size:,.3f}" for cell in column]
    if heading.kind == "ratio":
        return heading.title, ["" if cell is None else ratio_text(cell) for cell in column]
    if heading.kind == "printed":
        return heading.title, ["" if cell is None else cell for cell in column]
    if heading.kind not in ("count", "bytes"):
        return heading.title, [NOT_COUNTED if cell is None else str(cell) for cell in column]
    size, name = unit
    title = f"{heading.title} [{name}]" if name else heading.title
    return title, [
        NOT_COUNTED if cell is None else in_unit(cell, int(size)) if isinstance(cell, int) else str(cell)
        for cell in column
    ]


def sides(headings: Sequence[Heading]) -> list[str]:
    """The alignment of every column: left for text, right for numbers."""
    return ["left" if heading.kind == "text" else "right" for heading in headings]


def filled(cell: str) -> str:
    """A cell with a filler after every letter that takes two columns (Chinese, Japanese and Korean letters)."""
    if cell.isascii():
        return cell
    from unicodedata import east_asian_width

    return "".join(letter + FILLER if east_asian_width(letter) in "WF" else letter for letter in cell)


def padded(lines: Sequence[Sequence[str]], sides: Sequence[str]) -> list[list[str]]:
    """The cells of every line. All cells of a column have the width of its widest cell."""
    wide = [list(map(filled, line)) for line in lines]
    widths = [max(map(len, column)) for column in zip(*wide, strict=True)]
    pads = [str.ljust if side == "left" else str.rjust for side in sides]
    return [[pad(c, w).replace(FILLER, "") for pad, c, w in zip(pads, line, widths, strict=True)] for line in wide]


def pipe_table(
    table: Table, exact: bool = False, *, aligned: bool = True, links: Mapping[str, str] | None = None
) -> str:
    """The rows and the total as a Markdown table, without header and footer.

    ``aligned`` pads the cells, for people who read the source. ``links`` has a target for each first cell of a row.
    """
    titles, rows = cell_texts(table, exact)
    titles = [title.replace("|", "\\|") for title in titles]
    rows = [[markdown_cell(cell) for cell in row] for row in rows]
    if table.total:
        rows[-1] = [f"**{cell}**" if cell else "" for cell in rows[-1]]
    if links is not None:
        for cells, row in zip(rows, table.rows, strict=False):
            cells[0] = f"[{cells[0]}]({links[row[0]]})"
    marks = sides(table.headings)
    if aligned:
        from tabulate import tabulate

        # A table without rows has no columns to align.
        return tabulate(rows, titles, "pipe", colalign=marks if rows else None, disable_numparse=True) + "\n"
    rule = [":-" if side == "left" else "-:" for side in marks]
    lines = [[f" {cell} " if cell else " " for cell in line] for line in (titles, *rows)]
    return "".join(f"|{'|'.join(line)}|\n" for line in (lines[0], rule, *lines[1:]))
