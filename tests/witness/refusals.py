"""Where PyTorch and archcalc refuse different things: every such difference, with its reason and an example.

A random network may show no other one. ``docs/verification.md`` prints this table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from archcalc.layers import registry
from archcalc.layers.pool import Pool
from archcalc.layers.windowed import Windowed
from archcalc.sizes import Shape

from .networks import Layer, Shared


class Difference(NamedTuple):
    """What one of the two refuses and the other does not, why, which layers it is about, and one of them."""

    what: str
    refused_by: str
    reason: str
    about: Callable[[Layer, Any], bool]
    example: Layer


def difference(layer: Layer, refused_by: str, made: Any = None) -> Difference | None:
    """The difference that explains why just one of the two refuses the layer; ``made`` is what the other made of it."""
    return next((d for d in DIFFERENCES if d.refused_by == refused_by and d.about(layer, made)), None)


def setting(layer: Layer, name: str) -> Any:
    return layer.settings.get(name, registry[layer.type].fields[name].default)


def numbers(value: Any) -> Iterator[Any]:
    """The numbers in a setting, however deep its lists are."""
    if isinstance(value, (list, tuple)):
        for part in value:
            yield from numbers(part)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield value


def is_pool(layer: Layer) -> bool:
    return issubclass(registry[layer.type], Pool)


def is_window(layer: Layer) -> bool:
    return issubclass(registry[layer.type], Windowed)


def each(layer: Layer, name: str) -> tuple[Any, ...]:
    """A setting for every axis."""
    value = setting(layer, name)
    return tuple(value) if isinstance(value, (list, tuple)) else (value,) * len(layer.inputs[0].axes)


def sides(layer: Layer) -> list[tuple[int, int]]:
    """Padding before and after every axis; none where it is a word."""
    if isinstance(setting(layer, "pad"), str):
        return []
    return [tuple(pad) if isinstance(pad, (list, tuple)) else (pad, pad) for pad in each(layer, "pad")]


def uneven(layer: Layer) -> bool:
    pad = setting(layer, "pad")
    return isinstance(pad, (list, tuple)) and any(isinstance(p, (list, tuple)) for p in pad)


def spans(layer: Layer) -> list[int]:
    return [(k - 1) * d + 1 for k, d in zip(each(layer, "kernel"), each(layer, "dilation"), strict=False)]


def elementwise(layer: Layer) -> bool:
    return layer.type in ("add", "mean", "multiply", "subtract", "divide", "maximum", "minimum")


def axes_of_others(layer: Layer, made: Any) -> bool:
    return elementwise(layer) and len({len(x.axes) for x in layer.inputs}) > 1


def axis_unsaid(layer: Layer, made: Any) -> bool:
    on_map = bool(layer.inputs[0].axes)
    return on_map and (
        layer.type == "rbf" or (layer.type in ("linear", "layer_norm", "rms_norm") and setting(layer, "axis") is None)
    )


def beyond_channels(layer: Layer, made: Any) -> bool:
    return layer.type == "slice"


def nothing_left(layer: Layer, made: Any) -> bool:
    return layer.type == "conv_transpose" and 0 in made.axes


def padding_alone(layer: Layer, made: Any) -> bool:
    return is_pool(layer) and any(max(pad) >= span for pad, span in zip(sides(layer), spans(layer), strict=False))


def negative(layer: Layer, made: Any) -> bool:
    return any(n < 0 for n in numbers(list(layer.settings.values())))


def no_outputs(layer: Layer, made: Any) -> bool:
    known = registry[layer.type]
    size = "out" if "out" in known.fields else "size" if known.makes_regions else ""
    return bool(size) and 0 in numbers(setting(layer, size))


def same_of_the_map(layer: Layer, made: Any) -> bool:
    return layer.type == "conv" and setting(layer, "pad") == "same" and setting(layer, "pad_mode") != "zeros"


def computed_and_padded(layer: Layer, made: Any) -> bool:
    return layer.type == "conv" and bool(setting(layer, "weight_norm")) and setting(layer, "pad_mode") != "zeros"


def not_apart(layer: Layer, made: Any) -> bool:
    return layer.type == "conv_transpose" and 0 in numbers(setting(layer, "dilation"))


def one_in_a_list(layer: Layer, made: Any) -> bool:
    return any(isinstance(n, (list, tuple)) and len(n) == 1 for n in layer.settings.values())


def same_with_stride(layer: Layer, made: Any) -> bool:
    if not is_window(layer) or setting(layer, "pad") != "same":
        return False
    return is_pool(layer) or any(s > 1 for s in each(layer, "stride"))


def beyond_half(layer: Layer, made: Any) -> bool:
    return is_pool(layer) and any(2 * max(pad) > k for pad, k in zip(sides(layer), each(layer, "kernel"), strict=False))


def uneven_and_up(layer: Layer, made: Any) -> bool:
    return is_pool(layer) and uneven(layer) and bool(setting(layer, "ceil_mode"))


def caffe(layer: Layer, made: Any) -> bool:
    return is_pool(layer) and setting(layer, "ceil_mode") == "caffe"


def dilated_mean(layer: Layer, made: Any) -> bool:
    return layer.type in ("avg_pool", "subsample") and any(d > 1 for d in each(layer, "dilation"))


def small_clip(layer: Layer, made: Any) -> bool:
    (x, *_) = layer.inputs
    smaller = any(n < k for n, k in zip(x.axes, each(layer, "kernel"), strict=False)) if is_pool(layer) else False
    return layer.type in ("avg_pool", "subsample") and len(x.axes) == 3 and smaller


def on_vector(layer: Layer, made: Any) -> bool:
    return layer.type in ("lrn", "channel_shuffle") and not layer.inputs[0].axes


def one_value(layer: Layer, made: Any) -> bool:
    """A normalisation whose groups have one value each."""
    (x, *_) = layer.inputs
    return layer.type == "group_norm" and x.values == setting(layer, "groups")


def vector_gate(layer: Layer, made: Any) -> bool:
    return axes_of_others(layer, made) and any(not x.axes for x in layer.inputs)


MAP, VECTOR, CLIP = Shape(4, (6, 6)), Shape(4), Shape(4, (2, 6, 6))
OURS, THEIRS = "archcalc", "PyTorch"


def filtered(layer: Layer, made: Any) -> bool:
    return layer.type == "upsample" and bool(setting(layer, "antialias"))


DIFFERENCES = (
    Difference(
        "`add`, `mean` or `multiply` of maps with different numbers of axes",
        OURS,
        "PyTorch lays the last axes on one another, and so the channels of one map on an axis of the other.",
        axes_of_others,
        Layer("add", {}, (Shape(2, (2, 6)), Shape(2, (6,)))),
    ),
    Difference(
        "`linear`, `layer_norm` and `rms_norm` on a map without `axis`, and `rbf` on a map",
        OURS,
        "PyTorch takes the last axis, the width. Without a word about it a forgotten `flatten` would pass unseen.",
        axis_unsaid,
        Layer("linear", {"out": 2}, (MAP,)),
    ),
    Difference(
        "`group_norm` of groups of one value",
        OURS,
        "PyTorch refuses the layer for one image only. The normalised values are always 0.",
        one_value,
        Layer("group_norm", {"groups": 4}, (VECTOR,)),
    ),
    Difference(
        "`slice` beyond the channels there are",
        OURS,
        "Python cuts a slice to what is there, down to nothing; a network that asks for channels which are not "
        "there is wrong.",
        beyond_channels,
        Layer("slice", {"start": 2, "stop": 5}, (MAP,)),
    ),
    Difference(
        "`conv_transpose` that cuts off all of its output",
        OURS,
        "PyTorch goes on with a map of size 0 (and refuses one below 0).",
        nothing_left,
        Layer("conv_transpose", {"out": 1, "kernel": 3, "pad": 4}, (MAP,)),
    ),
    Difference(
        "a pooling window in the padding alone",
        OURS,
        "PyTorch refuses it for its own padding; padding put around beforehand with `F.pad` hides it, and the maximum "
        "of such a window is minus infinity.",
        padding_alone,
        Layer("max_pool", {"kernel": 1, "stride": 1, "pad": [[1, 1], [0, 0]]}, (MAP,)),
    ),
    Difference(
        "negative numbers: a slope, `alpha`, channels of padding, padding by side",
        OURS,
        "Negative padding cuts off in `F.pad`, which `crop` and `slice` say plainly; no published network has "
        "a negative slope or `alpha`.",
        negative,
        Layer("pad_channels", {"before": -1}, (MAP,)),
    ),
    Difference(
        "a layer with 0 outputs",
        OURS,
        "PyTorch makes an empty tensor; every size is at least 1 here.",
        no_outputs,
        Layer("linear", {"out": 0}, (VECTOR,)),
    ),
    Difference(
        "a convolution with `pad: same`, `pad_mode`, and padding that differs by side",
        OURS,
        "PyTorch pads the end by one position more; TensorFlow, whose word `same` is, has zeros only.",
        same_of_the_map,
        Layer("conv", {"out": 1, "kernel": 2, "pad": "same", "pad_mode": "reflect"}, (MAP,)),
    ),
    Difference(
        "a convolution with `weight_norm` and `pad_mode`",
        OURS,
        "PyTorch computes the weights around any convolution; no published network has both, and the layer `pad` can "
        "stand before.",
        computed_and_padded,
        Layer("conv", {"out": 1, "kernel": 3, "pad": 1, "pad_mode": "reflect", "weight_norm": "channels"}, (MAP,)),
    ),
    Difference(
        "`conv_transpose` with dilation 0",
        OURS,
        "PyTorch checks it for convolutions alone; all cells of the kernel would lie on one another.",
        not_apart,
        Layer("conv_transpose", {"out": 1, "kernel": 1, "dilation": 0}, (MAP,)),
    ),
    Difference(
        "a list of one number for a map of two axes or three",
        OURS,
        "PyTorch's poolings take one number for all; here a list has one for every axis, so that a slip is seen.",
        one_in_a_list,
        Layer("max_pool", {"kernel": [2], "stride": 2}, (MAP,)),
    ),
    Difference(
        "`same` with a stride, and `same` of a pooling",
        THEIRS,
        "It is TensorFlow's, whose networks have both; the built model puts the zeros around by side.",
        same_with_stride,
        Layer("conv", {"out": 2, "kernel": 3, "stride": 2, "pad": "same"}, (MAP,)),
    ),
    Difference(
        "padding of a pooling beyond half its kernel",
        THEIRS,
        "Caffe asks only that every window touches the input; the built model puts the padding around beforehand.",
        beyond_half,
        Layer("max_pool", {"kernel": 3, "stride": 2, "pad": 2}, (MAP,)),
    ),
    Difference(
        "padding by side of a pooling whose size is rounded up",
        THEIRS,
        "With padding put around beforehand, PyTorch's rule for the last window would take it for input.",
        uneven_and_up,
        Layer("max_pool", {"kernel": 3, "stride": 2, "pad": [[0, 1], [0, 1]], "ceil_mode": True}, (MAP,)),
    ),
    Difference(
        "Caffe's rule for a size rounded up",
        THEIRS,
        "GoogLeNet and others were published in Caffe. Where its size is that of PyTorch's rule, or of no "
        "rounding, the built model uses PyTorch's own pooling, else padding.",
        caffe,
        Layer("max_pool", {"kernel": 1, "stride": 3, "ceil_mode": "caffe"}, (Shape(4, (5, 5)),)),
    ),
    Difference(
        "dilation of an average pooling",
        THEIRS,
        "`nn.AvgPool2d` has none; the windows are those of a dilated maximum pooling, and the built model adds them up.",
        dilated_mean,
        Layer("avg_pool", {"kernel": 2, "stride": 1, "dilation": 2}, (MAP,)),
    ),
    Difference(
        "`avg_pool` over three axes whose kernel is larger than the map without its padding",
        THEIRS,
        "`nn.AvgPool3d` looks at the map alone, while `nn.AvgPool1d`, `nn.AvgPool2d` and `nn.MaxPool3d` look at the "
        "padded one.",
        small_clip,
        Layer("avg_pool", {"kernel": 3, "stride": 1, "pad": 1}, (CLIP,)),
    ),
    Difference(
        "`lrn` and `channel_shuffle` on a vector",
        THEIRS,
        "Both act on channels, which a vector has; the built model gives it an axis or reshapes it.",
        on_vector,
        Layer("channel_shuffle", {"groups": 2}, (VECTOR,)),
    ),
    Difference(
        "`add`, `mean` or `multiply` of a map and a vector",
        THEIRS,
        "Squeeze and excitation with linear layers ends in a vector; PyTorch would lay it along the width, and code "
        "gives it axes first, as the built model does.",
        vector_gate,
        Layer("multiply", {}, (MAP, VECTOR)),
    ),
    Difference(
        "`upsample` with `antialias` on an axis that becomes smaller, or with `align_corners`",
        OURS,
        "PyTorch's windows grow there, and lie elsewhere. archcalc does not know them.",
        filtered,
        Layer("upsample", {"size": 2, "mode": "bilinear", "antialias": True}, (Shape(2, (3, 3)),)),
    ),
)


class Sharing(NamedTuple):
    """The same for two layers of which the second would use the weights of the first."""

    what: str
    reason: str
    example: Shared


SHARING = Sharing(
    "`weights` of a convolution with another number of `groups`, or another `table`",
    "Twice the groups on twice the channels have as many weights, which PyTorch loads; they are other connections.",
    Shared(
        Layer("conv", {"out": 4, "kernel": 1}, (Shape(2, (6, 6)),)),
        Layer("conv", {"out": 4, "kernel": 1, "groups": 2}, (MAP,)),
    ),
)


def table() -> str:
    """The differences as the documentation prints them."""
    rows = [(d.what, d.refused_by, d.reason) for d in DIFFERENCES] + [(SHARING.what, OURS, SHARING.reason)]
    return "\n".join(["| what | refused by | why |", "|---|---|---|", *(f"| {' | '.join(row)} |" for row in rows)])
