"""The receptive field, measured with autograd: the pixels for which one output unit has a gradient.

The model is built from a simplified network with the same windows. Nothing in the simplified network can hide a pixel:
it has one channel, positive weights, averages instead of maxima, and no activations. Gates and concatenated maps are
added, because archcalc does not tell channels apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor, nn

from archcalc.errors import ArchcalcError, LayerError
from archcalc.field.axis import AxisField
from archcalc.field.grid import Grid
from archcalc.field.node_fields import node_fields
from archcalc.field.pixels_read import PixelReader, Run
from archcalc.layers.convolution import ConvTranspose
from archcalc.named_inputs import with_axes
from archcalc.network import Network, Node
from archcalc.sizes import Span
from archcalc.witness.built import Built
from archcalc.witness.narrow import narrow

Hull: TypeAlias = tuple[int, int]
"""The first and the last pixel along one axis."""

DOUBLE = 8
"""Bytes of a value: gradients are computed in float64."""
TINY = 1e-11
"""A smaller gradient is a rounding error. At a whole position, the bilinear neighbour has a gradient of 1e-16."""

FACTORS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
"""Factors by which an axis is enlarged. They are tried in this order until all fields lie inside the input."""
LONGEST = 20_000
"""Largest size of an enlarged axis, in pixels."""


class FieldCheck(NamedTuple):
    """The field of a layer's middle unit along one axis, computed by archcalc and measured by the gradient.

    pixels: the size of the network input along the axis. computed: the field, cut to the input. The field is that of
    the formula if the field is a bound, or if the field lies in the input and no map was cropped. Otherwise the field
    is the pixels that are read through maps with borders. None: the unit sees no pixel. measured: None if the unit sees
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
    the middle unit's field lies inside. Some networks cannot be enlarged that far. The whole zoo takes about two
    minutes of one core, and 2.4 GB for its deepest network.
    """
    indices, runs = plan or planned(network, limit)
    checks = dict.fromkeys(one for each, source, axis in runs for one in _compared(each, axis, indices[source], source))
    return FieldChecks(list(checks), len({i for some in indices.values() for i in some}), len(network.running()))


def support(network: Network, axis: int, indices: Iterable[int], source: int = 0) -> dict[int, Hull | None]:
    """For each node, the first and the last pixel along an axis for which the units in the middle have a gradient.
    The pixels are those of the input ``source``.

    "In the middle" refers to this axis, before positions were moved. All units along the other axes are included,
    because a unit at the border may see only padding. None if no pixel has a gradient.
    """
    small, stand_ins = narrow(network, source)
    grid = Grid(network, source)
    images = [torch.zeros(1, 1, *x.axes, dtype=torch.float64) for x in network.inputs.values()]
    image = images[source].requires_grad_()
    outputs = _run(small, images)
    hulls: dict[int, Hull | None] = {}
    for at, index in {stand_ins[index]: index for index in indices}.items():
        units = outputs[at][:, :, _units_at(grid, index, axis, grid.axes(index)[axis] // 2)]
        (gradient,) = torch.autograd.grad(units.sum(), image, retain_graph=True)
        (pixels,) = (gradient.movedim(2 + axis, 0).flatten(1).abs() > TINY).any(1).nonzero(as_tuple=True)
        hulls[at] = (int(pixels[0]), int(pixels[-1])) if len(pixels) else None
    return {index: hulls[stand_ins[index]] for index in indices}


def _units_at(grid: Grid, index: int, axis: int, position: int) -> Tensor:
    """Which units of a node's map have a position along an axis of the network input, before positions were moved."""
    sizes = grid.network.nodes[index].shape.axes or (1,) * len(grid.pixels)
    units = torch.tensor([(grid.position(index, unit) or {axis: -1})[axis] for unit in product(*map(range, sizes))])
    return (units == position).reshape(sizes)


