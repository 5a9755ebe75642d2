"""A condition on the figures of a network: read, checked for units before anything is computed, and evaluated.

The grammar is that of specs, with units behind numbers (``150M``, ``8GiB``, ``3ms``), layers (``any(layer.channels % 8 != 0)``)
and figures with options (``train_memory(batch=4, adam, amp) <= 8GiB``, ``time('a100', amp) < 3ms``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache, reduce
from typing import Any, ClassVar, NamedTuple

from archcalc.analysis import Analysis
from archcalc.conditions.elementwise import Truths
from archcalc.conditions.parts import MissingError, need
from archcalc.conditions.reader import Reader
from archcalc.errors import ArchcalcError
from archcalc.language.grammar import COMPARISONS, ExpressionError, Parser, Tree


class Condition(NamedTuple):
    """A condition: its text, and whether an analysis meets it: a bool, or a bool array for an analysis of arrays.

    MissingError if the network lacks a figure on which the answer depends. Single elements of arrays without a figure do
    not meet the condition.
    """

    text: str
    holds: Callable[[Analysis], Any]


class _Parser(Parser):
    """The grammar of specs, with a unit behind a number, a dot in a name, chains of comparisons, and options of a function."""

    TOKEN: ClassVar[re.Pattern[str]] = re.compile(
        r"\s*(?:(?P<number>(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)(?:[eE][-+]?[0-9]+)?(?:\s?(?!(?:and|or|if|else)\b)[A-Za-z]+)?)"
        r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)?)"
        r"|(?P<text>'[^']*'|\"[^\"]*\")|(?P<op>//|==|!=|<=|>=|\*\*|[-+*/%<>()\[\],=]))"
    )

    def comparison(self) -> Tree:
        """A comparison, also a chain such as ``380M <= macs <= 420M``: every comparison of neighbours holds."""
        parts, pairs = [self.terms()], []
        while op := self.take(*COMPARISONS):
            parts.append(self.terms())
            pairs.append(Tree("compare", op, (parts[-2], parts[-1])))
        return reduce(lambda left, right: Tree("and", None, (left, right)), pairs) if pairs else parts[0]

    def argument(self) -> Tree:
        """An argument, also as ``name=value``."""
        value = self.expression()
        if value.kind == "name" and self.take("="):
            return Tree("option", value.value, (self.expression(),))
        return value


def condition(text: str, settings: Iterable[str] = ()) -> Condition:
    """The condition in a text, which can name these settings too.

    ArchcalcError if it cannot be read, names no figure, or mixes units.
    """
    return _condition(text, frozenset(settings))


@lru_cache(maxsize=256)
def _condition(text: str, settings: frozenset[str]) -> Condition:
    try:
        typed = Reader(settings).read(_Parser(text).whole()[0])
        typed = need(typed, "truth", "expected a condition, such as params < 5M")
    except ExpressionError as error:
        raise ArchcalcError(f"condition: {error}") from None

    def holds(analysis: Analysis) -> Any:
        found = typed.value(analysis)
        return found.definite if isinstance(found, Truths) else found

    return Condition(text, holds)


class Chosen(NamedTuple):
    """The analyses that meet a condition, and the names of the networks that lack one of its figures, with the figure."""

    met: list[Analysis]
    lacking: dict[str, str]


def chosen(analyses: Iterable[Analysis], where: str, settings: Iterable[str] = ()) -> Chosen:
    """The analyses that meet a condition on figures and ``settings``. A network that lacks one does not meet it."""
    holds = condition(where, settings).holds
    found = Chosen([], {})
    for one in analyses:
        try:
            if holds(one):
                found.met.append(one)
        except MissingError as error:
            found.lacking[one.network.full_name] = str(error)
    return found
