"""Windows as channels: im2col, col2im, and windows along one axis."""

from __future__ import annotations

from typing import Any

from archcalc.importing.traced.calls import Call
from archcalc.importing.traced.factors import Factor, Group, size_of, split, whole
from archcalc.importing.traced.mapping import Mapping, pair, rule, settings_of, short
from archcalc.importing.traced.rules.views import in_sizes, own_map
from archcalc.importing.traced.steps import Map, Shown, Step, UnsupportedError
from archcalc.sizes import Shape


@rule("im2col")
def unfold(mapping: Mapping, call: Call) -> Shown:
    """The values of each window as channels. Windows that lie side by side are a view."""
    tensor = mapping.shown(call.settings["self"])
    kernel, stride, pad, dilation = windows(call)
    if kernel == stride and not any(pad) and set(dilation) == {1}:
        rows, columns = (side_by_side(group, k) for group, k in zip(tensor.view[2:], kernel, strict=True))
        if rows and columns:
            inside, outside = (*rows[1], *columns[1]), (*rows[0], *columns[0])
            return Shown(tensor.step, (tensor.view[0], (*tensor.view[1], *inside), outside))
    map = plane(mapping, tensor)
    source = mapping.steps.steps[map.step].shape
    rows_of = zip(source.axes, kernel, stride, pad, dilation, strict=True)
    axes = tuple((n + 2 * p - (k - 1) * d - 1) // s + 1 for n, k, s, p, d in rows_of)
    shape = Shape(source.channels * kernel[0] * kernel[1], axes)
    step = mapping.steps.add("unfold", settings(call), [map.step], shape)
    return Shown(step, (tensor.view[0], whole(0, shape.channels), (*whole(1, axes[0]), *whole(2, axes[1]))))


@rule("col2im")
def fold(mapping: Mapping, call: Call) -> Shown:
    """The sums of windows that are channels."""
    tensor = mapping.shown(call.settings["self"])
    kernel, stride, pad, dilation = windows(call)
    out = pair(call.settings["output_size"], 2)
    spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    rows = list(zip(out, spans, stride, pad, strict=True))
    axes = [(n + 2 * p - span) // s + 1 for n, span, s, p in rows]
    more = [n - (m - 1) * s + 2 * p - span for m, (n, span, s, p) in zip(axes, rows, strict=True)]
    sizes = (*tensor.sizes[:-1], *axes)
    map = plane(mapping, in_sizes(mapping, tensor, sizes, "windows whose positions are no axis"))
    shape = Shape(sizes[1] // (kernel[0] * kernel[1]), out)
    made = settings(call) | settings_of(output_pad=short(more) if any(more) else None)
    step = mapping.steps.add("fold", made, [map.step], shape)
    return mapping.steps.shown(step, map)


@rule("unfold")
def along_one_axis(mapping: Mapping, call: Call) -> Shown:
    """Windows along one axis, whose cells are a new last axis."""
    given = call.settings
    tensor = mapping.shown(given["self"])
    at, size, stride = given["dimension"] % len(tensor.view), given["size"], given["step"]
    parts = side_by_side(tensor.view[at], size) if size == stride else None
    if parts is not None:
        return Shown(tensor.step, (*tensor.view[:at], parts[0], *tensor.view[at + 1 :], parts[1]))
    natural = mapping.steps.steps[tensor.step].natural
    if len(natural) != 3 or tensor.view[at] not in natural[1:]:
        tensor = own_map(mapping, tensor)
        natural = mapping.steps.steps[tensor.step].natural
    if len(natural) != 3 or tensor.view[at] not in natural[1:]:
        raise UnsupportedError("windows of a map that has more axes than height and width")
    axis = natural.index(tensor.view[at])
    made, count = _one_more_axis(mapping, tensor.step, axis, size, stride)
    view = [tuple(one._replace(stride=one.stride * size) if one.axis == 0 else one for one in g) for g in tensor.view]
    view[at] = whole(axis, count)
    return Shown(made, (*view, (Factor(0, 1, size),)))


def _one_more_axis(mapping: Mapping, at: int, axis: int, size: int, stride: int) -> tuple[int, int]:
    """A step with windows along an axis of a map of two axes, and the number of windows.

    Windows that were made along the other axis just before are made together with these.
    """
    before = mapping.steps.steps[at]
    axes = list(before.shape.axes)
    count = axes[axis - 1] = (axes[axis - 1] - size) // stride + 1
    kernel, strides = [1, 1], [1, 1]
    if before.type == "unfold" and axis == 2 and _rows_alone(before):
        kernel[0], strides[0] = before.settings["kernel"][0], before.settings["stride"][0]
        at = before.reads[0]
    kernel[axis - 1], strides[axis - 1] = size, stride
    shape = Shape(before.shape.channels * size, tuple(axes))
    return mapping.steps.add("unfold", {"kernel": kernel, "stride": strides}, [at], shape), count


def _rows_alone(step: Step) -> bool:
    """Whether the windows are of one column."""
    kernel, stride = step.settings["kernel"], step.settings.get("stride")
    return isinstance(kernel, list) and isinstance(stride, list) and (kernel[1], stride[1]) == (1, 1)


def plane(mapping: Mapping, tensor: Shown) -> Map:
    """The tensor as a map with height and width."""
    map = mapping.steps.as_map(tensor, 1)
    if len(mapping.steps.steps[map.step].shape.axes) != 2:
        raise UnsupportedError("windows of a map that has more axes than height and width")
    return map


def side_by_side(group: Group, size: int) -> list[Group] | None:
    """The windows of an axis, and the cells of a window; None if a cut goes through a factor unevenly."""
    return split(group, [size_of(group) // size, size]) if size_of(group) % size == 0 else None


def windows(call: Call) -> tuple[tuple[int, ...], ...]:
    """The kernel, the stride, the padding and the dilation, of two axes each."""
    kernel, stride, pad, dilation = (
        pair(call.settings[name], 2) for name in ("kernel_size", "stride", "padding", "dilation")
    )
    return kernel, stride, pad, dilation


def settings(call: Call) -> dict[str, Any]:
    """The settings of the layer, without those that are usual."""
    kernel, stride, pad, dilation = windows(call)
    return settings_of(
        kernel=short(kernel),
        stride=None if set(stride) == {1} else short(stride),
        pad=short(pad) if any(pad) else None,
        dilation=None if set(dilation) == {1} else short(dilation),
    )
