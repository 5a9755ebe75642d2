"""Training layer by layer: the tensors saved for the backward pass, the reasons, and the moment of the peak."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from archcalc.analysis import Analysis
from archcalc.memory.budget import Budget
from archcalc.memory.training import Training
from archcalc.network import Network
from archcalc.outputs import outputs_lines
from archcalc.pytorch.tape import Saved, Storage
from archcalc.report.memory import (
    HOW_MEMORY_IS_COUNTED,
    LAYER,
    OUTPUT,
    TYPE,
    alive_text,
    exact_bytes,
    most_alive,
    peak_facts,
    run_header,
    sum_text,
)
from archcalc.report.table import Heading, Table

TRAINING = (
    LAYER,
    TYPE,
    OUTPUT._replace(priority=4),
    Heading("saved", "saved", "bytes", 8),
    Heading("reason", "reason", "text", 8),
    Heading("forward", "alive forward", "bytes", 5),
    Heading("backward", "alive backward", "bytes", 7),
)
STATES = {
    "sgd": "",
    "momentum": " (a velocity per weight)",
    "adam": " (two moments per weight and a step counter per tensor)",
    "adamw": " (two moments per weight and a step counter per tensor)",
}
"""What each optimizer stores."""


class CheckpointSaving(NamedTuple):
    """The effect of checkpointing a block.

    bytes_saved: decrease of the bytes of saved tensors. peak_lowered_by: decrease of the peak, in bytes. macs_added:
    MACs that run a second time.
    """

    bytes_saved: int
    peak_lowered_by: int
    macs_added: int


def training_table(analysis: Analysis, budget: Budget) -> Table:
    """Every layer with the tensors saved for the backward pass, and the most bytes alive in each of the two passes."""
    network, batch = analysis.network, analysis.batch
    schedule = budget.training.of_batch(batch)
    saved_bytes = schedule.saved_bytes(batch)
    saving = _checkpoint_saving(analysis, budget)
    parts = budget.training_parts(batch)
    return Table(
        title=network.title,
        headings=TRAINING,
        rows=_rows(network, schedule, batch),
        total=["total", "", "", saved_bytes, "", None, None],
        header=run_header(analysis, budget, "training, layer by layer"),
        footer=_footer(analysis, budget, saving),
        details=HOW_MEMORY_IS_COUNTED,
        totals={
            "weights": budget.weights,
            "buffers": budget.buffers,
            "gradients": budget.gradients,
            "optimizer": budget.optimizer_bytes,
            "saved": saved_bytes,
            **peak_facts(schedule, batch),
            "recomputed": None if saving is None else saving._asdict(),
            "step": {**parts._asdict(), "total": parts.total},
        },
    )


def _rows(network: Network, schedule: Training, batch: int) -> list[list[Any]]:
    first = {saved.storage: saved for saved in schedule.saved_once()}
    forward = most_alive(schedule, batch, "forward")
    backward = most_alive(schedule, batch, "backward")
    by_layer: dict[int, list[Saved]] = {}
    for saved in schedule.saved:
        by_layer.setdefault(saved.node, []).append(saved)
    rows: list[list[Any]] = []
    for node in network.running():
        tensors = by_layer.get(node.index, [])
        new_bytes = sum(saved.storage.bytes(batch) for saved in tensors if first.get(saved.storage) is saved)
        reasons = dict.fromkeys(_reason(saved, first, network) for saved in tensors)
        alive = forward.get(node.index), backward.get(node.index)
        rows.append([node.name, node.layer.type, node.output, new_bytes, "; ".join(reasons), *alive])
    return rows


def _reason(saved: Saved, first: Mapping[Storage, Saved], network: Network) -> str:
    """The reason why the layer needs the tensor; and the layer that saves the tensor, if another layer does."""
    if saved.storage.role == "image":
        several = len(network.inputs) > 1
        return f"{saved.why} (the network input{f' {saved.storage.layer}' if several else ''})"
    owner = first[saved.storage].node
    return saved.why if owner == saved.node else f"{saved.why} (saved by {network.nodes[owner].name})"


def _checkpoint_saving(analysis: Analysis, budget: Budget) -> CheckpointSaving | None:
    if budget.checkpoint is None:
        return None
    batch, schedule = analysis.batch, budget.training
    plain = analysis.memory(amp=budget.amp, attention=budget.attention).training
    macs = {row.name: row.macs or 0 for row in analysis.rows}
    return CheckpointSaving(
        plain.saved_bytes(batch) - schedule.saved_bytes(batch),
        plain.peak(batch) - schedule.peak(batch),
        sum(macs[node.name] for node in schedule.again),
    )


def _footer(analysis: Analysis, budget: Budget, saving: CheckpointSaving | None) -> list[str]:
    network, batch = analysis.network, analysis.batch
    schedule = budget.training.of_batch(batch)
    moment = schedule.peak_moment(batch)
    at = schedule.at(moment)
    lines = [
        f"saved for the backward pass: {exact_bytes(schedule.saved_bytes(batch))}. Each storage counts once; weights and "
        f"network input are not included.",
        f"weights: {budget.weights:,} bytes; gradients: {budget.gradients:,} bytes; buffers: {budget.buffers:,} bytes; "
        f"optimizer state ({budget.optimizer}): {budget.optimizer_bytes:,} bytes{STATES[budget.optimizer]}",
        f"training peak: {exact_bytes(schedule.peak(batch))}, in the {at.phase} pass at {network.nodes[at.node].name} "
        f"(operator {at.operator}), without weights, optimizer state and network input",
        f"alive at the peak: {alive_text(schedule, moment, batch)}",
    ]
    if saving is not None:
        share = f", {saving.macs_added / analysis.totals.macs:.1%} of a forward pass" if analysis.totals.macs else ""
        lines.append(
            f"checkpoint {budget.checkpoint}: saves {_fewer(saving.bytes_saved)}, peak {_lower(saving.peak_lowered_by)}; "
            f"{saving.macs_added:,} MACs more{share}"
        )
    if budget.amp:
        lines.append(
            "mixed precision: weights stay in float32. Convolutions and linear layers run in bfloat16 on copies of "
            "their weights; the copies are saved tensors."
        )
    parts = "weights, gradients, optimizer state and network input"
    lines.append(sum_text(f"training peak with {parts}", budget.training_parts(batch)))
    return [*lines, *outputs_lines(network)]


def _fewer(saved: int) -> str:
    return f"{abs(saved):,} bytes {'fewer' if saved >= 0 else 'more'}"


def _lower(by: int) -> str:
    return f"{'lower' if by >= 0 else 'higher'} by {abs(by):,} bytes"
