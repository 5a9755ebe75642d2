"""Activations that are written as their formulas."""

from __future__ import annotations

from math import pi, sqrt
from typing import Any

from archcalc.importing.onnx.patterns.calls import (
    Calls,
    become,
    divided,
    factors,
    near,
    number_and_tensor,
    operands,
    pattern,
)
from archcalc.importing.traced.calls import Call, Tensor


def _clamped(calls: Calls, tensor: Any) -> Any:
    """The x of min(max(x + 3, 0), 6)."""
    clamp = calls.by(tensor, "clamp")
    if clamp is None or (clamp.settings["min"], clamp.settings["max"]) != (0, 6):
        return None
    number, inner = number_and_tensor(calls.by(clamp.settings["self"], "add"))
    return inner if near(number, 3) else None


@pattern
def hard_sigmoid(calls: Calls, call: Call) -> Call | None:
    """min(max(x + 3, 0), 6) / 6."""
    if call.operator not in ("div", "mul"):
        return None
    factor, tensor = divided(call)
    inner = _clamped(calls, tensor) if near(factor, 1 / 6) else None
    return become(call, "hardsigmoid", self=inner) if inner is not None else None


@pattern
def hard_swish(calls: Calls, call: Call) -> Call | None:
    """x * hard_sigmoid(x), where the division by 6 may stand last."""
    if call.operator == "mul":
        for x, gate in (operands(call), operands(call)[::-1]):
            made = calls.by(gate, "hardsigmoid")
            if made and made.settings["self"] is x:
                return become(call, "hardswish", self=x)
    factor, tensor = divided(call) if call.operator in ("div", "mul") else (None, None)
    if near(factor, 1 / 6):
        a, b = operands(calls.by(tensor, "mul"))
        for x, gate in ((a, b), (b, a)):
            if isinstance(x, Tensor) and _clamped(calls, gate) is x:
                return become(call, "hardswish", self=x)
    return None


@pattern
def gated(calls: Calls, call: Call) -> Call | None:
    """x * sigmoid(x), and x * tanh(softplus(x))."""
    if call.operator != "mul":
        return None
    for x, gate in (operands(call), operands(call)[::-1]):
        sigmoid, tanh = calls.by(gate, "sigmoid"), calls.by(gate, "tanh")
        if sigmoid and sigmoid.settings["self"] is x:
            return become(call, "silu", self=x)
        softplus = calls.by(tanh.settings["self"], "softplus") if tanh else None
        if softplus and softplus.settings["self"] is x:
            return become(call, "mish", self=x)
    return None


@pattern
def gelu(calls: Calls, call: Call) -> Call | None:
    """0.5 * x * (1 + erf(x / sqrt(2))), or with tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))."""
    if call.operator not in ("mul", "div"):
        return None
    number, tensors = factors(calls, call.results[0])
    if not near(number, 0.5) or len(tensors) != 2:
        return None
    for x, gate in (tensors, tensors[::-1]):
        one, inner = number_and_tensor(calls.by(gate, "add"))
        if not near(one, 1):
            continue
        made = calls.by(inner, "erf", "tanh")
        if made is None:
            continue
        factor, inside = factors(calls, made.settings["self"])
        if made.operator == "erf" and near(factor, 1 / sqrt(2)) and inside == [x]:
            return become(call, "gelu", self=x, approximate="none")
        if made.operator == "tanh" and _cubic(calls, factor, inside, x):
            return become(call, "gelu", self=x, approximate="tanh")
    return None


def _cubic(calls: Calls, factor: float, inside: list[Any], x: Any) -> bool:
    """Whether the product is sqrt(2 / pi) * (x + 0.044715 * x^3), or sqrt(2 / pi) * x * (1 + 0.044715 * x^2)."""
    if not near(factor, sqrt(2 / pi)):
        return False
    if len(inside) == 2 and x in inside:
        inside.remove(x)
        one, rest = number_and_tensor(calls.by(inside[0], "add"))
        return near(one, 1) and _power(calls, rest, x, 2)
    a, b = operands(calls.by(inside[0], "add")) if len(inside) == 1 else (None, None)
    return any(one is x and _power(calls, other, x, 3) for one, other in ((a, b), (b, a)))


def _power(calls: Calls, tensor: Any, x: Any, exponent: int) -> bool:
    """Whether a tensor is 0.044715 times a power of x."""
    factor, tensors = factors(calls, tensor)
    found = 0
    for one in tensors:
        power = calls.by(one, "pow")
        found += int(power.settings["other"]) if power and power.settings["self"] is x else int(one is x)
    return near(factor, 0.044715) and found == exponent
