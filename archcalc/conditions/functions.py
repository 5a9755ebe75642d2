"""What becomes of several values: of the layers of a network, of numbers, and of a setting that is a list."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any

from archcalc.conditions.dimension import NUMBER
from archcalc.conditions.elementwise import Truths, compared
from archcalc.conditions.parts import MissingError, Typed, either, exact, joined, kind_of, later

OVER_LAYERS: Mapping[str, Callable[[Sequence[Any]], Any]] = {
    "any": lambda found: joined(map(later, found), True),
    "all": lambda found: joined(map(later, found), False),
    "count": lambda found: sum(exact(one.holds * 1 if isinstance(one, Truths) else int(one), "") for one in found),
}
"""What becomes of a condition that holds for some layers."""
OF_NUMBERS: Mapping[str, Callable[[Sequence[Any]], Any]] = {
    "min": lambda values: reduce(lambda a, b: either(compared("<=", a, b), later(a), later(b)), values),
    "max": lambda values: reduce(lambda a, b: either(compared(">=", a, b), later(a), later(b)), values),
    "abs": lambda values: abs(values[0]),
}
OF_LISTS: Mapping[str, Callable[[Sequence[Any]], Any]] = {**OF_NUMBERS, "len": len, "sum": lambda values: sum(values)}
"""What becomes of a setting that is a list."""


def of_setting(name: str, setting: Typed) -> Typed:
    """The length, the sum, the smallest or the largest of a setting that is a list of numbers."""
    text = f"{name}({setting.text})"

    def value(of: Any) -> Any:
        found = setting.value(of)
        if not isinstance(found, (list, tuple)) or (name != "len" and {kind_of(one) for one in found} != {NUMBER}):
            raise MissingError(text)
        return exact(OF_LISTS[name](exact(found, text)), text)

    return Typed(text, NUMBER, value)
