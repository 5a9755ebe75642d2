"""Normalisation that is written as its formula, and its scale and shift behind it."""

from __future__ import annotations

from math import prod
from typing import Any

from archcalc.importing.onnx.patterns.calls import Calls, become, number_and_tensor, operands, pattern
from archcalc.importing.traced.calls import Call


@pattern
def layer_norm(calls: Calls, call: Call) -> Call | None:
    """(x - mean(x)) / sqrt(mean((x - mean(x))^2) + eps), over the last axes."""
    centred, eps = _over_deviation(calls, call)
    sub = calls.by(centred, "sub")
    if sub is None or eps is None:
        return None
    x, mean = operands(sub)
    made = calls.by(mean, "mean")
    if made is None or made.settings["self"] is not x or not made.settings["keepdim"]:
        return None
    dims = made.settings["dim"]
    count = len(x.shape)
    if dims != list(range(count - len(dims), count)):
        return None
    return become(
        call, "layer_norm", input=x, normalized_shape=list(x.shape[dims[0] :]), weight=None, bias=None, eps=eps
    )


@pattern
def rms_norm(calls: Calls, call: Call) -> Call | None:
    """x / sqrt(mean(x^2) + eps), over the last axis."""
    x, eps = _over_deviation(calls, call)
    if eps is None or calls.by(x, "sub") is not None:
        return None
    return become(call, "rms_norm", input=x, normalized_shape=[x.shape[-1]], weight=None, eps=eps)


def _over_deviation(calls: Calls, call: Call) -> tuple[Any, float | None]:
    """The x and the eps of x / sqrt(mean(x^2) + eps) over the last axes."""
    a, b = operands(call)
    pairs = [(a, b)] if call.operator == "div" else [(a, b), (b, a)] if call.operator == "mul" else []
    for x, root in pairs:
        if call.operator == "mul":
            inverse = calls.by(root, "reciprocal", "div")
            root = _inverted(inverse)
        sqrt_ = calls.by(root, "sqrt", "pow")
        if sqrt_ is None or (sqrt_.operator == "pow" and sqrt_.settings["other"] != 0.5):
            continue
        eps, variance = number_and_tensor(calls.by(sqrt_.settings["self"], "add"))
        mean = calls.by(variance, "mean")
        if mean is None or not mean.settings["keepdim"] or not _squared(calls, mean.settings["self"], x):
            continue
        dims = mean.settings["dim"]
        if dims == list(range(len(x.shape) - len(dims), len(x.shape))) and eps is not None:
            return x, eps
    return None, None


def _inverted(call: Call | None) -> Any:
    if call is None:
        return None
    if call.operator == "reciprocal":
        return call.settings["self"]
    a, b = operands(call)
    return b if isinstance(a, (int, float)) and a == 1 else None


def _squared(calls: Calls, tensor: Any, x: Any) -> bool:
    """Whether a tensor is the square of x; x may be computed twice, as a difference."""
    power = calls.by(tensor, "pow", "mul")
    if power is None:
        return False
    a, b = operands(power)
    if power.operator == "pow":
        return b == 2 and _same(calls, a, x)
    return _same(calls, a, x) and _same(calls, b, x)


def _same(calls: Calls, a: Any, b: Any) -> bool:
    if a is b:
        return True
    one, other = calls.by(a, "sub"), calls.by(b, "sub")
    return bool(one and other and operands(one) == operands(other))


@pattern
def with_scale(calls: Calls, call: Call) -> Call | None:
    """The scale and the shift of a normalisation that stand behind it."""
    if call.operator not in ("mul", "add"):
        return None
    for tensor, own in (operands(call), operands(call)[::-1]):
        norm = calls.by(tensor, "layer_norm", "rms_norm", "group_norm")
        if norm is None or not calls.is_fixed(own) or calls.readers[id(tensor)] != 1:
            continue
        if norm.operator == "group_norm":
            channels = norm.settings["input"].shape[1]
            fits = prod(own.shape) == channels and own.shape[-len(norm.settings["input"].shape) + 1 :][0] == channels
        else:
            fits = list(own.shape[-len(norm.settings["normalized_shape"]) :]) == norm.settings["normalized_shape"]
            fits = fits and prod(own.shape) == prod(norm.settings["normalized_shape"])
        key = "weight" if call.operator == "mul" else "bias"
        if fits and key in norm.settings and norm.settings[key] is None and norm.settings.get("bias") is None:
            return call._replace(operator=norm.operator, settings=norm.settings | {key: own})
    return None


@pattern
def group_norm(calls: Calls, call: Call) -> Call | None:
    """An instance normalisation of channels that were put into groups, and back."""
    if call.operator != "view":
        return None
    norm = calls.by(call.settings["self"], "instance_norm")
    inner = calls.by(norm.settings["input"], "view") if norm else None
    if norm is None or inner is None:
        return None
    x, grouped = inner.settings["self"], norm.settings["input"]
    groups = grouped.shape[1]
    fits = len(grouped.shape) == 3 and x.shape == call.results[0].shape and x.shape[:1] == grouped.shape[:1]
    if not fits or x.shape[1] % groups or norm.settings["weight"].shape != (groups,):
        return None
    return become(call, "group_norm", input=x, num_groups=groups, weight=None, bias=None, eps=norm.settings["eps"])


@pattern
def length(calls: Calls, call: Call) -> Call | None:
    """x / max(length(x), eps)."""
    if call.operator != "div":
        return None
    x, divisor = operands(call)
    while (expanded := calls.by(divisor, "expand", "clamp")) is not None:
        divisor = expanded.settings["self"]
    norm = calls.by(divisor, "norm")
    if norm is None or norm.settings["self"] is not x or len(norm.settings["dim"]) != 1:
        return None
    return become(call, "normalize", input=x, dim=norm.settings["dim"][0], eps=1e-12)
