"""Rows as text, Markdown, CSV, LaTeX, HTML, JSON, the course's notes, or a data frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from archcalc.analysis import Analysis
from archcalc.errors import ArchcalcError, unknown
from archcalc.report.formats import FORMATS, render_table
from archcalc.report.layers import layer_columns, layer_table
from archcalc.report.table import for_programs

if TYPE_CHECKING:
    from pandas import DataFrame as DataFrame  # front.py imports the name from here

LAYER_FORMATS = (*FORMATS, "notes")


def render(
    analysis: Analysis,
    format: str = "text",
    *,
    columns: Sequence[str] | None = None,
    depth: int | None = None,
    by: str | None = None,
    exact: bool = False,
    width: int | None = None,
    verbose: bool = False,
) -> str:
    """The per-layer table of an analysis in one of LAYER_FORMATS.

    ``depth`` and ``by`` fold rows, ``exact`` prints all digits, ``width`` bounds the lines of text, and ``verbose``
    adds the whole rule of the convention and the meaning of columns and signs.
    """
    if format == "notes":
        if columns is not None or depth is not None or by is not None:
            raise ArchcalcError("the notes format has its own lines; it takes no columns, depth or by")
        from archcalc.report.notes import course_notes

        return course_notes(analysis)
    if format not in FORMATS:
        raise ArchcalcError(unknown("format", format, LAYER_FORMATS))
    table = layer_table(analysis, columns, depth=depth, by=by)
    return render_table(table, format, exact=exact, width=width, verbose=verbose)


def display_text(analysis: Analysis, format: Literal["text", "html"]) -> str:
    """The text that an analysis displays: its table, or a summary if its numbers are arrays."""
    from archcalc.report import many

    if not many.over_arrays(analysis):
        return render(analysis, format)
    return many.summary_html(analysis) if format == "html" else "\n".join(many.summary(analysis)) + "\n"


def dataframe(analysis: Analysis, columns: Sequence[str] | None = None) -> DataFrame:
    """The exact per-layer table as a pandas data frame, indexed by layer.

    The facts of the header are in ``frame.attrs``. A count that the convention leaves out is missing (NA). The step of
    a layer is missing if all its units have the same field. The columns are those of CSV and JSON: the column ``exact``
    says whether the field in ``rf`` is exact or a bound. If the axes differ, each axis has both columns.
    """
    try:
        import pandas as pd
    except ImportError:
        raise ArchcalcError("a data frame needs pandas: pip install 'archcalc[dataframe]'") from None

    names = layer_columns(columns, folded=False, timed=analysis.timed is not None)
    (table,) = for_programs([layer_table(analysis, names)])
    frame = pd.DataFrame(
        {
            heading.name: _series(pd, [row[at] for row in table.rows], heading.kind)
            for at, heading in enumerate(table.headings)
        }
    )
    frame.attrs.update(table.header.facts)
    return frame.set_index("layer") if "layer" in names else frame


def _series(pd: Any, cells: list[Any], kind: str) -> Any:
    if kind in ("count", "bytes"):
        cells = [{"shared": 0}.get(cell) if isinstance(cell, str) else cell for cell in cells]
    elif kind != "number" or any(isinstance(cell, str) for cell in cells):  # text, such as a step of 1/2
        return cells
    return pd.array(cells, dtype="Int64")
