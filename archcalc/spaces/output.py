"""The rows of a sweep as CSV, JSON and Parquet, written block by block."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from importlib.util import find_spec
from typing import Any

from archcalc.errors import ArchcalcError, Problem
from archcalc.files import check_writable, reason, refuse_link
from archcalc.spaces.evaluate import Columns

FORMATS: Mapping[str, str] = {"csv": "csv", "json": "json", "parquet": "parquet"}
"""The formats of a file of rows, by its extension."""


def check_output(path: str, format: str) -> None:
    """ArchcalcError if the output exists, cannot be written, or needs a library that is missing.

    A sweep takes long, so it never replaces a file. A path that ends in a slash is a folder of Parquet files.
    """
    if format == "parquet" and find_spec("pyarrow") is None:
        raise ArchcalcError("Parquet needs pyarrow: pip install 'archcalc[sweep]'")
    if path.endswith("/") and format != "parquet":
        raise ArchcalcError(
            f"{path} is a folder, which is for a data set of Parquet files: leave out --format {format}"
        )
    target = path.rstrip("/")
    refuse_link(target)
    if os.path.exists(target):
        raise ArchcalcError(Problem("exists, and a sweep replaces nothing; remove it, or name another output", path))
    check_writable(target)


def write(
    path: str, format: str, blocks: Iterable[Columns], types: Mapping[str, Collection[str]], about: Mapping[str, Any]
) -> None:
    """Write the rows of all blocks; ArchcalcError if that is not possible. After an error there is no file.

    types: those of the values of every column, as ``types_of`` names them. about: the facts of the sweep.
    """
    whole = path.rstrip("/")
    beside = os.path.join(os.path.dirname(whole), f".archcalc-{os.urandom(6).hex()}")
    try:
        if path.endswith("/"):
            os.mkdir(beside)
            _data_set(beside, blocks, types)
        elif format == "parquet":
            _parquet(beside, blocks, types)
        else:
            with open(beside, "w", encoding="utf-8", newline="") as file:
                for text in csv_text(blocks) if format == "csv" else json_text(blocks, about):
                    file.write(text)
        os.rename(beside, whole)
    except OSError as error:
        raise ArchcalcError(Problem(f"cannot be written: {reason(error)}", path)) from None
    finally:
        with suppress(OSError):
            _remove(beside)


def _remove(path: str) -> None:
    if os.path.isdir(path):
        for name in os.listdir(path):
            os.unlink(os.path.join(path, name))
        os.rmdir(path)
    else:
        os.unlink(path)


def csv_text(blocks: Iterable[Columns]) -> Iterator[str]:
    """The rows as CSV, with a line of names; an empty cell where there is no figure."""
    first = True
    for columns in blocks:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        if first:
            writer.writerow(columns)
            first = False
        writer.writerows(rows(columns))
        yield text.getvalue()


def json_text(blocks: Iterable[Columns], about: Mapping[str, Any]) -> Iterator[str]:
    """The rows as JSON: an object with the facts of the sweep, and with ``points``, a list of objects."""
    yield json.dumps(dict(about), indent=1)[:-2] + ',\n "points": ['
    between = "\n  "
    for columns in blocks:
        names = list(columns)
        for row in rows(columns):
            yield between + json.dumps(dict(zip(names, row, strict=True)))
            between = ",\n  "
    yield "\n ]\n}\n"


def rows(columns: Columns) -> Iterator[tuple[Any, ...]]:
    """The rows of columns."""
    return zip(*(array.tolist() for array in columns.values()), strict=True)


def _parquet(path: str, blocks: Iterable[Columns], types: Mapping[str, Collection[str]]) -> None:
    """A file with a row group for every block."""
    import pyarrow.parquet as pq

    writer: Any = None
    try:
        for table in _tables(blocks, types):
            if writer is None:
                writer = pq.ParquetWriter(path, table.schema)
            if len(table):
                writer.write_table(table)
    finally:
        if writer is not None:
            writer.close()


def _data_set(folder: str, blocks: Iterable[Columns], types: Mapping[str, Collection[str]]) -> None:
    """A file for every block."""
    import pyarrow.parquet as pq

    for number, table in enumerate(_tables(blocks, types)):
        pq.write_table(table, os.path.join(folder, f"part-{number:08d}.parquet"))


def types_of(columns: Columns) -> dict[str, set[str]]:
    """The types of the values of every column: int, large (an int beyond int64), float, bool or str."""
    return {name: _types(array) for name, array in columns.items()}


def _types(array: Any) -> set[str]:
    if not len(array):
        return set()
    if array.dtype != object:
        return {{"i": "int", "f": "float", "b": "bool"}[array.dtype.kind]}
    found = {"large" if type(x) is int and not -(2**63) <= x < 2**63 else type(x).__name__ for x in array.tolist()}
    return found - {"NoneType"}


def _tables(blocks: Iterable[Columns], types: Mapping[str, Collection[str]]) -> Iterator[Any]:
    """The blocks as tables of Arrow. All have the same types; ArchcalcError for a number beyond them."""
    import pyarrow as pa

    known = {"int": pa.int64(), "float": pa.float64(), "bool": pa.bool_(), "str": pa.string()}
    schema = []
    for name, found in types.items():
        if "large" in found:
            raise ArchcalcError(f"{name} has numbers beyond 64 bits, which Parquet does not have: write CSV or JSON")
        kind = found if len(found) == 1 else {"float"} if set(found) == {"int", "float"} else {"str"}
        schema.append((name, known[next(iter(kind))]))
    for columns in blocks:
        arrays = []
        for name, kind in schema:
            values = columns[name]
            if kind == known["str"]:
                values = [None if value is None else str(value) for value in values.tolist()]
            arrays.append(
                pa.array(
                    values if values is not columns[name] else values.tolist() if values.dtype == object else values,
                    kind,
                )
            )
        yield pa.table(arrays, schema=pa.schema(schema))
