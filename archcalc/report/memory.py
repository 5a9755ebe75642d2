"""Memory layer by layer: what is alive when at inference, and what training keeps and why."""

from __future__ import annotations

from typing import Any

from archcalc.analysis import Analysis
from archcalc.analysis.budget import Budget, Parts
from archcalc.analysis.lifetime import OVERWRITE, Schedule
from archcalc.analysis.order import Best, best_order
from archcalc.analysis.tape import Saved
from archcalc.network import Network, Node
from archcalc.report.layers import header, meta
from archcalc.report.table import Heading, Table
from archcalc.report.units import bytes_text, counted
from archcalc.version import __version__

LAYER = Heading("layer", "layer", "text", 9)
TYPE = Heading("type", "type", "text", 6)
OUTPUT = Heading("output", "output", "text", 7)
MOST_NAMED = 6
"""So many tensors are named where a peak is described."""


def inference_table(analysis: Analysis, budget: Budget) -> Table:
    """Every layer with its output, how that is held and until when, and the most bytes alive while it runs."""
    network, batch, schedule = analysis.network, analysis.batch, budget.inference
    nodes = network.running(training=False)
    most = most_alive(schedule, batch)
    last = {i: node for node in nodes for i in node.inputs}
    rows: list[list[Any]] = []
    for node in nodes:
        held = _held(node, schedule)
        waiting, over = waits(node, schedule, batch)
        until = "the end" if node.index == network.output else last[node.index].name if node.index in last else ""
        size = node.shape.values * batch * budget.itemsize
        rows.append(
            [node.name, node.layer.type, str(node.shape), size, held, until, most.get(node.index), waiting, over]
        )
    peak = schedule.peak(batch)
    headings = [
        LAYER,
        TYPE,
        OUTPUT,
        Heading("bytes", "map", "bytes", 8),
        Heading("held", "held", "text", 5),
        Heading("until", "needed until", "text", 3),
        Heading("alive", "alive", "bytes", 8),
        Heading("waiting", "waiting", "bytes", 4),
        Heading("over", "over layers", "number", 2),
    ]
    joins = any(node.layer.joins for node in nodes)
    best = best_order(schedule, batch) if joins and not budget.amp else None
    return Table(
        title=network.title,
        headings=headings,
        rows=rows,
        header=run_header(analysis, budget, "inference, layer by layer"),
        footer=[
            *_feature_maps(network, batch, budget.itemsize),
            *_peak(schedule, batch),
            *_best(best, schedule, peak),
            *_longest_wait(rows),
            _sum("with the weights and the image", budget.inference_parts(batch)),
            "alive is the most at any moment while the layer runs, its inputs and output included; waiting is what a "
            "join's other inputs kept alive, and over how many layers",
            "scratch inside an operator, and the framework's own memory, are not in these figures",
        ],
        meta=run_meta(analysis, budget),
        totals={
            "feature_maps": sum(node.shape.values for node in nodes) * batch * budget.itemsize,
            "peak": peak,
            "peak_layer": network.nodes[schedule.moments[schedule.peak_moment(batch)].node].name,
            "best_peak": None if best is None else best.peak,
            "best_is_exact": None if best is None else best.exact,
            **budget.inference_parts(batch)._asdict(),
        },
    )


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
        footer=_training_footer(analysis, budget),
        meta=run_meta(analysis, budget),
        totals={
            "weights": budget.weights,
            "buffers": budget.buffers,
            "gradients": budget.weights,
            "optimizer": budget.optimizer_bytes,
            "kept": kept_bytes,
            "peak": schedule.peak(batch),
            "at_peak": parts._asdict(),
            "total": parts.total,
        },
    )


def _held(node: Node, schedule: Schedule) -> str:
    """How PyTorch holds an output."""
    own = schedule.outputs[node.index]
    if not node.inputs or all(schedule.outputs[i] is not own for i in node.inputs):
        return "new"
    return "in place" if node.layer.type in OVERWRITE else "the input"


