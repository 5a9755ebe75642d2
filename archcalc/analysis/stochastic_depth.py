"""The average cost of training if paths are dropped at random: stochastic depth and drop-path.

Huang et al., Deep networks with stochastic depth, 2016, section 3: a residual branch that is dropped is
not computed. A ``drop_path`` that is dropped stops a layer only if the ``drop_path`` lies on all paths from the layer
to an output. A layer with another path to an output always runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

from archcalc.analysis.rows import Row
from archcalc.layers.reshape import DropPath
from archcalc.network import Network
from archcalc.sizes import largest


class Survival(NamedTuple):
    """paths: number of paths that may be dropped. surviving: average number of paths that run. macs: average MACs."""

    paths: int
    surviving: float
    macs: float


def survival(network: Network, rows: Sequence[Row]) -> Survival | None:
    """The average cost of the forward pass of one training step, over the rows; None if no path is dropped."""
    chances = {
        node.index: 1 - node.layer.p
        for node in network.nodes
        if isinstance(node.layer, DropPath) and largest(node.layer.p) > 0
    }
    if not chances:
        return None
    gates = _gates(network, set(chances))
    macs = sum(
        row.macs * prod(chances[gate] for gate in gates[row.node.index])
        for row in rows
        if row.node is not None and row.macs is not None
    )
    return Survival(len(chances), sum(chances.values()), macs)


def _gates(network: Network, droppable: set[int]) -> list[frozenset[int]]:
    """For each node, the droppable nodes on all paths from the node to an output."""
    behind: list[frozenset[int] | None] = [None] * len(network.nodes)
    for node in reversed(network.nodes):
        beyond = behind[node.index] or frozenset()
        behind[node.index] = beyond
        through = beyond | {node.index} if node.index in droppable else beyond
        for i in node.inputs:
            known = behind[i]
            behind[i] = through if known is None else known & through
    return [gates or frozenset() for gates in behind]
