"""Tables as the templates show them: the text of every cell, what it sorts by, and which rows a block folds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import groupby
from typing import Any, NamedTuple

from archcalc.analysis.folding import fold_rows
from archcalc.analysis.rows import Row
from archcalc.pages.page import Page
from archcalc.report.cells import cell_texts
from archcalc.report.layers import COLUMNS
from archcalc.report.table import Heading, Known, Table
from archcalc.units import counted

NUMBERS = ("number", "count", "bytes", "ratio", "printed")
"""Kinds of columns whose cells stand at the right and sort as numbers."""
SENTENCES = ("reason", "where", "title")
"""Columns of sentences, which are broken into lines."""
EXACT_FLOAT = 2**53
"""Up to here a float holds every whole number."""


class HtmlCell(NamedTuple):
    """A cell: its text, the class of its column, the number that it sorts by where that is not its text, and a link."""

    text: str
    style: str = ""
    key: int | float | None = None
    link: str = ""


class HtmlRow(NamedTuple):
    """A row: its cells, how deep it is nested, and for a block how many layers it holds, in words."""

    cells: Sequence[HtmlCell]
    level: int = 0
    block: str = ""


class HtmlTable(NamedTuple):
    """A table with the name that its parts refer to."""

    name: str
    titles: Sequence[HtmlCell]
    rows: Sequence[HtmlRow]
    total: Sequence[HtmlCell]

    @property
    def folds(self) -> bool:
        """Whether a row is a block that folds."""
        return any(row.block for row in self.rows)


def html_table(
    table: Table, name: str, *, exact: bool = True, links: Mapping[str, Mapping[str, str]] | None = None
) -> HtmlTable:
    """The table with rounded or ``exact`` numbers, which sort by the exact number in both cases.

    ``links`` maps the name of a column, and the text of a cell, to a target.
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
    """The table of layers, in which every run of layers of one block stands below a row with the sums of the block."""
    tree = list(_nested(page.analysis.rows))
    cells = [[COLUMNS[heading.name][1](row, page.analysis) for heading in page.layers.headings] for row, *_ in tree]
    table = html_table(page.layers._replace(rows=cells), "layer-table")
    rows = [row._replace(level=level, block=block) for row, (_, level, block) in zip(table.rows, tree, strict=True)]
    return table._replace(rows=rows)


def _nested(rows: Sequence[Row], level: int = 0) -> Iterator[tuple[Row, int, str]]:
    """The rows and those of blocks of several layers, each with its level and how many layers a block holds."""
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
    """The number that a cell sorts by, of several the largest; None where the text is the number, or none is there."""
    if heading.kind not in NUMBERS:
        return None
    numbers = value.numbers if isinstance(value, Known) else [value] if isinstance(value, int) else []
    largest = max((Fraction(number) for number in numbers if number is not None), default=None)
    if largest is None:
        return None
    whole = largest.denominator == 1 or largest > EXACT_FLOAT
    key = int(largest) if whole else float(largest)
    return None if str(key) == shown.replace(",", "") else key
