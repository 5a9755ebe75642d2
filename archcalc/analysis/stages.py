"""The trunk of a network, and its stages. A stage is a run of layers of the trunk on maps of one size.

``archcalc.analysis.trunk`` defines the trunk. The size of a map is its size on the grid (``archcalc.field.grid``): tokens
and windows have the size of the map that they were cut from.

Another path between two layers of the trunk is a **skip** or a **branch**. A skip has fewer layers than the trunk
between these two layers, and the trunk changes its map size there. Examples: the copies of a U-Net, the lateral
convolutions of a pyramid, the heads of a detector. Every other path is a branch. Examples: a path of an inception
module, a residual branch, a projection. All layers of a branch, and the layers of the trunk next to the branch, belong
to the stage of the layer where the branch joins the trunk.

A layer that only other inputs lead to belongs to the first stage whose maps have the size of the layer's map. If there
is no such stage, the layer belongs to the stage where its path joins the trunk.

**Heads** are layers that leave the trunk and do not come back. Layers that come back to the last stage from a map of
another size are heads, too. Examples: the heads of a detector that concatenates all boxes, the side outputs of an edge
detector.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from archcalc.analysis.depth import WEIGHTED
from archcalc.analysis.trunk import trunk
from archcalc.field.grid import MapSize, map_sizes
from archcalc.field.paths import followed
from archcalc.layers.join import is_gate
from archcalc.layers.windowed import Windowed
from archcalc.network import Network, Node
from archcalc.sizes import int_text, largest, product

HEADS = "heads"
VECTOR = "vector"


class Stages(NamedTuple):
    """The names of the stages in their order.

    of: the number of the stage of every node. nodes: the whole trunk. trunk: the layers of the trunk without a branch
    next to them.
    """

    names: Sequence[str]
    of: Mapping[int, int]
    nodes: Sequence[Node]
    trunk: Sequence[Node]


class _Detour(NamedTuple):
    """Paths that left the trunk.

    start: the first place where a path left the trunk (paths from other inputs have no such place). depth: the most weighted layers on a path, and its layers. low:
    the number of positions of the smallest map.
    """

    start: int
    depth: tuple[int, int]
    low: float


def stages(network: Network) -> Stages:
    """The trunk and the stages of a network. Side heads belong to no stage."""
    nodes = [node for node in network.nodes if not node.side]
    inputs = {node.index: _read(node, network) for node in nodes}
    path, depth = trunk(nodes, inputs, network.outputs)
    place = {index: at for at, index in enumerate(path)}
    maps = map_sizes(network)
    texts = {index: "x".join(map(int_text, size.axes)) or VECTOR for index, size in enumerate(maps)}
    sizes = _sizes(nodes, inputs, maps)
    regions, around = _regions(nodes, inputs, place, depth, sizes)
    ends = _innermost(regions, len(path))
    named = [texts[path[end]] for end in ends]
    joins = _joins(nodes, place)
    last = named[-1]
    tail = next((at for at in range(len(named) - 1, -1, -1) if named[at] != last), -1) + 1
    beside = {i: text for i, text in _beside(nodes, inputs, place, texts).items() if text in named}
    gone, back = _heads(nodes, inputs, place, joins, tail, around, beside, texts)

    names: list[str] = []
    of: dict[int, int] = {}
    for at, name in enumerate(named):
        if at == tail and back and last != VECTOR:
            names.append(HEADS)
        if not names or names[-1] != name:
            names.append(name)
        of[path[at]] = len(names) - 1
    of |= {index: names.index(text) for index, text in beside.items()}
    of |= {node.index: of[path[joins[node.index]]] for node in nodes if node.index in joins and node.index not in of}
    if back and last == VECTOR:
        names[-1] = HEADS
    elif gone:
        names.append(HEADS)
    of |= dict.fromkeys(back, names.index(HEADS) if back else 0) | dict.fromkeys(gone, len(names) - 1)
    whole = [network.nodes[index] for index in path]
    return Stages(names, of, whole, [whole[at] for at in _outside(regions, len(path))])


def _read(node: Node, network: Network) -> Sequence[int]:
    """The inputs of a layer that the trunk can come from: not the bias that attention adds to its scores."""
    found = followed(node, network)
    return found[:3] if node.layer.type == "attention" else found


def _beside(
    nodes: Sequence[Node], inputs: Mapping[int, Sequence[int]], place: Mapping[int, int], texts: Mapping[int, str]
) -> dict[int, str]:
    """The nodes that no layer of the trunk leads to, with the text of their map size."""
    beside: dict[int, str] = {}
    for node in nodes:
        if node.index not in place and all(i in beside for i in inputs[node.index]):
            beside[node.index] = texts[node.index]
    return beside


def _sizes(
    nodes: Sequence[Node], inputs: Mapping[int, Sequence[int]], maps: Sequence[MapSize]
) -> dict[int, int | None]:
    """The number of positions of every map; None if they all have one field, as after a global pooling or a flatten layer."""
    sizes: dict[int, int | None] = {}
    for node in nodes:
        before = inputs[node.index]
        gathered = bool(before) and all(sizes[i] is None for i in before)
        if not gathered and is_gate(node.shape) and before:
            gathered = not (isinstance(node.layer, Windowed) or node.layer.joins)
        axes, alike = maps[node.index]
        sizes[node.index] = None if gathered or alike else largest(product(axes))
    return sizes


def _regions(
    nodes: Sequence[Node],
    inputs: Mapping[int, Sequence[int]],
    place: Mapping[int, int],
    depth: Mapping[int, tuple[int, int]],
    sizes: Mapping[int, int | None],
) -> tuple[list[tuple[int, int]], set[int]]:
    """The parts of the trunk that have a branch next to them (first and last place), and the nodes of the branches."""
    detours: dict[int, _Detour | None] = {}
    regions: list[tuple[int, int]] = []
    branches: set[int] = set()
    recent: dict[
        int, int
    ] = {}  # sizes of the maps of the trunk so far and the last place of each; the latest size is last
    lows: list[tuple[int, float]] = []  # places whose map is smaller than all later maps; the smallest is first
    path_index: dict[int, int] = {}
    for node in nodes:
        index, size = node.index, sizes[node.index]
        passed = [
            (i, detour)
            for i in inputs[index]
            if (detour := detours[i] if i in detours else _Detour(place[i], (0, 0), _or_inf(sizes[i])))
        ]
        if index not in place:
            detours[index] = _further(node, size, [detour for _, detour in passed])
            continue
        end = place[index]
        for source, detour in passed:
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


def _further(node: Node, size: int | None, passed: Sequence[_Detour]) -> _Detour | None:
    """The paths that lead to a node outside the trunk; None if all of them come from other inputs."""
    if not passed:
        return None
    weighted, layers = max(detour.depth for detour in passed)
    return _Detour(
        min(detour.start for detour in passed),
        (weighted + isinstance(node.layer, WEIGHTED), layers + 1),
        min([_or_inf(size), *(detour.low for detour in passed)]),
    )


def _or_inf(size: int | None) -> float:
    return float("inf") if size is None else size


def _passes(recent: Mapping[int, int], start: int, first: int | None, last: int | None) -> bool:
    """Whether a map after the place ``start`` differs in size from the first map and from the last map."""
    others = list(islice((size for size in reversed(recent) if size not in (first, last)), 1))
    return bool(others) and recent[others[0]] > start


def _innermost(regions: Sequence[tuple[int, int]], count: int) -> list[int]:
    """For every place: the nearest end of the regions around the place. Without a region: the place itself."""
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
    """The places that do not lie inside a region. The ends of a region are not inside the region."""
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
    """For every node outside the trunk that leads back to the trunk: the first place where a path joins the trunk."""
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
    beside: Mapping[int, str],
    texts: Mapping[int, str],
) -> tuple[set[int], set[int]]:
    """The nodes of heads: nodes that do not lead back to the trunk, and nodes that come back to its last stage."""
    gone: set[int] = set()
    back: set[int] = set()
    last = texts[next(reversed(place))]
    late: set[int] = set()  # nodes that read a map of the last stage come after this map, not before
    for node in nodes:
        index = node.index
        if place.get(index, -1) >= tail or any(i in late for i in inputs[index]):
            late.add(index)
        if index in place or index in beside:
            continue
        if index not in joins:
            gone.add(index)
        elif joins[index] >= tail and index not in branches and index not in late:
            own = texts[index] != last and not is_gate(node.shape)
            if own or any(i in back for i in inputs[index]):
                back.add(index)
    return gone, back
