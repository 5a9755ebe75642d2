"""Where the values of a map lie in memory: strides, and how views, operators and copies change them.

Sizes and strides are those of the channels and of every axis, in values. The batch is the outermost axis, and its
stride is called ``image``.

One rule decides what lies together, as in PyTorch: the stride of an axis of size 1 does not matter. So all that follows
from it may differ for a batch of one image (``Batch``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from archcalc.layers.arrangement import Arrangement
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
                return ("unit" if len(sizes) > 2 else "first"), ()
            return "last", () if strides == channels_last(sizes) and image == product(sizes) else strides
        if plain:
            return "first", ()
        long = [stride for size, stride in zip(sizes, strides, strict=True) if size > 1]
        return "first" if all(outer >= inner for outer, inner in pairwise(long)) else "moved", strides


def agree(sizes: Numbers, a: Numbers, b: Numbers) -> bool:
    return all(size == 1 or mine == other for size, mine, other in zip(sizes, a, b, strict=True))


def _is_last(sizes: Numbers, strides: Numbers, image: int) -> bool:
    """Whether PyTorch takes the strides for channels-last: c10::is_channels_last_strides_2d and _3d."""
    if len(sizes) not in (2, 3, 4):
        return False
    if len(sizes) == 2:  # PyTorch has no such format over one axis, but operators keep the order
        return min(sizes) > 1 and strides[0] < strides[1] and image >= sizes[1] * strides[1]
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


def moved(arrangement: Arrangement, strides: Numbers) -> Numbers | None:
    """The strides of a view of the values after a movement; None if PyTorch has to copy the values first.

    >>> from archcalc.layers.arrangement import read_pattern
    >>> from archcalc.sizes import Shape
    >>> moved(read_pattern("c h w -> h (w c)").arranged(Shape(2, (3, 4))), (1, 8, 2))
    (8, 1)
    """
    parts: dict[str, int] = {}
    for group, stride in zip(arrangement.before, strides, strict=True):
        for part in reversed(group):
            parts[part.name] = stride
            stride *= part.size
    after: list[int] = []
    for group in reversed(arrangement.after):
        if not merges((part.size for part in group), (parts[part.name] for part in group)):
            return None
        inner = next((part for part in reversed(group) if part.size > 1), None) or (group[-1] if group else None)
        if inner is not None:
            after.append(parts[inner.name])
        else:  # unsqueeze: the stride of the axis behind, times its size
            behind = (
                product(part.size for part in arrangement.after[len(arrangement.after) - len(after)]) if after else 1
            )
            after.append(behind * after[-1] if after else 1)
    return tuple(reversed(after))


def batch_stride(arrangement: Arrangement, image: int, before: Numbers, after: Numbers) -> int:
    """The stride of the batch of a single image that was moved. ``image``, ``before``, ``after``: strides.

    If PyTorch views values in a new shape, an axis of size 1 gets the stride of the axes behind it.
    """
    for groups, strides in ((arrangement.after, after), (arrangement.before, before)):
        if any(len(group) > 1 for group in groups):
            sizes = [product(part.size for part in group) for group in groups]
            return next((n * stride for n, stride in zip(sizes, strides, strict=True) if n > 1), image)
    return image
