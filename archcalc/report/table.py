"""A table before it is formatted: exact cells, what they are, and the lines above and below.

Cells are whole numbers, texts, or None for *not counted here*; rounding happens in ``formats`` alone,
so every format shows the same numbers and printed columns can be added up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from archcalc.errors import ArchcalcError, unknown

Kind = Literal["text", "number", "count", "bytes", "ratio", "printed"]
"""How a column is written: as it is, as a plain number, in K/M/G, in KB/MB/GB, with three digits, or as printed there."""


class Heading(NamedTuple):
    """A column: its name in options, CSV and JSON, its title in print, its kind, and how soon it may go.

    Counts and bytes are printed in the ``unit``, else in the one that suits the largest of the column.
    Columns with the same ``scale`` are printed in one unit, that of the first of them.
    A column with a lower ``keep`` leaves first when the terminal is too narrow; 9 never leaves.
    """

    name: str
    title: str
    kind: Kind
    keep: int = 5
    scale: str = ""
    unit: str = ""


def kept(headings: list[Heading], chosen: Sequence[str] | None) -> list[Heading]:
    """The headings, none of which may leave when they were chosen."""
    return headings if chosen is None else [heading._replace(keep=9) for heading in headings]


class Table(NamedTuple):
    """Rows under headings, with the facts that the header states (``meta``) and the notes below."""

    title: str
    headings: Sequence[Heading]
    rows: list[list[Any]]
    total: list[Any] | None = None
    header: Sequence[str] = ()
    footer: Sequence[str] = ()
    meta: Mapping[str, Any] = MappingProxyType({})
    totals: Mapping[str, Any] = MappingProxyType({})

    def selected(self, names: Sequence[str] | None) -> Table:
        """The table with these columns only, none of which may leave; ArchcalcError with the nearest name for others."""
        if names is None:
            return self
        at = {heading.name: i for i, heading in enumerate(self.headings)}
        for name in names:
            if name not in at:
                raise ArchcalcError(unknown("column", name, at, most=40))
        picked = [at[name] for name in names]
        return self._replace(
            headings=kept([self.headings[i] for i in picked], names),
            rows=[[row[i] for i in picked] for row in self.rows],
            total=self.total and [self.total[i] for i in picked],
        )
