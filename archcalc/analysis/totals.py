"""Sums over rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from archcalc.analysis.rows import Row, work_parts
from archcalc.conventions import Convention
from archcalc.sizes import NO_WORK, Int, Params, Work


class Totals(NamedTuple):
    """Sums over the rows of an analysis; operations and values are for the whole batch.

    frozen: the parameters of layers with ``trained: false``, which ``params`` contains.
    values: the values of the network input and of every output in new storage (not in place, and not a view).
    conv_inputs: the values of a second copy of the input of every convolution. unknown_types: the layer types that the
    convention says nothing about. If there is such a type, ``macs`` is incomplete.
    """

    params: Int
    weights: Int
    biases: Int
    buffers: Int
    macs: Int
    flops: Int | None
    work: Work
    values: Int
    conv_inputs: Int
    unknown_types: tuple[str, ...] = ()
    frozen: Int = 0


def sum_rows(rows: Sequence[Row], convention: Convention) -> Totals:
    """The sums over the rows."""
    params = Params(*map(sum, zip(Params(), *(row.params for row in rows), strict=True)))
    macs = sum(row.macs for row in rows if row.macs is not None)
    return Totals(
        params=sum(row.param_count for row in rows),
        weights=params.weight,
        biases=params.bias,
        buffers=params.buffers,
        macs=macs,
        flops=convention.flops(macs),
        work=Work.sum(row.work for row in rows),
        values=sum(row.values for row in rows if row.values is not None),
        conv_inputs=sum(row.conv_inputs for row in rows),
        unknown_types=unknown_types(rows),
        frozen=sum(row.param_count for row in rows if row.node is not None and not row.node.trained),
    )


def part_sums(rows: Iterable[Row], batch: Int) -> dict[str, dict[str, Work]]:
    """The work of every layer type whose work has parts, by part, for the whole batch."""
    sums: dict[str, dict[str, Work]] = {}
    for row in rows:
        for part, work in work_parts(row, batch).items():
            parts = sums.setdefault(row.type, {})
            parts[part] = Work.sum((parts.get(part, NO_WORK), work))
    return sums


def unknown_types(rows: Iterable[Row]) -> tuple[str, ...]:
    """The layer types that the convention says nothing about, each once."""
    return tuple(dict.fromkeys(type for row in rows if row.unknown_types for type in row.unknown_types))