def _run(small: Network, images: Sequence[Tensor]) -> dict[int, Tensor]:
    """The output of every layer for the images, with all weights 1.

    In the backward pass, each gradient is set to 0 or 1. So the gradients of a thousand layers neither vanish nor
    overflow.
    """
    model = Built(small).double()
    outputs = {at: image * 1.0 for at, image in enumerate(images)}
    for p in model.parameters():
        nn.init.ones_(p)
    for node, module in model.layers:
        out: Tensor = model.run(node, module, [outputs[i] for i in model.takes[node.index]])
        if out.requires_grad:
            out.register_hook(lambda gradient: (gradient.abs() > TINY).to(gradient.dtype))  # type: ignore[no-untyped-call]
        outputs[node.index] = out
    return outputs


# The fields that archcalc computes.


class UnitSpan(NamedTuple):
    """The computed field of a node's middle unit along an axis, without borders.

    For a vector: the field of all its values.
    """

    node: Node
    unit: int
    span: Span
    field: AxisField

    def inside(self, pixels: int) -> bool:
        """Whether the field contains no padding. A field of step 0 (whole) is already cut to the input."""
        return self.field.field.whole or not self.span or (self.span[0] >= 0 and self.span[1] < pixels)


def _unit_spans(network: Network, axis: int, indices: Sequence[int], source: int) -> list[UnitSpan]:
    fields, grid, spans = _fields(network, source), Grid(network, source), []
    for node in (network.nodes[index] for index in indices):
        field, unit = fields[node.index][axis], grid.axes(node.index)[axis] // 2
        field = field.together or field
        spans.append(UnitSpan(node, unit, field.field.of(unit), field))
    return spans


def _fields(network: Network, source: int) -> dict[int, tuple[AxisField, ...]]:
    """The field of every node that depends on an input of the network."""
    return {index: field for index, field in enumerate(node_fields(network, gates=True, source=source)) if field}


def _crops(node: Node) -> bool:
    """Whether the layer crops its output. A later layer may put zeros in the place of the cropped positions."""
    return node.layer.type in ("crop", "slice") or (isinstance(node.layer, ConvTranspose) and node.layer.pad != 0)


def _chosen(network: Network, limit: int | None, source: int) -> list[int]:
    """Indices of ``limit`` layers with different fields, at even distances. Without a limit: of all layers."""
    fields = _fields(network, source)
    nodes = [node for node in network.running() if node.index in fields]
    if limit is None:
        return [node.index for node in nodes]
    distinct = list({fields[node.index]: node.index for node in reversed(nodes)}.values())[::-1]
    count = min(limit, len(distinct))
    return [distinct[i * (len(distinct) - 1) // max(1, count - 1)] for i in range(count)]


def enlarged(network: Network, axis: int, indices: Sequence[int], source: int = 0) -> Network:
    """The network with one axis of an input enlarged until the fields of the nodes' middle units lie inside the input.

    If no enlarged network contains all fields: the network that contains most fields.
    """
    axes = network.nodes[source].shape.axes
    best, most = network, -1
    for factor in FACTORS:
        pixels = axes[axis] * factor
        if pixels > LONGEST:
            break
        try:
            there = with_axes(network.inputs, (*axes[:axis], pixels, *axes[axis + 1 :]), source)
            large = network.at(there) if factor > 1 else network
        except (ArchcalcError, LayerError):
            continue
        if len(large.nodes) != len(network.nodes) or large.side_problem != network.side_problem:
            continue
        inside = sum(span.inside(pixels) for span in _unit_spans(large, axis, indices, source))
        if inside > most:
            best, most = large, inside
        if most == len(indices):
            break
    return best


def _compared(network: Network, axis: int, indices: Sequence[int], source: int) -> list[FieldCheck]:
    pixels, hulls = network.nodes[source].shape.axes[axis], support(network, axis, indices, source)
    reader, cropped = PixelReader(network, gates=True, grid=Grid(network, source)), any(map(_crops, network.nodes))
    checks = []
    for unit in _unit_spans(network, axis, indices, source):
        measured = hulls[unit.node.index]
        read = reader.of(unit.node, Run(unit.unit, unit.unit), axis)
        exact = read is not None and unit.field.exact and (measured is not None or not read)
        if not exact or (read and unit.inside(pixels) and not cropped):
            computed = (max(unit.span[0], 0), min(unit.span[1], pixels - 1)) if unit.span else None
        else:
            computed = read or None
        checks.append(FieldCheck(unit.node.name, axis, pixels, unit.unit, computed, measured, exact))
    return checks
