"""A network as a graph with few items. An item is a layer with its activation, or a whole block."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from string import digits
from typing import NamedTuple

from archcalc.analysis import Analysis
from archcalc.analysis.rows import Row
from archcalc.analysis.stages import HEADS, VECTOR
from archcalc.layers import Layer
from archcalc.layers.base import Pointwise
from archcalc.layers.convolution import CONVOLUTIONS
from archcalc.layers.dense import Linear, Rbf
from archcalc.layers.join import Join
from archcalc.layers.norm import LayerNorm
from archcalc.layers.pool import AdaptivePool, GlobalPool, Pool
from archcalc.layers.reduce import Reduce
from archcalc.layers.region import RegionLayer
from archcalc.layers.reshape import Input
from archcalc.network import Node
from archcalc.sizes import Shape

SORTS: Sequence[tuple[str, tuple[type[Layer], ...]]] = (
    ("input", (Input,)),
    ("convolution", CONVOLUTIONS),
    ("pooling", (Pool, AdaptivePool, GlobalPool, Reduce, RegionLayer)),
    ("merge", (Join,)),
    ("fully connected", (Linear, Rbf)),
)
BLOCK, OTHER = "block", "other"


class Item(NamedTuple):
    """One or more layers that are drawn as one.

    name: name of the layer, block or stage. sort: kind of the layer, or BLOCK. shape: the output. scopes: names of the
    blocks that contain the item. inputs: indices of the items whose outputs the item reads. rows: the layers. repeats:
    number of equal consecutive blocks in the item. trunk: a layer of the item belongs to the trunk.
    """

    name: str
    sort: str
    shape: Shape
    scopes: tuple[str, ...]
    inputs: tuple[int, ...]
    rows: tuple[Row, ...]
    repeats: int
    trunk: bool = False


def finest(
    analysis: Analysis,
    most: int,
    fold: Callable[[Analysis, int], list[Item]] | None = None,
    longest: int | None = None,
) -> list[Item]:
    """The items of the finest folding with at most ``most`` items, and at most ``longest`` items on a path.

    First inner blocks are folded, then larger blocks. If that is not enough, the network is folded by stage.
    """
    deepest = max((len(row.scopes) for row in analysis.rows), default=0)
    for depth in range(deepest + 1, 0, -1):
        items = (fold or folded_graph)(analysis, depth)
        if len(items) <= most and (longest is None or _longest_path(items) <= longest):
            return items
    return _by_stage(analysis)


def _longest_path(items: Sequence[Item]) -> int:
    """The number of items on the longest path."""
    lengths: list[int] = []
    for item in items:
        lengths.append(1 + max((lengths[i] for i in item.inputs), default=0))
    return max(lengths)


def folded_graph(analysis: Analysis, depth: int, alone: bool = False) -> list[Item]:
    """One item for each block that is nested deeper than ``depth``; one item for each other layer with its followers.

    A follower computes each value from one input value (an activation, a normalisation), or is a view. ``alone``:
    join a layer with its follower only if no other layer reads that layer and both lie in the same block.
    """
    users = Counter(i for row in analysis.rows if row.node is not None for i in row.node.inputs)
    heads: dict[int, Hashable] = {}

    def key(row: Row, node: Node) -> Hashable:
        if len(row.scopes) >= depth:
            heads[node.index] = row.scopes[:depth]
        elif _follows(node) and not (alone and (users[node.inputs[0]] > 1 or _block_begins(analysis, node, depth))):
            heads[node.index] = heads[node.inputs[0]]
        else:
            heads[node.index] = node.index
        return heads[node.index]

    return _items(analysis, key, depth)


def _follows(node: Node) -> bool:
    followers = isinstance(node.layer, (Pointwise, LayerNorm)) or node.storage == "view"
    return followers and len(node.inputs) == 1


def _block_begins(analysis: Analysis, node: Node, depth: int) -> bool:
    """Whether the node is the first layer of a block: its input lies in another block."""
    return analysis.network.nodes[node.inputs[0]].scopes[:depth] != node.scopes[:depth]


def _by_stage(analysis: Analysis) -> list[Item]:
    """One item for each stage."""
    stages = analysis.stages
    groups: list[list[Row]] = [[] for _ in stages.names]
    for row in analysis.rows:
        if row.node is not None and not row.node.side:
            groups[stages.of[row.node.index]].append(row)
    names = [name.replace("x", "×") if name not in (HEADS, VECTOR) else name for name in stages.names]
    return _with_trunk(analysis, [_block(names[at], group, at, stages.of, 0) for at, group in enumerate(groups)])


def _with_trunk(analysis: Analysis, items: Sequence[Item]) -> list[Item]:
    """The items with ``trunk`` set: true if a layer of the item belongs to the trunk."""
    trunk = {node.index for node in analysis.stages.trunk}
    return [
        item._replace(trunk=any(row.node is not None and row.node.index in trunk for row in item.rows))
        for item in items
    ]


def _items(analysis: Analysis, key: Callable[[Row, Node], Hashable], depth: int) -> list[Item]:
    """One item for all rows with the same key. The key of a block is the tuple of block names around its layers."""
    groups: list[list[Row]] = []
    keys: list[Hashable] = []
    place: dict[Hashable, int] = {}
    item_of: dict[int, int] = {}
    for row, node in _in_order(analysis):
        group_key = key(row, node)
        at = place.get(group_key)
        if at is None or (isinstance(group_key, tuple) and at != len(groups) - 1):
            at = place[group_key] = len(groups)
            groups.append([])
            keys.append(group_key)
        groups[at].append(row)
        item_of[node.index] = at
    items = [
        _block(str(key[-1]), group, at, item_of, depth) if isinstance(key, tuple) else _layer(group, at, item_of)
        for at, (group, key) in enumerate(zip(groups, keys, strict=True))
    ]
    return _with_trunk(analysis, items)


def _in_order(analysis: Analysis) -> list[tuple[Row, Node]]:
    """The rows with their nodes, without side heads. An input stands before the block that reads the input first."""
    rows = [(row, row.node) for row in analysis.rows if row.node is not None and not row.node.side]
    count = len(analysis.inputs)
    layers = rows[count:]
    for row, node in rows[1:count]:
        at = next((at for at, (_, reader) in enumerate(layers) if node.index in reader.inputs), 0)
        while at and layers[at][0].scopes and layers[at][0].scopes[0] in layers[at - 1][0].scopes[:1]:
            at -= 1
        layers.insert(at, (row, node))
    return [*rows[:1], *layers]


def _layer(rows: Sequence[Row], at: int, item_of: Mapping[int, int]) -> Item:
    """The item of a layer with its followers."""
    nodes = [row.node for row in rows if row.node is not None]
    head = nodes[0]
    return Item(rows[0].name, _sort(head), head.shape, head.scopes, _inputs(nodes, at, item_of), tuple(rows), 1)


def _block(name: str, rows: Sequence[Row], at: int, item_of: Mapping[int, int], depth: int) -> Item:
    """The item of a block at this depth, or of a stage (depth 0). A block of one layer is drawn as this layer.

    Its shape is the output of the block's own last layer: a view that follows the block can have another shape.
    """
    nodes = [row.node for row in rows if row.node is not None]
    parts = [node for node in nodes if not _follows(node)]
    named, sort = (rows[0].name if len(rows) == 1 else name), (_sort(parts[0]) if len(parts) == 1 else BLOCK)
    last = [node for node in nodes if node.scopes[:depth] == nodes[0].scopes[:depth]][-1]
    scopes = last.scopes[: max(0, depth - 1)]
    return Item(named, sort, last.shape, scopes, _inputs(nodes, at, item_of), tuple(rows), _repeats(nodes, depth))


def _inputs(nodes: Sequence[Node], at: int, item_of: Mapping[int, int]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(item_of[i] for node in nodes for i in node.inputs if item_of[i] != at))


def runs(items: Sequence[Item]) -> list[Item]:
    """The items. Consecutive blocks of the same layers become one item; its name is the first and the last name."""
    groups: list[list[Item]] = []
    group_of: list[int] = []
    for item in items:
        inputs = tuple(dict.fromkeys(group_of[i] for i in item.inputs))
        if groups and inputs == (len(groups) - 1,) and _alike(groups[-1][-1], item):
            groups[-1].append(item)
        else:
            groups.append([item._replace(inputs=inputs)])
        group_of.append(len(groups) - 1)
    return [_joined(group) if len(group) > 1 else group[0] for group in groups]


def _alike(before: Item, item: Item) -> bool:
    """Whether both items are blocks inside the same block, with the same layer types in the same order."""
    same_place = item.sort == before.sort == BLOCK and item.scopes == before.scopes
    return same_place and [row.type for row in before.rows] == [row.type for row in item.rows]


def _joined(run: Sequence[Item]) -> Item:
    first, last = run[0], run[-1]
    rows = tuple(row for item in run for row in item.rows)
    return first._replace(name=f"{first.name} … {last.name}", shape=last.shape, rows=rows, repeats=len(run))


def _sort(node: Node) -> str:
    return next((name for name, classes in SORTS if isinstance(node.layer, classes)), OTHER)


def _repeats(nodes: Sequence[Node], depth: int) -> int:
    """The number of consecutive inner blocks with one name and a number or letter. 1 if the inner blocks are branches."""
    inside = {node.index for node in nodes}
    blocks = {node.scopes[depth] for node in nodes if len(node.scopes) > depth}
    fed_from_outside = {
        node.scopes[depth] for node in nodes if len(node.scopes) > depth and any(i not in inside for i in node.inputs)
    }
    stems = {block.rstrip(digits) for block in blocks}, {block[:-1] for block in blocks}
    return len(blocks) if len(fed_from_outside) <= 1 and min(map(len, stems)) == 1 else 1
