"""Which inputs of a layer carry the map: all inputs except the gates of a product."""

from __future__ import annotations

from archcalc.layers.join import Multiply, is_gate
from archcalc.network import Network, Node

LONGEST_GATE = 100
"""The most layers of a gate. So the time for one product does not depend on the network."""


def followed(node: Node, network: Network) -> list[int]:
    """The inputs of a node that carry the map: all inputs except the gates of a product.

    A gate has one position. If the map has one position, too, the gate is the input that a layer computed from a whole
    map.
    """
    if not isinstance(node.layer, Multiply):
        return list(node.inputs)
    full = [i for i in node.inputs if not is_gate(network.nodes[i].shape)]
    return full or [i for i in node.inputs if not _gathered(i, min(node.inputs), network)] or list(node.inputs)


def _gathered(index: int, start: int, network: Network) -> bool:
    """Whether a layer after the node ``start``, on a path to the node ``index``, takes whole maps."""
    behind = {index}
    for node in reversed(network.nodes[max(start, index - LONGEST_GATE) + 1 : index + 1]):
        if node.index in behind:
            if any(window.whole for window in node.layer.window(*network.input_shapes(node))):
                return True
            behind.update(node.inputs)
    return False
