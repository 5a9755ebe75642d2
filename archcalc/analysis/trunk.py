"""The trunk of a network: the path with the most weighted layers from an input to an output, without the head.

If a network has several outputs, the trunk leads to the output after the most joins. If outputs are equal in joins, the
deepest output is taken. So the trunk of a pyramid leads to the finest map, even if a coarse map has more layers before
it. Gates do not carry the map, so the trunk does not contain the layers of a gate.

**Heads have equal layers.** Every map of a detector has a head, and all heads have the same layers. The path to the
last output ends with such a head. If the last layers of the path are equal to the layers with which another output
leaves the path, the trunk ends before these last layers. The comparison skips activations, normalisations and
upsampling.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archcalc.analysis.depth import WEIGHTED
from archcalc.layers.base import Pointwise
from archcalc.layers.norm import LayerNorm
from archcalc.layers.resample import Upsample
from archcalc.network import Node

PLAIN = (Pointwise, LayerNorm, Upsample)
"""Layers that the comparison of heads skips."""

LONGEST_HEAD = 200
"""The most layers of a head that are compared. So the time for one output does not depend on the network."""


def trunk(
    nodes: Sequence[Node], inputs: Mapping[int, Sequence[int]], outputs: Sequence[int]
) -> tuple[list[int], dict[int, tuple[int, int]]]:
    """The node indices of the trunk; for every node, the most weighted layers on a path to the node, and its layers."""
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
    """The place on the path where a head begins whose layers equal the layers of the head of ``output``; 0 if none."""
    index, count, at = output, 0, 0
    for _ in range(LONGEST_HEAD):
        if index in place:
            return at if 0 < place[index] < at else 0
        if types[index]:
            count += 1
            at, there = path[-count]
            if there != types[index] or index not in before:
                break
        index = before[index]
    return 0
