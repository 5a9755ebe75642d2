"""A device with constants that are fitted on networks which a user measured."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from archcalc.errors import ArchcalcError, Problem
from archcalc.timing.device import Device, Measured
from archcalc.timing.operators import Operator
from archcalc.timing.time import FAST, Time, recorded
from archcalc.units import seconds_text
from archcalc.witness.own_times import OwnFile
from archcalc.witness.time_fit import Sample, Samples, quantiles, sample, spearman

LEAST = 5
"""The fewest networks that a device is fitted on."""
FAR = 0.5
"""The median error from which on something else than the constants must be wrong."""
PARTS = 10
"""Parts of the networks, of which each is estimated by a fit on the others."""


class Fitted(NamedTuple):
    """The device with its constants, and sentences about the fit."""

    device: Device
    notes: list[str]


def samples(file: OwnFile) -> Iterator[Sample | Problem]:
    """Every run of a file: its limits, or why it is left out.

    ArchcalcError for a network that a file of one's own names, and that does not exist.
    """
    if file.is_timm:  # models of timm take seconds each
        _need_networks(file, {run.name for run in file.runs}, [])
    known: dict[tuple[str, str | None, bool], list[Operator] | Problem] = {}
    for run in file.runs:
        key = run.name, run.input, run.batch == 1
        settings = file.settings._replace(batch=run.batch)
        if key not in known:
            try:
                network = run.network()
                Time(network, file.device, settings)  # the device may lack the dtype
                known[key] = recorded(network, settings, file.device.kind)
            except ArchcalcError as error:
                known[key] = error.problems[0]
        found = known[key]
        if isinstance(found, Problem):
            yield found
        else:
            yield sample(run.name, run.seconds, [(one, 1) for one in found], file.device, settings.mode)


def fitted(file: OwnFile, found: Sequence[Sample | Problem]) -> Fitted:
    """The device of a file with constants that are fitted on its runs. ArchcalcError if there are too few networks."""
    problems = list(dict.fromkeys(one for one in found if isinstance(one, Problem)))
    if problems and not file.is_timm:
        raise ArchcalcError(problems)
    given = [one for one in found if isinstance(one, Sample)]
    names = np.array([one.name for one in given])
    count = len(set(names))
    _need_networks(file, set(names), problems)
    _need_possible(file, given)
    arrays, start = Samples(given), file.device.constants
    before, after = arrays.errors(start), _unseen(arrays, start, names)
    median, ninety = quantiles(after)
    rank = spearman((1 + after) * arrays.seconds, arrays.seconds)
    source = f"{file.path.name}; each network by a fit on the others"
    device = file.device._replace(
        constants=arrays.fit(start),
        fitted=f"{len(given):,} runs of {count:,} networks in {file.path.name} ({file.settings.name})",
        errors=(Measured(file.settings.name, count, median, ninety, rank, source),),
        also=(),
    )
    notes = [
        f"{count:,} networks on {device.title} ({file.settings.name}): estimates of a network by a fit on the others lay "
        f"{100 * median:.1f} % (median) from its measurements, 90 % of them within {100 * ninety:.0f} %; without a fit, "
        "{:.1f} % and {:.0f} %".format(*(100 * part for part in quantiles(before)))
    ]
    notes += ["the estimates are far off: are the device, the mode and the unit of time right?"] * (median > FAR)
    notes += [f"left out: {one}" for one in problems[:10]]
    notes += [f"left out: {len(problems) - 10:,} more"] * (len(problems) > 10)
    return Fitted(device, notes)


def _need_networks(file: OwnFile, names: Collection[str], left_out: Sequence[Problem]) -> None:
    """ArchcalcError if there are too few networks for a fit."""
    if len(names) < LEAST:
        left = f", after {len(left_out):,} were left out: {left_out[0].text}" if left_out else ""
        text = f"has {len(names)} different network{'' if len(names) == 1 else 's'}; a fit needs at least {LEAST}{left}"
        raise ArchcalcError(Problem(text, str(file.path)))


def _need_possible(file: OwnFile, given: Sequence[Sample]) -> None:
    """ArchcalcError if most runs were faster than the lower bound, even that of fast algorithms."""
    beaten = [one for one in given if FAST * one.seconds < one.lower_bound]
    if 2 * len(beaten) > len(given):
        one = beaten[0]
        text = (
            f"{len(beaten):,} of {len(given):,} runs were faster than any run on {file.device.title} can be: {one.name} took "
            f"{seconds_text(one.seconds)}, and its lower bound is {seconds_text(one.lower_bound)}; "
            "are the device, the mode and the unit of time right?"
        )
        raise ArchcalcError(Problem(text, str(file.path)))


def _unseen(arrays: Samples, start: Mapping[str, float], names: Any) -> Any:
    """Estimate / measured - 1 of every run, each by a fit on the other networks."""
    off = np.zeros(len(names))
    for part in range(PARTS):
        chosen = np.isin(names, sorted(set(names))[part::PARTS])
        if chosen.any():
            off[chosen] = arrays.errors(arrays.fit(start, ~chosen))[chosen]
    return off
