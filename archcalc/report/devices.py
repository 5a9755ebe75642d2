"""The devices: all of them, a row each; or every figure of one device, with its source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from archcalc.report.header import Header
from archcalc.report.table import Heading, Table
from archcalc.timing.constants import CONSTANTS, usual
from archcalc.timing.device import Device, Figure
from archcalc.timing.reading import CLOCKS, SIZES, SPEEDS, devices
from archcalc.timing.writing import FLOPS, OPERATIONS, digits, number_text

LISTED = (
    Heading("device", "device", "text", 9),
    Heading("title", "title", "text", 7),
    Heading("float32", "float32 TFLOPS", "ratio", 8),
    Heading("half", "half TFLOPS", "ratio", 8),
    Heading("bandwidth", "GB/s", "ratio", 8),
    Heading("cache", "cache", "bytes", 4),
    Heading("memory", "memory", "bytes", 5),
    Heading("error", "error %", "ratio", 6),
    Heading("measured", "measured on", "text", 3),
    Heading("sources", "sources", "text", 2),
)
FIGURES = (
    Heading("figure", "figure", "text", 9),
    Heading("value", "value", "text", 9),
    Heading("known", "known", "text", 6),
    Heading("source", "source", "text", 5),
)


def devices_table(columns: Sequence[str] | None = None) -> Table:
    """All devices, with their peaks, their bandwidth, their sources, and how far estimates lay from measurements."""
    rows = []
    for one in devices():
        half = one.matrix.get("float16") or one.vector.get("float16")
        best = min((error.median for error in one.errors), default=None)
        rows.append(
            [
                one.name,
                one.title,
                one.peak("float32") / 1e12,
                half and half.value / 1e12,
                one.bandwidth.value / 1e9,
                int(one.cache.value),
                int(one.memory.value),
                None if best is None else 100 * best,
                ", ".join(f"{error.mode} ({error.networks:,})" for error in one.errors) or "nothing",
                "; ".join(f"{source} ({how})" for source, how in sources(one).items()),
            ]
        )
    return Table(
        title="devices",
        headings=LISTED,
        rows=rows,
        header=Header(about=f"{len(rows)} devices"),
        footer=[
            "Peaks are dense; a multiply-add is two operations. half: float16, in units for matrix products if there are."
        ],
    ).selected(columns)


def sources(one: Device) -> dict[str, str]:
    """The sources of the figures of a device, each with how its figures are known: ``read, recalled``."""
    ways: dict[str, dict[str, None]] = {}
    for figure in figures(one):
        if figure.source:
            ways.setdefault(figure.source, {})[figure.how] = None
    return {source: ", ".join(sorted(known)) for source, known in ways.items()}


def figures(one: Device) -> list[Figure]:
    """The figures of the data sheet of a device."""
    return [*one.vector.values(), *one.matrix.values(), one.bandwidth, one.cache, one.memory]


def device_table(one: Device) -> Table:
    """Every figure of a device with its source, the constants that are not the usual ones, and the errors of estimates."""
    rows: list[list[Any]] = []

    def add(what: str, figure: Figure, units: Mapping[str, float]) -> None:
        rows.append([what, number_text(figure.value, units), figure.how, figure.source])

    for kind, peaks in (("", one.vector), (", matrix units", one.matrix)):
        for dtype, figure in peaks.items():
            add(f"peak {dtype}{kind}", figure, OPERATIONS if "int" in dtype else FLOPS)
    add("bandwidth", one.bandwidth, SPEEDS)
    add("cache", one.cache, SIZES)
    add("memory", one.memory, SIZES)
    for what, figure in zip(("clock of the peaks", "highest clock"), one.clock, strict=True):
        if figure.value > 1:
            add(what, figure, CLOCKS)
    own = {name: value for name, value in one.constants.items() if digits(value) != digits(usual(one.kind)[name])}
    rows += [[name, f"{digits(value)} {CONSTANTS[name].unit}", "fitted", one.fitted] for name, value in own.items()]
    errors = [
        f"error ({error.mode}): {100 * error.median:.1f} % (median), 90 % within {100 * error.ninety:.0f} %, of "
        f"{error.networks:,} networks; {error.source}"
        for error in one.errors
    ]
    return Table(
        title=one.title,
        headings=FIGURES,
        rows=rows,
        header=Header(
            about=f"{one.title} ({one.name}), {one.kind}",
            notes=(one.note,) if one.note else (),
            options={"device": one.name},
        ),
        footer=[
            *(errors or ["error: nothing was ever measured on this device"]),
            *["the constants of the estimate are the usual ones of its kind: nothing is fitted"] * (not own),
        ],
    )
