"""The receptive field as autograd sees it: the pixels that one output unit has a gradient for.

The model is built by the same code as any other, from a network whose windows are the network's own and where
nothing can hide a pixel: one channel, positive weights, averages in place of maxima, and no activations. Gates and
concatenated maps are added up, since the engine does not tell channels apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor, nn

from archcalc.analysis import analyze
from archcalc.errors import ArchcalcError, LayerError
from archcalc.field.axis import AxisField
from archcalc.field.pixels_read import PixelReader, Run
from archcalc.layers.convolution import ConvTranspose
from archcalc.layers.reshape import Upsample
from archcalc.network import Network, Node
from archcalc.pytorch.record import records
from archcalc.sizes import Shape, Span
from archcalc.witness.built import Built

Hull: TypeAlias = tuple[int, int]
"""The first and the last pixel along one axis."""

DOUBLE = 8
"""Bytes of a value: gradients are followed in float64."""
TINY = 1e-11
"""A gradient that is only rounding: a bilinear position that is a whole pixel has 1e-16 of the pixel beside it."""

FACTORS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
"""How many times larger an axis is made, one after another, until all fields lie inside."""
LONGEST = 20_000
"""Pixels along the axis that is made larger, at most."""


class FieldCheck(NamedTuple):
    """The field of a layer's middle unit along one axis, as archcalc computes it and as the gradient measures it.

    pixels: the size of the input along the axis, to which ``computed`` is cut. computed: the field of the formula where
    it lies in the input and no map was cropped, else the pixels that are read of real maps; None where the unit sees
    nothing. measured: None where the unit sees nothing, or padding alone. exact: whether the two must be equal; else
    ``measured`` must lie inside ``computed``, which is a bound.
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
    """The checks of a network, and how many of its layers they are about."""

    checks: list[FieldCheck]
    layers: int
    of: int

    @property
    def agree(self) -> bool:
        return all(check.agree for check in self.checks)


class Plan(NamedTuple):
    """The checks to come: nodes by their indices, and networks, each with the axis along which they are checked."""

    indices: list[int]
    runs: list[tuple[Network, int]]

    @property
    def size(self) -> int:
        """Bytes of the largest run: all maps of one channel, and as much again on the way back."""
        return max(
            (sum(2 * DOUBLE * node.shape.values for node in narrow(one)[0].nodes) for one, _ in self.runs), default=0
        )


def planned(network: Network, limit: int | None = 16) -> Plan:
    """Checks of ``limit`` layers with different fields, or of every layer, at the network's input and at a larger one."""
    indices = _chosen(network, limit) if network.input.axes else []
    runs = [
        (one, axis)
        for axis in range(len(network.input.axes))
        for one in dict.fromkeys((network, enlarged(network, axis, indices)))
    ]
    return Plan(indices, runs)


def check(network: Network, limit: int | None = 16, plan: Plan | None = None) -> FieldChecks:
    """The fields of ``limit`` layers with different fields, or of every layer, against the gradient's support.

    Every layer is checked twice for each axis: at the network's own input, and with that axis so large that the
    middle unit's field lies inside, where the network can be built that large. The whole zoo takes about two minutes
    of one core, and 2.4 GB for its deepest network.
    """
    indices, runs = plan or planned(network, limit)
    checks = dict.fromkeys(one for each, axis in runs for one in _compared(each, axis, indices))
    return FieldChecks(list(checks), len(indices), len(network.running()))


