"""Tables of what witnesses said: one network layer by layer, or many side by side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from archcalc.memory.lifetime import inference
from archcalc.report.header import Header, network_header
from archcalc.report.table import Heading, Table
from archcalc.witness.results import LayerFigures, Summary, Verification, figure_text, summary_of

NOT_MEASURED = "not measured"

LAYER_HEADINGS = (
    Heading("layer", "layer", "text", 9),
    Heading("type", "type", "text", 3),
    Heading("output", "output", "text", 8),
    Heading("output_seen", "seen", "text", 7),
    Heading("params", "params", "count", 8),
    Heading("params_seen", "seen", "count", 7),
    Heading("buffers", "buffers", "count", 2),
    Heading("buffers_seen", "seen", "count", 2),
    Heading("macs", "MACs", "count", 8),
    Heading("macs_seen", "seen by torch", "count", 7),
    Heading("fvcore", "fvcore", "count", 6),
    Heading("fvcore_seen", "seen by fvcore", "count", 6),
    Heading("field", "field: pixels", "text", 5),
    Heading("field_seen", "seen by gradients", "text", 5),
    Heading("milliseconds", "time [ms]", "text", 4),
    Heading("agrees", "agrees", "text", 9),
)
FIELDS_SEEN = Heading("fields", "fields seen", "text", 4)
SUMMARY_HEADINGS = (
    Heading("network", "network", "text", 9),
    Heading("input", "input", "text", 3),
    Heading("layers", "layers", "number", 5),
    Heading("params", "params", "count", 8),
    Heading("macs", "MACs", "count", 8),
    Heading("fvcore", "fvcore", "count", 6),
    Heading("saved_bytes", "saved, batch 2", "bytes", 5),
    Heading("peak_bytes", "inference peak", "bytes", 5),
    Heading("training_peak_bytes", "training peak, batch 2", "bytes", 5),
    FIELDS_SEEN,
    Heading("other", "another's model", "text", 7),
    Heading("tensors", "tensors", "text", 3),
    Heading("modules", "modules", "text", 3),
    Heading("difference", "output differs by", "text", 6),
    Heading("milliseconds", "time [ms]", "text", 2),
    Heading("allocated_bytes", "allocated", "bytes", 2),
    Heading("agrees", "agrees", "text", 9),
)
LEGEND = (
    "output, params, buffers: the module built from the spec, run on the device",
    "MACs: torch's FlopCounterMode, of convolutions and matrix products; fvcore: FlopCountAnalysis, every module "
    "and operator under fvcore's convention",
)


def witness_table(found: Verification) -> Table:
    """One network's layers: what the engine computed, and what the witnesses saw."""
    return Table(
        title=f"{found.network.full_name} verified",
        headings=LAYER_HEADINGS,
        rows=[_layer_row(layer) for layer in found.layers],
        header=network_header(found.network)._replace(
            batch=1,
            mode=(f"device: {found.device}",),
            options={"device": found.device, "all_agree": not found.problems},
        ),
        footer=_footer(found),
        details=LEGEND,
        totals={
            "figures": [
                {"figure": f.name, "computed": f.computed, "seen": f.measured, "agrees": not f.differs}
                for f in found.totals
            ],
            "other": found.other._asdict() if found.other else None,
            "fields": found.fields,
            "unsupported_by_fvcore": found.unsupported,
            "allocated_bytes": found.allocated,
        },
    )


def _layer_row(layer: LayerFigures) -> list[Any]:
    row: list[Any] = [layer.node.name, layer.node.layer.type]
    for name in ("output", "params", "macs", "fvcore", "field"):
        figure = layer.figures.get(name)
        pair = (figure.computed, figure.measured) if figure else (None, None)
        if name == "params":
            row += [n and n.weight + n.bias for n in pair] + [n and n.buffers for n in pair]
        elif name == "output":
            row += [figure_text(value) for value in pair]
        elif name == "field":
            row += ["" if value is None else value for value in pair]
        else:
            row += pair
    differing = [figure.name for figure in layer.figures.values() if figure.differs]
    time = NOT_MEASURED if layer.milliseconds is None else f"{layer.milliseconds:.3f}"
    return [*row, time, f"no: {', '.join(differing)}" if differing else "yes"]


