"""What a layer of a spec may not be, beyond what the layers themselves refuse."""

from __future__ import annotations

from archcalc.errors import LayerError
from archcalc.network import Network, Node
from archcalc.sizes import equal, largest

MAX_VALUES = 10**15
"""The most values in a feature map: numbers stay short, whatever is doubled how often."""

MAX_REACH = 10**1000
"""The most that strides and upsampling factors on one path may multiply to; stacked hourglasses reach 10^20."""


class Bounds:
    """Watches a network grow; ``reach`` holds, per node, the product of strides or factors on the way to it."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.reach = [1]

    def check(self) -> None:
        """LayerError for a last node beyond all bounds, that uses a side head, or has weights of another shape."""
        node = self.network.nodes[-1]
        self.reach.append(self.reached(node))
        if self.reach[-1] > MAX_REACH:
            raise LayerError("the strides on the way here multiply to more than 10^1000")
        if largest(node.shape.values) > MAX_VALUES:
            raise LayerError(f"a feature map of more than {MAX_VALUES:,} values")
        for used in () if node.side else (*node.inputs, *([] if node.shares is None else [node.shares])):
            if self.network.nodes[used].side:
                name = self.network.nodes[used].name or self.network.nodes[used].layer.type
                raise LayerError(f"the main path cannot use {name}: it belongs to a side head, which runs in training "
                                 f"only")
        if node.shares is not None:
            self.check_weights(node, self.network.nodes[node.shares])

    def reached(self, node: Node) -> int:
        windows = node.layer.window(*self.network.input_shapes(node))
        factor = max((largest(n) for window in windows for n in (window.stride, window.up)), default=1)
        return int(factor) * max(self.reach[i] for i in node.inputs)

    def check_weights(self, node: Node, owner: Node) -> None:
        ours, theirs = self.network.input_shapes(node)[0], self.network.input_shapes(owner)[0]
        differ = [f"{key} {getattr(owner.layer, key)} there, {getattr(node.layer, key)} here"
                  for key in ("out", "kernel", "groups", "table") if key in node.layer.fields
                  and not equal(getattr(owner.layer, key), getattr(node.layer, key))]
        if not equal(ours.channels, theirs.channels):
            differ.append(f"{theirs.channels} input channels there, {ours.channels} here")
        if differ:
            raise LayerError(f"cannot use the weights of {owner.name or owner.layer.type}: {'; '.join(differ)}")
