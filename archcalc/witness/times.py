"""Measured times, as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import quantiles
from typing import NamedTuple

from archcalc.network import Network

MOST_SECONDS = 20.0
"""After so many seconds, no run begins, if there were a few."""


class Span(NamedTuple):
    """Repeated measurements of a time, in seconds: the median, and the range of the middle half."""

    median: float
    low: float
    high: float

    @property
    def spread(self) -> float:
        """The width of the middle half, as a share of the median."""
        return (self.high - self.low) / self.median if self.median else 0.0

    @staticmethod
    def of(times: Sequence[float]) -> Span:
        low, middle, high = quantiles(times, n=4, method="inclusive")
        return Span(middle, low, high)


class Measurement(NamedTuple):
    """How long a network took here: in whole, and each layer by its name. ``about``: the device and the versions."""

    network: Network
    about: str
    batch: int
    channels_last: bool
    runs: int
    whole: Span
    layers: Mapping[str, Span]