def most_alive(schedule: Schedule, batch: int, phase: str = "forward") -> dict[int, int]:
    """The most bytes alive while each layer runs, by its index; a layer for which nothing runs is not there."""
    most: dict[int, int] = {}
    for moment, live in zip(schedule.moments, schedule.live(batch), strict=True):
        if moment.phase == phase:
            most[moment.node] = max(most.get(moment.node, 0), live)
    return most


def waits(node: Node, schedule: Schedule, batch: int) -> tuple[int | None, int | None]:
    """The bytes that a join's inputs kept alive until the last of them was there, and over how many layers."""
    if not node.layer.joins or len(node.inputs) < 2:
        return None, None
    *earlier, latest = sorted(set(node.inputs))
    own = schedule.outputs[latest]
    waiting = dict.fromkeys(schedule.outputs[i] for i in earlier if i and schedule.outputs[i] is not own)
    made = [i for i in earlier if i and schedule.outputs[i] is not own]
    return sum(storage.bytes(batch) for storage in waiting), (latest - min(made) if made else 0)


def _feature_maps(network: Network, batch: int, itemsize: int) -> list[str]:
    sizes = dict.fromkeys(("new", "in_place", "view"), 0)
    for node in network.nodes:
        if not node.side:
            sizes[node.storage] += node.shape.values * batch * itemsize
    return [
        f"feature maps: {bytes_text(sizes['new'])} held of their own, the image included; further outputs "
        f"of {bytes_text(sizes['in_place'])} that can overwrite their input and {bytes_text(sizes['view'])} of views"
    ]


def _peak(schedule: Schedule, batch: int) -> list[str]:
    moment = schedule.peak_moment(batch)
    return [
        f"inference peak by lifetime: {schedule.peak(batch):,} bytes, {bytes_text(schedule.peak(batch))}, at "
        f"{schedule.network.nodes[schedule.moments[moment].node].name} ({schedule.moments[moment].operator}), "
        f"the image apart",
        f"alive there: {alive_text(schedule, moment, batch)}",
    ]


def alive_text(schedule: Schedule, moment: int, batch: int) -> str:
    """The largest tensors alive at a moment, by name and bytes; the gradients of all weights together."""
    there = [storage for storage in schedule.alive(moment) if storage.bytes(batch)]
    gradients = sum(storage.bytes(batch) for storage in there if storage.role == "weight gradient")
    alive = sorted((s for s in there if s.role != "weight gradient"), key=lambda s: -s.bytes(batch))
    named = [f"gradients of weights {gradients:,}"] if gradients else []
    named += [f"{storage.name} {storage.bytes(batch):,}" for storage in alive[:MOST_NAMED]]
    rest = alive[MOST_NAMED:]
    if rest:
        named.append(f"{counted(len(rest), 'smaller tensor')} {sum(s.bytes(batch) for s in rest):,}")
    return ", ".join(named) or "nothing"


def _best(best: Best | None, schedule: Schedule, peak: int) -> list[str]:
    if best is None:
        return []
    if best.peak == peak:
        return (
            ["no other order of the branches has a smaller peak"]
            if best.exact
            else ["no order of the branches with a smaller peak was found, though not all were tried: a bound"]
        )
    nodes = schedule.network.nodes
    moved = [nodes[i].name for i, j in zip(best.order, sorted(best.order), strict=True) if i != j]
    how = (
        "the smallest peak over all orders of the branches" if best.exact else "a peak that another order has (a bound)"
    )
    return [f"{how}: {best.peak:,} bytes, {peak - best.peak:,} fewer; it runs {moved[0]} earlier"]


def _longest_wait(rows: list[list[Any]]) -> list[str]:
    joins = [row for row in rows if row[-2]]
    if not joins:
        return []
    most = max(joins, key=lambda row: row[-2])
    return [
        f"shortcuts and branches: at {most[0]} most was waiting, {most[-2]:,} bytes over {counted(most[-1], 'layer')}"
    ]


