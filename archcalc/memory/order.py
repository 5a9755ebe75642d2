"""The smallest inference peak over the orders in which a network's branches can run.

The network is cut into segments at the layers that every path goes through. Only the output of such a layer is alive
when the next segment begins, so each segment is searched alone. The indices of a pooling are alive until its unpooling,
so both are in one segment. In a segment, a state is the set of layers that have
run. The search goes from state to state by the smallest peak so far, like Dijkstra's algorithm by distance. This search
is exact. If a segment has too many states, the search stops, and the peak in the order of the spec is a bound. An
output that no layer reads can be made at any time after its inputs, so no segment begins after such an output.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import NamedTuple

from archcalc.memory.lifetime import Schedule, overwritten
from archcalc.network import Network, Node
from archcalc.pytorch.tape import Storage

STATES = 10_000
"""The largest number of states of a segment that the search visits."""
PUSHED = 100_000
"""The largest number of entries that the search adds to its queue; one state can be added several times."""
TRIED = 3_000_000
"""The largest number of transitions that the search tries: states times layers of the segment."""


class Best(NamedTuple):
    """The smallest peak that was found, in bytes, whether no order has a smaller peak, and the nodes in their order."""

    peak: int
    exact: bool
    order: list[int]


class _Step(NamedTuple):
    """A layer of a segment.

    node:   index of the layer
    before: the layers that must run first
    reads:  storages that the layer reads
    during: pairs of a number of bytes and a set of inputs: the largest memory of the layer's own storages while exactly
            these inputs are freed. The first set is empty. Inputs are freed after the last statement that reads them.
    made:   storages that can stay after the layer: its output, and the indices of a pooling
    """

    node: int
    before: set[int]
    reads: list[Storage]
    during: list[tuple[int, frozenset[Storage]]]
    made: list[Storage]


def best_order(schedule: Schedule, batch: int = 1) -> Best:
    """The order with the smallest inference peak; ``schedule`` runs the layers in the order of the spec."""
    schedule, network = schedule.of_batch(batch), schedule.network
    steps = _steps(schedule, batch)
    segments = _segments(network)
    peaks = _peaks(schedule, batch)
    found, exact, orders = 0, True, {}
    for segment in sorted(segments, key=lambda segment: -max(peaks[i] for i in segment)):
        peak = max(peaks[i] for i in segment)
        least = max(
            own + sum(s.bytes(batch) for s in steps[i].reads if s not in freed)
            for i in segment
            for own, freed in steps[i].during
        )
        if peak > max(found, least):
            searched = _search(schedule, [steps[i] for i in segment], batch, max(found, least), peak)
            exact = exact and searched is not None
            peak, orders[segment[-1]] = searched or (peak, segment)
        found = max(found, peak)
    return Best(found, exact, [i for segment in segments for i in orders.get(segment[-1], segment)])


def _segments(network: Network) -> list[list[int]]:
    """The layers in segments. A segment ends with a layer whose output is the only tensor that later layers read."""
    nodes = network.running(training=False)
    last_use = dict.fromkeys((node.index for node in nodes), len(network.nodes))
    for node in nodes:
        last_use.update(dict.fromkeys((*node.inputs, *_pooling(node)), node.index))
    segments: list[list[int]] = []
    waiting: list[int] = []
    reach = max(last_use.pop(i, 0) for i in range(len(network.inputs)))
    for node in nodes:
        waiting.append(node.index)
        if reach <= node.index:
            segments.append(waiting)
            waiting = []
        reach = max(reach, last_use[node.index])
    return segments + ([waiting] if waiting else [])


def _peaks(schedule: Schedule, batch: int) -> dict[int, int]:
    """The largest number of bytes alive while each layer runs."""
    peaks = {node.index: 0 for node in schedule.network.running(training=False)}
    for moment, live in zip(schedule.moments, schedule.live(batch), strict=True):
        peaks[moment.node] = max(peaks[moment.node], live)
    return peaks


def _steps(schedule: Schedule, batch: int) -> dict[int, _Step]:
    network, outputs = schedule.network, schedule.outputs
    own: dict[int, list[Storage]] = {}
    for storage in schedule.storages:
        own.setdefault(storage.node, []).append(storage)
    readers: dict[Storage, list[int]] = {}
    steps, over = {}, overwritten(network)
    for node in network.running(training=False):
        pooling = _pooling(node)
        read = [*(outputs[i] for i in node.inputs), *(schedule.indices[i] for i in pooling)]
        reads = list(dict.fromkeys(storage for storage in read if storage.role != "image"))
        before = {i for i in node.inputs if i >= len(network.inputs)}.union(pooling)
        if node.index in over:  # every other reader of the input must run before it is overwritten
            before.update(readers.get(outputs[over[node.index]], ()))
        mine = own.get(node.index, [])
        during = {frozenset[Storage](): 0}
        ends = schedule.freed.get(node.index, {})
        for t in mine:
            size = sum(s.bytes(batch) for s in mine if s.born <= t.born <= s.dies)
            freed = frozenset(s for s, last in ends.items() if last < t.born)
            during[freed] = max(during.get(freed, 0), size)
        left = [made[node.index] for made in (outputs, schedule.indices) if node.index in made]
        steps[node.index] = _Step(
            node.index,
            before,
            reads,
            [(size, freed) for freed, size in during.items()],
            [storage for storage in left if storage.node == node.index],
        )
        for storage in reads:
            readers.setdefault(storage, []).append(node.index)
    return steps


def _pooling(node: Node) -> tuple[int, ...]:
    """The pooling whose indices an unpooling reads; empty for all other layers."""
    return (node.shares,) if node.layer.type == "unpool" and node.shares is not None else ()


def _search(
    schedule: Schedule, steps: list[_Step], batch: int, floor: int, ceiling: int
) -> tuple[int, list[int]] | None:
    """The smallest peak of a segment and an order that reaches this peak; None if the search takes too long.

    ``floor``: peaks below this number count as this number. ``ceiling``: the peak in the order of the spec.
    """
    if len(steps) ** 2 > TRIED:  # a segment has more states than layers
        return None
    first = steps[0].node
    whole = sum(1 << step.node - first for step in steps)
    held = {schedule.outputs[i] for i in schedule.network.outputs}
    readers: dict[Storage, int] = {}
    for step in steps:
        for storage in step.reads:
            readers[storage] = readers.get(storage, 0) | 1 << step.node - first
    local = [(step, 1 << step.node - first, sum(1 << i - first for i in step.before if i >= first)) for step in steps]
    start = sum(storage.bytes(batch) for storage in {*readers, *held} if 0 < storage.node < first)
    heap = [(floor, 0, 0, start, 0, 0, 0)]
    came: dict[int, tuple[int, int]] = {}
    pushed = 0
    while heap:
        peak, _, _, alive, done, parent, index = heappop(heap)
        if done in came:
            continue
        came[done] = parent, index
        if done == whole:
            return peak, _way(came, whole)
        if len(came) > min(STATES, TRIED // len(steps)) or pushed > PUSHED:
            return None
        for step, bit, before in local:
            after = done | bit
            if done & bit or before & ~done or after in came:
                continue
            done_with = {s: s.bytes(batch) for s in step.reads if not readers[s] & ~after and s not in held}
            most = max(alive + own - sum(done_with.get(s, 0) for s in freed) for own, freed in step.during)
            if most > ceiling:
                continue
            left = alive - sum(done_with.values())
            left += sum(s.bytes(batch) for s in step.made if s in readers or s in held)
            pushed += 1
            heappush(heap, (max(peak, most), -after.bit_count(), pushed, left, after, done, step.node))
    return None


def _way(came: dict[int, tuple[int, int]], done: int) -> list[int]:
    """The order in which the layers ran."""
    order = []
    while done:
        done, index = came[done]
        order.append(index)
    return order[::-1]
