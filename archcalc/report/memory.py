"""Inference layer by layer: the feature maps, the storage and the last use of each, and the moment of the peak."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archcalc.analysis import Analysis
from archcalc.memory.budget import Budget, Parts
from archcalc.memory.lifetime import Schedule
from archcalc.memory.order import Best, best_order
from archcalc.network import Network, Node
from archcalc.outputs import outputs_lines, outputs_of, unused_names
from archcalc.pytorch.record import records
from archcalc.pytorch.tape import Storage
from archcalc.report.header import Header, layer_header
from archcalc.report.table import Heading, Table
from archcalc.units import bytes_text, counted

LAYER = Heading("layer", "layer", "text", 9)
TYPE = Heading("type", "type", "text", 6)
OUTPUT = Heading("output", "output", "text", 7)
MOST_NAMED = 6
"""Largest number of tensors that are named at a peak."""
INFERENCE = (
    LAYER,
    TYPE,
    OUTPUT,
    Heading("bytes", "map", "bytes", 8),
    Heading("storage", "storage", "text", 5),
    Heading("last_use", "last use", "text", 3),
    Heading("alive", "alive", "bytes", 8),
    Heading("waiting", "waiting", "bytes", 4),
    Heading("waiting_layers", "waiting layers", "number", 2),
)
ALIVE = "alive: peak while the layer runs, inputs and output included ('-': no operator runs)."
WAITING = "waiting: bytes that earlier inputs of an add or concat keep alive, and for how many layers."
HOW_MEMORY_IS_COUNTED = (
    "The network runs as in PyTorch, operator by operator. Scratch inside an operator and the framework's own memory are "
    "not included.",
)


def inference_table(analysis: Analysis, budget: Budget) -> Table:
    """Every layer with its output, the storage and the last use of the output, and the most bytes alive while it runs."""
    network, batch = analysis.network, analysis.batch
    schedule = budget.inference.of_batch(batch)
    nodes = network.running(training=False)
    sizes = _map_bytes(nodes, schedule, batch, budget.itemsize)
    parts = budget.inference_parts(batch)
    maps = _feature_maps(network, {0: parts.network_input, **sizes})
    joins = any(node.layer.joins for node in nodes)
    several = joins or len(network.outputs) > 1
    best = best_order(schedule, batch) if several and not budget.amp else None
    rows = _rows(nodes, schedule, batch, sizes)
    return Table(
        title=network.title,
        headings=INFERENCE,
        rows=rows,
        header=run_header(analysis, budget, "inference, layer by layer"),
        footer=[
            f"feature maps: {exact_bytes(maps['new'])} in new storage, network input included; {maps['in_place']:,} bytes "
            f"are written in place; {maps['view']:,} bytes are views.",
            *outputs_lines(network),
            *_peak(schedule, batch),
            *_best(best, schedule, schedule.peak(batch)),
            *(["with mixed precision other orders of the branches are not searched"] if several and budget.amp else []),
            *_longest_wait(rows),
            sum_text("with weights and network input", parts),
        ],
        details=[ALIVE + (f" {WAITING}" if joins else ""), *HOW_MEMORY_IS_COUNTED],
        totals={
            "feature_maps": maps,
            **peak_facts(schedule, batch),
            "best_peak": None if best is None else best.peak,
            "best_is_exact": None if best is None else best.exact,
            "outputs": dict(outputs_of(network)),
            "unused": unused_names(network),
            **parts._asdict(),
        },
    )


def _rows(nodes: list[Node], schedule: Schedule, batch: int, sizes: Mapping[int, int]) -> list[list[Any]]:
    most = most_alive(schedule, batch)
    last_use = {i: node.name for node in nodes for i in node.inputs} | dict.fromkeys(
        schedule.network.outputs, "the end"
    )
    turns = {node.index: turn for turn, node in enumerate(nodes)}
    return [
        [
            node.name,
            node.layer.type,
            node.output,
            sizes[node.index],
            _storage(node, schedule),
            last_use.get(node.index, ""),
            most.get(node.index),
            *_waits(node, schedule, batch, turns),
        ]
        for node in nodes
    ]


def _storage(node: Node, schedule: Schedule) -> str:
    """The storage of an output in PyTorch: new, in place, or view."""
    if _is_new(node, schedule):
        return "new"
    return "in place" if records[node.layer.type].in_place else "view"


def _is_new(node: Node, schedule: Schedule) -> bool:
    own = schedule.outputs[node.index]
    return all(schedule.outputs[i] is not own for i in node.inputs)


def _map_bytes(nodes: list[Node], schedule: Schedule, batch: int, itemsize: int) -> dict[int, int]:
    """The bytes of every layer's output.

    Under autocast, the values of an output may be narrower than the values of its input.
    """
    width = dict.fromkeys(schedule.outputs, itemsize)
    for node in nodes:
        own = schedule.outputs[node.index]
        same = (width[i] for i in node.inputs if schedule.outputs[i] is own)
        width[node.index] = own.per_image // (node.shape.values * node.times) if _is_new(node, schedule) else next(same)
    return {node.index: node.shape.values * node.times * batch * width[node.index] for node in nodes}


def most_alive(schedule: Schedule, batch: int, phase: str = "forward") -> dict[int, int]:
    """The most bytes alive while each layer runs, by layer index. A layer without operators is missing."""
    most: dict[int, int] = {}
    for moment, live in zip(schedule.moments, schedule.live(batch), strict=True):
        if moment.phase == phase:
            most[moment.node] = max(most.get(moment.node, 0), live)
    return most


def _waits(node: Node, schedule: Schedule, batch: int, turns: Mapping[int, int]) -> tuple[int | None, int | None]:
    """The bytes that earlier inputs of a join keep alive until the last input is ready, and for how many layers.

    ``turns`` maps a node's index to its position in the running order.
    """
    if not node.layer.joins or len(node.inputs) < 2:
        return None, None
    *earlier, latest = sorted(set(node.inputs))
    own = schedule.outputs[latest]
    waiting_maps = [i for i in earlier if schedule.network.nodes[i].inputs and schedule.outputs[i] is not own]
    waiting = dict.fromkeys(schedule.outputs[i] for i in waiting_maps)
    return sum(storage.bytes(batch) for storage in waiting), (
        turns[latest] - turns[min(waiting_maps)] if waiting_maps else 0
    )


def _feature_maps(network: Network, sizes: Mapping[int, int]) -> dict[str, int]:
    """The bytes of all outputs at inference, the network input included: in new storage, in place, and as views."""
    maps = {"new": 0, "in_place": 0, "view": 0}
    for index, size in sizes.items():
        maps[network.nodes[index].storage] += size
    return maps


def _peak(schedule: Schedule, batch: int) -> list[str]:
    moment = schedule.peak_moment(batch)
    at = schedule.at(moment)
    return [
        f"inference peak: {exact_bytes(schedule.peak(batch))}, at {schedule.network.nodes[at.node].name} (operator "
        f"{at.operator}), without the network input",
        f"alive at the peak: {alive_text(schedule, moment, batch)}",
    ]


def peak_facts(schedule: Schedule, batch: int) -> dict[str, Any]:
    """The peak for a program: its bytes, layer, pass and operator, and every tensor that is alive there."""
    moment = schedule.peak_moment(batch)
    at = schedule.at(moment)
    return {
        "peak": schedule.peak(batch),
        "peak_layer": schedule.network.nodes[at.node].name,
        "peak_pass": at.phase,
        "peak_operator": at.operator,
        "alive_at_peak": [{"tensor": s.name, "bytes": s.bytes(batch)} for s in _largest_first(schedule, moment, batch)],
    }


def alive_text(schedule: Schedule, moment: int, batch: int) -> str:
    """The largest tensors alive at a moment, by name and bytes. The gradients of all weights are one sum."""
    there = _largest_first(schedule, moment, batch)
    gradients = sum(storage.bytes(batch) for storage in there if storage.role == "weight gradient")
    alive = [storage for storage in there if storage.role != "weight gradient"]
    named = [f"gradients of weights {gradients:,}"] if gradients else []
    named += [f"{storage.name} {storage.bytes(batch):,}" for storage in alive[:MOST_NAMED]]
    rest = alive[MOST_NAMED:]
    if rest:
        named.append(f"{counted(len(rest), 'smaller tensor')} {sum(s.bytes(batch) for s in rest):,}")
    return ", ".join(named) or "nothing"


def _largest_first(schedule: Schedule, moment: int, batch: int) -> list[Storage]:
    alive = [storage for storage in schedule.alive(moment) if storage.bytes(batch)]
    return sorted(alive, key=lambda storage: -storage.bytes(batch))


def _best(best: Best | None, schedule: Schedule, peak: int) -> list[str]:
    if best is None:
        return []
    if best.peak == peak:
        return (
            ["no other order of the branches has a smaller peak"]
            if best.exact
            else ["no order of the branches with a smaller peak is known; not all orders were tried (a bound)"]
        )
    nodes = schedule.network.nodes
    moved = [nodes[i].name for i, j in zip(best.order, sorted(best.order), strict=True) if i != j]
    label = (
        "smallest peak over all orders of the branches"
        if best.exact
        else "peak of another order of the branches (a bound)"
    )
    return [f"{label}: {best.peak:,} bytes, {peak - best.peak:,} fewer; that order runs {moved[0]} earlier"]


def _longest_wait(rows: list[list[Any]]) -> list[str]:
    joins = [row for row in rows if row[-2]]
    if not joins:
        return []
    most = max(joins, key=lambda row: row[-2])
    return [f"most waiting bytes: {most[-2]:,}, at {most[0]}, for {counted(most[-1], 'layer')}"]


def exact_bytes(n: int) -> str:
    """The exact number of bytes. Large numbers are also shown in decimal and binary units.

    >>> exact_bytes(60_950_432), exact_bytes(12)
    ('60,950,432 bytes, 61.0 MB (58.1 MiB)', '12 bytes')
    """
    return f"{n:,} bytes" if n < 1000 else f"{n:,} bytes, {bytes_text(n)}"


def part_title(name: str) -> str:
    """The name of a part of memory, for readers."""
    return name.replace("_", " ")


def sum_text(label: str, parts: Parts) -> str:
    """A sum of bytes, and its parts."""
    named = ", ".join(f"{part_title(name)} {size:,}" for name, size in parts._asdict().items() if size)
    return f"{label}: {exact_bytes(parts.total)} ({named})"


def run_header(analysis: Analysis, budget: Budget, what: str, *, training: bool | None = None) -> Header:
    """The header of a table of memory. If the table includes training, the header names the optimizer."""
    mode = [what]
    mode += [f"optimizer {budget.optimizer}"] if (analysis.training if training is None else training) else []
    mode += ["mixed precision (autocast to bfloat16)"] if budget.amp else []
    mode += [f"{budget.checkpoint} checkpointed"] if budget.checkpoint else []
    attends = any(node.layer.type == "attention" for node in budget.network.nodes)
    mode += [f"attention as PyTorch's {budget.attention}"] if attends else []
    return layer_header(analysis)._replace(
        convention=None,
        unknown_types=None,
        mode=tuple(mode),
        options={
            "optimizer": budget.optimizer,
            "amp": budget.amp,
            "checkpoint": budget.checkpoint or "",
            "overhead": budget.overhead,
            **({"attention": budget.attention} if attends else {}),
        },
    )
