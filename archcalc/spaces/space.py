"""A space: a network and the axes along which it varies. Its points have an order, and are handed out in blocks."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

from archcalc.errors import ArchcalcError, unknown
from archcalc.layers.settings import message_text
from archcalc.settings_text import setting_text
from archcalc.spaces.axes import Axis

if TYPE_CHECKING:
    from archcalc.network import Network

MOST_IN_BLOCK = 2**16
"""The most points of a block, which are computed at once."""
MOST_POINTS = 10**9
"""The most points of a space that is swept."""
MOST_SAMPLED = 10**8
"""The most points of a sample, which is held in memory."""

_ITEM = re.compile(r"(\w+)\[([0-9]{1,4})\]")


class Block(NamedTuple):
    """Points of a space that are computed at once.

    The points are the product of the values of every axis, the last axis fastest; or, if ``paired``, the first values of
    all axes, the second values, and so on.
    """

    values: tuple[Sequence[Any], ...]
    paired: bool

    @property
    def sides(self) -> tuple[int, ...]:
        """The sizes of an array with an element for every point."""
        return (len(self.values[0]),) if self.paired else tuple(map(len, self.values))

    @property
    def points(self) -> int:
        """The number of points."""
        return prod(self.sides)

    def column(self, axis: int, places: Any) -> list[Any]:
        """The values of an axis at these places of the block."""
        values = self.values[axis]
        if self.paired:
            return [values[at] for at in places.tolist()]
        return [values[at] for at in (places // prod(self.sides[axis + 1 :]) % len(values)).tolist()]


class Space:
    """A network and the axes along which it varies; the points are the product of the axes' values, or a list.

    sample: the number of points that are drawn, without putting back, from the product. seed: that of the drawing.
    paired: the points are the first values of all axes, the second values, and so on, instead of the product.
    """

    def __init__(self, axes: Sequence[Axis], *, sample: int | None = None, seed: int = 0, paired: bool = False) -> None:
        if not axes:
            raise ArchcalcError("nothing varies: expected at least one axis, such as input, batch or a setting")
        names = [axis.name for axis in axes]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ArchcalcError(f"{twice} varies twice: expected one axis of each name")
        if paired and len({len(axis.values) for axis in axes}) > 1:
            raise ArchcalcError("points: expected as many values of every axis")
        self.axes, self.seed, self.paired = tuple(axes), seed, paired
        self.whole = len(axes[0].values) if paired else prod(len(axis.values) for axis in axes)
        if sample is not None and not (type(sample) is int and 1 <= sample <= MOST_SAMPLED):
            raise ArchcalcError(
                f"sample: expected a whole number from 1 to {MOST_SAMPLED:,}, got {message_text(sample)}"
            )
        self.sample = sample if sample is not None and sample < self.whole else None
        if self.sample is None and self.whole > MOST_POINTS:
            raise ArchcalcError(
                f"the space has {self.whole:,} points, and {MOST_POINTS:,} are swept at most: draw some of them "
                "(--sample 100000), or take larger steps"
            )

    @property
    def count(self) -> int:
        """The number of points that are computed."""
        return self.whole if self.sample is None else self.sample

    @cached_property
    def _drawn(self) -> list[int]:
        """The places of the drawn points in the product."""
        drawn, chosen = random.Random(self.seed), dict[int, None]()
        if self.whole <= 4 * self.count:  # most points are drawn: a shuffle meets none twice
            return drawn.sample(range(self.whole), self.count)
        while len(chosen) < self.count:
            chosen[drawn.randrange(self.whole)] = None
        return list(chosen)

    @cached_property
    def _runs(self) -> tuple[int, ...]:
        """How many values of each axis a block of the product has."""
        sides: list[int] = []
        whole = True
        for axis in reversed(self.axes):
            run = max(1, min(len(axis.values), MOST_IN_BLOCK // prod(sides))) if whole else 1
            whole = whole and run == len(axis.values)
            sides.insert(0, run)
        return tuple(sides)

    @property
    def blocks(self) -> int:
        """The number of blocks."""
        if self.paired or self.sample is not None:
            return -(-self.count // MOST_IN_BLOCK)
        return prod(-(-len(axis.values) // run) for axis, run in zip(self.axes, self._runs, strict=True))

    def block(self, number: int) -> Block:
        """The block of this number. The points of all blocks, one after another, are those of the space in their order."""
        if self.paired or self.sample is not None:
            part = slice(number * MOST_IN_BLOCK, (number + 1) * MOST_IN_BLOCK)
            if self.sample is None:
                return Block(tuple(axis.values[part] for axis in self.axes), True)
            return Block(tuple(zip(*map(self.point, self._drawn[part]), strict=True)), True)
        parts: list[Sequence[Any]] = []
        for axis, run in zip(reversed(self.axes), reversed(self._runs), strict=True):
            number, at = divmod(number, -(-len(axis.values) // run))
            parts.insert(0, axis.values[at * run : (at + 1) * run])
        return Block(tuple(parts), False)

    def point(self, place: int) -> tuple[Any, ...]:
        """The values of the point at this place of the product, one of each axis."""
        values = []
        for axis in reversed(self.axes):
            place, at = divmod(place, len(axis.values))
            values.append(axis.values[at])
        return tuple(reversed(values))

    def check(self, network: Network) -> None:
        """ArchcalcError if the network lacks a setting of an axis."""
        for axis in self.axes:
            if axis.kind == "setting":
                name, at = item_of(axis.name)
                if name not in network.settings:
                    raise ArchcalcError(f"{network.full_name}: {unknown('setting', name, network.settings)}")
                value = network.settings[name]
                if at is not None and not (isinstance(value, (list, tuple)) and at < len(value)):
                    raise ArchcalcError(f"{axis.name}: {network.full_name} has {name}={setting_text(value)}")


def item_of(name: str) -> tuple[str, int | None]:
    """The setting and the place in its list that an axis names.

    >>> item_of("depths[2]"), item_of("width")
    (('depths', 2), ('width', None))
    """
    found = _ITEM.fullmatch(name)
    return (found[1], int(found[2])) if found else (name, None)
