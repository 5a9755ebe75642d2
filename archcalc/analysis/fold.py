"""Rows folded: by block to a depth, by layer type, or by stage."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from itertools import groupby
from typing import Any

from archcalc.analysis.trace import Row
from archcalc.errors import ArchcalcError, unknown
from archcalc.network import Node
from archcalc.sizes import Int, Params, Work

WAYS = ("type", "stage")


def fold(rows: list[Row], depth: int | None = None, by: str | None = None) -> list[Row]:
    """Rows summed into groups: blocks nested deeper than ``depth``, or all of a type or stage.

    A stage is a run of layers on maps of one height and width, as in the tables of the VGG and ResNet
    papers; layers in branches belong to the stage of the layer where the branches have met. Every number
    of a group is the sum over its layers; the shape and field are those of its last layer (of a type: none).
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
        return [_sum(kind, kind, group)._replace(shape=None, views=()) for kind, group in groups.items()]
    if by == "stage":
        stages = _stages(rows)
        return [_sum(key, "stage", group) for key, group in _runs(rows, lambda row: stages[row.name])]
    raise ArchcalcError(unknown("way to fold", by, WAYS))


def _block(row: Row, depth: int) -> tuple[tuple[str, ...], bool]:
    """The block to fold into, or the layer itself, and which of the two it is."""
    folded = len(row.scopes) >= depth
    return (row.scopes[:depth] if folded else (*row.scopes, row.name)), folded


def _stages(rows: list[Row]) -> dict[str, str]:
    """Each layer's stage by its name: the size of the first map after it that everything later comes from."""
    stages: dict[str, str] = {}
    for group in segments(rows):
        size = "x".join(map(str, group[-1].shape.axes)) or "vector"
        stages |= {node.name: size for node in group}
    return stages | {row.name: "side heads" for row in rows if row.node is not None and row.node.side}


def segments(rows: Iterable[Row]) -> Iterator[list[Node]]:
    """The layers up to and with each one that all ways from before it to after it go through: no edge passes it by."""
    main = [row.node for row in rows if row.node is not None and not row.node.side]
    last_use = {node.index: node.index for node in main}
    for node in main:
        last_use.update(dict.fromkeys(node.inputs, node.index))
    waiting, reach = [], 0
    for node in main:
        waiting.append(node)
        if reach <= node.index:  # whatever was made before this layer has been used up by it
            yield waiting
            waiting = []
        reach = max(reach, last_use[node.index])


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
        views=last.views,
        layers=sum(row.layers for row in rows),
    )


def total(counts: Iterable[Int | None]) -> Int | None:
    """The sum of what is counted; None when nothing is."""
    counted = [n for n in counts if n is not None]
    return sum(counted) if counted else None
