"""Views, slices and joins: operators that show, cut and put together tensors."""

from __future__ import annotations

from math import prod
from typing import Any

from archcalc.importing.pytorch.factors import BATCH, Factor, merged, reshaped, size_of, whole
from archcalc.importing.pytorch.graph import Call, Tensor
from archcalc.importing.pytorch.mapping import Mapping, rule
from archcalc.importing.pytorch.steps import Fixed, Shown, UnsupportedError
from archcalc.sizes import Shape

JOINS = {"add": "add", "mul": "multiply", "sub": "subtract", "maximum": "maximum", "minimum": "minimum"}


@rule("view", "reshape", "_unsafe_view", "flatten", "unflatten", "_reshape_copy")
def reshape(mapping: Mapping, call: Call) -> Shown:
    """Other sizes of the same values."""
    tensor = mapping.shown(call.settings["self"])
    sizes = call.results[0].shape
    view = reshaped(tensor.view, sizes)
    if view is None:
        tensor = own_map(mapping, tensor)
        view = reshaped(tensor.view, sizes)
    if view is None:
        raise UnsupportedError(f"a reshape from {list(tensor.sizes)} to {list(sizes)}")
    return Shown(tensor.step, view)


def own_map(mapping: Mapping, tensor: Shown, channels: int | None = None) -> Shown:
    """The tensor with a map whose channels and axes are the axes of the tensor."""
    if channels is None:
        whole_axes = (at for at, group in enumerate(tensor.view) if group and all(factor.axis == 0 for factor in group))
        channels = next(whole_axes, 1 if len(tensor.view) > 1 else 0)
    map = mapping.steps.as_map(tensor, channels)
    return mapping.steps.shown(map.step, map)


@rule(
    "contiguous",
    "clone",
    "alias",
    "detach",
    "to",
    "_to_copy",
    "type_as",
    "lift_fresh",
    "identity",
    "float",
    "expand_as",
)
def same(mapping: Mapping, call: Call) -> Shown:
    """The same values."""
    tensor = mapping.shown(call.tensors[0])
    if tensor.sizes != call.results[0].shape:
        raise UnsupportedError("a tensor that is expanded")
    return tensor


@rule("permute", "transpose", "t", "swapaxes", "movedim")
def permute(mapping: Mapping, call: Call) -> Shown:
    """The axes in another order."""
    given = call.settings
    tensor = mapping.shown(given["self"])
    count = len(tensor.view)
    order = list(range(count))
    if call.operator == "permute":
        order = [axis % count for axis in given["dims"]]
    elif call.operator == "movedim":
        raise UnsupportedError("movedim")
    elif count > 1:
        a, b = (given.get(f"dim{n}", given.get(f"axis{n}", n)) % count for n in (0, 1))
        order[a], order[b] = order[b], order[a]
    return Shown(tensor.step, tuple(tensor.view[axis] for axis in order))


@rule("unsqueeze", "squeeze", "expand")
def squeeze(mapping: Mapping, call: Call) -> Shown:
    """Axes of size 1 put in or taken away."""
    tensor = mapping.shown(call.tensors[0])
    sizes = call.results[0].shape
    if prod(sizes) != prod(tensor.sizes):
        return expanded(mapping, tensor, sizes)
    view = reshaped(tensor.view, sizes)
    assert view is not None
    return Shown(tensor.step, view)


def expanded(mapping: Mapping, tensor: Shown, sizes: tuple[int, ...]) -> Shown:
    """Positions repeated along axes of size 1."""
    map = mapping.steps.as_map(tensor, 1)
    shape = mapping.steps.shape_of(map, sizes)
    before = mapping.steps.steps[map.step].shape
    if shape.channels != before.channels or not shape.axes:
        raise UnsupportedError("channels that are repeated")
    step = mapping.steps.add(
        "expand", {"size": list(shape.axes) if len(set(shape.axes)) > 1 else shape.axes[0]}, [map.step], shape
    )
    return mapping.steps.shown(step, map)


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
    if (start, stop, step) == (0, length, 1):
        return tensor
    group = tensor.view[axis]
    if any(factor.axis == BATCH for factor in group):
        raise UnsupportedError("images of the batch that are taken out")
    if len(group) != 1 or not _outermost(mapping, tensor, group[0]):
        return part(mapping, own_map(mapping, tensor), axis, start, stop, step)
    factor = group[0]
    source = mapping.steps.steps[tensor.step]
    if step != 1 and factor.stride != 1:
        raise UnsupportedError("steps over parts of an axis")
    settings: dict[str, Any] = {}
    sizes = list(source.sizes)
    if factor.axis:
        settings["axis"] = _axis_word(factor.axis, len(sizes) - 1)
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


