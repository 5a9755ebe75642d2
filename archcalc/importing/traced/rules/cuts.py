"""Parts of an axis."""

from __future__ import annotations

from typing import Any

from archcalc.importing.traced.calls import Call
from archcalc.importing.traced.factors import BATCH, Factor, around_batch, merged, size_of
from archcalc.importing.traced.mapping import Mapping, rule
from archcalc.importing.traced.rules.views import own_map
from archcalc.importing.traced.steps import Shown, UnsupportedError
from archcalc.sizes import Shape


@rule("slice", "select", "narrow")
def cut(mapping: Mapping, call: Call) -> Shown:
    """A part of the positions of an axis."""
    given = call.settings
    tensor = mapping.shown(given["self"])
    axis = given["dim"] % len(tensor.view)
    length = tensor.sizes[axis]
    if call.operator == "select":
        start = given["index"] % length
        stop, step = start + 1, 1
    elif call.operator == "narrow":
        start = given["start"]
        stop, step = start + given["length"], 1
    else:
        start, stop, step = given["start"] or 0, given["end"], given["step"]
        stop = length if stop is None else stop
        start, stop = (min(max(n + length if n < 0 else n, 0), length) for n in (start, stop))
    made = part(mapping, tensor, axis, start, stop, step)
    if call.operator == "select":
        made = Shown(made.step, tuple(group for at, group in enumerate(made.view) if at != axis))
    return made


def part(mapping: Mapping, tensor: Shown, axis: int, start: int, stop: int, step: int = 1) -> Shown:
    """Positions from start up to stop of an axis of a tensor."""
    length = tensor.sizes[axis]
    if len(range(start, stop, step)) == length:
        return tensor
    group = tensor.view[axis]
    if any(factor.axis == BATCH for factor in group):
        return _between_batches(mapping, tensor, axis, start, stop, step)
    if len(group) != 1 or not _outermost(mapping, tensor, group[0]):
        return part(mapping, own_map(mapping, tensor), axis, start, stop, step)
    factor = group[0]
    source = mapping.steps.steps[tensor.step]
    if step != 1 and factor.stride != 1:
        return part(mapping, own_map(mapping, tensor), axis, start, stop, step)
    settings: dict[str, Any] = {}
    sizes = list(source.sizes)
    if factor.axis:
        settings["axis"] = axis_word(factor.axis, len(sizes) - 1)
    if start:
        settings["start"] = start * factor.stride
    if stop < length:
        settings["stop"] = stop * factor.stride
    if step != 1:
        settings["step"] = step
    count = len(range(start, stop, step))
    sizes[factor.axis] = count * factor.stride
    made = mapping.steps.add("slice", settings, [tensor.step], Shape(sizes[0], tuple(sizes[1:])))
    left = merged([Factor(factor.axis, factor.stride, count)])
    return Shown(made, tuple(left if at == axis else one for at, one in enumerate(tensor.view)))


def _between_batches(mapping: Mapping, tensor: Shown, axis: int, start: int, stop: int, step: int) -> Shown:
    """Whole batches of an axis on which several of them stand one after another."""
    front, batch = around_batch(tensor.view[axis])
    images = size_of(batch)
    if not front or step != 1 or start % images or stop % images:
        raise UnsupportedError("images of the batch that are taken out")
    apart = Shown(tensor.step, (*tensor.view[:axis], front, batch, *tensor.view[axis + 1 :]))
    made = part(mapping, apart, axis, start // images, stop // images)
    return Shown(made.step, (*made.view[:axis], (*made.view[axis], *batch), *made.view[axis + 2 :]))


def _outermost(mapping: Mapping, tensor: Shown, factor: Factor) -> bool:
    """Whether the factor is the outermost part of a size of the map."""
    return factor.stride * factor.size == mapping.steps.steps[tensor.step].sizes[factor.axis]


def axis_word(axis: int, count: int) -> str:
    names = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}.get(count)
    if axis == count and count == 1:
        return "last"
    if names is None:
        if axis == count:
            return "last"
        raise UnsupportedError(f"axis {axis} of {count}")
    return names[axis - 1]


@rule("split", "split_with_sizes", "chunk", "unbind", "tensor_split")
def pieces(mapping: Mapping, call: Call) -> list[Shown]:
    """All parts of an axis."""
    given = call.settings
    tensor = mapping.shown(call.tensors[0])
    axis = given["dim"] % len(tensor.view)
    found, start = [], 0
    for result in call.results:
        count = 1 if call.operator == "unbind" else result.shape[axis]
        made = part(mapping, tensor, axis, start, start + count)
        if call.operator == "unbind":
            made = Shown(made.step, tuple(group for at, group in enumerate(made.view) if at != axis))
        found.append(made)
        start += count
    return found
