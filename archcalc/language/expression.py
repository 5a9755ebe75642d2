"""Arithmetic with the parameters in scope. The grammar is closed: text is parsed here, and Python never evaluates it.

    expression  a if condition else b | or | and | not | comparison
    comparison  == != < <= > >=   one, not chained
    arithmetic  + - * / // %      on numbers; no powers
    value       3, 0.5, 1e-5, 'text', true, false, name, name[index], [list], (expression), function(...)

Numbers may be int64 arrays. Then a condition must hold for all elements or for no element.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from archcalc.errors import unknown
from archcalc.language.operations import (
    COMPARE,
    FUNCTIONS,
    UNKNOWN,
    ExpressionError,
    Spend,
    UnknownValueError,
    arithmetic,
    bounded,
    bounded_list,
    called,
    compare,
    free,
    item,
    number,
    truth,
)

MAX_LENGTH = 300
MAX_DEPTH = 25
Scope = Mapping[str, Any]
Evaluate = Callable[[Scope, Spend], Any]


_TOKEN = re.compile(
    r"""\s*(?:
    (?P<number>(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)(?:[eE][-+]?[0-9]+)?) | (?P<name>[A-Za-z_][A-Za-z0-9_]*) |
    (?P<text>'[^']*'|"[^"]*") | (?P<op>//|==|!=|<=|>=|\*\*|[-+*/%<>()\[\],])
)""",
    re.VERBOSE,
)
_KEYWORDS = ("if", "else", "and", "or", "not")
_WORDS = {"true": True, "false": False, "True": True, "False": False, "none": None, "null": None, "None": None}


class Expression:
    """A parsed expression: the text, the names in the text, and the ``cost`` (number of words and signs).

    ``compute`` returns the value, and reports operations beyond the cost to ``spend``.
    """

    __slots__ = ("compute", "cost", "names", "text")

    def __init__(self, text: str, names: frozenset[str], compute: Evaluate, cost: int) -> None:
        self.text, self.names, self.compute, self.cost = text, names, compute, cost

    def evaluate(self, scope: Scope, spend: Spend = free) -> Any:
        """The value in a scope. ``spend`` is called with the number of operations before they run, and may raise."""
        spend(self.cost)
        return self.compute(scope, spend)

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"


@lru_cache(maxsize=4096)
def parse(text: str) -> Expression:
    """The expression in text; ExpressionError if the text is not an expression."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"an expression of {len(text)} characters; {MAX_LENGTH} are the most")
    parser = _Parser(text)
    evaluate = parser.expression()
    if parser.token is not None:
        raise ExpressionError(f"cannot read {text!r} from {parser.token[1]!r} on")
    return Expression(text, frozenset(parser.names), evaluate, parser.count)


