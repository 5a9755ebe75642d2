"""Network to rows: the facts of every layer, and the receptive field followed through the graph."""

from __future__ import annotations

from typing import Any

from archcalc.conventions import Convention
from archcalc.layers.convolution import CONVOLUTIONS
from archcalc.network import Network, Node
from archcalc.sizes import NO_PARAMS, POINT, Int, Params, Shape, View, Window, Work, join


class Row:
    """The numbers of one layer, or of several folded into one line.

    ``macs`` and ``values`` are None where the convention does not count them; ``values`` are the
    feature-map values that the layer newly holds. Work, macs and values are for the whole batch.
    """

    __slots__ = ("conv_inputs", "inputs", "layers", "macs", "name", "node", "params", "param_count", "scopes", "shape",
                 "shared", "type", "values", "views", "work")

    name: str
    type: str
    scopes: tuple[str, ...]
    inputs: tuple[Shape, ...]
    shape: Shape | None
    params: Params
    param_count: Int
    work: Work
    macs: Int | None
    values: Int | None
    conv_inputs: Int
    views: tuple[View, ...]
    shared: str
    layers: int
    node: Node | None

    def __init__(self, **fields: Any) -> None:
        for name, value in fields.items():
            setattr(self, name, value)

    def __repr__(self) -> str:
        return f"<Row {self.name}: {self.type} {self.shape}>"


def trace(network: Network, batch: Int, convention: Convention) -> list[Row]:
    """One row per layer, the input first, side heads included."""
    nodes = network.nodes
    pixels = network.input.axes
    views: list[tuple[View, ...]] = []
    facts: dict[Any, tuple[Params, Work, tuple[Window, ...], Int | None]] = {}
    rows = []
    for node in nodes:
        layer, shapes = node.layer, tuple(nodes[i].shape for i in node.inputs)
        try:
            known = facts.get((layer, shapes))
        except TypeError:  # sizes that are arrays cannot be looked up
            known = None
        if known is None:
            work = layer.work(node.shape, *shapes)
            known = layer.params(*shapes), work.times(batch), layer.window(*shapes), None
            known = (*known[:3], convention.count_macs(layer, known[1]))
            try:
                facts[layer, shapes] = known
            except TypeError:
                pass
        params, work, windows, macs = known
        views.append(_views(node, windows, views, pixels))
        values = node.shape.values * batch
        rows.append(Row(
            node=node, name=node.name, type=layer.type, scopes=node.scopes, inputs=shapes, shape=node.shape,
            params=params if node.shares is None else NO_PARAMS,
            param_count=convention.count_params(params) if node.shares is None else 0,
            shared="" if node.shares is None else nodes[node.shares].name,
            work=work, macs=macs, values=values if layer.storage == "new" else None,
            conv_inputs=shapes[0].values * batch if isinstance(layer, CONVOLUTIONS) else 0,
            views=views[-1], layers=1 if node.inputs else 0,
        ))
    return rows


def _views(node: Node, windows: tuple[Window, ...], views: list[tuple[View, ...]], pixels: tuple[Int, ...],
           ) -> tuple[View, ...]:
    if not node.inputs:
        return tuple(View() for _ in pixels)
    behind = views[node.inputs[0]]
    if len(node.inputs) > 1:
        behind = tuple(join(paths, n) for *paths, n in zip(*(views[i] for i in node.inputs), pixels, strict=True))
    if windows is POINT:
        return behind
    return tuple(view.through(window, n) for view, window, n in zip(behind, windows, pixels, strict=True))
