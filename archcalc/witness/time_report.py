"""The report on estimates of time: a table of all files, and for each file its worst networks and its constants."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from archcalc.timing.constants import CONSTANTS
from archcalc.witness.time_files import MeasuredFile

HALF = (
    "queries over three or five axes, whose attention PyTorch computes in steps: up to 2.4 in half precision, from 2.5 on, "
    "as recorded here, in single precision"
)
REASONS: Sequence[tuple[str, str]] = (("nest_", HALF), ("samvit_", HALF), ("twins_", HALF))
"""Why estimates of some families are wrong, by a part of the name: what was checked operator by operator."""
CLOCK, OF_CLOCK = "by less than 1 %, as a card does whose clock is above the highest of its data sheet", 0.01
OF_CONSTANT = 0.605
"""The share of an estimate from which one constant explains its error."""
MOST_SHARES, LEAST_SHARE = 3, 0.05
OLDER = re.compile(r"pt(1\d\d|2[0-4]\d)")
"""The name of a file that PyTorch before 2.5 made."""


class Judged(NamedTuple):
    """The result of one file.

    models: networks that were judged. left_out: the reasons for which others were not, with their numbers
    median, ninety, rank: over the halvings, of networks of families that the fit had not seen: the median of each
            figure, and its standard deviation
    sheet: the same three figures for the usual constants of the kind of device, without any fit
    ten:   the same after a fit of ten networks, with the spread
    worst: the networks with the largest errors, each with the median over the halvings, and how much its estimate
            follows each constant
    beaten: networks that were faster than their lower bound, with measured / bound
    constants: the constants that were fitted on all networks
    """

    file: MeasuredFile
    models: int
    left_out: Mapping[str, int]
    median: tuple[float, float]
    ninety: tuple[float, float]
    rank: tuple[float, float]
    sheet: tuple[float, float, float]
    ten: tuple[tuple[float, float], ...]
    worst: Sequence[tuple[str, float, Mapping[str, float]]]
    beaten: Sequence[tuple[str, float]]
    constants: Mapping[str, float]


def report(results: Sequence[Judged], unknown: Sequence[str], made_by: str) -> str:
    """The report as Markdown."""
    return "\n".join(_lines(results, unknown, made_by)) + "\n"


def _lines(results: Sequence[Judged], unknown: Sequence[str], made_by: str) -> Iterator[str]:
    yield "# Time: estimates and measurements"
    yield ""
    yield (
        "The truth is timm's own benchmark, measured by its authors (folder results/ of timm's repository). The code of "
        "every model runs on tensors without values, which notes its operators, with the casts of autocast; for inference "
        "it is reparameterised, and normalises in half precision, as the files were made. The constants of the device are "
        "fitted on one half of the model families and judged on the other half: the figures are medians over six random "
        "halvings, each in both directions, with their standard deviation. Error: the distance of estimate / measured from "
        "1. Spearman: of the times for one image."
    )
    yield ""
    yield f"Made by {made_by}, with `python -m archcalc.witness.time_judge FOLDER reports/time.md`."
    yield ""
    yield "| file | networks | median error | 90 % within | Spearman | data sheet alone | after ten networks | bound beaten |"
    yield "| --- | --: | --: | --: | --: | --: | --: | --: |"
    for one in results:
        sheet = f"{_percent(one.sheet[0])}, {_percent(one.sheet[1])}, {one.sheet[2]:.4f}"
        ten = f"{_percent(one.ten[0][0])}, {_percent(one.ten[1][0])}, {one.ten[2][0]:.4f}"
        yield (
            f"| {one.file.name} | {one.models:,} | {_spread(one.median)} | {_spread(one.ninety)} | "
            f"{one.rank[0]:.4f} ± {one.rank[1]:.4f} | {sheet} | {ten} | {len(one.beaten)} |"
        )
    yield ""
    yield (
        "Data sheet alone: the usual constants of the kind of device, nothing fitted (these constants were chosen in sight of "
        "the files of this report). After ten networks: fitted on ten networks at random, median over six "
        "draws. Both: median, 90 %, Spearman. The estimate follows a constant by 50 % if half of it is proportional to the constant."
    )
    if any("not recorded" in one.left_out for one in results):
        yield ""
        yield "Not recorded: the run did not reach these models, or they cannot be built or run. A complete run reaches all."
    for name in unknown:
        yield ""
        yield f"{name} is left out: archcalc knows no device that its name says."
    for one in results:
        yield from _of_file(one)


def _of_file(one: Judged) -> Iterator[str]:
    yield ""
    yield f"## {one.file.name}"
    yield ""
    device = one.file.device
    assert device is not None
    left = ", ".join(f"{reason}: {count:,}" for reason, count in one.left_out.items())
    yield f"{device.title}. {one.models:,} of {len(one.file.rows):,} rows are judged" + (
        f"; left out: {left}." if left else "."
    )
    yield ""
    yield "| network | error | the estimate follows | reason |"
    yield "| --- | --: | --- | --- |"
    for name, error, shares in one.worst:
        largest = sorted(shares.items(), key=lambda item: -item[1])[:MOST_SHARES]
        follows = ", ".join(f"{constant} {share:.0%}" for constant, share in largest if share >= LEAST_SHARE)
        reason = _reason(name, one) or _of_one_constant(*largest[0])
        yield f"| {name} | {error:+.0%} | {follows} | {reason} |"
    if one.beaten:
        yield ""
        named = "; ".join(
            f"{name} ({ratio:.3f}: {_reason(name, one) or _of_clock(ratio)})" for name, ratio in one.beaten[:10]
        )
        yield f"Faster than the lower bound (measured / bound, and why): {named}."
    yield ""
    yield "| constant | fitted on all | unit |"
    yield "| --- | --: | --- |"
    for name, value in one.constants.items():
        yield f"| {name} | {value:.3g} | {CONSTANTS[name].unit} |"


def _reason(name: str, one: Judged) -> str:
    """Why an estimate is wrong, if that is known. The listed reasons are of files that an older PyTorch made."""
    older = OLDER.search(one.file.name) is not None
    return next((reason for part, reason in REASONS if older and part in name), "")


def _of_one_constant(constant: str, share: float) -> str:
    """The reason if most of an estimate hangs on one constant."""
    if share < OF_CONSTANT:
        return "not explained"
    return f"one constant stands for all such kernels: {CONSTANTS[constant].about}"


def _of_clock(ratio: float) -> str:
    """Why a bound was beaten, if that was by little."""
    return CLOCK if ratio > 1 - OF_CLOCK else "not explained"


def _percent(part: float) -> str:
    return f"{100 * part:.1f} %"


def _spread(figure: tuple[float, float]) -> str:
    return f"{100 * figure[0]:.1f} ± {100 * figure[1]:.1f} %"
