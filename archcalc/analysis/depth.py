"""Depth as papers count it: the weighted layers on the longest path."""

from __future__ import annotations

from collections.abc import Iterable

from archcalc.field.paths import followed
from archcalc.layers.convolution import CONVOLUTIONS
from archcalc.layers.dense import Linear
from archcalc.network import Network
from archcalc.sizes import Int, greater

WEIGHTED = (*CONVOLUTIONS, Linear)


def depth(network: Network) -> Int:
    """Convolutions and fully connected layers on the longest path from the input to an output.

    VGG-16, ResNet-50 and DenseNet-121 are named after this number (He et al. 2016, Table 1: projection
    shortcuts lie on shorter paths). The two layers of a gate (squeeze and excitation) are a side
    computation and do not count, as in SE-ResNet-50.
    """
    longest = depths(network)
    return _largest(longest[output] for output in network.outputs)


def depths(network: Network) -> list[Int]:
    """The depth of every node: the weighted layers on the longest path to the node, the node included."""
    longest: list[Int] = []
    for node in network.nodes:
        behind = _largest(longest[i] for i in followed(node, network))
        longest.append(behind + isinstance(node.layer, WEIGHTED) * node.present)
    return longest


def _largest(depths: Iterable[Int]) -> Int:
    longest: Int = 0
    for other in depths:
        longest = greater(longest, other)
    return longest
