"""A table in each format: text, markdown, csv, latex, html and json."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from archcalc.errors import ArchcalcError, unknown, visible
from archcalc.report.escape import csv_cell, html_text, json_text, latex_text, markdown_cell, markdown_text
from archcalc.report.table import Heading, Table, for_programs
from archcalc.units import BYTES, COUNTS, NOT_COUNTED, in_unit, ratio_text, unit_for

FILLER = "\ue000"
"""A character that no text has, in the place of the second column of a wide letter."""
MORE = "--verbose explains the columns and the signs"
"""Where details are left out."""
LONGEST_NAME = 24
"""Text cells are not shortened below this many characters."""


class Printing(NamedTuple):
    """How a reader wants a table: all digits, lines of a bounded width (text only), and what is always the same, too."""

    exact: bool = False
    width: int | None = None
    verbose: bool = False


def render_table(
    table: Table, format: str = "text", *, exact: bool = False, width: int | None = None, verbose: bool = False
) -> str:
    """The table as text of that format, ending in a newline.

    ``exact`` prints all digits, ``width`` bounds the lines of the text format, and ``verbose`` adds the details of the
    table and the whole rule of the convention. ArchcalcError for an unknown format.
    """
    check_format(format)
    return FORMATS[format](table, Printing(exact, width, verbose))


def joined(parts: Sequence[str], format: str) -> str:
    """Several texts of that format as one: a JSON array, one CSV under one line of titles, or texts with a line between."""
    if format == "json" and len(parts) > 1:
        return "[\n" + ",\n".join(part.rstrip("\n") for part in parts) + "\n]\n"
    if format == "csv":
        return parts[0] + "".join(part.split("\n", 1)[1] for part in parts[1:])
    return "\n".join(parts)


def head(table: Table, printing: Printing) -> list[str]:
    """The lines above the rows, of signs that can be printed."""
    return [visible(line) for line in table.header.lines(printing.verbose)]


def foot(table: Table, printing: Printing) -> list[str]:
    """The lines below the rows, of signs that can be printed."""
    return [visible(line) for line in (*table.footer, *(table.details if printing.verbose else ()))]


def _printable(table: Table) -> list[list[Any]]:
    """The rows with every text on one line, of signs that can be printed."""
    return [[visible(cell) if isinstance(cell, str) else cell for cell in row] for row in table.rows]


def check_format(format: str) -> None:
    """ArchcalcError with the nearest name where there is no such format."""
    if format not in FORMATS:
        raise ArchcalcError(unknown("format", format, FORMATS))


def cell_texts(table: Table, exact: bool) -> tuple[list[str], list[list[str]]]:
    """Titles with units, and every cell as text of signs that can be printed; the total is the last row."""
    rows = _printable(table) + ([table.total] if table.total else [])
    titles, columns = [], []
    shared: dict[str, tuple[int, str]] = {}
    for at, heading in enumerate(table.headings):
        column = [row[at] for row in rows]
        unit = _unit(heading, column, exact)
        title, texts = _column(heading, column, shared.setdefault(heading.unit_group or heading.name, unit))
        titles.append(title)
        columns.append(texts)
    return titles, [list(row) for row in zip(*columns, strict=True)]


def _unit(heading: Heading, column: list[Any], exact: bool) -> tuple[int, str]:
    units = BYTES if heading.kind == "bytes" else COUNTS
    if heading.unit and not exact:
        return next(unit for unit in units if unit[1] == heading.unit)
    return units[-1] if exact else unit_for(column, units)


def _column(heading: Heading, column: list[Any], unit: tuple[int, str]) -> tuple[str, list[str]]:
    if heading.kind == "ratio":
        return heading.title, ["" if cell is None else ratio_text(cell) for cell in column]
    if heading.kind == "printed":
        return heading.title, ["" if cell is None else cell for cell in column]
    if heading.kind not in ("count", "bytes"):
        return heading.title, [NOT_COUNTED if cell is None else str(cell) for cell in column]
    size, name = unit
    title = f"{heading.title} [{name}]" if name else heading.title
    return title, [
        NOT_COUNTED if cell is None else in_unit(cell, size) if isinstance(cell, int) else str(cell) for cell in column
    ]


def _align(headings: Sequence[Heading]) -> list[str]:
    return ["left" if heading.kind == "text" else "right" for heading in headings]


def _tabulate(titles: list[str], rows: list[list[str]], headings: Sequence[Heading], style: str) -> str:
    from tabulate import tabulate

    # An empty table has no columns to align.
    return tabulate(rows, titles, tablefmt=style, colalign=_align(headings) if rows else None, disable_numparse=True)


def _filled(cell: str) -> str:
    """A cell with a filler after every letter that takes two columns, as those of Chinese, Japanese and Korean do."""
    if cell.isascii():
        return cell
    from unicodedata import east_asian_width

    return "".join(letter + FILLER if east_asian_width(letter) in "WF" else letter for letter in cell)


def text(table: Table, printing: Printing) -> str:
    titles, rows = cell_texts(table, printing.exact)
    width = printing.width
    headings, left_out = list(table.headings), []
    if width is not None:
        _shorten(titles, rows, headings, width)
        while _width(titles, rows) > width and min(h.priority for h in headings) < 9:
            at = min(range(len(headings)), key=lambda i: (headings[i].priority, -i))
            left_out.append(headings.pop(at).name)
            for row in (titles, *rows):
                row.pop(at)
    footer = foot(table, printing)
    if left_out:
        footer.append(f"columns left out at this width: {', '.join(left_out)} (-o FILE keeps all)")
    if table.details and not printing.verbose:
        footer.append(MORE)
    parts = [*_wrapped(head(table, printing), width), "", *_ruled(titles, rows, headings, bool(table.total))]
    if footer:
        parts += ["", *_wrapped(footer, width)]
    return "\n".join(parts) + "\n"


def _ruled(titles: list[str], rows: list[list[str]], headings: Sequence[Heading], total: bool) -> list[str]:
    """Aligned lines with a rule below the titles and above the total."""
    titles, *rows = _padded([titles, *rows], _align(headings))
    rule = ["-" * len(_filled(title)) for title in titles]
    lines = [titles, rule, *rows]
    if total:
        lines.insert(-1, rule)
    return ["  ".join(line).rstrip() for line in lines]


def _padded(lines: Sequence[Sequence[str]], sides: Sequence[str]) -> list[list[str]]:
    """The cells of every line, those of a column as wide as its widest."""
    filled = [list(map(_filled, line)) for line in lines]
    widths = [max(map(len, column)) for column in zip(*filled, strict=True)]
    pads = [str.ljust if side == "left" else str.rjust for side in sides]
    return [[pad(c, w).replace(FILLER, "") for pad, c, w in zip(pads, line, widths, strict=True)] for line in filled]


def _width(titles: list[str], rows: list[list[str]]) -> int:
    longest = [max(len(_filled(cell)) for cell in column) for column in zip(titles, *rows, strict=True)]
    return sum(longest) + 2 * (len(longest) - 1)


def _shorten(titles: list[str], rows: list[list[str]], headings: list[Heading], width: int) -> None:
    """Cut the middle out of long names in the first column, never out of a number."""
    too_wide = _width(titles, rows) - width
    if too_wide <= 0 or not rows or not headings or headings[0].kind != "text":
        return
    most = max(LONGEST_NAME, max(len(row[0]) for row in rows) - too_wide)
    for row in rows:
        if len(row[0]) > most:
            row[0] = row[0][: most // 2 - 1] + ".." + row[0][len(row[0]) - (most - most // 2 - 1) :]


def _wrapped(lines: Sequence[str], width: int | None) -> list[str]:
    if width is None:
        return list(lines)
    from textwrap import wrap

    return [part for line in lines for part in (wrap(line, max(width, 40), subsequent_indent="  ") or [""])]


def markdown(table: Table, printing: Printing) -> str:
    first, *rest = map(markdown_text, head(table, printing))
    below = foot(table, printing)
    return (
        "  \n".join([f"**{first}**", *rest])
        + "\n\n"
        + pipe_table(table, printing.exact)
        + "".join(f"\n{markdown_text(line)}  " for line in below)
        + ("\n" if below else "")
    )


def pipe_table(table: Table, exact: bool = False) -> str:
    """The rows and the total alone, as a Markdown table."""
    titles, rows = cell_texts(table, exact)
    titles = [title.replace("|", "\\|") for title in titles]
    rows = [[markdown_cell(cell) for cell in row] for row in rows]
    if table.total:
        rows[-1] = [f"**{cell}**" if cell else "" for cell in rows[-1]]
    return _tabulate(titles, rows, table.headings, "pipe") + "\n"


def csv(table: Table, printing: Printing) -> str:
    """Exact numbers, one row per layer, each with the facts of the header; no total, which would count twice.

    The network stands before the facts, where the table's first column names one.
    """
    from csv import writer

    (table,) = for_programs([table])
    out = io.StringIO()
    write = writer(out, lineterminator="\n").writerow
    facts = {key: value for key, value in table.header.facts.items() if not isinstance(value, (dict, list))}
    at = int(bool(table.headings) and table.headings[0].name == "network")
    names = [heading.name for heading in table.headings]
    write([*names[:at], *facts, *names[at:]])
    same = [csv_cell(fact) for fact in facts.values()]
    for row in table.rows:
        cells = ["" if cell is None else csv_cell(cell) for cell in map(_machine, table.headings, row)]
        write([*cells[:at], *same, *cells[at:]])
    return out.getvalue()


def latex(table: Table, printing: Printing) -> str:
    """A table of the package booktabs, with a caption and a label; the notes below are comments."""
    texts = cell_texts(table, printing.exact)
    top, *lines = [" & ".join(map(latex_text, row)) + r" \\" for row in (texts[0], *texts[1])]
    if table.total:
        lines.insert(-1, r"\midrule")
    parts = [
        r"% needs \usepackage{booktabs} in the preamble",
        r"\begin{table}",
        r"\centering",
        f"\\caption{{{latex_text('; '.join(head(table, printing)))}}}",
        f"\\label{{tab:{_label(table)}}}",
        f"\\begin{{tabular}}{{{''.join(side[0] for side in _align(table.headings))}}}",
        *(r"\toprule", top, r"\midrule", *lines, r"\bottomrule"),
        r"\end{tabular}",
        *(f"% {line}" for line in foot(table, printing)),
        r"\end{table}",
    ]
    return "\n".join(parts) + "\n"


def _label(table: Table) -> str:
    """What a text can refer to the table by: the network with its settings, else what the table is of."""
    network = table.header.network
    return re.sub(r"[^A-Za-z0-9]+", "-", network.name if network else table.title).strip("-").lower()


def html(table: Table, printing: Printing) -> str:
    titles, rows = cell_texts(table, printing.exact)
    sides = _align(table.headings) if rows else ["left"] * len(titles)
    top, *body = _padded(
        [[f"{title}  " if side == "left" else f"  {title}" for title, side in zip(titles, sides, strict=True)], *rows],
        sides,
    )
    caption = "<br>".join(map(html_text, head(table, printing)))
    notes = "".join(f"<p>{html_text(line)}</p>\n" for line in foot(table, printing))
    lines = ["<table>", f"<caption>{caption}</caption>", "<thead>", _html_row("th", top, sides), "</thead>", "<tbody>"]
    lines += [_html_row("td", row, sides) for row in body]
    return "\n".join([*lines, "</tbody>", "</table>"]) + "\n" + notes


def _html_row(tag: str, cells: Sequence[str], sides: Sequence[str]) -> str:
    opened = {"left": f"<{tag}>", "right": f'<{tag} style="text-align: right;">'}
    parts = [f"{opened[side]}{html_text(cell)}</{tag}>" for cell, side in zip(cells, sides, strict=True)]
    return f"<tr>{''.join(parts)}</tr>"


def _machine(heading: Heading, cell: Any) -> Any:
    """A cell for a program: a shared layer adds 0 to a count, and a count that is unknown has no number."""
    if heading.kind == "count" and isinstance(cell, str):
        return 0 if cell == "shared" else None
    return cell


def _number(heading: Heading, cell: Any) -> Any:
    return float(cell) if heading.kind == "printed" and cell is not None else _machine(heading, cell)


def json(table: Table, printing: Printing) -> str:
    """Exact numbers; null where the convention does not count."""
    (table,) = for_programs([table])
    rows = [{h.name: _number(h, cell) for h, cell in zip(table.headings, row, strict=True)} for row in table.rows]
    content = {**table.header.facts, "rows": rows}
    if table.totals:
        content["totals"] = table.totals
    return json_text(content) + "\n"


EXTENSIONS: Mapping[str, str] = {
    "txt": "text",
    "md": "markdown",
    "markdown": "markdown",
    "csv": "csv",
    "tex": "latex",
    "html": "html",
    "htm": "html",
    "json": "json",
}
"""The format that a file's extension stands for."""

FORMATS: Mapping[str, Callable[[Table, Printing], str]] = {
    "text": text,
    "markdown": markdown,
    "csv": csv,
    "latex": latex,
    "html": html,
    "json": json,
}
