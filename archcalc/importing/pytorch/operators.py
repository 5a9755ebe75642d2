"""Layers with windows and weights, norms and activations: what PyTorch's operators become."""

from __future__ import annotations

from math import inf
from typing import Any

from archcalc.importing.pytorch.factors import BATCH, reshaped, whole
from archcalc.importing.pytorch.graph import Call, Tensor
from archcalc.importing.pytorch.mapping import Mapping, pair, rule, settings_of, short
from archcalc.importing.pytorch.steps import Shown, UnsupportedError

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
    """Limits: ReLU, ReLU6 or hard tanh."""
    given = call.settings
    low, high = given.get("min_val", given.get("min")), given.get("max_val", given.get("max"))
    tensor = mapping.shown(given["self"])
    if (low, high) in ((0, 6), (0, None)):
        return mapping.steps.same("relu6" if high else "relu", {}, tensor)
    if low is None or high is None:
        raise UnsupportedError("a limit on one side only, other than zero")
    return mapping.steps.same("hard_tanh", {"min": float(low), "max": float(high)}, tensor)


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


@rule("softmax", "log_softmax", "_softmax", "_log_softmax")
def softmax(mapping: Mapping, call: Call) -> Shown:
    """Soft-max over one axis."""
    tensor = mapping.shown(call.settings["self"])
    type = "log_softmax" if "log" in call.operator else "softmax"
    view = tensor.view[call.settings["dim"] % len(tensor.view)]
    step = mapping.steps.steps[tensor.step]
    if len(view) == 1 and view[0].axis == len(step.sizes) - 1 and view == step.natural[view[0].axis] and view[0].axis:
        return mapping.steps.same(type, {"axis": "last"}, tensor)
    return mapping.steps.layer(type, {}, tensor, tensor.sizes, channels=call.settings["dim"])


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
    if weight.kind != "parameter":
        settings["weight_norm"] = weight_norm(mapping, weight, transposed)
    return mapping.steps.layer("conv_transpose" if transposed else "conv", settings, tensor, call.results[0].shape, own)


