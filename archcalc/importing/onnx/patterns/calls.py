"""Layers that a file writes as several calls: activations, normalisations, and biases that are added afterwards.

The last call of a pattern becomes the one call that it stands for. The other calls are left out if nothing else reads them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from archcalc.importing.traced.calls import Call, Tensor

Pattern = Callable[["Calls", Call], Call | None]
PATTERNS: list[Pattern] = []


def pattern(function: Pattern) -> Pattern:
    PATTERNS.append(function)
    return function


class Calls:
    """The calls of a run, and which one made a tensor."""

    def __init__(self, calls: Iterable[Call], outputs: Iterable[Tensor], fixed: set[int]) -> None:
        self.calls = list(calls)
        self.fixed = fixed
        self.outputs = list(outputs)
        self.made = {id(result): call for call in self.calls for result in call.results}
        self.readers = Counter(id(tensor) for call in self.calls for tensor in call.tensors)
        self.readers.update(id(tensor) for tensor in self.outputs)

    def by(self, tensor: Any, *operators: str) -> Call | None:
        """The call that made a tensor, if it is of one of these operators."""
        call = self.made.get(id(tensor)) if isinstance(tensor, Tensor) else None
        return call if call and call.operator in operators else None

    def fused(self) -> list[Call]:
        """The calls with every pattern as one call, and without calls that nothing reads."""
        for at, call in enumerate(self.calls):
            for recognise in PATTERNS:
                found = recognise(self, self.calls[at])
                if found is not None:
                    self.calls[at] = found
                    self.made |= {id(result): found for result in call.results}
        needed = {id(tensor) for tensor in self.outputs}
        kept: list[Call] = []
        for call in reversed(self.calls):
            if any(id(result) in needed for result in call.results):
                kept.append(call)
                needed.update(id(tensor) for tensor in call.tensors)
        return kept[::-1]

    def is_fixed(self, value: Any) -> bool:
        return isinstance(value, Tensor) and id(value) in self.fixed


def become(call: Call, operator: str, **settings: Any) -> Call:
    return call._replace(operator=operator, settings=settings)


def operands(call: Call | None) -> tuple[Any, Any]:
    return (call.settings.get("self"), call.settings.get("other")) if call else (None, None)


def number_and_tensor(call: Call | None) -> tuple[float | None, Any]:
    """The number and the tensor of a sum or a product, in either order."""
    a, b = operands(call)
    if isinstance(b, (int, float)):
        return float(b), a
    return (float(a), b) if isinstance(a, (int, float)) else (None, None)


def near(a: float | None, b: float) -> bool:
    return a is not None and abs(a - b) <= 1e-3 * max(abs(b), 1e-3)


def divided(call: Call | None) -> tuple[float | None, Any]:
    """The factor and the tensor of a product with a number, or of a division by a number."""
    if call and call.operator == "div":
        a, b = operands(call)
        return (1 / b, a) if isinstance(b, (int, float)) and b else (None, None)
    return number_and_tensor(call)


def factors(calls: Calls, tensor: Any, depth: int = 0) -> tuple[float, list[Any]]:
    """The number and the tensors of a product of several."""
    call = calls.by(tensor, "mul", "div")
    if call is None or depth > 4:
        return 1.0, [tensor]
    factor, inner = divided(call)
    if factor is not None:
        number, tensors = factors(calls, inner, depth + 1)
        return factor * number, tensors
    if call.operator == "div":
        return 1.0, [tensor]
    number, tensors = 1.0, list[Any]()
    for operand in operands(call):
        more, others = factors(calls, operand, depth + 1)
        number, tensors = number * more, tensors + others
    return number, tensors
