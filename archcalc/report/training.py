"""Training layer by layer: what the backward pass needs and why, and the moment at which most is held."""

from __future__ import annotations

from typing import Any, NamedTuple

from archcalc.analysis import Analysis
from archcalc.memory.budget import Budget
from archcalc.network import Network
from archcalc.outputs import outputs_lines
from archcalc.pytorch.tape import Saved
from archcalc.report.memory import (
    LAYER,
    NOT_COUNTED_HERE,
    OUTPUT,
    TYPE,
    alive_text,
    exact_bytes,
    most_alive,
    peak_facts,
    run_header,
    run_meta,
    sum_text,
)
from archcalc.report.table import Heading, Table


class CheckpointSaving(NamedTuple):
    """What checkpointing a block does to the bytes kept and to the peak, and the MACs that it adds."""

    bytes_saved: int
    peak_lowered_by: int
    macs_added: int


def training_table(analysis: Analysis, budget: Budget) -> Table:
    """Every layer with what its backward pass needs and why, and the most bytes alive in the two passes."""
    network, batch, schedule = analysis.network, analysis.batch, budget.training
    once = schedule.kept_once()
    first = {saved.storage: saved for saved in once}
    forward = most_alive(schedule, batch, "forward")
    backward = most_alive(schedule, batch, "backward")
    by_layer: dict[int, list[Saved]] = {}
    for saved in schedule.kept:
        by_layer.setdefault(saved.node, []).append(saved)
    rows: list[list[Any]] = []
    for node in network.running():
        kept = by_layer.get(node.index, [])
        new = sum(saved.storage.bytes(batch) for saved in kept if first.get(saved.storage) is saved)
        why = dict.fromkeys(_why(saved, first, network) for saved in kept)
        rows.append(
            [
                node.name,
                node.layer.type,
                str(node.shape),
                new,
                "; ".join(why),
                forward.get(node.index),
                backward.get(node.index),
            ]
        )
    kept_bytes = schedule.kept_bytes(batch)
    parts = budget.training_parts(batch)
    again = _recomputed(analysis, budget)
    return Table(
        title=network.title,
        headings=[
            LAYER,
            TYPE,
            OUTPUT._replace(keep=4),
            Heading("kept", "kept", "bytes", 8),
            Heading("why", "for the backward pass", "text", 8),
            Heading("forward", "alive forward", "bytes", 5),
            Heading("backward", "alive backward", "bytes", 7),
        ],
        rows=rows,
        total=["total", "", "", kept_bytes, "", None, None],
        header=run_header(analysis, budget, "training, layer by layer"),
        footer=_footer(analysis, budget, again),
        meta=run_meta(analysis, budget),
        totals={
            "weights": budget.weights,
            "buffers": budget.buffers,
            "gradients": budget.weights,
            "optimizer": budget.optimizer_bytes,
            "kept": kept_bytes,
            **peak_facts(schedule, batch),
            "recomputed": None if again is None else again._asdict(),
            "step": {**parts._asdict(), "total": parts.total},
        },
    )


def _why(saved: Saved, first: dict[Any, Saved], network: Network) -> str:
    """What is kept, and by which layer when another keeps the same tensor."""
    what = saved.why.partition(": ")[2] or saved.why
    if saved.storage.role == "image":
        return f"{what} (the image)"
    owner = first[saved.storage].node
    return what if owner == saved.node else f"{what} (kept by {network.nodes[owner].name})"


def _recomputed(analysis: Analysis, budget: Budget) -> CheckpointSaving | None:
    if budget.checkpoint is None:
        return None
    batch, schedule = analysis.batch, budget.training
    plain = Budget(analysis.network, budget.dtype, amp=budget.amp).training
    macs = {row.name: row.macs or 0 for row in analysis.rows}
    return CheckpointSaving(
        plain.kept_bytes(batch) - schedule.kept_bytes(batch),
        plain.peak(batch) - schedule.peak(batch),
        sum(macs[node.name] for node in schedule.again),
    )


def _footer(analysis: Analysis, budget: Budget, again: CheckpointSaving | None) -> list[str]:
    network, batch, schedule = analysis.network, analysis.batch, budget.training
    moment = schedule.peak_moment(batch)
    at = schedule.at(moment)
    state = {"sgd": "none", "momentum": "a velocity per weight"}.get(
        budget.optimizer, "two moments per weight and a step counter per tensor"
    )
    lines = [
        f"kept for the backward pass: {exact_bytes(schedule.kept_bytes(batch))}, each storage once, weights and image "
        f"apart",
        f"weights: {budget.weights:,} bytes; gradients: {budget.weights:,}; buffers: {budget.buffers:,}; "
        f"state of {budget.optimizer}: {budget.optimizer_bytes:,} ({state})",
        f"peak over both passes: {exact_bytes(schedule.peak(batch))}, in the {at.phase} pass at "
        f"{network.nodes[at.node].name} ({at.operator}); weights, optimizer and image apart",
        f"alive there: {alive_text(schedule, moment, batch)}",
    ]
    if again is not None:
        share = f", {again.macs_added / analysis.totals.macs:.1%} of a forward pass" if analysis.totals.macs else ""
        lines.append(
            f"checkpoint {budget.checkpoint}: keeps {_fewer(again.bytes_saved)}, peak {_lower(again.peak_lowered_by)}; "
            f"{again.macs_added:,} MACs more{share}"
        )
    if budget.amp:
        lines.append(
            "mixed precision: weights stay in float32; convolutions and linear layers run in bfloat16 on copies of "
            "their weights, which are among what is kept"
        )
    lines.append(sum_text("a step of training at its largest moment", budget.training_parts(batch)))
    return [*lines, *outputs_lines(network), NOT_COUNTED_HERE]


def _fewer(saved: int) -> str:
    return f"{abs(saved):,} bytes {'fewer' if saved >= 0 else 'more'}"


def _lower(by: int) -> str:
    return f"{'lower' if by >= 0 else 'higher'} by {abs(by):,}"
