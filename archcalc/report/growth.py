"""Receptive fields of networks side by side: how they grow, with how many parameters, and the verdicts."""

from __future__ import annotations

from collections.abc import Sequence

from archcalc.analysis import Analysis
from archcalc.analysis.receptive_field import Views, sights, verdict
from archcalc.report.receptive_field import field_text
from archcalc.report.table import Heading, Table
from archcalc.report.units import counted
from archcalc.sizes import product
from archcalc.version import __version__

SUMMARY = (
    Heading("network", "network", "text", 9),
    Heading("input", "input", "text", 5),
    Heading("widening", "layers", "number", 4),
    Heading("params", "params", "count", 8),
    Heading("rf", "field", "text", 8),
    Heading("growth", "growth", "text", 6),
    Heading("covers", "covers the input from", "text", 3),
    Heading("idle", "idle", "number", 6),
    Heading("smallest_input", "none idle from", "number", 4),
)
MOST_STEPS = 10
"""So many steps of growth are listed in full; of more, the first and last."""


def summary_table(analyses: Sequence[Analysis]) -> Table:
    """Networks side by side: parameters, how the field grows and to what size, and the verdict."""
    rows, bounded = [], []
    for analysis in analyses:
        said = verdict(analysis)
        if any(not view.exact for sight in sights(analysis) for view in sight.views):
            bounded.append(analysis.network.name)
        sizes = growth(analysis)
        rows.append(
            [
                analysis.network.name,
                str(analysis.input),
                len(said.widening),
                analysis.totals.params,
                sizes[-1] if sizes else "1",
                _growth_text(sizes),
                said.first.node.name if said.first else "",
                len(said.idle),
                said.least,
            ]
        )
    return Table(
        title="receptive fields",
        headings=SUMMARY,
        rows=rows,
        header=[
            counted(len(rows), "network"),
            "layers: convolutions and poolings that widen the field; field: the largest of them; idle: those that take "
            "what has seen the whole input already; none idle from: the side of the smallest square input",
            f"archcalc {__version__}",
        ],
        footer=[f"some fields are bounds, and are taken for exact here: {', '.join(bounded)}"] if bounded else [],
        meta={"archcalc": __version__},
    )


def growth(analysis: Analysis) -> list[str]:
    """The field, layer by layer, each time that one is larger than all before it."""
    found: list[str] = []
    largest = 1
    for sight in sights(analysis):
        area = _area(sight.views)
        if sight.widens and not sight.gate and area > largest:
            largest = area
            found.append(field_text(sight.views))
    return found


def _area(views: Views) -> int:
    return product(view.field.size for view in views)


def _growth_text(sizes: Sequence[str]) -> str:
    few = sizes if len(sizes) <= MOST_STEPS else [*sizes[:5], "...", *sizes[-3:]]
    return " -> ".join(few)
