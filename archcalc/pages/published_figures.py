"""The published figures of a page: what is wrong or otherwise no match first, and what matches for itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archcalc.network import Network
from archcalc.published.figure import Figure
from archcalc.published.verdict import Judgement
from archcalc.report.audit import MATCHES, audit_table
from archcalc.report.header import Header
from archcalc.report.table import Heading, Table

COLUMNS = ("layer", "quantity", "printed", "archcalc_value", "verdict", "reason", "source", "where")
AT = Heading("at", "at", "text", 6)
ORDER = ("wrong", "other variant", "other convention", "unverifiable")


def figure_tables(judgements: Sequence[Judgement], network: Network) -> tuple[Table, Table]:
    """The figures that do not match, the wrong ones first, and those that do, each with the input that it is of.

    A figure that is published twice in the same place stands once.
    """
    table = audit_table(judgements, everything=True)
    made = table.selected(COLUMNS)
    at = [_at(judgement.figure, network) for judgement in judgements]
    headings = [*made.headings[:2], AT, *made.headings[2:]]
    differing: list[tuple[int, list[Any]]] = []
    matching: list[list[Any]] = []
    for judgement, where, row in zip(judgements, at, made.rows, strict=True):
        cells = [*row[:2], where, *row[2:]]
        if judgement.verdict not in MATCHES:
            place = ORDER.index(judgement.verdict) if judgement.verdict in ORDER else len(ORDER)
            differing += [(place, cells)] if (place, cells) not in differing else []
        elif cells not in matching:
            matching.append(cells)
    differing.sort(key=lambda one: one[0])
    bare = made._replace(headings=headings, header=Header(), footer=(), total=None)
    return bare._replace(rows=[cells for _, cells in differing]), bare._replace(rows=matching)


def _at(figure: Figure, network: Network) -> str:
    """The input that a figure is of, and what is set or trained there."""
    subject = figure.subject
    parts = ["x".join(map(str, subject.input)) or str(network.input)]
    parts += [f"{key}={value}" for key, value in subject.settings]
    return ", ".join([*parts, *(["training"] if subject.training else [])])
