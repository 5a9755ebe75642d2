"""Sizes of tensors: broadcasting, windows, and reshapes in a file whose batch is fixed at 1."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

from archcalc.importing.errors import MissingError
from archcalc.importing.onnx.values import broadcast


def together(*shapes: Sequence[int]) -> tuple[int, ...]:
    """The sizes of several tensors together."""
    sizes = broadcast(*shapes)
    if sizes is None:
        texts = " and ".join("x".join(map(str, shape)) or "a number" for shape in shapes)
        raise MissingError(f"the sizes {texts} do not fit together")
    return sizes


class Batch(NamedTuple):
    """The number that stands for the batch in sizes, and the number of images that the file is fixed at, or 1."""

    number: int
    images: int = 1


def reshaped(
    before: Sequence[int], target: Sequence[int], batch: Batch | None, *, zeros: bool = False, inner: bool = False
) -> tuple[tuple[int, ...], bool]:
    """The sizes of a reshape, and whether the batch is the inner part of its axis, as it is before if ``inner``.

    A target may hold -1, and 0 for the size before, unless ``zeros``.
    """
    at = next((n for n, size in enumerate(before) if batch and size and size % batch.number == 0), None)
    if not batch or at is None or any(size > 0 and size % batch.number == 0 for size in target):
        return _resolved(before, target, zeros), False
    one = [size // batch.number if n == at else size for n, size in enumerate(before)]
    inside = prod(one[at + 1 :]) if inner else prod(one[at:])
    sizes = list(_resolved([size * batch.images if n == at else size for n, size in enumerate(one)], target, zeros))
    places = [
        0 if size % batch.images else _fits(sizes, n, size // batch.images, inside) for n, size in enumerate(sizes)
    ]
    best = max(places, default=0)
    if not best:
        raise MissingError("a reshape that puts the batch into the middle of an axis")
    place = places.index(best)
    sizes[place] = sizes[place] // batch.images * batch.number
    return tuple(sizes), best == 2


def _fits(sizes: Sequence[int], n: int, size: int, inside: int) -> int:
    """How well the batch fits into axis ``n``, of ``size`` for each image, if an image has ``inside`` values.

    4: it is the axis. 3: it is the outer part of an axis before the last. 2: it is the inner part of an axis. 1: it is
    the outer part of the last axis, which are features otherwise. 0: it does not fit.
    """
    behind = prod(sizes[n + 1 :])
    if not behind or inside % behind or size % (inside // behind):
        return 0
    if size == 1:
        return 4
    if inside == behind:
        return 2
    return 0 if inside // behind != size else 3 if n < len(sizes) - 1 else 1


def _resolved(before: Sequence[int], target: Sequence[int], zeros: bool) -> tuple[int, ...]:
    sizes = [before[n] if size == 0 and not zeros and n < len(before) else size for n, size in enumerate(target)]
    known = prod(size for size in sizes if size != -1)
    if sizes.count(-1) == 1 and known and prod(before) % known == 0:
        sizes[sizes.index(-1)] = prod(before) // known
    if prod(sizes) != prod(before) or min(sizes, default=0) < 0:
        raise MissingError(f"a reshape from {_text(before)} to {_text(target)}")
    return tuple(sizes)


def _text(sizes: Sequence[int]) -> str:
    return "x".join(map(str, sizes)) or "a number"


def window(size: int, kernel: int, stride: int, pads: int, dilation: int, up: bool = False) -> int:
    """The positions of a window along an axis. ``up``: rounded up, by PyTorch's rule."""
    room = size + pads - dilation * (kernel - 1) - 1
    if room < 0:
        raise MissingError(f"a window of {dilation * (kernel - 1) + 1} positions on {size + pads}")
    return room // stride + 1 if not up else -(-room // stride) + 1