class _Parser:
    """A recursive descent parser. Every method returns a function from the scope to a value."""

    def __init__(self, text: str) -> None:
        self.text, self.position, self.depth, self.count = text, 0, 0, 0
        self.names: set[str] = set()
        self.token: tuple[str, str] | None = None
        self.advance()

    def advance(self) -> None:
        rest = self.text[self.position :]
        if not rest.strip():
            self.token = None
            return
        match = _TOKEN.match(rest)
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

    def expression(self) -> Evaluate:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ExpressionError(f"an expression nested deeper than {MAX_DEPTH} levels")
        value = self.either()
        if self.take("if"):
            condition = self.either()
            self.need("else")
            other, then = self.expression(), value
            value = lambda scope, spend: then(scope, spend) if truth(condition(scope, spend)) else other(scope, spend)  # noqa: E731
        self.depth -= 1
        return value

    def either(self) -> Evaluate:
        left = self.both()
        while self.take("or"):
            left = _either(left, self.both())
        return left

    def both(self) -> Evaluate:
        left = self.negation()
        while self.take("and"):
            left = _both(left, self.negation())
        return left

    def negation(self) -> Evaluate:
        count = 0
        while self.take("not"):
            count += 1
        value = self.comparison()
        if not count:
            return value
        return lambda scope, spend: truth(value(scope, spend)) == (count % 2 == 0)

    def comparison(self) -> Evaluate:
        left = self.terms()
        op = self.take(*COMPARE)
        if op is None:
            return left
        right = self.terms()
        if self.token is not None and self.token[1] in COMPARE:
            raise ExpressionError(f"comparisons in {self.text!r} cannot be chained; write a < b and b < c")
        name = op
        return lambda scope, spend: compare(name, left(scope, spend), right(scope, spend), spend)

    def terms(self) -> Evaluate:
        first, rest = self.factors(), []
        while op := self.take("+", "-"):
            rest.append((op, self.factors()))
        return _chain(first, rest)

    def factors(self) -> Evaluate:
        first, rest = self.signed(), []
        while op := self.take("*", "/", "//", "%"):
            rest.append((op, self.signed()))
        return _chain(first, rest)

    def signed(self) -> Evaluate:
        signs = 0
        negative = False
        while sign := self.take("-", "+"):
            signs += 1
            negative ^= sign == "-"
        value = self.indexed()
        if not signs:
            return value
        if negative:
            return lambda scope, spend: -number(value(scope, spend))
        return lambda scope, spend: number(value(scope, spend))

    def indexed(self) -> Evaluate:
        value = self.atom()
        while self.take("["):
            value = _binary(value, self.expression(), item)
            self.need("]")
        return value

    def atom(self) -> Evaluate:
        if self.token is None:
            raise ExpressionError(
                f"{self.text!r} ends where a value was expected" if self.text.strip() else "an empty expression"
            )
        kind, text = self.token
        if (kind == "op" and text not in "([") or text in _KEYWORDS:
            raise ExpressionError(f"expected a value in {self.text!r}, found {text!r}")
        self.advance()
        if kind == "number":
            constant: Any = bounded(int(text) if text.isdigit() else float(text))
            return lambda scope, spend: constant
        if kind == "text":
            return lambda scope, spend: text[1:-1]
        if kind == "name":
            return self.name(text)
        if text == "(":
            value = self.expression()
            self.need(")")
            return value
        items = self.items("]")
        return lambda scope, spend: bounded_list([each(scope, spend) for each in items], spend)

    def name(self, name: str) -> Evaluate:
        if self.token == ("op", "("):
            return self.call(name)
        if name in _WORDS:
            constant = _WORDS[name]
            return lambda scope, spend: constant
        self.names.add(name)

        def lookup(scope: Scope, spend: Spend) -> Any:
            try:
                value = scope[name]
            except KeyError:
                raise ExpressionError(unknown("name", name, scope)) from None
            if value is UNKNOWN:
                raise UnknownValueError
            return value

        return lookup

    def call(self, name: str) -> Evaluate:
        if name not in FUNCTIONS:
            raise ExpressionError(unknown("function", name, FUNCTIONS))
        _, fewest, most = FUNCTIONS[name]
        self.need("(")
        arguments = self.items(")")
        if not fewest <= len(arguments) <= most:
            wanted = str(fewest) if fewest == most else f"{fewest} to {most}"
            plural = "" if most == 1 else "s"
            raise ExpressionError(f"{name} takes {wanted} argument{plural}, got {len(arguments)}")
        return lambda scope, spend: called(name, [argument(scope, spend) for argument in arguments], spend)

    def items(self, end: str) -> list[Evaluate]:
        values: list[Evaluate] = []
        while not self.take(end):
            if values:
                self.need(",")
            values.append(self.expression())
        return values


def _chain(first: Evaluate, rest: list[tuple[str, Evaluate]]) -> Evaluate:
    """Apply the operators from left to right. A loop, because nested calls would exceed Python's recursion limit."""
    if not rest:
        return first

    def total(scope: Scope, spend: Spend) -> Any:
        value = first(scope, spend)
        for op, operand in rest:
            value = arithmetic(op, value, operand(scope, spend))
        return value

    return total


def _binary(left: Evaluate, right: Evaluate, function: Callable[[Any, Any], Any]) -> Evaluate:
    return lambda scope, spend: function(left(scope, spend), right(scope, spend))


def _either(left: Evaluate, right: Evaluate) -> Evaluate:
    return lambda scope, spend: truth(left(scope, spend)) or truth(right(scope, spend))


def _both(left: Evaluate, right: Evaluate) -> Evaluate:
    return lambda scope, spend: truth(left(scope, spend)) and truth(right(scope, spend))
