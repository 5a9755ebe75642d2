"""Inference layer by layer: the feature maps, how each is held and until when, and the moment at which most is alive."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archcalc.analysis import Analysis
from archcalc.memory.budget import Budget, Parts
from archcalc.memory.lifetime import Schedule
from archcalc.memory.order import Best, best_order
from archcalc.network import Network, Node
from archcalc.outputs import outputs_lines, outputs_of
from archcalc.pytorch.record import records
from archcalc.pytorch.tape import Storage
from archcalc.report.layers import header, meta
from archcalc.report.table import Heading, Table
from archcalc.units import bytes_text, counted
from archcalc.version import __version__

LAYER = Heading("layer", "layer", "text", 9)
TYPE = Heading("type", "type", "text", 6)
OUTPUT = Heading("output", "output", "text", 7)
MOST_NAMED = 6
"""So many tensors are named where a peak is described."""
NOT_COUNTED_HERE = "scratch inside an operator, and the framework's own memory, are not in these figures"


def inference_table(analysis: Analysis, budget: Budget) -> Table:
    """Every layer with its output, how that is held and until when, and the most bytes alive while it runs."""
    network, batch, schedule = analysis.network, analysis.batch, budget.inference
    nodes = network.running(training=False)
    most = most_alive(schedule, batch)
    sizes = _map_bytes(nodes, schedule, batch, budget.itemsize)
    last = {i: node.name for node in nodes for i in node.inputs} | dict.fromkeys(network.outputs, "the end")
    turns = {node.index: turn for turn, node in enumerate(nodes)}
    rows: list[list[Any]] = []
    for node in nodes:
        waiting, over = _waits(node, schedule, batch, turns)
        rows.append(
            [
                node.name,
                node.layer.type,
                str(node.shape),
                sizes[node.index],
                _held(node, schedule),
                last.get(node.index, ""),
                most.get(node.index),
                waiting,
                over,
            ]
        )
    peak, parts = schedule.peak(batch), budget.inference_parts(batch)
    joins = any(node.layer.joins for node in nodes)
    several = joins or len(network.outputs) > 1
    best = best_order(schedule, batch) if several and not budget.amp else None
    maps = _feature_maps(network, {0: parts.image, **sizes})
    return Table(
        title=network.title,
        headings=[
            LAYER,
            TYPE,
            OUTPUT,
            Heading("bytes", "map", "bytes", 8),
            Heading("held", "held", "text", 5),
            Heading("until", "needed until", "text", 3),
            Heading("alive", "alive", "bytes", 8),
            Heading("waiting", "waiting", "bytes", 4),
            Heading("over", "over layers", "number", 2),
        ],
        rows=rows,
        header=run_header(analysis, budget, "inference, layer by layer"),
        footer=[
            f"feature maps: {exact_bytes(maps['new'])} held of their own, the image included; {maps['in_place']:,} that "
            f"can overwrite their input; {maps['view']:,} of views",
            *outputs_lines(network),
            *_peak(schedule, batch),
            *_best(best, schedule, peak),
            *(["with mixed precision other orders of the branches are not searched"] if several and budget.amp else []),
            *_longest_wait(rows),
            sum_text("with the weights and the image", parts),
            "alive is the most at any moment while the layer runs, its inputs and output included, and - where nothing "
            "runs; waiting is what a join's other inputs kept alive, and over how many layers",
            NOT_COUNTED_HERE,
        ],
        meta=run_meta(analysis, budget),
        totals={
            "feature_maps": maps,
            **peak_facts(schedule, batch),
            "best_peak": None if best is None else best.peak,
            "best_is_exact": None if best is None else best.exact,
            "outputs": dict(outputs_of(network)),
            "unused": [layer.name for layer in network.unused],
            **parts._asdict(),
        },
    )


def _held(node: Node, schedule: Schedule) -> str:
    """How PyTorch holds an output."""
    if _is_new(node, schedule):
        return "new"
    return "in place" if records[node.layer.type].in_place else "view"


def _is_new(node: Node, schedule: Schedule) -> bool:
    own = schedule.outputs[node.index]
    return all(schedule.outputs[i] is not own for i in node.inputs)


def _map_bytes(nodes: list[Node], schedule: Schedule, batch: int, itemsize: int) -> dict[int, int]:
    """The bytes of every layer's output; under autocast some have narrower values than their inputs."""
    width = {0: itemsize}
    for node in nodes:
        own = schedule.outputs[node.index]
        same = (width[i] for i in node.inputs if schedule.outputs[i] is own)
        width[node.index] = own.per_image // node.shape.values if _is_new(node, schedule) else next(same)
    return {node.index: node.shape.values * batch * width[node.index] for node in nodes}


