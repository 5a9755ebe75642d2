"""Where the positions of the network input are, layer by layer: the layout of every node, and its windows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from archcalc.field.attending import anywhere, attended
from archcalc.field.joining import joined, overlapping, side_by_side
from archcalc.field.layout import Layout, plain_layout
from archcalc.field.multiplying import multiplied
from archcalc.field.sliding import regrouped, rolled, slid
from archcalc.layers.attention import Attention
from archcalc.layers.axes import axis_number
from archcalc.layers.base import Layer
from archcalc.layers.convolution import Conv, ConvTranspose, LocallyConnected
from archcalc.layers.dense import Linear
from archcalc.layers.join import Add, Concat
from archcalc.layers.learned import Parameter
from archcalc.layers.matmul import Matmul
from archcalc.layers.move import Movement, Roll
from archcalc.layers.reduce import Reduce
from archcalc.layers.sample import GridSample
from archcalc.network import Network, Node
from archcalc.sizes import POINT, Shape, Window

Windows: TypeAlias = Sequence[tuple[Window, ...]]
"""The windows of a node on each of its inputs."""


def follow(network: Network, source: int) -> tuple[list[Layout | None], list[Windows]]:
    """The layout of every node, None if the node does not depend on ``source``; and the windows of every node."""
    layouts: list[Layout | None] = []
    windows: list[Windows] = []
    known: dict[Any, tuple[Layout | None, Windows]] = {}
    equal: dict[Any, Layout] = {}
    for node in network.nodes:
        if node.index == source:
            layouts.append(plain_layout(node.shape.axes))
            windows.append(())
            continue
        before, shapes = [layouts[i] for i in node.inputs], network.input_shapes(node)
        key = node.layer, *shapes, *before
        try:
            layout, reads = known[key]
        except (KeyError, TypeError):  # a first use, or an array, which cannot be a key
            layout, reads = _step(node, shapes, before)
            try:
                layout = layout and equal.setdefault(layout.key, layout)
                known[key] = layout, reads
            except TypeError:
                pass
        layouts.append(layout)
        windows.append(reads)
    return layouts, windows


def _step(node: Node, xs: Sequence[Shape], before: Sequence[Layout | None]) -> tuple[Layout | None, Windows]:
    """The layout of a node's output, and its windows on each input."""
    layer, out = node.layer, node.shape
    if not any(before):
        return None, [POINT] * len(xs)
    if isinstance(layer, Attention):
        return attended(layer, before, xs, out)
    if isinstance(layer, Matmul):
        return multiplied(layer, before, out)
    if isinstance(layer, Parameter):
        return None, [POINT]
    if layer.makes_regions or isinstance(layer, GridSample):
        return anywhere(before, xs, out)
    if isinstance(layer, Add) and layer.unequal:
        return overlapping(before, xs, out)
    if layer.joins:
        at = axis_number(layer.axis, xs[0], layer.type) if isinstance(layer, Concat) else 0
        return side_by_side(before, xs, out, at - 1) if at else joined(before, xs, out)
    (layout,), (x,) = before, xs
    assert layout
    if isinstance(layer, Movement):
        result = regrouped(layout, layer.arrangement(x))
    elif isinstance(layer, Roll):
        result = rolled(layout, layer.shifts(x))
    else:
        result = slid(layout, layer.window(x), x, out)
    there, windows = result
    return _mixed(there, layer), [windows]


def _mixed(layout: Layout | None, layer: Layer) -> Layout | None:
    """The layout after a layer; a layer that reads all channels mixes the positions in the channels."""
    if layout is None or not layout.carried:
        return layout
    mixes = isinstance(layer, (Conv, ConvTranspose)) and layer.groups == 1
    if (
        mixes
        or isinstance(layer, LocallyConnected)
        or (isinstance(layer, (Linear, Reduce)) and layer.axis == "channels")
    ):
        return Layout(layout.axes, layout.slots, layout.shifts, False, layout.told)
    return layout
