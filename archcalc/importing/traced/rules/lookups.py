"""Positions chosen by constants: tables of relative positions, and windows of a table."""

from __future__ import annotations

from typing import Any

from archcalc.importing.traced.calls import Call, Tensor
from archcalc.importing.traced.factors import BATCH, reshaped, whole
from archcalc.importing.traced.mapping import Mapping, rule
from archcalc.importing.traced.steps import Fixed, Shown, UnsupportedError
from archcalc.sizes import Shape


@rule("index", "_unsafe_index")
def index(mapping: Mapping, call: Call) -> Shown:
    """Positions of one axis."""
    chosen = [(axis, one) for axis, one in enumerate(call.settings["indices"]) if one is not None]
    if len(chosen) != 1:
        raise UnsupportedError("positions that are chosen along several axes at once")
    axis, indices = chosen[0]
    return selected(mapping, mapping.shown(call.settings["self"]), axis, indices)


@rule("index_select")
def index_select(mapping: Mapping, call: Call) -> Shown:
    """Positions of one axis."""
    tensor = mapping.shown(call.settings["self"])
    return selected(mapping, tensor, call.settings["dim"] % len(tensor.view), call.settings["index"])


@rule("embedding")
def embedding(mapping: Mapping, call: Call) -> Shown:
    """Rows of a table."""
    return selected(mapping, mapping.shown(call.settings["weight"]), 0, call.settings["indices"])


def selected(mapping: Mapping, tensor: Shown, axis: int, indices: Tensor) -> Shown:
    """The positions of an axis that constants choose; the axis becomes the axes of the constants."""
    known = mapping.of(indices)
    if not isinstance(known, Fixed) or known.value is None:
        raise UnsupportedError("positions that depend on the image are chosen")
    value: Any = known.value
    if indices.type not in ("int64", "int32"):
        raise UnsupportedError("positions that are chosen by true and false")
    if any(factor.axis == BATCH for factor in tensor.view[axis]):
        raise UnsupportedError("images of the batch that are chosen")
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
        kept = tuple(factor for factor in tensor.view[at] if factor.axis == BATCH)
        if kept:
            raise UnsupportedError("positions chosen of a map whose batch is part of an axis")
        view[at] = whole(number, before[number])
    view[axis] = whole(len(groups), value.numel())
    made = reshaped((view[axis],), tuple(value.shape))
    assert made is not None
    return Shown(step, (*view[:axis], *made, *view[axis + 1 :]))
