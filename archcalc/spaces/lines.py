"""The rows of a CSV file that a user names, in bounded memory: a file may be endless, or no text."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterable, Iterator

from archcalc.errors import ArchcalcError, Problem
from archcalc.files import reason

LONGEST = 1_000_000
"""The most letters of a line."""
Progress = Callable[[Iterable[str], int], Iterable[str]]
"""Passes on the lines of a file, given its bytes."""


def csv_rows(path: str, most: int, progress: Progress = lambda lines, size: lines) -> Iterator[tuple[int, list[str]]]:
    """The rows of a CSV file, each with the number of its line. ArchcalcError if there are more than ``most``."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            lines = iter(lambda: file.readline(LONGEST + 1), "")
            reader = csv.reader(_bounded(progress(lines, os.path.getsize(path)), path))
            for count, row in enumerate(reader):
                if count > most:
                    raise ArchcalcError(Problem(f"has more than {most:,} rows", path))
                yield reader.line_num, row
    except UnicodeError:
        raise ArchcalcError(Problem("cannot be read: is no text in UTF-8", path)) from None
    except csv.Error as error:
        raise ArchcalcError(Problem(f"cannot be read as CSV: {error}", path)) from None
    except (OSError, ValueError) as error:
        raise ArchcalcError(Problem(f"cannot be read: {reason(error)}", path)) from None


def _bounded(lines: Iterable[str], path: str) -> Iterator[str]:
    for number, line in enumerate(lines, 1):
        if len(line) > LONGEST:
            raise ArchcalcError(Problem(f"has a line of more than {LONGEST:,} letters", path, number))
        yield line
