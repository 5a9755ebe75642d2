"""The text of a darknet cfg: sections of keys and values, each with its line, by the rules of darknet's ``read_cfg``.

Blanks are left out everywhere, also inside a value. A line that begins with # or ; is a comment. Of a key that a
section gives twice, the first value holds. A number ends at the first character that is no part of a number.

Source: AlexeyAB/darknet, src: parser.c, option_list.c, utils.c (commit 59596d7).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from archcalc.errors import ArchcalcError, Problem, clipped
from archcalc.importing.errors import WrongValueError
from archcalc.trees import MAX_NODES

_WHOLE = re.compile(r"[+-]?[0-9]{1,15}(?![0-9])")
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,15}(?![0-9])(?:\.[0-9]{0,30})?|\.[0-9]{1,30})(?:[eE][+-]?[0-9]{1,2})?")


class Value(NamedTuple):
    """The text of a value, with its line."""

    text: str
    line: int


class Section:
    """A section: its name in small letters, its line, and its values by key."""

    __slots__ = ("kind", "line", "values")

    def __init__(self, kind: str, line: int) -> None:
        self.kind, self.line = kind, line
        self.values: dict[str, Value] = {}

    def word(self, key: str, default: str = "") -> str:
        given = self.values.get(key)
        return given.text if given else default

    def whole(self, key: str, default: int) -> int:
        """The whole number at the start of the value; WrongValueError if there is none."""
        given = self.values.get(key)
        return default if given is None else _whole(key, given.text)

    def number(self, key: str, default: float) -> float:
        """The number at the start of the value; WrongValueError if there is none."""
        given = self.values.get(key)
        if given is None:
            return default
        found = _NUMBER.match(given.text)
        if not found:
            raise WrongValueError(f"{key} must be a number, got {clipped(given.text, 40)!r}")
        return float(found[0])

    def wholes(self, key: str) -> list[int]:
        """The whole numbers of a list with commas."""
        text = self.word(key).partition("#")[0]
        return [_whole(key, part) for part in text.split(",") if part]


def _whole(key: str, text: str) -> int:
    found = _WHOLE.match(text)
    if not found:
        raise WrongValueError(f"{key} must be a whole number, got {clipped(text, 40)!r}")
    return int(found[0])


def parse(text: str, file: str) -> list[Section]:
    """The sections of a cfg; ArchcalcError with every line that cannot be read."""
    sections: list[Section] = []
    problems: list[Problem] = []
    for number, line in enumerate(text.split("\n"), 1):
        if number > MAX_NODES:
            raise ArchcalcError(Problem(f"more than {MAX_NODES:,} lines", file, number))
        line = "".join(line.split())
        if not line or line[0] in "#;":
            continue
        key, equals, value = line.partition("=")
        if line[0] == "[":
            sections.append(Section(line.partition("]")[0][1:].lower(), number))
        elif not equals:
            problems.append(Problem(f"expected [section] or key=value, got {clipped(line, 60)!r}", file, number))
        elif not sections:
            problems.append(Problem(f"{clipped(key, 60)!r} stands before the first section", file, number))
        else:
            sections[-1].values.setdefault(key, Value(value, number))
        if len(problems) >= 20:
            break
    if problems:
        raise ArchcalcError(problems)
    return sections
