"""What training costs on average where paths are dropped: stochastic depth and drop-path.

Huang et al., Deep networks with stochastic depth, 2016, section 3: a residual branch that is dropped is
not computed. A layer runs if every ``drop_path`` that lies on all paths from the layer to the output is not dropped. A
layer with a path around them always runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

from archcalc.analysis.rows import Row
from archcalc.layers.reshape import DropPath
from archcalc.network import Network


class Survival(NamedTuple):
    """Paths that may be dropped, how many survive on average, and the MACs to expect for them."""

    paths: int
    surviving: float
    macs: float


def survival(network: Network, rows: Sequence[Row]) -> Survival | None:
    """The expected cost of one training step's forward pass over the rows; None where no path is dropped."""
    chances = {
        node.index: 1 - node.layer.p for node in network.nodes if isinstance(node.layer, DropPath) and node.layer.p
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
