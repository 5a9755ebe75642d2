"""Normalisation."""

from __future__ import annotations

from archcalc.importing.traced.calls import Call
from archcalc.importing.traced.factors import without_batch
from archcalc.importing.traced.mapping import Mapping, rule, settings_of
from archcalc.importing.traced.rules.arithmetic import with_parameter
from archcalc.importing.traced.rules.views import channel_by_channel
from archcalc.importing.traced.steps import Shown, UnsupportedError


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
        made = layer_norm(mapping, call._replace(settings={**given, "weight": None}))
        return with_parameter(mapping, "mul", made, mapping.of(weight), weight)
    count = len(given["normalized_shape"])
    if count == 1:
        map = mapping.steps.as_map(tensor, -1)
        if mapping.steps.steps[map.step].shape.axes:
            settings["axis"] = "channels"
        step = mapping.steps.add(call.operator, settings, [map.step], mapping.steps.steps[map.step].shape, own)
        return mapping.steps.shown(step, map)
    if count == len(tensor.view) - 1 and tensor.view[0] and not without_batch(tensor.view[0]):
        map = mapping.steps.as_map(tensor, 1)
        settings["axis"] = "all"
        step = mapping.steps.add(call.operator, settings, [map.step], mapping.steps.steps[map.step].shape, own)
        return mapping.steps.shown(step, map)
    raise UnsupportedError("normalisation over several axes of a map")


@rule("group_norm")
def group_norm(mapping: Mapping, call: Call) -> Shown:
    """Group normalisation."""
    given = call.settings
    if given["weight"] is not None and given["bias"] is None:
        made = group_norm(mapping, call._replace(settings={**given, "weight": None}))
        return mapping.steps.layer("layer_scale", {}, made, made.sizes, mapping.fixed(given["weight"]))
    tensor = mapping.shown(given["input"])
    settings = settings_of(
        groups=given["num_groups"],
        affine=None if given["weight"] is not None else False,
        eps=None if given["eps"] == 1e-5 else given["eps"],
    )
    own = [*mapping.fixed(given["weight"]), *mapping.fixed(given["bias"])]
    if without_batch(tensor.view[0]):
        raise UnsupportedError("group normalisation of each of several maps")
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
    if given["weight"] is None:
        return channel_by_channel(mapping, "instance_norm", settings, tensor, tensor.sizes)
    if without_batch(tensor.view[0]):
        raise UnsupportedError("instance normalisation of each of several maps, with trained numbers")
    return mapping.steps.layer("instance_norm", settings, tensor, tensor.sizes, own)


@rule("normalize")
def length(mapping: Mapping, call: Call) -> Shown:
    """The channels divided by their Euclidean length."""
    given = call.settings
    tensor = mapping.shown(given["input"])
    settings = {} if given["eps"] == 1e-12 else {"eps": given["eps"]}
    return mapping.steps.layer("l2_norm", settings, tensor, tensor.sizes, channels=given["dim"])
