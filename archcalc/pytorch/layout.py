"""Where the values of a map lie in memory: strides, and how views, operators and copies change them.

Sizes and strides are those of the channels and of every axis, in values. The batch is the outermost axis, and its
stride is called ``image``.

One rule decides what lies together, as in PyTorch: the stride of an axis of size 1 does not matter. So all that follows
from it may differ for a batch of one image (``Batch``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from archcalc.layers.arrangement import Arrangement, Group
from archcalc.sizes import product

Numbers = tuple[int, ...]
MANY = 2
"""The size of a batch of several images, so that the stride between images matters."""


def contiguous(sizes: Sequence[int]) -> Numbers:
    """The strides of values that lie one after another, the last axis first.

    >>> contiguous((2, 3, 4))
    (12, 4, 1)
    """
    return tuple(product(sizes[at + 1 :]) for at in range(len(sizes)))


def channels_last(sizes: Sequence[int]) -> Numbers:
    """The strides of values whose channels lie first.

    >>> channels_last((2, 3, 4))
    (1, 8, 2)
    """
    return (1, *(sizes[0] * stride for stride in contiguous(sizes[1:])))


def merges(sizes: Iterable[int], strides: Iterable[int]) -> bool:
    """Whether axes of these sizes and strides can be viewed as one axis, without a copy."""
    long = [(size, stride) for size, stride in zip(sizes, strides, strict=True) if size > 1]
    return all(stride == size * inner for (_, stride), (size, inner) in pairwise(long))


class Batch:
    """The batch of a recording: a single image, or several. As an axis, a single image lies next to any other axis.

    matters: whether the recording for a single image is another one
    """

    __slots__ = ("images", "matters")

    def __init__(self, images: int = 1) -> None:
        self.images, self.matters = images, False

    def alone(self, times: int) -> bool:
        """Whether a batch with ``times`` regions of every image is of size 1. Asked only where this makes a difference."""
        if times > 1:
            return False
        self.matters = True
        return self.images == 1

    def merges(self, sizes: Numbers, strides: Numbers, image: int, times: int) -> bool:
        """Whether the batch and axes can be viewed as one axis, without a copy."""
        several = merges((MANY, *sizes), (image, *strides))
        return several or (merges(sizes, strides) and self.alone(times))

    def contiguous(self, sizes: Numbers, strides: Numbers, image: int, times: int) -> bool:
        """Whether the values of all images lie one after another, the last axis first."""
        return agree(sizes, strides, contiguous(sizes)) and (image == product(sizes) or self.alone(times))

    def order_of(self, sizes: Numbers, strides: Numbers, image: int, times: int) -> tuple[str, Numbers]:
        """The memory order of values with these strides, and the strides if the order does not say them."""
        plain = self.contiguous(sizes, strides, image, times)
        if _is_last(sizes, strides, image):
            if plain and (sizes[0] == 1 or product(sizes[1:]) == 1):
                return "unit", ()
            return "last", () if strides == channels_last(sizes) and image == product(sizes) else strides
        if plain:
            return "first", () if strides == contiguous(sizes) else strides
        long = [stride for size, stride in zip(sizes, strides, strict=True) if size > 1]
        return "first" if all(outer >= inner for outer, inner in pairwise(long)) else "moved", strides


def agree(sizes: Numbers, a: Numbers, b: Numbers) -> bool:
    return all(size == 1 or mine == other for size, mine, other in zip(sizes, a, b, strict=True))


def _is_last(sizes: Numbers, strides: Numbers, image: int) -> bool:
    """Whether PyTorch takes the strides for channels-last: c10::is_channels_last_strides_2d and _3d."""
    if len(sizes) not in (2, 3, 4):
        return False
    if len(sizes) == 2 and min(sizes) > 1:  # PyTorch has no such format over one axis, but operators keep the order
        return strides[0] < strides[1] and image >= sizes[1] * strides[1]
    if len(sizes) == 2:  # operators add an axis of size 1
        sizes, strides = (sizes[0], 1, sizes[1]), (strides[0], sizes[1] * strides[1], strides[1])
    least = 0
    if strides[0] == 0:
        return False
    for size, stride in [(sizes[0], strides[0]), *reversed(list(zip(sizes[1:], strides[1:], strict=True)))]:
        if stride < least:
            return False
        least = stride * max(size, 1)
    return not (image < least or least == strides[0])


def packed(sizes: Numbers, rows: Sequence[Numbers]) -> Numbers:
    """The strides of the new result of an operator that computes each value alone; ``rows``: strides of its inputs.

    The result keeps the order of the axes. PyTorch's TensorIterator sorts the axes, the innermost first. To compare two
    axes, it takes the first input that has a stride along both axes.
    """
    if len(rows) == 1 and _is_dense(sizes, rows[0]):
        return rows[0]
    strides, done = [0] * len(sizes), 1
    for axis in innermost_first(sizes, rows):
        strides[axis], done = done, done * sizes[axis]
    return tuple(strides)


def _is_dense(sizes: Numbers, strides: Numbers) -> bool:
    long = sorted((stride, size) for size, stride in zip(sizes, strides, strict=True) if size > 1)
    return merges((size for _, size in reversed(long)), (stride for stride, _ in reversed(long))) and (
        not long or long[0][0] == 1
    )


def innermost_first(sizes: Numbers, rows: Sequence[Numbers]) -> list[int]:
    """The axes in the order in which TensorIterator lays out a new result."""
    axes = list(reversed(range(len(sizes))))
    for end in range(1, len(axes)):
        here = end
        for before in reversed(range(end)):
            outer = _outer(axes[before], axes[here], rows, sizes)
            if outer is False:
                break
            if outer:
                axes[before], axes[here] = axes[here], axes[before]
                here = before
    return axes


def _outer(a: int, b: int, rows: Sequence[Numbers], sizes: Numbers) -> bool | None:
    """Whether axis a lies outside axis b in memory; None if the strides of no input decide."""
    for strides in rows:
        if strides[a] and strides[b] and strides[a] != strides[b]:
            return strides[a] > strides[b]
        if strides[a] and strides[b] and sizes[a] > sizes[b]:
            return True
    return None


def moved(arrangement: Arrangement, strides: Numbers, backward: bool = False) -> Numbers | None:
    """The strides of a view of a single image after a movement; None if PyTorch has to copy the values first.

    strides:  the strides before the movement. The first is that of the batch, in the result too.
    backward: whether the movement is the backward pass of another one, and so splits and merges the first axis first

    PyTorch splits axes, puts the parts into another order and merges them. Each step views the whole tensor in a new
    shape, which gives new strides to all axes of size 1.

    >>> from archcalc.layers.arrangement import read_pattern
    >>> from archcalc.sizes import Shape
    >>> moved(read_pattern("c h w -> h (w c)").arranged(Shape(2, (3, 4))), (24, 1, 8, 2))
    (24, 8, 1)
    """
    sizes = [1, *(product(part.size for part in group) for group in arrangement.before)]
    found = strides
    for at, group in _places(arrangement.before, backward, split=False):
        if len(group) > 1:
            new = [*sizes[:at], *(part.size for part in group), *sizes[at + 1 :]]
            split = viewed(sizes, found, new)
            assert split is not None  # an axis that is split is always a view
            sizes, found = new, split
        elif not group:  # squeeze
            sizes, found = [*sizes[:at], *sizes[at + 1 :]], (*found[:at], *found[at + 1 :])
    parts = {part.name: at for at, part in enumerate((p for group in arrangement.before for p in group), 1)}
    order = [0, *(parts[part.name] for group in arrangement.after for part in group)]
    sizes, found = [sizes[at] for at in order], tuple(found[at] for at in order)
    for at, group in _places(arrangement.after, backward, split=True):
        if len(group) > 1:
            new = [*sizes[:at], product(part.size for part in group), *sizes[at + len(group) :]]
            merged = viewed(sizes, found, new)
            if merged is None:
                return None
            sizes, found = new, merged
        elif not group:  # unsqueeze: the stride of the axis behind, times its size
            stride = sizes[at] * found[at] if at < len(sizes) else 1
            sizes, found = [*sizes[:at], 1, *sizes[at:]], (*found[:at], stride, *found[at:])
    return found


def _places(groups: Sequence[Group], backward: bool, split: bool) -> Iterator[tuple[int, Group]]:
    """The groups in the order in which PyTorch splits or merges them, each with the number of its first axis then.

    split: whether the groups that follow are split, and not the groups before
    """
    for at in range(len(groups)) if backward else reversed(range(len(groups))):
        before = groups[:at]
        one_by_one = split != backward  # whether the groups before are single axes by now
        yield 1 + (sum(map(len, before)) if one_by_one else at), groups[at]


def viewed(sizes: Sequence[int], strides: Numbers, new: Sequence[int]) -> Numbers | None:
    """The strides of a view of a tensor in a new shape, or None if there is none: ATen's computeStride.

    >>> viewed((2, 1, 3), (3, 7, 1), (6, 1)), viewed((2, 3), (1, 2), (6,))
    ((1, 1), None)
    """
    found, at = [0] * len(new), len(new) - 1
    base, there, here = strides[-1], 1, 1
    for axis in reversed(range(len(sizes))):
        there *= sizes[axis]
        if axis and (sizes[axis - 1] == 1 or strides[axis - 1] == there * base):
            continue  # the axis before lies right outside
        while at >= 0 and (here < there or new[at] == 1):
            found[at] = here * base
            here *= new[at]
            at -= 1
        if here != there:
            return None
        if axis:
            base, there, here = strides[axis - 1], 1, 1
    return tuple(found)