def before_padding(
    mapping: Mapping,
    tensor: Shown,
    value: float,
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    dilation: tuple[int, ...],
) -> tuple[Shown, Any]:
    """A map before it was padded with a value, and the padding as a setting of the layer behind; None without padding.

    The padding of TensorFlow is ``same``, so that it fits other input sizes.
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
    if map.step != tensor.step or len(sides) != len(kernel):
        return tensor, None
    shown = mapping.steps.shown(step.reads[0], map)
    wanted = []
    for n, k, s, d in zip(before.shape.axes, kernel, stride, dilation, strict=True):
        total = max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
        wanted.append((total // 2, total - total // 2))
    if wanted == sides:
        return shown, "same"
    return shown, [list(side) for side in sides]


def weight_norm(mapping: Mapping, weight: Tensor, transposed: bool) -> str:
    """How the weights of a convolution are computed."""
    value = mapping.of(weight)
    calls = [call.operator for call in value.calls]
    norms = [call for call in value.calls if call.operator == "batch_norm"]
    if not transposed and len(norms) == 1 and len(value.parameters) in (1, 2):
        scaled = norms[0].settings["weight"] is not None
        return "scaled" if scaled else "standardised"
    if "_weight_norm" in calls and not transposed:
        at = next(call for call in value.calls if call.operator == "_weight_norm").settings["dim"]
        if at == 0:
            return "channels"
        if at == len(weight.shape) - 1:
            return "last"
    raise UnsupportedError("a convolution whose weights are computed")


def _nonzero(values: tuple[int, ...]) -> Any:
    return short(values) if any(values) else None


@rule("linear")
def linear(mapping: Mapping, call: Call) -> Shown:
    """A fully connected layer along the last axis."""
    given = call.settings
    weight, bias, tensor = given["weight"], given["bias"], mapping.shown(given["input"])
    own = [*mapping.fixed(weight), *mapping.fixed(bias)]
    if weight.kind != "parameter":
        raise UnsupportedError("a linear layer whose weights are computed")
    settings = settings_of(out=weight.shape[0], bias=None if bias is not None else False)
    step = mapping.steps.steps[tensor.step]
    last = len(step.sizes) - 1
    if last and tensor.view[-1] == step.natural[last] and tensor.view[-1] and tensor.view[-1][0].axis == last:
        made = mapping.steps.same("linear", settings | {"axis": "last"}, tensor, own)
        shape = mapping.steps.steps[made.step].shape
        mapping.steps.steps[made.step].shape = type(shape)(shape.channels, (*shape.axes[:-1], weight.shape[0]))
        return Shown(made.step, (*tensor.view[:-1], whole(last, weight.shape[0])))
    map = mapping.steps.as_map(tensor, -1)
    if mapping.steps.steps[map.step].shape.axes:
        settings["axis"] = "channels"
    made_step = mapping.steps.add(
        "linear", settings, [map.step], mapping.steps.shape_of(map, call.results[0].shape), own
    )
    return mapping.steps.shown(made_step, map)


@rule("batch_norm")
def batch_norm(mapping: Mapping, call: Call) -> Shown:
    """Batch normalisation with running statistics."""
    given = call.settings
    weight, bias, tensor = given["weight"], given["bias"], mapping.shown(given["input"])
    if given["running_mean"] is None:
        raise UnsupportedError("batch normalisation without running statistics")
    if (weight is None) != (bias is None):
        raise UnsupportedError("batch normalisation with a shift or a scale alone")
    settings = settings_of(
        affine=None if weight is not None else False, eps=None if given["eps"] == 1e-5 else given["eps"]
    )
    own = [*mapping.fixed(weight), *mapping.fixed(bias)]
    return mapping.steps.layer("batch_norm", settings, tensor, tensor.sizes, own)


@rule("layer_norm", "rms_norm")
def layer_norm(mapping: Mapping, call: Call) -> Shown:
    """Normalisation over the last axes."""
    given = call.settings
    weight, bias, tensor = given["weight"], given.get("bias"), mapping.shown(given["input"])
    eps, usual = given["eps"], 1e-5 if call.operator == "layer_norm" else 1e-6
    own = [*mapping.fixed(weight), *mapping.fixed(bias)]
    settings = settings_of(
        affine=None if weight is not None else False, eps=None if eps is None or eps == usual else eps
    )
    if call.operator == "layer_norm" and weight is not None and bias is None:
        raise UnsupportedError("layer normalisation with a scale and no shift")
    count = len(given["normalized_shape"])
    if count == 1:
        map = mapping.steps.as_map(tensor, -1)
        if mapping.steps.steps[map.step].shape.axes:
            settings["axis"] = "channels"
        step = mapping.steps.add(call.operator, settings, [map.step], mapping.steps.steps[map.step].shape, own)
        return mapping.steps.shown(step, map)
    if count == len(tensor.view) - 1 and tensor.view[0] and tensor.view[0][0].axis == BATCH:
        map = mapping.steps.as_map(tensor, 1)
        settings["axis"] = "all"
        step = mapping.steps.add(call.operator, settings, [map.step], mapping.steps.steps[map.step].shape, own)
        return mapping.steps.shown(step, map)
    raise UnsupportedError("normalisation over several axes of a map")


@rule("group_norm")
def group_norm(mapping: Mapping, call: Call) -> Shown:
    """Group normalisation."""
    given = call.settings
    tensor = mapping.shown(given["input"])
    settings = settings_of(
        groups=given["num_groups"],
        affine=None if given["weight"] is not None else False,
        eps=None if given["eps"] == 1e-5 else given["eps"],
    )
    own = [*mapping.fixed(given["weight"]), *mapping.fixed(given["bias"])]
    return mapping.steps.layer("group_norm", settings, tensor, tensor.sizes, own)


@rule("instance_norm")
def instance_norm(mapping: Mapping, call: Call) -> Shown:
    """Instance normalisation."""
    given = call.settings
    tensor = mapping.shown(given["input"])
    settings = settings_of(
        affine=True if given["weight"] is not None else None, eps=None if given["eps"] == 1e-5 else given["eps"]
    )
    own = [*mapping.fixed(given["weight"]), *mapping.fixed(given["bias"])]
    return mapping.steps.layer("instance_norm", settings, tensor, tensor.sizes, own)


@rule("max_pool1d", "max_pool2d", "max_pool3d", "avg_pool1d", "avg_pool2d", "avg_pool3d")
def pooling(mapping: Mapping, call: Call) -> Shown:
    """Pooling with a window."""
    given = call.settings
    tensor = mapping.shown(given["self"])
    count = int(call.operator[-2])
    kernel = pair(given["kernel_size"], count)
    stride = pair(given["stride"] or kernel, count)
    padding = pair(given["padding"], count)
    if given.get("divisor_override") is not None:
        raise UnsupportedError("an average with a divisor of its own")
    include = given.get("count_include_pad", True)
    dilation = pair(given.get("dilation", 1), count)
    settings = settings_of(
        kernel=short(kernel),
        stride=short(stride),
        pad=short(padding) if any(padding) else None,
        dilation=None if set(dilation) == {1} else short(dilation),
        ceil_mode=True if given["ceil_mode"] else None,
        count_include_pad=None if include or not (any(padding) or given["ceil_mode"]) else False,
    )
    type = "max_pool" if call.operator.startswith("max") else "avg_pool"
    if type == "max_pool" and "pad" not in settings:
        tensor, padding = before_padding(mapping, tensor, -inf, kernel, stride, dilation)
        settings |= settings_of(pad=padding)
    return mapping.steps.layer(type, settings, tensor, call.results[0].shape)


@rule("adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool1d", "adaptive_max_pool2d")
def adaptive(mapping: Mapping, call: Call) -> Any:
    """Pooling to a size."""
    tensor = mapping.shown(call.settings["self"])
    size = pair(call.settings["output_size"], int(call.operator[-2]))
    kind = "max" if "max" in call.operator else "avg"
    if set(size) == {1}:
        return mapping.steps.layer(f"global_{kind}_pool", {}, tensor, call.results[0].shape)
    return mapping.steps.layer(f"adaptive_{kind}_pool", {"out": short(size)}, tensor, call.results[0].shape)


@rule("mean", "sum", "amax")
def reduction(mapping: Mapping, call: Call) -> Shown:
    """The mean, the sum or the maximum over axes."""
    given = call.settings
    tensor = mapping.shown(given["self"])
    dims = given.get("dim")
    count = len(tensor.view)
    over = sorted(
        {axis % count for axis in (dims if isinstance(dims, (list, tuple)) else [dims])}
        if dims is not None
        else range(count)
    )
    by = {"mean": "mean", "sum": "sum", "amax": "max"}[call.operator]
    kept = [axis for axis in range(1, count) if axis not in over]
    if any(factor.axis == BATCH for axis in over for factor in tensor.view[axis]):
        raise UnsupportedError("a reduction over the batch")
    if kept and len(over) == count - 2 and all(axis >= 1 for axis in over):
        map = mapping.steps.as_map(tensor, kept[0])
        shape = mapping.steps.steps[map.step].shape
        if by == "sum":
            type, settings = "reduce", {"by": by, "axis": "positions"}
        else:
            type, settings = f"global_{'avg' if by == 'mean' else 'max'}_pool", {}
        step = mapping.steps.add(type, settings, [map.step], type_of(shape)(shape.channels, (1,) * len(shape.axes)))
        made = mapping.steps.shown(step, map)
    elif len(over) == 1:
        channels = 1 if over[0] != 1 else 2 if count > 3 else 1
        map = mapping.steps.as_map(tensor, over[0])
        shape = mapping.steps.steps[map.step].shape
        step = mapping.steps.add("reduce", {"by": by, "axis": "channels"}, [map.step], type_of(shape)(1, shape.axes))
        made = mapping.steps.shown(step, map)
        del channels
    else:
        raise UnsupportedError(f"a reduction over axes {over} of {count}")
    if not given.get("keepdim"):
        made = Shown(made.step, tuple(group for axis, group in enumerate(made.view) if axis not in over))
    return made


def type_of(value: Any) -> Any:
    return type(value)


@rule("upsample_nearest2d", "upsample_bilinear2d", "upsample_bicubic2d", "upsample_nearest1d", "upsample_nearest3d")
def upsample(mapping: Mapping, call: Call) -> Shown:
    """A larger map."""
    given = call.settings
    tensor = mapping.shown(call.tensors[0])
    before, after = tensor.sizes[2:], call.results[0].shape[2:]
    mode = next(mode for mode in ("nearest", "bilinear", "bicubic") if mode in call.operator)
    whole_number = all(b and a % b == 0 for a, b in zip(after, before, strict=True))
    size = (
        {"scale": short([a // b for a, b in zip(after, before, strict=True)])}
        if whole_number
        else {"size": short(after)}
    )
    settings = size | settings_of(
        mode=None if mode == "nearest" else mode, align_corners=True if given.get("align_corners") else None
    )
    return mapping.steps.layer("upsample", settings, tensor, call.results[0].shape)


@rule("pixel_shuffle", "pixel_unshuffle", "channel_shuffle")
def shuffled(mapping: Mapping, call: Call) -> Shown:
    """Movements that have a name."""
    given = call.settings
    type, setting, argument = {
        "pixel_shuffle": ("pixel_shuffle", "factor", "upscale_factor"),
        "pixel_unshuffle": ("space_to_depth", "block", "downscale_factor"),
        "channel_shuffle": ("channel_shuffle", "groups", "groups"),
    }[call.operator]
    tensor = mapping.shown(given["self"])
    return mapping.steps.layer(type, {setting: given[argument]}, tensor, call.results[0].shape)


@rule("pad", "constant_pad_nd", "reflection_pad2d", "replication_pad2d")
def pad(mapping: Mapping, call: Call) -> Shown:
    """Padding of the last axes."""
    given = call.settings
    amounts = list(given.get("pad", given.get("padding")))
    mode = {"constant": "zeros", "reflect": "reflect", "replicate": "replicate", "circular": "circular"}[
        given.get("mode", {"r": "reflect"}.get("", "constant"))
    ]
    value = float(given.get("value") or 0)
    if value not in (0, -inf):
        raise UnsupportedError("padding with a value other than zero")
    tensor = mapping.shown(given["self"])
    if not any(amounts):
        return tensor
    sides = [(amounts[at], amounts[at + 1]) for at in range(0, len(amounts), 2)]
    count = len(tensor.view)
    by = {count - 1 - at: side for at, side in enumerate(sides)}
    if min(amounts) < 0:
        raise UnsupportedError("a negative padding")
    used = [axis for axis, side in by.items() if any(side)]
    channels = 1 if 1 not in used else count - 1
    if channels in used:
        raise UnsupportedError("padding of the channels and of positions")
    map = mapping.steps.as_map(tensor, channels)
    axes = [by.get(map.axes.index(number), (0, 0)) for number in range(1, max(map.axes) + 1)]
    plain = [a if a == b else [a, b] for a, b in axes]
    value = (
        plain[0] if len({str(one) for one in plain}) == 1 and isinstance(plain[0], int) else [[a, b] for a, b in axes]
    )
    settings = {"by": value} | ({} if mode == "zeros" else {"mode": mode})
    step = mapping.steps.add("pad", settings, [map.step], mapping.steps.shape_of(map, call.results[0].shape))
    mapping.steps.steps[step].value = value
    return mapping.steps.shown(step, map)


def weights(*tensors: Tensor | None) -> list[Tensor]:
    return [tensor for tensor in tensors if tensor is not None]


__all__ = ["reshaped"]
