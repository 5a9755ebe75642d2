"""Formulas of the totals, for many networks of one spec that differ in numbers.

A network that is analyzed alone is made layer by layer, which takes milliseconds. After ``FIRST`` networks, archcalc computes
the totals of all of them again, on symbols (``archcalc.symbols``). The formula that results takes a fraction of a
millisecond for the numbers of another network. It is used only if it gives the totals of all networks that it was made from.
Numbers that it does not accept are computed layer by layer, and are among those of the next formula.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from math import inf, isfinite
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast

from archcalc.analysis.totals import Totals, sum_activations, sum_network
from archcalc.conventions import Convention
from archcalc.errors import ArchcalcError, DiffersError, LayerError
from archcalc.network import Network
from archcalc.sizes import Int, Shape, Work

if TYPE_CHECKING:
    from archcalc.symbols import Formula

FIRST = 32
"""How many networks are computed layer by layer before the first formula. Before a further one, twice as many as are known."""
MOST_KNOWN = 512
"""The most networks that a formula is made from."""
MOST_FORMULAS = 8
"""The most formulas of one kind of network. Networks that differ in their structure have formulas of their own."""
MOST_DIVISIONS, FEWEST = 8, 4
"""How often networks are divided because they differ in their structure, and how few of them have no formula."""
MOST_KINDS = 32
"""The most kinds of networks of one spec: with the same settings that are no numbers, and the same convention."""
EXACT = 2**53
"""Ints below are exact as floats. Others are not varied."""

Numbers: TypeAlias = tuple[float, ...]
Sums: TypeAlias = list[Any]
"""The totals and the activations, in one list."""


class Case(NamedTuple):
    """What is summed: a network, how many images, how the sums are counted, and whether side heads run."""

    network: Network
    batch: Int
    convention: Convention
    training: bool

    @property
    def inputs(self) -> dict[str, Shape]:
        """The inputs that do not follow from the settings."""
        return {} if self.network.at_own_input else self.network.inputs

    @property
    def activations(self) -> Int:
        return sum_activations(self.network, self.batch, self.training)

    def computed(self, numbers: Iterator[Any]) -> Sums:
        """The sums for other numbers, or for symbols, layer by layer."""
        settings = {name: _put(value, numbers) for name, value in self.network.settings.items()}
        inputs = {name: _put(shape, numbers) for name, shape in self.inputs.items()}
        there = self.network.at(inputs or None, settings)
        if there.side_problem:
            raise LayerError("a side head does not fit")
        other = self._replace(network=there, batch=_put(self.batch, numbers))
        return _flat((sum_network(there, other.batch, other.convention, other.training), other.activations))


class Formulas:
    """The formulas of one kind of network, and the sums of networks that were computed layer by layer.

    ``convention``: how the sums are counted. It is held, because its id is a part of the key of the kind.
    """

    def __init__(self, convention: Convention) -> None:
        self.convention = convention
        self._known: dict[Numbers, Sums] = {}
        self._formulas: list[Formula] = []
        self._wait: float = FIRST

    def sums(self, numbers: Numbers) -> Sums | None:
        """The sums for numbers; None if they are not known, and no formula accepts the numbers."""
        if numbers in self._known:
            return self._known[numbers]
        return next((found for formula in self._formulas if (found := _result(formula, numbers)) is not None), None)

    def knows(self, numbers: Numbers) -> bool:
        """Whether the sums of these numbers were noted."""
        return numbers in self._known

    def learn(self, numbers: Numbers, sums: Sums, compute: Callable[[Iterator[Any]], Sums]) -> None:
        """Note the sums of a network that is not known. If enough are new, make a formula."""
        if len(self._known) >= MOST_KNOWN:
            del self._known[next(iter(self._known))]
        self._known[numbers] = sums
        self._wait -= 1
        if self._wait > 0:
            return
        self._wait = 2 * len(self._known)
        try:
            formula = self._made(numbers, compute)
        except ImportError:  # NumPy is not installed
            self._wait = inf
            return
        if formula is not None:
            others = [one for one in self._known if _result(formula, one) is None]
            needed = [one for one in self._formulas if any(_result(one, at) is not None for at in others)]
            self._formulas = [formula, *needed[: MOST_FORMULAS - 1]]

    def _made(self, latest: Numbers, compute: Callable[[Iterator[Any]], Sums]) -> Formula | None:
        """A formula for the networks with the structure of the latest one; None if there is none."""
        from archcalc.symbols import Calculation, NoFormulaError

        known = [latest, *(one for one in self._known if one != latest)]
        for _ in range(MOST_DIVISIONS):
            calculation = Calculation(list(zip(*known, strict=True)))
            try:
                formula = calculation.formula(compute(iter(calculation.numbers)))
            except DiffersError as error:
                holds: Any = getattr(error.holds, "elements", ())
                known = [one for one, same in zip(known, holds, strict=False) if same == holds[0]]
                if len(known) < FEWEST:
                    return None
            except (ArchcalcError, LayerError, NoFormulaError, AttributeError, TypeError):
                return None
            else:
                return formula if all(_result(formula, one) == self._known[one] for one in known) else None
        return None


def sums_of(case: Case) -> tuple[Totals, Int] | None:
    """The totals and the activations by a formula, or of an equal network, without layers; None if there are none."""
    place = _place(case)
    sums = None if place is None else place[0].sums(place[1])
    if sums is None:
        return None
    values = iter(sums)
    of: dict[str, Any] = {
        name: Work(*islice(values, len(Work._fields))) if name == "work" else next(values) for name in Totals._fields
    }
    return Totals(**of), next(values)


def learn(case: Case, totals: Totals) -> None:
    """Note the totals of a network, which were computed layer by layer."""
    place = _place(case)
    if place is not None and not case.network.side_problem and not place[0].knows(place[1]):
        place[0].learn(place[1], _flat((totals, case.activations)), case.computed)


def _place(case: Case) -> tuple[Formulas, Numbers] | None:
    """The formulas of the kind of a network, and its numbers; None if it has no formula."""
    known, numbers = case.network.formulas, list[float]()
    if known is None:
        return None
    settings = _taken(tuple(case.network.settings.values()), numbers)
    kind = settings, _taken((*case.inputs.values(), case.batch), numbers), id(case.convention), case.training
    try:
        formulas = cast("Formulas | None", known.get(kind))
    except TypeError:  # an array
        return None
    if formulas is None:
        if len(known) >= MOST_KINDS:
            known.clear()
        formulas = known[kind] = Formulas(case.convention)
    return formulas, tuple(numbers)


def _varies(value: Any) -> bool:
    """Whether a value is one of the numbers in which networks of one kind differ."""
    return (type(value) is int and abs(value) < EXACT) or (type(value) is float and isfinite(value))


def _taken(value: Any, numbers: list[float]) -> Any:
    """A value as a part of a key. Its numbers are added to ``numbers``, and have their types in the key."""
    if _varies(value):
        numbers.append(value)
        return type(value)
    if isinstance(value, (list, tuple)):
        return type(value), tuple([_taken(one, numbers) for one in value])
    return type(value), value


def _put(value: Any, numbers: Iterator[Any]) -> Any:
    """A value with other numbers in the places of its own."""
    if _varies(value):
        return next(numbers)
    if isinstance(value, (list, tuple)):
        items = [_put(one, numbers) for one in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    return value


def _flat(record: Iterable[Any]) -> list[Any]:
    """The values of a record and of the records in it."""
    return [value for one in record for value in (_flat(one) if hasattr(one, "_fields") else [one])]


def _result(formula: Formula, numbers: Numbers) -> Sums | None:
    """The result of a formula; None if it does not accept the numbers."""
    try:
        return formula(*numbers)
    except (
        ZeroDivisionError,
        OverflowError,
        ValueError,
    ):  # by an operation that code on arrays computes but does not use
        return None
