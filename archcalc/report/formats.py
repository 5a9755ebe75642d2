"""A table in each format: text, markdown, csv, latex, html and json."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from archcalc.errors import ArchcalcError, unknown, visible
from archcalc.report.cells import cell_texts, filled, padded, pipe_table, sides
from archcalc.report.escape import csv_cell, html_text, json_text, latex_text, markdown_text
from archcalc.report.header import Header
from archcalc.report.table import Heading, Table, for_programs

MORE = "--verbose explains the columns and the signs"
"""A line of the footer if details are left out."""
LONGEST_NAME = 24
"""Text cells keep at least this many characters."""


class Printing(NamedTuple):
    """How a table is printed. exact: all digits. width: the longest line (text format only). verbose: with details."""

    exact: bool = False
    width: int | None = None
    verbose: bool = False


def render_table(
    table: Table, format: str = "text", *, exact: bool = False, width: int | None = None, verbose: bool = False
) -> str:
    """The table as text of that format, ending in a newline; see ``render_tables``."""
    return render_tables([table], format, exact=exact, width=width, verbose=verbose)


def render_tables(
    tables: Sequence[Table],
    format: str = "text",
    *,
    exact: bool = False,
    width: int | None = None,
    verbose: bool = False,
) -> str:
    """The tables as one text of that format: one after another, as one CSV, or as one array of JSON.

    ``exact`` prints all digits, ``width`` bounds the lines of the text format, and ``verbose`` adds the details of the
    table and the whole rule of the convention. ArchcalcError for an unknown format.
    """
    check_format(format)
    if format in FOR_PROGRAMS:
        return FOR_PROGRAMS[format](tables)
    printing = Printing(exact, width, verbose)
    return "\n".join(FOR_READERS[format](table, printing) for table in tables)


def head(table: Table, printing: Printing) -> list[str]:
    """The lines above the rows, as printable text."""
    return [visible(line) for line in table.header.lines(printing.verbose)]


def foot(table: Table, printing: Printing) -> list[str]:
    """The lines below the rows, as printable text."""
    return [visible(line) for line in (*table.footer, *(table.details if printing.verbose else ()))]


def check_format(format: str) -> None:
    """ArchcalcError with the nearest name if there is no such format."""
    if format not in FORMATS:
        raise ArchcalcError(unknown("format", format, FORMATS))


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
    titles, *rows = padded([titles, *rows], sides(headings))
    rule = ["-" * len(filled(title)) for title in titles]
    lines = [titles, rule, *rows]
    if total:
        lines.insert(-1, rule)
    return ["  ".join(line).rstrip() for line in lines]


def _width(titles: list[str], rows: list[list[str]]) -> int:
    longest = [max(len(filled(cell)) for cell in column) for column in zip(titles, *rows, strict=True)]
    return sum(longest) + 2 * (len(longest) - 1)


def _shorten(titles: list[str], rows: list[list[str]], headings: list[Heading], width: int) -> None:
    """Cut the middle out of long names in the first column. Numbers are never cut."""
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


def csv(tables: Sequence[Table]) -> str:
    """Exact numbers: one row per layer, each with the facts of the header.

    There is no total, because a program that adds up the rows would count the total twice. All tables have the columns
    of the first table. If the first column is the network, the column stands before the facts.
    """
    from csv import writer

    tables = for_programs(tables)
    out = io.StringIO()
    write = writer(out, lineterminator="\n").writerow
    headings = tables[0].headings
    at = int(bool(headings) and headings[0].name == "network")
    names = [heading.name for heading in headings]
    write([*names[:at], *_flat(tables[0].header), *names[at:]])
    for table in tables:
        same = [csv_cell(fact) for fact in _flat(table.header).values()]
        for row in table.rows:
            cells = ["" if cell is None else csv_cell(cell) for cell in map(_machine, table.headings, row)]
            write([*cells[:at], *same, *cells[at:]])
    return out.getvalue()


def _flat(header: Header) -> dict[str, Any]:
    """The facts of a header that fit into a cell: no lists and no mappings."""
    return {key: value for key, value in header.facts.items() if not isinstance(value, (dict, list))}


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
        f"\\begin{{tabular}}{{{''.join(side[0] for side in sides(table.headings))}}}",
        *(r"\toprule", top, r"\midrule", *lines, r"\bottomrule"),
        r"\end{tabular}",
        *(f"% {line}" for line in foot(table, printing)),
        r"\end{table}",
    ]
    return "\n".join(parts) + "\n"


def _label(table: Table) -> str:
    """The label that a LaTeX text can refer to: the network with its settings, else the title of the table."""
    network = table.header.network
    return re.sub(r"[^A-Za-z0-9]+", "-", network.name if network else table.title).strip("-").lower()


def html(table: Table, printing: Printing) -> str:
    titles, rows = cell_texts(table, printing.exact)
    marks = sides(table.headings) if rows else ["left"] * len(titles)
    top, *body = padded(
        [[f"{title}  " if side == "left" else f"  {title}" for title, side in zip(titles, marks, strict=True)], *rows],
        marks,
    )
    caption = "<br>".join(map(html_text, head(table, printing)))
    notes = "".join(f"<p>{html_text(line)}</p>\n" for line in foot(table, printing))
    lines = ["<table>", f"<caption>{caption}</caption>", "<thead>", _html_row("th", top, marks), "</thead>", "<tbody>"]
    lines += [_html_row("td", row, marks) for row in body]
    return "\n".join([*lines, "</tbody>", "</table>"]) + "\n" + notes


def _html_row(tag: str, cells: Sequence[str], marks: Sequence[str]) -> str:
    opened = {"left": f"<{tag}>", "right": f'<{tag} style="text-align: right;">'}
    parts = [f"{opened[side]}{html_text(cell)}</{tag}>" for cell, side in zip(cells, marks, strict=True)]
    return f"<tr>{''.join(parts)}</tr>"


def _machine(heading: Heading, cell: Any) -> Any:
    """A cell for a program. A shared layer adds 0 to a count. A count that is unknown has no number."""
    if heading.kind == "count" and isinstance(cell, str):
        return 0 if cell == "shared" else None
    return cell


def _numbers(heading: Heading, cells: list[Any]) -> list[Any]:
    """The cells of a column for JSON."""
    if heading.kind == "printed":
        return [None if cell is None else float(cell) for cell in cells]
    return [_machine(heading, cell) for cell in cells] if heading.kind == "count" else cells


def json(tables: Sequence[Table]) -> str:
    """Exact numbers. null: the convention does not count the operation. Several tables become an array."""
    contents = [content(*for_programs([table])) for table in tables]
    return json_text(contents[0] if len(contents) == 1 else contents) + "\n"


def content(table: Table) -> dict[str, Any]:
    """A table for programs (``for_programs``) as the object that JSON holds."""
    names = [heading.name for heading in table.headings]
    columns = [_numbers(heading, [row[at] for row in table.rows]) for at, heading in enumerate(table.headings)]
    rows = [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    return {**table.header.facts, "rows": rows, **({"totals": table.totals} if table.totals else {})}


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
"""The format for each file extension."""

FOR_READERS: Mapping[str, Callable[[Table, Printing], str]] = {
    "text": text,
    "markdown": markdown,
    "latex": latex,
    "html": html,
}
FOR_PROGRAMS: Mapping[str, Callable[[Sequence[Table]], str]] = {"csv": csv, "json": json}
FORMATS = (*FOR_READERS, *FOR_PROGRAMS)
