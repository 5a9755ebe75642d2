"""The operators and functions of the expression language, on numbers, lists and words; on arrays see ``elementwise``.

Every result is bounded: see ``bounds``. If the time of a function grows with a list, the function reports its operations
to ``spend``.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

from archcalc.language import elementwise
from archcalc.language.bounds import Spend, bounded, bounded_list, free
from archcalc.language.elementwise import equal_values, is_mixed, single, uniform
from archcalc.language.grammar import ExpressionError
from archcalc.layers.settings import message_text
from archcalc.sizes import is_array

UNKNOWN: Any = object()
"""A value in a scope that is unknown because of an earlier problem. That problem is already reported."""


class UnknownValueError(ExpressionError):
    """The value depends on an unknown value. The cause is already reported."""


def make_divisible(v: Any, divisor: Any = 8) -> Any:
    """v rounded to a multiple of divisor, never down by more than 10 %.

    The rule of the MobileNet authors' code: the nearest multiple, at least ``divisor``. If the nearest multiple is
    below 0.9*v, the next larger multiple.
    """
    if not isinstance(divisor, int) or divisor < 1:
        raise ExpressionError(f"make_divisible needs a whole divisor from 1 on, got {divisor}")
    rounded = max(divisor, int(v + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * v else rounded


def sum_of(values: Any) -> Any:
    """The sum from left to right. Python's own ``sum`` of floats differs between its versions."""
    total: Any = 0
    for value in values:
        total = total + value
    return total


FUNCTIONS: Mapping[str, tuple[Callable[..., Any], int, int]] = {
    # name: function, fewest and most arguments
    "abs": (abs, 1, 1),
    "ceil": (math.ceil, 1, 1),
    "floor": (math.floor, 1, 1),
    "int": (int, 1, 1),
    "len": (len, 1, 1),  # of a list, like sum
    "make_divisible": (make_divisible, 1, 2),
    "max": (max, 1, 8),  # of a list or of several numbers, like min
    "min": (min, 1, 8),
    "round": (round, 1, 1),
    "sum": (sum_of, 1, 1),
}

PLAIN = frozenset((int, float, str, bool, type(None)))
"""The types of single values: neither arrays, nor lists, which may hold arrays."""

COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def number(value: Any) -> Any:
    """``value`` if it is a number or an array of numbers; ExpressionError otherwise."""
    if type(value) is int or (isinstance(value, (int, float)) and not isinstance(value, bool)) or is_array(value):
        if not is_mixed(value):
            return value
        value = True  # for some elements
    raise ExpressionError(f"expected a number, got {message_text(value)}")


def truth(value: Any) -> Any:
    """``value`` if it is true or false, or an array of both; ExpressionError otherwise."""
    if isinstance(value, bool) or is_mixed(value):
        return value
    raise ExpressionError(f"expected true or false, got {message_text(value)}")


def arithmetic(op: str, a: Any, b: Any) -> Any:
    """The result of ``a op b``, for numbers and arrays."""
    number(a), number(b)
    if type(a) not in PLAIN or type(b) not in PLAIN:
        return elementwise.arithmetic(op, a, b)
    if op == "+":
        return bounded(a + b)
    if op == "-":
        return bounded(a - b)
    if op == "*":
        return bounded(a * b)
    if b == 0:
        raise ExpressionError(f"division by zero: {a} {op} {b}")
    if op == "//":
        return bounded(a // b)
    if op == "%":
        return bounded(a % b)
    return bounded(a // b if isinstance(a, int) and isinstance(b, int) and a % b == 0 else a / b)


def compare(op: str, a: Any, b: Any, spend: Spend = free) -> Any:
    """Whether ``a op b`` holds. An array of bool if it holds for some elements of arrays and not for others."""
    if op not in ("==", "!="):
        number(a), number(b)
    elif isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        bounded_list(list(a), spend), bounded_list(list(b), spend)
    if op in ("==", "!=") and (type(a) not in PLAIN or type(b) not in PLAIN):
        same = equal_values(a, b)
        return uniform(same if op == "==" else same != True)  # noqa: E712  elementwise
    holds = COMPARE[op](a, b)
    return holds if isinstance(holds, bool) else uniform(holds)


def item(sequence: Any, position: Any) -> Any:
    """``sequence[position]``. Positions start at 0; negative positions count from the end."""
    if not isinstance(sequence, (list, tuple)):
        raise ExpressionError(f"only a list can be indexed, got {message_text(sequence)}")
    position = position if type(position) in PLAIN else single(position)
    if not isinstance(position, int) or isinstance(position, bool):
        raise ExpressionError(f"an index must be a whole number, got {message_text(position)}")
    if not -len(sequence) <= position < len(sequence):
        raise ExpressionError(f"index {position} in a list of {len(sequence)} (the first is 0)")
    return sequence[position]


def called(name: str, arguments: list[Any], spend: Spend = free) -> Any:
    """The value of a function of FUNCTIONS."""
    first = arguments[0]
    listed = isinstance(first, (list, tuple))
    if len(arguments) == 1 and name in ("len", "sum", "max", "min"):
        if not listed:
            raise ExpressionError(f"{name} takes a list, got {message_text(first)}")
        values = first if name != "len" else []
    else:
        values = arguments
    spend(len(values))
    for value in values:
        number(value)
    try:
        if any(type(value) not in PLAIN and is_array(value) for value in values):
            return bounded(elementwise.FUNCTIONS[name](*arguments))
        return bounded(FUNCTIONS[name][0](*arguments))
    except ExpressionError:
        raise
    except (TypeError, ValueError, OverflowError):  # an array for a number, an empty list, infinity
        given = ", ".join(map(message_text, arguments))
        raise ExpressionError(f"{name} cannot take ({given})") from None
