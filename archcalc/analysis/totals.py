"""Sums over rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from archcalc.analysis.rows import Facts, Row, traced, work_parts
from archcalc.conventions import Convention
from archcalc.network import Network
from archcalc.sizes import NO_WORK, Int, Work


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
    trained = (row.node is None or row.node.trained for row in rows)
    parts = [(row, row.params, row.param_count, of, 1) for row, of in zip(rows, trained, strict=True)]
    return _summed(parts, convention)


def sum_network(network: Network, batch: Int, convention: Convention, training: bool) -> Totals:
    """The sums over the rows of a network, without rows and fields: for many networks of which the totals are asked alone.

    Layers of the same numbers are counted, and summed once.
    """
    parts: dict[Any, tuple[Any, ...]] = {}
    for node, _, facts, params, count in traced(network, batch, convention):
        if training or not node.side:
            key = id(facts), id(params), id(count), node.trained
            times = parts[key][-1] if key in parts else 0
            parts[key] = facts, params, count, node.trained, times + 1
    return _summed(list(parts.values()), convention)


def _summed(parts: Sequence[tuple[Any, ...]], convention: Convention) -> Totals:
    """The sums of rows or facts, each with its own parameters and whether they are trained, so many times."""
    macs = sum(one.macs * n for one, _, _, _, n in parts if one.macs is not None)
    return Totals(
        params=sum(count * n for _, _, count, _, n in parts),
        weights=sum(params.weight * n for _, params, _, _, n in parts),
        biases=sum(params.bias * n for _, params, _, _, n in parts),
        buffers=sum(params.buffers * n for _, params, _, _, n in parts),
        macs=macs,
        flops=convention.flops(macs),
        work=Work.sum(one.work if n == 1 else one.work.times(n) for one, _, _, _, n in parts),
        values=sum(one.values * n for one, _, _, _, n in parts if one.values is not None),
        conv_inputs=sum(one.conv_inputs * n for one, _, _, _, n in parts),
        unknown_types=unknown_types([one for one, *_ in parts]),
        frozen=sum(count * n for _, _, count, trained, n in parts if not trained),
    )


def part_sums(rows: Iterable[Row], batch: Int) -> dict[str, dict[str, Work]]:
    """The work of every layer type whose work has parts, by part, for the whole batch."""
    sums: dict[str, dict[str, Work]] = {}
    for row in rows:
        for part, work in work_parts(row, batch).items():
            parts = sums.setdefault(row.type, {})
            parts[part] = Work.sum((parts.get(part, NO_WORK), work))
    return sums


def unknown_types(rows: Iterable[Row | Facts]) -> tuple[str, ...]:
    """The layer types that the convention says nothing about, each once."""
    return tuple(dict.fromkeys(type for row in rows if row.unknown_types for type in row.unknown_types))
