"""A condition on the figures of a network: read, checked for units before anything is computed, and evaluated.

The grammar is that of specs, with units behind numbers (``150M``, ``8GiB``, ``3ms``), layers (``any(layer.channels % 8 != 0)``)
and figures with options (``train_memory(batch=4, adam, amp) <= 8GiB``, ``time('a100', amp) < 3ms``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import ClassVar, NamedTuple

from archcalc.analysis import Analysis
from archcalc.conditions.reader import MissingError, Reader, named
from archcalc.errors import ArchcalcError
from archcalc.language.grammar import ExpressionError, Parser, Tree


class Condition(NamedTuple):
    """A condition: its text, and whether an analysis meets it. MissingError if the network lacks a figure of it."""

    text: str
    holds: Callable[[Analysis], bool]


class _Parser(Parser):
    """The grammar of specs, with a unit behind a number, a dot in a name, and options of a function."""

    TOKEN: ClassVar[re.Pattern[str]] = re.compile(
        r"\s*(?:(?P<number>(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)(?:[eE][-+]?[0-9]+)?(?:\s?(?!(?:and|or|if|else)\b)[A-Za-z]+)?)"
        r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)?)"
        r"|(?P<text>'[^']*'|\"[^\"]*\")|(?P<op>//|==|!=|<=|>=|\*\*|[-+*/%<>()\[\],=]))"
    )

    def argument(self) -> Tree:
        """An argument, also as ``name=value``."""
        value = self.expression()
        if value.kind == "name" and self.take("="):
            return Tree("option", value.value, (self.expression(),))
        return value


@lru_cache(maxsize=256)
def condition(text: str) -> Condition:
    """The condition in a text. ArchcalcError if it cannot be read, names no figure, or mixes units."""
    try:
        typed = Reader().read(_Parser(text).whole()[0])
        if typed.unit != "truth":
            raise ExpressionError(f"{typed.text} is {named(typed.unit)}; expected a condition, such as params < 5M")
    except ExpressionError as error:
        raise ArchcalcError(f"condition: {error}") from None
    return Condition(text, typed.value)


class Chosen(NamedTuple):
    """The analyses that meet a condition, and the names of the networks that lack one of its figures, with the figure."""

    met: list[Analysis]
    lacking: dict[str, str]


def chosen(analyses: Iterable[Analysis], where: str) -> Chosen:
    """The analyses that meet a condition. A network without a figure of the condition does not meet it."""
    holds = condition(where).holds
    found = Chosen([], {})
    for one in analyses:
        try:
            if holds(one):
                found.met.append(one)
        except MissingError as error:
            found.lacking[one.network.full_name] = str(error)
    return found
