"""How the axes of a tensor are made of the sizes of a map: a reshape splits and merges them, a permute moves them.

A map of archcalc has channels and axes, for one image. A tensor of a PyTorch model shows this map with its axes in any
order, split or merged. A ``Factor`` is a part of one size of the map; the axis of a tensor is a group of factors, the
outermost first. So a view moves no values: only a layer that needs another map moves them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod
from typing import NamedTuple

BATCH = -1
"""The number of the batch, which is not part of the map. 0 are the channels, from 1 on the axes."""


class Factor(NamedTuple):
    """A part of a size: ``index // stride % size`` of the index along the axis."""

    axis: int
    stride: int
    size: int


Group = tuple[Factor, ...]
"""The factors of one axis of a tensor, the outermost first. An axis of size 1 has none."""
View = tuple[Group, ...]
"""The groups of all axes of a tensor."""


def whole(axis: int, size: int) -> Group:
    """A whole size of a map."""
    return (Factor(axis, 1, size),) if size > 1 else ()


def size_of(group: Iterable[Factor]) -> int:
    return prod(factor.size for factor in group)


def without_batch(group: Group) -> Group:
    return tuple(factor for factor in group if factor.axis != BATCH)


def around_batch(group: Group) -> tuple[Group, Group]:
    """The factors before the batch, and the others; all of them are others where the group has no batch."""
    at = next((at for at, factor in enumerate(group) if factor.axis == BATCH), 0)
    return group[:at], group[at:]


def merged(factors: Iterable[Factor]) -> Group:
    """The factors with neighbours put together that are neighbours in the map."""
    found: list[Factor] = []
    for factor in factors:
        if found and found[-1].axis == factor.axis and found[-1].stride == factor.stride * factor.size:
            found[-1] = Factor(factor.axis, factor.stride, found[-1].size * factor.size)
        elif factor.size > 1:
            found.append(factor)
    return tuple(found)


def split(group: Sequence[Factor], sizes: Sequence[int]) -> list[Group] | None:
    """The group cut into groups of these sizes, the outermost first; None where a cut goes through a factor unevenly."""
    left = list(group)
    found: list[Group] = []
    for size in sizes:
        taken: list[Factor] = []
        while size > 1:
            if not left:
                return None
            axis, stride, length = left[0]
            if size % length == 0:
                taken.append(left.pop(0))
                size //= length
            elif length % size == 0:
                inner = length // size
                taken.append(Factor(axis, stride * inner, size))
                left[0] = Factor(axis, stride, inner)
                size = 1
            else:
                return None
        found.append(merged(taken))
    return found if not left else None


def reshaped(view: View, sizes: Sequence[int]) -> View | None:
    """The groups after a reshape; None if the values must be moved to a map of their own first."""
    groups = split([factor for group in view for factor in group], sizes)
    return None if groups is None else tuple(groups)


def refined(group: Sequence[Factor], cuts: Iterable[Factor]) -> list[Factor]:
    """The factors of a group, cut wherever one of the other factors of the same axis begins or ends."""
    edges: dict[int, set[int]] = {}
    for cut in cuts:
        edges.setdefault(cut.axis, set()).update((cut.stride, cut.stride * cut.size))
    found: list[Factor] = []
    for axis, stride, size in group:
        inside = sorted((e for e in edges.get(axis, ()) if stride < e < stride * size), reverse=True)
        top = stride * size
        for edge in [*inside, stride]:
            found.append(Factor(axis, edge, top // edge))
            top = edge
    return found
