"""The operations of chosen layers, by kind. A layer whose work has parts, such as attention, has a row for each part."""

from __future__ import annotations

from archcalc.analysis import Analysis
from archcalc.analysis.rows import Row, work_parts
from archcalc.errors import ArchcalcError, unknown
from archcalc.letters import normal
from archcalc.report.header import layer_header
from archcalc.report.table import Heading, Table
from archcalc.sizes import NO_WORK, Work

TEXTS = (Heading("layer", "layer", "text", 9), Heading("type", "type", "text", 3), Heading("part", "part", "text", 9))
MEANINGS = {
    "mac": "one product, added to a sum",
    "compare": "the larger of two values, too",
    "exp": "any transcendental function",
}


def operations_table(analysis: Analysis, name: str) -> Table:
    """The operations of the layer ``name``, or of every layer in the block ``name``.

    ArchcalcError with the nearest name.
    """
    rows = _chosen(analysis.rows, name)
    parts = [
        (row, part, work) for row in rows for part, work in (work_parts(row, analysis.batch) or {"": row.work}).items()
    ]
    total = Work.sum(work for _, _, work in parts)
    kinds = [kind for kind, count in zip(Work._fields, total, strict=True) if count or kind == "mac"]
    meanings = [f"{kind}: {MEANINGS[kind]}" for kind in kinds if kind in MEANINGS]
    return Table(
        title=f"operations of {name}",
        headings=(*TEXTS, *(Heading(kind, kind, "count", 8) for kind in kinds)),
        rows=[[row.name, row.type, part, *(getattr(work, kind) for kind in kinds)] for row, part, work in parts],
        total=["total", "", "", *(getattr(total, kind) for kind in kinds)],
        header=layer_header(analysis)._replace(notes=(_layer_text(rows[0]),) if len(rows) == 1 else ()),
        footer=[f"operations by kind. {'; '.join(meanings)}."],
    )


def _chosen(rows: list[Row], name: str) -> list[Row]:
    """The layer of that name, or the layers of the block; layers without operations only if no other layer is left."""
    name = normal(name)
    chosen = [row for row in rows if row.name == name] or [
        row for row in rows if row.name.startswith(f"{name}.") or name in row.scopes
    ]
    if not chosen:
        raise ArchcalcError(unknown("layer", name, [row.name for row in rows]))
    return [row for row in chosen if row.work != NO_WORK] or chosen


def _layer_text(row: Row) -> str:
    assert row.node is not None
    return f"{row.name}: {row.node.layer!r}, input {', '.join(map(str, row.inputs))}, output {row.output}"
