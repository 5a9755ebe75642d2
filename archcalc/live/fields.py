"""Receptive fields: their growth, and the pixels that one unit sees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archcalc.analysis import Analysis
from archcalc.errors import ArchcalcError
from archcalc.field.summary import LayerField
from archcalc.field.unit import UnitField
from archcalc.layers.base import per_axis
from archcalc.layers.settings import message_text
from archcalc.layers.windowed import Windowed
from archcalc.live.documents import analysis_of
from archcalc.live.state import State
from archcalc.report.field_summary import sentences
from archcalc.report.layers import step_of
from archcalc.report.unit import rectangle
from archcalc.sizes import AXES, Span


def field(state: State, smallest: bool) -> dict[str, Any]:
    """The answer of the operation ``field``: the field of every layer, and what the fields mean at this input.

    With ``smallest`` also the smallest input without idle layers, for which some networks are built hundreds of times.
    """
    analysis = analysis_of(state)
    layers = analysis.field.layers
    summary = analysis.field.summary if smallest else analysis.field.coverage
    return {
        "pixels": list(analysis.field.pixels),
        "growth": [_layer(layer) for layer in layers],
        "lines": sentences(analysis, [one for one in layers if one.differs_from_input and not one.gate], summary),
    }


def _layer(layer: LayerField) -> dict[str, Any]:
    return {
        "layer": layer.node.index,
        "name": layer.node.name,
        "size": [axis.field.size for axis in layer.field],
        "step": [step_of(axis) for axis in layer.field],
        "exact": all(axis.exact for axis in layer.field),
        "widens": layer.widens,
        "idle": layer.idle,
        "gate": layer.gate,
    }


def window(state: State, index: Any, unit: Any) -> dict[str, Any]:
    """The answer of the operation ``window``: the pixels that one unit of a layer sees, or that all of a vector sees."""
    analysis = analysis_of(state)
    nodes = analysis.network.nodes
    if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < len(nodes):
        raise ArchcalcError(f"layer: expected the number of a layer, up to {len(nodes) - 1}, got {message_text(index)}")
    node = nodes[index]
    layer = next((one for one in analysis.field.layers if one.node is node), None)
    if layer is None:
        raise ArchcalcError(f"{node.name} does not depend on the input, or does not run at inference")
    sizes = node.shape.axes
    if sizes:
        unit = [size // 2 for size in sizes] if unit is None else _unit(unit)
        spans = analysis.field.unit(node.name, unit)
        lines = [rectangle(analysis, layer, unit, spans)]
    else:
        unit = None
        spans = [_whole(layer, axis, size) for axis, size in enumerate(analysis.field.pixels)]
        lines = [f"{node.name} is a vector of {node.shape}: every value sees the same pixels"]
    return {
        "unit": unit,
        "map": list(sizes),
        "axes": _axes(analysis, spans),
        "kernel": _kernel(layer),
        "lines": lines,
    }


def _unit(given: Any) -> list[int]:
    if isinstance(given, Sequence) and len(given) <= 3 and all(type(at) is int and abs(at) < 10**18 for at in given):
        return list(given)
    raise ArchcalcError(f"unit: expected a position such as [3, 4] (row, column), got {message_text(given)}")


def _whole(layer: LayerField, axis: int, pixels: int) -> UnitField:
    """What all values of a vector see along one axis of the input, which has so many pixels."""
    found = layer.field[axis].field
    first, last = found.start, found.start + found.size - 1
    inside = (max(first, 0), min(last, pixels - 1))
    return UnitField((first, last), inside if inside[0] <= inside[1] else (), layer.field[axis].exact)


def _axes(analysis: Analysis, spans: Sequence[UnitField]) -> list[dict[str, Any]]:
    pixels = analysis.field.pixels
    return [
        {
            "axis": name,
            "first": _end(span.endless, 0),
            "last": _end(span.endless, 1),
            "size": span.endless[1] - span.endless[0] + 1 if span.endless else 0,
            "inside": list(span.inside),
            "input": size,
            "exact": span.exact,
        }
        for name, span, size in zip(AXES[len(pixels)], spans, pixels, strict=True)
    ]


def _end(span: Span, which: int) -> int | None:
    return span[which] if span else None


def _kernel(layer: LayerField) -> list[int]:
    """The kernel of a layer with windows, for every axis of its map; [] for other layers."""
    own = layer.node.layer
    if not isinstance(own, Windowed):
        return []
    return [int(size) for size in per_axis(own.kernel, layer.node.shape, "kernel")]
