"""Receptive fields of networks side by side: parameters, growth of the field, and field summary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archcalc.analysis import Analysis
from archcalc.field.propagation import FieldByAxis, has_gates
from archcalc.field.summary import FieldSummary
from archcalc.naming import told_apart
from archcalc.outputs import unused_of
from archcalc.report.compare import network_field
from archcalc.report.header import Header
from archcalc.report.layers import GATED, field_of
from archcalc.report.table import Heading, Known, Table
from archcalc.sizes import product
from archcalc.units import counted

SUMMARY = (
    Heading("network", "network", "text", 9),
    Heading("input", "input", "text", 5),
    Heading("widening", "layers", "number", 4),
    Heading("params", "params", "count", 8),
    Heading("rf", "field", "number", 8, exactness_key="exact"),
    GATED,
    Heading("growth", "growth", "text", 6),
    Heading("covers", "covers the input from", "text", 3, exactness_key="covers_exact"),
    Heading("idle", "idle", "number", 6, exactness_key="idle_exact"),
    Heading("smallest_input", "none idle from", "number", 4, exactness_key="smallest_input_exact"),
)
LEGEND = (
    "layers: number of widening layers (convolutions and poolings that make the field larger). field: largest field of a "
    "layer. idle: number of idle layers. none idle from: smallest square input, in pixels, without idle layers."
)
GATES = "field, growth and idle follow the paths past the gates. field with gates: over all paths."
BOUNDS = "'<=' and 'not before': a field is a bound; no unit has a larger field, some units may have a smaller one"
MOST_STEPS = 10
"""Longer lists of sizes are printed with their first and last sizes only. Programs get all sizes."""


def summary_table(analyses: Sequence[Analysis]) -> Table:
    """Networks side by side: parameters, growth and size of the field, and field summary."""
    with told_apart([analysis.network for analysis in analyses]):
        return _summary(analyses)


def _summary(analyses: Sequence[Analysis]) -> Table:
    rows, bounded = [], False
    gated = any(has_gates(analysis.network) for analysis in analyses)
    for analysis in analyses:
        summary = analysis.field.summary
        sizes = growth(analysis)
        bounded = (
            bounded or bool(summary.may_be_first or summary.may_idle) or not all(all(size.exact) for size in sizes)
        )
        few = sizes if len(sizes) <= MOST_STEPS else [*sizes[:5], "...", *sizes[-3:]]
        rows.append(
            [
                analysis.network.full_name,
                analysis.network.input_text,
                len(summary.widening),
                analysis.totals.params,
                network_field(analysis),
                *([network_field(analysis, with_gates=True)] if gated else []),
                Known((" -> ".join(map(str, _plain(sizes))),), (True,), " -> ".join(map(str, few))),
                *_verdict(summary),
            ]
        )
    return Table(
        title="receptive fields",
        headings=[heading for heading in SUMMARY if gated or heading != GATED],
        rows=rows,
        header=Header(about=counted(len(rows), "network")),
        footer=[*([BOUNDS] if bounded else []), *unused_of(a.network for a in analyses)],
        details=[LEGEND, *([GATES] if gated else [])],
    )


def _verdict(summary: FieldSummary) -> list[Any]:
    """The first layer that covers the input, the number of idle layers, and the smallest input without idle layers.

    Each is exact or a bound.
    """
    covers, least = summary.may_be_first or summary.first, summary.least
    may_cover, idle = summary.may_be_first is not None, len(summary.idle) + len(summary.may_idle)
    return [
        Known((covers.node.name,), (not may_cover,), f"not before {covers.node.name}" if may_cover else "")
        if covers
        else "",
        Known((idle,), (not summary.may_idle,)),
        Known((least,), (summary.least_exact,)) if least is not None else None,
    ]


def growth(analysis: Analysis) -> list[Known]:
    """The sizes of the field in layer order. A size is included if the size is larger than all earlier sizes."""
    sizes: list[Known] = []
    largest = 1
    for layer in analysis.field.layers:
        area = _area(layer.field)
        if layer.widens and not layer.gate and area > largest:
            largest = area
            sizes.append(field_of(layer.field))
    return sizes


def _area(axes: FieldByAxis) -> int:
    return product(axis.field.size for axis in axes)


def _plain(sizes: Sequence[Known]) -> list[Known]:
    """The sizes without the mark of a bound. For programs, a column marks bounds."""
    return [Known(size.numbers, (True,) * len(size.numbers)) for size in sizes]
