"""Arithmetic with the parameters in scope: an expression as a function of a scope. Python never evaluates its text.

Numbers may be arrays. Then every element is what single numbers give; a condition that decides about more than numbers
must hold for all elements or for no element: DiffersError.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from archcalc.errors import DiffersError, unknown
from archcalc.language import grammar
from archcalc.language.bounds import Spend, bounded, bounded_list, free
from archcalc.language.elementwise import chosen, decided, differs, uniform
from archcalc.language.grammar import ExpressionError, Tree
from archcalc.language.operations import (
    FUNCTIONS,
    UNKNOWN,
    UnknownValueError,
    arithmetic,
    called,
    compare,
    item,
    number,
    truth,
)

Scope = Mapping[str, Any]
Evaluate = Callable[[Scope, Spend], Any]


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
    tree, cost = grammar.parse(text)
    names: set[str] = set()
    compute = _outermost(tree, names)
    return Expression(text, frozenset(names), compute, cost)


CONDITIONS = ("compare", "and", "or", "not", "if")
"""The kinds of trees whose value may be an array of bool."""


def _outermost(tree: Tree, names: set[str]) -> Evaluate:
    """The function of a tree whose value leaves the expression, alone or in a list."""
    compute = _compiled(tree, names)
    if tree.kind not in CONDITIONS:
        return compute
    return lambda scope, spend: decided(compute(scope, spend))


def _compiled(tree: Tree, names: set[str]) -> Evaluate:
    """The function of a tree from a scope to a value. The names of the tree are added to ``names``."""
    kind, value, parts = tree
    if kind == "number":
        constant: Any = bounded(int(value) if value.isdigit() else float(value))
        return lambda scope, spend: constant
    if kind in ("text", "word"):
        return lambda scope, spend: value
    if kind == "name":
        names.add(value)
        return _lookup(value)
    inner = [(_outermost if kind == "list" else _compiled)(part, names) for part in parts]
    if kind == "call":
        return _call(value, inner)
    if kind == "chain":
        return _chain(inner[0], list(zip(value, inner[1:], strict=True)))
    if kind == "list":
        return lambda scope, spend: bounded_list([each(scope, spend) for each in inner], spend)
    first, *others = inner
    if kind == "positive":
        return lambda scope, spend: number(first(scope, spend))
    if kind == "negative":
        return lambda scope, spend: -number(first(scope, spend))
    if kind == "not":
        return lambda scope, spend: truth(first(scope, spend)) != value
    second, *third = others
    if kind == "index":
        return lambda scope, spend: item(first(scope, spend), second(scope, spend))
    if kind == "compare":
        return lambda scope, spend: compare(value, first(scope, spend), second(scope, spend), spend)
    if kind in ("and", "or"):
        return _joined(first, second, enough=kind == "or")
    (other,) = third
    return _choice(first, second, other)


def _joined(first: Evaluate, second: Evaluate, *, enough: bool) -> Evaluate:
    """``first or second`` (``enough``: one that is true) or ``first and second`` (one that is false)."""

    def joined(scope: Scope, spend: Spend) -> Any:
        left = truth(first(scope, spend))
        if left is enough:
            return left
        if isinstance(left, bool):
            return truth(second(scope, spend))
        try:
            right = truth(second(scope, spend))
        except (ExpressionError, DiffersError):  # perhaps only for elements whose answer is known without it
            raise differs(left) from None
        return uniform(left | right if enough else left & right)

    return joined


def _choice(value: Evaluate, condition: Evaluate, other: Evaluate) -> Evaluate:
    """``value if condition else other``. If the condition differs between elements, so does the number."""

    def choice(scope: Scope, spend: Spend) -> Any:
        holds = truth(condition(scope, spend))
        if isinstance(holds, bool):
            return value(scope, spend) if holds else other(scope, spend)
        try:
            return chosen(holds, value(scope, spend), other(scope, spend))
        except (ExpressionError, DiffersError):  # perhaps only for elements that take the other value
            raise differs(holds) from None

    return choice


def _lookup(name: str) -> Evaluate:
    def lookup(scope: Scope, spend: Spend) -> Any:
        try:
            value = scope[name]
        except KeyError:
            raise ExpressionError(unknown("name", name, scope)) from None
        if value is UNKNOWN:
            raise UnknownValueError
        return value

    return lookup


def _call(name: str, arguments: list[Evaluate]) -> Evaluate:
    if name not in FUNCTIONS:
        raise ExpressionError(unknown("function", name, FUNCTIONS))
    _, fewest, most = FUNCTIONS[name]
    if not fewest <= len(arguments) <= most:
        wanted = str(fewest) if fewest == most else f"{fewest} to {most}"
        plural = "" if most == 1 else "s"
        raise ExpressionError(f"{name} takes {wanted} argument{plural}, got {len(arguments)}")
    return lambda scope, spend: called(name, [argument(scope, spend) for argument in arguments], spend)


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
