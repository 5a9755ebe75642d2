"""Sums and products of maps, of a map and a number, and of a map and a parameter."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from archcalc.importing.traced.calls import Call, Tensor
from archcalc.importing.traced.factors import BATCH, Factor, size_of
from archcalc.importing.traced.mapping import SHAPES, Mapping, rule
from archcalc.importing.traced.operands import operand
from archcalc.importing.traced.rules.cuts import axis_word
from archcalc.importing.traced.rules.responses import response_norm
from archcalc.importing.traced.rules.views import own_map
from archcalc.importing.traced.steps import Fixed, Shown, UnsupportedError

JOINS = {
    "add": "add",
    "mul": "multiply",
    "sub": "subtract",
    "div": "divide",
    "maximum": "maximum",
    "minimum": "minimum",
}


@rule("abs", "exp", "log", "sqrt", "sin", "cos", "square", "pow", "reciprocal", "rsqrt")
def function(mapping: Mapping, call: Call) -> Shown:
    """A function of mathematics, value by value."""
    given, operator = call.settings, call.operator.rstrip("_")
    if not isinstance(given["self"], Tensor):
        raise UnsupportedError("a number to the power of a map")
    tensor = mapping.shown(given["self"])
    if operator in ("abs", "exp", "log", "sqrt", "sin", "cos"):
        return mapping.steps.same("math", {"function": operator}, tensor)
    exponent = {"square": 2, "reciprocal": -1, "rsqrt": -0.5}.get(operator, given.get("exponent", given.get("other")))
    if not isinstance(exponent, (int, float)) or isinstance(exponent, bool) or exponent == 0:
        raise UnsupportedError("a power whose exponent is no number, or 0")
    return mapping.steps.same("math", {"function": "power", "exponent": exponent}, tensor)


@rule("add", "sub", "mul", "div", "maximum", "minimum", "rsub")
def binary(mapping: Mapping, call: Call) -> Shown:
    """A join of two tensors, or a tensor with a number or a parameter."""
    given = call.settings
    if given.get("alpha", 1) != 1:
        raise UnsupportedError("a sum with a factor")
    a, b = given["self"], given["other"]
    left, right = (mapping.of(x) if isinstance(x, Tensor) else x for x in (a, b))
    return met(mapping, call.operator.rstrip("_"), (left, a), (right, b), call.results[0].shape)


@rule("addcmul")
def sum_of_product(mapping: Mapping, call: Call) -> Shown:
    """A product of two tensors, and the sum of it and a third."""
    given = call.settings
    third, first, second = ((mapping.finish(one), one) for one in (given[k] for k in ("self", "tensor1", "tensor2")))
    if given["value"] != 1 or not any(isinstance(one, Shown) for one, _ in (first, second)):
        raise UnsupportedError("a sum and a product with a factor, or of parameters alone")
    made = met(mapping, "mul", first, second, broadcast(first[1].shape, second[1].shape))
    return met(mapping, "add", (made, None), third, call.results[0].shape)


def met(mapping: Mapping, operator: str, one: tuple[Any, Any], other: tuple[Any, Any], shape: Sequence[int]) -> Shown:
    """Two operands, value by value: what each of them shows, and the tensor, at least one of them a map."""
    left, right = one[0], other[0]
    if isinstance(left, Shown) and isinstance(right, Shown):
        if operator == "div" and (normalised := response_norm(mapping, left, right)):
            return normalised
        return joined(mapping, operator, left, right, shape)
    tensor, fixed, source = (left, right, other[1]) if isinstance(left, Shown) else (right, left, one[1])
    if isinstance(fixed, (int, float)) and not isinstance(fixed, bool):
        return scaled(mapping, operator, tensor, float(fixed), swapped=tensor is right)
    if isinstance(fixed, Fixed):
        if operator == "rsub":
            raise UnsupportedError("a map that is subtracted from a parameter")
        if operator in ("sub", "div") and tensor is right:
            return joined(mapping, operator, operand(mapping, source), tensor, shape)
        return with_parameter(mapping, operator, tensor, fixed, source)
    raise UnsupportedError("an operand that is not understood")


@rule("neg", "negative")
def negative(mapping: Mapping, call: Call) -> Shown:
    """The values with the other sign."""
    return mapping.steps.same("scale", {"factor": -1.0}, mapping.shown(call.settings["self"]))


def joined(mapping: Mapping, operator: str, left: Shown, right: Shown, shape: Sequence[int]) -> Shown:
    """Two maps value by value."""
    if operator not in JOINS:
        raise UnsupportedError("no join of two maps does this")
    frame = max((left, right), key=lambda tensor: prod(tensor.sizes))
    if tuple(frame.sizes) != tuple(shape):
        return both_expanded(mapping, operator, left, right, shape)
    other = right if frame is left else left
    apart = frame
    try:
        read = mapping.onto(other, frame)
    except UnsupportedError:
        try:
            apart = own_map(mapping, frame)
            read = mapping.onto(other, apart)
        except UnsupportedError:
            return both_expanded(mapping, operator, left, right, shape)
    reads = [apart.step, read] if frame is left else [read, apart.step]
    step = mapping.steps.add(JOINS[operator], {}, reads, mapping.steps.steps[apart.step].shape)
    return Shown(step, apart.view)


def both_expanded(mapping: Mapping, operator: str, left: Shown, right: Shown, shape: Sequence[int]) -> Shown:
    """Two maps value by value, each of which has an axis of size 1 where the other one is longer."""
    count = len(shape)
    views = [(*((),) * (count - len(one.view)), *one.view) for one in (left, right)]
    pairs = list(zip(*views, strict=True))
    channels = next((at for at, pair in enumerate(pairs) if at and all(pair)), 1 if count > 1 else 0)
    factors = [[factor.axis for group in pair for factor in group] for pair in pairs]
    batch = [at for at, axes in enumerate(factors) if set(axes) == {BATCH}]
    maps = []
    for one, view in zip((left, right), views, strict=True):
        marked = tuple(
            (*group, Factor(BATCH, 1, 1)) if at in batch and not group else group for at, group in enumerate(view)
        )
        maps.append(mapping.steps.as_map(Shown(one.step, marked), channels))
    if maps[0].axes != maps[1].axes:
        raise UnsupportedError("a join in which both maps are expanded")
    groups = tuple(max(pair, key=size_of) for pair in zip(*(one.groups for one in maps), strict=True))
    maps = [one._replace(groups=groups) for one in maps]
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
    elif operator == "div":
        settings, tensor = {"factor": number}, mapping.steps.same("math", {"function": "power", "exponent": -1}, tensor)
    else:
        raise UnsupportedError("the larger or smaller one of a map and a number")
    return (
        tensor
        if settings in ({"factor": 1.0}, {"factor": 1.0, "shift": 0.0})
        else mapping.steps.same("scale", settings, tensor)
    )


def with_parameter(mapping: Mapping, operator: str, tensor: Shown, other: Fixed, source: Tensor) -> Shown:
    """A map plus or times a trained map, or constants."""
    frozen = _frozen(mapping, operator, tensor, other)
    if frozen is not None:
        return frozen
    if not other.parameters:
        return with_constant(mapping, operator, tensor, other, source)
    known = _position(mapping, operator, tensor, other) if _unchanged(mapping, other) else None
    return known or joined(mapping, operator, tensor, operand(mapping, source), broadcast(tensor.sizes, other.shape))


def broadcast(one: Sequence[int], other: Sequence[int]) -> tuple[int, ...]:
    """The sizes of what two tensors make value by value."""
    count = max(len(one), len(other))
    rows = ((1,) * (count - len(sizes)) + tuple(sizes) for sizes in (one, other))
    return tuple(max(sizes) for sizes in zip(*rows, strict=True))


def _unchanged(mapping: Mapping, fixed: Fixed) -> bool:
    """Whether the values are those of parameters, or sums of them that broadcast to one map."""
    return not any(id(one) in mapping.apart for one in fixed.sources) and all(
        call.operator in (*SHAPES, "permute", "transpose", "add") for call in fixed.calls
    )


def _position(mapping: Mapping, operator: str, tensor: Shown, other: Fixed) -> Shown | None:
    """The layer for a trained map along whole axes; None if there is none."""
    own = other.parameters
    count = len(tensor.view)
    shape = (1,) * (count - len(other.shape)) + other.shape
    if len(shape) > count:
        return None
    along: set[int] = set()
    for at, size in enumerate(shape):
        plain = [factor for factor in tensor.view[at] if factor.axis != BATCH]
        if size != 1:
            if size != size_of(plain):
                return None
            along |= {factor.axis for factor in plain}
    step = mapping.steps.steps[tensor.step]
    if prod(step.sizes[axis] for axis in along) != sum(prod(one.shape) for one in own) or 0 not in along:
        return None
    everywhere = {axis for axis, size in enumerate(step.sizes) if size > 1}
    if along == {0} and operator == "mul":
        return mapping.steps.same("layer_scale", {}, tensor, own)
    if operator != "add":
        return None
    if along == {0} and step.type == "layer_scale" and "bias" not in step.settings and _last(mapping, tensor):
        step.settings["bias"] = True
        step.own += own
        return tensor
    words = [axis_word(axis, len(step.sizes) - 1) for axis in sorted(along) if axis]
    if along != everywhere and not words:
        return None
    made = mapping.steps.same("position", {} if along == everywhere else {"axes": words}, tensor, own)
    if not other.calls:
        groups = [tuple(factor for factor in group if factor.axis != BATCH) for group in tensor.view]
        mapping.steps.steps[made.step].groups = [one for one, size in zip(groups, shape, strict=True) if size > 1]
    return made


def _last(mapping: Mapping, tensor: Shown) -> bool:
    """Whether no layer has read the tensor yet."""
    return tensor.step == len(mapping.steps.steps) - 1


def with_constant(mapping: Mapping, operator: str, tensor: Shown, other: Fixed, source: Tensor) -> Shown:
    """A map with known numbers."""
    if other.value is not None and other.value.numel() and other.value.dtype.is_floating_point:
        first = float(other.value.flatten()[0])
        if (other.value == first).all() and broadcast(tensor.sizes, other.shape) == tensor.sizes:
            return scaled(mapping, operator, tensor, first, swapped=False)
    made = operand(mapping, source)
    return joined(mapping, operator, tensor, made, broadcast(tensor.sizes, other.shape))


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
