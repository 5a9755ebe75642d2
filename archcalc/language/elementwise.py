"""The expression language on arrays: every element is what the language gives for single numbers.

A comparison may hold for some elements and not for others. Within an expression it is then an array of bool. No such
array leaves an expression, because a network has one structure: DiffersError.
"""

from __future__ import annotations

from typing import Any

from archcalc.errors import DiffersError
from archcalc.sizes import is_array, largest, smallest


def differs(holds: Any) -> DiffersError:
    """The error about a condition, or about a value, that differs between the elements of arrays."""
    return DiffersError(
        "a condition holds for some numbers of an array and not for others; "
        "networks of different structure are evaluated apart",
        holds,
    )


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
        return value * holds + other * ~holds
    if all(isinstance(n, bool) or is_mixed(n) for n in (value, other)):
        return uniform((value & holds) | (other & ~holds))
    if type(value) is type(other) and isinstance(value, str) and value == other:
        return value
    raise differs(holds)


def _is_number(value: Any) -> bool:
    return (isinstance(value, (int, float)) and not isinstance(value, bool)) or (
        is_array(value) and not is_mixed(value)
    )
