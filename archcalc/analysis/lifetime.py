"""From when to when a tensor lives, and which layers write over their input."""

from __future__ import annotations

from archcalc.network import Network, Node

OVERWRITE = frozenset(
    ("relu", "relu6", "leaky_relu", "elu", "hard_sigmoid", "silu", "hard_swish", "sigmoid", "tanh", "scale")
)
"""Layers that PyTorch can write over their input; it has no such GELU, PReLU or soft-max."""
KEEP_INPUT = frozenset(
    "conv conv_table conv_transpose linear rbf max_pool avg_pool subsample adaptive_avg_pool batch_norm lrn "
    "layer_norm layer_scale multiply relu6 leaky_relu prelu elu gelu hard_sigmoid silu hard_swish".split()
)
"""Layers whose backward pass reads their input (the last three and leaky_relu, elu, relu6 only where not in place)."""
KEEP_OUTPUT = frozenset(("relu", "leaky_relu", "elu", "sigmoid", "tanh", "softmax"))
"""Layers whose backward pass reads their output (leaky_relu and elu only in place)."""


def overwrites(network: Network) -> frozenset[int]:
    """The nodes that may write over their input: nobody needs what was there.

    Not the network's own input or output, nor what another layer reads later or keeps for the backward
    pass, nor a tensor that others see through a view. One answer serves inference and training, as a
    module's ``inplace`` does.
    """
    readers: list[list[Node]] = [[] for _ in network.nodes]
    for node in network.nodes:
        for i in node.inputs:
            readers[i].append(node)
    kept = {network.output, *(node.index for node in network.nodes if not readers[node.index])}
    found = set()
    for node in network.nodes[1:]:
        if node.storage == "in_place" and node.layer.type in OVERWRITE:
            made = network.nodes[node.inputs[0]]
            others = [reader for reader in readers[made.index] if reader is not node]
            if not (
                made.index == 0
                or made.index in kept
                or made.layer.type in KEEP_OUTPUT
                or passes_view(made)
                or any(reader.index > node.index or passes_view(reader) for reader in others)
                or any(reader.layer.type in KEEP_INPUT for reader in others)
            ):
                found.add(node.index)
    return frozenset(found)


def passes_view(node: Node) -> bool:
    """Whether what a layer returns is another tensor seen anew, in PyTorch: the input, or a result of its own."""
    layer = node.layer
    moved = layer.type in ("layer_norm", "linear") and layer.settings["axis"] == "channels" and node.shape.axes
    return node.storage == "view" or layer.type in ("dropout", "drop_path", "lrn") or bool(moved)
