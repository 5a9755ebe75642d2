"""The per-layer table of an analysis: its columns, header and totals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import gcd
from typing import Any

from archcalc.analysis import Analysis
from archcalc.analysis.rows import Row
from archcalc.errors import ArchcalcError
from archcalc.field.axis import AxisField
from archcalc.outputs import outputs_of, unused_names
from archcalc.report.footer import details, footer
from archcalc.report.header import layer_header
from archcalc.report.table import Heading, Known, Table, column_names, unremovable
from archcalc.sizes import Work, is_array

Cell = Callable[[Row, Analysis], Any]


UNKNOWN = "unknown"
"""Printed instead of a number if the convention says nothing about the layer type."""


def _params(count: Callable[[Row], Any]) -> Cell:
    return lambda row, _: "shared" if row.shared and not count(row) else count(row)


def _macs(row: Row, analysis: Analysis) -> Any:
    return UNKNOWN if row.macs is None and row.unknown_types else row.macs


def _flops(row: Row, analysis: Analysis) -> Any:
    return UNKNOWN if row.macs is None and row.unknown_types else analysis.convention.flops(row.macs)


def _bytes(row: Row, analysis: Analysis) -> Any:
    return None if row.values is None else row.values * analysis.itemsize


def _kind(name: str) -> Cell:
    return lambda row, _: getattr(row.work, name)


def field_of(axes: Sequence[AxisField]) -> Known:
    """The size of a receptive field along each axis; a bound is marked as one."""
    return Known(tuple(axis.field.size for axis in axes), tuple(axis.exact for axis in axes))


def step_of(axis: AxisField) -> int | str | None:
    """Pixels between the fields of two neighbouring units.

    A fraction after upsampling; None if all units have the same field, or if there is no common step.
    """
    step, per = axis.field.step, axis.field.per
    common = gcd(step, per)
    return None if step == 0 else step // common if per == common else f"{step // common}/{per // common}"


GATED = Heading("rf_with_gates", "field with gates", "number", 3, exactness_key="exact_with_gates")
"""The column of fields over all paths. Everywhere else, fields follow the paths past the gates."""


def _if_any(cell: Callable[[Row], Any]) -> Cell:
    """The cell of a field; None if the layer does not depend on the main input."""
    return lambda row, analysis: None if analysis.input.axes and not row.field else cell(row)


def _steps(row: Row) -> Known:
    steps = tuple(map(step_of, row.field))
    texts = ["whole" if step is None else str(step) for step in steps]
    return Known(steps, (True,) * len(steps), texts[0] if len(set(texts)) == 1 else "x".join(texts))


def _axes(read: Callable[[AxisField], int]) -> Cell:
    return _if_any(lambda row: Known(tuple(map(read, row.field)), (True,) * len(row.field)))


COLUMNS: Mapping[str, tuple[Heading, Cell]] = {
    heading.name: (heading, cell)
    for heading, cell in [
        (Heading("layer", "layer", "text", 9), lambda row, _: row.name),
        (Heading("type", "type", "text", 4), lambda row, _: row.type),
        (Heading("layers", "layers", "number", 3), lambda row, _: row.layers),
        (Heading("shared", "weights of", "text", 2), lambda row, _: row.shared),
        (Heading("input", "input", "text", 3), lambda row, _: " ".join(map(str, row.inputs))),
        (Heading("output", "output", "text", 8), lambda row, _: row.output),
        (Heading("params", "params", "count", 8, "params"), _params(lambda row: row.param_count)),
        (Heading("weights", "weights", "count", 4, "params"), _params(lambda row: row.params.weight)),
        (Heading("biases", "biases", "count", 4, "params"), _params(lambda row: row.params.bias)),
        (Heading("buffers", "buffers", "count", 2), _params(lambda row: row.params.buffers)),
        (Heading("macs", "MACs", "count", 8, "operations"), _macs),
        (Heading("flops", "FLOPs", "count", 2, "operations"), _flops),
        (Heading("values", "values", "count", 3), lambda row, _: row.values),
        (Heading("memory", "memory", "bytes", 6), _bytes),
        *((Heading(kind, kind, "count", 1), _kind(kind)) for kind in Work._fields),
        (Heading("rf", "field", "number", 5, exactness_key="exact"), _if_any(lambda row: field_of(row.field))),
        (Heading("rf_smallest", "smallest field", "number", 1), _axes(lambda axis: axis.field.smallest)),
        (GATED, _if_any(lambda row: field_of(row.field_with_gates))),
        (Heading("step", "step", "number", 3), _if_any(_steps)),
        (Heading("first", "first", "number", 1), _axes(lambda axis: axis.field.start)),
        (Heading("rf_least", "least field", "number", 1), _axes(lambda axis: axis.least.size)),
    ]
}
TIMES: Mapping[str, tuple[Heading, Cell]] = {
    "estimate": (Heading("estimate", "time", "seconds", 8, "time"), lambda row, _: row.time and row.time.estimate),
    "lower_bound": (
        Heading("lower_bound", "lower bound", "seconds", 3),
        lambda row, _: row.time and row.time.lower_bound,
    ),
}
"""The columns of an analysis with time on a device."""
CELLS = {**COLUMNS, **TIMES}
FIELDS = ("rf", "rf_smallest", GATED.name, "step", "first", "rf_least")
"""The columns that depend on the receptive field of a row alone."""
DEFAULT = ("layer", "type", "output", "params", "macs", "flops", "memory", "rf", "step", "first")
SUMMED = {
    "layers",
    "params",
    "weights",
    "biases",
    "buffers",
    "macs",
    "flops",
    "values",
    "memory",
    *Work._fields,
}


def layer_columns(names: Sequence[str] | None, folded: bool, counts: str = "MACs", *, timed: bool = False) -> list[str]:
    """The columns to show. ``counts`` is the title of the MACs column.

    ArchcalcError for an unknown column, and for one about time if the analysis has none.
    """
    if names is None:
        time = ["estimate"] if timed else []
        return [*(n for n in (*DEFAULT[:2], "layers", *DEFAULT[2:]) if folded or n != "layers"), *time]
    found = column_names(names, (_titled(heading, counts) for heading, _ in CELLS.values()))
    if not timed and (untimed := [name for name in found if name in TIMES]):
        raise ArchcalcError(f"column {untimed[0]} is about the time on a device: add --on DEVICE")
    return found


def _titled(heading: Heading, counts: str) -> Heading:
    return heading._replace(title=counts) if heading.name == "macs" else heading


def layer_table(
    analysis: Analysis, columns: Sequence[str] | None = None, *, depth: int | None = None, by: str | None = None
) -> Table:
    """One row per layer, or per block, type or stage, with the header and the totals."""
    if is_array(analysis.totals.values) or is_array(analysis.totals.params):
        raise ArchcalcError("a table needs single sizes; on arrays, read the rows and totals of the analysis")
    counted = analysis.convention.operations_name
    time = analysis.timed
    names = layer_columns(columns, depth is not None or by is not None, counted, timed=time is not None)
    if columns is None and analysis.convention.flops_per_mac is None:
        names.remove("flops")
    rows = analysis.fold(depth, by)
    headings = unremovable([CELLS[name][0] for name in names], columns)
    headings = [_titled(heading, counted) for heading in headings]
    columns_of_cells = [_cells(name, rows, analysis) for name in names]
    cells = [list(row) for row in zip(*columns_of_cells, strict=True)]
    total: list[Any] = [
        _add(column) if name in SUMMED or name in TIMES else ""
        for name, column in zip(names, columns_of_cells, strict=True)
    ]
    if total and total[0] == "":
        total[0] = "total"
    table = Table(
        title=analysis.network.title,
        headings=headings,
        rows=cells,
        total=total,
        header=layer_header(analysis, any(heading.kind in ("count", "bytes") for heading in headings)),
        footer=footer(analysis, [row.name for row in rows if row.macs is not None and row.unknown_types]),
        details=details(analysis, headings, cells),
        totals=_totals(analysis),
    )
    if time is None:
        return table
    from archcalc.report.timed import timed_table

    return timed_table(table, time)


def _cells(name: str, rows: Sequence[Row], analysis: Analysis) -> list[Any]:
    """The cells of a column. Most layers have the field of the layer before, so its cell is not computed again."""
    cell = CELLS[name][1]
    if name not in FIELDS:
        return [cell(row, analysis) for row in rows]
    cells: list[Any] = []
    before = None
    for row in rows:
        if before is None or row.field is not before.field or row.field_with_gates is not before.field_with_gates:
            cells.append(cell(row, analysis))
        else:
            cells.append(cells[-1])
        before = row
    return cells


def _add(column: Sequence[Any]) -> Any:
    numbers = [cell for cell in column if isinstance(cell, (int, float))]
    return sum(numbers) if numbers else None


def _totals(analysis: Analysis) -> dict[str, Any]:
    t = analysis.totals
    return {
        "params": t.params,
        "weights": t.weights,
        "biases": t.biases,
        "buffers": t.buffers,
        "frozen": t.frozen,
        "macs": t.macs,
        "flops": t.flops,
        **t.work._asdict(),
        "parts": {
            type: {part: {kind: n for kind, n in work._asdict().items() if n} for part, work in parts.items()}
            for type, parts in analysis.parts.items()
        },
        "values": t.values,
        "memory": t.values * analysis.itemsize,
        "values_with_conv_inputs": t.values + t.conv_inputs,
        "outputs": dict(outputs_of(analysis.network)),
        "unused": unused_names(analysis.network),
    }
