"""Positions chosen by constants: tables of relative positions, and windows of a table."""

from __future__ import annotations

from math import prod
from typing import Any

from archcalc.importing.traced.calls import Call, Tensor
from archcalc.importing.traced.factors import BATCH, reshaped, whole
from archcalc.importing.traced.mapping import Mapping, rule
from archcalc.importing.traced.rules.cuts import axis_word
from archcalc.importing.traced.rules.views import in_sizes
from archcalc.importing.traced.steps import Fixed, Shown, UnsupportedError, with_batch
from archcalc.sizes import Shape


@rule("index", "_unsafe_index")
def index(mapping: Mapping, call: Call) -> Shown:
    """Positions of one axis, or of neighbouring axes at once."""
    chosen = [(axis, one) for axis, one in enumerate(call.settings["indices"]) if one is not None]
    tensor = mapping.shown(call.settings["self"])
    first, count = chosen[0][0], len(chosen)
    if chosen[-1][0] - first >= count:
        raise UnsupportedError("positions that are chosen along axes with another one between them")
    sizes = tensor.sizes[first : first + count]
    value = _known(mapping, chosen[0][1])
    for size, (_, one) in zip(sizes[1:], chosen[1:], strict=True):
        value = value * size + _known(mapping, one) % size
    merged = (*tensor.sizes[:first], prod(sizes), *tensor.sizes[first + count :])
    tensor = in_sizes(mapping, tensor, merged, "positions that are chosen along several axes at once")
    return selected(mapping, tensor, first, value)


@rule("index_select")
def index_select(mapping: Mapping, call: Call) -> Shown:
    """Positions of one axis."""
    tensor = mapping.shown(call.settings["self"])
    return selected(mapping, tensor, call.settings["dim"] % len(tensor.view), _known(mapping, call.settings["index"]))


@rule("embedding")
def embedding(mapping: Mapping, call: Call) -> Shown:
    """Rows of a table."""
    return selected(mapping, mapping.shown(call.settings["weight"]), 0, _known(mapping, call.settings["indices"]))


def _known(mapping: Mapping, indices: Tensor) -> Any:
    """The positions that a tensor of constants chooses."""
    known = mapping.of(indices)
    if not isinstance(known, Fixed) or known.value is None:
        raise UnsupportedError("positions that depend on the image are chosen")
    if indices.type not in ("int64", "int32"):
        raise UnsupportedError("positions that are chosen by true and false")
    return known.value


def selected(mapping: Mapping, tensor: Shown, axis: int, value: Any) -> Shown:
    """The positions of an axis that constants choose; the axis becomes the axes of the constants."""
    if any(factor.axis == BATCH for factor in tensor.view[axis]):
        raise UnsupportedError("images of the batch that are chosen")
    natural = mapping.steps.steps[tensor.step].natural
    named = natural if len(natural) <= 4 else (natural[0], natural[-1])
    if value.dim() == 1 and tensor.view[axis] in named and tensor.view[axis]:
        return _of_a_map(mapping, tensor, axis, value)
    plain = [tuple(factor for factor in group if factor.axis != BATCH) for group in tensor.view]
    others = [at for at, group in enumerate(plain) if at != axis and group]
    groups = [plain[at] for at in others] or [()]
    source = mapping.steps.arranged(tensor.step, [*groups, plain[axis]])
    before = mapping.steps.steps[source].sizes
    sizes = (*before[:-1], value.numel())
    step = mapping.steps.add("index_select", {"count": value.numel()}, [source], Shape(sizes[0], sizes[1:]))
    mapping.steps.steps[step].value = value
    view = list(tensor.view)
    for number, at in enumerate(others):
        view[at] = with_batch(tensor.view[at], whole(number, before[number]))
    view[axis] = whole(len(groups), value.numel())
    made = reshaped((view[axis],), tuple(value.shape))
    assert made is not None
    return Shown(step, (*view[:axis], *made, *view[axis + 1 :]))


def _of_a_map(mapping: Mapping, tensor: Shown, axis: int, value: Any) -> Shown:
    """Positions along an axis of the tensor that is an axis of the map."""
    before = mapping.steps.steps[tensor.step]
    at, count = before.natural.index(tensor.view[axis]), value.numel()
    sizes = (*before.sizes[:at], count, *before.sizes[at + 1 :])
    word = "channels" if not at else "last" if at == len(sizes) - 1 else axis_word(at, len(sizes) - 1)
    settings = {"count": count} | ({} if word == "last" else {"axis": word})
    step = mapping.steps.add("index_select", settings, [tensor.step], Shape(sizes[0], sizes[1:]))
    mapping.steps.steps[step].value = value
    return Shown(step, (*tensor.view[:axis], whole(at, count), *tensor.view[axis + 1 :]))
