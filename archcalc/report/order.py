"""The order of rows, and the networks that a condition leaves out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from archcalc.report.table import Heading, Known, column_names
from archcalc.units import counted

Row = TypeVar("Row")
MOST_LACKING = 5


class Order(NamedTuple):
    """A column by which rows are sorted, and whether the largest comes first."""

    column: str
    down: bool

    @classmethod
    def of(cls, text: str | None, headings: Iterable[Heading]) -> Order | None:
        """The order of a text such as ``macs`` or ``-macs``. ArchcalcError for a column that does not exist."""
        if not text:
            return None
        (column,) = column_names([text.removeprefix("-")], headings)
        return cls(column, text.startswith("-"))

    def sorted(self, rows: Sequence[Row], cell: Callable[[Row], Any]) -> list[Row]:
        """The rows in this order. Rows without a value come last, up or down."""
        keys = [(row, _key(cell(row))) for row in rows]
        having = [(row, key) for row, key in keys if key is not None]
        having.sort(key=lambda one: one[1], reverse=self.down)
        return [row for row, _ in having] + [row for row, key in keys if key is None]


def _key(cell: Any) -> tuple[Any, ...] | None:
    """What a cell is sorted by: its largest number, or its text with numbers by value; None: nothing."""
    if isinstance(cell, Known):
        cell = max(cell.numbers, default=None)
    if cell is None or cell == "":
        return None
    return (0, cell) if isinstance(cell, (int, float)) else (1, *natural(str(cell)))


def natural(*texts: str) -> tuple[Any, ...]:
    """A sort key that compares numbers by value: resnet18 before resnet101, and 0.25 before 0.5.

    >>> sorted(["resnet101", "v1_0.5", "resnet18", "v1_0.25"], key=natural)
    ['resnet18', 'resnet101', 'v1_0.25', 'v1_0.5']
    """
    parts = [part for text in texts for part in re.split(r"(\d+(?:\.\d+)?)", text)]
    return tuple(f"{float(part):026.6f}" if part[:1].isdigit() else part for part in parts)


def lacking_lines(lacking: Mapping[str, str]) -> list[str]:
    """A line on the networks that lack a figure of the condition, each with the figure."""
    if not lacking:
        return []
    named = [f"{name} ({figure})" for name, figure in lacking.items()]
    more = f", and {len(named) - MOST_LACKING:,} more" if len(named) > MOST_LACKING else ""
    return [
        f"{counted(len(named), 'network')} without a figure of the condition left out: {', '.join(named[:MOST_LACKING])}{more}"
    ]
