"""Views: the same values with other axes."""

from __future__ import annotations

from math import prod

from archcalc.importing.traced.calls import Call
from archcalc.importing.traced.factors import reshaped
from archcalc.importing.traced.mapping import Mapping, rule
from archcalc.importing.traced.steps import Shown, UnsupportedError


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
