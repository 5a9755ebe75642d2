"""The time of a network as it was measured here, beside the estimate, layer by layer."""

from __future__ import annotations

from typing import Any

from archcalc.analysis import prepared
from archcalc.report.header import layer_header
from archcalc.report.table import Heading, Table
from archcalc.report.time import TimeRequest, error_text
from archcalc.timing.reading import device
from archcalc.timing.time import LayerTime, Time
from archcalc.units import ratio_text, seconds_text
from archcalc.witness.times import Measurement, Span

MEASURED = (
    Heading("layer", "layer", "text", 9),
    Heading("type", "type", "text", 5),
    Heading("measured", "measured", "seconds", 9, "time"),
    Heading("spread", "spread %", "ratio", 4),
)
BESIDE = (
    Heading("estimate", "estimate", "seconds", 8, "time"),
    Heading("lower_bound", "lower bound", "seconds", 5, "time"),
    Heading("ratio", "estimate / measured", "ratio", 7),
    Heading("bound", "bound by", "text", 6),
)
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
        footer=[_whole(one), *([] if time is None else _compared(one, time))],
        details=DETAILS,
        totals={
            "measured": one.whole.median,
            "measured_low": one.whole.low,
            "measured_high": one.whole.high,
            "runs": one.runs,
            **({} if time is None else {"estimate": time.estimate, "lower_bound": time.lower_bound}),
        },
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
