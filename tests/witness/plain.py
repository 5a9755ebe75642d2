"""What a user of PyTorch writes for a layer of a spec, from its settings alone and without archcalc's arithmetic.

Sizes, and what PyTorch refuses, are PyTorch's own here.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import reduce
from operator import mul
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torchvision.ops import FrozenBatchNorm2d, ps_roi_pool, roi_align, roi_pool, stochastic_depth

from archcalc.layers import registry
from archcalc.sizes import Shape

BATCH = 2


class NoSuchLayerError(Exception):
    """PyTorch has no layer with these settings."""


def made(type: str, settings: dict[str, Any], inputs: Sequence[Shape]) -> Shape:
    """The shape that PyTorch makes of inputs of these shapes; any exception of PyTorch's where it refuses.

    NoSuchLayerError where it has no such layer.
    """
    given = {name: field.default for name, field in registry[type].fields.items()}
    given |= {key: tuple(n) if isinstance(n, list) and key != "table" else n for key, n in settings.items()}
    if given.get("like") is not None:
        if given["size"] is not None or given.get("by") or given.get("scale"):
            raise NoSuchLayerError("two sizes")
        given["size"] = given["like"]
    with torch.no_grad():
        out = LAYERS[type](given, *(torch.ones(BATCH, x.channels, *x.axes) for x in inputs))
    if len(out) != BATCH:
        raise NoSuchLayerError("it takes the batch for an axis of one image")
    return Shape(out.shape[1], tuple(out.shape[2:]))


def axes(x: Tensor) -> int:
    """The axes that a layer is written for: those of the map, and two for a vector, as for images."""
    return x.dim() - 2 or 2


def of(kind: str, x: Tensor) -> Any:
    """The class of torch.nn for the axes of x."""
    if not hasattr(nn, f"{kind}{axes(x)}d"):
        raise NoSuchLayerError(f"{kind}{axes(x)}d")
    return getattr(nn, f"{kind}{axes(x)}d")


def sides(pad: Any) -> list[int]:
    """Padding by side as F.pad takes it: the last axis first."""
    pairs = [p if isinstance(p, (tuple, list)) else (p, p) for p in pad]
    return [n for pair in reversed(pairs) for n in pair]


def uneven(pad: Any) -> bool:
    return isinstance(pad, tuple) and any(isinstance(p, (tuple, list)) for p in pad)


def conv(given: dict[str, Any], x: Tensor, channels: int | None = None, out: int | None = None) -> Tensor:
    only_trained = given["bias"] or any(given.get(key) for key in ("relative", "weight_norm"))
    if given.get("fixed") and (only_trained or given["pad_mode"] != "zeros"):
        raise NoSuchLayerError("constant weights with what only trained ones have")
    norm = given.get("weight_norm")
    own = {key for key in ("gamma", "eps") if given.get(key, 0) not in (0, registry["conv"].fields[key].default)}
    if own - {"scaled": {"gamma", "eps"}, "standardised": {"eps"}}.get(norm, set()):
        raise NoSuchLayerError("a setting of computed weights without them")
    if given.get("relative") and axes(x) <= 3:
        return by_relative_position(given, x)
    pad = 0 if given["pad"] == "valid" else given["pad"]
    if uneven(pad) and given.get("pad_mode", "zeros") != "zeros":
        if any(isinstance(p, (tuple, list)) and p[0] != p[1] for p in pad):
            raise NoSuchLayerError("pad_mode with padding that differs by side")
        pad = tuple(p[0] if isinstance(p, (tuple, list)) else p for p in pad)
    if uneven(pad):
        if axes(x) > 3 and any(sides(pad[: axes(x) - 3])):
            raise NoSuchLayerError(f"a convolution over {axes(x)} axes")
        x, pad = F.pad(x, sides(pad)), 0
    if axes(x) > 3:
        return over_last_axes({**given, "pad": pad}, x)
    layer = of("Conv", x)(
        x.shape[1] if channels is None else channels,
        given["out"] if out is None else out,
        given["kernel"],
        given["stride"],
        pad,
        given["dilation"],
        given.get("groups", 1),
        given["bias"],
        padding_mode=given.get("pad_mode", "zeros"),
    )
    if norm in ("channels", "last"):
        layer = nn.utils.parametrizations.weight_norm(layer, dim=0 if norm == "channels" else x.dim() - 1)
    elif norm:  # as batch normalisation of one image whose channels are the filters
        weight = F.batch_norm(layer.weight.reshape(1, given["out"], -1), None, None, training=True)
        layer.weight = nn.Parameter(weight.reshape(layer.weight.shape))
    return layer(x)


def locally_connected(given: dict[str, Any], x: Tensor) -> Tensor:
    """As a convolution of the same sizes; the weights are tested on their own."""
    if axes(x) > 3:
        raise NoSuchLayerError("weights of its own for every position on more than three axes")
    return conv(given, x)


def by_relative_position(given: dict[str, Any], x: Tensor) -> Tensor:
    """A 1x1 convolution: every group is a query, its outputs are keys, and a vector is the weights of both."""
    queries, keys = given["groups"], given["out"] // max(given["groups"], 1)
    plain = all(
        set(along(given[key], x)) == {one}
        for key, one in (("kernel", 1), ("stride", 1), ("pad", 0))
        if not isinstance(given[key], str)
    )
    finer = max(queries, keys, 1)
    if not plain or given["weight_norm"] or not 1 <= x.dim() - 2 <= 3:
        raise NoSuchLayerError("relative positions in a window")
    if not queries or not keys or finer % queries or finer % keys:
        raise NoSuchLayerError("relative positions between grids that do not fit")
    vectors = torch.zeros(2 * finer - 1, x.shape[1] // queries)
    places = [i * (finer // queries) - j * (finer // keys) + finer - 1 for i in range(queries) for j in range(keys)]
    weight = vectors[[min(max(place, 0), 2 * finer - 2) for place in places]]
    layer = of("Conv", x)(x.shape[1], given["out"], 1, groups=queries, bias=given["bias"])
    layer.weight = nn.Parameter(weight.reshape(layer.weight.shape))
    return layer(x)


def over_last_axes(given: dict[str, Any], x: Tensor) -> Tensor:
    """A convolution over the last three of more axes, with the others in the batch."""
    count = axes(x) - 3
    inner = dict(given)
    for name, one in (("kernel", 1), ("stride", 1), ("pad", 0), ("dilation", 1)):
        if not isinstance(given[name], str):
            each = along(given[name], x)
            if name != "dilation" and any(n != one for n in each[:count]):
                raise NoSuchLayerError(f"a convolution over {axes(x)} axes")
            inner[name] = tuple(each[count:])
    before = x.shape[: 2 + count]
    y = conv(inner, x.movedim(1, 1 + count).flatten(0, count))
    return y.unflatten(0, (before[0], *before[2:])).movedim(1 + count, 1)


def conv_table(given: dict[str, Any], x: Tensor) -> Tensor:
    return torch.cat([conv(given, x[:, maps], len(maps), 1) for maps in given["table"]], 1)


def conv_transpose(given: dict[str, Any], x: Tensor) -> Tensor:
    layer = of("ConvTranspose", x)(
        x.shape[1],
        given["out"],
        given["kernel"],
        given["stride"],
        given["pad"],
        given["output_pad"],
        given["groups"],
        given["bias"],
        given["dilation"],
    )
    if given["weight_norm"]:
        layer = nn.utils.parametrizations.weight_norm(layer)
    return layer(x)


def pool(kind: str, given: dict[str, Any], x: Tensor, **more: Any) -> Tensor:
    """Padding that differs by side is put around beforehand; PyTorch's rule for ceil_mode does not know of it."""
    pad = 0 if given["pad"] == "valid" else given["pad"]
    if pad == "same" or given["ceil_mode"] == "caffe" or (uneven(pad) and given["ceil_mode"]):
        raise NoSuchLayerError(f"{kind} with pad {pad} and ceil_mode {given['ceil_mode']}")
    if uneven(pad):
        x, pad = F.pad(x, sides(pad), value=float("-inf")), 0
    return of(kind, x)(given["kernel"], given["stride"], pad, ceil_mode=given["ceil_mode"], **more)(x)


