"""Random edits typed into the page in a real browser: ``python -m tests.live.edits --count 10000``.

After each burst the page has to show what the library says of its text: the totals of a fresh table, or the first problem.
Memory is measured in the same state at the start, in the middle and at the end; from the middle on, the page is not
loaded again. Ctrl+C ends the run after the burst, with its figures.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from time import monotonic
from typing import Any

import yaml

from tests.live.browser import CHROMIUM, OFFLINE
from tests.live.expected import SHOWN, differences, expected
from tests.live.hands import Hands, fragment
from tests.live.sites import served as site
from tests.live.watching import Memory, StuckError, Watched

MORE_HEAP, MORE_NODES, MORE_SERVER = 30e6, 60_000, 150e6
"""What may be added from the middle to the end. The undo history of the browser's text area holds the pieces of its last
1,000 edits; the server keeps four texts and three analyses, the largest of which takes 30 MB."""


class Run:
    """The edits of one seed in one page."""

    def __init__(self, page: Watched, seed: int, server: int = 0) -> None:
        self.page, self.random, self.server = page, Random(f"edits/{seed}"), server
        page.ready().page.evaluate("watch.ready()")
        self.hands = Hands(page, self.random)
        self.edits = self.bursts = self.tables = 0
        self.slowest, self.ended = 0.0, False
        self.faults: list[str] = []
        self.memory: list[Memory] = []

    def type(self, count: int) -> None:
        """Type so many edits, in bursts."""
        until = self.edits + count
        while self.edits < until and not self.ended:
            if self.random.random() < 0.08:
                self.hands.go_elsewhere()
            for _ in range(min(self.random.choice([1, 1, 2, 3, 6, 12]), until - self.edits)):
                self.hands.edit()
                self.edits += 1
                if self.random.random() < 0.3:
                    self.hands.other()
            if self.random.random() < 0.5 and self.edits < until:
                self.hands.calm()
                self.edits += 1
            if self.random.random() < 0.02 and len(self.memory) < 2:
                self.hands.reload()
            before = self.bursts
            self.check()
            if self.bursts > before and self.bursts % 100 == 0:
                print(self.line("this run so far"), file=sys.stderr, flush=True)

    def check(self) -> None:
        """The page settles, and shows what the library says; nothing was thrown on the way."""
        start = monotonic()
        try:
            state = self.page.at_rest()
        except StuckError as error:
            self.tell(f"stuck: {error}", {})
            self.hands.reload()
            return
        self.slowest = max(self.slowest, monotonic() - start)
        found = differences(wanted := expected(state), self.page.page.evaluate(SHOWN))
        self.bursts += 1
        self.tables += "problem" not in wanted
        faults = self.page.faults() + ([f"shown otherwise: {found}"] if found else [])
        for fault in faults:
            self.tell(fault, state)
        self.hands.text = state["text"]

    def tell(self, fault: str, state: dict[str, Any]) -> None:
        self.faults.append(f"burst {self.bursts}, edit {self.edits}: {fault}\n#{fragment(state)}")
        print(self.faults[-1][:8_000], file=sys.stderr, flush=True)

    def measure(self) -> None:
        """Memory, while the page shows VGG-11."""
        self.hands.preset("vgg11")
        self.memory.append(self.page.memory(self.server))

    def grown(self) -> list[str]:
        """What grew more from the middle to the end than it may."""
        middle, end = self.memory[-2:]
        rows = [("heap", MORE_HEAP), ("nodes", MORE_NODES), ("server", MORE_SERVER)]
        return [
            f"{name}: {getattr(middle, name):,} to {getattr(end, name):,}"
            for name, most in rows
            if getattr(end, name) - getattr(middle, name) > most
        ]

    def line(self, where: str) -> str:
        return (
            f"{self.edits:,} edits in {where}: {self.bursts:,} bursts, {self.tables:,} of them ended in a table and "
            f"{self.bursts - self.tables:,} in problems, {len(self.faults)} faults, the slowest rest after {self.slowest:.1f} s"
        )


@contextmanager
def served() -> Iterator[tuple[str, int]]:
    """``archcalc live`` as a user starts it: the link and the number of the process."""
    command = [sys.executable, "-m", "archcalc", "live", "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip(), process.pid
        finally:
            process.kill()


@contextmanager
def static(folder: str) -> Iterator[tuple[str, int]]:
    """The link to a static site, whose calculator is in the browser."""
    with site(Path(folder)) as link:
        yield link, 0


def main(arguments: list[str] | None = None) -> int:
    """Type the edits; 1 if something went wrong."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(prog="python -m tests.live.edits", description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="how many edits (1000)")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other edits (1)")
    parser.add_argument("--code", action="store_true", help="in CodeMirror instead of the plain text area")
    parser.add_argument("--site", metavar="DIR", help="in the static site in this folder, instead of archcalc live")
    given = parser.parse_args(arguments)
    if given.site:
        vars(yaml).pop("CSafeLoader", None)  # a browser's YAML is that of Python, whose sentences differ from libyaml's
    start = monotonic()
    with sync_playwright() as playwright, static(given.site) if given.site else served() as (link, process):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OFFLINE.split())
        page = Watched(browser, link, plain=not given.code, viewport={"width": 1000, "height": 600})
        run = Run(page, given.seed, process)
        signal.signal(signal.SIGINT, lambda *_: vars(run).update(ended=True))
        run.measure()
        for count in (given.count // 2, given.count - given.count // 2):
            run.type(count)
            run.measure()
        where = (
            f"{'the static site' if given.site else 'archcalc live'}, {'CodeMirror' if given.code else 'the text area'}"
        )
        grown = run.grown()
        print(*grown, f"{run.line(where)}; {monotonic() - start:,.0f} s", sep="\n")
        for name, memory in zip(("start", "middle", "end"), run.memory, strict=True):
            print(f"{name}: {memory}")
        print(f"Chromium {browser.version}, requests to other origins: {page.elsewhere()}")
        browser.close()
    return 1 if run.faults or grown else 0


if __name__ == "__main__":
    sys.exit(main())