def _outermost(mapping: Mapping, tensor: Shown, factor: Factor) -> bool:
    """Whether the factor is the outermost part of a size of the map."""
    return factor.stride * factor.size == mapping.steps.steps[tensor.step].sizes[factor.axis]


def _axis_word(axis: int, count: int) -> str:
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


@rule("cat", "concat", "concatenate")
def concat(mapping: Mapping, call: Call) -> Shown:
    """Tensors one after another along an axis."""
    values = [mapping.of(tensor) for tensor in call.settings["tensors"] if 0 not in tensor.shape]
    axis = call.settings["dim"] % len(call.results[0].shape)
    shown = [value for value in values if isinstance(value, Shown)]
    if len(shown) < len(values):
        return class_token(mapping, call, values, axis)
    if len(shown) == 1:
        return shown[0]
    settings: dict[str, Any] = {}
    word = _common_axis(mapping, shown, axis)
    if word is not None:
        number, others = word
        if number:
            settings["axis"] = _axis_word(number, len(others))
            sizes = list(mapping.steps.steps[shown[0].step].sizes)
            sizes[number] = call.results[0].shape[axis]
            step = mapping.steps.add(
                "concat", settings, [tensor.step for tensor in shown], Shape(sizes[0], tuple(sizes[1:]))
            )
            view = tuple(whole(number, sizes[number]) if at == axis else g for at, g in enumerate(shown[0].view))
            return Shown(step, view)
    maps = [mapping.steps.as_map(tensor, axis) for tensor in shown]
    step = mapping.steps.add(
        "concat", settings, [map.step for map in maps], mapping.steps.shape_of(maps[0], call.results[0].shape)
    )
    return mapping.steps.shown(step, maps[0])


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
    if sum(prod(one.shape) for one in own) != tokens * step.shape.channels:
        raise UnsupportedError("constants that stand before a map")
    sizes = [*step.sizes[:-1], step.sizes[-1] + tokens]
    made = mapping.steps.add(
        "class_token", {} if tokens == 1 else {"tokens": tokens}, [tensor.step], Shape(sizes[0], tuple(sizes[1:])), own
    )
    view = tuple(whole(last, sizes[-1]) if at == axis else group for at, group in enumerate(tensor.view))
    return Shown(made, view)


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


@rule("add", "sub", "mul", "div", "maximum", "minimum", "rsub")
def binary(mapping: Mapping, call: Call) -> Shown:
    """A join of two tensors, or a tensor with a number or a parameter."""
    given = call.settings
    operator = call.operator.rstrip("_")
    a, b = given["self"], given["other"]
    if given.get("alpha", 1) != 1:
        raise UnsupportedError("a sum with a factor")
    left, right = (mapping.of(x) if isinstance(x, Tensor) else x for x in (a, b))
    if isinstance(left, Shown) and isinstance(right, Shown):
        return joined(mapping, call, operator, left, right)
    tensor, other = (left, right) if isinstance(left, Shown) else (right, left)
    if isinstance(other, (int, float)) and not isinstance(other, bool):
        return scaled(mapping, operator, tensor, float(other), swapped=tensor is right)
    if isinstance(other, Fixed):
        return with_parameter(mapping, operator, tensor, other)
    raise UnsupportedError("an operand that is not understood")


def joined(mapping: Mapping, call: Call, operator: str, left: Shown, right: Shown) -> Shown:
    """Two maps value by value."""
    if operator not in JOINS:
        raise UnsupportedError("no join of two maps does this")
    frame = max((left, right), key=lambda tensor: prod(tensor.sizes))
    if tuple(frame.sizes) != call.results[0].shape:
        return both_expanded(mapping, call, operator, left, right)
    reads = [tensor.step if tensor is frame else mapping.onto(tensor, frame) for tensor in (left, right)]
    step = mapping.steps.add(JOINS[operator], {}, reads, mapping.steps.steps[frame.step].shape)
    return Shown(step, frame.view)


