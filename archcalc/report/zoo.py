"""The table of the zoo's networks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

from archcalc.analysis import analyze
from archcalc.conventions import convention
from archcalc.errors import ArchcalcError, unknown
from archcalc.language.expand import expand
from archcalc.language.family import Family
from archcalc.language.zoo import networks
from archcalc.report.header import Header
from archcalc.report.table import Heading, Table, column_names, unremovable
from archcalc.units import counted

HEADINGS = {
    heading.name: heading
    for heading in (
        Heading("network", "network", "text", 9),
        Heading("title", "title", "text", 3),
        Heading("year", "year", "number", 4),
        Heading("family", "family", "text", 1),
        Heading("input", "input", "text", 5),
        Heading("params", "params", "count", 8),
        Heading("macs", "MACs", "count", 8),
    )
}
DEFAULT = ("network", "title", "year", "input", "params", "macs")
COMPUTED = {"input", "params", "macs"}


def list_table(patterns: Sequence[str] = (), columns: Sequence[str] | None = None, sort: str | None = None) -> Table:
    """One row per network whose name matches one of the patterns, grouped by family unless sorted.

    Input, params and MACs are computed only if the columns or the sort need them.
    """
    names = column_names(columns or DEFAULT, HEADINGS.values())
    (sort,) = column_names([sort], HEADINGS.values()) if sort else (None,)
    families = {
        name: family
        for name, family in networks().items()
        if not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)
    }
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in families):
            raise ArchcalcError(unknown("network", pattern, networks()))
    needed = {*names, *([sort] if sort else [])}
    by_family = sorted(families.items(), key=lambda item: natural(item[1].name, item[0]))
    rows = [_row(name, family, needed) for name, family in by_family]
    if sort:
        rows.sort(key=lambda row: natural(str(row[sort])))
    return Table(
        title="networks",
        headings=unremovable([HEADINGS[name] for name in names], columns),
        rows=[[row[name] for name in names] for row in rows],
        header=Header(about=counted(len(rows), "network"), batch=1, convention=convention("archcalc")),
    )


def _row(name: str, family: Family, needed: set[str]) -> dict[str, Any]:
    about = family.about | family.networks[name].about
    row: dict[str, Any] = {
        "network": name,
        "title": about.get("title", name),
        "year": about.get("year", ""),
        "family": family.name,
    }
    if needed & COMPUTED:
        network = expand(family, name)
        row["input"] = network.input_text
        if needed & {"params", "macs"}:
            totals = analyze(network).totals
            row |= {"params": totals.params, "macs": totals.macs}
    return row


def natural(*texts: str) -> tuple[Any, ...]:
    """A sort key that compares numbers by value: resnet18 before resnet101, and 0.25 before 0.5.

    >>> sorted(["resnet101", "v1_0.5", "resnet18", "v1_0.25"], key=natural)
    ['resnet18', 'resnet101', 'v1_0.25', 'v1_0.5']
    """
    parts = [part for text in texts for part in re.split(r"(\d+(?:\.\d+)?)", text)]
    return tuple(f"{float(part):026.6f}" if part[:1].isdigit() else part for part in parts)
