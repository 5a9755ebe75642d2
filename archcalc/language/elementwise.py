"""The expression language on arrays: every element is what the language gives for single numbers.

A comparison may hold for some elements and not for others. Within an expression it is then an array of bool. No such
array leaves an expression, because a network has one structure: DiffersError.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from archcalc.errors import DiffersError
from archcalc.language.bounds import bounded
from archcalc.language.grammar import ExpressionError
from archcalc.sizes import equal, int_text, is_array, largest, smallest

APART = "networks of different structure are evaluated apart"


def differs(holds: Any, why: str = "a condition holds for some numbers of an array and not for others") -> DiffersError:
    """The error about what differs between the elements of arrays: a condition, unless ``why`` says something else."""
    return DiffersError(f"{why}; {APART}", holds)


def single(value: Any) -> Any:
    """An array of whole numbers as the one number that all elements are: the structure of a network depends on it.

    DiffersError if the elements differ. Its ``holds`` says which elements equal the first. Any other value stays.
    """
    if not is_array(value) or not is_whole(value):
        return value
    first = value.item(0)
    holds = value == first
    if smallest(holds):
        return first
    raise differs(holds, f"a number that the structure depends on is {int_text(value)} in an array")


def is_whole(n: Any) -> bool:
    """Whether n is an int or an int64 array. A whole number in a float is not."""
    return type(n) is int or (is_array(n) and str(n.dtype) == "int64")


def is_mixed(value: Any) -> bool:
    """Whether a value is true for some elements and false for others."""
    return is_array(value) and str(value.dtype) == "bool"


def decided(value: Any) -> Any:
    """``value``; DiffersError if it is true for some elements and false for others."""
    if is_mixed(value):
        raise differs(value)
    return value


def uniform(holds: Any) -> Any:
    """An array of bool as one bool if all elements are equal; else the array."""
    return bool(largest(holds)) if smallest(holds) == largest(holds) else holds


def equal_values(a: Any, b: Any) -> Any:
    """``a == b`` for values of which at least one is an array or a list with arrays: a bool or an array of bool."""
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        if type(a) is not type(b) or len(a) != len(b):
            return False
        same: Any = True
        for x, y in zip(a, b, strict=True):
            same = same & equal_values(x, y)
        return same
    if all(is_array(n) or isinstance(n, (int, float)) for n in (a, b)):
        return a == b
    return False if is_array(a) or is_array(b) else a == b


def chosen(holds: Any, value: Any, other: Any) -> Any:
    """``value`` where the condition holds, else ``other``; DiffersError if the values are not numbers.

    Both are computed for all elements, so that one of them may be used for no element at all.
    """
    if all(_is_number(n) for n in (value, other)):
        return where(holds, value, other)
    if all(isinstance(n, bool) or is_mixed(n) for n in (value, other)):
        return uniform((value & holds) | (other & ~holds))
    if type(value) is type(other) and isinstance(value, str) and value == other:
        return value
    raise differs(holds)


def where(holds: Any, value: Any, other: Any) -> Any:
    """The numbers ``value`` where a condition holds, else the numbers ``other``."""
    if isinstance(holds, bool):
        return value if holds else other
    return value * holds + other * ~holds  # exact, because one of the two is zero


def _is_number(value: Any) -> bool:
    return (isinstance(value, (int, float)) and not isinstance(value, bool)) or (
        is_array(value) and not is_mixed(value)
    )


OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "//": operator.floordiv,
    "%": operator.mod,
    "/": operator.truediv,
}


def arithmetic(op: str, a: Any, b: Any) -> Any:
    """``a op b`` for numbers, at least one of them an array. All operands are within the bounds of numbers."""
    bounded(a), bounded(b)
    whole = is_whole(a) and is_whole(b)
    if op in ("//", "%", "/"):
        if largest(b == 0):
            raise ExpressionError(f"division by zero: {int_text(a)} {op} {int_text(b)}")
        if op == "/" and whole and equal(a % b, 0):
            return bounded(a // b)
    elif op == "*" and whole and int(largest(abs(a))) * int(largest(abs(b))) >= 2**63:
        bounded(a * (b * 1.0) / 2)  # int64 products would wrap around; those of floats are off by less than the half
    return bounded(OPERATORS[op](a, b))


def _ceil(n: Any) -> Any:
    return n if is_whole(n) else -_floor(-n)


def _floor(n: Any) -> Any:
    return n if is_whole(n) else (n // 1).astype("int64")


def _int(n: Any) -> Any:
    return n.astype("int64")


def _round(n: Any) -> Any:
    """Rounded to the nearest whole number, a half to the even one, as Python rounds."""
    return n.round().astype("int64")


def _best(better: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """``max`` or ``min`` of a list or of several numbers."""

    def best(*values: Any) -> Any:
        first, *others = values if len(values) > 1 else values[0]
        for value in others:
            first = where(better(value, first), value, first)
        return first

    return best


def _sum(values: Any) -> Any:
    total: Any = 0
    for value in values:
        total = bounded(total + value)
    return total


def _make_divisible(v: Any, divisor: Any = 8) -> Any:
    if not is_whole(divisor) or smallest(divisor) < 1:
        raise ExpressionError(f"make_divisible needs a whole divisor from 1 on, got {int_text(divisor)}")
    rounded = _best(operator.gt)(divisor, _int(v + divisor / 2) // divisor * divisor)
    return rounded + divisor * (rounded < 0.9 * v)


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "abs": abs,
    "ceil": _ceil,
    "floor": _floor,
    "int": _int,
    "make_divisible": _make_divisible,
    "max": _best(operator.gt),
    "min": _best(operator.lt),
    "round": _round,
    "sum": _sum,
}
"""The functions of ``operations.FUNCTIONS`` on numbers of which at least one is an array."""
