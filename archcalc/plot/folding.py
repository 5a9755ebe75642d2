"""A network as a graph small enough to be drawn: layers with what follows them value by value, or whole blocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
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
from archcalc.layers.pool import AdaptiveAvgPool, GlobalAvgPool, Pool
from archcalc.layers.reshape import Input
from archcalc.network import Node
from archcalc.sizes import Shape

SORTS: Sequence[tuple[str, tuple[type[Layer], ...]]] = (
    ("input", (Input,)),
    ("convolution", CONVOLUTIONS),
    ("pooling", (Pool, AdaptiveAvgPool, GlobalAvgPool)),
    ("merge", (Join,)),
    ("fully connected", (Linear, Rbf)),
)
BLOCK, OTHER = "block", "other"


class Item(NamedTuple):
    """A layer, or several drawn as one: what it is, what it makes, the items it takes, and how often it repeats.

    ``repeats`` are the blocks in a row that a folded block consists of. ``scopes`` are the blocks around it. ``trunk``:
    it holds a layer of the trunk that no branch passes by.
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
    """The network folded as little as leaves no more than ``most`` items, and ``longest`` in a row.

    By ever larger blocks, at last by stage.
    """
    deepest = max((len(row.scopes) for row in analysis.rows), default=0)
    for depth in range(deepest + 1, 0, -1):
        found = (fold or folded)(analysis, depth)
        if len(found) <= most and (longest is None or _in_a_row(found) <= longest):
            return found
    return _by_stage(analysis)


def _in_a_row(items: Sequence[Item]) -> int:
    """The most items on a path."""
    longest: list[int] = []
    for item in items:
        longest.append(1 + max((longest[i] for i in item.inputs), default=0))
    return max(longest)


def folded(analysis: Analysis, depth: int, alone: bool = False) -> list[Item]:
    """The network with blocks nested deeper than ``depth`` as one item each, and layers with their followers as one.

    A follower treats every value by itself or is a view. ``alone``: only one that nothing else stands beside.
    """
    users = Counter(i for row in analysis.rows if row.node is not None for i in row.node.inputs)
    heads: dict[int, Hashable] = {}

    def key(row: Row, node: Node) -> Hashable:
        if len(row.scopes) >= depth:
            heads[node.index] = row.scopes[:depth]
        elif _follows(node) and not (alone and (users[node.inputs[0]] > 1 or _apart(analysis, node, depth))):
            heads[node.index] = heads[node.inputs[0]]
        else:
            heads[node.index] = node.index
        return heads[node.index]

    return _items(analysis, key, depth)


def _follows(node: Node) -> bool:
    followers = isinstance(node.layer, (Pointwise, LayerNorm)) or node.storage == "view"
    return followers and len(node.inputs) == 1


def _apart(analysis: Analysis, node: Node, depth: int) -> bool:
    return analysis.network.nodes[node.inputs[0]].scopes[:depth] != node.scopes[:depth]


def _by_stage(analysis: Analysis) -> list[Item]:
    """The stages, and heads after what they take."""
    stages = analysis.stages
    groups: list[list[Row]] = [[] for _ in stages.names]
    for row in analysis.rows:
        if row.node is not None and not row.node.side:
            groups[stages.of[row.node.index]].append(row)
    names = [name.replace("x", "×") if name not in (HEADS, VECTOR) else name for name in stages.names]
    return _marked(analysis, [_whole(names[at], group, at, stages.of, 0) for at, group in enumerate(groups)])


def _marked(analysis: Analysis, items: Sequence[Item]) -> list[Item]:
    """The items, those of the trunk marked as such."""
    trunk = {node.index for node in analysis.stages.trunk}
    return [
        item._replace(trunk=any(row.node is not None and row.node.index in trunk for row in item.rows))
        for item in items
    ]


def _items(analysis: Analysis, key: Callable[[Row, Node], Hashable], depth: int) -> list[Item]:
    """The rows of one key as an item; a tuple is that of a block of that depth."""
    groups: list[list[Row]] = []
    keys: list[Hashable] = []
    place: dict[Hashable, int] = {}
    home: dict[int, int] = {}
    for row in analysis.rows:
        if row.node is None or row.node.side:
            continue
        found = key(row, row.node)
        at = place.get(found)
        if at is None or (isinstance(found, tuple) and at != len(groups) - 1):
            at = place[found] = len(groups)
            groups.append([])
            keys.append(found)
        groups[at].append(row)
        home[row.node.index] = at
    made = [
        _whole(str(key[-1]), group, at, home, depth) if isinstance(key, tuple) else _layer(group, at, home)
        for at, (group, key) in enumerate(zip(groups, keys, strict=True))
    ]
    return _marked(analysis, made)


def _layer(rows: Sequence[Row], at: int, home: Mapping[int, int]) -> Item:
    """A layer with its followers."""
    nodes = [row.node for row in rows if row.node is not None]
    head = nodes[0]
    return Item(rows[0].name, _sort(head), head.shape, head.scopes, _taken(nodes, at, home), tuple(rows), 1)


def _whole(name: str, rows: Sequence[Row], at: int, home: Mapping[int, int], depth: int) -> Item:
    """A block of that depth, or a stage (0); what holds one layer alone is that layer."""
    nodes = [row.node for row in rows if row.node is not None]
    parts = [node for node in nodes if not _follows(node)]
    named, sort = (rows[0].name if len(rows) == 1 else name), (_sort(parts[0]) if len(parts) == 1 else BLOCK)
    scopes = nodes[-1].scopes[: max(0, depth - 1)]
    return Item(named, sort, nodes[-1].shape, scopes, _taken(nodes, at, home), tuple(rows), _repeats(nodes, depth))


def _taken(nodes: Sequence[Node], at: int, home: Mapping[int, int]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(home[i] for node in nodes for i in node.inputs if home[i] != at))


def runs(items: Sequence[Item]) -> list[Item]:
    """The items with blocks of the same layers that follow one another as one item, named from first to last."""
    found: list[list[Item]] = []
    home: list[int] = []
    for item in items:
        inputs = tuple(dict.fromkeys(home[i] for i in item.inputs))
        if found and inputs == (len(found) - 1,) and _alike(found[-1][-1], item):
            found[-1].append(item)
        else:
            found.append([item._replace(inputs=inputs)])
        home.append(len(found) - 1)
    return [_joined(run) if len(run) > 1 else run[0] for run in found]


def _alike(before: Item, item: Item) -> bool:
    """Whether both are blocks of the same place whose layers are of the same types in the same order."""
    same_place = item.sort == before.sort == BLOCK and item.scopes == before.scopes
    return same_place and [row.type for row in before.rows] == [row.type for row in item.rows]


def _joined(run: Sequence[Item]) -> Item:
    first, last = run[0], run[-1]
    rows = tuple(row for item in run for row in item.rows)
    return first._replace(name=f"{first.name} … {last.name}", shape=last.shape, rows=rows, repeats=len(run))


def _sort(node: Node) -> str:
    return next((name for name, classes in SORTS if isinstance(node.layer, classes)), OTHER)


def _repeats(nodes: Sequence[Node], depth: int) -> int:
    """The blocks one level down that follow one another, each fed from inside; 1 where they are branches."""
    inside = {node.index for node in nodes}
    blocks = {node.scopes[depth] for node in nodes if len(node.scopes) > depth}
    fed_from_outside = {
        node.scopes[depth] for node in nodes if len(node.scopes) > depth and any(i not in inside for i in node.inputs)
    }
    return len(blocks) if len(fed_from_outside) <= 1 and len(blocks) > 1 else 1
