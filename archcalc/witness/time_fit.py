"""The constants of a device from measured times. Needs NumPy; to use a device with its constants needs nothing.

The logarithms of the constants are chosen so that the sum of the distances between the logarithms of estimates and
measurements is small, and so that no constant lies far from its usual value: ``LOOSE`` is the distance, as a logarithm,
that costs as much as one measurement that is 2.5 % off. So ten measurements move only the constants that they tell of.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from archcalc.timing.constants import CONSTANTS
from archcalc.timing.device import Device
from archcalc.timing.limits import Limits, Mode, bound, limits
from archcalc.timing.operators import Operator

LOOSE = 0.5
SCALE, ROUND = 0.05, 0.03
"""The distance of a measurement that costs as much as a constant at ``LOOSE``, and below which it costs little."""
STEPS = 40


class Sample(NamedTuple):
    """A measured network: its seconds, the limits of its operators with their numbers, and its lower bound."""

    name: str
    seconds: float
    limits: Counter[tuple[Any, ...]]
    lower_bound: float


def sample(name: str, seconds: float, operators: Iterable[tuple[Operator, int]], device: Device, mode: Mode) -> Sample:
    """A measured network, from its operators with their numbers."""
    found: Counter[tuple[Any, ...]] = Counter()
    least = 0.0
    for one, count in operators:
        found[_key(limits(one, device, mode))] += count
        least += count * bound(one, device, mode)
    return Sample(name, seconds, found, least)


def _key(terms: Limits) -> tuple[Any, ...]:
    return tuple(tuple(sorted(one.items())) for one in terms)


class _Side:
    """One of the limits of all operators: only the rows and the terms that it has."""

    def __init__(
        self, rows: list[tuple[int, tuple[tuple[Any, float], ...]]], count: int, constants: Sequence[str]
    ) -> None:
        self.terms = sorted({name for _, limit in rows for name, _ in limit})
        place = {name: at for at, name in enumerate(self.terms)}
        self.at = np.array([at for at, limit in rows if limit], int)
        self.values = np.zeros((len(self.at), len(self.terms)))
        for row, limit in enumerate(limit for _, limit in rows if limit):
            for name, value in limit:
                self.values[row, place[name]] = value
        uses = [[term.count(name) for name in constants] for term in self.terms]
        self.count, self.uses = count, np.array(uses, float).reshape(len(self.terms), len(constants))

    def seconds(self, logs: Any) -> Any:
        """The seconds of every operator."""
        found = np.zeros(self.count)
        found[self.at] = self.values @ np.exp(self.uses @ logs)
        return found

    def slopes(self, logs: Any, weights: Any, networks: Any) -> Any:
        """The derivative of the sums over operators, each with a weight, by the logarithms of the constants."""
        rows = self.values * weights[self.at, None]
        sums = np.zeros((networks[-1] + 1, len(self.terms)))
        np.add.at(sums, networks[self.at], rows)
        return (sums * np.exp(self.uses @ logs)) @ self.uses


class Samples:
    """Measured networks as arrays: for each limit, a row for every operator and a column for every term."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        rows = [(key, count) for one in samples for key, count in one.limits.items()]
        named = {name for key, _ in rows for limit in key for term, _ in limit for name in term}
        self.constants = [name for name in CONSTANTS if name in named]
        self.counts = np.array([count for _, count in rows], float)
        self.networks = np.repeat(np.arange(len(samples)), [len(one.limits) for one in samples])
        self.starts = np.searchsorted(self.networks, np.arange(len(samples)))
        self.seconds = np.array([one.seconds for one in samples])
        self.arithmetic, self.traffic, self.always = (
            _Side([(at, key[side]) for at, (key, _) in enumerate(rows)], len(rows), self.constants)
            for side in range(len(Limits._fields))
        )

    def estimates(self, logs: Any) -> Any:
        """The seconds of every network, for logarithms of the constants."""
        longer = np.maximum(self.arithmetic.seconds(logs), self.traffic.seconds(logs))
        return np.add.reduceat((longer + self.always.seconds(logs)) * self.counts, self.starts)

    def _slopes(self, logs: Any) -> Any:
        """The derivative of the logarithms of the seconds by the logarithms of the constants."""
        decides = self.arithmetic.seconds(logs) >= self.traffic.seconds(logs)
        sums = self.arithmetic.slopes(logs, self.counts * decides, self.networks)
        sums += self.traffic.slopes(logs, self.counts * ~decides, self.networks)
        sums += self.always.slopes(logs, self.counts, self.networks)
        return sums / self.estimates(logs)[:, None]

    def fit(self, usual: Mapping[str, float], chosen: Any = None, loose: float = LOOSE) -> dict[str, float]:
        """The constants that bring the estimates of the ``chosen`` networks (a mask; all) close to the measurements."""
        mask = np.ones(len(self.seconds), bool) if chosen is None else chosen
        begin = np.log([usual[name] for name in self.constants])
        low, high = (np.log([getattr(CONSTANTS[name], end) for name in self.constants]) for end in ("low", "high"))
        measured = np.log(self.seconds)

        def cost(logs: Any) -> float:
            off = (np.log(self.estimates(logs)) - measured)[mask]
            far = float(np.sum(((logs - begin) / loose) ** 2)) / 2
            return float(np.sum(np.sqrt(off * off + ROUND * ROUND))) / SCALE + far

        logs, damping, best = begin, 1e-2, cost(begin)
        for _ in range(STEPS):
            off, slopes = (np.log(self.estimates(logs)) - measured)[mask], self._slopes(logs)[mask]
            weights = 1 / np.sqrt(off * off + ROUND * ROUND) / SCALE
            curve = slopes.T @ (slopes * weights[:, None]) + np.eye(len(logs)) / loose**2
            slope = slopes.T @ (weights * off) + (logs - begin) / loose**2
            moved = None
            for _ in range(10):
                step = np.linalg.solve(curve + damping * np.diag(np.diag(curve)), -slope)
                there = np.clip(logs + np.clip(step, -0.7, 0.7), low, high)
                if (now := cost(there)) < best:
                    moved, gain, best, damping = there, best - now, now, max(damping / 4, 1e-5)
                    break
                damping *= 4
            if moved is None:
                break
            logs = moved
            if gain < 3e-4 * best:
                break
        return {**usual, **{name: float(np.exp(log)) for name, log in zip(self.constants, logs, strict=True)}}

    def shares(self, constants: Mapping[str, float]) -> list[dict[str, float]]:
        """By how much the estimate of every network follows each constant: 0.5 if half of it is proportional to it."""
        logs = np.log([constants[name] for name in self.constants])
        return [dict(zip(self.constants, row, strict=True)) for row in self._slopes(logs).tolist()]

    def errors(self, constants: Mapping[str, float]) -> Any:
        """Estimate / measured - 1 of every network."""
        logs = np.log([constants[name] for name in self.constants])
        return self.estimates(logs) / self.seconds - 1


def spearman(first: Any, second: Any) -> float:
    """The rank correlation."""
    ranks = [np.argsort(np.argsort(one)) for one in (first, second)]
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def quantiles(off: Any) -> tuple[float, float]:
    """Of distances from measurements: the median size, and the size below which 90 % lie."""
    return float(np.quantile(np.abs(off), 0.5)), float(np.quantile(np.abs(off), 0.9))
