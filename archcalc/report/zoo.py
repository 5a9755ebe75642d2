"""The table of the zoo's networks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any, TypeAlias

from archcalc.analysis import Analysis, prepared
from archcalc.conditions.condition import Chosen, chosen
from archcalc.conventions import convention
from archcalc.errors import ArchcalcError, unknown
from archcalc.forks import in_copies
from archcalc.language.expand import expand
from archcalc.language.family import Family
from archcalc.language.zoo import networks
from archcalc.report.compare import COLUMNS
from archcalc.report.header import Header
from archcalc.report.layers import GATED
from archcalc.report.order import Order, lacking_lines, natural
from archcalc.report.settings import setting_cell, setting_columns
from archcalc.report.table import Heading, Table, column_names, unremovable
from archcalc.units import counted

OWN = (
    Heading("network", "network", "text", 9),
    Heading("title", "title", "text", 3),
    Heading("year", "year", "number", 4),
    Heading("family", "family", "text", 1),
)
"""Columns for which no network is built."""
HEADINGS = {
    heading.name: heading
    for heading in (*OWN, *(heading for name, (heading, _) in COLUMNS.items() if name not in ("network", GATED.name)))
}
Row: TypeAlias = dict[str, Any]
"""The cells of a network by column."""
MANY = 64
"""The fewest networks that are computed in several processes."""
DEFAULT = ("network", "title", "year", "input", "params", "macs")


def list_table(
    patterns: Sequence[str] = (),
    columns: Sequence[str] | None = None,
    sort: str | None = None,
    where: str | None = None,
    processes: int = 1,
) -> Table:
    """One row per network whose name matches one of the patterns, and which meets the condition ``where``.

    Rows are grouped by family, or sorted by the column ``sort`` (``-macs``: the largest first). The settings of these
    networks are columns too. Networks are built only if the columns, the order or the condition need that, and if they are
    many, in several ``processes``. ArchcalcError for a condition that cannot be read.
    """
    families = _matching(patterns)
    settings = {name: family.params | family.networks[name].settings for name, family in families.items()}
    of_settings = setting_columns(settings.values(), HEADINGS)
    headings = HEADINGS | of_settings
    names = column_names(columns or DEFAULT, headings.values())
    order = Order.of(sort, headings.values())
    needed = {*names, *([order.column] if order else [])}
    by_family = sorted(families.items(), key=lambda item: natural(item[1].name, item[0]))
    lacking = dict[str, str]()
    if where is not None or needed - {heading.name for heading in OWN} - set(of_settings):
        named = {key for one in settings.values() for key in one}
        rows, lacking = _computed(by_family, needed, where, named, processes)
    else:
        rows = [_row(name, family, needed) for name, family in by_family]
    for row in rows:
        row |= {column: setting_cell(settings[row["network"]], column) for column in needed & set(of_settings)}
    if order:
        rows = order.sorted(rows, lambda row: row[order.column])
    return Table(
        title="networks",
        headings=unremovable([headings[name] for name in names], columns),
        rows=[[row[name] for name in names] for row in rows],
        header=Header(
            about=counted(len(rows), "network") + (f" where {where}" if where else ""),
            batch=1,
            convention=convention("archcalc"),
            options={"where": where} if where else {},
        ),
        footer=lacking_lines(lacking),
    )


def _computed(
    by_family: Sequence[tuple[str, Family]], needed: set[str], where: str | None, named: set[str], processes: int
) -> tuple[list[Row], dict[str, str]]:
    """The rows of the networks that meet the condition, and the figure that others lack; both in the order given."""

    def of(part: Sequence[tuple[str, Family]]) -> tuple[dict[str, Row], dict[str, str]]:
        analyses = (prepared(expand(family, name)) for name, family in part)
        found = Chosen(list(analyses), {}) if where is None else chosen(analyses, where, named)
        families = dict(part)
        return {
            one.network.name: _row(one.network.name, families[one.network.name], needed, one) for one in found.met
        }, found.lacking

    found = None
    if processes > 1 and len(by_family) >= MANY:
        sizes = Counter(family.name for _, family in by_family)
        turns = {name: turn % processes for turn, (name, _) in enumerate(sizes.most_common())}
        parts = [[one for one in by_family if turns[one[1].name] == turn] for turn in range(processes)]
        found = in_copies(of, parts)
    rows, lacking = dict[str, Row](), dict[str, str]()
    for some in found or [of(by_family)]:
        rows |= some[0]
        lacking |= some[1]
    names = [name for name, _ in by_family]
    return [rows[name] for name in names if name in rows], {name: lacking[name] for name in names if name in lacking}


def _matching(patterns: Sequence[str]) -> dict[str, Family]:
    """The families of the networks whose name matches one of the patterns. ArchcalcError if none matches a pattern."""
    known = networks()
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in known):
            raise ArchcalcError(unknown("network", pattern, known))
    return {
        name: family
        for name, family in known.items()
        if not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)
    }


def _row(name: str, family: Family, needed: set[str], analysis: Analysis | None = None) -> Row:
    about = family.about | family.networks[name].about
    row: Row = {
        "network": name,
        "title": about.get("title", name),
        "year": about.get("year", ""),
        "family": family.name,
    }
    if analysis is not None:
        row |= {
            column: cell(analysis) for column, (_, cell) in COLUMNS.items() if column in needed and column not in row
        }
    return row
