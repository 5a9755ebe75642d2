"""Time as columns of other tables: images per second of networks side by side, and the time of every layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from archcalc.analysis import Analysis
from archcalc.errors import ArchcalcError
from archcalc.report.header import Header
from archcalc.report.table import Heading, Table
from archcalc.report.time import TimeRequest, error_text, figure_lines, run_mode, run_options
from archcalc.timing.device import Device
from archcalc.timing.reading import device
from archcalc.timing.time import Time

RATES = (
    Heading("images_per_second", "images/s", "ratio", 8),
    Heading("images_per_second_at_most", "images/s at most", "ratio", 4),
)
"""The columns of networks side by side: from the estimate, and from the lower bound."""
RATES_LEGEND = {
    RATES[0].name: "images/s: the batch by the estimate of its time",
    RATES[1].name: "images/s at most: the batch by the lower bound of its time, which no run beats",
}


TIME_LEGEND = "time: the estimate of how long the layer takes for the batch. lower bound: no run beats it. Details: archcalc time NET"


def timed_mode(time: Time) -> list[str]:
    """The device, and how a network runs there, in words."""
    return [time.device.title, *run_mode(time.settings)]


def timed_header(header: Header, time: Time) -> Header:
    """The header of a table that has time on a device beside other figures."""
    device, *mode = timed_mode(time)
    return header._replace(
        mode=(*header.mode, f"time on {device}", *mode),
        options={**header.options, "on": time.device.name, **run_options(time.settings)},
    )


def timed_table(table: Table, time: Time) -> Table:
    """A table of layers whose rows have time, with what the time is for, and its totals."""
    return table._replace(
        header=timed_header(table.header, time),
        footer=[*table.footer, *figure_lines(time)],
        details=[*table.details, TIME_LEGEND],
        totals={**table.totals, "estimate": time.estimate, "lower_bound": time.lower_bound},
    )


class Timed:
    """The times of analyses on one device. An analysis that cannot run there has none, and a problem."""

    def __init__(self, request: TimeRequest) -> None:
        self.request = request
        self.on: Device = device(request.on)
        self._times: dict[int, Time | None] = {}
        self.problems: list[str] = []

    def time(self, analysis: Analysis) -> Time | None:
        """The time of an analysis, computed once."""
        if id(analysis) not in self._times:
            try:
                found = self.request.time(analysis, self.on)
                found.estimate  # noqa: B018 - layers of some types run on no device
                self._times[id(analysis)] = found
            except ArchcalcError as error:
                self._times[id(analysis)] = None
                self.problems.append(f"{analysis.network.full_name}: {error}")
        return self._times[id(analysis)]

    def rates(self) -> Mapping[str, tuple[Heading, Callable[[Analysis], Any]]]:
        """The columns of images per second."""
        estimate, lower_bound = RATES
        return {
            estimate.name: (estimate, lambda analysis: self._rate(analysis, "estimate")),
            lower_bound.name: (lower_bound, lambda analysis: self._rate(analysis, "lower_bound")),
        }

    def _rate(self, analysis: Analysis, figure: Literal["estimate", "lower_bound"]) -> float | None:
        time = self.time(analysis)
        seconds = 0.0 if time is None else getattr(time, figure)
        return time.settings.batch / seconds if time is not None and seconds else None

    def header(self, header: Header) -> Header:
        """The header with the device, and how the networks run there."""
        if not self._known:
            return header
        return timed_header(header, self._known[0])

    @property
    def footer(self) -> list[str]:
        """The error of the estimates, and what cannot run on the device. ArchcalcError if nothing can."""
        known = self._known
        if not known and self.problems:
            raise ArchcalcError(self.problems[0])
        return [*map(error_text, known[:1]), *self.problems]

    @property
    def _known(self) -> list[Time]:
        return [time for time in self._times.values() if time is not None]
