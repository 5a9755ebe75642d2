"""Fold rows: by block to a depth, by layer type, or by stage."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from itertools import groupby
from typing import TYPE_CHECKING, Any

from archcalc.analysis.rows import Row, Seconds
from archcalc.analysis.totals import unknown_types
from archcalc.errors import ArchcalcError, unknown
from archcalc.sizes import Int, Params, Work

if TYPE_CHECKING:
    from archcalc.analysis.stages import Stages

WAYS = ("type", "stage")


def fold_rows(
    rows: list[Row], depth: int | None = None, by: str | None = None, stages: Stages | None = None
) -> list[Row]:
    """Rows summed into groups: one row per block at ``depth``, per layer type, or per stage.

    ``stages`` are the stages of the rows' network (``analysis.stages``). Every number of a group is the sum over its
    layers. The shape and the field are the shape and the field of its last layer. A layer type has neither.
    """
    if by is not None and depth is not None:
        raise ArchcalcError(f"fold to a depth or by {by}, not both")
    if depth is not None:
        if depth < 1:
            raise ArchcalcError(f"depth must be at least 1, got {depth}")
        return [
            _sum(".".join(path), "block", group) if folded else group[0]
            for (path, folded), group in _runs(rows, lambda row: _block(row, depth))
        ]
    if by is None:
        return rows
    if by == "type":
        groups: dict[str, list[Row]] = {}
        for row in rows:
            groups.setdefault(row.type, []).append(row)
        return [
            _sum(kind, kind, group)._replace(shape=None, field=(), field_with_gates=())
            for kind, group in groups.items()
        ]
    if by == "stage" and stages is not None:
        return _by_stage(rows, stages)
    raise ArchcalcError(unknown("way to fold", by, WAYS))


def _by_stage(rows: list[Row], stages: Stages) -> list[Row]:
    """A row for every stage. Side heads have a separate row. The row of the heads has no shape."""
    trunk = {node.index for node in stages.nodes}
    groups: dict[int, list[Row]] = {}
    for row in rows:
        index = -1 if row.node is None else row.node.index
        groups.setdefault(stages.of.get(index, len(stages.names)), []).append(row)
    folded_rows = []
    for number, group in sorted(groups.items()):
        folded = _sum([*stages.names, "side heads"][number], "stage", group)
        if number < len(stages.names):
            ends = [row for row in group if row.node is not None and row.node.index in trunk]
            last = ends[-1] if ends else None
            folded = folded._replace(
                shape=last.shape if last else None,
                regions=last.regions if last else 0,
                field=last.field if last else (),
                field_with_gates=last.field_with_gates if last else (),
            )
        folded_rows.append(folded)
    return folded_rows


def _block(row: Row, depth: int) -> tuple[tuple[str, ...], bool]:
    """The path of the block (folded) or of the layer (not folded), and whether the row is folded."""
    folded = len(row.scopes) >= depth
    return (row.scopes[:depth] if folded else (*row.scopes, row.name)), folded


def _runs(rows: Iterable[Row], key: Callable[[Row], Hashable]) -> Iterable[tuple[Any, list[Row]]]:
    return ((k, list(group)) for k, group in groupby(rows, key))


def _sum(name: str, type: str, rows: list[Row]) -> Row:
    last = rows[-1]
    return Row(
        name=name,
        type=type,
        scopes=last.scopes,
        inputs=rows[0].inputs,
        shape=last.shape,
        params=Params(*map(sum, zip(*(row.params for row in rows), strict=True))),
        param_count=sum(row.param_count for row in rows),
        work=Work.sum(row.work for row in rows),
        macs=total(row.macs for row in rows),
        values=total(row.values for row in rows),
        conv_inputs=sum(row.conv_inputs for row in rows),
        field=last.field,
        field_with_gates=last.field_with_gates,
        layers=sum(row.layers for row in rows),
        unknown_types=unknown_types(rows),
        regions=last.regions,
        time=_time(rows),
    )


def _time(rows: Iterable[Row]) -> Seconds | None:
    times = [row.time for row in rows if row.time is not None]
    return Seconds(*map(sum, zip(*times, strict=True))) if times else None


def total(counts: Iterable[Int | None]) -> Int | None:
    """The sum of all counts that are not None; None if all are None."""
    counted = [n for n in counts if n is not None]
    return sum(counted) if counted else None
