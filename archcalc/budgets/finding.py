"""What a check finds: a budget, and what is over it, as data."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple

from archcalc.analysis.rows import Row
from archcalc.conditions.dimension import NUMBER
from archcalc.conditions.parts import Unit
from archcalc.errors import Place

NOWHERE = Place()


class Budget(NamedTuple):
    """A condition, and the file and line that state it. A file of '' is the command line, or code."""

    text: str
    place: Place = NOWHERE


class Part(NamedTuple):
    """What a layer, or another part of a network, has of a figure.

    before: what it had in the baseline; None without a baseline. rows: the layer in the baseline and now, where there is one.
    """

    name: str
    amount: Any
    before: Any = None
    rows: tuple[Row | None, Row | None] = (None, None)

    @property
    def grown(self) -> Any:
        return self.amount - self.before


class Finding(NamedTuple):
    """A budget that a network does not meet.

    network         its full name
    part, figure    the part of the condition that does not hold, and the figure that it is about; '' if it compares none
    value, limit    both sides of the comparison, in ``unit``
    stated          the limit as it is written
    sign            1: the value is over the limit; -1: below a lower limit; 0: both must be equal, or must not
    missing         the figure that the network lacks
    before          the value in the baseline
    parts           what has most of the figure, the largest first
    place           of the layer to look at
    """

    network: str
    budget: Budget
    part: str
    figure: str = ""
    value: Any = None
    limit: Any = None
    stated: str = ""
    unit: Unit = NUMBER
    sign: int = 0
    missing: str = ""
    before: Any = None
    parts: tuple[Part, ...] = ()
    place: Place = NOWHERE

    @property
    def over(self) -> Any:
        """By how much the value is over or below the limit; None if the part compares no figures."""
        return None if self.value is None or self.limit is None else abs(self.value - self.limit)

    @property
    def ratio(self) -> Any:
        """``over`` as a part of the limit; None if the limit is zero."""
        return None if self.over is None or not self.limit else abs(Fraction(self.over) / self.limit)


class Checked(NamedTuple):
    """The result for one network: its file ('': none of the user), its budgets, and what is over.

    new: there is a baseline, and it has no such network.
    """

    network: str
    file: str
    budgets: tuple[Budget, ...]
    findings: tuple[Finding, ...]
    new: bool = False
