"""The time of a network: layer by layer on a device, or on several devices side by side; and the devices themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from archcalc.analysis import Analysis, prepared
from archcalc.errors import ArchcalcError
from archcalc.inputs import single
from archcalc.network import Network
from archcalc.report.energy import with_energy
from archcalc.report.header import Header, layer_header
from archcalc.report.table import Heading, Table
from archcalc.timing.device import Device, Measured
from archcalc.timing.reading import device, devices
from archcalc.timing.time import Settings, Time, need_memory
from archcalc.units import seconds_text

LAYERS = (
    Heading("layer", "layer", "text", 9),
    Heading("type", "type", "text", 6),
    Heading("macs", "MACs", "count", 4),
    Heading("bytes", "bytes", "bytes", 4),
    Heading("intensity", "ops/byte", "ratio", 3),
    Heading("lower_bound", "lower bound", "seconds", 7, "time"),
    Heading("estimate", "estimate", "seconds", 9, "time"),
    Heading("share", "share %", "ratio", 8),
    Heading("bound", "bound by", "text", 8),
)
PASSES = (
    Heading("forward", "forward", "seconds", 5, "time"),
    Heading("backward", "backward", "seconds", 5, "time"),
    Heading("step", "step", "seconds", 2, "time"),
)
DEVICES = (
    Heading("device", "device", "text", 9),
    Heading("lower_bound", "lower bound", "seconds", 7, "time"),
    Heading("estimate", "estimate", "seconds", 9, "time"),
    Heading("images_per_second", "images/s", "ratio", 8),
    Heading("error", "error %", "ratio", 6),
    Heading("error_90", "90 % within %", "ratio", 5),
    Heading("note", "note", "text", 4),
)
DETAILS = (
    "lower bound: no run beats it: peaks at the highest clock, and bytes that the last-level cache cannot hold. estimate: "
    "each operator takes the longer of its arithmetic and its traffic, each by its efficiency, and a launch.",
    "bound by: what most of the estimate of a layer goes to. ops/byte: operations of matrix products for every byte read "
    "or written.",
    "not included: other processes, clocks that fall with heat, reading the images, and communication between devices.",
)


class TimeRequest(NamedTuple):
    """A request for a table of time. The attributes are the options of ``archcalc time``."""

    on: str
    batch: int | None = None
    dtype: str = "float32"
    amp: bool = False
    training: bool = False
    optimizer: str | None = None
    compiled: bool = False
    channels_last: bool = False
    tf32: bool = False
    fit: str | None = None
    energy: bool = False

    def time(self, analysis: Analysis, on: Device) -> Time:
        """The time on a device. ArchcalcError if the batch does not fit the memory of the device."""
        found = analysis.time(
            on,
            amp=self.amp,
            training=self.training,
            optimizer=self.optimizer or "sgd",
            compiled=self.compiled,
            channels_last=self.channels_last,
            tf32=self.tf32,
        )
        batch, size = single(analysis.batch, "batch"), int(on.memory.value)
        needed, largest = self.memory(analysis)
        need_memory(on, needed(batch), batch, largest(size))
        return found

    def timed(self, analysis: Analysis) -> Analysis:
        """The analysis with the time of every row on the device of the request."""
        return analysis.with_time(self.time(analysis, device(self.on)))

    def memory(self, analysis: Analysis) -> tuple[Callable[[int], int], Callable[[int], int]]:
        """The bytes that a batch needs, and the largest batch for which so many bytes are enough."""
        budget = analysis.memory(self.optimizer or "sgd", amp=self.amp)
        if self.training:
            return lambda batch: budget.training_parts(batch).total, budget.largest_training
        return lambda batch: budget.inference_parts(batch).total, budget.largest_inference


def time_table(network: Network, request: TimeRequest, columns: Sequence[str] | None = None) -> Table:
    """The table of ``archcalc time``: layer by layer on a device; with ``all``, a row for every device."""
    analysis = prepared(
        network, None, 1 if request.batch is None else request.batch, request.dtype, training=request.training
    )
    if request.on == "all":
        if request.energy:
            raise ArchcalcError("--energy is the same for all devices of the table: name one, as in --on rtx4090")
        return _on_all(analysis, request).selected(columns)
    time = request.time(analysis, device(request.on))
    return (with_energy(_on_one(time), time) if request.energy else _on_one(time)).selected(columns)


def _on_one(time: Time) -> Table:
    headings = [*LAYERS[:-2], *(PASSES if time.settings.training else ()), *LAYERS[-2:]]
    rows: list[list[Any]] = []
    for row in time.rows:
        passes = [row.forward, row.backward, row.step] if time.settings.training else []
        share = 100 * row.estimate / time.estimate if time.estimate else 0.0
        cells = [row.name, row.type, row.macs, row.bytes, row.intensity or None, row.lower_bound, row.estimate]
        rows.append([*cells, *passes, share, row.bound or "-"])
    totals = [sum(row[at] for row in rows) for at in range(5, len(headings) - 2)]
    macs, moved = (sum(row[at] for row in rows) for at in (2, 3))
    return Table(
        title=time.network.title,
        headings=headings,
        rows=rows,
        total=["total", "", macs, moved, None, *totals, 100.0 if rows else 0.0, ""],
        header=time_header(time, f"time on {time.device.title}"),
        footer=[*figure_lines(time), *_winograd(time), *_tf32(time)],
        details=DETAILS,
        totals={
            "estimate": time.estimate,
            "lower_bound": time.lower_bound,
            "lower_bound_fast": time.lower_bound_fast,
            "images_per_second": _per_second(time),
            **_error_facts(time.error),
        },
    )


def figure_lines(time: Time) -> list[str]:
    """The three figures, as sentences."""
    batch = time.settings.batch
    return [
        f"lower bound {seconds_text(time.lower_bound)}, estimate {seconds_text(time.estimate)} for a batch of {batch:,}: "
        f"{_per_second(time):,.0f} images per second",
        error_text(time),
    ]


def error_text(time: Time) -> str:
    """How far estimates of this kind lay from measurements."""
    found = time.error
    if found is None:
        return f"error: nothing was ever measured on {time.device.title} in this mode ({time.mode})"
    return (
        f"error: estimates on {time.device.title} ({time.mode}) lay {100 * found.median:.1f} % (median) from the "
        f"measurements of {found.networks:,} networks, 90 % of them within {100 * found.ninety:.0f} %"
    )


def _winograd(time: Time) -> list[str]:
    """A note, if a fast algorithm could beat the lower bound."""
    half = time.settings.amp or time.settings.dtype != "float32" or time.settings.tf32
    if half or time.lower_bound_fast >= time.lower_bound:
        return []
    return [
        f"with Winograd's algorithm for 3x3 convolutions, a run can beat the lower bound, down to "
        f"{seconds_text(time.lower_bound_fast)}"
    ]


def _tf32(time: Time) -> list[str]:
    """A note, if PyTorch rounds the factors of convolutions to TF32 unless it is told otherwise."""
    settings = time.settings
    if settings.dtype != "float32" or settings.amp or settings.tf32 or "tf32" not in time.device.matrix:
        return []
    return ["convolutions in full float32; PyTorch takes TF32 for them, unless it is told otherwise: --tf32"]


def _per_second(time: Time) -> float:
    return time.settings.batch / time.estimate if time.estimate else 0.0


def _error_facts(found: Measured | None) -> dict[str, float | None]:
    return {"error": found and found.median, "error_90": found and found.ninety}


def time_header(time: Time, what: str) -> Header:
    """The header of a table of times."""
    settings = time.settings
    analysis = prepared(time.network, None, settings.batch, settings.dtype, training=settings.training)
    return layer_header(analysis)._replace(
        convention=None,
        unknown_types=None,
        mode=(what, *run_mode(settings)),
        options=run_options(settings),
    )


def run_mode(settings: Settings) -> list[str]:
    """How a network runs, in words, without batch and dtype."""
    mode = ["a step of training" if settings.training else "inference"]
    mode += [f"optimizer {settings.optimizer}"] * settings.training
    mode += ["mixed precision (autocast to half precision)"] * settings.amp + ["TF32"] * settings.tf32
    mode += ["compiled" if settings.compiled else "eager"] + ["channels last"] * settings.channels_last
    return mode


def run_options(settings: Settings) -> dict[str, Any]:
    """How a network runs, for programs, without batch and dtype."""
    return {name: value for name, value in settings._asdict().items() if name not in ("batch", "dtype")}


def _on_all(analysis: Analysis, request: TimeRequest) -> Table:
    rows: list[list[Any]] = []
    shown = None
    for one in devices():
        try:
            time = shown = request.time(analysis, one)
        except ArchcalcError as error:
            rows.append([one.name, None, None, None, None, None, str(error)])
            continue
        percent = [None if x is None else 100 * x for x in _error_facts(time.error).values()]
        note = "" if time.error else "never measured in this mode"
        rows.append([one.name, time.lower_bound, time.estimate, _per_second(time), *percent, note])
    if shown is None:
        raise ArchcalcError(f"{analysis.network.full_name} runs on no device: {rows[0][-1]}")
    return Table(
        title=analysis.network.title,
        headings=DEVICES,
        rows=rows,
        header=time_header(shown, "time on all devices"),
        details=[DETAILS[0], DETAILS[2], "error %: median distance of estimates from measurements on the device."],
    )
