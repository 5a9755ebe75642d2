"""Views, parts and joins: what shows, cuts and puts together tensors."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from archcalc.importing.errors import MissingError
from archcalc.importing.onnx.model import Node
from archcalc.importing.onnx.sizes import Batch, reshaped, together
from archcalc.importing.onnx.translation import Translation, node
from archcalc.importing.onnx.values import MOST, Values, gathered, joined, sliced, spread, strides, transposed
from archcalc.importing.traced.calls import Tensor


def _view(net: Translation, tensor: Tensor, sizes: Sequence[int], operator: str = "view") -> Tensor:
    """The tensor with other sizes of the same values."""
    if tuple(sizes) == tensor.shape:
        return tensor
    if net.is_fixed(tensor) and tensor.kind != "result":
        if tensor.kind == "constant":
            values = net.values(tensor)
            if values is not None:
                return net.constant(sizes, values.flat, tensor.type)
        return net.twin(tensor, sizes)
    return net.call(operator, {"self": tensor, "size": list(sizes)}, sizes)


@node("Reshape")
def reshape(net: Translation, node: Node) -> Tensor:
    tensor = net.input(0)
    target = net.numbers(1, "shape") or []
    return into(net, tensor, target, bool(net.get("allowzero", 0)))


def into(net: Translation, tensor: Tensor, target: Sequence[int], zeros: bool = False) -> Tensor:
    """The tensor with the sizes that a reshape asks for."""
    batch = None if net.is_fixed(tensor) else Batch(net.batch, net.images)
    sizes, inner = reshaped(tensor.shape, target, batch, zeros=zeros, inner=id(tensor) in net.inner)
    made = _view(net, tensor, sizes)
    if inner:
        net.inner[id(made)] = next(at for at, size in enumerate(sizes) if size and size % net.batch == 0)
    elif made is not tensor:
        net.inner.pop(id(made), None)
    return made


@node("Flatten")
def flatten(net: Translation, node: Node) -> Tensor:
    tensor = net.input(0)
    count = len(tensor.shape)
    axis = net.get("axis", 1)
    axis = axis + count if axis < 0 else axis
    return _view(net, tensor, (prod(tensor.shape[:axis]), prod(tensor.shape[axis:])))


@node("Squeeze")
def squeeze(net: Translation, node: Node) -> Tensor:
    tensor = net.input(0)
    count = len(tensor.shape)
    given = net.numbers(1, "axes")
    axes = [axis % count for axis in given] if given else [at for at, n in enumerate(tensor.shape) if n == 1]
    for axis in axes:
        if tensor.shape[axis] != 1:
            raise MissingError("the batch is squeezed away" if axis == 0 else f"axis {axis} has {tensor.shape[axis]}")
    return _view(net, tensor, [size for at, size in enumerate(tensor.shape) if at not in axes])


@node("Unsqueeze")
def unsqueeze(net: Translation, node: Node) -> Tensor:
    tensor = net.input(0)
    given = net.numbers(1, "axes") or []
    count = len(tensor.shape) + len(given)
    axes = {axis % count for axis in given}
    rest = iter(tensor.shape)
    return _view(net, tensor, [1 if at in axes else next(rest) for at in range(count)])


@node("Transpose")
def transpose(net: Translation, node: Node) -> Tensor:
    tensor = net.input(0)
    order = list(net.get("perm", None) or reversed(range(len(tensor.shape))))
    if sorted(order) != list(range(len(tensor.shape))):
        raise MissingError(f"an order of axes {order} for {len(tensor.shape)} axes")
    sizes = [tensor.shape[axis] for axis in order]
    if net.is_fixed(tensor) and tensor.kind != "result":
        values = net.values(tensor) if tensor.kind == "constant" else None
        if values is not None and len(values.flat) <= MOST:
            return net.constant(sizes, transposed(values, order).flat, tensor.type)
        return net.twin(tensor, sizes, f"permuted {order}", order)
    return net.call("permute", {"self": tensor, "dims": order}, sizes)


@node("Expand", "Tile")
def expand(net: Translation, node: Node) -> Tensor:
    tensor = net.input(0)
    given = net.numbers(1) or []
    if node.type == "Tile":
        sizes = tuple(size * times for size, times in zip(tensor.shape, given, strict=True))
        if any(times > 1 and size > 1 for size, times in zip(tensor.shape, given, strict=True)):
            raise MissingError("a map that is repeated")
    else:
        sizes = together(tensor.shape, given)
    if sizes == tensor.shape:
        return tensor
    if net.is_fixed(tensor) and tensor.kind == "constant":
        values = net.values(tensor)
        flat = spread(values, sizes) if values is not None and prod(sizes) <= MOST else None
        return net.constant(sizes, flat, tensor.type)
    return net.call("expand", {"self": tensor, "size": list(sizes)}, sizes)


@node("Concat")
def concat(net: Translation, node: Node) -> Tensor:
    tensors = [net.input(at) for at in range(len(node.inputs))]
    axis = net.get("axis", 1) % max(len(tensors[0].shape), 1)
    if len({len(one.shape) for one in tensors}) > 1:
        raise MissingError("a concat of maps with different numbers of axes")
    if all(one.kind == "constant" for one in tensors):
        values = [net.values(one) for one in tensors]
        known = [one for one in values if one is not None]
        if len(known) == len(values):
            made = joined(known, axis)
            return net.constant(made.sizes, made.flat, tensors[0].type)
    if len(tensors) == 1:
        return tensors[0]
    rests = [[1 if at == axis else n for at, n in enumerate(one.shape)] for one in tensors]
    sizes = list(together(*rests))
    sizes[axis] = sum(one.shape[axis] for one in tensors)
    return net.call("cat", {"tensors": tensors, "dim": axis}, sizes)


@node("Split")
def split(net: Translation, node: Node) -> list[Tensor]:
    tensor = net.input(0)
    axis = net.get("axis", 0) % len(tensor.shape)
    length = tensor.shape[axis]
    parts = net.numbers(1, "split")
    if not parts:
        count = net.get("num_outputs", len(node.outputs))
        each = -(-length // count)
        parts = [min(each, length - at * each) for at in range(count)]
    if sum(parts) != length or min(parts) < 0:
        raise MissingError(f"parts of {parts} of {length} positions")
    shapes = [[size if at == axis else n for at, n in enumerate(tensor.shape)] for size in parts]
    if (values := net.foldable(tensor)) is not None:
        return _constants(net, tensor, values, axis, parts)
    return net.several("split_with_sizes", {"self": tensor, "split_sizes": parts, "dim": axis}, shapes)


def _constants(net: Translation, tensor: Tensor, values: Values, axis: int, parts: Sequence[int]) -> list[Tensor]:
    found, start = [], 0
    for size in parts:
        ranges = [range(start, start + size) if at == axis else range(n) for at, n in enumerate(values.sizes)]
        made = sliced(values, ranges)
        found.append(net.constant(made.sizes, made.flat, tensor.type))
        start += size
    return found


@node("Slice")
def cut(net: Translation, node: Node) -> Tensor:
    tensor = net.input(0)
    count = len(tensor.shape)
    starts, stops = net.numbers(1, "starts") or [], net.numbers(2, "ends") or []
    axes = [axis % count for axis in net.numbers(3, "axes") or range(len(starts))]
    steps = net.numbers(4) or [1] * len(starts)
    ranges = [range(size) for size in tensor.shape]
    for axis, start, stop, step in zip(axes, starts, stops, steps, strict=True):
        if not step:
            raise MissingError("a slice with steps of 0")
        ranges[axis] = range(tensor.shape[axis])[start:stop:step]
    if (values := net.foldable(tensor)) is not None:
        made = sliced(values, ranges)
        return net.constant(made.sizes, made.flat, tensor.type)
    for axis, positions in enumerate(ranges):
        if positions == range(tensor.shape[axis]):
            continue
        if positions.step < 0:
            raise MissingError("positions in reverse order")
        sizes = [len(positions) if at == axis else n for at, n in enumerate(tensor.shape)]
        stop = positions.start + len(positions) * positions.step
        settings = {"self": tensor, "dim": axis, "start": positions.start, "end": min(stop, tensor.shape[axis])}
        tensor = net.call("slice", settings | {"step": positions.step}, sizes)
    return tensor


@node("Gather")
def gather(net: Translation, node: Node) -> Tensor:
    """One position, or positions in their order; of constants, any positions."""
    tensor, indices = net.input(0), net.values(net.input(1))
    if not tensor.shape or indices is None:
        raise MissingError("positions that depend on the image")
    return chosen(net, tensor, indices, net.get("axis", 0) % len(tensor.shape))


@node("GatherND")
def gather_places(net: Translation, node: Node) -> Tensor:
    """Positions of the first axes together, which constants choose."""
    tensor, places = net.input(0), net.values(net.input(1))
    if places is None or net.get("batch_dims", 0) or not net.is_fixed(tensor):
        raise MissingError("positions that depend on the image")
    depth = places.sizes[-1]
    sides = tensor.shape[:depth]
    steps = strides(sides)
    rows = [places.flat[at : at + depth] for at in range(0, len(places.flat), depth)]
    flat = [sum(n % side * step for n, side, step in zip(row, sides, steps, strict=True)) for row in rows]
    together = _view(net, tensor, (prod(sides), *tensor.shape[depth:]))
    return chosen(net, together, Values(places.sizes[:-1], flat), 0)


def chosen(net: Translation, tensor: Tensor, indices: Values, axis: int) -> Tensor:
    """The positions of an axis that constants choose."""
    length = tensor.shape[axis]
    if any(not -length <= one < length for one in indices.flat):
        raise MissingError(f"a position that is not among {length}")
    if (values := net.foldable(tensor)) is not None:
        made = gathered(values, indices, axis)
        if made is not None:
            return net.constant(made.sizes, made.flat, tensor.type)
    sizes = (*tensor.shape[:axis], *indices.sizes, *tensor.shape[axis + 1 :])
    if not indices.sizes:
        return net.call("select", {"self": tensor, "dim": axis, "index": indices.flat[0] % length}, sizes)
    places = [one % length for one in indices.flat]
    images = length % net.batch == 0 and not net.is_fixed(tensor)
    if images and len(tensor.shape) == 1 and places == list(range(length // net.batch)):
        return into(net, tensor, indices.sizes)  # a view by numbers, as the newer exporter writes as_strided
    if len(indices.sizes) == 1 and places == list(range(places[0], places[0] + len(places))):
        settings: dict[str, Any] = {"self": tensor, "dim": axis, "start": places[0], "end": places[-1] + 1, "step": 1}
        part: Tensor = net.call("slice", settings, sizes) if len(places) < length else tensor
        return part
    return net.call(
        "index_select",
        {"self": tensor, "dim": axis, "index": net.constant(indices.sizes, indices.flat, "int64")},
        sizes,
    )


@node("DepthToSpace", "SpaceToDepth")
def blocks(net: Translation, node: Node) -> Tensor:
    """Blocks of positions as channels. The mode DCR puts the block before the channels."""
    tensor = net.input(0)
    if len(tensor.shape) != 4:
        raise MissingError("blocks of a map that has not two axes")
    images, channels, height, width = tensor.shape
    block = net.get("blocksize", 1)
    if node.type == "DepthToSpace":
        out = channels // block**2
        sizes = (images, out, height * block, width * block)
        if net.get("mode", "DCR") == "CRD":
            return net.call("pixel_shuffle", {"self": tensor, "upscale_factor": block}, sizes)
        parts, order = (images, block, block, out, height, width), [0, 3, 4, 1, 5, 2]
    else:
        sizes = (images, channels * block**2, height // block, width // block)
        parts = (images, channels, height // block, block, width // block, block)
        order = [0, 3, 5, 1, 2, 4]
    if prod(sizes) != prod(tensor.shape) or prod(parts) != prod(tensor.shape):
        raise MissingError(f"blocks of {block} that do not divide the map")
    view = net.call("view", {"self": tensor, "size": list(parts)}, parts)
    moved = net.call("permute", {"self": view, "dims": order}, [parts[axis] for axis in order])
    return net.call("view", {"self": moved, "size": list(sizes)}, sizes)
