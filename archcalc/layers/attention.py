"""Attention: a weighted sum of values, with weights from products of queries and keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from archcalc.errors import LayerError
from archcalc.layers.base import whole
from archcalc.layers.join import Join, shapes_text
from archcalc.layers.settings import Flag, Number, WholeNumber
from archcalc.sizes import (
    NO_PARAMS,
    Int,
    Params,
    Shape,
    Window,
    Work,
    equal,
    int_text,
    is_array,
    largest,
    product,
)


class Attention(Join, type="attention"):
    """Scaled dot-product attention: ``softmax(scale * Q K^T) V``, in each head and each window.

    The positions lie on the last axis. The axes before are like a batch (windows), and equal in all inputs. A head has
    an equal part of the channels: channels = heads x depth. Queries and keys have equal channels, keys and values equal
    positions. Each query takes a product with every key, also with ``causal``: implementations compute all products, and
    add -inf to some (1 add). Per score: the scale (1 mul), and soft-max (1 exp, 1 div, 1 add less one per query).

    Source: Vaswani et al., Attention is all you need, 2017, section 3.2.1.
    """

    slots: ClassVar[tuple[str, ...]] = ("queries", "keys", "values")
    mixes = True
    heads = WholeNumber("equal parts of the channels, each with its own attention")
    causal = Flag("whether a query reads only the keys up to its own position", False)
    scale = Number("factor of the products (default: 1 / sqrt(depth of a head))", None, low=float("-inf"))

    def window(self, *xs: Shape) -> tuple[Window, ...]:
        """Of the keys and values; a query is read at the unit's own position."""
        keys = xs[1]
        return (*(Window(1) for _ in keys.axes[:-1]), whole(keys)[-1])

    def shape(self, *xs: Shape) -> Shape:
        if len(xs) != 3:
            raise LayerError(f"attention takes queries, keys and values, got {len(xs)} maps")
        queries, keys, values = xs
        for name, x in zip(self.slots, xs, strict=True):
            if not x.axes:
                raise LayerError(
                    f"attention: the {name} are a vector of {int_text(x.channels)}; the last axis of a map holds the "
                    f"positions, and to_tokens makes such a map"
                )
        if not _alike(queries.axes[:-1], keys.axes[:-1]) or not _alike(queries.axes[:-1], values.axes[:-1]):
            raise LayerError(
                f"attention: queries, keys and values differ in the axes before the last: {shapes_text(xs)}; "
                f"these axes are like a batch and must be equal"
            )
        if not equal(keys.axes[-1], values.axes[-1]):
            raise LayerError(
                f"attention: {int_text(keys.axes[-1])} keys, but {int_text(values.axes[-1])} values: "
                f"every key needs one value ({shapes_text(xs)})"
            )
        if not equal(queries.channels, keys.channels):
            raise LayerError(
                f"attention: queries have {int_text(queries.channels)} channels, keys {int_text(keys.channels)}: "
                f"a product needs equal channels ({shapes_text(xs)})"
            )
        for name, x in (("queries and keys", queries), ("values", values)):
            self._need_heads(name, x.channels)
        return Shape(values.channels, queries.axes)

    def _need_heads(self, name: str, channels: Int) -> None:
        if largest(channels % self.heads) != 0:
            raise LayerError(
                f"attention: {int_text(channels)} channels of {name} are not divisible into {int_text(self.heads)} "
                f"heads{_nearest_divisors(channels, self.heads)}"
            )

    def params(self, *xs: Shape) -> Params:
        return NO_PARAMS

    def parts(self, out: Shape, *xs: Shape) -> Mapping[str, Work]:
        """The operations of every step, for one image."""
        queries, keys, values = xs
        rows = self.heads * product(queries.axes)
        scores = rows * keys.axes[-1]
        pairs = product(queries.axes) * keys.axes[-1]
        return {
            "queries x keys": Work(mac=pairs * queries.channels),
            "scale": Work(mul=scores, add=scores * self.causal),
            "soft-max": Work(exp=scores, add=scores - rows, div=scores),
            "weights x values": Work(mac=pairs * values.channels),
        }

    def work(self, out: Shape, *xs: Shape) -> Work:
        return Work.sum(self.parts(out, *xs).values())


def _alike(a: Any, b: Any) -> bool:
    return len(a) == len(b) and all(map(equal, a, b))


def _nearest_divisors(channels: Int, heads: Int) -> str:
    """The end of a message: the numbers of heads next to ``heads`` that divide the channels; '' for arrays.

    >>> _nearest_divisors(768, 7), _nearest_divisors(4, 9)
    ('; 6 and 8 heads would fit', '; 4 heads would fit')
    """
    if is_array(channels) or is_array(heads):
        return ""
    low = next(n for n in range(min(heads, channels), 0, -1) if channels % n == 0)
    high = next((n for n in range(heads, min(channels, 2 * heads) + 1) if channels % n == 0), 0)
    return f"; {low} and {high} heads would fit" if high else f"; {low} {'head' if low == 1 else 'heads'} would fit"
