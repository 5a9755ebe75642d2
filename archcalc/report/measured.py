"""The time of a network as it was measured here, beside the estimate, layer by layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from archcalc.analysis import prepared
from archcalc.report.header import Header, layer_header
from archcalc.report.table import Heading, Table
from archcalc.report.time import TimeRequest, error_text
from archcalc.timing.reading import device
from archcalc.timing.time import LayerTime, Time
from archcalc.units import counted, ratio_text, seconds_text
from archcalc.witness.times import Measurement, Span

MEASURED = (
    Heading("layer", "layer", "text", 9),
    Heading("type", "type", "text", 5),
    Heading("measured", "measured", "seconds", 9, "time"),
    Heading("spread", "spread %", "ratio", 4),
)
SUMMARY = (
    Heading("network", "network", "text", 9),
    Heading("input", "input", "text", 5),
    Heading("seconds", "measured", "seconds", 9, "time"),
    Heading("spread", "spread %", "ratio", 4),
    Heading("images_per_second", "images/s", "ratio", 3),
)
BESIDE = (
    Heading("estimate", "estimate", "seconds", 8, "time"),
    Heading("lower_bound", "lower bound", "seconds", 5, "time"),
    Heading("ratio", "estimate / measured", "ratio", 7),
    Heading("bound", "bound by", "text", 6),
)
RELATIVE = Heading("off", "off %", "ratio", 6)
NO_ESTIMATE = "for an estimate beside it, add --on FILE.yaml, a device that archcalc calibrate writes here"
DETAILS = (
    "measured: the median of runs after warm runs, with a mark before and after every layer. spread: the width of the "
    "middle half of the runs, as a share of the median.",
)


def measured_table(one: Measurement, on: str | None) -> Table:
    """The layers as measured; with a device file, beside the estimate for this device."""
    network = one.network
    analysis = prepared(network, None, one.batch, "float32")
    time = None if on is None else TimeRequest(on, channels_last=one.channels_last).time(analysis, device(on))
    estimates = {} if time is None else {row.name: row for row in time.rows}
    types = {node.name: node.layer.type for node in network.nodes}
    rows: list[list[Any]] = []
    for name, span in one.layers.items():
        rows.append([name, types[name], span.median, 100 * span.spread, *_beside(span, estimates.get(name))])
    total: list[Any] = ["total", "", sum(span.median for span in one.layers.values()), None]
    if time is not None:
        total += [time.estimate, time.lower_bound, time.estimate / total[2] if total[2] else None, ""]
    mode = ("measured here, inference, eager", *["channels last"] * one.channels_last, one.about)
    return Table(
        title=network.title,
        headings=[*MEASURED, *(BESIDE if time else ())],
        rows=[row if time else row[: len(MEASURED)] for row in rows],
        total=total,
        header=layer_header(analysis)._replace(
            convention=None,
            unknown_types=None,
            mode=mode,
            options={"device": one.about, "channels_last": one.channels_last, "on": on},
        ),
        footer=[_whole(one), *([NO_ESTIMATE] if time is None else _compared(one, time))],
        details=DETAILS,
        totals={
            "measured": one.whole.median,
            "measured_low": one.whole.low,
            "measured_high": one.whole.high,
            "runs": one.runs,
            **({} if time is None else {"estimate": time.estimate, "lower_bound": time.lower_bound}),
        },
    )


def summary_table(measured: Sequence[Measurement], on: str | None) -> Table:
    """A row for each network as measured; with a device file, beside the estimates, and how far they are off.

    A device that is slower or faster than usual during a run has all ratios wrong by one factor. So the errors are also
    given as ratios in one run: the median of estimate / measured taken out.
    """
    one, where = measured[0], None if on is None else device(on)
    rows: list[list[Any]] = []
    for each in measured:
        seconds = each.whole.median
        rows.append([each.network.full_name, each.network.input_text, seconds, 100 * each.whole.spread])
        rows[-1].append(each.batch / seconds if seconds else None)
        if where is not None:
            analysis = prepared(each.network, None, each.batch, "float32")
            time = TimeRequest(on or "", channels_last=each.channels_last).time(analysis, where)
            rows[-1] += [time.estimate, time.lower_bound, time.estimate / seconds if seconds else None]
    headings, totals, footer = list(SUMMARY), {}, [NO_ESTIMATE]
    if where is not None:
        headings += [*BESIDE[:-1], RELATIVE]
        middle = median(row[-1] for row in rows)
        for row in rows:
            row.append(100 * (row[-1] / middle - 1))
        totals = _errors(rows, middle)
        footer = [_errors_text(totals, len(rows), where.title)]
    return Table(
        title="measured",
        headings=headings,
        rows=rows,
        header=Header(
            about=counted(len(rows), "network"),
            batch=one.batch,
            dtype="float32",
            mode=("measured here, inference, eager", *["channels last"] * one.channels_last, one.about),
            options={"device": one.about, "channels_last": one.channels_last, "on": on},
        ),
        footer=footer,
        details=[
            "measured: the median of runs after warm runs. spread: the width of the middle half of the runs, as a share of the "
            "median.",
            *["off: estimate / measured, against the median of this column over all networks."] * (where is not None),
        ],
        totals=totals,
    )


def _errors(rows: Sequence[Sequence[Any]], middle: float) -> dict[str, Any]:
    """How far estimates are off, as they are and as ratios in one run, and the rank correlation."""
    from archcalc.witness.time_fit import quantiles, spearman

    estimates, ratios, relative = ([row[at] for row in rows] for at in (-4, -2, -1))
    error, error_90 = quantiles([ratio - 1 for ratio in ratios])
    relative_error, relative_90 = quantiles([off / 100 for off in relative])
    return {
        "networks": len(rows),
        "error": error,
        "error_90": error_90,
        "factor": middle,
        "relative_error": relative_error,
        "relative_error_90": relative_90,
        "spearman": spearman(estimates, [row[2] for row in rows]) if len(rows) > 1 else None,
    }


def _errors_text(totals: Mapping[str, Any], networks: int, title: str) -> str:
    rank = "" if totals["spearman"] is None else f"; Spearman's rank correlation {totals['spearman']:.3f}"
    percent = {name: f"{100 * totals[name]:.1f} %" for name in totals if "error" in name}
    return (
        f"estimates for {title} of {counted(networks, 'network')}: off by {percent['error']} (median), 90 % of them by at most "
        f"{percent['error_90']}; as ratios in one run (all divided by {ratio_text(totals['factor'])}) {percent['relative_error']} "
        f"and {percent['relative_error_90']}{rank}"
    )


def _beside(span: Span, row: LayerTime | None) -> list[Any]:
    if row is None:
        return [None, None, None, ""]
    return [row.estimate, row.lower_bound, row.estimate / span.median if span.median else None, row.bound or "-"]


def _whole(one: Measurement) -> str:
    low, high = seconds_text(one.whole.low), seconds_text(one.whole.high)
    return (
        f"measured without marks: {seconds_text(one.whole.median)} for a batch of {one.batch:,}, median of {one.runs} runs; "
        f"half of them from {low} to {high}"
    )


def _compared(one: Measurement, time: Time) -> list[str]:
    measured = one.whole.median
    text = (
        f"estimate for {time.device.title}: {seconds_text(time.estimate)}, {ratio_text(time.estimate / measured)} times what "
        f"was measured; lower bound {seconds_text(time.lower_bound)}"
    )
    beaten = time.lower_bound_fast > measured
    return [text, error_text(time), *["the run was faster than the lower bound: is this the device?"] * beaten]
