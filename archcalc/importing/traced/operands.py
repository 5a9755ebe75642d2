"""Parameters and constants as operands: the layer parameter, and what is computed from it before it meets a map."""

from __future__ import annotations

from typing import Any

from archcalc.importing.traced.calls import Tensor
from archcalc.importing.traced.factors import BATCH, Factor, whole
from archcalc.importing.traced.mapping import OPERANDS, RULES, Mapping
from archcalc.importing.traced.steps import Fixed, Shown, UnsupportedError
from archcalc.sizes import Shape

LARGEST = 10**8
"""The most numbers of a constant."""
VIEWS = ("permute", "transpose", "view", "reshape", "detach", "to", "alias", "contiguous", "lift_fresh")
"""Operators that show constants in another way, before which the constants are looked up."""
ONE = Factor(BATCH, 1, 1)
"""A batch of one: what is computed from parameters, before it meets the images."""


def operand(mapping: Mapping, tensor: Tensor) -> Shown:
    """The view of a tensor that does not depend on the inputs. Its first axis is no batch, unless it is expanded to it."""
    made = _depend(mapping, tensor)
    view = tuple(tuple(factor for factor in group if factor != ONE) for group in made.view)
    return Shown(made.step, view)


def constant(mapping: Mapping, tensor: Tensor, value: Any) -> Shown:
    """A tensor whose numbers are known."""
    return _leaf(mapping, tensor, True, value)


def for_every_image(mapping: Mapping, tensor: Tensor) -> Shown:
    """The view of a tensor whose first axis has the images, and perhaps other positions beside them.

    Such constants are computed from constants whose first axis has the images alone.
    """
    value = mapping.finish(tensor)
    if isinstance(value, Fixed) and not value.parameters and tensor.shape[0] != mapping.steps.batch:
        return _depend(mapping, tensor, tensor.shape[0])
    return mapping.shown(tensor)


OPERANDS.append(operand)


def _depend(mapping: Mapping, tensor: Tensor, more: int = 0) -> Shown:
    """The tensor as layers make it; with a batch of one where its first axis has size 1.

    ``more``: the size of a first axis that has more than the images.
    """
    value = mapping.of(tensor)
    if isinstance(value, Shown):
        return value
    if id(tensor) in mapping.operands:
        return mapping.operands[id(tensor)]
    if not isinstance(value, Fixed):
        raise UnsupportedError("a value that is no map")
    computed = value.calls and more and (tensor.shape[:1] == (more,) or value.calls[-1].operator in VIEWS)
    if not value.calls or (not value.parameters and value.value is not None and not computed):
        made = _leaf(mapping, tensor, not value.parameters, value.value)
    else:
        made = _computed(mapping, tensor, value, more)
    if made.sizes and made.sizes[0] == 1 and not made.view[0]:
        made = Shown(made.step, ((ONE,), *made.view[1:]))
    mapping.operands[id(tensor)] = made
    return made


def _leaf(mapping: Mapping, tensor: Tensor, fixed: bool, value: Any) -> Shown:
    """A parameter, a buffer or a constant."""
    if tensor.type not in ("float32", "float64", "float16", "bfloat16"):
        raise UnsupportedError(f"a constant of type {tensor.type}")
    if fixed and value is None and tensor.kind != "buffer":
        raise UnsupportedError("a constant whose numbers are not known")
    shape = tensor.shape
    images = shape[0] if shape and shape[0] == mapping.steps.batch and fixed and _same_for_all(value) else 1
    if images > 1:
        shape = (1, *shape[1:])
    sizes = [size for size in shape if size > 1] or [1]
    settings = {"size": sizes} | ({"fixed": True} if fixed else {})
    step = mapping.steps.add("parameter", settings, [0], Shape(sizes[0], tuple(sizes[1:])), [tensor])
    mapping.steps.steps[step].name = tensor.name.replace(" ", "")
    view, axis = [], 0
    for size in shape:
        view.append(whole(axis, size))
        axis += size > 1
    if images > 1:
        view[0] = (Factor(BATCH, 1, images),)
    return Shown(step, tuple(view))


def _same_for_all(value: Any) -> bool:
    """Whether a constant is the same for all images of the run."""
    return value is not None and all(bool((one == value[0]).all()) for one in value[1:])


def _computed(mapping: Mapping, tensor: Tensor, value: Fixed, more: int) -> Shown:
    """What an operator makes of parameters, by the rule of the operator."""
    call, what = value.calls[-1], "parameter" if value.parameters else "constant"
    operator = call.operator if call.operator in RULES else call.operator.rstrip("_")
    if operator not in RULES:
        raise UnsupportedError(f"a {what} that {call.operator} computes")
    before = {}
    for one in call.tensors:
        known = mapping.of(one)
        if (
            isinstance(known, Fixed)
            and (known.parameters or known.value is None or operator == "cat" or one.shape[:1] == (more,))
            and not _weight(call, one)
        ):
            before[id(one)] = known
    made = {key: _depend(mapping, one, more) for one in call.tensors for key in [id(one)] if key in before}
    if not made and call.tensors:
        first = call.tensors[0]
        before[id(first)] = mapping.of(first)
        made[id(first)] = _depend(mapping, first, more)
    mapping.values |= made
    try:
        result = RULES[operator](mapping, call)
    finally:
        mapping.values |= before
    if isinstance(result, list):
        result = result[[one is tensor for one in call.results].index(True)]
    if not isinstance(result, Shown):
        raise UnsupportedError(f"a parameter that {call.operator} computes")
    if result.sizes != tensor.shape:
        raise AssertionError(f"{call.operator}: {result.sizes} for {tensor.shape}")
    images = next((factor.size for group in result.view for factor in group if factor.axis == BATCH), 1)
    mapping.repeated.append((call, images))
    return result


def _weight(call: Any, tensor: Tensor) -> bool:
    """Whether the tensor is a weight of the layer, not its input."""
    names = ("weight", "bias", "running_mean", "running_var")
    return any(call.settings.get(name) is tensor for name in names)
