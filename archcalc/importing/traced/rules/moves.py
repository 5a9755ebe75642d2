"""Padding, movements with a name, and rolls."""

from __future__ import annotations

from math import inf
from typing import Any

from archcalc.importing.traced.calls import Call
from archcalc.importing.traced.mapping import Mapping, rule, settings_of
from archcalc.importing.traced.rules.views import own_map
from archcalc.importing.traced.steps import Shown, UnsupportedError

MODES = {
    "constant": None,
    "reflect": "reflect",
    "replicat": "replicate",
    "replicate": "replicate",
    "circular": "circular",
}


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
    amounts = list(given["pad"] if "pad" in given else given["padding"])
    tensor = mapping.shown(given["self"])
    if not any(amounts):
        return tensor
    if min(amounts) < 0:
        taken = [max(-amount, 0) for amount in amounts]
        tensor = cropped(mapping, tensor, taken)
        amounts = [max(amount, 0) for amount in amounts]
        if not any(amounts):
            return tensor
    value = float(given.get("value") or 0)
    if value not in (0, -inf):
        shifted = mapping.steps.same("scale", {"factor": 1.0, "shift": -value}, tensor)
        made = around(mapping, shifted, "pad", amounts, list(call.results[0].shape), {})
        return mapping.steps.same("scale", {"factor": 1.0, "shift": value}, made)
    usual = next((mode for mode in ("reflect", "replicat") if call.operator.startswith(mode)), "constant")
    mode = MODES[given.get("mode", usual)]
    sizes = list(call.results[0].shape)
    return around(mapping, tensor, "pad", amounts, sizes, settings_of(mode=mode), value)


def cropped(mapping: Mapping, tensor: Shown, amounts: list[int]) -> Shown:
    """The last axes without so many positions in front and behind."""
    sizes = list(tensor.sizes)
    for at in range(0, len(amounts), 2):
        sizes[len(sizes) - 1 - at // 2] -= amounts[at] + amounts[at + 1]
    return around(mapping, tensor, "crop", amounts, sizes, {})


def around(
    mapping: Mapping,
    tensor: Shown,
    type: str,
    amounts: list[int],
    sizes: list[int],
    settings: dict[str, Any],
    value: float = 0.0,
) -> Shown:
    """Positions put around the last axes, or cut off. ``amounts``: in front and behind, the last axis first."""
    count = len(tensor.view)
    by = {count - 1 - at // 2: (amounts[at], amounts[at + 1]) for at in range(0, len(amounts), 2)}
    used = [axis for axis, side in by.items() if any(side)]
    channels = next((axis for axis in (1, count - 1, 0) if axis not in used), None)
    if channels is None:
        raise UnsupportedError("padding of the channels and of positions")
    map = mapping.steps.as_map(tensor, channels, part=not channels)
    axes = [by.get(map.axes.index(number), (0, 0)) for number in range(1, max(map.axes) + 1)]
    equal = len(set(axes)) == 1 and axes[0][0] == axes[0][1]
    settings = {"by": axes[0][0] if equal else [list(side) for side in axes]} | settings
    step = mapping.steps.add(type, settings, [map.step], mapping.steps.shape_of(map, sizes))
    mapping.steps.steps[step].value = value
    return mapping.steps.shown(step, map)


@rule("roll")
def roll(mapping: Mapping, call: Call) -> Shown:
    """Positions moved along axes."""
    tensor = mapping.shown(call.settings["self"])
    count = len(tensor.view)
    rolled = [axis % count for axis in call.settings["dims"]]
    natural = mapping.steps.steps[tensor.step].natural
    if any(len(tensor.view[axis]) != 1 or tensor.view[axis] not in natural[1:] for axis in rolled):
        tensor = own_map(mapping, tensor, count - 1 if count - 1 not in rolled else 1)
    step = mapping.steps.steps[tensor.step]
    by = [0] * (len(step.sizes) - 1)
    for axis, shift in zip(call.settings["dims"], call.settings["shifts"], strict=True):
        group = tensor.view[axis % len(tensor.view)]
        if len(group) != 1 or group[0].axis < 1 or group != step.natural[group[0].axis]:
            raise UnsupportedError("a roll along a part of an axis")
        by[group[0].axis - 1] = shift
    return mapping.steps.same("roll", {"by": by[0] if len(set(by)) == 1 else by}, tensor)
