"""The table of a sweep: a row for every point that is kept."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from archcalc.conditions.dimension import NUMBER, SIZE, TIME
from archcalc.conventions import convention
from archcalc.errors import ArchcalcError
from archcalc.report.header import Header, subject
from archcalc.report.table import Heading, Kind, Table
from archcalc.settings_text import setting_text
from archcalc.spaces.output import rows, types_of
from archcalc.spaces.run import Outcome, facts
from archcalc.units import counted

if TYPE_CHECKING:
    from archcalc.report import DataFrame

MOST_ROWS = 1000
"""The most rows that a table for readers has."""


def sweep_table(outcome: Outcome, most: int | None = MOST_ROWS) -> Table:
    """A row for every point that is kept, or for the first ``most`` of them."""
    sweep, columns = outcome.sweep, outcome.columns
    assert columns is not None
    request, names = sweep.request, [axis.name for axis in sweep.space.axes]
    shown = [[setting_text(x) if isinstance(x, bool) else x for x in row] for row in islice(rows(columns), most)]
    footer = list(outcome.lines)
    if len(shown) < outcome.kept:
        footer.append(f"{outcome.kept - len(shown):,} more rows: -o FILE.csv or FILE.parquet has all")
    types = types_of(columns)
    about = f"{counted(outcome.kept, 'point')} of {outcome.points:,}"
    about += f" where {request.where}" if request.where else ""
    about += f", Pareto set of {', '.join(request.pareto)}" if request.pareto else ""
    return Table(
        title=f"sweep of {sweep.network.full_name}",
        headings=[Heading(name, name, _kind(sweep.units.get(name), types[name]), 9) for name in columns],
        rows=shown,
        header=Header(
            {"network": subject(sweep.network)},
            about=about,
            input=None if "input" in names else sweep.network.inputs,
            batch=None if "batch" in names else request.how.batch,
            dtype=request.how.dtype,
            side_heads=request.how.training,
            convention=convention(request.how.convention),
            options={key: value for key, value in facts(sweep).items() if key in ("where", "sample")},
        ),
        footer=footer,
    )


def sweep_frame(outcome: Outcome) -> DataFrame:
    """The points as a pandas data frame, with the facts of the sweep in ``attrs``.

    ArchcalcError if pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError:
        raise ArchcalcError("a data frame needs pandas: pip install 'archcalc[dataframe]'") from None
    frame = pd.DataFrame(dict(outcome.columns or {}))
    frame.attrs.update(facts(outcome.sweep), left_out=outcome.lines)
    return frame


def _kind(unit: object, types: set[str]) -> Kind:
    if unit is None or types & {"str", "bool"}:
        return "text"
    if unit in (SIZE, TIME):
        return "bytes" if unit == SIZE and "float" not in types else "seconds" if unit == TIME else "ratio"
    return "count" if unit == NUMBER and "float" not in types else "ratio"
