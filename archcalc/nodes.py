"""One layer at its place in a network."""

from __future__ import annotations

from typing import NamedTuple

from archcalc.errors import Place
from archcalc.layers import Layer
from archcalc.layers.base import StorageKind
from archcalc.sizes import Params, Shape


class Node:
    """One layer at its place in the graph.

    index    place in the running order; the inputs of the network come first
    inputs   indices of the nodes that the layer reads, all smaller than ``index``
    shape    the output for one image
    scopes   the labels of the blocks around the layer, outermost first
    side     whether the layer belongs to a side head, which runs in training only
    shares   index of the node whose parameters the layer uses; None: the layer's own parameters
    place    place of the layer in the spec, for messages
    storage  storage of the output: the layer type's default, or the spec's choice for this layer
    """

    __slots__ = ("index", "inputs", "layer", "name", "place", "scopes", "shape", "shares", "side", "storage")

    index: int
    name: str
    layer: Layer
    inputs: tuple[int, ...]
    shape: Shape
    scopes: tuple[str, ...]
    side: bool
    shares: int | None
    place: Place | None
    storage: StorageKind

    def __init__(
        self,
        index: int,
        name: str,
        layer: Layer,
        inputs: tuple[int, ...],
        shape: Shape,
        scopes: tuple[str, ...] = (),
        side: bool = False,
        shares: int | None = None,
        place: Place | None = None,
        storage: StorageKind | None = None,
    ) -> None:
        self.storage = storage or layer.storage
        self.index, self.name, self.layer, self.inputs, self.shape = index, name, layer, inputs, shape
        self.scopes, self.side, self.shares, self.place = scopes, side, shares, place

    def __repr__(self) -> str:
        return f"Node({self.index}, {self.name!r}, {self.layer!r}, inputs={self.inputs}, shape={self.shape})"


class Unused(NamedTuple):
    """A layer that no output needs, and the parameters that it would own; None: a layer in use owns them."""

    name: str
    params: Params | None
