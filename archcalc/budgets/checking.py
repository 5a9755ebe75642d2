"""A network against its budgets: which part of a condition does not hold, by how much, and which layers have most of it."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from archcalc.analysis import Analysis
from archcalc.budgets.finding import NOWHERE, Budget, Finding, Part
from archcalc.conditions.condition import condition
from archcalc.conditions.elementwise import FLIPPED
from archcalc.conditions.parts import MissingError, Typed
from archcalc.errors import ArchcalcError, Place, Problem

MOST_PARTS = 5
"""The most layers that a finding has."""


def read(budget: Budget, settings: Iterable[str] = ()) -> tuple[Typed, ...]:
    """The parts of a budget's condition. ArchcalcError, at its line, if it cannot be read."""
    try:
        return condition(budget.text, settings).parts
    except ArchcalcError as error:
        raise at_place(error, budget.place) from None


def at_place(error: ArchcalcError, place: Place) -> ArchcalcError:
    """The error with the place of the budget that it is about."""
    return ArchcalcError(
        [
            problem if problem.file else Problem(problem.text, place.file, place.line, place.path)
            for problem in error.problems
        ]
    )


def findings(analysis: Analysis, budgets: Iterable[Budget], settings: Iterable[str] = ()) -> list[Finding]:
    """What the network is over. ``settings``: those of other networks, which a budget can name too.

    ArchcalcError, at its line, for a budget that cannot be read or computed.
    """
    names = {*settings, *analysis.network.settings}
    found = []
    for budget in budgets:
        for part in read(budget, names):
            try:
                finding = _finding(analysis, budget, part)
            except ArchcalcError as error:
                raise at_place(error, budget.place) from None
            if finding is not None:
                found.append(finding)
    return found


def _finding(analysis: Analysis, budget: Budget, part: Typed) -> Finding | None:
    network = analysis.network.full_name
    try:
        if part.value(analysis):
            return None
    except MissingError as error:
        return Finding(network, budget, part.text, missing=str(error))
    if part.sides is None:
        return _of_layers(analysis, Finding(network, budget, part.text), part)
    op, left, right = part.sides
    if left.subject is None and right.subject is not None:
        op, left, right = FLIPPED[op], right, left
    if isinstance(left.unit, str):
        return Finding(network, budget, part.text, left.text, left.value(analysis), unit=left.unit)
    value, limit = left.value(analysis), right.value(analysis)
    sign = {"<": 1, "<=": 1, ">": -1, ">=": -1}.get(op, 0)
    found = Finding(network, budget, part.text, left.text, value, limit, right.text, left.unit, sign)
    return _of_layers(analysis, found, left) if sign >= 0 and value >= limit else found


def _of_layers(analysis: Analysis, finding: Finding, part: Typed) -> Finding:
    """The finding with the layers that have most of the figure."""
    if part.subject is None:
        return finding
    shares = sorted(part.subject.shares(analysis), key=lambda share: -share.amount)[:MOST_PARTS]
    parts = tuple(Part(share.name, amount(share.amount)) for share in shares)
    return finding._replace(parts=parts, place=place_of(analysis, parts))


def amount(value: Any) -> Any:
    """A number that can be subtracted exactly."""
    return Fraction(repr(value)) if isinstance(value, float) else value


def place_of(analysis: Analysis, parts: Iterable[Part]) -> Place:
    """Where the user's spec states the first of the layers that it states."""
    if analysis.network.origin != "file":
        return NOWHERE
    places = {node.name: node.place for node in analysis.network.nodes if node.place is not None}
    return next((places[part.name] for part in parts if part.name in places), NOWHERE)
