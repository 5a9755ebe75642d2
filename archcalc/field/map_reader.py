"""The pixels that whole maps read: of a single size, or of many elements of arrays at once, in lanes (``archcalc.lanes``)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from archcalc.field.grid import Grid
from archcalc.field.pixels_read import PixelReader
from archcalc.network import Network, Node
from archcalc.sizes import Int, Span, arrays_in

if TYPE_CHECKING:
    from archcalc.lanes import Elements

MOST_LANES = 100_000
"""The most elements that are followed at once."""

MOST_LAYERS = 100_000
"""The most layers through which the elements of arrays are followed in all; beyond, their fields stay bounds."""


class MapPixels(NamedTuple):
    """The first and the last pixel that a map reads, where ``some`` is true. none: where padding alone is read.

    Neither: the search would take too long. Where it would for arrays, ``none`` is true: padding alone may be read.
    """

    first: Int
    last: Int
    some: bool
    none: bool


class MapReader:
    """Finds the pixels that all units of a map read together, past the gates or over all paths (``gates``)."""

    def __init__(self, network: Network, *, gates: bool, grid: Grid) -> None:
        self.network, self.gates, self.grid = network, gates, grid
        self._readers: dict[bytes, PixelReader] = {}
        self._elements: Elements | None = None
        self._layers_left = MOST_LAYERS
        sizes = list(arrays_in([grid.axes(node.index) for node in network.nodes]))
        settings = [tuple(node.layer.settings.values()) for node in network.nodes]
        arrays = list(arrays_in([*sizes, *network.arrays, *settings]))
        self._floats = any(array.dtype.kind == "f" for array in sizes)
        if arrays:
            from archcalc.lanes import Elements

            self._elements = Elements(arrays)

    def pixels(self, node: Node, axis: int, where: Any) -> MapPixels:
        """The pixels along an axis, for the elements of arrays for which ``where`` is true."""
        if self._floats:  # sizes in floats tell how large numbers become, not which pixels are read
            return MapPixels(0, 0, False, False)
        if self._elements is None:
            return _of(self._reader().of_map(node, axis))
        from archcalc.lanes import in_parts

        def read(here: Any) -> MapPixels:
            self._layers_left -= node.index + 1
            if self._layers_left < 0:
                return MapPixels(0, 0, False, True)
            return _of(self._reader(here).of_map(node, axis))

        places, found = zip(*in_parts(read, self._elements.places(where), MOST_LANES), strict=True)
        columns = zip(*found, strict=True)
        return MapPixels(*[self._elements.array(list(zip(places, column, strict=True))) for column in columns])

    def _reader(self, here: Any = b"") -> PixelReader:
        """The reader of single sizes, or of the elements at some places. It stores what it has read."""
        key = bytes(here)
        if key not in self._readers:
            lanes = partial(self._elements.lanes, places=here) if self._elements else None
            self._readers[key] = PixelReader(self.network, gates=self.gates, grid=self.grid, lanes=lanes)
        return self._readers[key]


def _of(span: Span | None) -> MapPixels:
    return MapPixels(*(span or (0, 0)), bool(span), span == ())
