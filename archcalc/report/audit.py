"""The audit of published figures: a table of what is not a match, and the report that is read as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import groupby
from typing import Any

from archcalc.published.figures import CONFIDENCE, VERDICTS, Figure
from archcalc.published.verdict import Judgement, value_text
from archcalc.report.table import Heading, Table
from archcalc.report.zoo import natural
from archcalc.version import __version__

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
    """Every figure that is not a match, or everything; figures that cannot be checked share a row otherwise."""
    shown = [j for j in judgements if everything or j.verdict not in MATCHES or not j.as_recorded]
    rows = [_row(j) for j in shown if everything or j.verdict != "unverifiable" or not j.as_recorded]
    if not everything:
        rows += _unverifiable([j for j in shown if j.verdict == "unverifiable" and j.as_recorded])
    rows.sort(key=lambda row: natural(row[0]))
    return Table(
        title="audit",
        headings=HEADINGS,
        rows=rows,
        header=[
            f"{len(judgements):,} published figures: {tally(judgements)}",
            *_by_source(judgements),
            f"archcalc {__version__}",
        ],
        footer=differences(judgements) or ["every verdict is the recorded one"],
        meta={"archcalc": __version__},
        totals=dict(Counter(j.verdict for j in judgements)),
    )


def differences(judgements: Sequence[Judgement]) -> list[str]:
    """A sentence for every verdict that is not the recorded one."""
    return [
        f"{_place(j.figure)}: {_about(j.figure)}: {j.verdict}, but the data records {j.figure.verdict}"
        + (f" ({_reason(j)})" if _reason(j) else "")
        for j in judgements
        if not j.as_recorded
    ]


def tally(judgements: Sequence[Judgement]) -> str:
    """How many there are of each verdict, and how the matches came about."""
    counts, manners = Counter(j.verdict for j in judgements), Counter(j.manner for j in judgements)
    known = [*VERDICTS, *sorted(counts.keys() - set(VERDICTS))]
    parts = [f"{counts[verdict]:,} {verdict}" for verdict in known if counts[verdict]]
    if counts["match"]:
        ways = ", ".join(f"{manners[m]:,} {m}" for m in ("exact", "rounded", "within") if manners[m])
        parts[0] += f" ({ways})"
    return ", ".join(parts)


def _by_source(judgements: Sequence[Judgement]) -> list[str]:
    found = Counter((j.figure.source.key, j.verdict) for j in judgements)
    keys = sorted({key for key, _ in found})
    return [f"  {key}: " + ", ".join(f"{found[key, v]:,} {v}" for v in VERDICTS if found[key, v]) for key in keys]


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
        f.where,
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


def audit_report(judgements: Sequence[Judgement]) -> str:
    """reports/audit.md: the errata of the field, by network, with the arithmetic and the sources."""
    of = {verdict: [j for j in judgements if j.verdict == verdict] for verdict in VERDICTS}
    parts = [
        "# Published figures on trial",
        "",
        "Generated by `archcalc audit --report -o reports/audit.md`. [How a verdict is reached](../docs/audit.md).",
        "",
        f"{len(judgements):,} figures: {tally(judgements)}.",
        "",
        "## Wrong",
        "",
        "What is printed, what the network as the source describes it gives, and what yields the printed number, where",
        "that is known. A conjecture says that it is one.",
        "",
        *_listed(of["wrong"], _wrong),
        "## Other convention",
        "",
        "Right, when counted in another way than the source says.",
        "",
        *_listed(of["other convention"], _other),
        "## Other variant",
        "",
        "Right for another network, or another input, than the one that the source names.",
        "",
        *_listed(of["other variant"], _other),
        "## Cut off instead of rounded",
        "",
        *_listed(of["truncated"], lambda j: f"{_told(j)}: {_value(j)}"),
        "## Not checked",
        "",
        "| network | figures | why | source |",
        "|---|---|---|---|",
        *_not_checked(of["unverifiable"]),
        "",
        "## Sources",
        "",
        "| source | figures | verdicts |",
        "|---|---|---|",
        *_sources(judgements),
    ]
    return "\n".join(parts) + "\n"


def _listed(judgements: Sequence[Judgement], said: Callable[[Judgement], str]) -> list[str]:
    """A heading for each network, and a line for each figure."""
    ordered = sorted(judgements, key=lambda j: natural(j.figure.subject.network))
    lines = []
    for network, group in groupby(ordered, lambda j: j.figure.subject.network):
        lines += [f"### {network}", "", *(f"- {said(j)}" for j in group), ""]
    return lines


def _told(j: Judgement) -> str:
    f = j.figure
    layer = f"`{f.subject.layer}`, " if f.subject.layer else ""
    known = "" if f.confidence == "read" else f", {CONFIDENCE[f.confidence]}"
    note = f"; {f.note}" if f.note else ""
    source = f"[{f.source.key}]({f.source.link}), {f.where}{known}{note}"
    return f"{layer}{f.quantity} **{f.printed.text}**{_heading(f)} ({source})"


def _heading(figure: Figure) -> str:
    """The unit that stands in the column's title."""
    return f" {figure.heading}" if figure.heading else ""


def _value(j: Judgement) -> str:
    text = j.arithmetic or (value_text(j.value) if j.value is not None else "")
    unit = j.figure.printed.unit
    if unit.power == 1 and not unit.bytes and isinstance(j.value, Fraction):
        return f"{text}, {float(j.value / 1000):,.1f} K or {float(j.value / 1024):,.1f} x 1024"
    return text


def _wrong(j: Judgement) -> str:
    slip = f" The printed number comes from {j.claim}: {j.reason}." if j.claim else ""
    return f"{_told(j)}: it is {_value(j)}.{slip}"


def _other(j: Judgement) -> str:
    return f"{_told(j)}: {_value(j)} as described; {j.reason}: {j.claim}."


def _not_checked(judgements: Sequence[Judgement]) -> list[str]:
    counts = Counter((j.figure.subject.network, j.reason, j.figure.source.key) for j in judgements)
    links = {j.figure.source.key: j.figure.source.link for j in judgements}
    return [
        f"| {network} | {n} | {reason} | [{key}]({links[key]}) |"
        for (network, reason, key), n in sorted(counts.items(), key=lambda c: natural(*c[0]))
    ]


def _sources(judgements: Sequence[Judgement]) -> list[str]:
    by_key = sorted(judgements, key=lambda j: j.figure.source.key)
    return [
        f"| [{source.title}]({source.link}) | {len(found):,} | {tally(found)} |"
        for source, group in groupby(by_key, lambda j: j.figure.source)
        for found in [list(group)]
    ]
