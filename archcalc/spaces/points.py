"""Points that a user lists: the rows of a CSV file or of a data frame, a column for each axis."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from archcalc.errors import ArchcalcError, Problem
from archcalc.layers.settings import message_text
from archcalc.spaces.axes import MOST_VALUES, Axis, Kind, checked_value, kind_of, value_of
from archcalc.spaces.lines import csv_rows


def read_points(path: str) -> tuple[Axis, ...]:
    """The axes in a CSV file: its first line has names (input, batch, settings), and every other line is a point.

    ArchcalcError with the line for a value that cannot be.
    """
    lines = [(number, row) for number, row in csv_rows(path, MOST_VALUES) if row]
    if len(lines) < 2:
        raise ArchcalcError(Problem("expected a line of names, such as width,input, and a line for every point", path))
    names = [name.strip() for name in lines[0][1]]
    if "" in names:
        raise ArchcalcError(Problem(f"column {names.index('') + 1} has no name", path, lines[0][0]))
    columns: list[list[Any]] = [[] for _ in names]
    for number, row in lines[1:]:
        if len(row) != len(names):
            raise ArchcalcError(Problem(f"expected {len(names)} values, got {len(row)}", path, number))
        for name, column, text in zip(names, columns, row, strict=True):
            kind = kind_of(name)
            if not text.strip():
                raise ArchcalcError(Problem(f"{name}: expected a value, got an empty cell", path, number))
            try:
                column.append(checked_value(value_of(text.strip(), kind), kind))
            except ArchcalcError as error:
                raise ArchcalcError(Problem(f"{name}: {error}", path, number)) from None
    return tuple(Axis(name, kind_of(name), tuple(column)) for name, column in zip(names, columns, strict=True))


def points_of(table: Mapping[str, Any]) -> tuple[Axis, ...]:
    """The axes of a table with a column for each, such as a dictionary of lists or a data frame."""
    if not hasattr(table, "keys"):
        raise ArchcalcError(
            f"points: expected a data frame, or columns by their names such as {{'batch': [1, 8]}}, got {message_text(table)}"
        )
    axes = []
    for key in table:
        name, column = str(key), table[key]
        kind: Kind = kind_of(name)
        if isinstance(column, str) or not isinstance(column, Iterable):
            raise ArchcalcError(
                f"points: {name}: expected a list with a value for every point, got {message_text(column)}"
            )
        values = column.tolist() if hasattr(column, "tolist") else list(column)
        if not values:
            raise ArchcalcError(f"points: {name}: expected at least one value, got none")
        if kind != "setting":  # a data frame has whole numbers as floats where a row lacks one
            values = [int(one) if isinstance(one, float) and one.is_integer() else one for one in values]
        try:
            axes.append(Axis(name, kind, tuple(checked_value(value, kind) for value in values)))
        except ArchcalcError as error:
            raise ArchcalcError(f"points: {name}: {error}") from None
    return tuple(axes)
