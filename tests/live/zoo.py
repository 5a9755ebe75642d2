"""The numbers of the page against the command line, for all networks of the zoo: ``python -m tests.live.zoo``."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Sequence
from time import monotonic
from typing import Any

from archcalc.language import networks
from archcalc.report.layers import COLUMNS
from tests.live.asking import state, told
from tests.live.commands import printed


def differing(nets: Sequence[str]) -> Iterator[str]:
    """The networks whose table on the page is not the one of the command line."""
    for net in nets:
        shown = state(net)
        table = printed("table", net, "--columns", ",".join(COLUMNS), "--format", "json")
        found = told("analyze", state=shown)
        if found["table"] != json.loads(table):
            yield net


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


if __name__ == "__main__":
    start, nets = monotonic(), list(networks())
    wrong = list(differing(nets))
    print(f"{len(nets)} networks, {len(wrong)} differ, {monotonic() - start:.0f} s", *wrong)
    families = {family.name: net for net, family in networks().items()}
    lacking = list(without_help(list(families.values())))
    print(f"{len(families)} families, {len(lacking)} without help at a layer, {monotonic() - start:.0f} s", *lacking)
    sys.exit(bool(wrong or lacking))
