"""Arithmetic over the parameters in scope: a closed grammar, parsed here and never given to Python.

    expression  a if condition else b | or | and | not | comparison
    comparison  == != < <= > >=   (one, not chained)
    arithmetic  + - * / // %      on numbers; no powers
    value       3, 0.5, 'text', true, false, name, name[index], [list], (expression), function(...)

Numbers may be int64 arrays; a condition must then hold for all of them or for none.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from archcalc.errors import unknown
from archcalc.sizes import is_array, largest, smallest

MAX_LENGTH = 300
MAX_DEPTH = 25
MAX_NUMBER = 10**15

Scope = Mapping[str, Any]
Evaluate = Callable[[Scope], Any]


class ExpressionError(ValueError):
    """An expression that cannot be read or evaluated; the text is a sentence."""


def make_divisible(v: Any, divisor: Any = 8) -> Any:
    """v rounded to a multiple of divisor, never down by more than 10 %.

    The rule of the MobileNet authors' code: nearest multiple, at least one, one more if below 0.9*v.
    """
    rounded = max(divisor, int(v + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * v else rounded


FUNCTIONS: Mapping[str, tuple[Callable[..., Any], int, int]] = {
    # name: function, fewest and most arguments
    "abs": (abs, 1, 1),
    "ceil": (math.ceil, 1, 1),
    "floor": (math.floor, 1, 1),
    "int": (int, 1, 1),
    "len": (len, 1, 1),
    "make_divisible": (make_divisible, 1, 2),
    "max": (max, 1, 8),
    "min": (min, 1, 8),
    "round": (round, 1, 1),
    "sum": (sum, 1, 1),
}

_TOKEN = re.compile(r"""\s*(?:
    (?P<number>[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+) | (?P<name>[A-Za-z_][A-Za-z0-9_]*) |
    (?P<text>'[^']*'|"[^"]*") | (?P<op>//|==|!=|<=|>=|\*\*|[-+*/%<>()\[\],])
)""", re.VERBOSE)
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "==": lambda a, b: a == b, "!=": lambda a, b: a != b, "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
}
_WORDS = {"true": True, "false": False, "True": True, "False": False, "none": None, "null": None, "None": None}


class Expression:
    """A parsed expression: its text, the names it uses, and ``evaluate(scope)``."""

    __slots__ = ("evaluate", "names", "text")

    def __init__(self, text: str, names: frozenset[str], evaluate: Evaluate) -> None:
        self.text, self.names, self.evaluate = text, names, evaluate

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"


@lru_cache(maxsize=4096)
def parse(text: str) -> Expression:
    """The expression in text; ExpressionError when it is none."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"an expression of {len(text)} characters; {MAX_LENGTH} are the most")
    parser = _Parser(text)
    evaluate = parser.expression()
    if parser.token is not None:
        raise ExpressionError(f"cannot read {text!r} from {parser.token[1]!r} on")
    return Expression(text, frozenset(parser.names), evaluate)


class _Parser:
    """Recursive descent; every method returns a function from the scope to a value."""

    def __init__(self, text: str) -> None:
        self.text, self.position, self.depth = text, 0, 0
        self.names: set[str] = set()
        self.token: tuple[str, str] | None = None
        self.advance()

    def advance(self) -> None:
        rest = self.text[self.position:]
        if not rest.strip():
            self.token = None
            return
        match = _TOKEN.match(rest)
        if match is None:
            raise ExpressionError(f"{rest.strip()[0]!r} in {self.text!r} is not part of the expression language")
        self.position += match.end()
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
            found = "it ends" if self.token is None else f"found {self.token[1]!r}"
            raise ExpressionError(f"expected {text!r} in {self.text!r}, but {found}")

    def expression(self) -> Evaluate:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ExpressionError(f"an expression nested deeper than {MAX_DEPTH} levels")
        value = self.either()
        if self.take("if"):
            condition = self.either()
            self.need("else")
            other, then = self.expression(), value
            value = lambda scope: then(scope) if truth(condition(scope)) else other(scope)  # noqa: E731
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
        return lambda scope: truth(value(scope)) == (count % 2 == 0)

    def comparison(self) -> Evaluate:
        left = self.terms()
        op = self.take(*_COMPARE)
        if op is None:
            return left
        return _binary(left, self.terms(), lambda a, b: _compare(op, a, b))

    def terms(self) -> Evaluate:
        left = self.factors()
        while op := self.take("+", "-"):
            left = _arithmetic(op, left, self.factors())
        return left

    def factors(self) -> Evaluate:
        left = self.signed()
        while op := self.take("*", "/", "//", "%"):
            left = _arithmetic(op, left, self.signed())
        return left

    def signed(self) -> Evaluate:
        negative = False
        while sign := self.take("-", "+"):
            negative ^= sign == "-"
        value = self.indexed()
        return (lambda scope: -number(value(scope))) if negative else value

    def indexed(self) -> Evaluate:
        value = self.atom()
        while self.take("["):
            value = _binary(value, self.expression(), _item)
            self.need("]")
        return value

    def atom(self) -> Evaluate:
        if self.token is None:
            raise ExpressionError(f"{self.text!r} ends where a value was expected" if self.text.strip()
                                  else "an empty expression")
        kind, text = self.token
        if kind == "op" and text not in "([":
            raise ExpressionError(f"expected a value in {self.text!r}, found {text!r}")
        self.advance()
        if kind == "number":
            if len(text) > 18:
                raise ExpressionError(f"a number of {len(text)} digits")
            constant: Any = float(text) if "." in text else int(text)
            return lambda scope: constant
        if kind == "text":
            return lambda scope: text[1:-1]
        if kind == "name":
            return self.name(text)
        if text == "(":
            value = self.expression()
            self.need(")")
            return value
        items = self.items("]")
        return lambda scope: [item(scope) for item in items]

    def name(self, name: str) -> Evaluate:
        if self.token == ("op", "("):
            return self.call(name)
        if name in _WORDS:
            constant = _WORDS[name]
            return lambda scope: constant
        self.names.add(name)

        def lookup(scope: Scope) -> Any:
            try:
                return scope[name]
            except KeyError:
                raise ExpressionError(unknown("name", name, scope)) from None

        return lookup

    def call(self, name: str) -> Evaluate:
        if name not in FUNCTIONS:
            raise ExpressionError(unknown("function", name, FUNCTIONS))
        function, fewest, most = FUNCTIONS[name]
        self.need("(")
        arguments = self.items(")")
        if not fewest <= len(arguments) <= most:
            wanted = str(fewest) if fewest == most else f"{fewest} to {most}"
            raise ExpressionError(f"{name} takes {wanted} arguments, got {len(arguments)}")
        return lambda scope: _called(name, function, [argument(scope) for argument in arguments])

    def items(self, end: str) -> list[Evaluate]:
        values: list[Evaluate] = []
        while not self.take(end):
            if values:
                self.need(",")
            values.append(self.expression())
        return values


def _binary(left: Evaluate, right: Evaluate, function: Callable[[Any, Any], Any]) -> Evaluate:
    return lambda scope: function(left(scope), right(scope))


def _either(left: Evaluate, right: Evaluate) -> Evaluate:
    return lambda scope: truth(left(scope)) or truth(right(scope))


def _both(left: Evaluate, right: Evaluate) -> Evaluate:
    return lambda scope: truth(left(scope)) and truth(right(scope))


def number(value: Any) -> Any:
    """value if it is a number or an array of them; ExpressionError otherwise."""
    if (isinstance(value, (int, float)) and not isinstance(value, bool)) or is_array(value):
        return value
    raise ExpressionError(f"expected a number, got {value!r}"[:120])


def truth(value: Any) -> bool:
    """value if it is true or false; ExpressionError otherwise."""
    if isinstance(value, bool):
        return value
    raise ExpressionError(f"expected true or false, got {value!r}"[:120])


def _arithmetic(op: str, left: Evaluate, right: Evaluate) -> Evaluate:
    def compute(scope: Scope) -> Any:
        a, b = number(left(scope)), number(right(scope))
        if op in ("/", "//", "%") and (largest(b == 0)):
            raise ExpressionError(f"division by zero: {a} {op} {b}")
        if op == "+":
            return _bounded(a + b)
        if op == "-":
            return _bounded(a - b)
        if op == "*":
            return _bounded(a * b)
        if op == "//":
            return a // b
        if op == "%":
            return a % b
        return a // b if isinstance(a, int) and isinstance(b, int) and a % b == 0 else a / b

    return compute


def _bounded(n: Any) -> Any:
    if largest(abs(n)) > MAX_NUMBER:
        raise ExpressionError(f"a number beyond {MAX_NUMBER:,}")
    return n


def _compare(op: str, a: Any, b: Any) -> bool:
    """Whether a and b compare so; for arrays, everywhere or nowhere, since a network has one structure."""
    if op not in ("==", "!="):
        number(a), number(b)
    holds = _COMPARE[op](a, b)
    if is_array(holds) and smallest(holds) != largest(holds):
        raise ExpressionError(f"a comparison ({op}) holds for some numbers of an array and not for others; "
                              "networks of different structure are evaluated apart")
    return bool(largest(holds))


def _item(sequence: Any, position: Any) -> Any:
    if not isinstance(sequence, (list, tuple, str)):
        raise ExpressionError(f"only a list can be indexed, got {sequence!r}"[:120])
    if not isinstance(position, int) or isinstance(position, bool):
        raise ExpressionError(f"an index must be a whole number, got {position!r}"[:120])
    if not -len(sequence) <= position < len(sequence):
        raise ExpressionError(f"index {position} in a list of {len(sequence)} (the first is 0)")
    return sequence[position]


def _called(name: str, function: Callable[..., Any], arguments: list[Any]) -> Any:
    try:
        return function(*arguments)
    except (TypeError, ValueError, OverflowError, ZeroDivisionError):
        given = ", ".join(map(str, arguments))[:80]
        raise ExpressionError(f"{name} cannot take ({given})") from None
