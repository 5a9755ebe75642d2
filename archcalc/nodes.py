"""One layer at its place in a network."""

from __future__ import annotations

from typing import NamedTuple

from archcalc.errors import Place
from archcalc.layers import Layer
from archcalc.layers.base import StorageKind
from archcalc.layers.region import output_text
from archcalc.sizes import Int, Params, Shape, largest


class Node:
    """One layer at its place in the graph.

    index    place in the running order; the inputs of the network come first
    inputs   indices of the nodes that the layer reads, all smaller than ``index``
    shape    the output for one image
    scopes   the labels of the blocks around the layer, outermost first
    side     whether the layer belongs to a side head, which runs in training only
    shares   index of the node whose parameters the layer uses, or of an unpooling whose indices; None: its own
    place    place of the layer in the spec, for messages
    storage  storage of the output: the layer type's default, or the spec's choice for this layer
    regions  how many regions of an image the layer runs for; 0: it runs for the whole image
    trained  False: the layer's weights are frozen. Of a layer with ``shares``, the owner says this: ``Network.frozen``
    present  an array if the layer belongs to a turn of a repeat that some elements of arrays have not: 1 where they have
             it, else 0
    instead  for the last layer of such a turn: where the turn is present, and the node before the turn, which stands for
             this node where the turn is not; for a turn within turns several, the innermost first
    """

    __slots__ = (
        *("index", "inputs", "layer", "name", "place", "regions", "scopes", "shape", "shares", "side", "storage"),
        *("instead", "present", "trained"),
    )

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
    regions: Int
    trained: bool
    present: Int
    instead: tuple[tuple[Int, int], ...]

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
        regions: Int = 0,
    ) -> None:
        self.regions, self.storage, self.trained = regions, storage or layer.storage, True
        self.index, self.name, self.layer, self.inputs, self.shape = index, name, layer, inputs, shape
        self.scopes, self.side, self.shares, self.place = scopes, side, shares, place
        self.present, self.instead = 1, ()

    @property
    def parts(self) -> Int:
        """How often a layer that is present runs for one image: once for each region of the image."""
        return self.regions if largest(self.regions) else 1

    @property
    def times(self) -> Int:
        """How often the layer runs for one image."""
        return self.parts * self.present

    @property
    def output(self) -> str:
        """The shape of the output as text, with the regions of an image: ``100 x 256x7x7``."""
        return output_text(self.shape, self.regions)

    def __repr__(self) -> str:
        return f"Node({self.index}, {self.name!r}, {self.layer!r}, inputs={self.inputs}, shape={self.shape})"


class Unused(NamedTuple):
    """A layer that no output needs, and the parameters that it would own; None: a layer in use owns them."""

    name: str
    params: Params | None
