"""The published figures of a page: one table for figures that do not match, one table for figures that match."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
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
    """Two tables: figures that do not match, wrong figures first; and figures that match. Each row has the input.

    If a place of a source has the same figure twice, the table shows the figure once.
    """
    chosen = audit_table(judgements, everything=True).selected(COLUMNS)
    headings = [*chosen.headings[:2], AT, *chosen.headings[2:]]
    differing: list[tuple[int, list[Any]]] = []
    matching: list[list[Any]] = []
    for judgement, cells in zip(judgements, chosen.rows, strict=True):
        row = [*cells[:2], _at(judgement.figure, network), *cells[2:]]
        rank = ORDER.index(judgement.verdict) if judgement.verdict in ORDER else len(ORDER)
        if judgement.verdict in MATCHES:
            matching += [row] if row not in matching else []
        else:
            differing += [(rank, row)] if (rank, row) not in differing else []
    differing.sort(key=itemgetter(0))
    bare = chosen._replace(headings=headings, header=Header(), footer=(), total=None)
    return bare._replace(rows=[row for _, row in differing]), bare._replace(rows=matching)


def _at(figure: Figure, network: Network) -> str:
    """The input of a figure, its settings, and whether it belongs to training."""
    subject = figure.subject
    parts = ["x".join(map(str, subject.input)) or network.input_text]
    parts += [f"{key}={value}" for key, value in subject.settings]
    return ", ".join([*parts, *(["training"] if subject.training else [])])