def support(network: Network, axis: int, indices: Iterable[int]) -> dict[int, Hull | None]:
    """For each of the nodes, the hull of the pixels along an axis that its units in the middle have a gradient for.

    They are the units in the middle of that axis, wherever they are along the others: one at the border may see
    nothing but padding there. None where there is no such pixel.
    """
    small, stand_ins = narrow(network)
    image = torch.zeros(1, 1, *network.input.axes, dtype=torch.float64, requires_grad=True)
    outputs = _run(small, image)
    hulls: dict[int, Hull | None] = {}
    for at in {stand_ins[index] for index in indices}:
        units = outputs[at].select(2 + axis, outputs[at].shape[2 + axis] // 2)
        (gradient,) = torch.autograd.grad(units.sum(), image, retain_graph=True)
        (pixels,) = (gradient.movedim(2 + axis, 0).flatten(1) > TINY).any(1).nonzero(as_tuple=True)
        hulls[at] = (int(pixels[0]), int(pixels[-1])) if len(pixels) else None
    return {index: hulls[stand_ins[index]] for index in indices}


def _run(small: Network, image: Tensor) -> dict[int, Tensor]:
    """The output of every layer for the image, with all weights 1.

    On the way back each gradient becomes 0 or 1, so that those of a thousand layers neither vanish nor overflow.
    """
    model = Built(small).double()
    outputs = {0: image * 1.0}
    for p in model.parameters():
        nn.init.ones_(p)
    for node, module in model.layers:
        out: Tensor = model.run(node, module, [outputs[i] for i in model.takes[node.index]])
        out.register_hook(lambda gradient: (gradient > TINY).to(gradient.dtype))  # type: ignore[no-untyped-call]
        outputs[node.index] = out
    return outputs


def narrow(network: Network) -> tuple[Network, dict[int, int]]:
    """The network with one channel and nothing but windows and sums, and the node in it that stands for each node.

    A vector is a map with a single position.
    """
    small = Network(network.name, Shape(1, network.input.axes))
    at = {0: 0}
    for node in network.running():
        inputs = [at[i] for i in node.inputs]
        layers = records[node.layer.type].stand_in(node.layer, node.shape)
        if node.layer.joins:
            inputs = [_widened(small, i, node.shape) for i in inputs]
        for layer in layers:
            inputs = [small.add(f"n{len(small.nodes)}", layer, inputs)]
        at[node.index] = inputs[0]
        axes = node.shape.axes or (1,) * len(network.input.axes)
        if small.nodes[at[node.index]].shape.axes != axes:
            raise ArchcalcError(f"{network.name}: {node.name} cannot be followed with one channel")
    return small, at


def _widened(small: Network, index: int, out: Shape) -> int:
    """An input of a join at every position."""
    if small.nodes[index].shape.axes == out.axes or not out.axes:
        return index
    return small.add(f"n{len(small.nodes)}", Upsample(size=out.axes), [index])


# What the engine says.


class UnitSpan(NamedTuple):
    """The computed field of a node's middle unit along an axis, on an endless input; of all values of a vector."""

    node: Node
    unit: int
    span: Span
    field: AxisField

    def inside(self, pixels: int) -> bool:
        """Whether the field holds no padding; a whole window has been cut to the input."""
        return self.field.field.step == 0 or not self.span or (self.span[0] >= 0 and self.span[1] < pixels)


def _unit_spans(network: Network, axis: int, indices: Sequence[int]) -> list[UnitSpan]:
    fields, spans = _fields(network), []
    for node in (network.nodes[index] for index in indices):
        field, unit = fields[node.index][axis], node.shape.axes[axis] // 2 if node.shape.axes else 0
        field = field.together or field
        spans.append(UnitSpan(node, unit, field.field.of(unit), field))
    return spans


def _fields(network: Network) -> dict[int, tuple[AxisField, ...]]:
    rows = analyze(network, training=not network.side_problem).rows
    return {row.node.index: row.field_with_gates for row in rows if row.node is not None}


def _crops(node: Node) -> bool:
    """Whether the layer cuts positions off, which later layers may put zeros for."""
    return node.layer.type == "crop" or (isinstance(node.layer, ConvTranspose) and node.layer.pad != 0)


def _chosen(network: Network, limit: int | None) -> list[int]:
    """Layers with different fields, evenly chosen; all of them without a limit."""
    nodes, fields = network.running(), _fields(network)
    if limit is None:
        return [node.index for node in nodes]
    distinct = list({fields[node.index]: node.index for node in reversed(nodes)}.values())[::-1]
    count = min(limit, len(distinct))
    return [distinct[i * (len(distinct) - 1) // max(1, count - 1)] for i in range(count)]


def enlarged(network: Network, axis: int, indices: Sequence[int]) -> Network:
    """The network with one axis of its input so large that the fields of the nodes' middle units lie inside.

    Where it cannot be built so large, the one where most of them do.
    """
    channels, axes = network.input
    best, most = network, -1
    for factor in FACTORS:
        pixels = axes[axis] * factor
        if pixels > LONGEST:
            break
        try:
            large = network.at(Shape(channels, (*axes[:axis], pixels, *axes[axis + 1 :]))) if factor > 1 else network
        except (ArchcalcError, LayerError):
            continue
        if len(large.nodes) != len(network.nodes) or large.side_problem != network.side_problem:
            continue
        inside = sum(span.inside(pixels) for span in _unit_spans(large, axis, indices))
        if inside > most:
            best, most = large, inside
        if most == len(indices):
            break
    return best


def _compared(network: Network, axis: int, indices: Sequence[int]) -> list[FieldCheck]:
    pixels, hulls, checks = network.input.axes[axis], support(network, axis, indices), []
    reader, cropped = PixelReader(network, gates=True), any(map(_crops, network.nodes))
    for unit in _unit_spans(network, axis, indices):
        measured = hulls[unit.node.index]
        read = reader.of(unit.node, Run(unit.unit, unit.unit), axis)
        exact = read is not None and unit.field.exact and (measured is not None or not read)
        if not exact or (unit.inside(pixels) and not cropped):
            computed = (max(unit.span[0], 0), min(unit.span[1], pixels - 1)) if unit.span else None
        else:
            computed = read or None
        checks.append(FieldCheck(unit.node.name, axis, pixels, unit.unit, computed, measured, exact))
    return checks
