"""The bounds of values in expressions: the size of a number, and the length and depth of a list.

The bound of a number excludes infinity and NaN. All whole numbers up to the bound are exact as floats.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from archcalc.language.grammar import ExpressionError
from archcalc.sizes import largest

MAX_NUMBER = 10**15
MAX_VALUES = 10_000
"""The most values in a list, the values of inner lists included."""
MAX_NESTING = 50
"""The most lists around a value."""

Spend = Callable[[int], None]
"""A function that is called with a number of operations before they run. It raises an error to refuse them."""


def free(operations: int) -> None:
    """A ``spend`` that counts no operations."""


def bounded(n: Any) -> Any:
    """``n``; ExpressionError if n is not between -MAX_NUMBER and MAX_NUMBER."""
    if type(n) is int and -MAX_NUMBER <= n <= MAX_NUMBER:
        return n
    if largest(abs(n)) <= MAX_NUMBER:
        return n
    raise ExpressionError(f"a number beyond {MAX_NUMBER:,}")


def bounded_list(values: list[Any], spend: Spend = free) -> list[Any]:
    """``values``; ExpressionError if the list is too long or too deep. Each use of a name can double or nest a list."""
    level: list[Any] = [values]
    count = depth = 0
    while level:
        inside: list[Any] = []
        for items in level:
            count += len(items)
            if count > MAX_VALUES:
                raise ExpressionError(f"a list of more than {MAX_VALUES:,} values")
            inside += [item for item in items if isinstance(item, (list, tuple))]
        depth += 1
        if depth > MAX_NESTING:
            raise ExpressionError(f"lists nested deeper than {MAX_NESTING} levels")
        level = inside
    spend(count)
    return values
