"""Tensors one after another, and trained positions before them."""

from __future__ import annotations

from math import prod
from typing import Any

from archcalc.importing.traced.calls import Call, Tensor
from archcalc.importing.traced.factors import BATCH, around_batch, whole
from archcalc.importing.traced.mapping import Mapping, rule
from archcalc.importing.traced.rules.cuts import axis_word, part
from archcalc.importing.traced.rules.views import own_map
from archcalc.importing.traced.steps import Shown, UnsupportedError
from archcalc.sizes import Shape


@rule("cat", "concat", "concatenate")
def concat(mapping: Mapping, call: Call) -> Shown:
    """Tensors one after another along an axis."""
    values = [mapping.of(tensor) for tensor in call.settings["tensors"] if 0 not in tensor.shape]
    axis = call.settings["dim"] % len(call.results[0].shape)
    shown = [value for value in values if isinstance(value, Shown)]
    if len(shown) < len(values):
        try:
            return class_token(mapping, call, values, axis)
        except UnsupportedError:
            shown = [mapping.shown(tensor) for tensor in call.settings["tensors"] if 0 not in tensor.shape]
    return one_after_another(mapping, shown, axis)


def one_after_another(mapping: Mapping, shown: list[Shown], axis: int) -> Shown:
    """Tensors one after another along an axis. PyTorch makes a copy of one tensor alone."""
    shown = [_without_ones(one, axis) for one in shown]
    if any(factor.axis == BATCH for one in shown for factor in one.view[axis]):
        return shown[0] if len(shown) == 1 else along_batch(mapping, shown, axis)
    length = sum(one.sizes[axis] for one in shown)
    settings: dict[str, Any] = {}
    word = _common_axis(mapping, shown, axis)
    if word is not None:
        number, others = word
        if number:
            settings["axis"] = axis_word(number, len(others))
            sizes = list(mapping.steps.steps[shown[0].step].sizes)
            sizes[number] = length
            step = mapping.steps.add(
                "concat", settings, [tensor.step for tensor in shown], Shape(sizes[0], tuple(sizes[1:]))
            )
            view = tuple(whole(number, sizes[number]) if at == axis else g for at, g in enumerate(shown[0].view))
            return Shown(step, view)
    if word is None and len(shown) == 1:
        return shown[0]
    maps = [mapping.steps.as_map(tensor, axis) for tensor in shown]
    step = mapping.steps.add(
        "concat",
        settings,
        [map.step for map in maps],
        mapping.steps.shape_of(maps[0], [length if at == axis else size for at, size in enumerate(shown[0].sizes)]),
    )
    return mapping.steps.shown(step, maps[0])


def along_batch(mapping: Mapping, shown: list[Shown], axis: int) -> Shown:
    """Tensors one after another along the batch: along an axis of the map, which is like a batch of a few maps."""
    groups = [around_batch(one.view[axis]) for one in shown]
    batch = groups[0][1]
    if not batch or any(inner != batch for _, inner in groups):
        raise UnsupportedError("maps one after another along the batch and another axis")
    apart = [
        Shown(one.step, (*one.view[:axis], front, batch, *one.view[axis + 1 :]))
        for one, (front, _) in zip(shown, groups, strict=True)
    ]
    rest = [at for at in range(len(apart[0].view)) if at not in (axis, axis + 1)]
    whole_axes = (at for at in rest if any(factor.axis == 0 for factor in apart[0].view[at]))
    channels = next(whole_axes, rest[0] if rest else axis)
    maps = [mapping.steps.as_map(one, channels) for one in apart]
    number, sizes = maps[0].axes[axis], list(apart[0].sizes)
    sizes[axis] = sum(one.sizes[axis] for one in apart)
    settings = {"axis": axis_word(number, max(maps[0].axes))} if number else {}
    shape = mapping.steps.shape_of(maps[0], sizes)
    made = mapping.steps.shown(mapping.steps.add("concat", settings, [map.step for map in maps], shape), maps[0])
    return Shown(made.step, (*made.view[:axis], (*made.view[axis], *batch), *made.view[axis + 2 :]))


@rule("stack")
def stack(mapping: Mapping, call: Call) -> Shown:
    """Tensors one after another along a new axis."""
    shown = [mapping.shown(tensor) for tensor in call.settings["tensors"]]
    axis = call.settings["dim"] % len(call.results[0].shape)
    apart = [Shown(one.step, (*one.view[:axis], (), *one.view[axis:])) for one in shown]
    return one_after_another(mapping, apart, axis)


