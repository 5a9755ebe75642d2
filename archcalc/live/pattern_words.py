"""Completions in a one-line pattern."""

from __future__ import annotations

import re
from collections.abc import Mapping

from archcalc.language.pattern import WORDS
from archcalc.layers import registry
from archcalc.live.described import about_layer

LAYERS: Mapping[str, str] = {
    "CONV3-64": "a 3x3 convolution to 64 channels, stride 1, padding 'same'",
    "POOL2": "maximum over 2x2 windows that do not overlap",
    "AVGPOOL2": "mean over 2x2 windows that do not overlap",
    "FC-10": "a fully connected layer with 10 outputs; a map is flattened first",
}
OPTIONS: Mapping[str, str] = {"s2": "stride 2", "p0": "padding 0", "p1": "padding 1"}
INPUT = "INPUT 32x32x3 -> "
_WORD = re.compile(r"[A-Za-z0-9-]*$")


def pattern_words(text: str, line: int, column: int) -> tuple[int, int, list[tuple[str, str, str, str, str]]]:
    """The columns of the word at a place, from 0, and its completions: label, kind, detail, meaning, text."""
    lines = text.split("\n")
    row = lines[line - 1] if line <= len(lines) else ""
    at = min(column - 1, len(row))
    found = _WORD.search(row[:at])
    first = found.start() if found else at
    behind = re.match(r"[A-Za-z0-9-]*", row[at:])
    last = at + (behind.end() if behind else 0)
    before = " ".join([*lines[: line - 1], row[:first]]).strip()
    return first, last, _words(before)


def _words(before: str) -> list[tuple[str, str, str, str, str]]:
    if not before:
        return [("INPUT", "layer", "height x width x channels", "the input of the network", INPUT)]
    if re.search(r"(->|→|\[)$", before):
        layers = [(word, "layer", "layer", about, "") for word, about in LAYERS.items()]
        others = [(word, "layer", type, about_layer(registry[type]), "") for word, type in WORDS.items()]
        return [*layers, *others, ("[", "keyword", "a group", "[ ... ]*3: a group, three times", "[")]
    options: list[tuple[str, str, str, str, str]] = []
    if re.search(r"(?:CONV|POOL)[\w-]*(?:\s+[sp]\w*\s*\d*)*$", before, re.IGNORECASE):
        options = [(word, "setting", about, "", "") for word, about in OPTIONS.items()]
    return [*options, ("->", "keyword", "the next layer", "", "-> ")]
