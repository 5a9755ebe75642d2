"""What a layer of a spec may not be, beyond what the layers themselves refuse."""

from __future__ import annotations

from archcalc.errors import LayerError
from archcalc.network import Network
from archcalc.sizes import equal, largest

MAX_VALUES = 10**15
"""The most values in a feature map: numbers stay short, whatever is doubled how often."""


def check_node(network: Network, index: int) -> None:
    """LayerError for a map beyond all bounds, a use of a side head, or weights of another shape than their owner's."""
    node = network.nodes[index]
    if largest(node.shape.values) > MAX_VALUES:
        raise LayerError(f"a feature map of more than {MAX_VALUES:,} values")
    for used in () if node.side else (*node.inputs, *([] if node.shares is None else [node.shares])):
        if network.nodes[used].side:
            name = network.nodes[used].name or network.nodes[used].layer.type
            raise LayerError(f"the main path cannot use {name}: it belongs to a side head, which runs in training only")
    if node.shares is None:
        return
    owner = network.nodes[node.shares]
    ours, theirs = network.input_shapes(node)[0], network.input_shapes(owner)[0]
    differ = [f"{key} {getattr(owner.layer, key)} there, {getattr(node.layer, key)} here"
              for key in ("out", "kernel", "groups", "table") if key in node.layer.fields
              and not equal(getattr(owner.layer, key), getattr(node.layer, key))]
    if not equal(ours.channels, theirs.channels):
        differ.append(f"{theirs.channels} input channels there, {ours.channels} here")
    if differ:
        raise LayerError(f"cannot use the weights of {owner.name or owner.layer.type}: {'; '.join(differ)}")
