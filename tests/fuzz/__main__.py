"""``python -m tests.fuzz --seed 1 --count 100000 --jobs 2``: the cases of a seed, and one line of figures."""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Iterator
from multiprocessing.connection import Connection, wait

from tests.fuzz.worker import BYTES, SECONDS, Outcome, drawn, run

STUCK = 60.0
"""Seconds of the clock after which a worker that says nothing is ended: it is in code that no signal interrupts."""


def main(arguments: list[str] | None = None) -> int:
    """Run the cases; 1 when one of them failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="another seed, other cases (1)")
    parser.add_argument("--count", type=int, default=1000, help="how many cases (1000)")
    parser.add_argument("--first", type=int, default=0, help="the number of the first case (0)")
    parser.add_argument("--jobs", type=int, default=1, help="processes (1)")
    parser.add_argument("--show", type=int, metavar="N", help="print case N and what came of it")
    given = parser.parse_args(arguments)
    if given.show is not None:
        return show(given.seed, given.show)
    start = time.monotonic()
    found = Tally()
    for one in outcomes(given.seed, range(given.first, given.first + given.count), given.jobs):
        found.add(one)
        if one.fault:
            print(f"seed {given.seed}, case {one.number}: {one.fault}", flush=True)
    print(found.line(given.seed, time.monotonic() - start))
    return 1 if found.faults else 0


def show(seed: int, number: int) -> int:
    """A case with its files, and how it ends."""
    case = drawn(seed, number)
    print("archcalc", *map(repr, case.arguments))
    for name, text in case.files.items():
        print(f"--- {name}\n{text}")
    (one,) = run(seed, range(number, number + 1))
    print(f"--- {one}")
    return 1 if one.fault else 0


class Tally:
    """The figures of a run."""

    def __init__(self) -> None:
        self.statuses: Counter[object] = Counter()
        self.faults = 0
        self.slowest = self.largest = Outcome(-1, 0, 0.0, 0, "")

    def add(self, one: Outcome) -> None:
        self.statuses[one.status] += 1
        self.faults += bool(one.fault)
        self.slowest = max(self.slowest, one, key=lambda o: o.seconds)
        self.largest = max(self.largest, one, key=lambda o: o.bytes)

    def line(self, seed: int, seconds: float) -> str:
        count = self.statuses.total()
        return (
            f"seed {seed}: {count:,} cases in {seconds:,.0f} s ({count / max(seconds, 0.001):,.0f} per second): "
            f"{self.statuses[0]:,} answers, {self.statuses[2]:,} refusals (status 2), {self.statuses[1]:,} failed checks "
            f"(status 1), {self.faults:,} failures; slowest {self.slowest.seconds:.2f} s (case {self.slowest.number}), "
            f"most memory {self.largest.bytes / 1e6:,.0f} MB (case {self.largest.number}); "
            f"limits {SECONDS:.0f} s and {BYTES / 1e6:,.0f} MB"
        )


def outcomes(seed: int, numbers: range, jobs: int) -> Iterator[Outcome]:
    """What comes of every case; a worker that dies or hangs is one failure, and another goes on behind it."""
    shares = [numbers[at::jobs] for at in range(jobs)]
    workers = {_started(seed, share): share for share in shares if share}
    heard = {pipe: time.monotonic() for pipe, _ in workers}
    while workers:
        ready = wait([pipe for pipe, _ in workers], timeout=5)
        for worker, share in list(workers.items()):
            pipe, process = worker
            late = time.monotonic() - heard[pipe] > STUCK
            if pipe not in ready and not late:
                continue
            try:
                if late:
                    raise EOFError
                done: list[Outcome] = pipe.recv()
            except EOFError:  # it died, or hangs, in the first case that it has not told of
                process.kill()
                process.join()
                done = [Outcome(share[0], None, STUCK if late else 0.0, 0, "hangs" if late else "the process died")]
                share = share[1:]
            else:
                share = share[len(done) :]
                if share:
                    workers[worker], heard[pipe] = share, time.monotonic()
                    yield from done
                    continue
                process.join()
            del workers[worker]
            yield from done
            if share:
                again = _started(seed, share)
                workers[again], heard[again[0]] = share, time.monotonic()


def _started(seed: int, numbers: range) -> tuple[Connection, multiprocessing.process.BaseProcess]:
    ours, theirs = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(target=_work, args=(seed, numbers, theirs), daemon=True)
    process.start()
    theirs.close()
    return ours, process


def _work(seed: int, numbers: range, pipe: Connection) -> None:
    for one in run(seed, numbers):
        pipe.send([one])


if __name__ == "__main__":
    sys.exit(main())
