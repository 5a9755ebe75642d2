"""Activations, dropout and soft-max."""

from __future__ import annotations

from math import prod
from typing import Any

from archcalc.importing.traced.calls import Call, Tensor
from archcalc.importing.traced.mapping import Mapping, rule
from archcalc.importing.traced.steps import Shown, UnsupportedError
from archcalc.sizes import Shape

ACTIVATIONS = {
    "relu": "relu",
    "relu6": "relu6",
    "sigmoid": "sigmoid",
    "tanh": "tanh",
    "silu": "silu",
    "hardswish": "hard_swish",
    "hardsigmoid": "hard_sigmoid",
    "mish": "mish",
    "selu": "selu",
    "softplus": "softplus",
}


@rule(*ACTIVATIONS)
def activation(mapping: Mapping, call: Call) -> Shown:
    """An activation without settings."""
    tensor = mapping.shown(call.tensors[0])
    return mapping.steps.same(ACTIVATIONS[call.operator.rstrip("_")], {}, tensor)


@rule("gelu")
def gelu(mapping: Mapping, call: Call) -> Shown:
    """GELU, exact or by tanh."""
    tanh = call.settings["approximate"] == "tanh"
    return mapping.steps.same("gelu", {"approximate": "tanh"} if tanh else {}, mapping.shown(call.settings["self"]))


@rule("hardtanh", "clamp", "clamp_min")
def clamp(mapping: Mapping, call: Call) -> Shown:
    """Limits: ReLU, ReLU6 or hard tanh, or the larger one of each value and a limit."""
    given = call.settings
    low, high = given.get("min_val", given.get("min")), given.get("max_val", given.get("max"))
    tensor = mapping.shown(given["self"])
    if (low, high) in ((0, 6), (0, None)):
        return mapping.steps.same("relu6" if high else "relu", {}, tensor)
    numbers = [one for one in (low, high) if one is not None and not isinstance(one, Tensor)]
    if len(numbers) == 2:
        return mapping.steps.same("hard_tanh", {"min": float(numbers[0]), "max": float(numbers[1])}, tensor)
    for type, limit in (("maximum", low), ("minimum", high)):
        if limit is not None:
            reads = [tensor.step, limit_of(mapping, limit)]
            shape = mapping.steps.steps[tensor.step].shape
            tensor = Shown(mapping.steps.add(type, {}, reads, shape), tensor.view)
    return tensor


def limit_of(mapping: Mapping, limit: Any) -> int:
    """The step of one number, of a tensor or not: a vector with one channel."""
    if not isinstance(limit, Tensor):
        made = Tensor((1,), "constant", type="float32")
        step = mapping.steps.add("parameter", {"size": [1], "fixed": True}, [0], Shape(1), [made])
        mapping.steps.steps[step].value = float(limit)
        return step
    if prod(limit.shape) != 1:
        raise UnsupportedError("limits that are tensors of several numbers")
    return mapping.shown(limit).step


@rule("leaky_relu", "elu")
def sloped(mapping: Mapping, call: Call) -> Shown:
    """Activations with one number."""
    tensor = mapping.shown(call.settings["self"])
    if call.operator.startswith("leaky"):
        return mapping.steps.same("leaky_relu", {"slope": float(call.settings["negative_slope"])}, tensor)
    if (call.settings["scale"], call.settings["input_scale"]) != (1, 1):
        raise UnsupportedError("ELU with a scale")
    return mapping.steps.same("elu", {"alpha": float(call.settings["alpha"])}, tensor)


@rule("prelu", "_prelu_kernel")
def prelu(mapping: Mapping, call: Call) -> Shown:
    """ReLU with trained slopes."""
    weight = call.settings["weight"]
    tensor = mapping.shown(call.settings["self"])
    shared = weight.shape == (1,) and tensor.sizes[1] != 1
    return mapping.steps.layer(
        "prelu", {"per_channel": False} if shared else {}, tensor, tensor.sizes, mapping.fixed(weight)
    )


@rule("dropout", "feature_dropout", "alpha_dropout", "feature_alpha_dropout")
def dropout(mapping: Mapping, call: Call) -> Shown:
    """Dropout; none with probability 0."""
    tensor = mapping.shown(call.tensors[0])
    p = float(call.settings["p"])
    return mapping.steps.same("dropout", {} if p == 0.5 else {"p": p}, tensor) if p else tensor


@rule("drop_path")
def drop_path(mapping: Mapping, call: Call) -> Shown:
    """A path that training leaves out at random. The call is made up from the module, since inference has no operator."""
    return mapping.steps.same("drop_path", {"p": call.settings["p"]}, mapping.shown(call.settings["self"]))


@rule("softmax", "log_softmax", "_softmax", "_log_softmax")
def softmax(mapping: Mapping, call: Call) -> Shown:
    """Soft-max over one axis."""
    tensor = mapping.shown(call.settings["self"])
    type = "log_softmax" if "log" in call.operator else "softmax"
    return over_axis(mapping, type, tensor, call.settings["dim"])


def over_axis(mapping: Mapping, type: str, tensor: Shown, axis: int) -> Shown:
    """A layer that computes along one axis: the last axis of its map, or else the channels."""
    view = tensor.view[axis % len(tensor.view)]
    step = mapping.steps.steps[tensor.step]
    if len(view) == 1 and view[0].axis == len(step.sizes) - 1 and view == step.natural[view[0].axis] and view[0].axis:
        return mapping.steps.same(type, {"axis": "last"}, tensor)
    return mapping.steps.layer(type, {}, tensor, tensor.sizes, channels=axis)
