"""A bias behind a layer, and a roll."""

from __future__ import annotations

from math import prod

from archcalc.importing.onnx.patterns.calls import Calls, become, operands, pattern
from archcalc.importing.traced.calls import Call


@pattern
def with_bias(calls: Calls, call: Call) -> Call | None:
    """The bias of a convolution or a linear layer that is added afterwards."""
    if call.operator != "add":
        return None
    for tensor, own in (operands(call), operands(call)[::-1]):
        layer = calls.by(tensor, "linear", "conv1d", "conv2d", "conv3d", *(f"conv_transpose{n}d" for n in (1, 2, 3)))
        if layer is None or not calls.is_fixed(own) or layer.settings["bias"] is not None:
            continue
        if calls.readers[id(tensor)] != 1 or own.kind != "parameter":
            continue
        axis = len(tensor.shape) - 1 if layer.operator == "linear" else 1
        from_end = len(tensor.shape) - axis
        if len(own.shape) >= from_end and own.shape[-from_end] == prod(own.shape) == tensor.shape[axis]:
            return call._replace(operator=layer.operator, settings=layer.settings | {"bias": own})
    return None


@pattern
def roll(calls: Calls, call: Call) -> Call | None:
    """Two parts of an axis in the other order; along several axes, one roll."""
    parts = call.settings["tensors"] if call.operator == "cat" else []
    back, front = (calls.by(one, "slice") for one in parts) if len(parts) == 2 else (None, None)
    axis = call.settings.get("dim")
    if back is None or front is None or back.settings["self"] is not front.settings["self"]:
        return None
    x, start = back.settings["self"], back.settings["start"]
    cuts = [
        (one.settings["dim"], one.settings["start"], one.settings["end"], one.settings["step"]) for one in (back, front)
    ]
    if axis is None or cuts != [(axis, start, x.shape[axis], 1), (axis, 0, start, 1)]:
        return None
    before = calls.by(x, "roll")
    if before and axis not in before.settings["dims"] and calls.readers[id(x)] == 2:
        given = before.settings
        return become(call, "roll", self=given["self"], shifts=[*given["shifts"], -start], dims=[*given["dims"], axis])
    return become(call, "roll", self=x, shifts=[-start], dims=[axis])
