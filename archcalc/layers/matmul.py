"""The matrix product of two maps."""

from __future__ import annotations

from archcalc.errors import LayerError
from archcalc.layers.axes import sizes_of
from archcalc.layers.base import whole
from archcalc.layers.join import Join
from archcalc.layers.settings import Choice
from archcalc.sizes import Int, Shape, Window, Work, equal, int_text, unequal

CHOICES = (None, "first", "second", "both")


class Matmul(Join, type="matmul"):
    """The matrix product of two maps: the last two of channels and axes are the matrix.

    On maps with one axis, a matrix is channels x positions. On maps with two axes, every channel has a matrix of height x
    width. The sizes before the matrix are like a batch, and equal in both maps. ``transpose`` swaps the rows and the
    columns of the first map, of the second map, or of both. Keys x queries is ``matmul: {transpose: first}``; for
    soft-max between two products see ``attention``.

    Source: Wang et al., Non-local neural networks, 2018, Figure 2.
    """

    mixes = True
    transpose = Choice("the map whose matrices are transposed: first, second or both", CHOICES, None)

    @property
    def swaps(self) -> tuple[bool, bool]:
        """Whether the matrices of the first and of the second map are transposed."""
        return self.transpose in ("first", "both"), self.transpose in ("second", "both")

    def window(self, *xs: Shape) -> tuple[Window, ...]:
        return whole(xs[0])

    def shape(self, *xs: Shape) -> Shape:
        if len(xs) != 2:
            raise LayerError(f"matmul multiplies two maps, got {len(xs)}")
        a, b = xs
        if not a.axes or len(a.axes) != len(b.axes):
            raise LayerError(f"matmul multiplies two maps with equally many axes, got {a} and {b}")
        batch, others = sizes_of(a)[:-2], sizes_of(b)[:-2]
        if not all(map(equal, batch, others)):
            raise LayerError(
                f"matmul: the sizes before the matrix are like a batch and must be equal, got {a} and {b}",
                unequal(batch, others),
            )
        (rows, inner), (within, columns) = self._matrices(a, b)
        if not equal(inner, within):
            first, second = (f"{int_text(n)}x{int_text(m)}" for n, m in ((rows, inner), (within, columns)))
            raise LayerError(
                f"matmul of {a} and {b}: the matrices {first} and {second} do not fit, as {int_text(inner)} columns of the "
                f"first are not {int_text(within)} rows of the second{_fitting(a, b)}",
                inner != within,
            )
        sizes = (*batch, rows, columns)
        return Shape(sizes[0], sizes[1:])

    def _matrices(self, a: Shape, b: Shape) -> list[tuple[Int, Int]]:
        """Rows and columns of both matrices, after they are transposed."""
        found = []
        for x, swap in zip((a, b), self.swaps, strict=True):
            rows, columns = sizes_of(x)[-2:]
            found.append((columns, rows) if swap else (rows, columns))
        return found

    def work(self, out: Shape, *xs: Shape) -> Work:
        (_, inner), _ = self._matrices(*xs)
        return Work(mac=out.values * inner)


def _fitting(a: Shape, b: Shape) -> str:
    """The end of a message: the transpositions with which two maps fit."""
    fits = []
    for choice in CHOICES:
        (_, inner), (within, _) = Matmul(transpose=choice)._matrices(a, b)
        if equal(inner, within):
            fits.append(f"transpose: {choice}" if choice else "no transpose")
    return f"; {' or '.join(fits)} would fit" if fits else ""
