"""How commands print tables, progress and warnings."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from archcalc.cli.command import Arguments
from archcalc.cli.streams import columns, say

if TYPE_CHECKING:
    from archcalc.report.table import Table

_T = TypeVar("_T")


def width(args: Arguments) -> int | None:
    """The terminal's width in characters if a table is printed there. None for a file or a pipe: no limit."""
    if args.output or sys.stdout is None or not (sys.stdout.isatty() or "COLUMNS" in os.environ):
        return None
    return columns()


def tables_text(args: Arguments, tables: Sequence[Table], *, exact: bool | None = None) -> str:
    """The tables in the command's format, one after another. ``exact`` None: use the command's option."""
    from archcalc.report.formats import render_tables

    digits = args.exact if exact is None else exact
    return render_tables(tables, args.format, exact=digits, width=width(args), verbose=args.verbose)


def progress(
    steps: Iterable[_T], count: int, unit: str = "network", done: int = 0, size: Callable[[_T], int] = lambda step: 1
) -> Iterator[_T]:
    """The steps. On a terminal, a progress bar appears after one second, with the rate and the time left.

    ``size``: how many units a step is. ``done``: the units that an earlier run did.
    """
    try:
        from tqdm import tqdm
    except ImportError:  # a plain install has no tqdm, so no progress bar
        yield from steps
        return
    scale = count > 10_000
    with tqdm(
        total=count, initial=done, unit=f" {unit}s" if scale else unit, unit_scale=scale, delay=1, disable=None
    ) as bar:
        for step in steps:
            yield step
            bar.update(size(step))


@contextmanager
def warnings_said() -> Iterator[None]:
    """Print the warnings of pictures to standard error. Each warning is printed once."""
    import warnings

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        yield
    for text in dict.fromkeys(str(warning.message) for warning in caught):
        say(text)
