"""The rectangle of the input that one unit of a layer sees, as a table with a row for each axis."""

from __future__ import annotations

from collections.abc import Sequence

from archcalc.analysis import Analysis
from archcalc.analysis.pixels import Pixels, pixels
from archcalc.analysis.receptive_field import Sight
from archcalc.report.receptive_field import facts, header, notes, sizes_text
from archcalc.report.table import Heading, Table
from archcalc.sizes import AXES

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
    """The rectangle of the input that one unit sees, a row for each axis; ArchcalcError as ``pixels``."""
    sight, seen = pixels(analysis, name, unit)
    axes, image = AXES[len(seen)], analysis.input.axes
    rows = []
    for axis, units, at, found, n in zip(axes, sight.node.shape.axes, unit, seen, image, strict=True):
        first, last = found.inside or (None, None)
        inside = 0 if found.inside is None else found.inside[1] - found.inside[0] + 1
        row = [sight.node.name, axis, units, at, found.first, found.last, found.last - found.first + 1]
        rows.append([*row, first, last, inside, 100 * inside / n, "exact" if found.exact else "bound"])
    return Table(
        title=analysis.network.title,
        headings=UNIT,
        rows=rows,
        header=header(analysis),
        footer=[_rectangle(analysis, sight, unit, seen), *notes(analysis, [sight])],
        meta=facts(analysis),
    )


def _rectangle(analysis: Analysis, sight: Sight, unit: Sequence[int], seen: Sequence[Pixels]) -> str:
    axes, image = AXES[len(seen)], sizes_text(analysis.input.axes)
    whole = ", ".join(f"{axis} {found.first} to {found.last}" for axis, found in zip(axes, seen, strict=True))
    said = f"unit {','.join(map(str, unit))} of {sight.node.name} ({sight.node.shape}) sees {whole}"
    inside = [found.inside for found in seen]
    if None in inside:
        return f"{said}: nothing of the image of {image}, just padding"
    within = ", ".join(f"{axis} {ends[0]} to {ends[1]}" for axis, ends in zip(axes, inside, strict=True) if ends)
    return f"{said}; of the image of {image}: {within}"
