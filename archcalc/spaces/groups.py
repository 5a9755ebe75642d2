"""Points of a block that are computed at once, and how they are divided: along an axis, by an answer, or in halves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

MOST_PARTS = 4
"""The most groups that a group is split into along an axis. Each of them is computed apart, which takes long."""


class Group(NamedTuple):
    """Points of a block. values: for every axis. places: in the block, an array with a dimension for every axis.

    paired: the points are the first values of all axes, the second values, and so on; places has one dimension.
    """

    values: tuple[Sequence[Any], ...]
    places: Any
    paired: bool

    @property
    def first(self) -> list[Any]:
        """The first point: its value on every axis."""
        return [values[0] for values in self.values]

    def array(self, axis: int) -> Any:
        """The values of an axis as an array with a dimension for every axis; a value itself, if it is the only one."""
        import numpy as np

        values = self.values[axis]
        if all(value is values[0] or value == values[0] for value in values):
            return values[0]
        sides = self.places.shape if self.paired else [1] * axis + [len(values)] + [1] * (self.places.ndim - axis - 1)
        columns = zip(*values, strict=True) if isinstance(values[0], list) else [values]
        arrays = [np.array(column).reshape(sides) for column in columns]
        return arrays if isinstance(values[0], list) else arrays[0]

    def part(self, axis: int, chosen: Sequence[int]) -> Group:
        """The points with the chosen values of an axis, given by their places on the axis."""
        values = list(self.values)
        for at in range(len(values)) if self.paired else [axis]:
            values[at] = [values[at][i] for i in chosen]
        return Group(tuple(values), self.places.take(chosen, axis=0 if self.paired else axis), self.paired)

    def by(self, axis: int, keys: Sequence[Any]) -> list[Group]:
        """The groups of the points whose values of an axis have the same key."""
        chosen: dict[Any, list[int]] = {}
        for at, key in enumerate(keys):
            chosen.setdefault(key, []).append(at)
        return [self] if len(chosen) == 1 else [self.part(axis, places) for places in chosen.values()]

    def split(self, holds: Any) -> list[Group]:
        """The groups within which a condition has one answer: along one axis if they are few, else the two as lists."""
        import numpy as np

        answers = np.broadcast_to(holds, self.places.shape)
        keys = [[one.tobytes() for one in np.moveaxis(answers, axis, 0)] for axis in range(answers.ndim)]
        fewest, axis = min((count, axis) for axis, one in enumerate(keys) if (count := len(set(one))) > 1)
        if fewest <= MOST_PARTS:
            return self.by(axis, keys[axis])
        return [self.where(answers), self.where(~answers)]

    def halves(self, axis: int) -> list[Group]:
        """The points below the middle value of an axis, and the others, because a limit is often what refuses them."""
        values = self.values[axis]
        distinct = sorted({repr(value): value for value in values}.values())
        below = [value < distinct[len(distinct) // 2] for value in values]
        return self.by(axis, below)

    def where(self, met: Any) -> Group:
        """The points where ``met`` is true, point by point."""
        at = met.nonzero()
        values = [
            [axis[i] for i in at[0 if self.paired else number].tolist()] for number, axis in enumerate(self.values)
        ]
        return Group(tuple(values), self.places[met], True)
