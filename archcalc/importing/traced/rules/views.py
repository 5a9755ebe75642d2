"""Views: the same values with other axes."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from archcalc.importing.traced.calls import Call
from archcalc.importing.traced.factors import BATCH, Factor, Group, merged, reshaped, size_of, whole, without_batch
from archcalc.importing.traced.mapping import Mapping, rule
from archcalc.importing.traced.steps import Shown, UnsupportedError, with_batch
from archcalc.sizes import Shape


@rule("view", "reshape", "_unsafe_view", "flatten", "unflatten", "_reshape_copy", "view_as", "reshape_as")
def reshape(mapping: Mapping, call: Call) -> Shown:
    """Other sizes of the same values."""
    tensor = mapping.shown(call.tensors[0])
    sizes = call.results[0].shape
    return in_sizes(mapping, tensor, sizes, f"a reshape from {list(tensor.sizes)} to {list(sizes)}")


def in_sizes(mapping: Mapping, tensor: Shown, sizes: Sequence[int], problem: str) -> Shown:
    """The values of a tensor in other sizes: a view of its map, or of another map with the same values.

    UnsupportedError with the problem if no map can be seen in these sizes.
    """
    view = reshaped(tensor.view, sizes)
    if view is None:
        tensor = own_map(mapping, tensor)
        view = reshaped(tensor.view, sizes)
    if view is None and {factor.axis for factor in tensor.view[0]} == {BATCH}:  # an axis is cut unevenly
        flat = mapping.steps.arranged(tensor.step, [[factor for group in tensor.view[1:] for factor in group]])
        tensor = Shown(flat, (tensor.view[0], *mapping.steps.steps[flat].natural))
        view = reshaped(tensor.view, sizes)
    if view is None:
        raise UnsupportedError(problem)
    return Shown(tensor.step, view)


def own_map(mapping: Mapping, tensor: Shown, channels: int | None = None) -> Shown:
    """The tensor with a map whose channels and axes are the axes of the tensor."""
    if channels is None:
        whole_axes = (at for at, group in enumerate(tensor.view) if group and all(factor.axis == 0 for factor in group))
        channels = next(whole_axes, 1 if len(tensor.view) > 1 else 0)
    map = mapping.steps.as_map(tensor, channels)
    return mapping.steps.shown(map.step, map)


def channel_by_channel(
    mapping: Mapping, type: str, settings: dict[str, Any], tensor: Shown, sizes: Sequence[int]
) -> Shown:
    """The tensor that a layer makes which computes every channel alone. What is like a batch counts as channels."""
    first, second, *axes = tensor.view
    like_batch = without_batch(first)
    if not like_batch:
        return mapping.steps.layer(type, settings, tensor, sizes)
    inner, shape = size_of(like_batch), Shape(size_of((*second, *like_batch)), tuple(sizes[2:]))
    before = mapping.steps.arranged(tensor.step, [(*second, *like_batch), *axes])
    step = mapping.steps.add(type, settings, [before], shape)
    positions = (whole(axis, size) for axis, size in enumerate(shape.axes, 1))
    return Shown(step, (with_batch(first, whole(0, inner)), merged([Factor(0, inner, size_of(second))]), *positions))


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
)
def same(mapping: Mapping, call: Call) -> Shown:
    """The same values."""
    tensor = mapping.shown(call.tensors[0])
    if tensor.sizes != call.results[0].shape:
        raise UnsupportedError("a tensor that is expanded")
    return tensor


@rule("permute", "transpose", "t", "numpy_T", "mT", "swapaxes", "movedim")
def permute(mapping: Mapping, call: Call) -> Shown:
    """The axes in another order."""
    given = call.settings
    tensor = mapping.shown(given["self"])
    count = len(tensor.view)
    order = list(range(count))
    if call.operator == "permute":
        order = [axis % count for axis in given["dims"]]
    elif call.operator == "movedim":
        moved = {
            to % count: source % count
            for source, to in zip(_all(given["source"]), _all(given["destination"]), strict=True)
        }
        others = iter(axis for axis in range(count) if axis not in moved.values())
        order = [moved[at] if at in moved else next(others) for at in range(count)]
    elif call.operator == "numpy_T":
        order.reverse()
    elif call.operator == "mT":
        order[-2:] = order[-1], order[-2]
    elif count > 1:
        a, b = (given.get(f"dim{n}", given.get(f"axis{n}", n)) % count for n in (0, 1))
        order[a], order[b] = order[b], order[a]
    return Shown(tensor.step, tuple(tensor.view[axis] for axis in order))


@rule("unsqueeze", "squeeze", "expand", "expand_as", "broadcast_to")
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
    """Axes of size 1 repeated, and new axes put before."""
    more = len(sizes) - len(tensor.view)
    view = (*((),) * more, *tensor.view)
    fixed = not any(factor.axis == BATCH for group in view for factor in group)
    if more and fixed and sizes[0] == mapping.steps.batch:  # what does not depend on the image, for every image
        view = ((Factor(BATCH, 1, 1),), *view[1:])
    axes = [at for at, (group, size) in enumerate(zip(view, sizes, strict=True)) if size_of(group) != size]
    return repeated(mapping, Shown(tensor.step, view), {at: sizes[at] for at in axes})


def repeated(mapping: Mapping, tensor: Shown, counts: dict[int, int]) -> Shown:
    """The tensor with axes of size 1 repeated, each so many times."""
    images = [at for at in counts if tensor.view[at] and {factor.axis for factor in tensor.view[at]} == {BATCH}]
    if images and counts[images[0]] != mapping.steps.batch:
        plain_view = tuple(() if at in images else group for at, group in enumerate(tensor.view))
        return repeated(mapping, Shown(tensor.step, plain_view), counts)
    if images:
        view = list(tensor.view)
        view[images[0]] = (Factor(BATCH, 1, counts[images[0]]),)
        left = {at: n for at, n in counts.items() if at != images[0]}
        tensor = Shown(tensor.step, tuple(view))
        return repeated(mapping, tensor, left) if left else tensor
    if any(tensor.view[at] for at in counts):
        raise UnsupportedError("an axis that is repeated and larger than 1")
    kept = [at for at, group in enumerate(tensor.view) if any(factor.axis != BATCH for factor in group)]
    kept = kept or [next(at for at, group in enumerate(tensor.view) if at not in counts and not group)]
    plain = [tuple(factor for factor in tensor.view[at] if factor.axis != BATCH) for at in kept]
    laid = mapping.steps.arranged(tensor.step, [*plain, *((),) * len(counts)])
    before = mapping.steps.steps[laid].sizes
    after = (*before[: len(kept)], *counts.values())
    axes = after[1:]
    size = axes[0] if len(set(axes)) == 1 else list(axes)
    step = mapping.steps.add("expand", {"size": size}, [laid], Shape(after[0], axes))
    view = list(tensor.view)
    for number, at in enumerate(kept):
        view[at] = with_batch(tensor.view[at], whole(number, before[number]))
    for number, (at, count) in enumerate(counts.items(), len(kept)):
        view[at] = whole(number, count)
    return Shown(step, tuple(view))


@rule("repeat", "repeat_interleave", "tile")
def repeat(mapping: Mapping, call: Call) -> Shown:
    """The values of axes several times: as blocks, or each of them (repeat_interleave)."""
    given = call.settings
    tensor = mapping.shown(call.tensors[0])
    each = call.operator == "repeat_interleave"
    if each:
        if given.get("dim") is None or not isinstance(given["repeats"], int):
            raise UnsupportedError("values that are repeated in different numbers")
        counts = {given["dim"] % len(tensor.view): given["repeats"]}
        view = list(tensor.view)
    else:
        repeats = list(given.get("repeats") or given.get("dims") or ())
        view = [*((),) * (len(repeats) - len(tensor.view)), *tensor.view]
        repeats = [1] * (len(view) - len(repeats)) + repeats
        counts = {at: n for at, n in enumerate(repeats) if n != 1}
    if not counts:
        return tensor
    apart: list[Group] = []
    news = {}
    for at, group in enumerate(view):
        if at in counts and group == (Factor(BATCH, 1, 1),):
            news[len(apart)] = counts[at]
            apart.append(group)
        elif at in counts:
            news[len(apart) + each] = counts[at]
            apart += [group, ()] if each else [(), group]
        else:
            apart.append(group)
    made = repeated(mapping, Shown(tensor.step, tuple(apart)), news)
    merged_view = reshaped(made.view, call.results[0].shape)
    if merged_view is None:
        raise UnsupportedError("values that are repeated in an order that no view has")
    return Shown(made.step, merged_view)


def _all(value: object) -> list[int]:
    return list(value) if isinstance(value, (list, tuple)) else [value]  # type: ignore[list-item]
