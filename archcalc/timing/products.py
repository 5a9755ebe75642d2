"""The matrix products inside an operator: how many multiply-adds, in matrices of which size."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from archcalc.layers.axes import sizes_of
from archcalc.network import Network, Node
from archcalc.sizes import Shape, product


class Product(NamedTuple):
    """Products of matrices, each of ``rows`` x ``depth`` with ``depth`` x ``columns``, for one image.

    A convolution is such a product: rows are the output positions, columns the output channels of a group, and the depth
    is the number of values that one output value reads.

    macs:    multiply-adds of all matrices
    groups:  matrices side by side: groups of a convolution, heads and windows of an attention
    cells:   positions of a window that slides over a map; 0: no window slides
    channels: input channels of a group
    widest:  the longest side of the window
    """

    macs: int
    rows: int
    columns: int
    depth: int
    groups: int = 1
    cells: int = 0
    channels: int = 0
    widest: int = 0

    @property
    def is_depthwise(self) -> bool:
        """Whether every group is a single channel."""
        return self.cells > 0 and self.groups > 1 and self.channels == 1

    @property
    def is_grouped(self) -> bool:
        return self.cells > 0 and self.groups > 1 and self.channels > 1


def _conv(layer: Any, out: Shape, xs: Sequence[Shape]) -> Product:
    (x,) = xs
    groups, macs = getattr(layer, "groups", 1), layer.work(out, x).mac
    rows, columns = product(out.axes), out.channels // groups
    depth, cells = macs // max(1, out.values), layer.kernel_cells(x)
    return Product(macs, rows, columns, depth, groups, cells, max(1, depth // cells), _widest(layer))


def _conv_transpose(layer: Any, out: Shape, xs: Sequence[Shape]) -> Product:
    (x,) = xs
    macs, rows, depth = layer.work(out, x).mac, product(x.axes), x.channels // layer.groups
    cells = layer.kernel_weights(x) // max(1, x.channels * (layer.out // layer.groups))
    return Product(macs, rows, layer.out // layer.groups * cells, depth, layer.groups, cells, depth, _widest(layer))


def _linear(layer: Any, out: Shape, xs: Sequence[Shape]) -> Product:
    macs = layer.work(out, *xs).mac
    return Product(macs, out.values // layer.out, layer.out, macs // max(1, out.values))


def _matmul(layer: Any, out: Shape, xs: Sequence[Shape]) -> Product:
    macs = layer.work(out, *xs).mac
    *batch, rows, columns = sizes_of(out)
    return Product(macs, rows, columns, macs // max(1, out.values), product(batch))


def _attention(layer: Any, out: Shape, xs: Sequence[Shape]) -> Product:
    """Both products; the sizes are those of queries x keys."""
    queries, keys = xs[:2]
    groups = layer.heads * product(queries.axes[:-1])
    return Product(layer.work(out, *xs).mac, queries.axes[-1], keys.axes[-1], queries.channels // layer.heads, groups)


def _widest(layer: Any) -> int:
    kernel = layer.kernel
    return max(kernel) if isinstance(kernel, tuple) else int(kernel)


PRODUCTS: Mapping[str, Callable[[Any, Shape, Sequence[Shape]], Product]] = {
    "conv": _conv,
    "conv_table": _conv,
    "locally_connected": _conv,
    "conv_transpose": _conv_transpose,
    "linear": _linear,
    "matmul": _matmul,
    "attention": _attention,
}
"""The products of each layer type that multiplies matrices."""


def product_of(network: Network, node: Node) -> Product | None:
    """The products of a layer for one image; None for a layer that multiplies no matrices."""
    make = PRODUCTS.get(node.layer.type)
    if make is None:
        return None
    one = make(node.layer, node.shape, network.input_shapes(node))
    return one._replace(macs=one.macs * node.times, groups=one.groups * node.times if not one.cells else one.groups)
