"""What every layer sees by the paths beside gates, which of them widen the field, and whether units see the whole input.

A gate (squeeze and excitation) sees the whole input through its pooling, but scales channels alone: behind the first
one every field would be the whole input, and nothing could be told of the layers after it.

A field may be a bound: no unit sees more. Where it does not cover the image, no unit sees all of it, and that is known;
where it does, a unit may. So a question here is answered by True, False, or None for *may be*.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd
from typing import Any

from archcalc.analysis.depth import followed
from archcalc.analysis.positions import of_whole_maps
from archcalc.layers.base import per_axis
from archcalc.layers.convolution import ConvTranspose
from archcalc.layers.pool import AdaptiveAvgPool
from archcalc.layers.reshape import Upsample
from archcalc.layers.windowed import Windowed
from archcalc.network import Network, Node
from archcalc.sizes import Field, Shape, View, ceil_div, join

Views = tuple[View, ...]


def beside_gates(network: Network, *, cut: bool = True) -> list[Views]:
    """The views of every node over the paths that pass no gate; without ``cut``, whole maps are not looked into."""
    pixels = network.input.axes
    views: list[Views] = []
    for node in network.nodes:
        ends = [views[i] for i in followed(node, network)] or [tuple(View() for _ in pixels)]
        behind = ends[0] if len(ends) == 1 else tuple(join(at, n) for *at, n in zip(*ends, pixels, strict=True))
        windows = node.layer.window(*network.input_shapes(node))
        seen = tuple(map(View.through, behind, windows, pixels)) if windows else behind
        views.append(of_whole_maps(network, node, windows, behind, seen) if windows and cut else seen)
    return views


def gate_nodes(network: Network) -> set[int]:
    """The nodes whose outputs serve gates alone."""
    used = {i for node in network.nodes for i in node.inputs}
    kept: set[int] = set()
    for node in reversed(network.nodes):
        if node.index in kept or node.index not in used:
            kept |= {node.index, *followed(node, network)}
    return {node.index for node in network.nodes} - kept


def adds_pixels(node: Node, before: Views, after: Views) -> bool:
    """Whether a layer's own window adds pixels; one that follows the map's size, or sees all of it, does not count.

    Nor does an upsampling. Of a transposed convolution an output reads every cell of the kernel that is s/gcd(s, d)
    from the last one; from the second on they add pixels.
    """
    if node.layer.joins or isinstance(node.layer, (AdaptiveAvgPool, Upsample)):
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
    """For every node whether TensorFlow's padding on the way to it is another one at another input size."""
    found: list[bool] = []
    for node in network.nodes:
        found.append(any(found[i] for i in followed(node, network)) or _pads_by_size(node, network))
    return found


def _pads_by_size(node: Node, network: Network) -> bool:
    """Whether TensorFlow's ``same`` puts other zeros before the first position at another input size.

    With span k and stride s there are max(k - r, 0) // 2 of them, r being the size modulo s, from 1 to s.
    """
    layer = node.layer
    if not isinstance(layer, Windowed):
        return False
    (x,) = network.input_shapes(node)
    pads: tuple[Any, ...] = per_axis(layer.pad, x, "pad")
    return any(
        pad == "same" and len({max(span - r, 0) // 2 for r in range(1, min(stride, span) + 1)}) > 1
        for pad, (_, span, stride, *_) in zip(pads, layer.slides(x), strict=True)
    )


def _units(node: Node, network: Network) -> Sequence[int]:
    """The size of the layer's map; one unit along every axis for a vector."""
    return node.shape.axes or (1,) * len(network.input.axes)


def unit_covers(views: Views, node: Node, network: Network) -> bool | None:
    """Whether a unit of the layer sees the whole input; None where it may."""
    covers = all(
        _covering(view.field, m, n) for view, m, n in zip(views, _units(node, network), network.input.axes, strict=True)
    )
    return _known(covers, views)


def _known(covers: bool, views: Views) -> bool | None:
    """What a field that covers is known to say: bounds that do not are as good as fields, and those that do may."""
    return None if covers and not all(view.exact for view in views) else covers


def _covering(field: Field, units: int, pixels: int) -> bool:
    """Whether one of the units sees all pixels along an axis: the first to reach the end still sees the start."""
    end = (pixels - 1) * field.per
    if field.step == 0:
        return field.first <= 0 and field.last >= end
    reaches = max(0, ceil_div(end - field.last, field.step))
    return reaches < units and field.first + reaches * field.step <= 0


def units_cover(views: Views, node: Node, network: Network) -> bool | None:
    """Whether every unit sees the whole input: the first to its end, and the last to its start; None where it may."""
    covers = all(
        view.field.last >= (n - 1) * view.field.per and view.field.first + (m - 1) * view.field.step <= 0
        for view, m, n in zip(views, _units(node, network), network.input.axes, strict=True)
    )
    return _known(covers, views)
