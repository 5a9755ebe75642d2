"""Networks side by side: one row each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from archcalc.analysis import Analysis
from archcalc.analysis.depth import depth
from archcalc.analysis.rows import largest_field
from archcalc.conditions.condition import Chosen, chosen
from archcalc.errors import ArchcalcError
from archcalc.field.propagation import has_gates
from archcalc.language.accuracy import Accuracy, accuracies
from archcalc.naming import told_apart
from archcalc.outputs import unused_of
from archcalc.report.footer import incomplete_lines
from archcalc.report.header import Header, subject
from archcalc.report.layers import GATED, field_of
from archcalc.report.order import Order, lacking_lines
from archcalc.report.settings import setting_cell, setting_columns
from archcalc.report.table import Heading, Known, Table, column_names, unremovable
from archcalc.report.time import TimeRequest
from archcalc.report.timed import RATES, RATES_LEGEND, Timed
from archcalc.units import counted

COLUMNS: Mapping[str, tuple[Heading, Callable[[Analysis], Any]]] = {
    heading.name: (heading, cell)
    for heading, cell in [
        (Heading("network", "network", "text", 9), lambda a: a.network.full_name),
        (Heading("input", "input", "text", 5), lambda a: a.network.input_text),
        (Heading("depth", "depth", "number", 5), lambda a: depth(a.network)),
        (Heading("params", "params", "count", 8, "params"), lambda a: a.totals.params),
        (Heading("macs", "MACs", "count", 8, "operations"), lambda a: a.totals.macs),
        (Heading("flops", "FLOPs", "count", 2, "operations"), lambda a: a.totals.flops),
        (Heading("memory", "memory", "bytes", 6), lambda a: a.totals.values * a.itemsize),
        (Heading("rf", "field", "number", 4, exactness_key="exact"), lambda a: network_field(a)),
        (GATED, lambda a: network_field(a, with_gates=True)),
        (Heading("top1", "top-1 %", "printed", 6), lambda a: _error(a, "top1")),
        (Heading("top5", "top-5 %", "printed", 6), lambda a: _error(a, "top5")),
    ]
}
RATIOS = ("params", "macs", "memory", "images_per_second")
LEGEND = {
    "depth": "depth: weighted layers on the longest path",
    "memory": "memory: feature maps with the input",
    "rf": "field: pixels of the largest field of a layer, past the gates",
    "rf_with_gates": "field with gates: of that layer over all paths (whole: every unit sees everything)",
    "top1": "top-1: published error",
    "top5": "top-5: published error",
    **RATES_LEGEND,
}
"""The meaning of the columns."""


def compare_table(
    analyses: Sequence[Analysis],
    columns: Sequence[str] | None = None,
    baseline: Analysis | None = None,
    request: TimeRequest | None = None,
    sort: str | None = None,
    where: str | None = None,
) -> Table:
    """One row per analysis that meets the condition ``where``, sorted by the column ``sort`` (``-macs``: down). With a baseline: also parameters, MACs and feature maps as multiples of the baseline.

    With a request for a time: also images per second on its device. The settings of the networks are columns on request.

    The field is the largest field of a layer that does not see the whole input at once. Errors are shown for networks
    with the settings and the input of the zoo if a source is known. The lines below the rows name the source.
    """
    with told_apart([a.network for a in (*analyses, *([baseline] if baseline else []))]):
        settings = {name for a in analyses for name in a.network.settings}
        found = Chosen(list(analyses), {}) if where is None else chosen(analyses, where, settings)
        if not found.met:
            raise ArchcalcError(f"no network meets the condition {where}")
        table = _compared(found.met, columns, baseline, None if request is None else Timed(request), sort)
        about = table.header.about + (f" where {where}" if where else "")
        return table._replace(
            header=table.header._replace(about=about), footer=[*table.footer, *lacking_lines(found.lacking)]
        )


def _compared(
    analyses: Sequence[Analysis],
    columns: Sequence[str] | None,
    baseline: Analysis | None,
    timed: Timed | None,
    sort: str | None,
) -> Table:
    convention = analyses[0].convention
    gated = any(has_gates(a.network) for a in analyses)
    known = {**COLUMNS, **(timed.rates() if timed else {})}
    titled = {
        name: heading._replace(title=convention.operations_name) if name == "macs" else heading
        for name, (heading, _) in known.items()
    }
    wanted = columns or [name for name in known if gated or name != GATED.name]
    of_settings = setting_columns((a.network.settings for a in analyses), known)
    titled |= of_settings
    known |= {name: (heading, partial(_setting, name)) for name, heading in of_settings.items()}
    names = column_names(wanted, [*titled.values(), *(() if timed else RATES)])
    if untimed := [name for name in names if name not in known]:
        raise ArchcalcError(f"column {untimed[0]} is about the time on a device: add --on DEVICE")
    if order := Order.of(sort, titled.values()):
        analyses = order.sorted(analyses, known[order.column][1])
    headings = unremovable([titled[name] for name in names], columns)
    rows = [[known[name][1](a) for name in names] for a in analyses]
    if baseline is not None:
        for name in (name for name in RATIOS if name in known):
            cell = known[name][1]
            headings.append(Heading(f"{name}_ratio", f"{titled[name].title} x", "ratio", 7))
            for row, analysis in zip(rows, analyses, strict=True):
                row.append(_ratio(cell(analysis), cell(baseline)))
    incomplete = [line for a in analyses for line in incomplete_lines(convention, a.unknown_types, a.network.full_name)]
    if incomplete:
        headings.append(Heading("unknown", "unknown types", "text", 9))
        for row, analysis in zip(rows, analyses, strict=True):
            row.append(" ".join(analysis.unknown_types))
    sources = _sources(analyses) if {"top1", "top5"} & set(names) else []
    header = Header(
        {} if baseline is None else {"baseline": subject(baseline.network)},
        about=counted(len(rows), "network"),
        batch=analyses[0].batch,
        dtype=analyses[0].dtype,
        convention=convention,
        notes=() if baseline is None else (f"x: times the figure of {baseline.network.full_name}",),
        options={"sources": sources} if sources else {},
    )
    return Table(
        title="comparison",
        headings=headings,
        rows=rows,
        header=timed.header(header) if timed else header,
        footer=[*(timed.footer if timed else ()), *incomplete, *sources, *unused_of(a.network for a in analyses)],
        details=[LEGEND[name] for name in names if name in LEGEND],
    )


def _setting(column: str, analysis: Analysis) -> Any:
    return setting_cell(analysis.network.settings, column)


def _ratio(number: float | None, of: float | None) -> float | None:
    return number / of if number is not None and of else None


def network_field(analysis: Analysis, *, with_gates: bool = False) -> Known | None:
    """The largest field of a layer with positions.

    With gates: over all paths, and ``whole`` if a gate sees the whole input.
    """
    row = largest_field(analysis.rows)
    if row is None:
        return None
    axes = row.field_with_gates if with_gates else row.field
    field = field_of(axes)
    return field._replace(text="whole") if with_gates and any(axis.field.whole for axis in axes) else field


def published(analysis: Analysis) -> Accuracy | None:
    """The published errors of a network of the zoo.

    None with other settings, at another input, or for a network of the same name from a user's file.
    """
    network = analysis.network
    return accuracies().get(network.name) if network.as_in_zoo else None


def _error(analysis: Analysis, which: str) -> Any:
    errors = published(analysis)
    return getattr(errors, which) if errors else None


def _sources(analyses: Sequence[Analysis]) -> list[str]:
    found = {a.network.full_name: published(a) for a in analyses}
    return [f"{name}: error on {e.on}, {e.how}; {e.source}" for name, e in found.items() if e is not None]
