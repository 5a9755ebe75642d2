"""How PyTorch writes each layer type: the constructor of a module, or an expression over the layer's inputs.

``built`` makes modules of it, and ``source`` Python text. What operators these run is in ``analysis.running``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from string import Formatter
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

from archcalc.errors import LayerError
from archcalc.layers import Layer
from archcalc.layers.base import per_axis
from archcalc.pytorch.placing import Placed, beforehand, placed
from archcalc.sizes import Shape

NO_ARGUMENTS: Mapping[str, Any] = MappingProxyType({})


class ModuleCode(NamedTuple):
    """A module by its class and arguments; the first ``positional`` of them are written without names.

    An argument that equals its default is not written. The class is one of torch.nn (``nn.Conv2d``) or
    one of ``parts``. An argument may be a Call itself.
    """

    target: str
    arguments: Mapping[str, Any] = NO_ARGUMENTS
    positional: int = 0
    defaults: Mapping[str, Any] = NO_ARGUMENTS


class InlineCode(NamedTuple):
    """Python text over the inputs ``{0}``, ``{1}`` ... and over arguments by name."""

    text: str
    arguments: Mapping[str, Any] = NO_ARGUMENTS


TorchCode: TypeAlias = ModuleCode | InlineCode
Writer = Callable[..., TorchCode]


class Statements(NamedTuple):
    """A layer as statements of Python: expressions that come before, and the layer itself.

    Each takes its inputs from the front of the list of the layer's inputs, and puts there what it makes. So an input
    is freed after the last statement that reads it, if no other layer does.
    """

    before: tuple[InlineCode, ...]
    layer: TorchCode


def torch_code(layer: Layer, inputs: tuple[Shape, ...], out: Shape, over: bool = False) -> Statements:
    """The layer in PyTorch, for inputs of these shapes; with ``over`` it writes over the first of them.

    LayerError when PyTorch has no such layer.
    """
    if layer.joins:
        *before, last = JOINS[layer.type](operands(out, inputs), over)
        return Statements(tuple(before), last)
    (x,) = inputs
    if over:
        return Statements((), IN_PLACE[layer.type](layer, x))
    itself = WRITERS[layer.type](layer, x, out)
    around = beforehand(layer, x)
    value = ', value=float("-inf")' if layer.type == "max_pool" else ""
    return Statements((padding(x, around, value),) if around else (), itself)


def takes(expression: InlineCode) -> int:
    """How many inputs an expression has.

    >>> takes(Expression("{0} + {1}")), takes(Expression("{0}[:, :{stop}]", {"stop": 3}))
    (2, 1)
    """
    return len({name for _, name, *_ in Formatter().parse(expression.text) if name and name.isdigit()})


def dims(kind: str, x: Shape) -> str:
    """The class of torch.nn for the axes of x, such as nn.Conv2d; LayerError where there is none."""
    if not 1 <= len(x.axes) <= 3:
        raise LayerError(f"PyTorch has no {kind} over {len(x.axes)} axes; it has one to three")
    return f"nn.{kind}{len(x.axes)}d"


def alike(values: Any) -> Any:
    """One number where all axes have it, else a tuple."""
    values = tuple(values)
    return values[0] if len(set(values)) == 1 else values


def sides(pads: Sequence[tuple[int, int]]) -> tuple[int, ...]:
    """Zeros before and after each axis as torch.nn.functional.pad takes them: the last axis first."""
    return tuple(n for pair in reversed(pads) for n in pair)


def sequence(*calls: ModuleCode) -> ModuleCode:
    return ModuleCode("nn.Sequential", {str(i): call for i, call in enumerate(calls)}, len(calls))


SLIDING = {"stride": 1, "padding": 0, "dilation": 1}
CONVOLVING = {**SLIDING, "groups": 1, "bias": True}


def conv(layer: Any, x: Shape, out: Shape) -> ModuleCode:
    return ModuleCode(
        dims("Conv", x),
        {
            "in_channels": x.channels,
            "out_channels": out.channels,
            "kernel_size": alike(per_axis(layer.kernel, x, "kernel")),
            **_sliding(layer, x),
            "groups": layer.groups,
            "bias": layer.bias,
        },
        3,
        CONVOLVING,
    )


def conv_table(layer: Any, x: Shape, out: Shape) -> ModuleCode:
    arguments = {
        "table": layer.table,
        "axes": len(x.axes),
        "kernel_size": alike(per_axis(layer.kernel, x, "kernel")),
        **_sliding(layer, x),
        "bias": layer.bias,
    }
    dims("Conv", x)
    return ModuleCode("TableConv", arguments, 1, CONVOLVING)


def conv_transpose(layer: Any, x: Shape, out: Shape) -> ModuleCode:
    each = {name: alike(per_axis(getattr(layer, name), x, name)) for name in ("kernel", "stride", "pad", "output_pad")}
    return ModuleCode(
        dims("ConvTranspose", x),
        {
            "in_channels": x.channels,
            "out_channels": out.channels,
            "kernel_size": each["kernel"],
            "stride": each["stride"],
            "padding": each["pad"],
            "output_padding": each["output_pad"],
            "groups": layer.groups,
            "bias": layer.bias,
            "dilation": alike(per_axis(layer.dilation, x, "dilation")),
        },
        3,
        {**CONVOLVING, "output_padding": 0},
    )


def _sliding(layer: Any, x: Shape) -> dict[str, Any]:
    """Stride, padding and dilation; padding that differs by side is put around beforehand."""
    return {
        "stride": alike(per_axis(layer.stride, x, "stride")),
        "padding": 0 if beforehand(layer, x) else alike(before for *_, before, _ in layer.slides(x)),
        "dilation": alike(per_axis(layer.dilation, x, "dilation")),
    }


def _pool(kind: str, layer: Any, x: Shape, at: Placed) -> ModuleCode:
    """A pooling of torch.nn with padding of its own."""
    kernel = alike(per_axis(layer.kernel, x, "kernel"))
    arguments = {
        "kernel_size": kernel,
        "stride": alike(per_axis(layer.stride, x, "stride")),
        "padding": alike(at.own),
        "dilation": alike(per_axis(layer.dilation, x, "dilation")),
        "ceil_mode": at.ceil_mode,
    }
    if kind != "MaxPool":
        del arguments["dilation"]
    return ModuleCode(dims(kind, x), arguments, 1, {**SLIDING, "stride": kernel, "ceil_mode": False})


def _sums(layer: Any, x: Shape) -> ModuleCode:
    """The sums of windows that no pooling has."""
    windows = {name: per_axis(getattr(layer, name), x, name) for name in ("kernel", "stride", "dilation")}
    dims("AvgPool", x)
    return ModuleCode("WindowSum", windows, 2, {"dilation": (1,) * len(x.axes)})


def max_pool(layer: Any, x: Shape, out: Shape) -> ModuleCode:
    return _pool("MaxPool", layer, x, placed(layer, x, out))


def avg_pool(layer: Any, x: Shape, out: Shape) -> ModuleCode:
    at = placed(layer, x, out)
    call = _sums(layer, x) if at.unfolded else _pool("AvgPool", layer, x, at)
    if at.divided:
        beyond = {"beyond": sides(at.beyond)} if any(map(any, at.beyond)) else {}
        return ModuleCode("DividedMean", {"windows": call, **beyond}, 1)
    if any(at.own):
        arguments = {**call.arguments, "count_include_pad": layer.counts_padding}
        call = call._replace(arguments=arguments, defaults={**call.defaults, "count_include_pad": True})
    return call


def subsample(layer: Any, x: Shape, out: Shape) -> ModuleCode:
    at = placed(layer, x, out)
    if at.unfolded:
        sums = _sums(layer, x)
    else:
        sums = _pool("AvgPool", layer, x, at)
        sums = sums._replace(arguments={**sums.arguments, "divisor_override": 1})
    cells = layer.kernel_cells(x)
    return ModuleCode("Subsample", {"channels": x.channels, "axes": len(x.axes), "cells": cells, "sums": sums}, 4)


def adaptive_avg_pool(layer: Any, x: Shape, out: Shape) -> ModuleCode:
    return ModuleCode(dims("AdaptiveAvgPool", x), {"output_size": alike(out.axes)}, 1)


def linear(layer: Any, x: Shape, out: Shape) -> ModuleCode:
    arguments = {"in_features": layer.features(x), "out_features": layer.out, "bias": layer.bias}
    target = "ChannelLinear" if x.axes and layer.axis == "channels" else "nn.Linear"
    return ModuleCode(target, arguments, 2, {"bias": True})


def batch_norm(layer: Any, x: Shape, out: Shape) -> ModuleCode:
    target = dims("BatchNorm", x) if x.axes else "nn.BatchNorm1d"
    if layer.affine and not layer.scale:
        return ModuleCode("BatchNormShift", {"channels": x.channels, "eps": layer.eps}, 1, {"eps": 1e-5})
    arguments = {"num_features": x.channels, "eps": layer.eps, "affine": layer.affine}
    return ModuleCode(target, arguments, 1, {"eps": 1e-5, "affine": True})


def lrn(layer: Any, x: Shape, out: Shape) -> ModuleCode:
    arguments = {"size": layer.size, "alpha": layer.alpha * layer.size, "beta": layer.beta, "k": layer.k}
    call = ModuleCode("nn.LocalResponseNorm", arguments, 1)  # PyTorch divides alpha by the size
    if x.axes:
        return call
    shape = ModuleCode("nn.Unflatten", {"dim": 1, "unflattened_size": (x.channels, 1)}, 2)
    return sequence(shape, call, ModuleCode("nn.Flatten"))


def layer_norm(layer: Any, x: Shape, out: Shape) -> ModuleCode:
    over: Any = layer.features(x)
    if x.axes and layer.axis == "all":
        over = (x.channels, *x.axes)
    target = "ChannelNorm" if x.axes and layer.axis == "channels" else "nn.LayerNorm"
    arguments = {"normalized_shape": over, "eps": layer.eps, "elementwise_affine": layer.affine}
    return ModuleCode(target, arguments, 1, {"eps": 1e-5, "elementwise_affine": True})


def upsample(layer: Any, x: Shape, out: Shape) -> ModuleCode:
    linear = {1: "linear", 2: "bilinear", 3: "trilinear"}
    if len(x.axes) not in linear:
        raise LayerError(f"PyTorch has no upsampling over {len(x.axes)} axes; it has one to three")
    mode = "nearest" if layer.mode == "nearest" else linear[len(x.axes)]
    return ModuleCode("nn.Upsample", {"size": out.axes, "mode": mode}, 0, {"mode": "nearest"})


def slice_(layer: Any, x: Shape, out: Shape) -> InlineCode:
    if out == x:
        return InlineCode("{0}")
    start, stop = layer.start, layer.start + out.channels
    if start == 0:
        return InlineCode("{0}[:, :{stop}]", {"stop": stop})
    if stop == x.channels:
        return InlineCode("{0}[:, {start}:]", {"start": start})
    return InlineCode("{0}[:, {start}:{stop}]", {"start": start, "stop": stop})


ENDS = ("front", "back"), ("top", "bottom"), ("left", "right")
"""What the two ends of the last axes are called."""


def crop(layer: Any, x: Shape, out: Shape) -> InlineCode:
    """A slice of every axis of which something is cut off."""
    if out == x:
        return InlineCode("{0}")
    cuts: list[str] = []
    arguments: dict[str, Any] = {}
    sides = zip(ENDS[-len(x.axes) :], x.axes, layer.sides(x), strict=True)
    for (first, last), n, (before, after) in sides:
        low, high = f"{{{first}}}" if before else "", f"{{{last}}}" if after else ""
        cuts.append(f"{low}:{high}")
        arguments |= {first: before} if before else {}
        arguments |= {last: n - after} if after else {}
    return InlineCode(f"{{0}}[:, :, {', '.join(cuts)}]", arguments)


def pad(layer: Any, x: Shape, out: Shape) -> InlineCode:
    if out == x:
        return InlineCode("{0}")
    return padding(x, layer.sides(x))


def padding(x: Shape, around: Sequence[tuple[int, int]], value: str = "") -> InlineCode:
    """Zeros before and after each axis, or another value."""
    pairs = list(zip(ENDS[-len(x.axes) :], around, strict=True))
    widths = {name: width for names, sides in pairs for name, width in zip(names, sides, strict=True)}
    order = [f"{{{name}}}" for names, _ in reversed(pairs) for name in names]
    return InlineCode(f"F.pad({{0}}, ({', '.join(order)}){value})", widths)


def pad_channels(layer: Any, x: Shape, out: Shape) -> InlineCode:
    if out == x:
        return InlineCode("{0}")
    widths = {"before": layer.before, "after": layer.after}
    return InlineCode("F.pad({0}, (" + "0, 0, " * len(x.axes) + "{before}, {after}))", widths)


def channel_shuffle(layer: Any, x: Shape, out: Shape) -> InlineCode:
    if layer.groups in (1, x.channels):
        return InlineCode("{0}")
    return InlineCode("{0}.unflatten(1, ({groups}, -1)).transpose(1, 2).flatten(1, 2)", {"groups": layer.groups})


def operands(out: Shape, xs: tuple[Shape, ...]) -> list[str]:
    """What follows each input of a join where it is read: a vector gets the axes that it lacks."""
    axes = "[:, :" + ", None" * len(out.axes) + "]"
    return [axes if out.axes and not x.axes else "" for x in xs]


def _one_by_one(between: str, after: str = "") -> Callable[[list[str], bool], list[InlineCode]]:
    """The first two inputs, then what they made and the third, and so on."""

    def write(ends: list[str], over: bool) -> list[InlineCode]:
        first, *others = ends
        if not others:
            return [InlineCode(f"{{0}}{first}")]
        return [InlineCode(f"{{0}}{'' if at else first}{between}{{1}}{end}{after}") for at, end in enumerate(others)]

    return write


def add(ends: list[str], over: bool) -> list[InlineCode]:
    return (_one_by_one(".add_(", ")") if over else _one_by_one(" + "))(ends, over)


def mean(ends: list[str], over: bool) -> list[InlineCode]:
    sums = _one_by_one(" + ")(ends, over) if len(ends) > 1 else []
    return [*sums, InlineCode(f"{{0}} / {len(ends)}")]


def concat(ends: list[str], over: bool) -> list[InlineCode]:
    terms = [f"{{{at}}}{end}" for at, end in enumerate(ends)]
    return [InlineCode(f"torch.cat(({', '.join(terms)}{',' * (len(terms) == 1)}), 1)")]


JOINS: Mapping[str, Callable[[list[str], bool], list[InlineCode]]] = {
    "add": add,
    "mean": mean,
    "multiply": _one_by_one(" * "),
    "concat": concat,
}
"""The statements of a join, by what follows each input, and whether the first is written over."""
WRITERS: Mapping[str, Writer] = {
    "conv": conv,
    "conv_table": conv_table,
    "conv_transpose": conv_transpose,
    "max_pool": max_pool,
    "avg_pool": avg_pool,
    "subsample": subsample,
    "adaptive_avg_pool": adaptive_avg_pool,
    "global_avg_pool": adaptive_avg_pool,
    "linear": linear,
    "rbf": lambda layer, x, out: ModuleCode("Rbf", {"features": x.channels, "classes": layer.out}, 2),
    "batch_norm": batch_norm,
    "lrn": lrn,
    "layer_norm": layer_norm,
    "scale": lambda layer, x, out: InlineCode("{0} * {factor}", {"factor": layer.factor}),
    "layer_scale": lambda layer, x, out: ModuleCode(
        "LayerScale", {"channels": x.channels, "axes": len(x.axes), "init": float(layer.init)}, 1
    ),
    "upsample": upsample,
    "flatten": lambda layer, x, out: InlineCode("{0}.flatten(1)"),
    "identity": lambda layer, x, out: InlineCode("{0}"),
    "dropout": lambda layer, x, out: ModuleCode("nn.Dropout", {"p": layer.p}, 1),
    "drop_path": lambda layer, x, out: ModuleCode("DropPath", {"p": layer.p}, 1),
    "slice": slice_,
    "crop": crop,
    "pad": pad,
    "pad_channels": pad_channels,
    "channel_shuffle": channel_shuffle,
    "relu": lambda layer, x, out: ModuleCode("nn.ReLU"),
    "relu6": lambda layer, x, out: ModuleCode("nn.ReLU6"),
    "leaky_relu": lambda layer, x, out: ModuleCode("nn.LeakyReLU", {"negative_slope": layer.slope}, 1),
    "prelu": lambda layer, x, out: ModuleCode(
        "nn.PReLU", {"num_parameters": x.channels if layer.per_channel else 1}, 1, {"num_parameters": 1}
    ),
    "elu": lambda layer, x, out: ModuleCode("nn.ELU", {"alpha": layer.alpha}, 1, {"alpha": 1.0}),
    "sigmoid": lambda layer, x, out: ModuleCode("nn.Sigmoid"),
    "hard_sigmoid": lambda layer, x, out: ModuleCode("nn.Hardsigmoid"),
    "silu": lambda layer, x, out: ModuleCode("nn.SiLU"),
    "hard_swish": lambda layer, x, out: ModuleCode("nn.Hardswish"),
    "gelu": lambda layer, x, out: ModuleCode("nn.GELU"),
    "tanh": lambda layer, x, out: ModuleCode("nn.Tanh"),
    "softmax": lambda layer, x, out: ModuleCode("nn.Softmax", {"dim": 1}),
}


def _in_place(type: str) -> Writer:
    def write(layer: Any, x: Shape) -> ModuleCode:
        call = WRITERS[type](layer, x, x)
        assert isinstance(call, ModuleCode)
        return call._replace(arguments={**call.arguments, "inplace": True})

    return write


IN_PLACE: Mapping[str, Writer] = {
    **{type: _in_place(type) for type in ("relu", "relu6", "leaky_relu", "elu", "hard_sigmoid", "silu", "hard_swish")},
    "sigmoid": lambda layer, x: InlineCode("{0}.sigmoid_()"),
    "tanh": lambda layer, x: InlineCode("{0}.tanh_()"),
    "scale": lambda layer, x: InlineCode("{0}.mul_({factor})", {"factor": layer.factor}),
}
"""How PyTorch writes layers over their input: those of ``lifetime.OVERWRITE``, a sum apart."""