def max_pool(given: dict[str, Any], x: Tensor) -> Tensor:
    return pool("MaxPool", given, x, dilation=given["dilation"])


def avg_pool(given: dict[str, Any], x: Tensor) -> Tensor:
    if any(n != 1 for n in listed(given["dilation"])) or len(listed(given["dilation"])) not in (1, axes(x)):
        raise NoSuchLayerError("average pooling has no dilation")
    include = given.get("count_include_pad")
    return pool("AvgPool", given, x, count_include_pad=True if include is None else include)


def linear(given: dict[str, Any], x: Tensor) -> Tensor:
    """Without an axis as PyTorch has it, on the last one."""
    if given["zero_bias"]:
        start, stop = given["zero_bias"]
        if not given["bias"] or given["weight_norm"] or not 0 <= start < stop <= given["out"]:
            raise NoSuchLayerError("biases that are not there")
    if given["axis"] == "channels":
        return nn.Linear(x.shape[1], given["out"], given["bias"])(x.movedim(1, -1)).movedim(-1, 1)
    return nn.Linear(x.shape[-1], given["out"], given["bias"])(x)


def rbf(given: dict[str, Any], x: Tensor) -> Tensor:
    return torch.cdist(x, torch.ones(given["out"], x.shape[1])) ** 2


