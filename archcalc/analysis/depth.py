"""Depth as the field counts it: the weighted layers on the longest path."""

from __future__ import annotations

from archcalc.layers.convolution import CONVOLUTIONS
from archcalc.layers.dense import Linear
from archcalc.layers.join import Multiply, is_gate
from archcalc.network import Network, Node

WEIGHTED = (*CONVOLUTIONS, Linear)

LONGEST_GATE = 100
"""The most layers of a gate: the work for one product does not depend on the network."""


def depth(network: Network) -> int:
    """Convolutions and fully connected layers on the longest path from the input to an output.

    That is how VGG-16, ResNet-50 and DenseNet-121 have their names (He et al. 2016, Table 1: projection
    shortcuts lie on shorter paths). The two layers of a gate (squeeze and excitation) are a side
    computation and do not count, as in SE-ResNet-50.
    """
    found = depths(network)
    return max(found[output] for output in network.outputs)


def depths(network: Network) -> list[int]:
    """The depth of every node: the weighted layers on the longest path to it, itself included."""
    longest: list[int] = []
    for node in network.nodes:
        behind = max((longest[i] for i in followed(node, network)), default=0)
        longest.append(behind + isinstance(node.layer, WEIGHTED))
    return longest


def followed(node: Node, network: Network) -> list[int]:
    """The inputs of a node that carry the map itself: all of them, but for the gates of a product.

    A gate has one position. Where the map has one too, the gate is the input that a layer gathered from a whole map.
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
