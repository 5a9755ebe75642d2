"""The table of receptive fields, layer by layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from archcalc.analysis import Analysis
from archcalc.field.axis import AxisField
from archcalc.field.summary import LayerField
from archcalc.report.field_summary import branches, changing, column_meanings, sentences, units_differ
from archcalc.report.header import field_header
from archcalc.report.layers import step_of
from archcalc.report.table import Heading, Table, column_names, of_axis, unremovable
from archcalc.sizes import AXES

PER_AXIS: Mapping[str, tuple[Heading, Callable[[LayerField, int, int], Any]]] = {
    heading.name: (heading, cell)
    for heading, cell in [
        (Heading("rf", "field", "number", 9), lambda s, axis, n: s.field[axis].field.size),
        (
            Heading("rf_smallest", "smallest", "number", 4),
            lambda s, axis, n: s.field[axis].field.smallest if units_differ(s.field[axis]) else None,
        ),
        (Heading("step", "step", "number", 8), lambda s, axis, n: step_of(s.field[axis])),
        (Heading("first", "first", "number", 5), lambda s, axis, n: s.field[axis].field.start),
        (Heading("padding", "padding", "number", 6), lambda s, axis, n: -s.field[axis].field.start),
        (
            Heading("rf_least", "least", "number", 4),
            lambda s, axis, n: s.field[axis].least.size if branches(s.field[axis]) else None,
        ),
        (
            Heading("centred", "centred", "text", 3),
            lambda s, axis, n: ("yes" if s.centred[axis] else "no") if branches(s.field[axis]) else "",
        ),
        (Heading("share", "% of input", "ratio", 6), lambda s, axis, n: 100 * s.field[axis].field.size / n),
        (Heading("exact", "exact", "text", 5), lambda s, axis, n: _exact(s.field[axis])),
        (Heading("rf_with_gates", "with gates", "number", 3), lambda s, axis, n: s.field_with_gates[axis].field.size),
        (
            Heading("exact_with_gates", "exact with gates", "text", 1),
            lambda s, axis, n: _exact(s.field_with_gates[axis]),
        ),
    ]
}


def _exact(axis_field: AxisField) -> str:
    return "exact" if axis_field.exact else "bound"


OF_LAYER: Mapping[str, tuple[Heading, Callable[[LayerField], Any]]] = {
    heading.name: (heading, cell)
    for heading, cell in [
        (Heading("layer", "layer", "text", 9), lambda s: s.node.name),
        (Heading("type", "type", "text", 4), lambda s: s.node.layer.type),
        (Heading("output", "output", "text", 7), lambda s: str(s.node.shape)),
    ]
}
HEADINGS = [heading for heading, _ in (*OF_LAYER.values(), *PER_AXIS.values())]
OPTIONAL: Mapping[str, Callable[[LayerField], bool]] = {
    "rf_smallest": lambda s: any(units_differ(axis_field) for axis_field in s.field),
    "rf_least": lambda s: any(map(branches, s.field)),
    "centred": lambda s: any(map(branches, s.field)),
    "rf_with_gates": lambda s: s.field_with_gates is not s.field,
}
"""Columns that are shown if at least one layer has a value for them."""


def field_tables(
    analyses: Sequence[Analysis],
    columns: Sequence[str] | None = None,
    *,
    everything: bool = False,
    name: str | None = None,
    alike: bool = False,
) -> list[Table]:
    """A table of fields for each network: the layers that change the field, every layer, or the layer of that name.

    A table has both axes if the axes differ in a cell. A table has the columns of branches if the network has branches.
    With ``alike``, all tables have the columns that at least one table needs. ArchcalcError for an unknown column or
    layer, or for a network without spatial axes.
    """
    selections = [(analysis, _chosen(analysis, everything, name)) for analysis in analyses]
    together = [selections] * len(selections) if alike else [[one] for one in selections]
    return [
        _table(*one, _names(columns, others), _split(others), columns)
        for one, others in zip(selections, together, strict=True)
    ]


def _chosen(analysis: Analysis, everything: bool, name: str | None) -> list[LayerField]:
    if name is not None:
        return [analysis.field.layer(name)]
    return list(analysis.field.layers) if everything else changing(analysis)


def _split(selections: Sequence[tuple[Analysis, list[LayerField]]]) -> tuple[str, ...]:
    """The axes to show separately. Empty if the axes agree in every cell."""
    alike = all(
        len(set(zip(layer.field, layer.centred, analysis.field.pixels, strict=True))) == 1
        for analysis, layers in selections
        for layer in layers
    )
    return () if alike else AXES[max(len(analysis.field.pixels) for analysis, _ in selections)]


def _names(columns: Sequence[str] | None, selections: Sequence[tuple[Analysis, list[LayerField]]]) -> list[str]:
    if columns:
        return column_names(columns, HEADINGS)
    layers = [layer for _, layers in selections for layer in layers]
    says = {name for name, tells in OPTIONAL.items() if any(map(tells, layers))}
    return [h.name for h in HEADINGS if h.name in says or h.name not in (*OPTIONAL, "exact_with_gates")]


def _table(
    analysis: Analysis, layers: list[LayerField], names: list[str], axes: tuple[str, ...], columns: Sequence[str] | None
) -> Table:
    sizes = analysis.field.pixels
    headings, cells = [], []
    for name in names:
        if name in OF_LAYER:
            heading, of_layer = OF_LAYER[name]
            headings.append(heading)
            cells.append([of_layer(layer) for layer in layers])
            continue
        heading, cell = PER_AXIS[name]
        for axis, called in enumerate(axes or ("",)):
            here = axis - (len(axes) - len(sizes)) if axes else 0  # among images, a sequence has only the last axis
            headings.append(of_axis(heading, called))
            cells.append([cell(layer, here, sizes[here]) if here >= 0 else None for layer in layers])
    summary = analysis.field.summary
    return Table(
        title=analysis.network.title,
        headings=unremovable(headings, columns),
        rows=[list(row) for row in zip(*cells, strict=True)],
        header=field_header(analysis),
        footer=sentences(analysis, layers),
        details=column_meanings(names),
        totals={
            "covers": _name(summary.first),
            "covers_not_before": _name(summary.may_be_first or summary.first),
            "covers_everywhere": _name(summary.everywhere),
            "covers_everywhere_not_before": _name(summary.may_be_everywhere or summary.everywhere),
            "widening": len(summary.widening),
            "idle": [layer.node.name for layer in summary.idle],
            "idle_everywhere": [layer.node.name for layer in summary.idle if layer.idle_everywhere],
            "may_be_idle": [layer.node.name for layer in summary.may_idle],
            "smallest_input": summary.least,
            "smallest_input_exact": None if summary.least is None else "exact" if summary.least_exact else "bound",
        },
    )


def _name(layer: LayerField | None) -> str | None:
    return layer.node.name if layer else None
