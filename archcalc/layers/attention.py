"""Attention: a weighted sum of values, with weights from products of queries and keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from archcalc.errors import LayerError
from archcalc.layers.arrangement import nearest_multiples
from archcalc.layers.axes import sizes_of
from archcalc.layers.base import agreed, whole
from archcalc.layers.join import Join, same_shape, shapes_text
from archcalc.layers.norm import unit_length
from archcalc.layers.settings import Choice, Flag, Like, Number, PerAxis, WholeNumber
from archcalc.sizes import (
    NO_PARAMS,
    NO_WORK,
    Int,
    Params,
    Shape,
    Window,
    Work,
    alike,
    equal,
    int_text,
    is_array,
    largest,
    product,
    smallest,
    unequal,
)

HIDDEN = 512
"""The hidden features of the linear layers behind a continuous bias, in the code of Swin V2's authors."""
SEARCHED = 1000
"""The most numbers of heads, in each direction, among which a message looks for one that fits."""


class Attention(Join, type="attention"):
    """Scaled dot-product attention: ``softmax(scale * Q K^T) V``, in each head and each window.

    The positions lie on the last axis. The axes before are like a batch (windows), and equal in all inputs. A head has
    an equal part of the channels: channels = heads x depth. Queries and keys have equal channels, keys and values equal
    positions. Each query takes a product with every key, also with ``causal``: implementations compute all products, and
    add -inf to some (1 add). Per score: the scale (1 mul), and soft-max (1 exp, 1 div, 1 add less one per query).

    A fourth map, the branch ``bias``, is added to the scores (1 add): its channels are the heads, its axes are those of
    the queries, and the keys. With ``bias: relative``, a trained number is added instead: each head has one number for
    each relative position of two positions in a window (``block``). With ``shift``, the windows were cut from a map that
    was rolled to its start. Then positions that the roll brought together do not read each other (1 add of 0 or -inf per
    score).

    With ``bias: continuous``, the number of a relative position is 16 times a sigmoid of a small network of linear layers,
    2 to 512 to heads for a window of two axes, with ReLU. This network reads the distances along the axes, on a logarithmic
    scale from -1 to 1 (buffers). It runs once in every forward pass, whatever the batch.

    With ``cosine``, queries and keys are divided by their length in each head, and the scale is trained: ``exp(min(s, log
    100))`` with one s for each head. The lengths cost as in ``l2_norm``.

    Source: Vaswani et al., Attention is all you need, 2017, section 3.2.1; Liu et al., Swin transformer, 2021, section 3.2
    (bias, shift); Liu et al., Swin transformer V2, 2022, equations 2 to 4 (cosine, continuous bias).
    """

    slots: ClassVar[tuple[str, ...]] = ("queries", "keys", "values", "bias")
    optional_slots: ClassVar[int] = 1
    mixes = True
    heads = WholeNumber("equal parts of the channels, each with its own attention")
    causal = Flag("whether a query reads only the keys up to its own position", False)
    scale = Number("factor of the products (default: 1 / sqrt(depth of a head))", None, low=float("-inf"))
    cosine = Flag("whether queries and keys have length 1 in each head, and a trained scale for each head", False)
    bias = Choice(
        "adds a number for each relative position in a window: a trained number (relative), or what two trained linear "
        "layers make of the distances (continuous); as a branch, a map that is added to the scores (heads x axes of the "
        "queries x keys)",
        (None, "relative", "continuous"),
        None,
    )
    block = PerAxis("positions of a window, one number for every axis; with bias or shift", None)
    shift = PerAxis("how far the map was rolled to its start before it was cut into windows", 0, least=0)
    size = PerAxis("size of the map that was cut into windows, one number for every axis; with shift", None)
    like = Like("the layer whose map has the size, instead of size", None)

    @property
    def sides(self) -> tuple[Int, ...]:
        """The positions of a window along every axis; () if they are not stated."""
        return () if self.block is None else _listed(self.block)

    @property
    def shifts(self) -> tuple[Int, ...]:
        """How far the map was rolled, along every axis."""
        return self.shift if isinstance(self.shift, tuple) else (self.shift,) * len(self.sides)

    @property
    def shifted(self) -> bool:
        """Whether positions that a roll brought together do not read each other."""
        return agreed(sum((shift != 0) * 1 for shift in _listed(self.shift)) > 0)

    @property
    def map_size(self) -> tuple[Int, ...]:
        """The size of the map that was cut into windows; () without shift."""
        size = self.like if self.size is None else self.size
        return _listed(size) if self.shifted and size is not None else ()

    @property
    def relative_positions(self) -> Int:
        """How many relative positions two positions of a window can have."""
        return product(2 * side - 1 for side in self.sides)

    def window(self, *xs: Shape) -> tuple[Window, ...]:
        """Of the keys and values; a query is read at the unit's own position."""
        keys = xs[1]
        return (*(Window(1) for _ in keys.axes[:-1]), whole(keys)[-1])

    def shape(self, *xs: Shape) -> Shape:
        if len(xs) not in (3, 4):
            raise LayerError(f"attention takes queries, keys, values and perhaps a bias, got {len(xs)} maps")
        queries, keys, values = xs[:3]
        for name, x in zip(self.slots, xs[:3], strict=False):
            if not x.axes:
                raise LayerError(
                    f"attention: the {name} are a vector of {int_text(x.channels)}; the last axis of a map holds the "
                    f"positions, and to_tokens makes such a map"
                )
        if not alike(queries.axes[:-1], keys.axes[:-1]) or not alike(queries.axes[:-1], values.axes[:-1]):
            raise LayerError(
                f"attention: queries, keys and values differ in the axes before the last: {shapes_text(xs[:3])}; "
                f"these axes are like a batch and must be equal",
                unequal(queries.axes[:-1], keys.axes[:-1]) | unequal(queries.axes[:-1], values.axes[:-1]),
            )
        if not equal(keys.axes[-1], values.axes[-1]):
            raise LayerError(
                f"attention: {int_text(keys.axes[-1])} keys, but {int_text(values.axes[-1])} values: "
                f"every key needs one value ({shapes_text(xs[:3])})",
                keys.axes[-1] != values.axes[-1],
            )
        if not equal(queries.channels, keys.channels):
            raise LayerError(
                f"attention: queries have {int_text(queries.channels)} channels, keys {int_text(keys.channels)}: "
                f"a product needs equal channels ({shapes_text(xs[:3])})",
                queries.channels != keys.channels,
            )
        for name, x in (("queries and keys", queries), ("values", values)):
            self._need_heads(name, x.channels)
        if self.cosine and self.scale is not None:
            raise LayerError("attention: cosine has a trained scale; leave scale out")
        if self.bias or self.shifted:
            self._need_windows(queries, keys)
        if len(xs) > 3:
            self._need_bias(queries, keys, xs[3])
        return Shape(values.channels, queries.axes)

    def _need_heads(self, name: str, channels: Int) -> None:
        if largest(channels % self.heads) != 0:
            raise LayerError(
                f"attention: {int_text(channels)} channels of {name} are not divisible into {int_text(self.heads)} "
                f"heads{_nearest_divisors(channels, self.heads)}",
                channels % self.heads != 0,
            )

    def _need_bias(self, queries: Shape, keys: Shape, bias: Shape) -> None:
        if self.bias:
            raise LayerError(f"attention: bias is a map and also {self.bias}; leave one of them out")
        scores = Shape(self.heads, (*queries.axes, keys.axes[-1]))
        if not same_shape(bias, scores):
            raise LayerError(
                f"attention: the bias is {bias}, but the scores are {scores}: heads, the axes of the queries, and keys",
                unequal(sizes_of(bias), sizes_of(scores)),
            )

    def _need_windows(self, queries: Shape, keys: Shape) -> None:
        what = f"bias: {self.bias}" if self.bias else "shift"
        if not self.sides:
            raise LayerError(f"attention: {what} needs block: the positions of a window, as in block: [7, 7]")
        positions = product(self.sides)
        for name, x in (("queries", queries), ("keys", keys)):
            if not equal(x.axes[-1], positions):
                raise LayerError(
                    f"attention: a window of block {_sizes(self.sides)} has {int_text(positions)} positions, but there are "
                    f"{int_text(x.axes[-1])} {name}",
                    x.axes[-1] != positions,
                )
        if self.bias == "continuous" and min(map(smallest, self.sides)) < 2:
            raise LayerError(
                f"attention: bias: continuous needs at least 2 positions along every axis of a window, got block "
                f"{_sizes(self.sides)}"
            )
        if self.shifted:
            self._need_map(product(queries.axes[:-1]))

    def _need_map(self, windows: Int) -> None:
        size, sides = self.map_size, self.sides
        if not size or (self.size is not None and self.like is not None):
            raise LayerError("attention: shift needs size or like, one of the two: the map that was cut into windows")
        if not len(size) == len(sides) == len(self.shifts):
            raise LayerError(
                f"attention: block {_sizes(sides)}, shift {_sizes(self.shifts)} and size {_sizes(size)} differ in their axes"
            )
        for n, side, shift in zip(size, sides, self.shifts, strict=True):
            if largest(n % side):
                raise LayerError(
                    f"attention: {int_text(n)} positions of the map are not divisible by windows of {int_text(side)}"
                    f"{nearest_multiples(n, side)}",
                    n % side != 0,
                )
            if largest(shift - side) >= 0:
                raise LayerError(
                    f"attention: a shift of {int_text(shift)} is not smaller than a window of {int_text(side)}",
                    shift >= side,
                )
        count = product(n // side for n, side in zip(size, sides, strict=True))
        if not equal(count, windows):
            raise LayerError(
                f"attention: a map of {_sizes(size)} has {int_text(count)} windows of {_sizes(sides)}, but there are "
                f"{int_text(windows)} windows",
                count != windows,
            )

    def params(self, *xs: Shape) -> Params:
        scales = self.heads * self.cosine
        if not self.bias:
            return Params(weight=scales) if self.cosine else NO_PARAMS
        if self.bias == "relative":
            return Params(weight=self.heads * self.relative_positions + scales)
        axes = len(self.sides)
        return Params(HIDDEN * (axes + self.heads) + scales, HIDDEN, self.relative_positions * axes)

    def work_parts(self, out: Shape, *xs: Shape) -> Mapping[str, Work]:
        queries, keys, values = xs[:3]
        rows = self.heads * product(queries.axes)
        scores = rows * keys.axes[-1]
        pairs = product(queries.axes) * keys.axes[-1]
        added = {"bias": self.bias or len(xs) > 3, "mask": self.causal or self.shifted}
        lengths = Work.sum(unit_length(x.values, self.heads * product(x.axes)) for x in (queries, keys))
        return {
            **({"lengths of queries and keys": lengths} if self.cosine else {}),
            "queries x keys": Work(mac=pairs * queries.channels),
            "scale": Work(mul=scores),
            **{name: Work(add=scores) for name, does in added.items() if does},
            "soft-max": Work(exp=scores, add=scores - rows, div=scores),
            "weights x values": Work(mac=pairs * values.channels),
        }

    def work_once(self, *inputs: Shape) -> Work:
        scales = Work(exp=self.heads, compare=self.heads) if self.cosine else NO_WORK
        if self.bias != "continuous":
            return scales
        rows = self.relative_positions
        hidden, numbers = rows * HIDDEN, rows * self.heads
        products = hidden * (len(self.sides) + self.heads)
        network = Work(mac=products, add=hidden + numbers, compare=hidden, exp=numbers, div=numbers, mul=numbers)
        return Work.sum((scales, network))

    def work(self, out: Shape, *xs: Shape) -> Work:
        return Work.sum(self.work_parts(out, *xs).values())


def _listed(value: Int | tuple[Int, ...]) -> tuple[Int, ...]:
    return value if isinstance(value, tuple) else (value,)


def _sizes(sizes: tuple[Int, ...]) -> str:
    return "x".join(map(int_text, sizes))


def _nearest_divisors(channels: Int, heads: Int) -> str:
    """The end of a message: the numbers of heads next to ``heads`` that divide the channels.

    '' for arrays, and if no number near ``heads`` divides the channels.

    >>> _nearest_divisors(768, 7), _nearest_divisors(4, 9), _nearest_divisors(2**31 - 1, 10**9)
    ('; 6 and 8 heads would fit', '; 4 heads would fit', '')
    """
    if is_array(channels) or is_array(heads):
        return ""
    fewer = range(min(heads, channels), max(0, heads - SEARCHED), -1)
    more = range(heads, min(channels, 2 * heads, heads + SEARCHED) + 1)
    found = [n for near in (fewer, more) for n in [next((n for n in near if channels % n == 0), 0)] if n]
    return f"; {' and '.join(map(str, found))} {'head' if found == [1] else 'heads'} would fit" if found else ""
