"""The keys around a place in a text that may not be valid YAML yet: lines are read one by one, and guessed where broken.

The language's own parser stops at the first mistake. Help is needed just there: while a line is typed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

_KEY = re.compile(r"(\"[^\"]*\"|'[^']*'|[^\s\"'#:{}\[\],&*!|>%@`-][^:#{}\[\],\"']*?|-[^\s:#{}\[\],]+)\s*:(?=\s|$)")
_WORD = re.compile(r"[^\s\"'{}\[\],:#]+")
_COLON = re.compile(r"\s*:(?=[\s,}\]]|$)")


class Key(NamedTuple):
    """A key of a mapping: the keys around it ("-": an entry of a list), its line and the text behind it in the line."""

    path: tuple[str, ...]
    name: str
    line: int
    value: str


class Cursor(NamedTuple):
    """A place in a text.

    path: the keys around it, as in ``Key``. key: the key whose value is typed ("": a key or an entry is typed).
    first, last: the columns of the word, from 0. word: the word up to the cursor. quoted: whether it stands in quotes.
    keys: the keys of the mapping that is typed. behind: the text behind the word.
    """

    path: tuple[str, ...]
    key: str
    first: int
    last: int
    word: str
    quoted: bool
    keys: tuple[str, ...]
    behind: str
    in_list: bool = False


@dataclass
class _Frame:
    """A mapping or list that is open: its column (-1: in brackets), and the key whose value is read."""

    column: int
    is_list: bool
    key: str = ""
    keys: list[str] = field(default_factory=list)
    pair: bool = False
    """Whether the mapping is a single pair in a list in brackets: [conv: {out: 8}]."""


def _first_value(text: str, in_brackets: bool) -> str:
    """The value that a text begins with, without what follows it: a comment, or the next entry in brackets."""
    depth, quote = 0, ""
    for at, sign in enumerate(text):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'":
            quote = sign
        elif sign in "{[":
            depth += 1
        elif (sign == "#" and text[at - 1 : at] in ("", " ")) or (in_brackets and depth == 0 and sign in ",}]"):
            return text[:at].strip()
        elif sign in "}]":
            depth -= 1
    return text.strip()


class Outline:
    """The keys of a text, and the place of a cursor in it.

    ``line`` and ``column`` begin with 1. The cursor stands before the character in its column.
    """

    def __init__(self, text: str, line: int = 0, column: int = 1) -> None:
        self.keys: list[Key] = []
        self.cursor: Cursor | None = None
        self._frames: list[_Frame] = []
        self._line, self._column = line, column - 1
        self._brackets_from = 0
        """The column of the line in which the brackets began."""
        for number, one in enumerate(text.split("\n"), 1):
            self._read(one.rstrip("\r"), number)

    # Lines.

    def _read(self, text: str, number: int) -> None:
        here = number == self._line
        start = len(text) - len(text.lstrip(" "))
        blank = start == len(text) or text[start] == "#"
        if blank and not here:
            return
        if self._in_brackets():
            if start > self._brackets_from or text[start : start + 1] in ("}", "]"):
                self._value(text, start, number)
                return
            while self._in_brackets():  # left open: the line begins like a new entry
                self._frames.pop()
        if blank:
            at = min(self._column, start)
            self._close(at)
            if self._column <= start:
                self._below(at)
                self._set_cursor(text, self._column, self._column, "", False)
            return
        self._close(start, text[start : start + 1] == "-")
        self._block(text, start, number)

    def _close(self, column: int, dash: bool = False) -> None:
        """Close what ends before a line that begins in this column."""
        frames = self._frames
        while frames and (
            frames[-1].column > column or (frames[-1].is_list and frames[-1].column == column and not dash)
        ):
            frames.pop()

    def _block(self, text: str, at: int, number: int) -> None:
        """The rest of a line outside brackets, from column ``at`` on."""
        while text[at : at + 1] == "-" and text[at + 1 : at + 2] in ("", " "):
            if not (self._frames and self._frames[-1].is_list and self._frames[-1].column == at):
                self._frames.append(_Frame(at, True))
            after = at + 1
            while text[after : after + 1] == " ":
                after += 1
            if after >= len(text):
                if number == self._line and self._column > at:
                    self._set_cursor(text, self._column, self._column, "", False)
                return
            at = after
        found = _KEY.match(text, at)
        if found is None:
            self._below(at)
            self._value(text, at, number)
            if _WORD.fullmatch(text, at) and self._frames and self._frames[-1].is_list:
                self._frames.append(_Frame(at, False, keys=[text[at:]]))  # keys below it make it a mapping
            return
        frames = self._frames
        if not (frames and not frames[-1].is_list and frames[-1].column == at):
            frames.append(_Frame(at, False))
        name = found[1].strip("\"'")
        if number == self._line and at <= self._column <= found.end() - 1 + (found.end(1) == found.end() - 1):
            frames[-1].key = ""
            if self._column <= found.end(1):
                self._set_cursor(text, at, found.end(1), text[at : self._column], False)
        self._note(name, number, text[found.end() :])
        frames[-1].key = name
        self._brackets_from = at
        self._value(text, found.end(), number)

    def _below(self, at: int) -> None:
        """Begin what stands in column ``at`` and is no key yet: a new key of a mapping, or what a key above holds."""
        frames = self._frames
        if not frames or frames[-1].is_list:
            return
        if frames[-1].column == at:
            frames[-1].key = ""
        elif frames[-1].key:
            frames.append(_Frame(at, False))

    def _note(self, name: str, number: int, value: str) -> None:
        self.keys.append(Key(self._path(), name, number, _first_value(value, self._in_brackets())))
        self._frames[-1].keys.append(name)

    # Values: words, quotes and brackets.

    def _value(self, text: str, at: int, number: int) -> None:
        """The text of a value, from column ``at`` on."""
        here = number == self._line
        begin = at
        while at < len(text):
            sign = text[at]
            if here and self.cursor is None and self._column <= at and (sign in " ,}]" or self._column < at):
                self._empty(text)
            if sign == "#" and (at == 0 or text[at - 1] == " "):
                if here and self.cursor is None and self._column > at:
                    return
                break
            if sign in "\"'":
                end = text.find(sign, at + 1)
                end = len(text) if end < 0 else end
                if here and at < self._column <= end:
                    self._in_quotes(text, at, end)
                at = self._after_word(text, at, end + 1, number)
            elif sign in "{[":
                self._frames.append(_Frame(-1, sign == "["))
                at += 1
            elif sign in "}]":
                self._shut()
                at += 1
            elif sign == ",":
                self._next()
                at += 1
            elif found := _WORD.match(text, at):
                if here and found.start() <= self._column <= found.end() and self.cursor is None:
                    self._word(text, found.start(), found.end())
                at = self._after_word(text, found.start(), found.end(), number)
            else:
                at += 1
        if here and self.cursor is None and self._column >= begin and self._column >= min(at, len(text)):
            self._empty(text)

    def _after_word(self, text: str, start: int, end: int, number: int) -> int:
        """Take a word in brackets as a key if a colon follows."""
        found = _COLON.match(text, end)
        if found is None or not self._in_brackets():
            return end
        if self._frames[-1].is_list:
            self._frames.append(_Frame(-1, False, pair=True))
        name = text[start:end].strip("\"'")
        if number == self._line and start <= self._column <= end and self.cursor is not None:
            self.cursor = self.cursor._replace(path=self._path(), key="", keys=tuple(self._frames[-1].keys))
        self._note(name, number, text[found.end() :])
        self._frames[-1].key = name
        return found.end()

    def _shut(self) -> None:
        if self._in_brackets() and self._frames[-1].pair:
            self._frames.pop()
        if self._in_brackets():
            self._frames.pop()

    def _next(self) -> None:
        """A comma: the next entry of a list or mapping in brackets."""
        if self._in_brackets() and self._frames[-1].pair:
            self._frames.pop()
        if self._in_brackets():
            self._frames[-1].key = ""

    def _in_brackets(self) -> bool:
        return bool(self._frames) and self._frames[-1].column < 0

    # The cursor.

    def _word(self, text: str, start: int, end: int) -> None:
        self._set_cursor(text, start, end, text[start : self._column], False)

    def _in_quotes(self, text: str, start: int, end: int) -> None:
        """A cursor in quotes stands in an expression or in a name: the word is the name of a value."""
        first = self._column
        while first > start + 1 and (text[first - 1].isalnum() or text[first - 1] == "_"):
            first -= 1
        last = self._column
        while last < end and (text[last].isalnum() or text[last] == "_"):
            last += 1
        self._set_cursor(text, first, last, text[first : self._column], True)

    def _empty(self, text: str) -> None:
        self._set_cursor(text, self._column, self._column, "", False)

    def _set_cursor(self, text: str, first: int, last: int, word: str, quoted: bool) -> None:
        if self.cursor is not None:
            return
        top = self._frames[-1] if self._frames else _Frame(0, False)
        key = "" if top.is_list else top.key
        keys = () if top.is_list else tuple(top.keys)
        self.cursor = Cursor(self._path(), key, first, last, word, quoted, keys, text[last:], top.is_list)

    def _path(self) -> tuple[str, ...]:
        """The keys around the innermost mapping or list."""
        return tuple("-" if frame.is_list else frame.key for frame in self._frames[:-1])
