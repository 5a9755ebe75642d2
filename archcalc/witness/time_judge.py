"""Estimates of time held against measurements: ``python -m archcalc.witness.time_judge FOLDER reports/time.md``.

FOLDER has files as timm publishes them (results/ of its repository). The operators of every model are recorded once, in
all ways in which files ran it (``--results``, a file beside the report from which a stopped run goes on). The constants of
a device are fitted on one half of the model families and judged on the other half, for several halvings. A file of a
device that archcalc does not know is left out, and said.
"""

from __future__ import annotations

import argparse
import os
import random
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from archcalc.timing.constants import usual
from archcalc.witness.long_run import MOST_SECONDS, LongRun, Row
from archcalc.witness.own_times import TOLERANCE
from archcalc.witness.time_files import MeasuredFile, read_folder
from archcalc.witness.time_fit import Sample, Samples, quantiles, sample, spearman
from archcalc.witness.time_networks import kind_of, made_by, unpacked, work
from archcalc.witness.time_report import Judged, report

HALVINGS = 6


def family(model: str) -> str:
    """The family of a model: its name up to the first number or underscore."""
    return re.split(r"[0-9_.]", model, maxsplit=1)[0]


def item_of(file: MeasuredFile, model: str, side: int) -> str:
    """The item of a row; several files share it."""
    return f"{'train' if file.settings.training else 'infer'} {model} {side}"


def samples_of(file: MeasuredFile, rows: Mapping[str, Row]) -> tuple[list[Sample], list[int], dict[str, int]]:
    """The measured networks of a file that can be judged, their batches, and why others cannot be judged."""
    assert file.device is not None
    found, batches = list[Sample](), list[int]()
    left_out = {"not recorded": 0, "another form (parameters differ)": 0}
    for one in file.rows:
        row = rows.get(item_of(file, one.model, one.side))
        if row is None or row["verdict"] != "recorded":
            left_out["not recorded"] += 1
        elif one.params is not None and abs(row["params"] / 1e6 - one.params) > TOLERANCE:
            left_out["another form (parameters differ)"] += 1
        else:
            mode = file.settings._replace(batch=one.batch).mode
            operators = unpacked(row["operators"][kind_of(file.settings, file.device.kind)])
            found.append(sample(one.model, one.seconds, operators, file.device, mode))
            batches.append(one.batch)
    return found, batches, {reason: count for reason, count in left_out.items() if count}


def judged(file: MeasuredFile, rows: Mapping[str, Row]) -> Judged | None:
    """The result of one file; None if it has too few networks."""
    assert file.device is not None
    given, batches, left_out = samples_of(file, rows)
    if len(given) < 2 * HALVINGS:
        return None
    samples, start = Samples(given), usual(file.device.kind)
    images = samples.seconds / np.array(batches)
    families = np.array([family(one.name) for one in given])
    figures, errors = [], []
    for halving in range(HALVINGS):
        names = sorted(set(families))
        random.Random(halving).shuffle(names)
        seen = np.isin(families, names[: len(names) // 2])
        for chosen in (seen, ~seen):
            off = samples.errors(samples.fit(start, chosen))
            figures.append(_figures(off[~chosen], images[~chosen]))
            errors.append(np.where(chosen, np.nan, off))
    median, ninety, rank = ((float(np.median(column)), float(np.std(column))) for column in zip(*figures, strict=True))
    usually, fitted = np.nanmedian(errors, axis=0), samples.fit(start)
    shares = samples.shares(fitted)
    tens = [_after_ten(samples, images, start, halving) for halving in range(HALVINGS)]
    return Judged(
        file,
        len(given),
        left_out,
        median,
        ninety,
        rank,
        _figures(samples.errors(start), images),
        tuple((float(np.median(column)), float(np.std(column))) for column in zip(*tens, strict=True)),
        [(given[at].name, float(usually[at]), shares[at]) for at in np.argsort(-abs(usually))[:10]],
        [(one.name, one.seconds / one.lower_bound) for one in given if one.seconds < one.lower_bound],
        fitted,
    )


def _after_ten(
    samples: Samples, images: np.ndarray, start: Mapping[str, float], number: int
) -> tuple[float, float, float]:
    """The figures of all other networks after a fit of ten networks."""
    ten = np.zeros(len(samples.seconds), bool)
    ten[random.Random(number).sample(range(len(ten)), 10)] = True
    return _figures(samples.errors(samples.fit(start, ten))[~ten], images[~ten])


def _figures(off: np.ndarray, seconds: np.ndarray) -> tuple[float, float, float]:
    """The median error, the error of 90 %, and the rank correlation of the seconds for an image."""
    return *quantiles(off), spearman((1 + off) * seconds, seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="a folder with files of measurements, as timm publishes them")
    parser.add_argument("report", type=Path)
    parser.add_argument(
        "--results", type=Path, help="the file of recorded operators; default: beside the report, .jsonl"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seconds", type=float, default=MOST_SECONDS, help="how long one model may take")
    parser.add_argument("--most", type=int, help="record so many models at most; those of all families come first")
    given = parser.parse_args()
    files = read_folder(given.folder)
    known = [file for file in files if file.device is not None]
    run = LongRun(work, given.results or given.report.with_suffix(".jsonl"), made_by(), given.jobs, given.seconds)
    run.run(in_turn(known)[: given.most])
    results = [one for file in known if (one := judged(file, run.rows)) is not None]
    unknown = [file.name for file in files if file.device is None]
    given.report.write_text(report(results, unknown, run.made_by))
    for one in results:
        print(
            f"{one.file.name}: {one.models:,} networks, median error {one.median[0]:.1%}, 90 % within {one.ninety[0]:.0%}"
        )


def in_turn(files: Sequence[MeasuredFile]) -> list[str]:
    """All items, so that every family and every file comes first once before any comes twice."""
    turns: dict[str, int] = {}
    of: dict[tuple[str, str], int] = {}
    for file in files:
        rows = list(file.rows)
        random.Random(1).shuffle(rows)
        for one in rows:
            item = item_of(file, one.model, one.side)
            key = item.partition(" ")[0], family(one.model)
            if item not in turns:
                turns[item] = of[key] = of.get(key, 0) + 1
    return sorted(turns, key=turns.__getitem__)


if __name__ == "__main__":
    main()
