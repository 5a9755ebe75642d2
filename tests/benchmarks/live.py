"""The speed of the live page in a headless Chromium: ``python -m tests.benchmarks.live [--site DIR]``.

Times are the least, the median and the 95th of a hundred, in milliseconds. On a shared machine the least says most: the
others also say what else the machine did. A keystroke is measured from the key to the painted table.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from statistics import median
from threading import Thread
from typing import Any

import archcalc
from archcalc.live import documents
from archcalc.live.calculator import answer, answer_text
from archcalc.live.desk import FIRST
from archcalc.live.state import State
from tests.live.browser import BUNDLE, CHROMIUM, OFFLINE, LivePage

GOALS = {"vgg16": 50, "resnet50": 100, "densenet201": 200}
"""Milliseconds from a keystroke to the new table, for 95 of 100; twice as many where the browser calculates."""
OPENED = 500
"""Milliseconds from the link to the first table of VGG-16."""
OPENINGS, KEYS, TURNS = 7, 40, 15

WATCH = """
const paints = [];
const wanted = [];
window.painted = (size) => new Promise((resolve) => { wanted.push({ size, resolve }); told(); });
function told() {
  for (const { size, resolve } of wanted) {
    const found = paints.find(({ input }) => input.includes(size));
    if (found) resolve(found.at);
  }
}
new MutationObserver((changes) => {
  if (!changes.some(({ target }) => target.closest?.("#layer-table tbody")) || !document.querySelector("#layer-table tr[data-item]")) return;
  const input = document.querySelector("#layer-table tr[data-item]").textContent;
  requestAnimationFrame(() => setTimeout(() => { paints.push({ at: performance.now(), input }); told(); }));
}).observe(document, { childList: true, subtree: true });
addEventListener("keydown", (event) => { window.typed = event.timeStamp; paints.length = wanted.length = 0; }, true);
"""
"""Notes when a table was painted, with its first row, which has the size of the input; and when a key was pressed."""
ANSWERED = "performance.getEntriesByType('resource').filter((e) => e.name.endsWith('/api')).map((e) => e.duration)"


def spread(times: Sequence[float]) -> str:
    """The least, the median and the 95th of a hundred."""
    found = sorted(times)
    late = found[min(len(found) - 1, round(0.95 * len(found)))]
    return " ".join(f"{at:7.1f}" for at in (found[0], median(found), late))


def say(what: str, times: Sequence[float], goal: str = "") -> None:
    print(f"{what:<58} {spread(times)}  {goal}", flush=True)


def clocked(work: Callable[[str], object], texts: Iterator[str]) -> list[float]:
    """Milliseconds of a piece of work, each time on another text, after one turn to warm up."""
    times = []
    for _ in range(TURNS + 1):
        text = next(texts)
        start = time.perf_counter()
        work(text)
        times.append(1e3 * (time.perf_counter() - start))
    return times[1:]


def edits(text: str) -> Iterator[str]:
    """A text with another input width each time: 220 to 229 pixels, as typed in the page."""
    before, after = text.split(", 224]", 1)
    while True:
        for digit in "0123456789":
            yield f"{before}, 22{digit}]{after}"


def engine(net: str) -> None:
    """Where the time of a question goes, in this process."""
    state = State(**answer({"op": "spec", "net": net})["state"])

    def read(text: str) -> object:
        documents.document.cache_clear()
        return documents.document(text, state.file)

    def analysed(text: str) -> object:
        return documents.analysis_of(state._replace(text=text)).totals

    def whole(text: str) -> str:
        return answer_text(json.dumps({"op": "analyze", "state": state._replace(text=text)._asdict()}))

    texts = edits(state.text)
    say(f"{net}: the text, read", clocked(read, texts))
    say("  ... and analysed", clocked(analysed, texts))
    say("  ... and the whole answer in JSON", clocked(whole, texts))
    found = answer({"op": "analyze", "state": state._asdict()})
    say(
        f"  JSON alone, {len(json.dumps(found)):,} bytes",
        clocked(lambda _: json.dumps(found, separators=(",", ":")), texts),
    )


@contextmanager
def local() -> Iterator[str]:
    """The link of ``archcalc live``, once the server has warmed up."""
    command = [sys.executable, "-m", "archcalc", "live", "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
        assert server.stdout is not None
        link = next(word for line in server.stdout for word in line.split() if word.startswith("http"))
        time.sleep(2)
        try:
            yield link
        finally:
            server.terminate()


@contextmanager
def static(folder: str) -> Iterator[str]:
    """The link of a static site in a folder."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            server.shutdown()


