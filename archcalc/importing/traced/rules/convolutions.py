"""Convolutions and linear layers, and padding before a convolution."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from archcalc.importing.traced.calls import Call, Tensor
from archcalc.importing.traced.factors import BATCH, reshaped, whole
from archcalc.importing.traced.gains import gains
from archcalc.importing.traced.mapping import SHAPES, Mapping, pair, rule, settings_of, short
from archcalc.importing.traced.operands import operand
from archcalc.importing.traced.rules.arithmetic import joined
from archcalc.importing.traced.rules.products import matrix_product
from archcalc.importing.traced.steps import Fixed, Shown, UnsupportedError
from archcalc.layers.computed import EPS
from archcalc.sizes import Shape


@rule("conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "convolution")
def convolution(mapping: Mapping, call: Call) -> Shown:
    """A convolution or a transposed convolution."""
    given = call.settings
    weight, bias = given["weight"], given["bias"]
    tensor = mapping.shown(given["input"])
    spatial = tuple(weight.shape[2:])
    count = len(spatial)
    transposed = "transpose" in call.operator or bool(given.get("transposed"))
    stride, dilation = pair(given["stride"], count), pair(given["dilation"], count)
    padding = given["padding"]
    groups = given["groups"]
    pad: Any = None
    if isinstance(padding, str):
        pad = "same" if padding == "same" else None
    elif any(pair(padding, count)):
        pad = short(pair(padding, count))
    if pad is None and not transposed:
        tensor, pad = before_padding(mapping, tensor, 0.0, spatial, stride, dilation)
    out = weight.shape[1] * groups if transposed else weight.shape[0]
    settings = settings_of(
        out=out,
        kernel=short(spatial),
        stride=None if set(stride) == {1} else short(stride),
        pad=pad,
        dilation=None if set(dilation) == {1} else short(dilation),
        groups=None if groups == 1 else groups,
        bias=None if bias is not None else False,
        output_pad=_nonzero(pair(given["output_padding"], count)) if transposed else None,
    )
    own = [*mapping.fixed(weight), *mapping.fixed(bias)]
    if weight.kind != "parameter" and not mapping.of(weight).parameters and bias is None and not transposed:
        settings["fixed"] = True
    elif weight.kind != "parameter":
        settings |= weight_norm(mapping, weight, transposed)
    settings = along_more_axes(mapping, tensor, count, settings)
    return mapping.steps.layer("conv_transpose" if transposed else "conv", settings, tensor, call.results[0].shape, own)


def along_more_axes(mapping: Mapping, tensor: Shown, count: int, settings: dict[str, Any]) -> dict[str, Any]:
    """The settings of windows over the last ``count`` axes, where the map has more: windows of it that are like a batch."""
    axes = sum(any(factor.axis != BATCH for factor in group) for at, group in enumerate(tensor.view[:2]) if at != 1)
    if not axes:
        return settings
    if settings.get("pad") == "same" or "output_pad" in settings:
        raise UnsupportedError("windows of a map, padded by the rule of TensorFlow")
    usual = {"kernel": 1, "stride": 1, "dilation": 1, "pad": 0}

    def longer(name: str, value: Any) -> Any:
        if name not in usual:
            return value
        several = value if isinstance(value, list) else [value] * count
        return [[0, 0] if any(isinstance(one, list) for one in several) else usual[name]] * axes + several

    return {name: longer(name, value) for name, value in settings.items()}


def before_padding(
    mapping: Mapping,
    tensor: Shown,
    value: float,
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    dilation: tuple[int, ...],
) -> tuple[Shown, Any]:
    """A map before it was padded with a value, and the padding as a setting of the layer behind; None without padding.

    The padding of TensorFlow is ``same``, so that it fits other input sizes. Equal sides stay a layer of their own: the
    model makes a padded copy, which the layer behind does not need.
    """
    step = mapping.steps.steps[tensor.step]
    if step.type != "pad" or step.value != value or step.settings.get("mode"):
        return tensor, None
    by = step.settings["by"]
    before = mapping.steps.steps[step.reads[0]]
    sides = [
        (one, one) if isinstance(one, int) else tuple(one)
        for one in (by if isinstance(by, list) else [by] * len(kernel))
    ]
    map = mapping.steps.as_map(tensor, 1)
    without_copy = all(front == back for front, back in sides)
    if map.step != tensor.step or len(sides) != len(kernel) or without_copy:
        return tensor, None
    shown = mapping.steps.shown(step.reads[0], map)
    wanted = []
    for n, k, s, d in zip(before.shape.axes, kernel, stride, dilation, strict=True):
        total = max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
        wanted.append((total // 2, total - total // 2))
    if wanted == sides:
        return shown, "same"
    return shown, [list(side) for side in sides]


def weight_norm(mapping: Mapping, weight: Tensor, transposed: bool) -> dict[str, Any]:
    """How the weights of a convolution are computed, as settings."""
    value = mapping.of(weight)
    calls = [call.operator for call in value.calls]
    norms = [call for call in value.calls if call.operator == "batch_norm"]
    if not transposed and len(norms) == 1 and len(value.parameters) in (1, 2):
        scaled, eps = norms[0].settings["weight"] is not None, norms[0].settings["eps"]
        settings = {"weight_norm": "scaled" if scaled else "standardised"} | ({} if eps == EPS else {"eps": eps})
        factors = [call.settings["other"] for call in value.calls if call.operator == "mul"]
        if len(factors) != scaled or not all(isinstance(factor, float) and factor > 0 for factor in factors):
            raise UnsupportedError("a convolution whose weights are computed")
        some = gains(factors[0], math.prod(weight.shape[1:])) if scaled else [1.0]
        if not some:
            raise UnsupportedError("a convolution whose weights are computed")
        return settings | ({} if some[0] == 1 else {"gamma": some[0]})
    if "_weight_norm" in calls and not transposed:
        at = next(call for call in value.calls if call.operator == "_weight_norm").settings["dim"]
        if at == 0:
            return {"weight_norm": "channels"}
        if at == len(weight.shape) - 1 and len(weight.shape) > 2:
            return {"weight_norm": "last"}
    raise UnsupportedError(f"a convolution whose weights are computed{computed_by(value.calls)}")


def computed_by(calls: Sequence[Call]) -> str:
    """The operators that compute weights, as the end of a sentence."""
    names = [call.operator for call in calls if call.operator not in SHAPES]
    if "mv" in names and ("vdot" in names or "dot" in names):
        return " by spectral norm"
    return f" by {', '.join(dict.fromkeys(names))}" if names else ""


def _nonzero(values: tuple[int, ...]) -> Any:
    return short(values) if any(values) else None


@rule("linear")
def linear(mapping: Mapping, call: Call) -> Shown:
    """A fully connected layer along the last axis."""
    given = call.settings
    weight, bias, tensor = given["weight"], given["bias"], mapping.shown(given["input"])
    zeros = zero_part(mapping, bias) if bias is not None and weight.kind == "parameter" else None
    if bias is not None and bias.kind != "parameter" and zeros is None:
        made = linear(mapping, call._replace(settings={**given, "bias": None}))
        return joined(mapping, "add", made, mapping.shown(bias), made.sizes)
    own = [*mapping.fixed(weight), *mapping.fixed(bias)]
    settings = settings_of(out=weight.shape[0], bias=None if bias is not None else False, zero_bias=zeros)
    if weight.kind != "parameter":
        known = mapping.of(weight)
        if isinstance(known, Fixed) and not known.parameters and bias is None:
            return constant_product(mapping, tensor, weight)
        calls = [call for call in known.calls if call.operator == "_weight_norm"]
        if [call.settings["dim"] for call in calls] != [0]:
            raise UnsupportedError(f"a linear layer whose weights are computed{computed_by(known.calls)}")
        settings["weight_norm"] = "channels"
    step = mapping.steps.steps[tensor.step]
    last = len(step.sizes) - 1
    if last and tensor.view[-1] == step.natural[last] and tensor.view[-1] and tensor.view[-1][0].axis == last:
        made = mapping.steps.same("linear", settings | {"axis": "last"}, tensor, own)
        shape = mapping.steps.steps[made.step].shape
        mapping.steps.steps[made.step].shape = Shape(shape.channels, (*shape.axes[:-1], weight.shape[0]))
        return Shown(made.step, (*tensor.view[:-1], whole(last, weight.shape[0])))
    map = mapping.steps.as_map(tensor, -1)
    if mapping.steps.steps[map.step].shape.axes:
        settings["axis"] = "channels"
    made_step = mapping.steps.add(
        "linear", settings, [map.step], mapping.steps.shape_of(map, call.results[0].shape), own
    )
    return mapping.steps.shown(made_step, map)


def constant_product(mapping: Mapping, tensor: Shown, weight: Tensor) -> Shown:
    """The product of the last axis with constants."""
    rows = tuple(factor for group in tensor.view[:-1] for factor in group)
    constants = operand(mapping, weight)
    made = matrix_product(
        mapping, Shown(tensor.step, (rows, tensor.view[-1])), Shown(constants.step, constants.view[::-1])
    )
    view = reshaped(made.view, [*tensor.sizes[:-1], weight.shape[0]])
    if view is None:
        raise UnsupportedError("a product with constants over axes that no view has")
    return Shown(made.step, view)


def zero_part(mapping: Mapping, bias: Tensor) -> list[int] | None:
    """The positions of a bias that are zero, if it is a parameter whose part was written over by zeros."""
    value = mapping.of(bias)
    if not isinstance(value, Fixed) or len(value.parameters) != 1 or len(value.sources) != 1:
        return None
    calls = [call for call in value.calls if call.operator != "clone"]
    if [call.operator for call in calls] != ["slice", "zero_", "slice_scatter"] or bias.shape != value.sources[0].shape:
        return None
    given = calls[-1].settings
    return [given["start"], given["end"]]
