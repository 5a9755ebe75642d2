"""A long run over many items: in processes that may die or take too long, with a file from which a stopped run goes on."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

Row = dict[str, Any]
Work = Callable[[str], Row]
FRESH = 60
"""After how many items a process is replaced by a new one, since libraries keep memory."""
MOST_SECONDS = 300.0
"""How long one item may take."""


class LongRun:
    """Rows of results, one for each item, in a file with one line of JSON for each.

    ``work`` makes the row of an item, and runs in other processes. ``made_by``: what the results depend on, such as the
    versions of libraries. Rows that were made by something else are not used; they stay in the file until their item is
    made anew.
    """

    def __init__(self, work: Work, results: Path, made_by: str, jobs: int, seconds: float = MOST_SECONDS) -> None:
        self.work, self.results, self.made_by, self.jobs, self.seconds = work, results, made_by, jobs, seconds
        self.others = 0
        """The rows in the file that something else made."""
        self.rows: dict[str, Row] = {}
        for line in results.read_text().splitlines() if results.exists() else ():
            with suppress(ValueError):  # the last line of a run that was stopped while it wrote
                row = json.loads(line)
                if row["made_by"] != made_by:
                    self.others += 1
                elif row["verdict"] != "fails":  # what failed is tried again
                    self.rows[row["item"]] = row

    def run(self, items: Iterable[str]) -> list[Row]:
        """The rows of all items; those that the file lacks are made."""
        items = list(items)
        left = [item for item in items if item not in self.rows][::-1]
        if self.others:
            print(f"{self.others:,} results of other versions are not used", file=sys.stderr)
            self.others = 0
        if not left:
            return [self.rows[item] for item in items]
        start, count = time.monotonic(), len(left)
        workers: list[_Worker] = []
        cut = self.results.exists() and not self.results.read_text().endswith("\n")
        with self.results.open("a") as file:
            file.write("\n" if cut else "")
            try:
                while left or any(worker.item for worker in workers):
                    self._hand_out(workers, left)
                    for row in self._ready(workers):
                        self.rows[row["item"]] = {**row, "made_by": self.made_by}
                        file.write(json.dumps(self.rows[row["item"]]) + "\n")
                        file.flush()
                        busy = sum(bool(worker.item) for worker in workers)
                        _progress(count - len(left) - busy, count, start)
            finally:
                for worker in workers:
                    worker.end()
        return [self.rows[item] for item in items]

    def _hand_out(self, workers: list[_Worker], left: list[str]) -> None:
        """Give an item to every idle process; there are at most ``jobs``."""
        for worker in [one for one in workers if not one.item]:
            if worker.done >= FRESH or not worker.process.is_alive():
                worker.end()
                workers.remove(worker)
            elif left:
                worker.give(left.pop())
        while left and len(workers) < self.jobs:
            workers.append(_Worker(self.work))
            workers[-1].give(left.pop())

    def _ready(self, workers: list[_Worker]) -> list[Row]:
        """Rows of items that are finished, and of those whose process died or was stopped."""
        busy = [worker for worker in workers if worker.item]
        wait([worker.answers for worker in busy], timeout=1)
        return [row for worker in busy if (row := worker.row(self.seconds)) is not None]


class _Worker:
    """A process that makes rows, one after another."""

    def __init__(self, work: Work) -> None:
        context = get_context("fork")
        self.answers, there = context.Pipe()
        self.process = context.Process(target=_serve, args=(work, there), daemon=True)
        self.process.start()
        there.close()
        self.item, self.since, self.done = "", 0.0, 0

    def give(self, item: str) -> None:
        self.item, self.since = item, time.monotonic()
        with suppress(OSError):  # it died; the row says so
            self.answers.send(item)

    def row(self, seconds: float) -> Row | None:
        """The row of the item; None while it is made."""
        reason = ""
        try:
            if self.answers.poll():
                row: Row = self.answers.recv()
            elif time.monotonic() - self.since > seconds:
                reason = f"took more than {seconds:,.0f} s"
            else:
                return None
        except (EOFError, OSError):
            self.process.join(5)
            reason = f"its process ended with the status {self.process.exitcode}"
        if reason:
            self.end()
            row = {"verdict": "fails", "reasons": [reason], "seconds": round(time.monotonic() - self.since, 2)}
        row, self.item, self.done = {"item": self.item, **row}, "", self.done + 1
        return row

    def end(self) -> None:
        if self.process.is_alive():
            self.process.kill()
        self.process.join()
        self.answers.close()


def _serve(work: Work, items: Connection) -> None:
    """What a process does: rows of the items that it is given, with the CPU time of each."""
    while True:
        try:
            item = items.recv()
        except EOFError:
            return
        start = time.process_time()
        try:
            row = work(item)
        except Exception as error:
            row = {"verdict": "fails", "reasons": [f"{type(error).__name__}: {error}"[:160]]}
        items.send({**row, "seconds": round(time.process_time() - start, 2)})


def _progress(done: int, count: int, start: float) -> None:
    if sys.stderr.isatty() or done in (1, count) or done % 100 == 0:
        left = (time.monotonic() - start) / max(done, 1) * (count - done)
        bar = "#" * (30 * done // count)
        end = "\r" if sys.stderr.isatty() and done < count else "\n"
        print(f"[{bar:30}] {done:,} of {count:,}, {left / 60:.0f} min left", end=end, file=sys.stderr, flush=True)
