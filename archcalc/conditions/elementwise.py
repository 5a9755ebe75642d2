"""Exact numbers and truths for every element of arrays.

A number is a quotient of two whole numbers, because a condition compares 1.1M and ``macs / params`` exactly. int64 overflows
silently, so an operation whose result may exceed int64 runs on Python's ints instead, in arrays of objects.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, TypeAlias

from archcalc.sizes import is_array

Array: TypeAlias = Any
"""A NumPy array."""
Whole: TypeAlias = Any
"""An int, or an array of ints: int64, or Python's ints as objects."""
LIMIT = 2**63
COMPARE: Mapping[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
FLIPPED: Mapping[str, str] = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
"""The operator of a comparison whose sides change places."""


class Truths:
    """Whether something holds, for every element; where it is not known, an element lacks a figure."""

    __slots__ = ("holds", "known")

    def __init__(self, holds: Array, known: Array | bool = True) -> None:
        self.holds, self.known = holds, known

    @property
    def definite(self) -> Array:
        """Where it is known to hold."""
        return self.holds & self.known

    def negated(self) -> Truths:
        return Truths(~self.holds, self.known)

    def joined(self, other: Truths | bool | None, settles: bool) -> Truths:
        """This or the other (``settles`` True), or both (False). None: the other is not known.

        A part that settles the question makes it known, whatever the other part is.
        """
        holds, known = _pair(other)
        settled = (self.known & (self.holds == settles)) | (known & (holds == settles))
        return Truths(settled if settles else ~settled, (self.known & known) | settled)

    def settled(self, settles: bool) -> bool:
        """Whether every element is settled, so that no other part matters."""
        return bool((self.known & (self.holds == settles)).all())


def _pair(one: Truths | bool | None) -> tuple[Array | bool, Array | bool]:
    """Where it holds, and where that is known. None: nowhere."""
    if isinstance(one, Truths):
        return one.holds, one.known
    return (False, False) if one is None else (one, True)


class Numbers:
    """An exact number for every element: ``over / under``, where ``under`` is positive, known or lacking.

    ``floats`` are the values as a float array, if they come from one.
    """

    __slots__ = ("_quotient", "floats", "known")

    def __init__(self, over: Whole, under: Whole = 1, known: Array | bool = True) -> None:
        self._quotient: tuple[Whole, Whole] | None = (over, under)
        self.known = known
        self.floats: Array = None

    @classmethod
    def of_floats(cls, floats: Array, known: Array | bool) -> Numbers:
        numbers = cls(0, 1, known)
        numbers._quotient, numbers.floats = None, floats
        return numbers

    @property
    def quotient(self) -> tuple[Whole, Whole]:
        if self._quotient is None:
            written: dict[float, tuple[int, int]] = {}
            for value in (values := self.floats.ravel().tolist()):
                if value not in written:
                    written[value] = _written(value).as_integer_ratio()
            over, under = (_filled(self.floats, [written[value][part] for value in values]) for part in (0, 1))
            self._quotient = over, under
        return self._quotient

    @property
    def values(self) -> Array:
        """The numbers as Python has them: an int where a number is whole, else a float; None where it is lacking."""
        if self.floats is not None and self.known is True:
            return self.floats
        over, under = self.quotient
        if self.known is True and not is_array(under) and under == 1:
            return over
        blank = (over + under + self.known) * 0
        found = blank.astype(object)
        parts = ((part + blank).ravel().tolist() for part in (over, under, (self.known + blank) != 0))
        found.reshape(-1)[:] = [plain(Fraction(a, b)) if known else None for a, b, known in zip(*parts, strict=True)]
        return found

    def __add__(self, other: Any) -> Numbers:
        (a, b), (c, d), known = *_quotients(self, other), _known(self, other)
        return Numbers(_run("+", _run("*", a, d), _run("*", c, b)), _run("*", b, d), known)

    def __sub__(self, other: Any) -> Numbers:
        return self.__add__(-other)

    def __mul__(self, other: Any) -> Numbers:
        (a, b), (c, d) = _quotients(self, other)
        return Numbers(_run("*", a, c), _run("*", b, d), _known(self, other))

    __radd__, __rmul__ = __add__, __mul__

    def __rsub__(self, other: Any) -> Numbers:
        return (-self).__add__(other)

    def __neg__(self) -> Numbers:
        return self * -1

    def __abs__(self) -> Numbers:
        return chosen(compared("<", self, 0), -self, self)

    def __truediv__(self, other: Any) -> Numbers:
        """Elements that are divided by zero are not known."""
        (a, b), (c, d) = _quotients(self, other)
        zero = c == 0
        sign = _run("-", (c > 0) * 1, (c < 0) * 1)
        under = _run("*", b, _run("+", _run("*", c, sign), zero * 1))
        return Numbers(_run("*", _run("*", a, d), sign), under, _known(self, other) & (zero == 0))

    def __rtruediv__(self, other: Any) -> Numbers:
        return Numbers(*_whole(other)).__truediv__(self)

    def __floordiv__(self, other: Any) -> Numbers:
        divided = self / other
        return Numbers(_run("//", *divided.quotient), 1, divided.known)

    def __rfloordiv__(self, other: Any) -> Numbers:
        return Numbers(*_whole(other)).__floordiv__(self)

    def __mod__(self, other: Any) -> Numbers:
        return self.__sub__(self // other * other)

    def __rmod__(self, other: Any) -> Numbers:
        return Numbers(*_whole(other)).__mod__(self)


def plain(value: Any) -> Any:
    """A value as users have it: a quotient is an int if it is whole, else a float. Truths are an array of bool."""
    if isinstance(value, Fraction):
        return value.numerator if value.denominator == 1 else float(value)
    return value.values if isinstance(value, Numbers) else value.definite if isinstance(value, Truths) else value


def number(value: Any) -> Any:
    """An exact number: an int, a Fraction, or Numbers; None if the value is no finite number.

    A float is the number that is written: 0.1 is a tenth.
    """
    if isinstance(value, (int, Fraction)):
        return value
    if is_array(value):
        return _of_array(value)
    if hasattr(value, "dtype"):
        value = value.item()
    if isinstance(value, float):
        return _written(value) if math.isfinite(value) else None
    return value if isinstance(value, int) else None


def _of_array(values: Array) -> Numbers:
    if values.dtype == object:
        found = [number(value) for value in values.ravel().tolist()]
        ratios = [(0, 1) if one is None else one.as_integer_ratio() for one in found]
        over, under = (_filled(values, [ratio[part] for ratio in ratios]) for part in (0, 1))
        return Numbers(over, under, _filled(values, [int(one is not None) for one in found]) == 1)
    if values.dtype.kind != "f":
        return Numbers(values.astype(object if _magnitude(values) >= LIMIT else "int64", copy=False))
    finite = (values < math.inf) & (values > -math.inf)
    if finite.all():
        return Numbers.of_floats(values, True)
    values = values.copy()
    values[~finite] = 0
    return Numbers.of_floats(values, finite)


def _written(value: float) -> Fraction:
    return Fraction(repr(value))


def compared(op: str, a: Any, b: Any) -> Any:
    """Whether ``a op b``, exactly: a bool, or Truths for every element."""
    compare = COMPARE[op]
    if not isinstance(a, Numbers) and not isinstance(b, Numbers):
        holds = compare(a, b)  # of texts, also in arrays
        return Truths(holds) if is_array(holds) else holds
    for one, other, run in ((a, b, compare), (b, a, lambda x, y: compare(y, x))):
        if isinstance(one, Numbers) and one.floats is not None and isinstance(other, (int, Fraction)):
            return _with_floats(one, other, run)
    (n, d), (m, e) = _quotients(a, b)
    return Truths(_run(op, _run("*", n, e), _run("*", m, d)), _known(a, b))


def _with_floats(numbers: Numbers, other: Fraction | int, run: Callable[[Any, Any], Any]) -> Truths:
    """Rounding keeps the order, so only a float that is the other number rounded is compared exactly."""
    try:
        near = float(other)
    except OverflowError:
        near = math.inf if other > 0 else -math.inf
    holds = run(numbers.floats, near)
    if math.isfinite(near):
        same = numbers.floats == near
        holds = (holds & ~same) | (same & run(_written(near), other))
    return Truths(holds, numbers.known)


def chosen(where: Truths, a: Any, b: Any) -> Numbers:
    """a where the condition holds, else b. None: a value that is lacking."""
    yes, no = where.holds, ~where.holds
    known = (yes & (a is not None and _known(a))) | (no & (b is not None and _known(b)))
    (n, d), (m, e) = _quotients(*(0 if one is None else one for one in (a, b)))
    over, under = (_run("+", _run("*", one, yes * 1), _run("*", other, no * 1)) for one, other in ((n, m), (d, e)))
    return Numbers(over, under, known & where.known)


def chosen_truths(where: Truths, a: Truths | bool | None, b: Truths | bool | None) -> Truths:
    """a where the condition holds, else b. None: not known."""
    yes, no = where.holds, ~where.holds
    holds, known = ((yes & one) | (no & other) for one, other in zip(_pair(a), _pair(b), strict=True))
    return Truths(holds, known & where.known)


def _known(*numbers: Any) -> Any:
    known: Any = True
    for one in numbers:
        if isinstance(one, Numbers):
            known = known & one.known
    return known


def _whole(value: Any) -> tuple[Whole, Whole]:
    return value.quotient if isinstance(value, Numbers) else value.as_integer_ratio()


def _quotients(*values: Any) -> tuple[tuple[Whole, Whole], ...]:
    return tuple(map(_whole, values))


def _filled(like: Array, values: list[int]) -> Array:
    """An array of this shape with these ints."""
    filled = like.astype(object, order="C")
    filled.reshape(-1)[:] = values
    return filled.astype("int64") if _magnitude(filled) < LIMIT else filled


def _run(op: str, a: Whole, b: Whole) -> Whole:
    """``a op b``. On arrays, in int64 if neither the numbers nor the result can exceed it, else on Python's ints."""
    run = COMPARE.get(op) or _ARITHMETIC[op]
    if is_array(a) or is_array(b):
        x, y = _magnitude(a), _magnitude(b)
        if max(x, y, x + y if op in "+-" else x * y if op == "*" else 0) >= LIMIT:
            a, b = (one.astype(object) if is_array(one) else one for one in (a, b))
    return run(a, b)


_ARITHMETIC: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "//": operator.floordiv,
}


def _magnitude(n: Whole) -> int:
    """The largest absolute value, as a Python int."""
    if not is_array(n):
        return abs(int(n))
    return max(abs(int(n.min())), abs(int(n.max()))) if n.size else 0
