"""The trunk of a network: the path of the most weighted layers from the input to an output, without its head.

Of several outputs the trunk leads to the one behind the most joins, and of these to the deepest: to the finest map of a
pyramid, though a coarse map behind the backbone may be deeper. Gates do not carry the map, so the trunk passes them by.

**Heads are alike.** Every map of a detector has a head of the same layers, so the last map's is a head, too: the trunk
ends where its last layers are those of another output behind the place where that leaves the trunk. Activations,
normalisations and upsampling do not tell one head from another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archcalc.analysis.depth import WEIGHTED
from archcalc.layers.base import Pointwise
from archcalc.layers.norm import LayerNorm
from archcalc.layers.reshape import Upsample
from archcalc.network import Node

PLAIN = (Pointwise, LayerNorm, Upsample)
"""Layers that do not tell one head from another."""

LONGEST_HEAD = 200
"""The most layers of a head that is compared: the work for one output does not depend on the network."""


def trunk(
    nodes: Sequence[Node], inputs: Mapping[int, Sequence[int]], outputs: Sequence[int]
) -> tuple[list[int], dict[int, tuple[int, int]]]:
    """The trunk by the indices of its nodes, and for every node the most weighted layers, and layers, on a path to it."""
    depth: dict[int, tuple[int, int]] = {}
    joins: dict[int, int] = {}
    before: dict[int, int] = {}
    for node in nodes:
        weighted, layers, joined = 0, 0, 0
        if inputs[node.index]:
            before[node.index] = i = max(inputs[node.index], key=depth.__getitem__)
            weighted, layers, joined = *depth[i], joins[i]
        depth[node.index] = (weighted + isinstance(node.layer, WEIGHTED), layers + 1)
        joins[node.index] = joined + node.layer.joins
    end = max(outputs, key=lambda i: (joins[i], depth[i][0], i))
    path = [end]
    while path[-1] in before:
        path.append(before[path[-1]])
    path.reverse()
    types = {node.index: "" if isinstance(node.layer, PLAIN) else node.layer.type for node in nodes}
    place = {index: at for at, index in enumerate(path)}
    telling = [(at, types[index]) for at, index in enumerate(path) if types[index]]
    heads = [_head(i, telling, place, before, types) for i in outputs if i not in place]
    return path[: min(filter(None, heads), default=len(path))], depth


def _head(
    output: int,
    path: Sequence[tuple[int, str]],
    place: Mapping[int, int],
    before: Mapping[int, int],
    types: Mapping[int, str],
) -> int:
    """The place on the path where a head begins that has the layers of an output's own; 0 where there is none."""
    index, count, at = output, 0, 0
    for _ in range(LONGEST_HEAD):
        if index in place:
            return at if 0 < place[index] < at else 0
        if types[index]:
            count += 1
            at, there = path[-count]
            if there != types[index]:
                break
        index = before[index]
    return 0
