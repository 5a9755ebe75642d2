"""What every layer has of a figure: the parts that add up to it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from archcalc.analysis import Analysis
from archcalc.analysis.rows import Row, largest_field
from archcalc.conditions.figures import layer_activations, layer_field, time_of, training_budget
from archcalc.conditions.parts import Share
from archcalc.sizes import Work

if TYPE_CHECKING:
    from archcalc.memory.budget import Parts
    from archcalc.memory.lifetime import Schedule


def _rows(amount: Callable[[Analysis, Row], Any]) -> Callable[[Analysis], list[Share]]:
    def shares(analysis: Analysis) -> list[Share]:
        found = ((row.name, amount(analysis, row)) for row in analysis.rows)
        return [Share(name, part) for name, part in found if part]

    return shares


def _operations(kind: str) -> Callable[[Analysis], list[Share]]:
    return _rows(lambda _, row: getattr(row.work, kind))


def _field(analysis: Analysis) -> list[Share]:
    """The pixels that each layer adds, on the path of the largest fields to the layer with the largest field."""
    row, shares = largest_field(analysis.rows), []
    rows = {one.node.index: one for one in analysis.all_rows if one.node is not None}
    while row is not None and row.node is not None:
        before = max((rows[i] for i in row.node.inputs), key=lambda one: layer_field(one) or 0, default=None)
        shares.append(Share(row.name, (layer_field(row) or 0) - (layer_field(before) or 0 if before else 0)))
        row = before
    return [share for share in shares if share.amount > 0]


def _alive(schedule: Schedule, batch: int) -> list[Share]:
    """The bytes of every layer that are alive at the peak, without the gradients of weights."""
    run = schedule.of_batch(batch)
    found: dict[str, int] = defaultdict(int)
    for storage in run.alive(run.peak_moment(batch)):
        if storage.role != "weight gradient":
            found[storage.layer] += storage.bytes(batch)
    return [Share(name, size) for name, size in found.items() if size]


def _peak(analysis: Analysis) -> list[Share]:
    return _alive(analysis.memory().inference, analysis.batch)


def _parts(parts: Parts, alive: list[Share]) -> list[Share]:
    """Weights and other parts that belong to no layer, and the layers. The step of an optimizer has no layers."""
    named = [Share(name.replace("_", " "), size) for name, size in parts._asdict().items() if size]
    if sum(share.amount for share in alive) != parts.activations:
        return named
    return [*(share for share in named if share.name != "activations"), *alive]


def _run_memory(analysis: Analysis, *, batch: int | None) -> list[Share]:
    budget, count = analysis.memory(), analysis.batch if batch is None else batch
    return _parts(budget.inference_parts(count), _alive(budget.inference, count))


def _train_memory(analysis: Analysis, *, batch: int | None, **options: Any) -> list[Share]:
    budget = training_budget(analysis, **options)
    count = analysis.batch if batch is None else batch
    return _parts(budget.training_parts(count), _alive(budget.training, count))


def _time(analysis: Analysis, device: str, *, batch: int | None, **options: Any) -> list[Share]:
    return [Share(row.name, row.estimate) for row in time_of(analysis, device, batch=batch, **options).rows]


SHARES: Mapping[str, Callable[..., list[Share]]] = {
    "params": _rows(lambda _, row: row.param_count),
    "weights": _rows(lambda _, row: row.params.weight),
    "biases": _rows(lambda _, row: row.params.bias),
    "buffers": _rows(lambda _, row: row.params.buffers),
    "macs": _rows(lambda _, row: row.macs),
    "flops": _rows(lambda analysis, row: analysis.convention.flops(row.macs)),
    **{f"{kind}s": _operations(kind) for kind in Work._fields if kind != "mac"},
    "values": _rows(lambda _, row: row.values),
    "activations": _rows(layer_activations),
    "memory": _rows(lambda analysis, row: (row.values or 0) * analysis.itemsize),
    "weight_bytes": _rows(lambda analysis, row: (row.params.weight + row.params.bias) * analysis.itemsize),
    "peak": _peak,
    "field": _field,
    "run_memory": _run_memory,
    "train_memory": _train_memory,
    "time": _time,
}
"""By the name of a figure, or of a figure with options."""
