"""The rectangle of the input that one unit of a layer sees, as a table with a row for each axis."""

from __future__ import annotations

from collections.abc import Sequence

from archcalc.analysis import Analysis
from archcalc.field.summary import LayerField
from archcalc.field.unit import UnitField
from archcalc.report.field_summary import field_notes, sizes_text
from archcalc.report.header import field_header
from archcalc.report.table import Heading, Table
from archcalc.sizes import AXES, Span

UNIT = (
    Heading("layer", "layer", "text", 9),
    Heading("axis", "axis", "text", 9),
    Heading("units", "map", "number", 5),
    Heading("unit", "unit", "number", 9),
    Heading("first", "first", "number", 9),
    Heading("last", "last", "number", 9),
    Heading("rf", "field", "number", 6),
    Heading("input_first", "first in the image", "number", 9),
    Heading("input_last", "last in the image", "number", 9),
    Heading("input_pixels", "pixels", "number", 7),
    Heading("share", "% of input", "ratio", 5),
    Heading("exact", "exact", "text", 5),
)


def unit_table(analysis: Analysis, name: str, unit: Sequence[int]) -> Table:
    """The rectangle of the input that one unit sees, one row per axis.

    In a map of tokens or of windows, a row has the position of the unit along the axis, before positions were moved.
    ArchcalcError in the same cases as ``NetworkField.unit``.
    """
    layer, fields = analysis.field.layer(name), analysis.field.unit(name, unit)
    axes, image = AXES[len(fields)], analysis.field.pixels
    rows, grid, index = [], analysis.field.grid, layer.node.index
    there = grid.position(index, unit) or (None,) * len(axes)
    for axis, units, at, field, n in zip(axes, grid.axes(index), there, fields, image, strict=True):
        inside = _size(field.inside)
        row = [layer.node.name, axis, units, at, *(field.endless or (None, None)), _size(field.endless)]
        row += [*(field.inside or (None, None)), inside, 100 * inside / n]
        rows.append([*row, "exact" if field.exact else "bound"])
    return Table(
        title=analysis.network.title,
        headings=UNIT,
        rows=rows,
        header=field_header(analysis),
        footer=[rectangle(analysis, layer, unit, fields), *field_notes(analysis, [layer])],
    )


def _size(span: Span) -> int:
    return span[1] - span[0] + 1 if span else 0


def rectangle(analysis: Analysis, layer: LayerField, unit: Sequence[int], fields: Sequence[UnitField]) -> str:
    """The rectangle of pixels that a unit sees, as a sentence."""
    axes, image = AXES[len(fields)], sizes_text(analysis.field.pixels)
    of = f"unit {','.join(map(str, unit))} of {layer.node.name} ({layer.node.output}) sees"
    if not all(field.endless for field in fields):
        return f"{of} nothing: no position of the map before it reaches this unit"
    text = f"{of} {_spans(axes, [field.endless for field in fields])}"
    if not all(field.inside for field in fields):
        return f"{text}: nothing of the network input of {image}, just padding"
    return f"{text}; of the network input of {image}: {_spans(axes, [field.inside for field in fields])}"


def _spans(axes: Sequence[str], spans: Sequence[Span]) -> str:
    return ", ".join(f"{axis} {span[0]} to {span[1]}" for axis, span in zip(axes, spans, strict=True) if span)
