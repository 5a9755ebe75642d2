"""The lines below a table of layers: totals in full, peak memory, side heads, and the signs in the cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archcalc.analysis import Analysis
from archcalc.analysis.stochastic_depth import survival
from archcalc.analysis.totals import Totals, sum_rows
from archcalc.conventions import Convention
from archcalc.conventions.convention import FEATURE_MAPS
from archcalc.field.propagation import has_gates
from archcalc.outputs import outputs_lines
from archcalc.report.commands import command_text
from archcalc.report.table import Heading
from archcalc.sizes import Work
from archcalc.units import NOT_COUNTED, bytes_text, count_text

COURSE_VALUES = 15_237_608
"""The sum of the feature maps that CS231n prints for VGG-16, in values."""

STORED = ("values", "memory")
"""Columns in which ``-`` stands for an output without new storage."""


def footer(analysis: Analysis, incomplete: Sequence[str] = ()) -> list[str]:
    """The lines below the rows of an analysis.

    ``incomplete`` are the blocks that contain a layer type unknown to the convention. Their counts leave this layer
    out.
    """
    t, how = analysis.totals, analysis.convention
    lines = [_parameters(t)]
    if how.counts_operations:
        lines.append(f"{how.operations_name}: {t.macs:,}" + ("" if t.flops is None else f"; FLOPs: {t.flops:,}"))
        lines += _parts(analysis)
    lines += incomplete_lines(how, analysis.unknown_types)
    if incomplete:
        lines.append(f"the counts of these rows are incomplete too: {', '.join(incomplete)}")
    lines += outputs_lines(analysis.network)
    lines.append(f"{how.memory_name}: {t.values:,} values, {bytes_text(t.values * analysis.itemsize)}")
    if how.memory_name == FEATURE_MAPS:
        lines += _course(analysis)
        lines.append(_peak(analysis))
    dropped = survival(analysis.network, analysis.rows)
    if dropped is not None and t.macs:
        lines.append(
            f"stochastic depth: in training {dropped.surviving:,.2f} of {dropped.paths} paths run on average, with about "
            f"{dropped.macs:,.0f} {how.operations_name} ({dropped.macs / t.macs:.1%}). At inference all paths run."
        )
    if analysis.network.side_problem:
        lines.append(f"side heads (in training only) do not fit this input: {analysis.network.side_problem}")
    if analysis.side_rows and not analysis.training:
        lines.append(_side(analysis))
    return lines


def details(analysis: Analysis, headings: Sequence[Heading], rows: Sequence[Sequence[Any]]) -> list[str]:
    """Lines on the operations that are not MACs, the paths that the fields follow, and the signs in the cells."""
    work = zip(Work._fields, analysis.totals.work, strict=True)
    others = [f"{kind} {count_text(n)}" for kind, n in work if n and kind != "mac"]
    lines = [f"other operations by kind: {', '.join(others)}"] if others else []
    if any(heading.name == "rf" for heading in headings) and has_gates(analysis.network):
        lines.append("field: along the paths past the gates. Over all paths: column rf_with_gates.")
    return [*lines, *sign_meanings(headings, rows)]


def incomplete_text(types: Sequence[str], network: str = "") -> str:
    """Says which layer types are unknown to the convention, and that the total is incomplete.

    Empty without such types.
    """
    where = f" in {network}" if network else ""
    return f"unknown to this convention{where}: {', '.join(types)}; the total is incomplete" if types else ""


def incomplete_lines(how: Convention, types: Sequence[str], network: str = "") -> list[str]:
    """The text of ``incomplete_text`` with the reason, as a line of a footer. No line without such types."""
    text = incomplete_text(types, network)
    return [f"{text} ({how.unknown_reason})"] if text else []


def sign_meanings(headings: Sequence[Heading], rows: Sequence[Sequence[Any]]) -> list[str]:
    """The meaning of ``-`` and ``0``, if a cell contains the sign."""
    counts = [at for at, heading in enumerate(headings) if heading.kind in ("count", "bytes")]
    empty = {headings[at].name for row in rows for at in counts if row[at] is None}
    parts = []
    if empty.difference(STORED):
        parts.append(f"'{NOT_COUNTED}': not counted under this convention")
    if empty.intersection(STORED):
        where = (
            f"in the {' and '.join(name for name in STORED if name in empty)} column: "
            if parts
            else f"'{NOT_COUNTED}': "
        )
        parts.append(f"{where}no storage of its own (in place, or a view)")
    lines = [f"{'; '.join(parts)}."] if parts else []
    if any(row[at] == 0 for row in rows for at in counts):
        lines.append("'0': counted, and zero.")
    return [" ".join(lines)] if lines else []


def _course(analysis: Analysis) -> list[str]:
    """The sum that may explain the course's printed figure, for the network that the course prints."""
    t = analysis.totals
    if t.values != COURSE_VALUES:
        return []
    twice = t.values + t.conv_inputs
    return [
        f"feature maps plus a second copy of every convolution's input: {twice:,} values, "
        f"{bytes_text(twice * analysis.itemsize)}. This may be how CS231n's 24M came about; see docs/counting.md."
    ]


def _parts(analysis: Analysis) -> list[str]:
    """The MACs of every part of a layer type whose work has parts, if the convention counts all of them."""
    lines = []
    for type, parts in analysis.parts.items():
        counts = {part: work.mac for part, work in parts.items() if work.mac}
        if sum(counts.values()) == sum(row.macs or 0 for row in analysis.rows if row.type == type):
            texts = ", ".join(f"{part} {count:,}" for part, count in counts.items())
            lines.append(
                f"{analysis.convention.operations_name} of {type}: {texts}. All parts of a layer: "
                f"{command_text('explain', analysis.network, '--layer NAME')}"
            )
    return lines


def _peak(analysis: Analysis) -> str:
    schedule = analysis.memory().inference.of_batch(analysis.batch)
    peak = schedule.peak(analysis.batch)
    at = schedule.at(schedule.peak_moment(analysis.batch)).node
    command = command_text("memory", analysis.network, batch=analysis.batch, dtype=analysis.dtype)
    return (
        f"peak memory at inference, without the network input: {bytes_text(peak)}, reached at "
        f"{analysis.network.nodes[at].name}. Details: {command}"
    )


def _parameters(t: Totals) -> str:
    if t.params == t.weights + t.biases:
        parts = f"weights {t.weights:,} + biases {t.biases:,}" if t.biases else "weights"
    elif t.params == t.weights:
        parts = f"weights; biases {t.biases:,} not counted"
    else:
        return (
            f"parameters under this convention: {t.params:,}; weights {t.weights:,}, biases {t.biases:,}, "
            f"buffers {t.buffers:,}"
        )
    frozen = f"; of them frozen: {t.frozen:,}" if t.frozen else ""
    return f"parameters: {t.params:,} ({parts}){frozen}" + (
        f"; buffers, not trained: {t.buffers:,}" if t.buffers else ""
    )


def _side(analysis: Analysis) -> str:
    side = sum_rows(analysis.side_rows, analysis.convention)
    heads = dict.fromkeys((*row.scopes, row.name)[0] for row in analysis.side_rows)
    both = analysis.totals.params + side.params
    return (
        f"side heads, in training only (--training counts them): {', '.join(heads)}: {side.params:,} parameters, "
        f"{side.macs:,} {analysis.convention.operations_name}. Parameters with side heads: {both:,}."
    )
