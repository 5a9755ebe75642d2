"""Depth as papers count it: the weighted layers on the longest path."""

from __future__ import annotations

from archcalc.field.paths import followed
from archcalc.layers.convolution import CONVOLUTIONS
from archcalc.layers.dense import Linear
from archcalc.network import Network

WEIGHTED = (*CONVOLUTIONS, Linear)


def depth(network: Network) -> int:
    """Convolutions and fully connected layers on the longest path from the input to an output.

    VGG-16, ResNet-50 and DenseNet-121 are named after this number (He et al. 2016, Table 1: projection
    shortcuts lie on shorter paths). The two layers of a gate (squeeze and excitation) are a side
    computation and do not count, as in SE-ResNet-50.
    """
    longest = depths(network)
    return max(longest[output] for output in network.outputs)


def depths(network: Network) -> list[int]:
    """The depth of every node: the weighted layers on the longest path to the node, the node included."""
    longest: list[int] = []
    for node in network.nodes:
        behind = max((longest[i] for i in followed(node, network)), default=0)
        longest.append(behind + isinstance(node.layer, WEIGHTED))
    return longest
