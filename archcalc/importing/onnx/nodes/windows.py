"""Convolutions, poolings with a window, padding and resizing."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Any, NamedTuple

from archcalc.importing.errors import MissingError
from archcalc.importing.onnx.model import Node
from archcalc.importing.onnx.sizes import window
from archcalc.importing.onnx.translation import Translation, node
from archcalc.importing.traced.calls import Tensor
from archcalc.importing.traced.rules.samples import BEYOND, MODES


class Window(NamedTuple):
    """The window of a node: for every axis its size, the step, the distance of cells, and the padding on both sides."""

    kernel: list[int]
    stride: list[int]
    dilation: list[int]
    sides: list[tuple[int, int]]

    @property
    def padding(self) -> list[int] | None:
        """The padding where both sides are equal; None where they differ."""
        return [front for front, _ in self.sides] if all(a == b for a, b in self.sides) else None


def window_of(net: Translation, spatial: Sequence[int], kernel: Sequence[int]) -> Window:
    count = len(spatial)
    kernel = list(net.get("kernel_shape", None) or kernel)
    stride = list(net.get("strides", None) or [1] * count)
    dilation = list(net.get("dilations", None) or [1] * count)
    pads = list(net.get("pads", None) or [0] * 2 * count)
    auto = net.get("auto_pad", "NOTSET") or "NOTSET"
    if len({len(kernel), len(stride), len(dilation), len(pads) / 2, count}) > 1:
        raise MissingError(f"a window of {len(kernel)} axes on a map of {count}")
    if min([*kernel, *stride, *dilation]) < 1 or min(pads) < 0:
        raise MissingError("a window with sizes that are not positive")
    sides = list(zip(pads[:count], pads[count:], strict=True))
    if auto == "VALID":
        sides = [(0, 0)] * count
    elif auto in ("SAME_UPPER", "SAME_LOWER"):
        totals = [
            max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
            for n, k, s, d in zip(spatial, kernel, stride, dilation, strict=True)
        ]
        sides = [(t // 2, t - t // 2) if auto == "SAME_UPPER" else (t - t // 2, t // 2) for t in totals]
    return Window(kernel, stride, dilation, sides)


def padded(net: Translation, tensor: Tensor, sides: Sequence[tuple[int, int]], value: float = 0.0) -> Tensor:
    """The tensor with a padding of its last axes."""
    if not any(map(any, sides)):
        return tensor
    sizes = list(tensor.shape)
    for axis, (front, back) in zip(range(-len(sides), 0), sides, strict=True):
        sizes[axis] += front + back
    amounts = [amount for side in reversed(sides) for amount in side]
    return net.call("pad", {"self": tensor, "pad": amounts, "mode": "constant", "value": value}, sizes)


@node("Conv")
def convolution(net: Translation, node: Node) -> Tensor:
    tensor, weight = net.input(0), net.weight(1) or net.input(1)
    groups = net.get("group", 1)
    if len(weight.shape) != len(tensor.shape) or tensor.shape[1] != weight.shape[1] * groups or groups < 1:
        raise MissingError(f"weights of the sizes {_text(weight.shape)} for a map of {_text(tensor.shape[1:])}")
    win = window_of(net, tensor.shape[2:], weight.shape[2:])
    if tuple(win.kernel) != weight.shape[2:]:
        raise MissingError("a kernel_shape that is not the size of the weights")
    padding = win.padding
    if padding is None or net.get("auto_pad", "") == "SAME_UPPER":
        tensor, padding = padded(net, tensor, win.sides), [0] * len(win.kernel)
    sizes = [
        window(n, k, s, 2 * p, d)
        for n, k, s, p, d in zip(tensor.shape[2:], win.kernel, win.stride, padding, win.dilation, strict=True)
    ]
    settings = {
        "input": tensor, "weight": weight, "bias": net.weight(2, weight.shape[:1]), "stride": win.stride,
        "padding": padding, "dilation": win.dilation, "groups": groups,
    }  # fmt: skip
    return net.call(f"conv{len(sizes)}d", settings, (tensor.shape[0], weight.shape[0], *sizes))


@node("ConvTranspose")
def transposed(net: Translation, node: Node) -> Tensor:
    tensor, weight = net.input(0), net.weight(1) or net.input(1)
    groups = net.get("group", 1)
    win = window_of(net, tensor.shape[2:], weight.shape[2:])
    count = len(win.kernel)
    more = list(net.get("output_padding", None) or [0] * count)
    sides, wanted = win.sides, net.get("output_shape", None)
    full = [
        (n - 1) * s + (k - 1) * d + 1 + m
        for n, k, s, d, m in zip(tensor.shape[2:], win.kernel, win.stride, win.dilation, more, strict=True)
    ]
    auto = net.get("auto_pad", "NOTSET")
    if auto.startswith("SAME") and not wanted:
        wanted = [n * s for n, s in zip(tensor.shape[2:], win.stride, strict=True)]
    if wanted:
        totals = [one - size for one, size in zip(full, wanted[-count:], strict=True)]
        halves = [(t // 2, t - t // 2) if auto == "SAME_UPPER" else (t - t // 2, t // 2) for t in totals]
        sides = [(max(a, 0), max(b, 0)) for a, b in halves]
    for at, (front, back) in enumerate(sides):
        if front > back:  # as a padding of `front` with more at the end
            more[at] += front - back
    if any(front < back for front, back in sides):
        raise MissingError("a transposed convolution that is cut more at the end")
    padding = [front for front, _ in sides]
    sizes = [one - front - back for one, (front, back) in zip(full, sides, strict=True)]
    if min(sizes) < 1:
        raise MissingError("a transposed convolution without a result")
    out = weight.shape[1] * groups
    settings = {
        "input": tensor, "weight": weight, "bias": net.weight(2, [out]), "stride": win.stride, "padding": padding,
        "output_padding": more, "groups": groups, "dilation": win.dilation,
    }  # fmt: skip
    return net.call(f"conv_transpose{count}d", settings, (tensor.shape[0], out, *sizes))


@node("MaxPool", "AveragePool")
def pooling(net: Translation, node: Node) -> Tensor:
    """A padding that differs on both sides stands before the pooling, unless an average leaves it out."""
    tensor = net.input(0)
    win = window_of(net, tensor.shape[2:], ())
    largest, same = node.type == "MaxPool", net.get("auto_pad", "") == "SAME_UPPER"
    up, include = bool(net.get("ceil_mode", 0)), bool(net.get("count_include_pad", 0))
    padding: Any = win.padding
    sides = win.sides
    if padding is None or (largest and same):
        padding = "same" if same else [list(side) for side in sides]
        if largest or include:
            tensor, padding = padded(net, tensor, sides, -inf if largest else 0.0), [0] * len(sides)
            sides = [(0, 0)] * len(sides)
    sizes = []
    for n, k, s, (front, back), d in zip(tensor.shape[2:], win.kernel, win.stride, sides, win.dilation, strict=True):
        size = window(n, k, s, front + back, d, up)
        sizes.append(size - 1 if up and (size - 1) * s >= n + front else size)
    settings = {
        "self": tensor, "kernel_size": win.kernel, "stride": win.stride, "padding": padding, "ceil_mode": up,
    }  # fmt: skip
    if largest:
        settings["dilation"] = win.dilation
    elif set(win.dilation) != {1}:
        raise MissingError("an average over cells at a distance")
    else:
        settings |= {"count_include_pad": include, "divisor_override": None}
    return net.call(f"{'max' if largest else 'avg'}_pool{len(sizes)}d", settings, (*tensor.shape[:2], *sizes))


@node("GlobalAveragePool", "GlobalMaxPool")
def whole(net: Translation, node: Node) -> Tensor:
    tensor = net.input(0)
    count = len(tensor.shape) - 2
    kind = "avg" if node.type == "GlobalAveragePool" else "max"
    settings = {"self": tensor, "output_size": [1] * count}
    return net.call(f"adaptive_{kind}_pool{count}d", settings, (*tensor.shape[:2], *[1] * count))


@node("Pad")
def pad(net: Translation, node: Node) -> Tensor:
    tensor = net.input(0)
    count = len(tensor.shape)
    amounts = net.numbers(1, "pads") or net.numbers(1, "paddings") or []
    values = net.values(net.optional(2))
    value = float(values.flat[0]) if values and values.flat else float(net.get("value", 0.0))
    axes = [axis % count for axis in net.numbers(3) or range(len(amounts) // 2)]
    by = dict(zip(axes, zip(amounts[: len(axes)], amounts[len(axes) :], strict=True), strict=True))
    mode = {"edge": "replicate", "wrap": "circular"}.get(net.get("mode", "constant"), net.get("mode", "constant"))
    if not any(map(any, by.values())):
        return tensor
    first = min(axis for axis, side in by.items() if any(side))
    sides = [by.get(axis, (0, 0)) for axis in range(first, count)]
    sizes = [size + sum(by.get(axis, (0, 0))) for axis, size in enumerate(tensor.shape)]
    settings = {"self": tensor, "pad": [n for side in reversed(sides) for n in side], "mode": mode, "value": value}
    return net.call("pad", settings, sizes)


@node("Resize", "Upsample")
def resize(net: Translation, node: Node) -> Tensor:
    """Nearest, linear and cubic interpolation of the axes behind the channels."""
    tensor = net.input(0)
    count = len(tensor.shape)
    axes = [axis % count for axis in net.get("axes", None) or range(count)]
    upsample = node.type == "Upsample" or net.opset < 11
    scales = net.numbers(1 if upsample else 2, "scales") if upsample or not net.optional(3) else None
    sizes = list(tensor.shape)
    if scales:
        for axis, scale in zip(axes, scales, strict=False):
            sizes[axis] = int(sizes[axis] * scale + 1e-6)
    elif wanted := net.numbers(3):
        for axis, size in zip(axes, wanted, strict=False):
            sizes[axis] = size if axis else tensor.shape[0]
    if sizes[:2] != list(tensor.shape[:2]):
        raise MissingError("resized channels")
    mode = net.get("mode", "nearest")
    if net.get("keep_aspect_ratio_policy", "stretch") != "stretch" or mode not in ("nearest", "linear", "cubic"):
        raise MissingError(f"resizing by {mode}")
    place = net.get("coordinate_transformation_mode", "half_pixel")
    if place == "tf_crop_and_resize":
        raise MissingError("cropping and resizing")
    if sizes == list(tensor.shape):
        return tensor
    words = {
        "nearest": {1: "nearest1d", 2: "nearest2d", 3: "nearest3d"},
        "linear": {2: "bilinear2d"},
        "cubic": {2: "bicubic2d"},
    }
    word = words[mode].get(count - 2)
    if word is None:
        raise MissingError(f"resizing a map of {count - 2} axes by {mode}")
    settings: dict[str, Any] = {"self": tensor, "output_size": sizes[2:]}
    if mode != "nearest":
        settings["align_corners"] = place == "align_corners"
    filtered = mode != "nearest" and net.get("antialias", 0)
    return net.call(f"_upsample_{word}_aa" if filtered else f"upsample_{word}", settings, sizes)


@node("GridSample")
def grid_sample(net: Translation, node: Node) -> Tensor:
    """Values of a map at computed positions, whose coordinates are the last axis of the second input."""
    tensor, grid = net.input(0), net.input(1)
    mode = net.get("mode", "bilinear")  # other words before operator set 20
    mode = {"linear": "bilinear", "cubic": "bicubic"}.get(mode, mode)
    beyond = net.get("padding_mode", "zeros")
    if mode not in MODES or beyond not in BEYOND:
        raise MissingError(f"grid sampling by {mode}, with {beyond} beyond the map")
    axes, images = len(tensor.shape) - 2, tensor.shape[0]
    if len(grid.shape) == axes + 2 and grid.shape[0] == 1:  # the positions of the one image that was exported
        sizes = (images, *grid.shape[1:])
        grid = net.call("expand", {"self": grid, "size": list(sizes)}, sizes)
    if axes not in (2, 3) or len(grid.shape) != axes + 2 or (grid.shape[0], grid.shape[-1]) != (images, axes):
        raise MissingError(f"positions {grid} on the map {tensor}")
    settings = {
        "input": tensor,
        "grid": grid,
        "interpolation_mode": MODES.index(mode),
        "padding_mode": BEYOND.index(beyond),
        "align_corners": bool(net.get("align_corners", 0)),
    }
    return net.call("grid_sampler", settings, (*tensor.shape[:2], *grid.shape[1:-1]))


def _text(sizes: Sequence[int]) -> str:
    return "x".join(map(str, sizes))
