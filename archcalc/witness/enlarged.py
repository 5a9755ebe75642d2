"""Inputs of a network that are long enough for the fields of its layers."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from archcalc.errors import ArchcalcError, LayerError
from archcalc.field.axis import AxisField
from archcalc.field.grid import Grid
from archcalc.field.node_fields import node_fields
from archcalc.named_inputs import with_axes
from archcalc.network import Network, Node
from archcalc.sizes import Span

FACTORS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
"""Factors by which an axis is enlarged. They are tried in this order until all fields lie inside the input."""
LONGEST = 20_000
"""Largest size of an enlarged axis, in pixels."""
LEAST_SIZES = (32, 64, 128)
"""Sizes of the other axes of an enlarged input, in pixels. They are tried in this order."""


class UnitSpan(NamedTuple):
    """The computed field of a node's middle unit along an axis, without borders.

    For a vector: the field of all its values.
    """

    node: Node
    unit: int
    span: Span
    field: AxisField

    def inside(self, pixels: int) -> bool:
        """Whether the field contains no padding."""
        return not self.span or (self.span[0] >= 0 and self.span[1] < pixels)


def unit_spans(network: Network, axis: int, indices: Sequence[int], source: int) -> list[UnitSpan]:
    fields, grid, spans = fields_of(network, source), Grid(network, source), []
    for node in (network.nodes[index] for index in indices):
        field, unit = fields[node.index][axis], grid.axes(node.index)[axis] // 2
        field = field.together or field
        spans.append(UnitSpan(node, unit, field.field.of(unit), field))
    return spans


def fields_of(network: Network, source: int) -> dict[int, tuple[AxisField, ...]]:
    """The field of every node that depends on an input of the network."""
    return {index: field for index, field in enumerate(node_fields(network, gates=True, source=source)) if field}


def enlarged(network: Network, axis: int, indices: Sequence[int], source: int = 0) -> Network:
    """The network with one axis of an input enlarged until the fields of the nodes' middle units lie inside the input.

    If no enlarged network contains all fields: the network that contains most fields. The other axes are made smaller.
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
        inside = sum(span.inside(pixels) for span in unit_spans(large, axis, indices, source))
        if inside > most:
            best, most = large, inside
        if most == len(indices):
            break
    return best if best is network else _slim(best, axis, source)


def _slim(network: Network, axis: int, source: int) -> Network:
    """The network with the other axes of an input as small as the layers allow. Fields along the axis are the same."""
    axes = network.nodes[source].shape.axes
    for least in LEAST_SIZES:
        smaller = tuple(n if at == axis else min(n, least) for at, n in enumerate(axes))
        with suppress(ArchcalcError, LayerError):
            slim = network.at(with_axes(network.inputs, smaller, source))
            if len(slim.nodes) == len(network.nodes) and slim.side_problem == network.side_problem:
                return slim
    return network
