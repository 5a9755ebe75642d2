"""The network of the page against another network."""

from __future__ import annotations

from typing import Any

from archcalc.analysis import analyze
from archcalc.errors import ArchcalcError
from archcalc.live.columns import headings_data
from archcalc.live.documents import analysis_of, load_named
from archcalc.live.state import State
from archcalc.report.diff import diff_table
from archcalc.report.formats import content
from archcalc.report.table import for_programs


def diff(state: State) -> dict[str, Any]:
    """The answer of the operation ``diff``: from the network to compare with, to the network of the page."""
    if not state.compare.strip():
        raise ArchcalcError("name a network to compare with")
    analysis = analysis_of(state)
    other = analyze(
        load_named(state.compare.strip(), state),
        batch=state.batch,
        dtype=state.dtype,
        convention=state.convention,
        training=state.training,
    )
    table = diff_table(other, analysis)
    (plain,) = for_programs([table])
    return {
        "about": table.header.lines(),
        "diff": content(plain),
        "headings": headings_data(plain),
        "footer": list(table.footer),
    }
