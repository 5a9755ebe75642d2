"""Points that a user lists: the rows of a CSV file or of a data frame, a column for each axis."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from typing import Any

from archcalc.errors import ArchcalcError, Problem
from archcalc.files import reason
from archcalc.spaces.axes import Axis, Kind, checked_value, kind_of, value_of


def read_points(path: str) -> tuple[Axis, ...]:
    """The axes in a CSV file: its first line has names (input, batch, settings), and every other line is a point.

    ArchcalcError with the line for a value that cannot be.
    """
    try:
        with open(path, encoding="utf-8", newline="") as file:
            lines = [(reader.line_num, row) for reader in [csv.reader(file)] for row in reader if row]
    except (OSError, ValueError, csv.Error) as error:
        raise ArchcalcError(Problem(f"cannot be read: {reason(error)}", path)) from None
    if len(lines) < 2:
        raise ArchcalcError(Problem("expected a line of names, such as width,input, and a line for every point", path))
    names = [name.strip() for name in lines[0][1]]
    columns: list[list[Any]] = [[] for _ in names]
    for number, row in lines[1:]:
        if len(row) != len(names):
            raise ArchcalcError(Problem(f"expected {len(names)} values, got {len(row)}", path, number))
        for name, column, text in zip(names, columns, row, strict=True):
            kind = kind_of(name)
            try:
                column.append(checked_value(value_of(text.strip(), kind), kind))
            except ArchcalcError as error:
                raise ArchcalcError(Problem(f"{name}: {error}", path, number)) from None
    return tuple(Axis(name, kind_of(name), tuple(column)) for name, column in zip(names, columns, strict=True))


def points_of(table: Mapping[str, Any]) -> tuple[Axis, ...]:
    """The axes of a table with a column for each, such as a dictionary of lists or a data frame."""
    axes = []
    for name in table:
        kind: Kind = kind_of(name)
        column = table[name]
        values = column.tolist() if hasattr(column, "tolist") else list(column)
        try:
            axes.append(Axis(name, kind, tuple(checked_value(value, kind) for value in values)))
        except ArchcalcError as error:
            raise ArchcalcError(f"points: {name}: {error}") from None
    return tuple(axes)