def _sum(label: str, parts: Parts) -> str:
    named = ", ".join(f"{name} {size:,}" for name, size in parts._asdict().items() if size)
    return f"{label}: {parts.total:,} bytes, {bytes_text(parts.total)} ({named})"


def _why(saved: Saved, first: dict[Any, Saved], network: Network) -> str:
    """What is kept, and by which layer when another keeps the same tensor."""
    what = saved.why.partition(": ")[2] or saved.why
    if saved.storage.role == "image":
        return f"{what} (the image)"
    owner = first[saved.storage].node
    return what if owner == saved.node else f"{what} (kept by {network.nodes[owner].name})"


def _training_footer(analysis: Analysis, budget: Budget) -> list[str]:
    network, batch, schedule = analysis.network, analysis.batch, budget.training
    moment = schedule.peak_moment(batch)
    at = schedule.moments[moment]
    state = {"sgd": "none", "momentum": "a velocity per weight"}.get(
        budget.optimizer, "two moments per weight and a step counter per tensor"
    )
    kept = schedule.kept_bytes(batch)
    lines = [
        f"kept for the backward pass: {kept:,} bytes, {bytes_text(kept)}, each storage once, weights and image apart",
        f"weights: {budget.weights:,} bytes; gradients: {budget.weights:,}; buffers: {budget.buffers:,}; "
        f"state of {budget.optimizer}: {budget.optimizer_bytes:,} ({state})",
        f"peak over both passes: {schedule.peak(batch):,} bytes, {bytes_text(schedule.peak(batch))}, in the {at.phase} "
        f"pass at {network.nodes[at.node].name} ({at.operator}); weights, optimizer and image apart",
        f"alive there: {alive_text(schedule, moment, batch)}",
    ]
    if budget.checkpoint is not None:
        plain = Budget(network, budget.dtype, amp=budget.amp).training
        macs = {row.name: row.macs or 0 for row in analysis.rows}
        added = sum(macs[node.name] for node in schedule.again)
        lines.append(
            f"checkpoint {budget.checkpoint}: keeps {plain.kept_bytes(batch) - kept:,} bytes fewer, peak lower by "
            f"{plain.peak(batch) - schedule.peak(batch):,}; {added:,} MACs more, {added / analysis.totals.macs:.1%}"
        )
    if budget.amp:
        lines.append(
            "mixed precision: weights stay in float32; convolutions and linear layers run in bfloat16 on copies of "
            "their weights, which are among what is kept"
        )
    parts = budget.training_parts(batch)
    lines.append(_sum("a step of training at its largest moment", parts))
    lines.append("scratch inside an operator, and the framework's own memory, are not in these figures")
    return lines


def run_header(
    analysis: Analysis, budget: Budget, what: str, *, batch: bool = True, training: bool = False
) -> list[str]:
    """The header of a table, which states everything that its numbers depend on."""
    lines = [line for line in header(analysis) if not line.startswith(("convention ", "archcalc "))]
    if not batch:
        lines = [
            line.replace(f", batch {analysis.batch},", ",") if line.startswith("input ") else line for line in lines
        ]
    options = [what]
    options += [f"optimizer {budget.optimizer}"] if training or analysis.training else []
    options += ["mixed precision (autocast to bfloat16)"] if budget.amp else []
    options += [f"{budget.checkpoint} checkpointed"] if budget.checkpoint else []
    return [*lines, ", ".join(options), "as PyTorch runs it, operator by operator", f"archcalc {__version__}"]


def run_meta(analysis: Analysis, budget: Budget, *, batch: bool = True) -> dict[str, Any]:
    """The facts that every number of a table depends on."""
    facts = {key: value for key, value in meta(analysis).items() if key != "convention" and (batch or key != "batch")}
    return {
        **facts,
        "optimizer": budget.optimizer,
        "amp": budget.amp,
        "checkpoint": budget.checkpoint or "",
        "overhead": budget.overhead,
    }
