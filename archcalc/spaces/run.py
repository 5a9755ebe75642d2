"""Runs a sweep to its end: the rows in memory, or in a file, with the blocks that are done kept until all are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from archcalc.errors import ArchcalcError
from archcalc.layers.settings import message_text
from archcalc.spaces.output import check_output, types_of, write
from archcalc.spaces.refusals import merged
from archcalc.spaces.store import Store
from archcalc.spaces.sweep import Request, Result, Sweep
from archcalc.spaces.workers import computed
from archcalc.units import counted

MOST_ROWS = 20_000_000
"""The most rows that are kept in memory."""
MOST_REASONS = 5
"""The most reasons for refused points that are said."""

Steps = Iterable[tuple[int, Result]]


class Outcome(NamedTuple):
    """What a sweep found. columns: the rows; None if they are in a file.

    points: that were computed. kept: the rows. refused, lacking: as in ``Result``.
    """

    sweep: Sweep
    columns: Mapping[str, Any] | None
    points: int
    kept: int
    refused: Mapping[str, int]
    lacking: int

    @property
    def lines(self) -> list[str]:
        """Sentences on the points that are left out."""
        lines = []
        if self.points < self.sweep.space.whole:
            lines.append(f"{counted(self.points, 'point')} drawn from {self.sweep.space.whole:,}")
        reasons = Counter(self.refused).most_common()
        for reason, count in reasons[:MOST_REASONS]:
            lines.append(f"{counted(count, 'point')} refused: {reason}")
        if others := reasons[MOST_REASONS:]:
            rest = sum(count for _, count in others)
            lines.append(f"{counted(rest, 'point')} refused for {counted(len(others), 'other reason')}")
        if self.lacking:
            lines.append(f"{counted(self.lacking, 'point')} without a figure of the condition left out")
        return lines


def run(
    request: Request,
    *,
    workers: int = 1,
    scheduler: str | None = None,
    output: str | None = None,
    format: str = "csv",
    progress: Callable[[Steps, int, int], Steps] = lambda steps, done, count: steps,
) -> Outcome:
    """Compute all blocks of a sweep, and write its rows to ``output`` if that is given.

    progress: a function that passes the blocks on, given the points that are done already, and all points. Blocks that an
    earlier run of the same sweep left beside ``output`` are not computed again. ArchcalcError if the sweep cannot be, or
    if the output exists or cannot be written.
    """
    if type(workers) is not int or workers < 1:
        raise ArchcalcError(f"workers: expected a whole number from 1 on, got {message_text(workers)}")
    sweep = Sweep(request)
    if output is not None:
        check_output(output, format)
    blocks = range(sweep.space.blocks)
    if output is None or len(blocks) == 1:
        found, kept = dict[int, Result](), 0
        for number, result in progress(computed(sweep, blocks, workers, scheduler), 0, sweep.space.count):
            found[number], kept = result, kept + result.kept
            if kept > MOST_ROWS:
                raise ArchcalcError(
                    f"more than {MOST_ROWS:,} rows would fill the memory: write them to a file (-o sweep.parquet), or keep fewer "
                    "(where, pareto, sample)"
                )
        return _outcome(sweep, lambda: (found[number] for number in blocks), output, format)
    store = Store(output, request, sweep.network.file)
    done = [number for number in blocks if store.done(number)]
    left = sorted({*blocks} - {*done})
    points = sum(sweep.space.block(number).points for number in done)
    try:
        for number, result in progress(computed(sweep, left, workers, scheduler), points, sweep.space.count):
            store.put(number, result)
        outcome = _outcome(sweep, lambda: map(store.get, blocks), output, format)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"stopped; the blocks that are done are kept in {store.folder}, and the same command goes on from there"
        ) from None
    store.remove()
    return outcome


def _outcome(sweep: Sweep, results: Callable[[], Iterator[Result]], output: str | None, format: str) -> Outcome:
    """The outcome of all blocks, in their order; the rows are written to a file if one is named."""
    if output is None or sweep.request.pareto:
        whole = sweep.joined(results())
        results = lambda: iter([whole])  # noqa: E731
    points, kept, lacking, refused, types = 0, 0, 0, dict[str, int](), dict[str, set[str]]()
    columns = None
    for result in results():
        columns = result.columns
        points, lacking = points + result.points, lacking + result.lacking
        kept += result.kept
        refused = merged([refused, result.refused])
        for name, found in types_of(columns).items():
            types.setdefault(name, set()).update(found)
    if sum(refused.values()) == points:
        raise ArchcalcError(f"{sweep.network.full_name} refuses every point: {next(iter(refused))}")
    outcome = Outcome(sweep, columns if output is None else None, points, kept, refused, lacking)
    if output is not None:
        about = {**facts(sweep), "refused": sum(refused.values())}
        write(output, format, (result.columns for result in results()), types, about)
    return outcome


def facts(sweep: Sweep) -> dict[str, Any]:
    """What the numbers of a sweep depend on, for programs."""
    request = sweep.request
    given = {"where": request.where, "pareto": list(request.pareto), "sample": request.sample}
    how = request.how._asdict()
    if "batch" in [axis.name for axis in request.axes]:
        del how["batch"]
    return {"network": sweep.network.full_name, **how, **{name: value for name, value in given.items() if value}}
