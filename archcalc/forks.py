"""Work on several cores, in copies of this process, where the system makes copies (``os.fork``)."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TypeVar

from archcalc.errors import ArchcalcError

Part = TypeVar("Part")
Result = TypeVar("Result")

MOST_COPIES = 8


def cores() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_copies(work: Callable[[Part], Result], parts: Sequence[Part]) -> list[Result] | None:
    """The results of ``work`` for each of the parts: of the first here, and of every other in a copy of this process.

    None if the system makes no copies, or if the work on a part fails: then the caller does all of the work here, and
    errors are those that it raises.
    """
    import pickle
    from threading import active_count

    if not hasattr(os, "fork") or active_count() > 1:
        return None
    copies: list[tuple[int, int]] = []
    try:
        for part in parts[1:]:
            copies.append(_copy(lambda: pickle.dumps(work(part))))  # noqa: B023  called at once
        results = [work(parts[0])]
        while copies:
            copy, pipe = copies[0]
            with os.fdopen(os.dup(pipe), "rb") as told:
                found = told.read()
            os.close(pipe)
            del copies[0]
            if os.waitpid(copy, 0)[1] != 0:
                return None
            results.append(pickle.loads(found))
    except (OSError, ArchcalcError):
        return None
    else:
        return results
    finally:
        for copy, pipe in copies:
            os.close(pipe)  # it ends when it writes
            os.waitpid(copy, 0)


def _copy(work: Callable[[], bytes]) -> tuple[int, int]:
    """A copy of this process that works and ends: its number, and the pipe to which it writes the result."""
    pipe, write = os.pipe()
    try:
        copy = os.fork()
    except OSError:  # there are as many processes as there may be
        os.close(pipe)
        os.close(write)
        raise
    if copy:
        os.close(write)
        return copy, pipe
    try:
        os.close(pipe)
        with os.fdopen(write, "wb") as told:
            told.write(work())
        os._exit(0)
    finally:
        os._exit(1)  # an error, of which the caller hears when it does the work itself