def both_expanded(mapping: Mapping, call: Call, operator: str, left: Shown, right: Shown) -> Shown:
    """Two maps value by value, each of which has an axis of size 1 where the other one is longer."""
    shape = call.results[0].shape
    if len(left.view) != len(shape) or len(right.view) != len(shape):
        raise UnsupportedError("a join in which both maps are expanded")
    maps = [mapping.steps.as_map(tensor, 1) for tensor in (left, right)]
    if maps[0].axes != maps[1].axes:
        raise UnsupportedError("a join in which both maps are expanded")
    step = mapping.steps.add(JOINS[operator], {}, [map.step for map in maps], mapping.steps.shape_of(maps[0], shape))
    return mapping.steps.shown(step, maps[0])


def scaled(mapping: Mapping, operator: str, tensor: Shown, number: float, swapped: bool) -> Shown:
    """A map times a number, or plus a number."""
    if operator == "mul":
        settings = {"factor": number}
    elif operator == "div" and not swapped:
        settings = {"factor": 1 / number}
    elif operator == "add":
        settings = {"factor": 1.0, "shift": number}
    elif operator == "sub" and not swapped:
        settings = {"factor": 1.0, "shift": -number}
    elif operator in ("sub", "rsub"):
        settings = {"factor": -1.0, "shift": number}
    else:
        raise UnsupportedError("a number divided by a map")
    return (
        tensor
        if settings in ({"factor": 1.0}, {"factor": 1.0, "shift": 0.0})
        else mapping.steps.same("scale", settings, tensor)
    )


def with_parameter(mapping: Mapping, operator: str, tensor: Shown, other: Fixed) -> Shown:
    """A map plus or times a trained map."""
    own = other.parameters
    frozen = _frozen(mapping, operator, tensor, other)
    if frozen is not None:
        return frozen
    if not own:
        return with_constant(mapping, operator, tensor, other)
    count = len(tensor.view)
    shape = (1,) * (count - len(other.shape)) + other.shape
    if len(shape) > count:
        raise UnsupportedError("a parameter that adds axes")
    along: set[int] = set()
    for at, size in enumerate(shape):
        plain = [factor for factor in tensor.view[at] if factor.axis != BATCH]
        if size != 1:
            if size != size_of(plain):
                raise UnsupportedError("a parameter that repeats the map")
            along |= {factor.axis for factor in plain}
    step = mapping.steps.steps[tensor.step]
    if prod(step.sizes[axis] for axis in along) != sum(prod(one.shape) for one in own):
        raise UnsupportedError("a parameter that is computed first")
    everywhere = {axis for axis, size in enumerate(step.sizes) if size > 1}
    if operator == "mul" and along == {0}:
        return mapping.steps.same("layer_scale", {}, tensor, own)
    if operator == "mul":
        raise UnsupportedError("a trained factor for positions")
    if operator not in ("add",):
        raise UnsupportedError("a parameter that is subtracted or divided by")
    if along == {0} and step.type == "layer_scale" and "bias" not in step.settings:
        step.settings["bias"] = True
        step.own += own
        return tensor
    settings = (
        {}
        if along == everywhere
        else {"axes": ["channels" if axis == 0 else _axis_word(axis, len(step.sizes) - 1) for axis in sorted(along)]}
    )
    return mapping.steps.same("position", settings, tensor, own)


def with_constant(mapping: Mapping, operator: str, tensor: Shown, other: Fixed) -> Shown:
    """A map with one known number."""
    if other.value is None or other.value.numel() != 1:
        raise UnsupportedError("a constant whose numbers are not known, or are several")
    return scaled(mapping, operator, tensor, float(other.value), swapped=False)


def _frozen(mapping: Mapping, operator: str, tensor: Shown, other: Fixed) -> Shown | None:
    """A batch normalisation that is written as a product and a sum of buffers; None if this is another operation."""
    names = {source.name.rpartition(".")[2] for source in other.sources if source.kind == "buffer"}
    scale = {"weight", "running_var"}
    step = mapping.steps.steps[tensor.step]
    if other.parameters or not names >= scale:
        return None
    if operator == "mul" and names == scale:
        buffers = list(other.sources)
        return mapping.steps.layer("batch_norm", {"frozen": True}, tensor, tensor.sizes, buffers)
    if operator == "add" and step.type == "batch_norm" and names == {*scale, "bias", "running_mean"}:
        return tensor
    return None
