"""The numbers of the page against the command line, for all networks of the zoo: ``python -m tests.live.zoo``.

With ``--site DIR``, the page is that of a static site, and Python in Chromium answers.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

from archcalc.language import networks
from archcalc.report.layers import COLUMNS
from tests.live.asking import state, told
from tests.live.browser import CHROMIUM, OFFLINE, LivePage
from tests.live.commands import printed
from tests.live.sites import BOOT, ask, served

Analyzed = Callable[[dict[str, Any]], dict[str, Any]]
"""The answer to a state."""


def here(shown: dict[str, Any]) -> dict[str, Any]:
    """The answer to a state, in this process."""
    return told("analyze", state=shown)


def differing(nets: Sequence[str], analyzed: Analyzed = here) -> Iterator[str]:
    """The networks whose table on the page is not the one of the command line."""
    for net in nets:
        table = printed("table", net, "--columns", ",".join(COLUMNS), "--format", "json")
        if analyzed(state(net))["table"] != json.loads(table):
            yield net


@contextmanager
def in_the_browser(folder: str) -> Iterator[Analyzed]:
    """The answers of the Python of a site, in Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright, served(Path(folder)) as link:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OFFLINE.split())
        page = LivePage(browser, link)
        page.context.set_default_timeout(BOOT)
        yield lambda shown: ask(page.ready(), "analyze", state=shown)
        page.close()
        browser.close()


def without_help(nets: Sequence[str]) -> Iterator[str]:
    """The networks without the right help at one of their layers."""
    for net in nets:
        shown = state(net)
        if not all(helped(shown, told("analyze", state=shown)["layers"])):
            yield net


def helped(shown: dict[str, Any], layers: Sequence[dict[str, Any]]) -> Iterator[bool]:
    """Whether the help at a layer's word in the text has the shape of its first layer, for every line with layers."""
    lines = shown["text"].split("\n")
    first = {layer["line"]: layer for layer in reversed(layers) if layer["line"]}
    for line, layer in first.items():
        word = re.search(rf"(?<![\w]){layer['type']}(?![\w])", lines[line - 1])
        assert word is not None
        help = told("hover", state=shown, line=line, column=word.start() + 2)["lines"]
        yield any("->" in text and text.endswith("x".join(map(str, layer["shape"]))) for text in help)


def main(words: Sequence[str]) -> int:
    start, nets = monotonic(), list(networks())
    if words[:1] == ["--site"]:
        with in_the_browser(words[1]) as analyzed:
            wrong = list(differing(nets, analyzed))
        lacking: list[str] = []
    else:
        wrong = list(differing(nets))
        families = {family.name: net for net, family in networks().items()}
        lacking = list(without_help(list(families.values())))
        print(f"{len(families)} families, {len(lacking)} without help at a layer", *lacking)
    print(f"{len(nets)} networks, {len(wrong)} differ, {monotonic() - start:.0f} s", *wrong)
    return int(bool(wrong or lacking))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
