"""Which layers are widening layers, and which layers cover the network input.

A field may be a bound: no unit has a larger field. If the bound does not cover the network input, no unit covers the
input. If the bound covers the input, a unit may cover the input or not. So an answer here is True, False, or None
("may be").
"""

from __future__ import annotations

from collections.abc import Callable
from math import gcd
from typing import Any

from archcalc.field.field import Field
from archcalc.field.grid import Grid
from archcalc.field.paths import followed
from archcalc.field.propagation import FieldByAxis
from archcalc.layers.base import per_axis
from archcalc.layers.convolution import ConvTranspose
from archcalc.layers.move import Movement
from archcalc.layers.pool import AdaptivePool
from archcalc.layers.resample import Upsample
from archcalc.layers.windowed import Windowed
from archcalc.network import Network, Node
from archcalc.sizes import Shape, ceil_div


def gate_nodes(network: Network) -> set[int]:
    """The nodes whose outputs are used only by gates."""
    used = {i for node in network.nodes for i in node.inputs}
    followed_nodes: set[int] = set()
    for node in reversed(network.nodes):
        if node.index in followed_nodes or node.index not in used:
            followed_nodes.add(node.index)
            followed_nodes.update(followed(node, network))
    return {node.index for node in network.nodes} - followed_nodes


def adds_pixels(node: Node, before: FieldByAxis, after: FieldByAxis) -> bool:
    """Whether a layer's own window adds pixels to the field ``before`` it; ``after`` is the layer's field.

    A window that takes the whole map, an adaptive pooling, upsampling and a rearrangement do not count. A unit of a transposed
    convolution reads every (s / gcd(s, d))-th cell of the kernel (s: stride, d: dilation). Its window adds pixels if
    the kernel is larger than s / gcd(s, d).
    """
    if node.layer.joins or isinstance(node.layer, (AdaptivePool, Upsample, Movement)) or not after:
        return False
    grows = [
        new.field.step != 0
        and (new.field.last - new.field.first) * old.field.per > (old.field.last - old.field.first) * new.field.per
        for old, new in zip(before, after, strict=True)
    ]
    if isinstance(node.layer, ConvTranspose):
        settings = (node.layer.kernel, node.layer.stride, node.layer.dilation)
        each = zip(*(per_axis(n, Shape(1, (1,) * len(before)), "kernel") for n in settings), strict=True)
        grows = [at and k > s // gcd(s, d) for at, (k, s, d) in zip(grows, each, strict=True)]
    return any(grows)


def padding_varies(network: Network) -> list[bool]:
    """For every node: whether TensorFlow's padding on a path to the node depends on the input size."""
    varies: list[bool] = []
    for node in network.nodes:
        varies.append(any(varies[i] for i in followed(node, network)) or _pads_by_size(node, network))
    return varies


def _pads_by_size(node: Node, network: Network) -> bool:
    """Whether the number of zeros that TensorFlow's ``same`` puts before the first position depends on the input size.

    With span k and stride s, the number is max(k - r, 0) // 2. Here r is the size modulo s, counted from 1 to s.
    """
    layer = node.layer
    if not isinstance(layer, Windowed):
        return False
    (x,) = network.input_shapes(node)
    pads: tuple[Any, ...] = per_axis(layer.pad, x, "pad")
    if "same" not in pads:
        return False
    return any(
        pad == "same" and len({max(span - r, 0) // 2 for r in range(1, min(stride, span) + 1)}) > 1
        for pad, (_, span, stride, *_) in zip(pads, layer.slides(x), strict=True)
    )


def unit_covers(field: FieldByAxis, node: Node, grid: Grid) -> bool | None:
    """Whether the field of at least one unit of the layer contains the whole network input; None: may be."""
    return _known(field, node, grid, _covering)


def units_cover(field: FieldByAxis, node: Node, grid: Grid) -> bool | None:
    """Whether the field of every unit contains the whole network input; None: may be."""
    return _known(field, node, grid, _all_covering)


def _known(field: FieldByAxis, node: Node, grid: Grid, covers: Callable[[Field, int, int], bool]) -> bool | None:
    """True or False if the answer is certain. A bound that covers the input is not certain (None)."""
    if not field:
        return False
    lines = [axis_field.field for axis_field in field]
    covering = all(map(covers, lines, grid.axes(node.index), grid.pixels))
    return None if covering and not all(axis_field.exact for axis_field in field) else covering


def _covering(field: Field, units: int, pixels: int) -> bool:
    """Whether a unit sees all pixels along an axis: the first unit that sees the last pixel also sees pixel 0."""
    for first, last, step, per, many in _lines(field, units):
        end = (pixels - 1) * per
        reaches = ceil_div(end - last, step) if step and last < end else 0
        if reaches < many and first + reaches * step <= 0 and last + reaches * step >= end:
            return True
    return False


def _all_covering(field: Field, units: int, pixels: int) -> bool:
    """Whether every unit sees all pixels along an axis: unit 0 sees the last pixel, and the last unit sees pixel 0."""
    for first, last, step, per, many in _lines(field, units):
        if last < (pixels - 1) * per or first + (many - 1) * step > 0:
            return False
    return True


def _lines(field: Field, units: int) -> list[tuple[int, int, int, int, int]]:
    """First, last, step and per of each phase, and the number of its units. If a unit sees nothing, last < first."""
    if not field.phases:
        return [(field.first, field.last, field.step, field.per, units)]
    return [
        (*(span or (1, 0)), field.step, 1, ceil_div(units - phase, field.per))
        for phase, span in enumerate(field.phases[:units])
    ]
