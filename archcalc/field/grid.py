"""The grid of a network: the map at every layer as if its positions had never been moved.

Along every axis of the network input, the grid knows the size of each node's map, and the window of each node on each
of its inputs. Without rearrangements, the grid is the map. With rearrangements, the grid follows where the positions
are (see ``field.layout``): in tokens, in windows, or in the channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from archcalc.layers.attention import Attention
from archcalc.layers.axes import axis_number
from archcalc.layers.join import Add, Concat, broadcast_windows
from archcalc.layers.learned import Parameter
from archcalc.layers.matmul import Matmul
from archcalc.layers.move import ChannelShuffle, Movement, Roll
from archcalc.layers.sample import GridSample
from archcalc.network import Network, Node
from archcalc.sizes import Int, Window

if TYPE_CHECKING:
    from archcalc.field.layout import Layout

REGROUPING = (Movement, Roll, Attention, Matmul, GridSample, Parameter)
"""The layers that move positions, read their inputs through different windows, or do not read them."""


class Grid:
    """The sizes and the windows of all nodes, along the axes of one input of the network: the node ``source``."""

    def __init__(self, network: Network, source: int = 0) -> None:
        self.network, self.source = network, source
        self.pixels = network.nodes[source].shape.axes
        self.plain = len(network.inputs) == 1 and not regroups(network)
        self.layouts: list[Layout | None] = []
        self._windows: list[Sequence[tuple[Window, ...]]] = []
        if not self.plain:
            from archcalc.field.following import follow

            self.layouts, self._windows = follow(network, source)

    def layout(self, index: int) -> Layout | None:
        """The layout of a node; None if no layer of the network moves positions, or if the node has no field."""
        return None if self.plain else self.layouts[index]

    def axes(self, index: int) -> tuple[Int, ...]:
        """The size of the grid along every axis of the network input; 1 for a vector, and without a field."""
        if self.plain:
            return self.network.nodes[index].shape.axes or (1,) * len(self.pixels)
        layout = self.layouts[index]
        return layout.axes if layout else (1,) * len(self.pixels)

    def windows(self, node: Node, at: int) -> tuple[Window, ...]:
        """The windows on input number ``at`` of a node, along the axes of the network input."""
        if not self.plain:
            return self._windows[node.index][at]
        shapes = self.network.input_shapes(node)
        return broadcast_windows(shapes[at], node.shape) if node.layer.joins else node.layer.window(*shapes)

    def side_by_side(self, node: Node) -> int | None:
        """The axis along which the maps of several inputs of a node lie next to each other."""
        layout = self.layout(node.index)
        if layout is None or not isinstance(node.layer, Concat) or node.layer.axis == "channels":
            return None
        return layout.plain(layout.slots[axis_number(node.layer.axis, node.shape, node.layer.type) - 1])

    def map_of(self, index: int) -> tuple[Any, ...]:
        """What two maps have in common if their positions along all axes are the same."""
        axes = self.network.nodes[index].shape.axes
        return axes if self.plain else (axes, self.layouts[index])

    def has_field(self, index: int) -> bool:
        """Whether a node depends on this input of the network."""
        return self.plain or self.layouts[index] is not None

    def position(self, index: int, unit: Sequence[int]) -> tuple[int, ...] | None:
        """The position on the grid for a unit of a map; None for a class token."""
        layout = self.layout(index)
        return layout.position(unit) if layout else tuple(unit)

    def tokens_see_all(self, index: int) -> bool:
        """Whether a class token of a node has read the whole map."""
        layout = self.layout(index)
        return bool(layout and layout.told)


def regroups(network: Network) -> bool:
    """Whether a layer of the network moves positions, or has inputs that are read through different windows."""
    types = {type(node.layer) for node in network.nodes}
    if any(issubclass(one, REGROUPING) for one in types if one is not ChannelShuffle):
        return True
    return any(
        (isinstance(node.layer, Concat) and node.layer.axis != "channels")
        or (isinstance(node.layer, Add) and node.layer.unequal)
        for node in network.nodes
        if node.layer.joins
    )


class MapSize(NamedTuple):
    """The size of a map as if its positions had never been moved; () for a vector.

    alike: all positions along an axis of the map have the same field, as after a linear layer along this axis. Then the
    positions have no place on the grid, and ``axes`` are those of the map itself.
    """

    axes: tuple[Int, ...]
    alike: bool


def map_sizes(network: Network) -> list[MapSize]:
    """The size of every node's map, on the grid of the first input that the node depends on."""
    grids = [Grid(network, source) for source in range(len(network.inputs))] if regroups(network) else []
    sizes: list[MapSize] = []
    for node in network.nodes:
        grid = next((grid for grid in grids if grid.has_field(node.index)), None)
        layout = grid.layouts[node.index] if grid else None
        alike = layout is not None and layout.positions_alike
        axes = layout.axes if layout and node.shape.axes and not alike else node.shape.axes
        sizes.append(MapSize(axes, alike))
    return sizes
