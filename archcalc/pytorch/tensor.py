"""Tensors on a tape, and the memory behind them."""

from __future__ import annotations

from typing import Literal

Role = Literal["map", "saved", "scratch", "gradient", "weight gradient", "weight copy", "image"]
"""map: output of a layer; saved: indices, statistics and masks for the backward pass; scratch: freed within a layer."""


class Storage:
    """The memory behind one or more tensors: its size, and the first and last moment at which it is alive.

    ``label`` distinguishes the storages of one layer. ``slack``: bytes per image behind the values, where an operator made
    a tensor of another size first.
    """

    __slots__ = ("born", "dies", "fixed", "label", "layer", "node", "per_image", "role", "slack")

    def __init__(
        self, layer: str, node: int, role: Role, per_image: int, fixed: int, born: int, label: str = ""
    ) -> None:
        self.layer, self.node, self.role, self.label = layer, node, role, label
        self.per_image, self.fixed, self.slack = per_image, fixed, 0
        self.born = self.dies = born

    @property
    def name(self) -> str:
        return f"{self.layer}: {self.label}" if self.label else self.layer

    def bytes(self, batch: int) -> int:
        return self.fixed + batch * (self.per_image + self.slack)

    def until(self, moment: int) -> None:
        """Keep the storage alive at least up to this moment."""
        if moment > self.dies:
            self.dies = moment


class TapeTensor:
    """A tensor, as operators read and make tensors.

    count:    values per image, or per region
    times:    the regions of an image; 1 for a tensor of the whole image
    itemsize: bytes of one value
    order:    memory order. ``first``: contiguous (NCHW). ``last``: channels-last (NHWC). ``unit``: channels-last
              strides, but the values lie as in ``first`` because the map has one channel or one position.
              ``moved``: the axes lie in another order.
    derived:  whether a gradient flows to the tensor
    sizes, strides: of the channels and of every axis, if the tensor is a part of a larger map or is ``moved``; else
              empty, and the values lie one after another in their order
    apart:    the stride of the batch, if a view of a single image has another one than several images have; else 0
    """

    __slots__ = ("apart", "count", "derived", "itemsize", "order", "sizes", "storage", "strides", "times")

    def __init__(
        self, storage: Storage, count: int, itemsize: int, order: str = "first", derived: bool = False, times: int = 1
    ) -> None:
        self.storage, self.count, self.itemsize, self.order, self.derived = storage, count, itemsize, order, derived
        self.times, self.apart = times, 0
        self.sizes: tuple[int, ...] = ()
        self.strides: tuple[int, ...] = ()

    @property
    def per_image(self) -> int:
        """Bytes per image."""
        return self.count * self.itemsize * self.times

    @property
    def image(self) -> int:
        """The values from one image or region to the next."""
        return self.apart or self.storage.per_image // self.itemsize // self.times
