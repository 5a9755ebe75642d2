"""The parts of a condition: their units, which are checked before anything is computed, and what joins them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import Any, NamedTuple

from archcalc.conditions.dimension import EXAMPLES, NUMBER, Dimension
from archcalc.conditions.elementwise import Numbers, Truths, chosen, chosen_truths, compared, number
from archcalc.errors import ArchcalcError
from archcalc.language.grammar import ExpressionError
from archcalc.sizes import is_array

ARITHMETIC: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": lambda a, b: Fraction(a) / b if isinstance(a, int) else a / b,
    "//": operator.floordiv,
    "%": operator.mod,
}
Unit = Dimension | str
"""The unit of a number; ``text`` for words, ``truth`` for what is true or false, ``list`` for a list. A ``setting`` of a
network has the unit of what it stands beside, since another network may have another kind of value."""
Value = Callable[[Any], Any]
Later = Callable[[], Any]
"""A part that is computed if it is needed. It may raise MissingError."""
NAMED: Mapping[str, str] = {"text": "a text", "truth": "a condition", "list": "a list", "setting": "a setting"}


class MissingError(Exception):
    """The network has no such figure; the text is its name."""


class Share(NamedTuple):
    """What a layer, or another part of a network, has of a figure."""

    name: str
    amount: Any


class Subject(NamedTuple):
    """The figure that a part of a condition is about: its text, its unit, and what every layer has of it."""

    text: str
    unit: Unit
    shares: Callable[[Any], list[Share]]


class Typed(NamedTuple):
    """A part of a condition.

    text: for messages. value: the function from an analysis or a row to its value, and ``cost`` how costly that is
    (``archcalc.conditions.figures``). subject: the first figure in it. sides: of a comparison, the operator and both
    sides. parts: what ``and`` joins.
    """

    text: str
    unit: Unit
    value: Value
    cost: int = 0
    subject: Subject | None = None
    sides: tuple[str, Typed, Typed] | None = None
    parts: tuple[Typed, ...] = ()


def named(unit: Unit) -> str:
    """A unit in a sentence: what a figure is."""
    if isinstance(unit, str):
        return NAMED[unit]
    return "a number" if unit == NUMBER else f"in {unit}"


def need(one: Typed, unit: str, sentence: str) -> Typed:
    """The part, with this unit; ExpressionError with the sentence if it has another one."""
    one = _taken(one, unit)
    if one.unit != unit:
        raise ExpressionError(f"{sentence}; {one.text} is {named(one.unit)}")
    return one


def need_number(one: Typed) -> Typed:
    one = _taken(one, NUMBER)
    if not isinstance(one.unit, Dimension):
        raise ExpressionError(f"{one.text} is {named(one.unit)}, expected a number")
    return one


def alike(left: Typed, right: Typed) -> tuple[Typed, Typed]:
    """Two parts of one unit. ExpressionError for unlike units. A zero has any unit, and a setting that of the other part."""
    left, right = _taken(left, right.unit), _taken(right, left.unit)
    both_numbers = isinstance(left.unit, Dimension) and isinstance(right.unit, Dimension)
    if left.unit == right.unit or (both_numbers and "0" in (left.text, right.text)):
        return left, right
    text = f"{left.text} is {named(left.unit)}, and {right.text} is {named(right.unit)}"
    for one, other in ((left, right), (right, left)):
        if one.text[:1].isdigit() and other.unit in EXAMPLES:
            text += f"; write {one.text} with a unit, such as {EXAMPLES[other.unit]}"
    raise ExpressionError(text)


def kind_of(value: Any) -> Unit:
    """The unit of a setting's value."""
    if isinstance(value, bool):
        return "truth"
    if is_array(value):
        return NUMBER if value.dtype.kind in "iuf" else "text"
    return "text" if isinstance(value, str) else "list" if isinstance(value, (list, tuple)) else NUMBER


