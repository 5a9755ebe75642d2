"""The audit of published figures as a table: the figures that do not match, or all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from archcalc.published.figure import VERDICTS, Figure
from archcalc.published.verdict import Judgement, value_text
from archcalc.report.header import Header
from archcalc.report.order import natural
from archcalc.report.table import Heading, Table

HEADINGS = (
    Heading("network", "network", "text", 9),
    Heading("layer", "layer", "text", 6),
    Heading("quantity", "quantity", "text", 7),
    Heading("printed", "printed", "text", 9),
    Heading("archcalc_value", "archcalc", "text", 8),
    Heading("verdict", "verdict", "text", 9),
    Heading("reason", "reason", "text", 4),
    Heading("source", "source", "text", 5),
    Heading("where", "where", "text", 2),
    Heading("file", "recorded in", "text", 1),
)
MATCHES = ("match", "truncated")


def audit_table(judgements: Sequence[Judgement], everything: bool = False) -> Table:
    """The figures that do not match; figures that cannot be checked share a row.

    With ``everything``, every figure has a row.
    """
    shown = [j for j in judgements if everything or j.verdict not in MATCHES or not j.as_recorded]
    rows = [_row(j) for j in shown if everything or j.verdict != "unverifiable" or not j.as_recorded]
    if not everything:
        rows += _unverifiable([j for j in shown if j.verdict == "unverifiable" and j.as_recorded])
    rows.sort(key=lambda row: natural(row[0]))
    return Table(
        title="audit",
        headings=HEADINGS,
        rows=rows,
        header=Header(
            about=f"{len(judgements):,} published figures: {tally(judgements)}", notes=tuple(_by_source(judgements))
        ),
        footer=differences(judgements) or ["all verdicts are as recorded"],
        totals=dict(Counter(j.verdict for j in judgements)),
    )


def differences(judgements: Sequence[Judgement]) -> list[str]:
    """A sentence for every verdict that differs from the recorded verdict."""
    return [
        f"{_place(j.figure)}: {_about(j.figure)}: {j.verdict}, but the data records {j.figure.verdict}"
        + (f" ({_reason(j)})" if _reason(j) else "")
        for j in judgements
        if not j.as_recorded
    ]


def tally(judgements: Sequence[Judgement]) -> str:
    """The number of each verdict, and how the matches fit."""
    counts, manners = Counter(j.verdict for j in judgements), Counter(j.manner for j in judgements)
    verdicts = [*VERDICTS, *sorted(counts.keys() - set(VERDICTS))]
    parts = [f"{counts[verdict]:,} {verdict}" for verdict in verdicts if counts[verdict]]
    if counts["match"]:
        matches = ", ".join(f"{manners[m]:,} {m}" for m in ("exact", "rounded", "within") if manners[m])
        parts[0] += f" ({matches})"
    return ", ".join(parts)


def _by_source(judgements: Sequence[Judgement]) -> list[str]:
    counts = Counter((j.figure.source.key, j.verdict) for j in judgements)
    keys = sorted({key for key, _ in counts})
    return [f"  {key}: " + ", ".join(f"{counts[key, v]:,} {v}" for v in VERDICTS if counts[key, v]) for key in keys]


def _row(j: Judgement) -> list[Any]:
    f = j.figure
    value = "" if j.value is None else value_text(j.value)
    return [
        f.subject.network,
        f.subject.layer or "total",
        f.quantity,
        f.printed.text,
        value,
        _verdict(j),
        _reason(j),
        f.source.key,
        f.place.where,
        _place(f),
    ]


def _verdict(j: Judgement) -> str:
    return f"{j.verdict}, {j.manner}" if j.verdict == "match" else j.verdict


def _reason(j: Judgement) -> str:
    return f"{j.reason}: {j.claim}" if j.claim else j.reason or j.arithmetic


def _place(figure: Figure) -> str:
    return f"{figure.file}:{figure.line}"


def _about(figure: Figure) -> str:
    layer = f" {figure.subject.layer}" if figure.subject.layer else ""
    return f"{figure.subject.network}{layer}, {figure.quantity} {figure.printed.text}"


def _unverifiable(judgements: Sequence[Judgement]) -> list[list[Any]]:
    """One row for all figures of a network and source that share a reason."""

    def key(j: Judgement) -> tuple[str, str, str]:
        return j.figure.subject.network, j.figure.source.key, j.reason

    rows = []
    for (*_, reason), group in groupby(sorted(judgements, key=key), key):
        first, *others = group
        row = _row(first)
        if others:
            row[1:7] = ["", f"{1 + len(others)} figures", "", "", first.verdict, reason]
        rows.append(row)
    return rows