def opened(browser: Any, link: str, plain: bool) -> tuple[Any, float]:
    """A page that notes its paints, and the milliseconds to its first table."""
    live = LivePage(browser, "about:blank", plain=plain, viewport={"width": 1280, "height": 900})
    live.context.set_default_timeout(60_000)
    live.page.add_init_script(WATCH)
    live.link = link
    live.page.goto(link, wait_until="commit")
    live.page.wait_for_load_state("domcontentloaded")
    return live, live.page.evaluate("window.painted('224x224')")


def keystrokes(live: Any) -> tuple[list[float], list[float]]:
    """Milliseconds from key to paint, and the part of them that the calculator's answer took (over HTTP)."""
    text = live.text()
    at = text.index(", 224]") + len(", 224")
    line = text[:at].count("\n")
    live.editor.focus()
    live.page.keyboard.press("Control+Home")
    for _ in range(line):
        live.page.keyboard.press("ArrowDown")
    live.page.keyboard.press("End")
    live.page.keyboard.press("ArrowLeft")
    times, asked = [], []
    for nth in range(KEYS + 2):
        live.page.keyboard.press("Shift+ArrowLeft")
        live.page.wait_for_timeout(150)
        live.page.evaluate("performance.clearResourceTimings()")
        size = f"224x22{(nth + 5) % 10}"
        live.page.keyboard.press(size[-1])
        times.append(live.page.evaluate("async (size) => await window.painted(size) - window.typed", size))
        asked.append(live.page.evaluate(f"Math.max(0, ...{ANSWERED}.slice(0, 1))"))
    return times[2:], asked[2:]


def page(browser: Any, link: str, factor: int) -> None:
    """The times of a page. ``factor``: how much slower it may be than the page of this machine's server."""
    for plain in (True, False):
        if not plain and not BUNDLE.exists():
            print("no editor bundle: npm ci && npm run build, in live/")
            continue
        editor = "text area" if plain else "CodeMirror"
        times = []
        for _ in range(OPENINGS):
            live, first = opened(browser, link, plain)
            times.append(first)
            live.close()
        say(f"{editor}: link opened to the first table of VGG-16", times, f"goal: {OPENED}" if factor == 1 else "")
        live, _ = opened(browser, link, plain)
        for net, goal in GOALS.items():
            if net != FIRST:
                live.choose(net)
            live.page.wait_for_timeout(500)
            typed, asked = keystrokes(live)
            say(f"{editor}: keystroke to the new table of {net}", typed, f"goal: {goal * factor}")
            if any(asked):
                say("  the question alone", asked)
        live.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--site", metavar="DIR", help="a folder that archcalc live --site has written, instead of the server"
    )
    folder = parser.parse_args().site
    load = os.getloadavg()[0]
    print(f"archcalc {archcalc.__version__}, Python {sys.version.split()[0]}, {os.cpu_count()} cores, load {load:.1f}")
    print(f"{'milliseconds':<58} {'least':>7} {'median':>7} {'95 %':>7}")
    if folder is None:
        for net in GOALS:
            engine(net)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright, local() if folder is None else static(folder) as link:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OFFLINE.split())
        page(browser, link, 1 if folder is None else 2)
        browser.close()
    print(f"(load at the end: {os.getloadavg()[0]:.1f})")


if __name__ == "__main__":
    main()
