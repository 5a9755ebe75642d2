"""Values of a map at positions that the network computes."""

from __future__ import annotations

from typing import ClassVar

from archcalc.errors import LayerError
from archcalc.layers.join import Join
from archcalc.layers.resample import NEIGHBOURS
from archcalc.layers.settings import Choice, Flag
from archcalc.sizes import Shape, Window, Work, equal, int_text


class GridSample(Join, type="grid_sample"):
    """Values of the branch ``map``, between its positions: the channels of the branch ``grid`` say where.

    They are the coordinates of a position, from -1 to 1 along an axis, the last axis first: x and y on the last two axes
    of the map, or x, y and z on the last three. The output has a position for every position of the grid, and the
    channels of the map. The axes before are like a batch, and equal in both.

    Bilinear takes 4 products and 3 additions per output value; on three axes 8 and 7. Bicubic, on two axes, takes 16 and
    15. The weights of neighbours, the same for all channels, are not counted.

    Source: Jaderberg et al., Spatial transformer networks, 2015, section 3.3.
    """

    slots: ClassVar[tuple[str, ...]] = ("map", "grid")
    mode = Choice("how a value is computed", tuple(NEIGHBOURS), "bilinear")
    pad_mode = Choice("values beyond the map", ("zeros", "border", "reflection"), "zeros")
    align_corners = Flag(
        "whether -1 and 1 are the centres of the first and the last position, not their outer ends", False
    )

    def window(self, *xs: Shape) -> tuple[Window, ...]:
        """The whole map, as a bound: a position may lie anywhere."""
        return tuple(Window(n, whole=True, exact=False) for n in xs[0].axes)

    def shape(self, *xs: Shape) -> Shape:
        if len(xs) != 2:
            raise LayerError(f"grid_sample reads a map and a grid of positions, got {len(xs)} inputs")
        x, grid = xs
        if not (equal(grid.channels, 2) or equal(grid.channels, 3)):
            raise LayerError(
                f"grid_sample: the channels of the grid are x and y, or x, y and z, so 2 or 3, but the grid is {grid}"
            )
        count = 2 if equal(grid.channels, 2) else 3
        if min(len(x.axes), len(grid.axes)) < count or len(x.axes) != len(grid.axes):
            raise LayerError(
                f"grid_sample: a grid with {count} channels has positions on the last {count} axes of a map with as many "
                f"axes as the grid, got the map {x} and the grid {grid}"
            )
        before, others = x.axes[:-count], grid.axes[:-count]
        if not all(map(equal, before, others)):
            sizes = " and ".join("x".join(map(int_text, axes)) for axes in (before, others))
            raise LayerError(
                f"grid_sample of {x} at {grid}: the axes before the last {count} are like a batch and must be equal, got {sizes}"
            )
        if self.mode == "bicubic" and count == 3:
            raise LayerError(f"bicubic takes positions on two axes, but the grid {grid} has x, y and z")
        return Shape(x.channels, grid.axes)

    def work(self, out: Shape, *xs: Shape) -> Work:
        read = NEIGHBOURS[self.mode] ** (2 if equal(xs[1].channels, 2) else 3)
        interpolated = out.values * (self.mode != "nearest")
        return Work(mul=read * interpolated, add=(read - 1) * interpolated)
