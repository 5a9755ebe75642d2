"""The grammar of expressions: text to a tree, which others evaluate. The grammar is closed: no powers, no attributes.

expression  a if condition else b | or | and | not | comparison
comparison  == != < <= > >=   one, not chained
arithmetic  + - * / // %      on numbers; no powers
value       3, 0.5, 1e-5, 'text', true, false, name, name[index], [list], (expression), function(...)
"""

from __future__ import annotations

import re
from typing import Any, ClassVar, NamedTuple

MAX_LENGTH = 300
MAX_DEPTH = 25
COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
_NUMBER = r"(?P<number>(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)(?:[eE][-+]?[0-9]+)?)"
_NAME = r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
_REST = r"""(?P<text>'[^']*'|"[^"]*") | (?P<op>//|==|!=|<=|>=|\*\*|[-+*/%<>()\[\],])"""
_KEYWORDS = ("if", "else", "and", "or", "not")
WORDS = {"true": True, "false": False, "True": True, "False": False, "none": None, "null": None, "None": None}


class ExpressionError(ValueError):
    """An expression that cannot be read or evaluated; the text is a sentence."""


class Tree(NamedTuple):
    """A part of an expression.

    | kind | value | parts |
    |---|---|---|
    | number, text, name, word | the text of the number, the text, the name, the constant | |
    | call | the name of the function | the arguments |
    | list, index | | the items; the list and the index |
    | chain | the operators | the operands, from left to right |
    | negative, positive | | the number |
    | compare | the operator | both sides |
    | and, or | | both sides |
    | not | whether the number of ``not`` is odd | the condition |
    | if | | the value, the condition, the other value |
    """

    kind: str
    value: Any = None
    parts: tuple[Tree, ...] = ()


def parse(text: str) -> tuple[Tree, int]:
    """The tree of a text, and the number of its words and signs. ExpressionError if the text is not an expression."""
    return Parser(text).whole()


class Parser:
    """A recursive descent parser. Subclasses add to the grammar: other ``TOKEN``, ``number`` and ``argument``."""

    TOKEN: ClassVar[re.Pattern[str]] = re.compile(rf"\s*(?: {_NUMBER} | {_NAME} | {_REST} )", re.VERBOSE)

    def __init__(self, text: str) -> None:
        if len(text) > MAX_LENGTH:
            raise ExpressionError(f"an expression of {len(text)} characters; {MAX_LENGTH} are the most")
        self.text, self.position, self.depth, self.count = text, 0, 0, 0
        self.token: tuple[str, str] | None = None
        self.advance()

    def whole(self) -> tuple[Tree, int]:
        tree = self.expression()
        if self.token is not None:
            raise ExpressionError(f"cannot read {self.text!r} from {self.token[1]!r} on")
        return tree, self.count

    def advance(self) -> None:
        rest = self.text[self.position :]
        if not rest.strip():
            self.token = None
            return
        match = self.TOKEN.match(rest)
        if match is None:
            raise ExpressionError(f"{rest.strip()[0]!r} in {self.text!r} is not part of the expression language")
        self.position += match.end()
        self.count += 1
        kind = str(match.lastgroup)
        self.token = kind, match[kind]
        if self.token[1] == "**":
            raise ExpressionError(f"powers (**) in {self.text!r} are not part of the expression language")

    def take(self, *texts: str) -> str | None:
        if self.token is not None and self.token[0] in ("op", "name") and self.token[1] in texts:
            taken = self.token[1]
            self.advance()
            return taken
        return None

    def need(self, text: str) -> None:
        if self.take(text) is None:
            instead = "it ends" if self.token is None else f"found {self.token[1]!r}"
            raise ExpressionError(f"expected {text!r} in {self.text!r}, but {instead}")

    def expression(self) -> Tree:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ExpressionError(f"an expression nested deeper than {MAX_DEPTH} levels")
        value = self.either()
        if self.take("if"):
            condition = self.either()
            self.need("else")
            value = Tree("if", None, (value, condition, self.expression()))
        self.depth -= 1
        return value

    def either(self) -> Tree:
        left = self.both()
        while self.take("or"):
            left = Tree("or", None, (left, self.both()))
        return left

    def both(self) -> Tree:
        left = self.negation()
        while self.take("and"):
            left = Tree("and", None, (left, self.negation()))
        return left

    def negation(self) -> Tree:
        count = 0
        while self.take("not"):
            count += 1
        value = self.comparison()
        return Tree("not", count % 2 == 1, (value,)) if count else value

    def comparison(self) -> Tree:
        left = self.terms()
        op = self.take(*COMPARISONS)
        if op is None:
            return left
        right = self.terms()
        if self.token is not None and self.token[1] in COMPARISONS:
            raise ExpressionError(f"comparisons in {self.text!r} cannot be chained; write a < b and b < c")
        return Tree("compare", op, (left, right))

    def terms(self) -> Tree:
        parts, ops = [self.factors()], []
        while op := self.take("+", "-"):
            ops.append(op)
            parts.append(self.factors())
        return Tree("chain", tuple(ops), tuple(parts)) if ops else parts[0]

    def factors(self) -> Tree:
        parts, ops = [self.signed()], []
        while op := self.take("*", "/", "//", "%"):
            ops.append(op)
            parts.append(self.signed())
        return Tree("chain", tuple(ops), tuple(parts)) if ops else parts[0]

    def signed(self) -> Tree:
        signs = 0
        negative = False
        while sign := self.take("-", "+"):
            signs += 1
            negative ^= sign == "-"
        value = self.indexed()
        return Tree("negative" if negative else "positive", None, (value,)) if signs else value

    def indexed(self) -> Tree:
        value = self.atom()
        while self.take("["):
            value = Tree("index", None, (value, self.expression()))
            self.need("]")
        return value

    def atom(self) -> Tree:
        if self.token is None:
            raise ExpressionError(
                f"{self.text!r} ends where a value was expected" if self.text.strip() else "an empty expression"
            )
        kind, text = self.token
        if (kind == "op" and text not in "([") or text in _KEYWORDS:
            raise ExpressionError(f"expected a value in {self.text!r}, found {text!r}")
        self.advance()
        if kind == "number":
            return self.number(text)
        if kind == "text":
            return Tree("text", text[1:-1])
        if kind == "name":
            return self.name(text)
        if text == "(":
            value = self.expression()
            self.need(")")
            return value
        return Tree("list", None, self.items("]", self.expression))

    def number(self, text: str) -> Tree:
        return Tree("number", text)

    def name(self, name: str) -> Tree:
        if self.take("("):
            return Tree("call", name, self.items(")", self.argument))
        return Tree("word", WORDS[name]) if name in WORDS else Tree("name", name)

    def argument(self) -> Tree:
        return self.expression()

    def items(self, end: str, read: Any) -> tuple[Tree, ...]:
        values: list[Tree] = []
        while not self.take(end):
            if values:
                self.need(",")
            values.append(read())
        return tuple(values)
