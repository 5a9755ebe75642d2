"""The fields of all nodes of a network; at another input, fields that are equal there are used again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from archcalc.field.grid import Grid
from archcalc.field.propagation import FieldByAxis, Propagation, on_map, passed
from archcalc.layers.join import Multiply
from archcalc.network import Network, Node
from archcalc.sizes import Window


class _Known:
    """The fields and windows of a network at another input. Equal fields are used again."""

    def __init__(self, network: Network, fields: Sequence[FieldByAxis]) -> None:
        self.network, self.fields = network, fields
        self.windows = list(_windows(network))

    def field(self, node: Node, windows: tuple[Window, ...], here: Propagation) -> FieldByAxis | None:
        """The field of a node, if its layer, windows and input fields are the same at the other input; else None.

        The result must not depend on the sizes of the network input or of the maps. If the step is 0, the field depends
        on sizes: a window took the whole map, or paths of different steps were joined. If a join has inputs of
        different sizes, the field also depends on sizes.
        """
        there, field, axes = self.network.nodes[node.index], self.fields[node.index], node.shape.axes
        if not here.grid.plain:
            return None
        if not node.inputs:
            return field
        if node.layer is not there.layer or node.inputs != there.inputs or not axes or not there.shape.axes:
            return None
        if windows != self.windows[node.index] or isinstance(node.layer, Multiply):
            return None
        if any(here.fields[i] is not self.fields[i] for i in node.inputs):
            return None
        if any(axis_field.field.step == 0 or axis_field.least.step == 0 for axis_field in field):
            return None
        sizes = [size for network in (self.network, here.network) for size in network.input_shapes(node)[0].axes]
        if any(window.by > min(sizes) for window in windows):  # a map is smaller than the distance of two cells
            return None
        if node.layer.joins and any(shape.axes != axes for shape in here.network.input_shapes(node)):
            return None
        return on_map(field, axes) if any(axis_field.field.phases for axis_field in field) else field


def node_fields(
    network: Network,
    *,
    gates: bool = False,
    cut: bool = True,
    known: tuple[Network, Sequence[FieldByAxis]] | None = None,
    source: int = 0,
) -> list[FieldByAxis]:
    """The field of every node, past the gates or along all paths (``gates``); ``cut`` as for ``Propagation``.

    The fields are pixels of the input ``source``, and () for a node that does not depend on this input.
    ``known`` is the network at another input, with its fields. Equal fields are used again.
    LayerError if numbers become too large.
    """
    propagation = Propagation(network, gates=gates, cut=cut, grid=Grid(network, source))
    there = _Known(*known) if known and len(known[0].nodes) == len(network.nodes) else None
    for node, windows in zip(network.nodes, _windows(network), strict=True):
        field = there.field(node, windows, propagation) if there else None
        if field is None:
            propagation.add(node, windows)
        else:
            propagation.fields.append(field)
    return propagation.fields


def _windows(network: Network) -> Iterator[tuple[Window, ...]]:
    """The windows of every node, after ``passed``. Many nodes have equal layers, so each result is stored."""
    known: dict[Any, tuple[Window, ...]] = {}
    for node in network.nodes:
        key = node.layer, *network.input_shapes(node)
        if key not in known:
            known[key] = passed(node.layer.window(*key[1:]))
        yield known[key]
