"""The rows of a sweep, or of another table, as columns: from CSV, JSON and Parquet files, and from data frames."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from math import isinf
from typing import Any, NamedTuple

from archcalc.conditions.condition import figure
from archcalc.conditions.dimension import Dimension
from archcalc.conditions.figures import FIGURES, FUNCTIONS
from archcalc.errors import ArchcalcError, Problem, clipped, unknown
from archcalc.files import reason
from archcalc.settings_text import setting_text
from archcalc.spaces.lines import Progress, csv_rows

MOST_ROWS = 2_000_000
"""The most rows that are read."""


class Sheet(NamedTuple):
    """A table: its name, and its columns, each with a value for every row (None: there is none)."""

    name: str
    columns: Mapping[str, Sequence[Any]]

    @property
    def rows(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def column(self, name: str) -> Sequence[Any]:
        """A column by its name. ArchcalcError if there is no such column."""
        if name not in self.columns:
            raise ArchcalcError(f"{self.name}: {unknown('column', name, self.columns)}")
        return self.columns[name]

    def numbers(self, name: str) -> list[float | None]:
        """A column of numbers. ArchcalcError if it has other values, or no number at all."""
        column = list(self.column(name))
        if wrong := next((value for value in column if value is not None and not _is_number(value)), None):
            raise ArchcalcError(f"{self.name}: {name} is no column of numbers: it has {clipped(str(wrong), 60)!r}")
        if any(isinstance(value, float) and isinf(value) for value in column):
            raise ArchcalcError(f"{self.name}: {name} has an infinite number")
        if all(value is None for value in column):
            raise ArchcalcError(f"{self.name}: {name} has no number")
        return column

    @property
    def varied(self) -> list[str]:
        """The columns of what varies, which come first in a sweep: sizes, settings and names, up to the first figure."""
        names = list(self.columns)
        varied = 1 + next((at for at, name in enumerate(names[1:]) if is_figure(name)), len(names) - 1)
        return names[:varied]

    @property
    def figures(self) -> list[str]:
        """The other columns that have numbers."""
        return [name for name in self.columns if name not in self.varied and any(map(_is_number, self.columns[name]))]


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_figure(column: str) -> bool:
    """Whether a column has figures of a network, and no sizes, settings or names."""
    return column not in ("name", "input", "batch", "output") and unit_of(column) is not None


def unit_of(column: str) -> Dimension | None:
    """The unit of the figures in a column; None if its name is no figure."""
    name = column.partition("(")[0]
    known = FIGURES.get(name) or FUNCTIONS.get(name)
    if known is not None:
        return known.unit if isinstance(known.unit, Dimension) else None
    try:
        unit = figure(column).unit
    except ArchcalcError:
        return None
    return unit if isinstance(unit, Dimension) and column[:1].isalpha() else None


def sheet_of(table: Any, name: str = "table") -> Sheet:
    """A table of Python as a sheet: a Sheet, a mapping of columns, or a data frame. ArchcalcError for anything else."""
    if isinstance(table, Sheet):
        return table
    if isinstance(table, str):
        raise ArchcalcError(f"expected a table, such as a data frame of archcalc.sweep, got {clipped(table, 60)!r}")
    try:
        columns = {str(key): _plain(table[key]) for key in table}
    except (TypeError, KeyError):
        raise ArchcalcError(f"expected a mapping of columns or a data frame, got {type(table).__name__}") from None
    return _checked(Sheet(name, columns))


def _plain(column: Iterable[Any]) -> list[Any]:
    values = column.tolist() if hasattr(column, "tolist") else list(column)
    return [setting_text(one) if isinstance(one, (list, dict)) else None if one != one else one for one in values]


def read_sheet(path: str, progress: Progress = lambda lines, size: lines) -> Sheet:
    """The table in a file: CSV, JSON (``points`` or ``rows``, or a list of objects) or Parquet, also a folder of it.

    progress: a function that passes on the lines of CSV, given the bytes of the file.
    ArchcalcError for a file that cannot be read, or that has no rows.
    """
    extension = os.path.splitext(path.rstrip("/"))[1].lower()
    try:
        if extension == ".parquet" or os.path.isdir(path):
            columns = _parquet(path)
        elif extension == ".json":
            columns = _json(path)
        else:
            columns = _csv(path, progress)
    except (OSError, ValueError) as error:
        said = reason(error) if isinstance(error, OSError) else str(error)
        raise ArchcalcError(Problem(f"cannot be read: {said}", path)) from None
    return _checked(Sheet(os.path.basename(path.rstrip("/")) or path, columns), path)


def _checked(sheet: Sheet, path: str = "") -> Sheet:
    if not sheet.rows:
        raise ArchcalcError(
            Problem("has no rows: expected a line of names, and a line for every row", path or sheet.name)
        )
    if len({len(column) for column in sheet.columns.values()}) > 1:
        raise ArchcalcError(Problem("has columns of unlike lengths", path or sheet.name))
    if sheet.rows > MOST_ROWS:
        raise ArchcalcError(Problem(f"has {sheet.rows:,} rows, more than {MOST_ROWS:,}", path or sheet.name))
    return sheet


def _csv(path: str, progress: Progress) -> dict[str, list[Any]]:
    rows = csv_rows(path, MOST_ROWS, progress)
    _, names = next(rows, (1, []))
    columns: list[list[Any]] = [[] for _ in names]
    for number, row in rows:
        if len(row) != len(names):
            raise ArchcalcError(Problem(f"expected {len(names)} values, got {len(row)}", path, number))
        for column, text in zip(columns, row, strict=True):
            column.append(_value(text))
    return dict(zip(names, columns, strict=True))


def _value(text: str) -> Any:
    if not text:
        return None
    if text.isascii() and text.isdigit() and len(text) <= 30:  # most values are, and a pattern takes longer
        return int(text)
    if re.fullmatch(r"[-+]?[0-9]{1,30}", text):
        return int(text)
    if re.fullmatch(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)([eE][-+]?[0-9]+)?", text):
        return float(text)
    return text


def _json(path: str) -> dict[str, list[Any]]:
    with open(path, encoding="utf-8") as file:
        content = json.load(file)
    rows = content.get("points", content.get("rows")) if isinstance(content, dict) else content
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError('expected an object with "points" or "rows", or a list of objects')
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: _plain([row.get(name) for row in rows]) for name in names}


def _parquet(path: str) -> dict[str, list[Any]]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise ArchcalcError("Parquet needs pyarrow: pip install 'archcalc[sweep]'") from None
    try:
        table = pq.read_table(path)
    except pa.ArrowException as error:
        raise ValueError(str(error).splitlines()[0]) from None
    if table.num_rows > MOST_ROWS:
        raise ArchcalcError(Problem(f"has {table.num_rows:,} rows, more than {MOST_ROWS:,}", path))
    return {name: _plain(column) for name, column in table.to_pydict().items()}