def _footer(found: Verification) -> list[str]:
    lines = [
        f"{figure.name}: {figure_text(figure.computed)}"
        + (f" computed, {figure_text(figure.measured)} seen" if figure.differs else ", as seen")
        for figure in found.totals
    ]
    if found.other:
        lines.append(_beside(found))
    if found.fields:
        lines.append(
            f"receptive field: the support of a gradient at the middle unit of {found.fields[0]} of "
            f"{found.fields[1]} layers, those that see different pixels, in an input large enough to hold them"
        )
    if found.unsupported:
        names = ", ".join(f"{name} ({times})" for name, times in sorted(found.unsupported.items()))
        lines.append(f"operators that fvcore has no rule for: {names}")
    if found.allocated is not None:
        scratch = found.allocated - inference(found.network).peak()
        lines.append(
            f"the device's allocator held {found.allocated:,} bytes at most at inference, weights and image apart: "
            f"{scratch:,} more than the tensors, for what operators take for a while and what is rounded up"
        )
    if not any(layer.milliseconds for layer in found.layers):
        lines.append(f"time: {NOT_MEASURED} without a CUDA device")
    return lines


def _beside(found: Verification) -> str:
    other = found.other
    assert other is not None
    said = [f"{other.tensors} parameters and buffers one to one"]
    if other.modules is not None:
        said.append(f"the output shapes of {other.modules} module calls")
    if other.difference is not None:
        said.append(f"the output {difference_text(other.difference)}")
    return f"{other.name}: {', '.join(said)}"


def difference_text(difference: float) -> str:
    """How far two outputs lie apart, in parts of the largest value."""
    return "bit for bit" if difference == 0 else f"within {difference:.0e}"


def _summary_row(found: Summary) -> list[Any]:
    """One network in the table of many."""
    if found.failure:
        cells = ["" if heading.kind == "text" else None for heading in SUMMARY_HEADINGS[1:-1]]
        return [found.network, *cells, f"no: {found.failure}"]
    other = found.other
    return [
        *found[: SUMMARY_HEADINGS.index(FIELDS_SEEN)],
        f"{found.fields[0]} of {found.fields[1]}" if found.fields else NOT_MEASURED,
        other.name if other else "",
        other.tensors if other else "",
        other.modules if other and other.modules is not None else "",
        "" if other is None else NOT_MEASURED if other.difference is None else difference_text(other.difference),
        f"{found.milliseconds:.3f}" if found.milliseconds else NOT_MEASURED,
        found.allocated,
        f"no: {found.problems[0]}" if found.problems else "yes",
    ]


def summary_table(summaries: Sequence[Summary], device: str) -> Table:
    """Many networks, one row each: what the witnesses saw, all of it as computed where it agrees."""
    rows = [_summary_row(found) for found in summaries]
    unsupported = {name for found in summaries for name in found.unsupported or ()}
    agreeing = sum(row[-1] == "yes" for row in rows)
    names = ", ".join(sorted(unsupported))
    return Table(
        title="verified",
        headings=SUMMARY_HEADINGS,
        rows=rows,
        header=Header(
            about=f"{agreeing} of {len(rows)} networks agree in every figure",
            batch=1,
            mode=(f"device: {device}",),
            options={"device": device, "agreeing": agreeing},
        ),
        footer=[f"operators that fvcore has no rule for: {names or 'none'}"],
        details=[
            *LEGEND,
            "side heads run too; parameters and operations are with them",
            "saved: bytes that a training pass of two images keeps for the backward pass; inference peak: bytes alive "
            "at once for one image; training peak: in the forward and the backward pass for two, where autograd adds no "
            "gradients in place; all by storage, without weights and image",
            "fields seen: layers whose receptive field is the support of a gradient, of all layers: those that see "
            "different pixels, and 16 evenly chosen where there are more",
            "another's model: its parameters and buffers are ours one to one, its module calls have our output "
            "shapes, and on the same weights and image it gives our output",
            "allocated: what the device's allocator held at most at inference, what operators take for a while included, "
            "which depends on the device",
            f"time is {NOT_MEASURED} without a CUDA device",
        ],
    )


def summary_tables(summaries: Iterable[Summary], device: str) -> tuple[list[Table], list[str]]:
    """The table of many networks, and the first disagreement of each as a sentence."""
    found = list(summaries)
    said = [sentence for one in found for sentence in ([one.failure] if one.failure else one.problems[:1])]
    return [summary_table(found, device)], said


def layer_tables(verified: Iterable[Verification], device: str) -> tuple[list[Table], list[str]]:
    """A table of layers for each network, and the first disagreement of each as a sentence.

    Where there are several, the table that has a line for each comes last.
    """
    found = list(verified)
    tables = [witness_table(one) for one in found]
    if len(found) > 1:
        tables.append(summary_table([summary_of(one) for one in found], device))
    return tables, [problem for one in found for problem in one.problems[:1]]