@rule("slice_scatter")
def part_replaced(mapping: Mapping, call: Call) -> Shown:
    """A tensor with other values at some positions of an axis."""
    given = call.settings
    count = len(call.results[0].shape)
    axis = given["dim"] % count
    length = call.results[0].shape[axis]
    start, stop = (min(one or 0, length) if one is not None else length for one in (given["start"] or 0, given["end"]))
    if start < 0 or stop < 0 or given["step"] != 1:
        raise UnsupportedError("positions that are counted from the end, or that are not neighbours")
    return replaced(mapping, given["self"], mapping.shown(given["src"]), axis, start, stop)


@rule("select_scatter")
def position_replaced(mapping: Mapping, call: Call) -> Shown:
    """A tensor with other values at one position of an axis."""
    given = call.settings
    axis = given["dim"] % len(call.results[0].shape)
    start = given["index"] % call.results[0].shape[axis]
    made = mapping.shown(given["src"])
    made = Shown(made.step, (*made.view[:axis], (), *made.view[axis:]))
    return replaced(mapping, given["self"], made, axis, start, start + 1)


def replaced(mapping: Mapping, tensor: Tensor, part_: Shown, axis: int, start: int, stop: int) -> Shown:
    """A tensor with a part of an axis in the place of its own."""
    length = tensor.shape[axis]
    if (start, stop) == (0, length):
        return part_
    around = [(0, start), (stop, length)]
    before, after = ([part(mapping, mapping.shown(tensor), axis, a, b)] if b > a else [] for a, b in around)
    return one_after_another(mapping, [*before, part_, *after], axis)


def _without_ones(tensor: Shown, axis: int) -> Shown:
    """The tensor whose axis has no batch of one: a parameter's first axis of size 1 may be an axis like others."""
    group = tuple(factor for factor in tensor.view[axis] if factor.size > 1)
    return Shown(tensor.step, (*tensor.view[:axis], group, *tensor.view[axis + 1 :]))


def _common_axis(mapping: Mapping, shown: list[Shown], axis: int) -> tuple[int, tuple[int, ...]] | None:
    """The axis of the maps that is the axis of all tensors, if all tensors show their maps in the same way."""
    first = shown[0]
    steps = [mapping.steps.steps[tensor.step] for tensor in shown]
    numbers = set()
    for tensor, step in zip(shown, steps, strict=True):
        for at, group in enumerate(tensor.view):
            plain = [factor for factor in group if factor.axis != BATCH]
            if at == axis:
                if len(plain) != 1 or tuple(plain) != step.natural[plain[0].axis]:
                    return None
                numbers.add(plain[0].axis)
            elif group != first.view[at]:
                return None
        if len(step.sizes) != len(steps[0].sizes):
            return None
    return (numbers.pop(), steps[0].shape.axes) if len(numbers) == 1 else None


def class_token(mapping: Mapping, call: Call, values: list[Any], axis: int) -> Shown:
    """Trained positions before the others."""
    if not isinstance(values[-1], Shown) or any(isinstance(value, Shown) for value in values[:-1]):
        raise UnsupportedError("a parameter that stands after or between maps")
    tensor = values[-1]
    group = tensor.view[axis]
    step = mapping.steps.steps[tensor.step]
    last = len(step.sizes) - 1
    if not last or group != step.natural[last] or (group and group[0].axis != last):
        tensor = own_map(mapping, Shown(tensor.step, tensor.view))
        step = mapping.steps.steps[tensor.step]
        last = len(step.sizes) - 1
        if tensor.view[axis] != step.natural[last]:
            raise UnsupportedError("a parameter that stands before channels")
    tokens = call.results[0].shape[axis] - tensor.sizes[axis]
    own = [one for value in values[:-1] for one in value.parameters]
    if any(id(one) in mapping.apart for one in own):
        raise UnsupportedError("a parameter that several layers read")
    if sum(prod(one.shape) for one in own) != tokens * step.shape.channels:
        raise UnsupportedError("constants that stand before a map")
    sizes = [*step.sizes[:-1], step.sizes[-1] + tokens]
    made = mapping.steps.add(
        "class_token", {} if tokens == 1 else {"tokens": tokens}, [tensor.step], Shape(sizes[0], tuple(sizes[1:])), own
    )
    view = tuple(whole(last, sizes[-1]) if at == axis else group for at, group in enumerate(tensor.view))
    return Shown(made, view)
