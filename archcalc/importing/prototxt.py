"""The text format of protocol buffers, as Caffe's prototxt files use it: messages of fields, each with its line.

A field is ``name: value``, ``name { ... }`` or ``name: { ... }``. A field may be given several times. A value is a text
in quotes, a number, a word, or a list ``[a, b]``. ``<`` and ``>`` stand for braces. A comment runs from # to the end of
the line.

Source: Protocol Buffers, Text Format Language Specification.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

from archcalc.errors import ArchcalcError, Problem, clipped
from archcalc.importing.errors import WrongValueError
from archcalc.trees import MAX_DEPTH, MAX_NODES

_TOKEN = re.compile(
    r"""(?P<skip>[ \t\r\f\v\ufeff]+|\#[^\n]*)
    |(?P<line>\n)
    |(?P<sign>[{}<>\[\]:;,])
    |(?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    |(?P<word>[^\s{}<>\[\]:;,"'\#]+)""",
    re.VERBOSE,
)
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,18}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})(?:[eE][+-]?[0-9]{1,2})?[fF]?")
_ENDS = {"{": "}", "<": ">"}


class Scalar(NamedTuple):
    """A text, a number or a word, as it stands in the file, with its line."""

    text: str
    line: int


class Message:
    """The fields of a message: for each name, all values in their order."""

    __slots__ = ("fields", "line")

    def __init__(self, line: int) -> None:
        self.line = line
        self.fields: dict[str, list[Value]] = {}

    def messages(self, name: str) -> list[Message]:
        return [value for value in self.fields.get(name, ()) if isinstance(value, Message)]

    def message(self, name: str) -> Message:
        """The last message of this name; an empty one if there is none."""
        return (self.messages(name) or [Message(self.line)])[-1]

    def texts(self, name: str) -> list[str]:
        return [value.text for value in self.fields.get(name, ()) if isinstance(value, Scalar)]

    def text(self, name: str, default: str = "") -> str:
        """The last value of this name, which counts."""
        return (self.texts(name) or [default])[-1]

    def numbers(self, name: str) -> list[float]:
        """The values of this name as numbers; WrongValueError if one is none."""
        return [number(name, text) for text in self.texts(name)]

    def number(self, name: str, default: float) -> float:
        return (self.numbers(name) or [default])[-1]

    def wholes(self, name: str) -> list[int]:
        """The values of this name as whole numbers; WrongValueError if one is none."""
        found = self.numbers(name)
        for value, text in zip(found, self.texts(name), strict=True):
            if value != int(value) or "." in text:
                raise WrongValueError(f"{name} must be a whole number, got {clipped(text, 40)!r}")
        return [int(value) for value in found]

    def whole(self, name: str, default: int) -> int:
        return (self.wholes(name) or [default])[-1]

    def flag(self, name: str, default: bool) -> bool:
        text = self.text(name, str(default)).lower()
        if text not in ("true", "false", "1", "0", "t", "f"):
            raise WrongValueError(f"{name} must be true or false, got {clipped(text, 40)!r}")
        return text in ("true", "1", "t")


Value: TypeAlias = "Scalar | Message"


def number(name: str, text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise WrongValueError(f"{name} must be a number, got {clipped(text, 40)!r}")
    return float(text.rstrip("fF"))


class _Token(NamedTuple):
    kind: str
    text: str
    line: int


def parse(text: str, file: str) -> Message:
    """The message of a file; ArchcalcError with the line of what is wrong."""
    return _Parser(file, text).file_message()


class _Parser:
    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.tokens = self.read(text)
        self.count = 0
        self.token = next(self.tokens)

    def fail(self, message: str, line: int) -> ArchcalcError:
        return ArchcalcError(Problem(message, self.file, line))

    def read(self, text: str) -> Iterator[_Token]:
        at, line = 0, 1
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                raise self.fail(f"expected the name of a field, got {clipped(text[at : at + 20], 40)!r}", line)
            at, kind = match.end(), match.lastgroup or ""
            if kind == "line":
                line += 1
            elif kind != "skip":
                yield _Token(kind, match[0], line)
        while True:
            yield _Token("end", "", line)

    def take(self) -> _Token:
        token, self.token = self.token, next(self.tokens)
        return token

    def file_message(self) -> Message:
        return self.message("", 1, 0)

    def message(self, end: str, line: int, depth: int) -> Message:
        """The fields up to the sign that ends the message."""
        if depth > MAX_DEPTH:
            raise self.fail(f"nested deeper than {MAX_DEPTH} levels", line)
        message = Message(line)
        while True:
            token = self.take()
            if token.text == end and token.kind in ("sign", "end"):
                return message
            if token.kind == "end":
                raise self.fail(f"the file ends inside a message, which needs {end!r}", line)
            if token.kind == "sign" and token.text in ";,":
                continue
            if token.kind != "word":
                raise self.fail(f"expected the name of a field, got {clipped(token.text, 40)!r}", token.line)
            values = self.values(token, depth)
            self.count += len(values)
            if self.count > MAX_NODES:
                raise self.fail(f"more than {MAX_NODES:,} values", token.line)
            message.fields.setdefault(token.text, []).extend(values)

    def values(self, name: _Token, depth: int) -> list[Value]:
        """The value of a field, or the values of a list."""
        colon = self.token.text == ":"
        if colon:
            self.take()
        token = self.take()
        if token.text in _ENDS and token.kind == "sign":
            return [self.message(_ENDS[token.text], name.line, depth + 1)]
        if not colon:
            shown = clipped(name.text, 40)
            raise self.fail(f"expected ':' or '{{' after {shown!r}, got {clipped(token.text, 40)!r}", name.line)
        if token.text == "[" and token.kind == "sign":
            return self.listed(name)
        return [self.scalar(token, name)]

    def listed(self, name: _Token) -> list[Value]:
        found: list[Value] = []
        while True:
            token = self.take()
            if token.text == "]" and token.kind == "sign":
                return found
            if token.text == "," and token.kind == "sign":
                continue
            found.append(self.scalar(token, name))
            if len(found) > MAX_NODES:
                raise self.fail(f"more than {MAX_NODES:,} values", name.line)

    def scalar(self, token: _Token, name: _Token) -> Scalar:
        if token.kind == "text":
            text = token.text[1:-1]
            while self.token.kind == "text":  # texts one after the other are one text
                text += self.take().text[1:-1]
            return Scalar(text, token.line)
        if token.kind != "word":
            got = "the end of the file" if token.kind == "end" else clipped(token.text, 40)
            raise self.fail(f"{clipped(name.text, 40)}: expected a value, got {got!r}", token.line)
        return Scalar(token.text, token.line)