def most_alive(schedule: Schedule, batch: int, phase: str = "forward") -> dict[int, int]:
    """The most bytes alive while each layer runs, by its index; a layer for which nothing runs is not there."""
    most: dict[int, int] = {}
    for moment, live in zip(schedule.moments, schedule.live(batch), strict=True):
        if moment.phase == phase:
            most[moment.node] = max(most.get(moment.node, 0), live)
    return most


def _waits(node: Node, schedule: Schedule, batch: int, turns: Mapping[int, int]) -> tuple[int | None, int | None]:
    """The bytes that a join's inputs kept alive until the last of them was there, and over how many layers.

    ``turns`` say as which of all layers each one runs.
    """
    if not node.layer.joins or len(node.inputs) < 2:
        return None, None
    *earlier, latest = sorted(set(node.inputs))
    own = schedule.outputs[latest]
    made = [i for i in earlier if i and schedule.outputs[i] is not own]
    waiting = dict.fromkeys(schedule.outputs[i] for i in made)
    return sum(storage.bytes(batch) for storage in waiting), (turns[latest] - turns[min(made)] if made else 0)


def _feature_maps(network: Network, sizes: Mapping[int, int]) -> dict[str, int]:
    """The bytes of all outputs at inference, the image's included: held of their own, in place, and as views."""
    maps = {"new": 0, "in_place": 0, "view": 0}
    for index, size in sizes.items():
        maps[network.nodes[index].storage] += size
    return maps


def _peak(schedule: Schedule, batch: int) -> list[str]:
    moment = schedule.peak_moment(batch)
    at = schedule.at(moment)
    return [
        f"inference peak by lifetime: {exact_bytes(schedule.peak(batch))}, at {schedule.network.nodes[at.node].name} "
        f"({at.operator}), the image apart",
        f"alive there: {alive_text(schedule, moment, batch)}",
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
    """The largest tensors alive at a moment, by name and bytes; the gradients of all weights together."""
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


def exact_bytes(n: int) -> str:
    """Bytes to the last one, and where they are many in decimal and binary units too.

    >>> exact_bytes(60_950_432), exact_bytes(12)
    ('60,950,432 bytes, 61.0 MB (58.1 MiB)', '12 bytes')
    """
    return f"{n:,} bytes" if n < 1000 else f"{n:,} bytes, {bytes_text(n)}"


def sum_text(label: str, parts: Parts) -> str:
    """A sum of bytes, and what it is the sum of."""
    named = ", ".join(f"{name} {size:,}" for name, size in parts._asdict().items() if size)
    return f"{label}: {exact_bytes(parts.total)} ({named})"


def run_header(
    analysis: Analysis, budget: Budget, what: str, *, batch: bool = True, training: bool = False, input: str = ""
) -> list[str]:
    """The header of a table, which states all that its numbers depend on; ``input`` where that is not the analysis'."""
    *lines, size = header(analysis)[:-2]  # without convention and version
    if not batch:
        size = size.replace(f", batch {analysis.batch},", ",")
    if input:
        size = size.replace(str(analysis.input), input, 1)
    options = [what]
    options += [f"optimizer {budget.optimizer}"] if training or analysis.training else []
    options += ["mixed precision (autocast to bfloat16)"] if budget.amp else []
    options += [f"{budget.checkpoint} checkpointed"] if budget.checkpoint else []
    return [*lines, size, ", ".join(options), "as PyTorch runs it, operator by operator", f"archcalc {__version__}"]


def run_meta(analysis: Analysis, budget: Budget) -> dict[str, Any]:
    """The facts that every number of a table depends on."""
    return {
        **{key: value for key, value in meta(analysis).items() if key != "convention"},
        "optimizer": budget.optimizer,
        "amp": budget.amp,
        "checkpoint": budget.checkpoint or "",
        "overhead": budget.overhead,
    }
