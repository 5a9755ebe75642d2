"""The receptive field, measured with autograd: the pixels for which one output unit has a gradient.

The model is built from a simplified network with the same windows. Nothing in the simplified network can hide a pixel:
it has one channel, positive weights, averages instead of maxima, and no activations. Gates and concatenated maps are
added, because archcalc does not tell channels apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor, nn

from archcalc.field.grid import Grid
from archcalc.field.pixels_read import PixelReader, Run
from archcalc.layers.move import Movement
from archcalc.layers.pool import Pool
from archcalc.network import Network, Node
from archcalc.witness.built import Built
from archcalc.witness.enlarged import enlarged, fields_of, unit_spans
from archcalc.witness.narrow import narrow

Hull: TypeAlias = tuple[int, int]
"""The first and the last pixel along one axis."""

DOUBLE = 8
"""Bytes of a value: gradients are computed in float64."""
TINY = 1e-11
"""A smaller gradient is a rounding error. At a whole position, the bilinear neighbour has a gradient of 1e-16."""


class FieldCheck(NamedTuple):
    """The field of a layer's middle unit along one axis, computed by archcalc and measured by the gradient.

    pixels: the size of the network input along the axis. computed: the field, cut to the input. The field is that of
    the formula if the field is a bound, or if no window on the way has positions beyond the border of a map. Otherwise
    the field is the pixels that are read through maps with borders. None: the unit sees no pixel. measured: None if the unit sees
    no pixel, or padding only. exact: the two fields must be equal. Otherwise ``computed`` is a bound, and ``measured``
    must lie inside ``computed``.
    """

    node: str
    axis: int
    pixels: int
    unit: int
    computed: Hull | None
    measured: Hull | None
    exact: bool

    @property
    def agree(self) -> bool:
        if self.exact:
            return self.measured == self.computed
        return (
            self.measured is None
            or self.computed is None
            or (self.computed[0] <= self.measured[0] and self.measured[1] <= self.computed[1])
        )


class FieldChecks(NamedTuple):
    """The checks of a network. layers: the number of layers that are checked. of: the number of all layers."""

    checks: list[FieldCheck]
    layers: int
    of: int

    @property
    def agree(self) -> bool:
        return all(check.agree for check in self.checks)


class Plan(NamedTuple):
    """The checks to run. indices: the layers, for every input of the network that has axes. runs: networks, each with
    the input and the axis along which fields are checked."""

    indices: dict[int, list[int]]
    runs: list[tuple[Network, int, int]]

    @property
    def size(self) -> int:
        """Bytes of the largest run: all maps with one channel, counted twice (forward and backward pass)."""
        return max(
            (sum(2 * DOUBLE * x.shape.values for x in narrow(one, source)[0].nodes) for one, source, _ in self.runs),
            default=0,
        )


def planned(network: Network, limit: int | None = 16) -> Plan:
    """Plans checks of ``limit`` layers with different fields (None: of every layer).

    Each layer is checked at the network's own input and at an enlarged input.
    """
    sources = [source for source, shape in enumerate(network.inputs.values()) if shape.axes]
    indices = {source: _chosen(network, limit, source) for source in sources}
    runs = [
        (one, source, axis)
        for source in sources
        for axis in range(len(network.nodes[source].shape.axes))
        for one in dict.fromkeys((network, enlarged(network, axis, indices[source], source)))
    ]
    return Plan(indices, runs)


def check(network: Network, limit: int | None = 16, plan: Plan | None = None) -> FieldChecks:
    """Compares the fields of ``limit`` layers with different fields (None: of every layer) with the gradient's support.

    Every layer is checked twice for each axis: at the network's own input, and at an input whose axis is enlarged until
    the middle unit's field lies inside. Some networks cannot be enlarged that far.
    """
    indices, runs = plan or planned(network, limit)
    axes = defaultdict(list)
    for one, source, axis in runs:
        axes[one, source].append(axis)
    hulls = {(one, source): supports(one, along, indices[source], source) for (one, source), along in axes.items()}
    checks = dict.fromkeys(
        found
        for one, source, axis in runs
        for found in _compared(one, axis, indices[source], source, hulls[one, source][axis])
    )
    return FieldChecks(list(checks), len({i for some in indices.values() for i in some}), len(network.running()))


def support(network: Network, axis: int, indices: Iterable[int], source: int = 0) -> dict[int, Hull | None]:
    """For each node, the first and the last pixel along an axis for which the units in the middle have a gradient.
    The pixels are those of the input ``source``.

    "In the middle" refers to this axis, before positions were moved. All units along the other axes are included,
    because a unit at the border may see only padding. None if no pixel has a gradient.
    """
    return supports(network, [axis], indices, source)[axis]


def supports(
    network: Network, axes: Iterable[int], indices: Iterable[int], source: int = 0
) -> dict[int, dict[int, Hull | None]]:
    """``support`` along several axes."""
    small, stand_ins = narrow(network, source)
    middle = _Middle(Grid(network, source))
    images = [torch.zeros(1, 1, *x.axes, dtype=torch.float64) for x in network.inputs.values()]
    image = images[source].requires_grad_()
    outputs = _run(small, images)
    hulls: dict[int, dict[int, Hull | None]] = {axis: {} for axis in axes}
    for at, index in {stand_ins[index]: index for index in indices}.items():
        for axis, found in hulls.items():
            units = outputs[at][:, :, middle.units(index, axis)]
            (gradient,) = torch.autograd.grad(units.sum(), image, retain_graph=True)
            (pixels,) = (gradient.movedim(2 + axis, 0).flatten(1).abs() > TINY).any(1).nonzero(as_tuple=True)
            found[at] = (int(pixels[0]), int(pixels[-1])) if len(pixels) else None
    return {axis: {index: found[stand_ins[index]] for index in indices} for axis, found in hulls.items()}


class _Middle:
    """The units in the middle of maps, before positions were moved. The positions of equal maps are computed once."""

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self.positions: dict[object, Tensor] = {}

    def units(self, index: int, axis: int) -> Tensor:
        """Which units of a node's map are in the middle along an axis of the network input."""
        grid, sizes = self.grid, self.grid.network.nodes[index].shape.axes or (1,) * len(self.grid.pixels)
        layout = None if grid.plain else grid.layouts[index]
        key = sizes, layout and layout.key
        if key not in self.positions:
            nowhere = (-1,) * len(grid.pixels)
            places = [grid.position(index, unit) or nowhere for unit in product(*map(range, sizes))]
            self.positions[key] = torch.tensor(places)
        return (self.positions[key][:, axis] == grid.axes(index)[axis] // 2).reshape(sizes)


def _run(small: Network, images: Sequence[Tensor]) -> dict[int, Tensor]:
    """The output of every layer for the images, with all weights 1.

    In the backward pass, each gradient is set to 0 or 1. So the gradients of a thousand layers neither vanish nor
    overflow.
    """
    model = Built(small).double()
    outputs = {at: image * 1.0 for at, image in enumerate(images)}
    for p in model.requires_grad_(False).parameters():
        nn.init.ones_(p)
    for node, module in model.layers:
        inputs = [outputs[i] for i in model.takes[node.index]]
        if node.layer.type == "attention":
            inputs = [_with_channels_last(x) for x in inputs]
        out: Tensor = model.run(node, module, inputs)
        if isinstance(node.layer, Pool):  # the mean of a window beyond the map is no number
            out = out.nan_to_num()
        if out.requires_grad and not isinstance(node.layer, Movement):
            out.register_hook(lambda gradient: gradient.abs().gt_(TINY))  # type: ignore[no-untyped-call]
        outputs[node.index] = out
    return outputs


def _with_channels_last(x: Tensor) -> Tensor:
    """A copy whose only channel has stride 1. PyTorch asks for this before it runs attention without the matrix of scores."""
    strides = x.contiguous().stride()  # of a map that is repeated, too
    return torch.empty_strided(x.shape, (strides[0], 1, *strides[2:]), dtype=x.dtype).copy_(x)


# The fields that archcalc computes.


def _chosen(network: Network, limit: int | None, source: int) -> list[int]:
    """Indices of ``limit`` layers with different fields, at even distances. Without a limit: of all layers."""
    fields = fields_of(network, source)
    nodes = [node for node in network.running() if node.index in fields]
    if limit is None:
        return [node.index for node in nodes]
    distinct = list({fields[node.index]: node.index for node in reversed(nodes)}.values())[::-1]
    count = min(limit, len(distinct))
    return [distinct[i * (len(distinct) - 1) // max(1, count - 1)] for i in range(count)]


def _compared(
    network: Network, axis: int, indices: Sequence[int], source: int, hulls: Mapping[int, Hull | None]
) -> list[FieldCheck]:
    pixels = network.nodes[source].shape.axes[axis]
    grid = Grid(network, source)
    reader = PixelReader(network, gates=True, grid=grid)
    checks = []
    for unit in unit_spans(network, axis, indices, source):
        measured = hulls[unit.node.index]
        read = reader.of(unit.node, Run(unit.unit, unit.unit), axis)
        exact = read is not None and unit.field.exact and (measured is not None or not read)
        if not exact or (read and not reader.cut):
            computed = (max(unit.span[0], 0), min(unit.span[1], pixels - 1)) if unit.span else None
        else:
            computed = read or None
        if exact and measured != computed:
            exact = not _reads_padding_alone(unit.node, axis, reader)
        checks.append(FieldCheck(unit.node.name, axis, pixels, unit.unit, computed, measured, exact))
    return checks


def _reads_padding_alone(node: Node, axis: int, reader: PixelReader) -> bool:
    """Whether a layer on the way to a node reads padding alone along another axis, and so no pixel along this one."""
    waiting, known = [node.index], {node.index}
    for index in waiting:
        here = reader.network.nodes[index]
        if any(reader.of_map(here, other) == () for other in range(len(reader.grid.pixels)) if other != axis):
            return True
        more = {i for i in here.inputs if reader.grid.has_field(i)} - known
        waiting += more
        known |= more
    return False
