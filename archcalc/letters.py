"""The rules for names, in any script: visible letters and digits, and only one way to write each.

Unicode writes an accented letter as one character or as two characters; normal form NFC uses one character. Control
characters, characters that change the direction of text and invisible characters are not allowed in a name, because
two different names must not look the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

MOST_LETTERS, MOST_LETTERS_OF_BLOCKS = 80, 40
"""The most characters in the name of a layer or network, and in the name of a block or branch."""
LAYER_SIGNS, NETWORK_SIGNS = "./+-", ".-"
"""The signs that the name of a layer may contain, and the name of a network."""
HIDDEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0").union(
    map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)))
)
"""Invisible letters and marks: fillers, joiners and variation selectors (Default_Ignorable_Code_Point)."""


def normal(text: str) -> str:
    """The text in normal form NFC.

    >>> normal("e\\u0301") == "\\u00e9", normal("conv1")
    (True, 'conv1')
    """
    if text.isascii():
        return text
    from unicodedata import normalize

    return normalize("NFC", text)


def as_name(text: str, most: int, signs: str = "") -> str:
    """The text as a name of at most ``most`` characters. A run of characters that a name cannot have becomes one _.

    >>> as_name("my net (2)", 80), as_name("卷积", 80), as_name("v1.2", 80, ".")
    ('my_net_2_', '卷积', 'v1.2')
    """
    runs = groupby(normal(text), key=lambda letter: letter in signs or is_name(f"_{letter}", 2))
    return "".join("".join(run) if fit else "_" for fit, run in runs)[:most]


def is_name(text: str, most: int, signs: str = "") -> bool:
    """Whether text has at most ``most`` letters, digits, _ and ``signs``, and begins with a letter, a digit or _.

    >>> is_name("conv1_1", 80), is_name("卷积1", 80), is_name("a.b", 80), is_name("a.b", 80, "."), is_name("a\\u200bb", 80)
    (True, True, False, True, False)
    """
    if not 1 <= len(text) <= most or text[0] in signs:
        return False
    if text.isascii():
        return text.isidentifier() or all(letter.isalnum() or letter == "_" or letter in signs for letter in text)
    from unicodedata import category, is_normalized

    kinds = [category(letter)[0] for letter in text]
    fit = (kind in "LMN" or letter == "_" or letter in signs for letter, kind in zip(text, kinds, strict=True))
    return kinds[0] != "M" and all(fit) and HIDDEN.isdisjoint(text) and is_normalized("NFC", text)


def prefixes(name: str) -> list[str]:
    """The names around a name with dots, outermost first.

    >>> prefixes("a.b.c")
    ['a', 'a.b']
    """
    around, dot = [], name.find(".")
    while dot >= 0:
        around.append(name[:dot])
        dot = name.find(".", dot + 1)
    return around


def all_prefixes(names: Iterable[str]) -> list[str]:
    """The prefixes of all names, each once, outer prefixes first. The time does not grow with the depth.

    >>> all_prefixes(["a.b.c", "a.b.d", "e.f"])
    ['a', 'a.b', 'e']
    """
    known: dict[str, None] = {}
    for name in names:
        new, around = [], name.rpartition(".")[0]
        while around and around not in known:
            new.append(around)
            around = around.rpartition(".")[0]
        known.update(dict.fromkeys(reversed(new)))
    return list(known)