def batch_norm(given: dict[str, Any], x: Tensor) -> Tensor:
    if given["frozen"]:
        if not (given["affine"] and given["scale"]):
            raise NoSuchLayerError("a frozen batch normalisation without scale and shift")
        return FrozenBatchNorm2d(x.shape[1], given["eps"])(x.reshape(*x.shape[:2], -1, 1)).reshape(x.shape)
    kind = nn.BatchNorm1d if x.dim() == 2 else of("BatchNorm", x)
    return kind(x.shape[1], given["eps"], affine=given["affine"]).eval()(x)


def over_axes(given: dict[str, Any], x: Tensor, kind: Callable[..., Any]) -> Tensor:
    """A normalisation; without an axis as PyTorch has it, over the last one."""
    axis = given["axis"]
    dims = [axis_of(name, x) for name in axis] if isinstance(axis, tuple) else []
    if axis == "channels" or dims == [1]:
        return kind(x.shape[1], given["eps"], given["affine"])(x.movedim(1, -1)).movedim(-1, 1)
    if dims != list(range(x.dim()))[x.dim() - len(dims) :]:
        raise NoSuchLayerError("the axes are not the last ones")
    over = x.shape[1:] if axis == "all" else x.shape[-(len(dims) or 1) :]
    return kind(over, given["eps"], given["affine"])(x)


def instance_norm(given: dict[str, Any], x: Tensor) -> Tensor:
    if not axes(x):
        raise NoSuchLayerError("a vector has no positions")
    return of("InstanceNorm", x)(x.shape[1], given["eps"], affine=given["affine"])(x)


def upsample(given: dict[str, Any], x: Tensor) -> Tensor:
    mode = {1: "linear", 2: "bilinear", 3: "trilinear"}[axes(x)] if given["mode"] == "bilinear" else given["mode"]
    aligned = given["align_corners"] or None
    if given["antialias"]:
        return F.interpolate(x, given["size"], given["scale"], mode, aligned, antialias=True)
    return nn.Upsample(given["size"], given["scale"], mode, aligned)(x)