def _taken(one: Typed, unit: Unit) -> Typed:
    """A setting as a part of this unit; any other part as it is. A network with another kind of value lacks the setting."""
    if one.unit != "setting" or unit == "setting" or (isinstance(unit, Dimension) and unit != NUMBER):
        return one

    def value(of: Any) -> Any:
        found = one.value(of)
        if kind_of(found) != unit:
            raise MissingError(f"{one.text} as {named(unit)}")
        return exact(found, one.text)

    return one._replace(unit=unit, value=value)


def exact(value: Any, text: str) -> Any:
    """A value with exact numbers. MissingError if it is no value."""
    if isinstance(value, (list, tuple)):
        return [exact(one, text) for one in value]
    found = value if isinstance(value, (str, bool, Numbers)) else number(value)
    if found is None:
        raise MissingError(text)
    return found


def arithmetic(op: str, left: Typed, right: Typed) -> Typed:
    left, right = need_number(left), need_number(right)
    a, b = left.unit, right.unit
    assert isinstance(a, Dimension)
    assert isinstance(b, Dimension)
    if op in ("+", "-", "%"):
        alike(left, right)
        unit = a
    else:
        sign = 1 if op == "*" else -1
        unit = Dimension(*(x + sign * y for x, y in zip(a, b, strict=True)))
    run, text = ARITHMETIC[op], f"{left.text} {op} {right.text}"

    def value(of: Any) -> Any:
        try:
            return run(left.value(of), right.value(of))
        except ZeroDivisionError:
            raise MissingError(text) from None

    return Typed(text, unit, value, max(left.cost, right.cost), left.subject or right.subject)


def comparison(op: str, left: Typed, right: Typed) -> Typed:
    left, right = alike(left, right)
    text, cost = f"{left.text} {op} {right.text}", max(left.cost, right.cost)
    if left.unit in ("text", "truth", "list") and op not in ("==", "!="):
        raise ExpressionError(f"{text}: {'lists' if left.unit == 'list' else 'words'} are compared by == and != alone")

    def value(of: Any) -> Any:
        a, b = left.value(of), right.value(of)
        if left.unit == "setting":
            a, b = exact(a, left.text), exact(b, right.text)
            if kind_of(a) != kind_of(b) or (kind_of(a) != NUMBER and op not in ("==", "!=")):
                raise MissingError(text)
        return negated(_equal(a, b)) if op == "!=" else _equal(a, b) if op == "==" else compared(op, a, b)

    return Typed(text, "truth", value, cost, left.subject or right.subject, (op, left, right))


def _equal(a: Any, b: Any) -> Any:
    if not isinstance(a, list) or not isinstance(b, list):
        return kind_of(a) == kind_of(b) and compared("==", a, b)
    same = [_equal(*pair) for pair in zip(a, b, strict=False)]
    return len(a) == len(b) and joined(map(later, same), False)


def negated(holds: Any) -> Any:
    return holds.negated() if isinstance(holds, Truths) else not holds


def later(value: Any) -> Later:
    return lambda: value


def joined(parts: Iterable[Later], settles: bool) -> Any:
    """Whether one part holds (``settles`` True), or all hold (False).

    A part that settles the question makes the others irrelevant, also those that the network lacks. So the order of the
    parts does not matter, and a settled question computes no more parts.
    """
    found: Truths | None = None
    missing: MissingError | None = None
    for part in parts:
        try:
            one = part()
        except MissingError as error:
            missing = missing or error
            continue
        if isinstance(one, Truths):
            found = one if found is None else found.joined(one, settles)
            if found.settled(settles):
                return found
        elif one == settles:
            return settles
    if found is not None:
        return found.joined(None, settles) if missing else found
    if missing:
        raise missing
    return not settles


def either(condition: Any, value: Later, other: Later) -> Any:
    """One value where the condition holds, and another where it does not."""
    if not isinstance(condition, Truths):
        return value() if condition else other()
    found = []
    for one in (value, other):
        try:
            found.append(one())
        except MissingError as error:
            found.append(None)
            missing = error
    if found == [None, None]:
        raise missing
    if any(isinstance(one, (str, list)) for one in found):
        raise ArchcalcError("condition: words and lists cannot differ between the elements of arrays")
    pick = chosen_truths if any(isinstance(one, (bool, Truths)) for one in found) else chosen
    return pick(condition, *found)
