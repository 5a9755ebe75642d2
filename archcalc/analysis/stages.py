"""The trunk of a network, and its stages: runs of layers on maps of one size along the trunk, wherever skips cross.

What the trunk is, and where heads begin, says ``archcalc.analysis.trunk``.

Another path between two layers of the trunk is a **skip** or a **branch**. A skip is shallower, and the trunk leaves its
map size in between: the copies of a U-Net, the lateral convolutions of a pyramid, the heads of a detector. A branch is
everything else: an inception module, a residual block, a projection. Layers beside each other belong to the stage of
the layer where they meet, so all of a branch, and the trunk beside it, have the size of its end.

Layers that leave the trunk for good are **heads**, and so are those that come back to its last stage from a map of
another size: the heads of a detector whose boxes are one list, the side outputs of an edge detector.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from archcalc.analysis.depth import WEIGHTED
from archcalc.analysis.trunk import trunk
from archcalc.field.paths import followed
from archcalc.layers.join import is_gate
from archcalc.layers.windowed import Windowed
from archcalc.network import Network, Node
from archcalc.sizes import int_text, largest, product

HEADS = "heads"
VECTOR = "vector"


class Stages(NamedTuple):
    """The names of the stages in their order, and the number of every node's.

    ``nodes`` is the whole trunk; ``trunk`` are its layers that no branch passes by.
    """

    names: Sequence[str]
    of: Mapping[int, int]
    nodes: Sequence[Node]
    trunk: Sequence[Node]


class _Detour(NamedTuple):
    """Paths that left the trunk: where first, their most weighted layers and layers, and their smallest map."""

    start: int
    depth: tuple[int, int]
    low: float


def stages(network: Network) -> Stages:
    """The trunk and the stages of a network; side heads, which run in training only, belong to none."""
    nodes = [node for node in network.nodes if not node.side]
    inputs = {node.index: followed(node, network) for node in nodes}
    path, depth = trunk(nodes, inputs, network.outputs)
    place = {index: at for at, index in enumerate(path)}
    sizes = _sizes(nodes, inputs)
    regions, around = _regions(nodes, inputs, place, depth, sizes)
    ends = _innermost(regions, len(path))
    named = [_text(network.nodes[path[end]]) for end in ends]
    joins = _joins(nodes, place)
    last = named[-1]
    tail = next((at for at in range(len(named) - 1, -1, -1) if named[at] != last), -1) + 1
    gone, back = _heads(nodes, inputs, place, joins, tail, around, [_text(node) for node in network.nodes], last)

    names: list[str] = []
    of: dict[int, int] = {}
    for at, name in enumerate(named):
        if at == tail and back and last != VECTOR:
            names.append(HEADS)
        if not names or names[-1] != name:
            names.append(name)
        of[path[at]] = len(names) - 1
    of |= {node.index: of[path[joins[node.index]]] for node in nodes if node.index in joins and node.index not in of}
    if back and last == VECTOR:
        names[-1] = HEADS
    elif gone:
        names.append(HEADS)
    of |= dict.fromkeys(back, names.index(HEADS) if back else 0) | dict.fromkeys(gone, len(names) - 1)
    whole = [network.nodes[index] for index in path]
    return Stages(names, of, whole, [whole[at] for at in _outside(regions, len(path))])


def _text(node: Node) -> str:
    return "x".join(map(int_text, node.shape.axes)) or VECTOR


def _sizes(nodes: Sequence[Node], inputs: Mapping[int, Sequence[int]]) -> dict[int, int | None]:
    """The positions of every map; None behind a global pooling or a flattening, where all positions were gathered."""
    sizes: dict[int, int | None] = {}
    for node in nodes:
        before = inputs[node.index]
        gathered = bool(before) and all(sizes[i] is None for i in before)
        if not gathered and is_gate(node.shape) and before:
            gathered = not (isinstance(node.layer, Windowed) or node.layer.joins)
        sizes[node.index] = None if gathered else largest(product(node.shape.axes))
    return sizes


def _regions(
    nodes: Sequence[Node],
    inputs: Mapping[int, Sequence[int]],
    place: Mapping[int, int],
    depth: Mapping[int, tuple[int, int]],
    sizes: Mapping[int, int | None],
) -> tuple[list[tuple[int, int]], set[int]]:
    """The parts of the trunk that lie beside a branch, by their first and last place, and the nodes of branches."""
    detours: dict[int, _Detour] = {}
    regions: list[tuple[int, int]] = []
    branches: set[int] = set()
    recent: dict[int, int] = {}  # the sizes met on the trunk, the latest last, each with its last place
    lows: list[tuple[int, float]] = []  # places whose map is smaller than all later ones, from the smallest on
    path_index: dict[int, int] = {}
    for node in nodes:
        index, size = node.index, sizes[node.index]
        passed = [detours[i] if i in detours else _Detour(place[i], (0, 0), _or_inf(sizes[i])) for i in inputs[index]]
        if index not in place:
            weighted, layers = max(detour.depth for detour in passed)
            detours[index] = _Detour(
                min(detour.start for detour in passed),
                (weighted + isinstance(node.layer, WEIGHTED), layers + 1),
                min([_or_inf(size), *(detour.low for detour in passed)]),
            )
            continue
        end = place[index]
        for source, detour in zip(inputs[index], passed, strict=True):
            if place.get(source) == end - 1:
                continue
            start = path_index[detour.start]
            beside = tuple(a - b for a, b in zip(depth[path_index[end - 1]], depth[start], strict=True))
            low = lows[bisect_left(lows, (detour.start,))][1]
            if detour.depth < beside and (detour.low > low or _passes(recent, detour.start, sizes[start], size)):
                continue
            regions.append((detour.start, end))
            branches.add(source)
        path_index[end] = index
        if size is not None:
            recent.pop(size, None)
            recent[size] = end
        while lows and lows[-1][1] >= _or_inf(size):
            lows.pop()
        lows.append((end, _or_inf(size)))
    for node in reversed(nodes):
        if node.index in branches and node.index not in place:
            branches.update(node.inputs)
    return regions, branches


def _or_inf(size: int | None) -> float:
    return float("inf") if size is None else size


def _passes(recent: Mapping[int, int], start: int, first: int | None, last: int | None) -> bool:
    """Whether a map behind the place ``start`` has another size than the first and the last map."""
    others = list(islice((size for size in reversed(recent) if size not in (first, last)), 1))
    return bool(others) and recent[others[0]] > start


def _innermost(regions: Sequence[tuple[int, int]], count: int) -> list[int]:
    """For every place the end of the first region to end of those around it; the place itself where there is none."""
    ends = list(range(count))
    open_places: list[int] = []
    starts: dict[int, list[int]] = {}
    for start, end in regions:
        starts.setdefault(end, []).append(start)
    for at in range(count):
        open_places.append(at)
        if at in starts:
            while open_places and open_places[-1] > min(starts[at]):
                ends[open_places.pop()] = at
    return ends


def _outside(regions: Sequence[tuple[int, int]], count: int) -> list[int]:
    """The places that lie strictly within no region."""
    change = [0] * (count + 1)
    for start, end in regions:
        change[start + 1] += 1
        change[end] -= 1
    outside, inside = [], 0
    for at in range(count):
        inside += change[at]
        if not inside:
            outside.append(at)
    return outside


def _joins(nodes: Sequence[Node], place: Mapping[int, int]) -> dict[int, int]:
    """For every node beside the trunk that leads back to it, the first place where it does."""
    joins: dict[int, int] = {}
    for node in reversed(nodes):
        there = place.get(node.index, joins.get(node.index))
        if there is not None:
            joins.update((i, min(there, joins.get(i, there))) for i in node.inputs if i not in place)
    return joins


def _heads(
    nodes: Sequence[Node],
    inputs: Mapping[int, Sequence[int]],
    place: Mapping[int, int],
    joins: Mapping[int, int],
    tail: int,
    branches: set[int],
    texts: Sequence[str],
    last: str,
) -> tuple[set[int], set[int]]:
    """The nodes that leave the trunk for good, and those that come back to its last stage from maps of another size."""
    gone: set[int] = set()
    back: set[int] = set()
    late: set[int] = set()  # what takes a map of the last stage comes after it, not before
    for node in nodes:
        index = node.index
        if place.get(index, -1) >= tail or any(i in late for i in inputs[index]):
            late.add(index)
        if index in place:
            continue
        if index not in joins:
            gone.add(index)
        elif joins[index] >= tail and index not in branches and index not in late:
            own = texts[index] != last and not is_gate(node.shape)
            if own or any(i in back for i in inputs[index]):
                back.add(index)
    return gone, back