def unpool(given: dict[str, Any], x: Tensor) -> Tensor:
    of = given["of"]
    pixels = torch.ones(BATCH, of.before.channels, *of.before.axes)
    pads = of.pad if isinstance(of.pad, (list, tuple)) else []
    if of.pad in ("same", "valid"):
        sizes = zip(of.before.axes, *(along(n, x) for n in (of.kernel, of.stride, of.dilation)), strict=True)
        lacking = [max(0, -(-n // s) * s - s + (k - 1) * d + 1 - n) for n, k, s, d in sizes]
        pads = [n // 2 if of.pad == "same" else 0 for n in lacking]
    pad = tuple(p[0] if isinstance(p, (list, tuple)) and p[0] == p[1] else p for p in pads) or of.pad
    how = of.kernel, of.stride, pad, of.dilation, bool(of.ceil_mode)
    _, indices = of_axes("max_pool", x)(pixels, *how, return_indices=True)
    return of_axes("max_unpool", x)(x, indices, of.kernel, of.stride, pad, of.before.axes)


def of_axes(name: str, x: Tensor) -> Any:
    return getattr(F, f"{name}{axes(x)}d")


def pad_channels(given: dict[str, Any], x: Tensor) -> Tensor:
    return F.pad(x, [0, 0] * (x.dim() - 2) + [given["before"], given["after"]])


def border(given: dict[str, Any], x: Tensor, sign: int) -> list[tuple[int, int]]:
    """Positions before and after every axis: given, or half of the difference to a size, or an offset and the rest."""
    sizes = x.shape[2:]
    if not sizes:
        raise NoSuchLayerError("a vector has no positions")
    if given["by"] is None:
        size = given["size"] if isinstance(given["size"], tuple) else (given["size"],) * len(sizes)
        changes = [sign * (m - n) for n, m in zip(sizes, size, strict=True)]
        if given.get("offset") is not None:
            return [(at, change - at) for at, change in zip(along(given["offset"], x), changes, strict=True)]
        return [(change // 2, change - change // 2) for change in changes]
    by = given["by"] if isinstance(given["by"], tuple) else (given["by"],) * len(sizes)
    return [p if isinstance(p, (tuple, list)) else (p, p) for _, p in zip(sizes, by, strict=True)]


def crop(given: dict[str, Any], x: Tensor) -> Tensor:
    for axis, (before, after) in enumerate(border(given, x, -1), 2):
        if before < 0 or after < 0:
            raise NoSuchLayerError("a slice that makes a map larger")
        x = x.narrow(axis, before, x.shape[axis] - before - after)
        if x.shape[axis] == 0:
            raise NoSuchLayerError("nothing is left")
    return x


def pad(given: dict[str, Any], x: Tensor) -> Tensor:
    pads = border(given, x, 1)
    if any(n < 0 for pair in pads for n in pair):
        raise NoSuchLayerError("padding that makes a map smaller")
    if not any(n for pair in pads for n in pair):
        return x
    if given["mode"] != "zeros" and x.dim() > 3 + 2:
        raise NoSuchLayerError("padding over many axes")
    return F.pad(x, sides(pads), mode="constant" if given["mode"] == "zeros" else given["mode"])


def mapped(x: Tensor) -> Tensor:
    if x.dim() < 3:
        raise NoSuchLayerError("a vector has no positions")
    return x


def index_select(given: dict[str, Any], x: Tensor) -> Tensor:
    if given["count"] < 1:
        raise NoSuchLayerError("no position is chosen")
    return x.index_select(axis_of(given["axis"], x), torch.zeros(given["count"], dtype=torch.long))


def parameter(given: dict[str, Any], x: Tensor) -> Tensor:
    if 0 in given["size"]:
        raise NoSuchLayerError("there is no value")
    return torch.zeros(len(x), *given["size"])


def class_token(given: dict[str, Any], x: Tensor) -> Tensor:
    if x.dim() < 3:
        raise NoSuchLayerError("a vector has no positions")
    if given["tokens"] < 1:
        raise NoSuchLayerError("there is no token")
    return torch.cat([torch.zeros(*x.shape[:-1], given["tokens"]), x], -1)


def attention(given: dict[str, Any], *xs: Tensor) -> Tensor:
    """Heads by a view of the channels; windows are like a batch."""
    if len(xs) not in (3, 4):
        raise NoSuchLayerError("attention of another number of maps")
    if any(x.dim() < 3 for x in xs[:3]) or len({x.shape[2:-1] for x in xs[:3]}) > 1:
        raise NoSuchLayerError("vectors, or windows that differ")
    q, k, v = (x.unflatten(1, (given["heads"], -1)).movedim(2, -1) for x in xs[:3])
    mask = window_mask(given, xs[0]) if given["bias"] or any(listed(given["shift"])) else None
    if mask is not None and k.shape[-2] != q.shape[-2]:
        raise NoSuchLayerError("windows of keys that are not windows of queries")
    for bias in xs[3:]:
        if given["bias"] or bias.shape != (*q.shape[:-1], k.shape[-2]):
            raise NoSuchLayerError("two biases, or a bias that is repeated")
        mask = bias if mask is None else bias + mask
    scale = given["scale"]
    if given["cosine"]:
        if scale is not None:
            raise NoSuchLayerError("two scales")
        q, k, scale = F.normalize(q, dim=-1), F.normalize(k, dim=-1), 1.0
    if given["bias"] == "continuous" and min(listed(given["block"])) < 2:
        raise NoSuchLayerError("distances in a window of one position")
    causal = given["causal"]
    if causal and mask is not None:
        causal, mask = False, mask + torch.full((q.shape[-2], k.shape[-2]), float("-inf")).triu(1)
    with sdpa_kernel(SDPBackend.MATH):
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal, scale=scale)
    return y.movedim(-1, 2).flatten(1, 2)


def matmul(given: dict[str, Any], *xs: Tensor) -> Tensor:
    """Matrices of the last two axes; the axes before them are not repeated."""
    if len(xs) != 2 or any(x.dim() < 3 for x in xs) or xs[0].shape[:-2] != xs[1].shape[:-2]:
        raise NoSuchLayerError("other maps than two of equal axes before the matrices")
    a, b = xs
    if given["transpose"] in ("first", "both"):
        a = a.transpose(-1, -2)
    return a @ (b.transpose(-1, -2) if given["transpose"] in ("second", "both") else b)


def grid_sample(given: dict[str, Any], *xs: Tensor) -> Tensor:
    """On the last axes, as many as a position has coordinates; each window apart."""
    if len(xs) != 2 or xs[0].dim() != xs[1].dim():
        raise NoSuchLayerError("other than a map and a grid")
    x, grid = xs[0], xs[1].movedim(1, -1)
    first = x.dim() - grid.shape[-1] - 1
    if first < 1 or x.shape[2 : first + 1] != grid.shape[1:first]:
        raise NoSuchLayerError("other windows")
    x = x.movedim(1, first)
    names = ("mode", "pad_mode", "align_corners")
    y = F.grid_sample(x.flatten(0, first - 1), grid.flatten(0, first - 1), *(given[name] for name in names))
    return y.unflatten(0, x.shape[:first]).movedim(first, 1)


def window_mask(given: dict[str, Any], x: Tensor) -> Tensor:
    """Which positions of a window read each other: those that came from the same part of the map before the roll."""
    sides, shift, size = (listed(given[name] or ()) for name in ("block", "shift", "size"))
    if not sides or math.prod(sides) != x.shape[-1]:
        raise NoSuchLayerError("windows of another size")
    if not any(shift):
        return torch.zeros(1, 1)
    shift = shift * len(sides) if not isinstance(given["shift"], (list, tuple)) else shift
    if len(size) != len(sides) or len(shift) != len(sides):
        raise NoSuchLayerError("another number of axes")
    if any(n % side or by >= side for n, side, by in zip(size, sides, shift, strict=True)):
        raise NoSuchLayerError("windows that do not divide the map, or a shift over a window")
    if math.prod(size) // math.prod(sides) != math.prod(x.shape[2:-1]):
        raise NoSuchLayerError("another number of windows")
    return torch.zeros(1, 1)


def listed(value: Any) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, (list, tuple)) else (value,)


def rearrange(pattern: str, x: Tensor, **sizes: int) -> Tensor:
    """A pattern in the notation of einops, written out with one axis for every part."""
    pattern, *named = pattern.split(",")
    sizes |= {name.strip(): int(size) for name, size in (one.split("=") for one in named)}
    sides = []
    for side in pattern.split("->"):
        numbers: Counter[str] = Counter()
        groups = []
        for inside, alone in re.findall(r"\(([^)]*)\)|(\S+)", side):
            parts = []
            for part in (inside or alone).split():
                numbers[part] += 1
                if part != "1":
                    parts.append(f"{part}/{numbers[part]}")
            groups.append(parts)
        sides.append(groups)
    before, after = sides
    known = {part: sizes.get(part.split("/")[0], 0) for group in before for part in group}
    known |= {part: int(part.split("/")[0]) for part in known if part[0].isdigit()}
    if len(before) != x.dim() - 1:
        raise NoSuchLayerError("another number of axes")
    for at, group in reversed(list(enumerate(before, 1))):
        x = x.unflatten(at, [known[part] or -1 for part in group] or [1])
    flat = [part for group in before for part in group or ["1"]]
    names = [part for group in after for part in group]
    x = x.squeeze([at for at, part in enumerate(flat, 1) if part == "1"])
    flat = [part for part in flat if part != "1"]
    x = x.permute(0, *(1 + flat.index(part) for part in names))
    done = 1
    for group in after:
        x = x.flatten(done, done + len(group) - 1) if group else x.unsqueeze(done)
        done += 1
    return x


def axis_of(name: str, x: Tensor) -> int:
    """The number of an axis by its name."""
    names = {3: ["length"], 4: ["height", "width"], 5: ["depth", "height", "width"]}.get(x.dim(), [])
    names = ["batch", "channels", *names]
    if name == "last":
        return x.dim() - 1
    if name not in names:
        raise NoSuchLayerError(f"no axis is called {name}")
    return names.index(name)


def reduced(given: dict[str, Any], x: Tensor) -> Tensor:
    over = tuple(range(2, x.dim())) if given["axis"] == "positions" else axis_of(given["axis"], x)
    if over == ():
        raise NoSuchLayerError("a vector has no positions")
    return {"mean": torch.mean, "sum": torch.sum, "max": torch.amax}[given["by"]](x, over, keepdim=True)


def mathematics(given: dict[str, Any], x: Tensor) -> Tensor:
    if (given["exponent"] is None) == (given["function"] == "power") or given["exponent"] == 0:
        raise NoSuchLayerError("an exponent of what is no power")
    return x.pow(given["exponent"]) if given["exponent"] else getattr(torch, given["function"])(x)


def lengths_of(axis: Any, x: Tensor) -> Any:
    """The dimensions of the values that have one length."""
    if axis == "all":
        return tuple(range(1, x.dim()))
    return tuple(axis_of(name, x) for name in axis) if isinstance(axis, tuple) else axis_of(axis or "channels", x)


def lrn(given: dict[str, Any], x: Tensor) -> Tensor:
    if given["axis"] == "channels":
        return nn.LocalResponseNorm(given["size"], given["alpha"], given["beta"], given["k"])(x)
    if not 2 < x.dim() < 6 or given["size"] % 2 == 0:
        raise NoSuchLayerError("no neighbours on both sides of a position, on one to three axes")
    squares = F.pad(x * x, (given["size"] // 2,) * 2 * (x.dim() - 2))
    for axis in range(2, x.dim()):
        squares = squares.unfold(axis, given["size"], 1).sum(-1)
    return x / (given["k"] + given["alpha"] * squares) ** given["beta"]


def along(given: Any, x: Tensor) -> list[int]:
    """A setting for every axis of a map."""
    if x.dim() == 2:
        raise NoSuchLayerError("a vector has no positions")
    return [
        n for n, _ in zip(given if isinstance(given, tuple) else (given,) * (x.dim() - 2), x.shape[2:], strict=True)
    ]


def blocks(x: Tensor, sizes: list[int], outer: bool = True) -> Tensor:
    """Every axis as two: blocks, and the positions in a block; the blocks of all axes first."""
    for at, size in reversed(list(enumerate(sizes, 2))):
        x = x.unflatten(at, (-1, size) if outer else (size, -1))
        x = x if outer else x.transpose(at, at + 1)
    return x.permute(0, 1, *range(2, x.dim(), 2), *range(3, x.dim(), 2))


def unblocked(x: Tensor, count: int, outer: bool = True) -> Tensor:
    """The reverse, where the blocks of all axes come first."""
    for at in range(count):
        x = x.movedim(2 + count + at, 3 + 2 * at if outer else 2 + 2 * at)
    for at in range(count):
        x = x.flatten(2 + at, 3 + at)
    return x


def unfold(given: dict[str, Any], x: Tensor) -> Tensor:
    if x.dim() != 4:
        raise NoSuchLayerError("windows as channels over other than two axes")
    (k, _), (s, _), (p, _), (d, _) = (along(given[name], x) for name in ("kernel", "stride", "pad", "dilation"))
    rows = (x.shape[2] + 2 * p - d * (k - 1) - 1) // s + 1
    columns = F.unfold(x, given["kernel"], given["dilation"], given["pad"], given["stride"])
    return columns.unflatten(2, (rows, -1))


def fold(given: dict[str, Any], x: Tensor) -> Tensor:
    if x.dim() != 4:
        raise NoSuchLayerError("windows as channels over other than two axes")
    names = ("kernel", "stride", "pad", "dilation", "output_pad")
    rows = zip(x.shape[2:], *(along(given[name], x) for name in names), strict=True)
    size = [(n - 1) * s - 2 * p + d * (k - 1) + 1 + more for n, k, s, p, d, more in rows]
    return F.fold(x.flatten(2), size, given["kernel"], given["dilation"], given["pad"], given["stride"])


def space_to_depth(given: dict[str, Any], x: Tensor) -> Tensor:
    sizes = along(given["block"], x)
    if len(set(sizes)) == 1 and len(sizes) == 2:
        return F.pixel_unshuffle(x, sizes[0])
    x = blocks(x, sizes)
    return x.permute(0, 1, *range(2 + len(sizes), x.dim()), *range(2, 2 + len(sizes))).flatten(1, 1 + len(sizes))


def pixel_shuffle(given: dict[str, Any], x: Tensor) -> Tensor:
    sizes = along(given["factor"], x)
    if len(set(sizes)) == 1 and len(sizes) == 2:
        return F.pixel_shuffle(x, sizes[0])
    x = x.unflatten(1, (-1, *sizes))
    n = len(sizes)
    return unblocked(x.permute(0, 1, *range(2 + n, 2 + 2 * n), *range(2, 2 + n)), n)


def to_map(given: dict[str, Any], x: Tensor) -> Tensor:
    sizes = given["size"] if isinstance(given["size"], tuple) else (given["size"],)
    if x.dim() != 3:
        raise NoSuchLayerError("not one axis")
    return x.view(*x.shape[:2], *sizes)


def windows(given: dict[str, Any], x: Tensor) -> Tensor:
    sizes = along(given["size"], x)
    x = blocks(x, sizes, not given["grid"])
    return x.flatten(2, 1 + len(sizes)).flatten(3)


def from_windows(given: dict[str, Any], x: Tensor) -> Tensor:
    if x.dim() != 4:
        raise NoSuchLayerError("not windows and positions")
    whole = given["size"] if isinstance(given["size"], tuple) else (given["size"],)
    n = len(whole)
    inner = given["block"]
    if inner is None:
        inner = round(x.shape[3] ** (1 / n))
        if inner**n != x.shape[3]:
            raise NoSuchLayerError("windows of unequal sides")
    inner = inner if isinstance(inner, tuple) else (inner,) * n
    counts = [m // w for m, w in zip(whole, inner, strict=True)]
    return unblocked(x.view(*x.shape[:2], *counts, *inner), n, not given["grid"]).view(*x.shape[:2], *whole)


def regions(operator: Any, given: dict[str, Any], *xs: Tensor, **more: Any) -> Tensor:
    """A region of each image; with several maps, of the last one, if the maps could serve the same regions."""
    boxes = torch.tensor([[at, 0, 0, 1, 1] for at in range(BATCH)]).float()
    size = given["size"] if isinstance(given["size"], tuple) else (given["size"],) * 2
    if len(size) != 2 or any(x.dim() != 4 for x in xs):
        raise NoSuchLayerError("a region of a map without height and width")
    if operator is ps_roi_pool and 0 in size:
        raise NoSuchLayerError("torchvision divides by the size, which ends the process")
    parts = [operator(x, boxes, size, 1.0, **more) for x in xs]
    return torch.cat(parts)[-BATCH:]


def unequal(first: Tensor, *others: Tensor) -> Tensor:
    """As darknet's shortcut_cpu asserts: one factor for height and width, in whole numbers."""
    for x in others:
        if x.dim() != first.dim():
            raise NoSuchLayerError("maps of other axes")
        factors = {(n // m, m // n) for n, m in zip(first.shape[2:], x.shape[2:], strict=True)}
        if len({max(up, 1) for up, _ in factors}) > 1 or len({max(down, 1) for _, down in factors}) > 1:
            raise NoSuchLayerError("factors that differ")
    return first


LAYERS: dict[str, Any] = {
    "conv": conv,
    "conv_table": conv_table,
    "locally_connected": locally_connected,
    "conv_transpose": conv_transpose,
    "max_pool": max_pool,
    "avg_pool": avg_pool,
    "subsample": avg_pool,
    "adaptive_avg_pool": lambda given, x: of("AdaptiveAvgPool", x)(given["out"])(x),
    "global_avg_pool": lambda given, x: of("AdaptiveAvgPool", x)(1)(x),
    "adaptive_max_pool": lambda given, x: of("AdaptiveMaxPool", x)(given["out"])(x),
    "global_max_pool": lambda given, x: of("AdaptiveMaxPool", x)(1)(x),
    "linear": linear,
    "rbf": rbf,
    "batch_norm": batch_norm,
    "lrn": lrn,
    "layer_norm": lambda given, x: over_axes(given, x, nn.LayerNorm),
    "rms_norm": lambda given, x: over_axes(given, x, nn.RMSNorm),
    "l2_norm": lambda given, x: F.normalize(x, dim=lengths_of(given["axis"], x), eps=given["eps"]),
    "group_norm": lambda given, x: nn.GroupNorm(given["groups"], x.shape[1], given["eps"], given["affine"])(x),
    "instance_norm": instance_norm,
    "scale": lambda given, x: x * given["factor"] + given["shift"],
    "layer_scale": lambda given, x: (
        x * torch.full((x.shape[1], *[1] * (x.dim() - 2)), float(given["init"]))
        + (torch.zeros(x.shape[1], *[1] * (x.dim() - 2)) if given["bias"] else 0)
    ),
    "relu": lambda given, x: nn.ReLU()(x),
    "relu6": lambda given, x: nn.ReLU6()(x),
    "leaky_relu": lambda given, x: nn.LeakyReLU(given["slope"])(x),
    "prelu": lambda given, x: nn.PReLU(x.shape[1] if given["per_channel"] else 1)(x),
    "elu": lambda given, x: nn.ELU(given["alpha"])(x),
    "sigmoid": lambda given, x: nn.Sigmoid()(x),
    "hard_sigmoid": lambda given, x: nn.Hardsigmoid()(x),
    "silu": lambda given, x: nn.SiLU()(x),
    "hard_swish": lambda given, x: nn.Hardswish()(x),
    "gelu": lambda given, x: nn.GELU(given["approximate"] or "none")(x),
    "tanh": lambda given, x: nn.Tanh()(x),
    "hard_tanh": lambda given, x: nn.Hardtanh(given["min"], given["max"])(x),
    "selu": lambda given, x: nn.SELU()(x),
    "softplus": lambda given, x: nn.Softplus()(x),
    "mish": lambda given, x: nn.Mish()(x),
    "glu": lambda given, x: nn.GLU(1)(x),
    "log_softmax": lambda given, x: nn.LogSoftmax(axis_of(given["axis"], x))(x),
    "softmax": lambda given, x: nn.Softmax(axis_of(given["axis"], x))(x),
    "reduce": reduced,
    "attention": attention,
    "matmul": matmul,
    "grid_sample": grid_sample,
    "position": lambda given, x: x + torch.zeros(x.shape[1:]),
    "parameter": parameter,
    "index_select": index_select,
    "class_token": class_token,
    "add": lambda given, *xs: unequal(*xs) if given["unequal"] else sum(xs),
    "mean": lambda given, *xs: sum(xs) / len(xs),
    "multiply": lambda given, *xs: reduce(mul, xs),
    "subtract": lambda given, *xs: reduce(torch.sub, xs),
    "divide": lambda given, *xs: reduce(torch.div, xs),
    "math": lambda given, x: mathematics(given, x),
    "maximum": lambda given, *xs: reduce(torch.maximum, xs),
    "minimum": lambda given, *xs: reduce(torch.minimum, xs),
    "concat": lambda given, *xs: torch.cat(xs, axis_of(given["axis"], xs[0])),
    "flatten": lambda given, x: nn.Flatten()(x),
    "identity": lambda given, x: nn.Identity()(x),
    "dropout": lambda given, x: nn.Dropout(given["p"])(x),
    "drop_path": lambda given, x: stochastic_depth(x, given["p"], "row"),
    "upsample": upsample,
    "unpool": unpool,
    "slice": lambda given, x: x.movedim(axis_of(given["axis"], x), 0)[
        given["start"] : given["stop"] : given["step"]
    ].movedim(0, axis_of(given["axis"], x)),
    "roll": lambda given, x: torch.roll(x, along(given["by"], x), list(range(2, x.dim()))),
    "expand": lambda given, x: x.expand(-1, -1, *along(given["size"], x)),
    "pad_channels": pad_channels,
    "crop": crop,
    "pad": pad,
    "rearrange": lambda given, x: rearrange(given["pattern"], x),
    "unfold": unfold,
    "fold": fold,
    "space_to_depth": space_to_depth,
    "pixel_shuffle": pixel_shuffle,
    "to_tokens": lambda given, x: x.flatten(2),
    "to_map": to_map,
    "windows": windows,
    "from_windows": from_windows,
    "roi_align": lambda given, *xs: regions(roi_align, given, *xs, sampling_ratio=given["sampling"]),
    "roi_pool": lambda given, *xs: regions(roi_pool, given, *xs),
    "ps_roi_pool": lambda given, x: regions(ps_roi_pool, given, x),
    "channel_shuffle": lambda given, x: nn.ChannelShuffle(given["groups"])(x),
}
