"""A table before formatting: exact cells, the meaning of the columns, and the lines above and below.

Cells are whole numbers, texts, ``Known`` numbers, or None (not counted). Only formatting rounds numbers. So every
format shows the same numbers, and printed columns can be added up. A reader sees ``<=7`` or ``3x5``. A program gets
numbers, a column for each axis if the axes differ, and a column that marks bounds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from archcalc.errors import ArchcalcError, nearest, unknown
from archcalc.report.header import Header
from archcalc.sizes import AXES

Kind = Literal["text", "number", "count", "bytes", "seconds", "ratio", "printed"]
"""How a cell is printed: unchanged, as a number, in K/M/G, in KB/MB/GB, in s/ms/us, with three digits, or as in the source."""
PLAIN = ("count", "bytes")
"""The kinds of columns without ``Known`` numbers."""


class Known(NamedTuple):
    """A number, or a number for every axis, and whether each number is exact or a bound.

    ``text`` is printed instead of the numbers, if not empty.
    """

    numbers: tuple[Any, ...]
    exact: tuple[bool, ...]
    text: str = ""

    def __str__(self) -> str:
        """The number, or a number for every axis if the axes differ: 7, 3x5, <=7."""
        texts = [number_text(*at) for at in zip(self.numbers, self.exact, strict=True)]
        return self.text or (texts[0] if len(set(texts)) == 1 else "x".join(texts))


def number_text(number: Any, exact: bool) -> str:
    """A number as printed: a bound is marked.

    >>> number_text(7, True), number_text(7, False)
    ('7', '<=7')
    """
    return f"{'' if exact else '<='}{number}"


class Heading(NamedTuple):
    """A column: its name in options, CSV and JSON, its printed title, its kind and its priority.

    Counts and bytes are printed in ``unit``. Without ``unit``, the unit suits the largest number of the column. Columns
    with the same ``unit_group`` have the unit of the first of these columns. If the terminal is too narrow, the columns
    with the lowest ``priority`` are left out first; 9 is never left out. ``exactness_key`` is the name of the column
    that tells programs which numbers are bounds.
    """

    name: str
    title: str
    kind: Kind
    priority: int = 5
    unit_group: str = ""
    unit: str = ""
    exactness_key: str = ""


def unremovable(headings: list[Heading], chosen: Sequence[str] | None) -> list[Heading]:
    """The headings. If the user chose the columns, no column can be left out."""
    return headings if chosen is None else [heading._replace(priority=9) for heading in headings]


def column_names(chosen: Iterable[str], headings: Iterable[Heading]) -> list[str]:
    """The names of the chosen columns. A column can be chosen by name or title, in any case, with or without a unit.

    ArchcalcError for a column that does not exist, with the nearest name or with all names.
    """
    headings = list(headings)
    names = {_plain(h.title): h.name for h in reversed(headings)}
    names |= {_plain(h.name): h.name for h in headings}  # a name takes precedence over a title
    if own := [h.name for h in headings if h.name in ("network", "layer")]:
        names["name"] = own[0]
    for name in chosen:
        if _plain(name) not in names:
            close = nearest(name, [text for h in headings for text in (h.name, h.title)])
            known = [h.name if _plain(h.title) == _plain(h.name) else f"{h.name} ({h.title})" for h in headings]
            raise ArchcalcError(unknown("column", name, known, close, most=40))
    return [names[_plain(name)] for name in chosen]


def _plain(name: str) -> str:
    """A column's name or title in the form that is compared: params for ``Params [M]``."""
    return re.sub(r"\s*\[[^]]*\]\s*$", "", name).strip().casefold().replace("_", " ").replace("-", " ")


class Table(NamedTuple):
    """Rows under headings, the facts that the numbers depend on, the notes below, and totals for programs.

    ``details`` are notes that are the same for every table of this kind. Readers see the details on request.
    """

    title: str
    headings: Sequence[Heading]
    rows: list[list[Any]]
    total: list[Any] | None = None
    header: Header = Header()
    footer: Sequence[str] = ()
    details: Sequence[str] = ()
    totals: Mapping[str, Any] = MappingProxyType({})

    def selected(self, names: Sequence[str] | None) -> Table:
        """The table with only these columns, none of which can be left out.

        ArchcalcError with the nearest name for an unknown column.
        """
        if names is None:
            return self
        at = {heading.name: i for i, heading in enumerate(self.headings)}
        picked = [at[name] for name in column_names(names, self.headings)]
        return self._replace(
            headings=unremovable([self.headings[i] for i in picked], names),
            rows=[[row[i] for i in picked] for row in self.rows],
            total=self.total and [self.total[i] for i in picked],
        )


def for_programs(tables: Sequence[Table]) -> list[Table]:
    """The tables for programs: plain numbers instead of ``<=7`` or ``3x5``, and the same columns in all tables.

    A number for every axis has one column, or one column for each axis if the axes differ anywhere. If the heading has
    an ``exactness_key``, a column of that name says "exact" or "bound" for each number.
    """
    axes: tuple[str, ...] = ()
    wide: set[str] = set()
    for table in tables:
        for at, heading in enumerate(table.headings):
            if heading.kind in PLAIN:
                continue
            for cell in {id(row[at]): row[at] for row in table.rows}.values():  # neighbours share their cells
                if isinstance(cell, Known) and len(cell.numbers) > 1:
                    wide.add(heading.name)
                    if len(set(zip(cell.numbers, cell.exact, strict=True))) > 1:
                        axes = max(axes, AXES[len(cell.numbers)], key=len)
    return [_for_programs(table, axes, wide) for table in tables]


def _for_programs(table: Table, axes: tuple[str, ...], wide: set[str]) -> Table:
    headings: list[Heading] = []
    columns: list[list[Any]] = []
    for at, heading in enumerate(table.headings):
        column = [row[at] for row in table.rows]
        if heading.kind in PLAIN:
            headings.append(heading)
            columns.append(column)
            continue
        axis_names = axes if heading.name in wide else ()
        for place in range(-max(len(axis_names), 1), 0):
            headings.append(of_axis(heading._replace(exactness_key=""), axis_names[place] if axis_names else ""))
            columns.append([_number(cell, place) for cell in column])
        if heading.exactness_key:
            for place in range(-max(len(axis_names), 1), 0):
                headings.append(
                    of_axis(
                        Heading(heading.exactness_key, heading.exactness_key, "text"),
                        axis_names[place] if axis_names else "",
                    )
                )
                columns.append([_exact(cell, place) for cell in column])
    return table._replace(headings=headings, rows=[list(row) for row in zip(*columns, strict=True)], total=None)


def of_axis(heading: Heading, axis: str) -> Heading:
    """The heading of the column for one axis."""
    return heading._replace(name=f"{heading.name}_{axis}", title=f"{heading.title} {axis[0]}") if axis else heading


def _number(cell: Any, place: int) -> Any:
    """The cell's number for one axis, counted from the last axis. Among images, a sequence has only the last axis."""
    if not isinstance(cell, Known):
        return cell
    return cell.numbers[place] if -place <= len(cell.numbers) else None


def _exact(cell: Any, place: int) -> str | None:
    if not isinstance(cell, Known):
        return "exact" if isinstance(cell, int) else None
    return ("exact" if cell.exact[place] else "bound") if -place <= len(cell.exact) else None
