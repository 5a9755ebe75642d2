"""Tables of figures, computed by archcalc and measured on witnesses: one network layer by layer, or many side by side."""

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
    Heading("output_measured", "measured", "text", 7),
    Heading("params", "params", "count", 8),
    Heading("params_measured", "measured", "count", 7),
    Heading("buffers", "buffers", "count", 2),
    Heading("buffers_measured", "measured", "count", 2),
    Heading("macs", "MACs", "count", 8),
    Heading("macs_measured", "by torch", "count", 7),
    Heading("fvcore", "fvcore", "count", 6),
    Heading("fvcore_measured", "by fvcore", "count", 6),
    Heading("field", "field", "text", 5),
    Heading("field_measured", "by gradients", "text", 5),
    Heading("milliseconds", "time [ms]", "text", 4),
    Heading("agrees", "agrees", "text", 9),
)
FIELDS = Heading("fields", "fields measured", "text", 4)
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
    FIELDS,
    Heading("other", "other model", "text", 7),
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


def witness_table(result: Verification) -> Table:
    """One network's layers: the figures that archcalc computed, and the figures that the witnesses measured."""
    return Table(
        title=f"{result.network.full_name} verified",
        headings=LAYER_HEADINGS,
        rows=[_layer_row(layer) for layer in result.layers],
        header=network_header(result.network)._replace(
            batch=1,
            mode=(f"device: {result.device}",),
            options={"device": result.device, "all_agree": not result.problems},
        ),
        footer=_footer(result),
        details=LEGEND,
        totals={
            "figures": [
                {"figure": f.name, "computed": f.computed, "measured": f.measured, "agrees": not f.differs}
                for f in result.totals
            ],
            "other": result.other._asdict() if result.other else None,
            "fields": result.fields,
            "unsupported_by_fvcore": result.unsupported,
            "allocated_bytes": result.allocated,
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


def _footer(result: Verification) -> list[str]:
    lines = [
        f"{figure.name}: {figure_text(figure.computed)}"
        + (f" computed, {figure_text(figure.measured)} measured" if figure.differs else ", as measured")
        for figure in result.totals
    ]
    if result.other:
        lines.append(_other_model(result))
    if result.fields:
        lines.append(
            f"receptive field: the support of a gradient at the middle unit, for the {result.fields[0]} of "
            f"{result.fields[1]} layers that have different fields, in an input that contains the fields"
        )
    if result.unsupported:
        names = ", ".join(f"{name} ({times})" for name, times in sorted(result.unsupported.items()))
        lines.append(f"operators that fvcore has no rule for: {names}")
    if result.allocated is not None:
        scratch = result.allocated - inference(result.network).peak()
        lines.append(
            f"peak of the device's allocator at inference: {result.allocated:,} bytes, without weights and network input; "
            f"{scratch:,} bytes more than the tensors (scratch inside operators, and rounding)"
        )
    if not any(layer.milliseconds for layer in result.layers):
        lines.append(f"time: {NOT_MEASURED} without a CUDA device")
    return lines


def _other_model(result: Verification) -> str:
    other = result.other
    assert other is not None
    lines = [f"{other.tensors} parameters and buffers one to one"]
    if other.modules is not None:
        lines.append(f"the output shapes of {other.modules} module calls")
    if other.difference is not None:
        lines.append(f"the output {difference_text(other.difference)}")
    return f"{other.name}: {', '.join(lines)}"


def difference_text(difference: float) -> str:
    """The difference between two outputs as text, in parts of the largest value."""
    return "bit for bit" if difference == 0 else f"within {difference:.0e}"


def _summary_row(result: Summary) -> list[Any]:
    """The row of one network in the table of many networks."""
    if result.failure:
        cells = ["" if heading.kind == "text" else None for heading in SUMMARY_HEADINGS[1:-1]]
        return [result.network, *cells, f"no: {result.failure}"]
    other = result.other
    return [
        *result[: SUMMARY_HEADINGS.index(FIELDS)],
        f"{result.fields[0]} of {result.fields[1]}" if result.fields else NOT_MEASURED,
        other.name if other else "",
        other.tensors if other else "",
        other.modules if other and other.modules is not None else "",
        "" if other is None else NOT_MEASURED if other.difference is None else difference_text(other.difference),
        f"{result.milliseconds:.3f}" if result.milliseconds else NOT_MEASURED,
        result.allocated,
        f"no: {result.problems[0]}" if result.problems else "yes",
    ]


def summary_table(summaries: Sequence[Summary], device: str) -> Table:
    """Many networks, one row each, with the measured figures. If the row agrees, the computed figures are the same."""
    rows = [_summary_row(result) for result in summaries]
    unsupported = {name for result in summaries for name in result.unsupported or ()}
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
            "Side heads run, too. Parameters and operations include the side heads.",
            "saved: bytes saved for the backward pass, batch 2. inference peak: bytes alive at one moment, batch 1. training "
            "peak: bytes alive at one moment of both passes, batch 2; autograd adds no gradients in place here. Each storage "
            "counts once; weights and network input are not included.",
            "fields measured: layers whose receptive field is measured as the support of a gradient, of all layers. Layers "
            "with different fields are measured; of more than 16, 16 at even distances.",
            "input: a network of more than 5 G MACs gets a smaller image, and a detector fewer regions, if it takes them.",
            "other model: a model of another library. Its parameters and buffers are archcalc's one to one, its module calls "
            "have archcalc's output shapes, and with the same weights and input its output is the same.",
            "allocated: peak of the device's allocator at inference, scratch inside operators included; it depends on the "
            "device.",
            f"time: {NOT_MEASURED} without a CUDA device",
        ],
    )


def summary_tables(summaries: Iterable[Summary], device: str) -> tuple[list[Table], list[str]]:
    """The table of many networks, and the first disagreement of each network as a sentence."""
    results = list(summaries)
    lines = [sentence for one in results for sentence in ([one.failure] if one.failure else one.problems[:1])]
    return [summary_table(results, device)], lines


def witness_tables(verified: Iterable[Verification], device: str) -> tuple[list[Table], list[str]]:
    """A table of layers for each network, and the first disagreement of each network as a sentence.

    With several networks, the last table has one row per network.
    """
    results = list(verified)
    tables = [witness_table(one) for one in results]
    if len(results) > 1:
        tables.append(summary_table([summary_of(one) for one in results], device))
    return tables, [problem for one in results for problem in one.problems[:1]]
