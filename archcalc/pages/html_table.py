"""Tables for the templates: the text and the sort number of every cell, and the rows that a block folds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import groupby
from typing import Any, NamedTuple

from archcalc.analysis.folding import fold_rows
from archcalc.analysis.rows import Row
from archcalc.pages.page import Page
from archcalc.report.cells import cell_texts
from archcalc.report.layers import CELLS
from archcalc.report.table import Heading, Known, Table
from archcalc.units import counted

NUMBERS = ("number", "count", "bytes", "seconds", "ratio", "printed")
"""Kinds of columns whose cells are aligned right and sort as numbers."""
SENTENCES = ("reason", "where", "title")
"""Columns of sentences. Their cells are broken into lines."""
EXACT_FLOAT = 2**53
"""Up to this limit, a float can represent every whole number."""


class HtmlCell(NamedTuple):
    """A cell: its text, the CSS class of its column, its sort number (if different from the text), and a link."""

    text: str
    style: str = ""
    key: int | float | None = None
    link: str = ""


class HtmlRow(NamedTuple):
    """A row: its cells, its nesting level, and for a block the number of layers as text ("3 layers")."""

    cells: Sequence[HtmlCell]
    level: int = 0
    block: str = ""


class HtmlTable(NamedTuple):
    """A table with its id; parts of the table refer to this id."""

    name: str
    titles: Sequence[HtmlCell]
    rows: Sequence[HtmlRow]
    total: Sequence[HtmlCell]

    @property
    def folds(self) -> bool:
        """Whether at least one row is a block that can be folded."""
        return any(row.block for row in self.rows)


def html_table(
    table: Table, name: str, *, exact: bool = True, links: Mapping[str, Mapping[str, str]] | None = None
) -> HtmlTable:
    """The table with rounded or ``exact`` numbers. Cells sort by the exact number in both cases.

    ``links``: for the name of a column and the text of a cell, the target of a link.
    """
    titles, texts = cell_texts(table, exact)
    links = links or {}
    rows = []
    for values, shown in zip(table.rows, texts, strict=False):
        cells = [
            HtmlCell(text, _style(heading), _key(heading, value, text), links.get(heading.name, {}).get(text, ""))
            for heading, value, text in zip(table.headings, values, shown, strict=True)
        ]
        rows.append(HtmlRow(cells))
    return HtmlTable(
        name,
        [HtmlCell(title, _style(heading)) for heading, title in zip(table.headings, titles, strict=True)],
        rows,
        [HtmlCell(text, _style(heading)) for heading, text in zip(table.headings, texts[-1], strict=True)]
        if table.total
        else (),
    )


def layer_tree(page: Page) -> HtmlTable:
    """The table of layers. Above the layers of a block stands a row with the sums of the block."""
    tree = list(_nested(page.analysis.rows))
    cells = [[CELLS[heading.name][1](row, page.analysis) for heading in page.layers.headings] for row, *_ in tree]
    table = html_table(page.layers._replace(rows=cells), "layer-table")
    rows = [row._replace(level=level, block=block) for row, (_, level, block) in zip(table.rows, tree, strict=True)]
    return table._replace(rows=rows)


def _nested(rows: Sequence[Row], level: int = 0) -> Iterator[tuple[Row, int, str]]:
    """The rows, and a row for each block of several layers: (row, level, number of layers of a block as text)."""
    for scope, run in groupby(rows, lambda row: row.scopes[level] if len(row.scopes) > level else None):
        inside = list(run)
        if scope is None:
            yield from ((row, level, "") for row in inside)
            continue
        if len(inside) > 1:
            (block,) = fold_rows(inside, depth=level + 1)
            yield block._replace(name=scope), level, counted(len(inside), "layer")
        yield from _nested(inside, level + 1)


def _style(heading: Heading) -> str:
    if heading.kind in NUMBERS:
        return "n"
    return "wide" if heading.name in SENTENCES else ""


def _key(heading: Heading, value: Any, shown: str) -> int | float | None:
    """The sort number of a cell: its largest number. None if the text is the number, or if there is no number."""
    if heading.kind not in NUMBERS:
        return None
    numbers = value.numbers if isinstance(value, Known) else [value] if isinstance(value, int) else []
    largest = max((Fraction(number) for number in numbers if number is not None), default=None)
    if largest is None:
        return None
    whole = largest.denominator == 1 or largest > EXACT_FLOAT
    key = int(largest) if whole else float(largest)
    return None if str(key) == shown.replace(",", "") else key
