"""Limits of growth: how much more of a figure a network may have than its baseline."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from archcalc.analysis import Analysis
from archcalc.analysis.alignment import aligned
from archcalc.analysis.rows import Row
from archcalc.budgets.checking import MOST_PARTS, amount, place_of
from archcalc.budgets.finding import Budget, Finding, Part
from archcalc.conditions.condition import figure
from archcalc.conditions.parts import MissingError, Share, Subject, Typed, named, need_number
from archcalc.errors import ArchcalcError
from archcalc.language.grammar import ExpressionError
from archcalc.layers.settings import message_text

USUAL = ("params", "macs", "memory", "peak")
"""The figures that may not grow, unless a limit says otherwise."""
ANY = "any"


class Growth(NamedTuple):
    """How much a figure may grow: a part of the baseline's figure, or an amount. None: without limit."""

    text: str
    figure: Typed
    part: Fraction | None = None
    amount: Any = None

    @property
    def budget(self) -> Budget:
        return Budget(f"{self.figure.text} may grow by {self.text.rpartition('=')[2].strip()}")

    def limit(self, before: Any) -> Any:
        """The largest value that is allowed; None: any."""
        if self.part is not None:
            return before + before * self.part
        return None if self.amount is None else before + self.amount


def read_growth(text: str) -> Growth:
    """``macs=1%``, ``params=20K``, ``peak=1MiB``, ``time('a100')=0`` or ``memory=any``. ArchcalcError for other texts."""
    name, equals, given = text.rpartition("=")
    given = given.strip()
    if not equals or not name.strip() or not given or name.endswith(("<", ">", "!", "=")):
        raise ArchcalcError(f"expected FIGURE=GROWTH such as macs=1% or peak=1MiB, got {message_text(text)}")
    of = _number(name.strip())
    if of.subject is None and of.cost == 0:
        raise ArchcalcError(f"{of.text} is no figure of a network")
    if given == ANY:
        return Growth(text, of)
    if percent := re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{1,9})?)\s*%", given):
        return Growth(text, of, part=Fraction(percent[1]) / 100)
    if not re.match(r"[0-9.]", given):
        raise ArchcalcError(f"{name.strip()}: expected a growth such as 1%, 20K or any, got {message_text(given)}")
    by = _number(given)
    if by.cost:
        raise ArchcalcError(f"{name.strip()}: expected a growth such as 1%, 20K or any, got {message_text(given)}")
    if by.unit != of.unit and given != "0":
        raise ArchcalcError(f"{of.text} is {named(of.unit)}, and the growth {given} is {named(by.unit)}")
    return Growth(text, of, amount=by.value(None))


def _number(text: str) -> Typed:
    try:
        return need_number(figure(text))
    except ExpressionError as error:
        raise ArchcalcError(f"figure: {error}") from None


def growths(given: Sequence[Growth]) -> list[Growth]:
    """The limits that are given, and none of the usual figures may grow otherwise."""
    stated = {one.figure.text for one in given}
    return [*given, *(read_growth(f"{name}=0") for name in USUAL if name not in stated)]


def grown(old: Analysis, new: Analysis, limits: Sequence[Growth]) -> list[Finding]:
    """The figures that grew by more than is allowed, each with the layers that changed."""
    found, pairs = [], None
    for one in limits:
        try:
            value = one.figure.value(new)
        except MissingError:  # what has no figure has not grown
            continue
        try:
            before = one.figure.value(old)
        except MissingError:
            before = 0
        limit = one.limit(before)
        if limit is None or value <= limit:
            continue
        pairs = pairs or aligned(old, new).pairs
        parts = () if one.figure.subject is None else _changed(old, new, one.figure.subject, pairs)
        found.append(
            Finding(
                new.network.full_name,
                one.budget,
                one.budget.text,
                one.figure.text,
                value,
                limit,
                unit=one.figure.unit,
                sign=1,
                before=before,
                parts=parts,
                place=place_of(new, parts),
            )
        )
    return found


def _changed(
    old: Analysis, new: Analysis, subject: Subject, pairs: Sequence[tuple[Row | None, Row | None]]
) -> tuple[Part, ...]:
    """What has another amount than in the baseline, what grew most first. A layer is compared with its partner."""
    before, now = (_summed(subject.shares(one)) for one in (old, new))
    found = []
    for left, right in pairs:
        had = before.pop(left.name, 0) if left is not None else 0
        has = now.pop(right.name, 0) if right is not None else 0
        name = (right or left).name  # type: ignore[union-attr]
        found.append(Part(name, has, had, (left, right)))
    found += [Part(name, now.get(name, 0), before.get(name, 0)) for name in {**before, **now}]
    changed = [part for part in found if part.grown]
    return tuple(sorted(changed, key=lambda part: -part.grown)[:MOST_PARTS])


def _summed(shares: Sequence[Share]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for share in shares:
        found[share.name] = found.get(share.name, 0) + amount(share.amount)
    return found
