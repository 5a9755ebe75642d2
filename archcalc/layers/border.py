"""Borders: positions cut off at the border of a map, or zeros put around the map."""

from __future__ import annotations

from archcalc.errors import LayerError
from archcalc.layers.base import Layer, StorageKind, agreed, need_map, per_axis
from archcalc.layers.settings import Choice, Like, PerAxis, Sides
from archcalc.sizes import (
    NO_PARAMS,
    NO_WORK,
    Int,
    Params,
    Shape,
    Window,
    Work,
    greater,
    int_text,
    largest,
    settled,
    smallest,
)

PAD_MODES = ("zeros", "reflect", "replicate", "circular")
"""What can be put around a map."""


class Border(Layer):
    """Positions cut off or added before and after every axis: given numbers, or the numbers that give a size.

    For a size, both sides change by the same number. If the difference n is odd, the odd position is after (bottom and
    right): n // 2 before and n - n // 2 after.
    """

    by = Sides("positions on each side", None)
    size = PerAxis("output size, instead of by", None)
    like = Like("the layer whose map has the output size, instead of by", None)

    def difference(self, n: Int, m: Int) -> Int:
        """The positions between sizes n and m; LayerError if only the other layer (crop or pad) can get there."""
        raise NotImplementedError

    def sides(self, x: Shape) -> list[tuple[Int, Int]]:
        """Positions before and after, for each axis of x."""
        need_map(x, self.type)
        given = [value for value in (self.by, self.size, self.like) if value is not None]
        if len(given) != 1:
            raise LayerError(f"{self.type} needs by, size or like, one of the three")
        each = per_axis(given[0], x, "by" if self.by is not None else "size" if self.like is None else "like")
        if self.by is not None:
            return [side if isinstance(side, tuple) else (side, side) for side in each]
        changes = [self.difference(n, m) for n, m in zip(x.axes, each, strict=True)]
        return [(change // 2, change - change // 2) for change in changes]

    def params(self, x: Shape) -> Params:
        return NO_PARAMS

    def work(self, out: Shape, x: Shape) -> Work:
        return NO_WORK


class Crop(Border, type="crop"):
    """Cuts positions off the border of a map.

    Source: Ronneberger et al., U-Net, 2015, section 2.
    """

    by = Sides("positions cut off", None, instead="; the layer pad puts zeros around")
    offset = PerAxis("positions cut off in front, with size or like (default: half of all)", None, least=0)
    storage = "view"

    def sides(self, x: Shape) -> list[tuple[Int, Int]]:
        """Positions cut off before and after, for each axis of x."""
        centred = super().sides(x)
        if self.offset is None:
            return centred
        if self.by is not None:
            raise LayerError("crop takes offset with size or like; by says both sides itself")
        every = [before + after for before, after in centred]
        for at, cut in zip(per_axis(self.offset, x, "offset"), every, strict=True):
            if largest(at - cut) > 0:
                raise LayerError(
                    f"crop with offset {int_text(at)}: only {int_text(cut)} positions are cut off", at > cut
                )
        return [(at, cut - at) for at, cut in zip(per_axis(self.offset, x, "offset"), every, strict=True)]

    def difference(self, n: Int, m: Int) -> Int:
        if smallest(n - m) < 0:
            raise LayerError(
                f"crop cannot make {int_text(n)} positions {int_text(m)}; the layer pad makes a map larger",
                n < m,
            )
        return n - m

    def window(self, x: Shape) -> tuple[Window, ...]:
        return tuple(
            Window(1, before=settled(-before), reads_both_ends=_none(before, after)) for before, after in self.sides(x)
        )

    def shape(self, x: Shape) -> Shape:
        axes = []
        for n, (before, after) in zip(x.axes, self.sides(x), strict=True):
            if smallest(n - before - after) < 1:
                raise LayerError(
                    f"crop cuts {int_text(before)} + {int_text(after)} positions off an axis of {int_text(n)}: "
                    f"nothing is left",
                    n - before - after < 1,
                )
            axes.append(n - before - after)
        return Shape(x.channels, tuple(axes))


class Pad(Border, type="pad"):
    """Puts positions around a map: zeros, or values of the map. Without any, the output is a view of the input.
    ``reflect`` mirrors the map at its first and last position, ``replicate`` repeats these positions, and ``circular``
    goes on at the other end. The field is a bound after the three.
    """

    by = Sides("positions put around", None, instead="; the layer crop cuts positions off")
    mode = Choice("what is put around", PAD_MODES, "zeros")

    def difference(self, n: Int, m: Int) -> Int:
        if smallest(m - n) < 0:
            raise LayerError(
                f"pad cannot make {int_text(n)} positions {int_text(m)}; the layer crop makes a map smaller",
                m < n,
            )
        return m - n

    def sides(self, x: Shape) -> list[tuple[Int, Int]]:
        """Positions put around before and after, for each axis of x."""
        sides = super().sides(x)
        if self.mode not in ("reflect", "circular"):
            return sides
        spare = int(self.mode == "reflect")
        for n, around in zip(x.axes, sides, strict=True):
            most = greater(*around)
            if smallest(n - spare - most) < 0:
                raise LayerError(
                    f"pad puts {int_text(most)} positions beside an axis of {int_text(n)}: mode {self.mode} has "
                    f"{int_text(n - spare)} to take them from",
                    n - spare < most,
                )
        return sides

    def window(self, x: Shape) -> tuple[Window, ...]:
        return tuple(self._window(n, before, after) for n, (before, after) in zip(x.axes, self.sides(x), strict=True))

    def _window(self, n: Int, before: Int, after: Int) -> Window:
        if self.mode == "zeros" or _none(before, after):
            return Window(1, before=before, reads_both_ends=_none(before, after))
        if self.mode == "circular":
            return Window(n, whole=True, exact=False)
        # the value of a position outside is up to so many positions away from where the position would be
        far = 2 if self.mode == "reflect" else 1
        return Window(1 + far * (before + after), before=before + far * after, exact=False)

    def held(self, out: Shape, *inputs: Shape) -> StorageKind:
        return "view" if agreed(out.values == inputs[0].values) else self.storage

    def shape(self, x: Shape) -> Shape:
        return Shape(
            x.channels, tuple(n + before + after for n, (before, after) in zip(x.axes, self.sides(x), strict=True))
        )


def _none(before: Int, after: Int) -> bool:
    return bool(largest(before) == 0 and largest(after) == 0)
