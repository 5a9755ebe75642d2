"""Pooling, reductions and upsampling."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import inf, prod
from typing import Any, NamedTuple

from archcalc.importing.traced.calls import Call
from archcalc.importing.traced.factors import BATCH
from archcalc.importing.traced.mapping import UNFINISHED, Mapping, Unfinished, pair, rule, settings_of, short
from archcalc.importing.traced.rules.arithmetic import joined
from archcalc.importing.traced.rules.convolutions import along_more_axes, before_padding
from archcalc.importing.traced.rules.views import channel_by_channel
from archcalc.importing.traced.steps import Indices, Shown, UnsupportedError
from archcalc.sizes import Shape

POOLING = re.compile(r"(max|avg)_pool([123])d(_with_indices)?")


@rule(
    *(f"{kind}_pool{n}d{end}" for n in (1, 2, 3) for kind, end in (("max", ""), ("avg", ""), ("max", "_with_indices")))
)
def pooling(mapping: Mapping, call: Call) -> Any:
    """Pooling with a window, and where the maxima are."""
    given = call.settings
    tensor = mapping.shown(given["self"])
    found = POOLING.fullmatch(call.operator)
    assert found
    kind, count, with_indices = found[1], int(found[2]), found[3]
    kernel = pair(given["kernel_size"], count)
    stride = pair(given["stride"] or kernel, count)
    padding = pair(given["padding"], count)
    pad = _pad(padding)
    if given.get("divisor_override") is not None:
        raise UnsupportedError("an average with a divisor of its own")
    include = given.get("count_include_pad", True)
    dilation = pair(given.get("dilation", 1), count)
    settings = settings_of(
        kernel=short(kernel),
        stride=short(stride),
        pad=pad,
        dilation=None if set(dilation) == {1} else short(dilation),
        ceil_mode=True if given["ceil_mode"] else None,
        count_include_pad=None if include or (pad is None and not given["ceil_mode"]) else False,
    )
    if kind == "max" and "pad" not in settings:
        before, sides = before_padding(mapping, tensor, -inf, kernel, stride, dilation)
        spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
        if sides == "same" or (sides and all(max(side) < span for side, span in zip(sides, spans, strict=True))):
            tensor, settings = before, {**settings, "pad": sides}
    settings = along_more_axes(mapping, tensor, count, settings)
    made = mapping.steps.layer(f"{kind}_pool", settings, tensor, call.results[0].shape)
    return [made, Indices(made.step, made.sizes)] if with_indices else made


@rule("max_unpool2d", "max_unpool3d")
def unpooling(mapping: Mapping, call: Call) -> Shown:
    """Every value where a pooling found its maximum."""
    given = call.settings
    indices, sizes = mapping.of(given["indices"]), call.results[0].shape
    if not isinstance(indices, Indices):
        raise UnsupportedError("indices that are not those of a pooling")
    before = mapping.steps.steps[mapping.steps.steps[indices.step].reads[0]].shape
    if before.axes != sizes[-len(before.axes) :]:
        raise UnsupportedError(f"a size other than that before the pooling, {before}")
    return mapping.steps.layer("unpool", {"of": indices}, mapping.shown(given["self"]), sizes)


def _pad(padding: tuple[Any, ...]) -> Any:
    """The padding as a setting: a word, a number for each axis, or both sides of each axis; None for none."""
    if padding[0] in ("same", "valid"):
        return "same" if padding[0] == "same" else None
    if isinstance(padding[0], int):
        return short(padding) if any(padding) else None
    return [list(sides) for sides in padding]


@rule(
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "adaptive_max_pool3d",
)
def adaptive(mapping: Mapping, call: Call) -> Any:
    """Pooling to a size."""
    tensor = mapping.shown(call.settings["self"])
    size = pair(call.settings["output_size"], int(call.operator[-2]))
    kind = "max" if "max" in call.operator else "avg"
    type, settings = f"adaptive_{kind}_pool", {"out": short(size)}
    if set(size) == {1}:
        type, settings = f"global_{kind}_pool", {}
    return channel_by_channel(mapping, type, settings, tensor, call.results[0].shape)


@rule("mean", "sum", "amax")
def reduction(mapping: Mapping, call: Call) -> Shown:
    """The mean, the sum or the maximum over axes."""
    given = call.settings
    tensor = mapping.shown(given["self"])
    by = {"mean": "mean", "sum": "sum", "amax": "max"}[call.operator]
    return reduced(mapping, by, tensor, axes_of(given.get("dim"), len(tensor.view)), bool(given.get("keepdim")))


def axes_of(dims: Any, count: int) -> list[int]:
    """The axes that an operator names, in order; all of them if it names none."""
    if dims is None:
        return list(range(count))
    return sorted({axis % count for axis in (dims if isinstance(dims, (list, tuple)) else [dims])})


def reduced(mapping: Mapping, by: str, tensor: Shown, over: Sequence[int], keepdim: bool) -> Shown:
    """The mean, the sum or the maximum over axes."""
    count = len(tensor.view)
    kept = [axis for axis in range(1, count) if axis not in over]
    if any(factor.axis == BATCH for axis in over for factor in tensor.view[axis]):
        raise UnsupportedError("a reduction over the batch")
    if kept and len(over) == count - 2 and all(axis >= 1 for axis in over):
        map = mapping.steps.as_map(tensor, kept[0])
        shape = mapping.steps.steps[map.step].shape
        if by == "sum":
            type, settings = "reduce", {"by": by, "axis": "positions"}
        else:
            type, settings = f"global_{'avg' if by == 'mean' else 'max'}_pool", {}
        step = mapping.steps.add(type, settings, [map.step], Shape(shape.channels, (1,) * len(shape.axes)))
        made = mapping.steps.shown(step, map)
    elif len(over) == 1:
        map = mapping.steps.as_map(tensor, over[0])
        shape = mapping.steps.steps[map.step].shape
        step = mapping.steps.add("reduce", {"by": by, "axis": "channels"}, [map.step], Shape(1, shape.axes))
        made = mapping.steps.shown(step, map)
    else:
        raise UnsupportedError(f"a reduction over axes {list(over)} of {count}")
    if not keepdim:
        made = Shown(made.step, tuple(group for axis, group in enumerate(made.view) if axis not in over))
    return made


class Places(NamedTuple):
    """The positions of the largest values, which no layer gives."""

    sizes: tuple[int, ...]


@rule("max")
def largest(mapping: Mapping, call: Call) -> list[Any]:
    """The largest values along an axis, and where they are."""
    given = call.settings
    if len(call.results) != 2:
        raise UnsupportedError("the largest value of all, or of two maps")
    tensor = mapping.shown(given["self"])
    made = reduced(mapping, "max", tensor, axes_of(given["dim"], len(tensor.view)), given["keepdim"])
    return [made, Places(call.results[1].shape)]


def _unknown(mapping: Mapping, *_: Any) -> Any:
    raise UnsupportedError("the positions of the largest values depend on the image")


UNFINISHED[Places] = Unfinished(_unknown, _unknown)


@rule("var")
def variance(mapping: Mapping, call: Call) -> Shown:
    """The mean square of the distances from the mean."""
    given = call.settings
    tensor = mapping.shown(given["self"])
    over = axes_of(given["dim"], len(tensor.view))
    correction = given.get("correction")
    correction = int(given.get("unbiased", True)) if correction is None else correction
    number = prod(tensor.sizes[axis] for axis in over)
    mean = reduced(mapping, "mean", tensor, over, True)
    squares = square(mapping, joined(mapping, "sub", tensor, mean, tensor.sizes))
    if not correction:
        return reduced(mapping, "mean", squares, over, given["keepdim"])
    made = reduced(mapping, "sum", squares, over, given["keepdim"])
    return mapping.steps.same("scale", {"factor": 1 / (number - correction)}, made)


def square(mapping: Mapping, tensor: Shown) -> Shown:
    return mapping.steps.same("math", {"function": "power", "exponent": 2}, tensor)


LINEAR = ("upsample_linear1d", "upsample_bilinear2d", "upsample_trilinear3d")


@rule(*LINEAR, "upsample_bicubic2d", "upsample_nearest1d", "upsample_nearest2d", "upsample_nearest3d")
def upsample(mapping: Mapping, call: Call) -> Shown:
    """A larger map."""
    given = call.settings
    tensor = mapping.shown(call.tensors[0])
    before, after = tensor.sizes[2:], call.results[0].shape[2:]
    mode = next((m for m in ("nearest", "bicubic") if m in call.operator), "bilinear")
    whole_number = all(b and a % b == 0 for a, b in zip(after, before, strict=True))
    size = (
        {"scale": short([a // b for a, b in zip(after, before, strict=True)])}
        if whole_number
        else {"size": short(after)}
    )
    settings = size | settings_of(
        mode=None if mode == "nearest" else mode,
        align_corners=True if given.get("align_corners") else None,
        antialias=True if call.operator.endswith("_aa") else None,
    )
    return channel_by_channel(mapping, "upsample", settings, tensor, call.results[0].shape)


@rule("_upsample_bilinear2d_aa", "_upsample_bicubic2d_aa")
def filtered(mapping: Mapping, call: Call) -> Shown:
    """A map of another size by a filter whose window grows where the map shrinks."""
    if any(a < b for a, b in zip(call.results[0].shape[2:], call.tensors[0].shape[2:], strict=True)):
        raise UnsupportedError("a map that becomes smaller, with antialias")
    if call.settings.get("align_corners"):
        raise UnsupportedError("antialias with aligned corners")
    made: Shown = upsample(mapping, call)
    return made
