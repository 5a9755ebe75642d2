"""Regions: layers that make regions of interest (RoI) of maps. The layers behind them run once for every region."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from archcalc.errors import LayerError
from archcalc.layers.base import Layer, need_map, per_axis
from archcalc.layers.join import shapes_text
from archcalc.layers.settings import Flag, PerAxis, WholeNumber, whole_number
from archcalc.sizes import (
    NO_PARAMS,
    Int,
    Params,
    Shape,
    Window,
    Work,
    divide,
    equal,
    gcd,
    int_text,
    product,
)

REGIONS = frozenset(("roi_align", "roi_pool", "ps_roi_pool"))
"""The layer types that make regions of a map. Tools for PyTorch have no rule for torchvision's operators."""


class RegionLayer(Layer):
    """A map, or the maps of a pyramid, to a map of ``size`` for each region.

    ``regions`` is the number of regions of an image, from the block around the layer. A region lies anywhere in the
    image, and reads one of the maps. The boxes of the regions come from outside the network.
    """

    joins = True
    fewest = fewest_named = 1
    makes_regions = True
    size = PerAxis("output size", 7)

    def __init__(self, regions: Int = 0, **values: object) -> None:
        super().__init__(**values)
        self.regions = whole_number(regions, 0)

    def window(self, *xs: Shape) -> tuple[Window, ...]:
        """The whole map, as a bound: a region may lie anywhere."""
        return tuple(Window(n, whole=True, exact=False) for n in xs[0].axes)

    def sizes(self, *xs: Shape) -> tuple[Int, ...]:
        """The size of the output; LayerError unless the inputs are maps of two axes with the same channels."""
        for x in xs:
            need_map(x, self.type)
            if len(x.axes) != 2:
                raise LayerError(f"{self.type} needs maps with height and width, got {x}")
            if not equal(x.channels, xs[0].channels):
                raise LayerError(
                    f"the maps of {self.type} differ in channels: {shapes_text(xs)}", x.channels != xs[0].channels
                )
        return per_axis(self.size, xs[0], "size")

    def shape(self, *xs: Shape) -> Shape:
        return Shape(xs[0].channels, self.sizes(*xs))

    def params(self, *xs: Shape) -> Params:
        return NO_PARAMS


class RoiAlign(RegionLayer, type="roi_align"):
    """The mean of bilinear samples in every cell of a grid over a region, which is not rounded to positions.

    A cell has ``sampling`` x ``sampling`` samples of 4 products and 3 additions each. A map of a pyramid serves the
    regions of one size: ``from: [p2, p3, p4, p5]``.

    Source: He et al., Mask R-CNN, 2017, section 3; Lin et al., Feature pyramid networks, 2017, section 4.2.
    """

    sampling = WholeNumber("samples of a cell along each axis", 2)
    aligned = Flag("whether positions are the centres of pixels (moved by half a position)", False)

    def work(self, out: Shape, *xs: Shape) -> Work:
        samples = out.values * self.sampling**2
        return Work(mul=4 * samples, add=4 * samples - out.values, div=out.values)


class RoiPool(RegionLayer, type="roi_pool"):
    """The largest value in every cell of a grid over a region, whose borders are rounded to positions.

    The comparisons are those of a region as large as the map; a smaller region takes fewer.

    Source: Girshick, Fast R-CNN, 2015, section 2.1.
    """

    def work(self, out: Shape, *xs: Shape) -> Work:
        return Work(compare=_cells(xs[0], out.channels, self.sizes(*xs)) - out.values)


class PsRoiPool(RegionLayer, type="ps_roi_pool"):
    """The mean in every cell of a grid over a region, where each cell reads channels of its own.

    Of c x h x w channels, cell i of a grid of h x w reads the channels i, i + h x w, ... The additions are those of a
    region as large as the map; a smaller region takes fewer.

    Source: Dai et al., R-FCN, 2016, equation 1.
    """

    joins = False

    def shape(self, *xs: Shape) -> Shape:
        size = self.sizes(*xs)
        return Shape(divide(xs[0].channels, product(size), f"channels / ({' x '.join(map(int_text, size))})"), size)

    def work(self, out: Shape, *xs: Shape) -> Work:
        return Work(add=_cells(xs[0], out.channels, self.sizes(*xs)) - out.values, div=out.values)


def _cells(x: Shape, channels: Int, size: Sequence[Int]) -> Int:
    """The values of x in all cells of a grid over the whole map; neighbouring cells may share positions."""
    return channels * product(n + m - gcd(n, m) for n, m in zip(x.axes, size, strict=True))


def per_map(regions: Int, maps: int) -> list[Int]:
    """How many regions of an image read each map: equal parts, the first ones larger by one.

    >>> per_map(10, 4)
    [3, 3, 2, 2]
    """
    return [(regions + maps - 1 - at) // maps for at in range(maps)]


class Made(Protocol):
    """What the checks read of a node: its name and its regions."""

    name: str
    layer: Layer
    regions: Int


def regions_of(layer: Layer, inputs: Sequence[Made]) -> Int:
    """The regions of an image for which a layer runs; 0: it runs for the image. LayerError if the inputs do not fit."""
    regions = inputs[0].regions
    if layer.makes_regions:
        if equal(layer.regions, 0):
            raise LayerError(
                f"{layer.type} makes regions of a map: put it into a block with regions, as in regions: 100"
            )
        for one in inputs:
            if not equal(one.regions, 0):
                raise LayerError(f"{layer.type} reads maps of the image, but {_made(one)}", one.regions != 0)
        return layer.regions
    for one in inputs[1:]:
        if one.regions is not regions and not equal(one.regions, regions):
            raise LayerError(
                f"{_made(inputs[0])} and {_made(one)}: {layer.type} cannot join them", one.regions != regions
            )
    return regions


def check_block(layer: Layer, inputs: Sequence[Made], around: Int) -> None:
    """LayerError unless the inputs of a layer fit the block around it, which has ``around`` regions; 0: no such block."""
    for one in () if layer.makes_regions else inputs:
        if one.regions is around or equal(one.regions, around):
            continue
        if equal(one.regions, 0):
            raise LayerError(
                f"{_made(one)}, but the block runs for each of {int_text(around)} regions: "
                "roi_align, roi_pool or ps_roi_pool makes regions of a map"
            )
        if equal(around, 0):
            raise LayerError(
                f"{_made(one)}, and {layer.type} runs for the image: put {layer.type} into a block with regions: "
                f"{int_text(one.regions)}, or name a map of the image with from"
            )
        raise LayerError(f"{_made(one)}, but the block runs for each of {int_text(around)}")


def _made(one: Made) -> str:
    name = one.name or one.layer.type
    return (
        f"{name} belongs to the image"
        if equal(one.regions, 0)
        else f"{name} belongs to each of {int_text(one.regions)} regions"
    )


def output_text(shape: Shape, regions: Int) -> str:
    """A shape as text, with the regions of an image: ``100 x 256x7x7``."""
    return str(shape) if equal(regions, 0) else f"{int_text(regions)} x {shape}"
