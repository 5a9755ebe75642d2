"""A condition on the figures of a network: read, checked for units before anything is computed, and evaluated.

The grammar is that of specs, with units behind numbers (``150M``, ``8GiB``, ``3ms``), layers (``any(layer.channels % 8 != 0)``)
and figures with options (``train_memory(batch=4, adam, amp) <= 8GiB``, ``time('a100', amp) < 3ms``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache, reduce
from typing import Any, ClassVar, NamedTuple

from archcalc.analysis import Analysis
from archcalc.conditions.elementwise import Truths
from archcalc.conditions.parts import MissingError, Typed, need
from archcalc.conditions.reader import Reader
from archcalc.errors import ArchcalcError, clipped
from archcalc.language.grammar import COMPARISONS, ExpressionError, Parser, Tree
from archcalc.layers.settings import message_text


class Condition(NamedTuple):
    """A condition: its text, and whether an analysis meets it: a bool, or a bool array for an analysis of arrays.

    MissingError if the network lacks a figure on which the answer depends. Single elements of arrays without a figure do
    not meet the condition. ``parts``: what ``and`` joins.
    """

    text: str
    holds: Callable[[Analysis], Any]
    parts: tuple[Typed, ...] = ()


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


INSTEAD: Mapping[str, str] = {"&&": "and", "||": "or", "<>": "!=", "=<": "<=", "=>": ">=", "=": "=="}
"""What other languages write, and what to write here."""


def tree_of(text: str) -> Tree:
    """The parts of a condition, as its grammar has them. ExpressionError if the text cannot be read."""
    if not text.strip():
        raise ExpressionError("expected a condition or a figure, such as params < 5M, got nothing")
    try:
        return _Parser(text).whole()[0]
    except ExpressionError as error:
        other = next((one for one in INSTEAD if re.search(rf"(?<![<>=!]){re.escape(one)}(?!=)", text)), None)
        raise ExpressionError(f"{error}; write {INSTEAD[other]} instead of {other}" if other else str(error)) from None


def condition(text: str, settings: Iterable[str] = ()) -> Condition:
    """The condition in a text, which can name these settings too.

    ArchcalcError if it cannot be read, names no figure, or mixes units.
    """
    if not isinstance(text, str):
        raise ArchcalcError(f"expected a condition as a text, such as 'params < 5M', got {message_text(text)}")
    return _condition(text, frozenset(settings))


@lru_cache(maxsize=256)
def _condition(text: str, settings: frozenset[str]) -> Condition:
    try:
        typed = Reader(settings).read(tree_of(text))
        typed = need(typed, "truth", "expected a condition, such as params < 5M")
    except ExpressionError as error:
        raise ArchcalcError(f"condition: {error}") from None

    def holds(analysis: Analysis) -> Any:
        found = typed.value(analysis)
        return found.definite if isinstance(found, Truths) else found

    return Condition(text, holds, typed.parts or (typed,))


def figure(text: str, settings: Iterable[str] = ()) -> Typed:
    """The figure in a text such as ``macs / params`` or ``time('a100')``, which can name these settings too.

    Its value is exact; for an analysis of arrays it has an element for each of theirs. ArchcalcError if the text cannot be
    read, names no figure, or mixes units.
    """
    try:
        return Reader(frozenset(settings)).read(tree_of(text))
    except ExpressionError as error:
        raise ArchcalcError(f"figure: {error}") from None


def named_figures(text: str) -> tuple[tuple[str, str], ...]:
    """The figures in a text, with commas between, each with the name of its column: ``NAME=FIGURE``, or the figure itself.

    >>> named_figures("macs, t=time('a100', amp), macs / params")
    (('macs', 'macs'), ('t', "time('a100', amp)"), ('macs / params', 'macs / params'))
    """
    parts, depth, start = [], 0, 0
    for at, letter in enumerate(text):
        depth += (letter in "([") - (letter in ")]")
        if letter == "," and depth <= 0:
            parts.append(text[start:at])
            start = at + 1
    found = []
    for part in [*parts, text[start:]]:
        name = re.match(r"\s*([A-Za-z_][A-Za-z0-9_]*)\s*=(?!=)", part)
        figure = part[name.end() if name else 0 :].strip()
        if not figure:
            raise ArchcalcError(f"expected figures with commas between, such as params,macs, got {clipped(text, 60)!r}")
        found.append((name[1] if name else figure, figure))
    return tuple(found)


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
