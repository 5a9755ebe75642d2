"""The numbers of one layer, worked out: its shapes, parameters and products, each with the numbers put in."""

from __future__ import annotations

from collections.abc import Iterator

from archcalc.analysis import Analysis
from archcalc.analysis.rows import Row
from archcalc.layers.base import per_axis
from archcalc.layers.convolution import Conv, ConvTranspose
from archcalc.layers.dense import Linear
from archcalc.layers.spread import spread_slides
from archcalc.layers.windowed import Windowed
from archcalc.network import Node
from archcalc.report.layers import field_of
from archcalc.sizes import AXES, Int
from archcalc.units import bytes_text


def worked(analysis: Analysis, node: Node) -> Iterator[str]:
    """Lines on one layer. A product is written out only if it gives the number of the table."""
    row = analysis.all_rows[node.index]
    yield f"{node.name}: {' and '.join(map(str, row.inputs)) or 'input'} -> {node.output}"
    yield from _sizes(node, row)
    yield from _parameters(node, row)
    yield from _operations(node, row, analysis)
    if row.values is None:
        yield "memory: no storage of its own (in place, or a view)"
    else:
        yield f"memory: {row.values:,} values * {analysis.itemsize} = {bytes_text(row.values * analysis.itemsize)}"
    if row.field:
        yield f"field: {field_of(row.field)} pixels"


def _sizes(node: Node, row: Row) -> Iterator[str]:
    """The size of the output along every axis, by the formula of the layer type."""
    layer, out = node.layer, node.shape.axes
    names = AXES.get(len(out)) or tuple(f"axis {number}" for number in range(1, len(out) + 1))
    if isinstance(layer, Windowed) and row.inputs[0].axes:
        for name, size, slide in zip(names, out, layer.slides(row.inputs[0]), strict=True):
            yield f"{name}: {_windows(size, *slide)}"
    elif isinstance(layer, ConvTranspose):
        slides = spread_slides(layer, row.inputs[0])
        for name, size, (n, span, stride, pad, extra, _) in zip(names, out, slides, strict=True):
            yield f"{name}: ({n} - 1)*{stride} - 2*{pad} + {span} + {extra} = {size}"


def _windows(size: int, n: int, span: int, stride: int, before: int, after: int) -> str:
    """The number of windows along an axis: the formula that gives it, or else what it is made of."""
    formula = window_formula(size, n, span, stride, before, after)
    return (
        f"{formula} = {size}" if formula else f"{size} windows of {span}, {stride} apart, on {before} + {n} + {after}"
    )


def window_formula(size: Int, n: Int, span: Int, stride: Int, before: Int, after: Int) -> str:
    """The formula that gives the number of windows along an axis, with the numbers put in; '' if none does."""
    room = n + before + after - span
    for rounded, result in (("floor", room // stride + 1), ("ceil", -(-room // stride) + 1)):
        if size == result:
            return f"{rounded}(({n} + {before} + {after} - {span}) / {stride}) + 1"
    return ""


def _parameters(node: Node, row: Row) -> Iterator[str]:
    if row.shared:
        yield f"parameters: those of {row.shared}"
        return
    factors, params = weight_factors(node, row), row.params
    weights = f"{'*'.join(map(str, factors))} = " if _product(factors) == params.weight and params.weight else ""
    if weights:
        biases = f"; biases: {params.bias:,}" if params.bias else ""
        yield f"weights: {weights}{params.weight:,}{biases}"
    elif row.param_count or params.weight or params.bias:
        yield f"parameters: {row.param_count:,} (weights {params.weight:,}, biases {params.bias:,})"
    if params.buffers:
        yield f"buffers: {params.buffers:,}"


def _operations(node: Node, row: Row, analysis: Analysis) -> Iterator[str]:
    if row.macs is None:
        types = "unknown to this convention" if row.unknown_types else "not counted under this convention"
        yield f"{analysis.convention.operations_name}: {types}"
        return
    if not row.macs:
        return
    values = [node.shape.channels, *node.shape.axes]
    each = weight_factors(node, row)[:-1]
    batch = [analysis.batch] if analysis.batch != 1 else []
    factors = [*batch, *([node.times] if node.times != 1 else []), *values, *each]
    counted = isinstance(node.layer, (Conv, Linear)) and _product(factors) == row.macs
    text = f"{'*'.join(map(str, factors))} = " if counted else ""
    yield f"{analysis.convention.operations_name}: {text}{row.macs:,}"


def weight_factors(node: Node, row: Row) -> list[int]:
    """The factors of the weights of a convolution or a linear layer, the outputs last; [] for other layers."""
    layer = node.layer
    if isinstance(layer, (Conv, ConvTranspose)):
        x = row.inputs[0]
        kernel = [int(size) for size in per_axis(layer.kernel, x, "kernel")]
        if isinstance(layer, ConvTranspose):
            return [*kernel, x.channels, layer.out // layer.groups]
        return [*kernel, x.channels // layer.groups, layer.out]
    if isinstance(layer, Linear):
        return [layer.features(row.inputs[0]), layer.out]
    return []


def _product(factors: list[int]) -> int:
    product = 1
    for factor in factors:
        product *= factor
    return product
