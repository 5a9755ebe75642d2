"""Words that were retired, for readers whose first language is not English: docs, help texts and public docstrings avoid them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import archcalc
from archcalc.layers import BUILT_IN, registry

ROOT = Path(__file__).parent.parent
RETIRED = {
    r"\banew\b|\bonce more\b": "again, a second time",
    r"\bin truth\b": "nothing",
    r"\b(image|input|weights) apart\b": "without the network input",
    r"\bso many\b|\bso much\b": "a number, or the size",
    r"\b(seen|sees) anew\b": "a view of its input",
    r"\bsights?\b": "receptive field",
    r"\blets? go\b": "freed",
    r"\bon trial\b": "published figures, judged",
    r"\bheld against\b": "compared with",
    r"\bthe kept\b": "saved tensors",
}
"""Retired words, each with the words to use instead (docs/glossary.md)."""
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMANDS = (
    "",
    "table",
    "list",
    "show",
    "compare",
    "diff",
    "rf",
    "memory",
    "explain",
    "audit",
    "plot",
    "report",
    "export",
)


def retired(text: str) -> list[str]:
    """The lines with a retired word, each with the words to use instead."""
    return [
        f"{line.strip()!r}: write {better!r}"
        for line in text.splitlines()
        for word, better in RETIRED.items()
        if re.search(word, line, re.IGNORECASE)
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_has_no_retired_word(page):
    assert retired(page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("command", COMMANDS)
def test_a_help_text_has_no_retired_word(archcalc, command):
    assert retired(archcalc(*command.split(), "--help")[1]) == []


@pytest.mark.parametrize("type", sorted(BUILT_IN))
def test_a_docstring_of_a_layer_has_no_retired_word(type):
    assert retired(registry[type].__doc__ or "") == []


@pytest.mark.parametrize("name", archcalc.__all__)
def test_a_docstring_of_the_public_page_has_no_retired_word(name):
    value = getattr(archcalc, name)
    members = [value, *vars(value).values()] if isinstance(value, type) else [value]
    assert [line for member in members for line in retired(getattr(member, "__doc__", None) or "")] == []


def test_a_retired_word_is_seen():
    assert retired("It is computed anew.\nIt is computed again.") == [
        "'It is computed anew.': write 'again, a second time'"
    ]
