"""What fields mean at an input's size: which layers widen them, and whether units see the whole input.

A field may be a bound: no unit sees more. Where it does not cover the image, no unit sees all of it, and that is known;
where it does, a unit may. So a question here is answered by True, False, or None for *may be*.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import gcd
from typing import Any

from archcalc.field.axis import Field
from archcalc.field.paths import followed
from archcalc.field.propagation import AxisFields
from archcalc.layers.base import per_axis
from archcalc.layers.convolution import ConvTranspose
from archcalc.layers.pool import AdaptiveAvgPool
from archcalc.layers.reshape import Upsample
from archcalc.layers.windowed import Windowed
from archcalc.network import Network, Node
from archcalc.sizes import Shape, ceil_div


def gate_nodes(network: Network) -> set[int]:
    """The nodes whose outputs serve gates alone."""
    used = {i for node in network.nodes for i in node.inputs}
    kept: set[int] = set()
    for node in reversed(network.nodes):
        if node.index in kept or node.index not in used:
            kept |= {node.index, *followed(node, network)}
    return {node.index for node in network.nodes} - kept


def adds_pixels(node: Node, before: AxisFields, after: AxisFields) -> bool:
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
    if "same" not in pads:
        return False
    return any(
        pad == "same" and len({max(span - r, 0) // 2 for r in range(1, min(stride, span) + 1)}) > 1
        for pad, (_, span, stride, *_) in zip(pads, layer.slides(x), strict=True)
    )


def _units(node: Node, network: Network) -> Sequence[int]:
    """The size of the layer's map; one unit along every axis for a vector."""
    return node.shape.axes or (1,) * len(network.input.axes)


def unit_covers(views: AxisFields, node: Node, network: Network) -> bool | None:
    """Whether a unit of the layer sees the whole input; None where it may."""
    return _known(views, node, network, _covering)


def units_cover(views: AxisFields, node: Node, network: Network) -> bool | None:
    """Whether every unit sees the whole input; None where it may."""
    return _known(views, node, network, _all_covering)


def _known(views: AxisFields, node: Node, network: Network, asked: Callable[[Field, int, int], bool]) -> bool | None:
    """What fields that cover are known to say: bounds that do not are as good as fields, and those that do may."""
    covers = all(map(asked, [view.field for view in views], _units(node, network), network.input.axes))
    return None if covers and not all(view.exact for view in views) else covers


def _covering(field: Field, units: int, pixels: int) -> bool:
    """Whether one of the units sees all pixels along an axis: the first to reach the end still sees the start."""
    for first, last, step, per, many in _lines(field, units):
        end = (pixels - 1) * per
        reaches = ceil_div(end - last, step) if step and last < end else 0
        if reaches < many and first + reaches * step <= 0 and last + reaches * step >= end:
            return True
    return False


def _all_covering(field: Field, units: int, pixels: int) -> bool:
    """Whether every unit sees all pixels along an axis: the first to their end, and the last to their start."""
    for first, last, step, per, many in _lines(field, units):
        if last < (pixels - 1) * per or first + (many - 1) * step > 0:
            return False
    return True


def _lines(field: Field, units: int) -> list[tuple[int, int, int, int, int]]:
    """First, last, step and per of the units that are alike, and how many they are; a unit that sees nothing has none."""
    if not field.phases:
        return [(field.first, field.last, field.step, field.per, units)]
    return [
        (*(span or (1, 0)), field.step, 1, ceil_div(units - phase, field.per))
        for phase, span in enumerate(field.phases[:units])
    ]
