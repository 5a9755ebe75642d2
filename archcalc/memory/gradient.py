"""Gradients of tensors in the backward pass, and their memory order."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from archcalc.layers.arrangement import Arrangement
from archcalc.layers.axes import sizes_of
from archcalc.pytorch.layout import Batch, Numbers, agree, contiguous, merges, moved, packed
from archcalc.pytorch.runner import strides_in
from archcalc.pytorch.tape import Operation, Storage, TapeTensor
from archcalc.sizes import product

ROWS: Mapping[str, Callable[[Numbers], Numbers]] = {
    "last": lambda sizes: sizes[1:],
    "windows": lambda sizes: sizes[1:-1],
    "channels": lambda sizes: sizes[:1],
    "first": lambda sizes: sizes[:-1],
    "matrices": lambda sizes: sizes[:-2],
    "heads": lambda sizes: (*sizes[1:-1], sizes[0]),
}
"""The channels and axes that must be one with the batch, by the order that an operator needs."""


class Gradient:
    """The gradient of a tensor while contributions to it are added.

    storage: the memory of the gradient
    whole:   False if the gradient is a part of a larger gradient
    order, sizes, strides: as in TapeTensor
    """

    __slots__ = ("order", "sizes", "storage", "strides", "whole")

    def __init__(self, storage: Storage, whole: bool, order: str, sizes: Numbers = (), strides: Numbers = ()) -> None:
        self.storage, self.whole, self.order, self.sizes, self.strides = storage, whole, order, sizes, strides


def moved_back(batch: Batch, moves: Arrangement, operation: Operation, gradient: Gradient) -> Gradient | None:
    """The gradient of a movement's output, moved back: a view; None if no view can show the order."""
    image = image_of(gradient, operation)
    strides = gradient.strides or strides_in(gradient.order, sizes_of(moves.shape))
    back = Arrangement(moves.after, moves.before)
    strides = strides[: len(back.before)]  # a vector beside a map has the gradient of a map of size 1
    there = moved(back, (image, *strides), backward=True)
    if there is None:
        return None
    sizes = sizes_of(back.shape)
    order, strides = batch.order_of(sizes, there[1:], image, operation.output.times)
    return Gradient(gradient.storage, gradient.whole, order, sizes if strides else (), strides)


def image_of(gradient: Gradient, operation: Operation) -> int:
    """The values from one image or region to the next in the gradient of an operator's output."""
    return gradient.storage.per_image // operation.output.itemsize // operation.output.times


def lies(batch: Batch, gradient: Gradient, operation: Operation) -> bool:
    """Whether the gradient of an operator's output lies in the memory order that the operator needs."""
    needs, sizes = operation.rule.needs_order, gradient.sizes or operation.rule.sizes
    strides = gradient.strides or strides_in(gradient.order, sizes)
    if needs in ("image", "values"):
        return merges((*sizes[1:], sizes[0]), (*strides[1:], strides[0]))
    if needs == "positions":
        return merges(sizes[1:], strides[1:])
    if gradient.order == "heads":
        return False
    rows = ROWS[needs]
    return batch.merges(rows(sizes), rows(strides), image_of(gradient, operation), operation.output.times)


def lies_as_weight(gradient: Gradient, operation: Operation) -> bool:
    """Whether the gradient of a repeated weight lies as the weight does, with the channels last."""
    sizes = operation.rule.sizes
    strides = gradient.strides or strides_in(gradient.order, sizes)
    return agree((*sizes[1:], sizes[0]), (*strides[1:], strides[0]), contiguous((*sizes[1:], sizes[0])))


def made_by(batch: Batch, storage: Storage, operation: Operation, gradient: Gradient, value: TapeTensor) -> Gradient:
    """The gradient of an input that an operator makes from the gradient of its output."""
    order = operation.rule.gradient_order or gradient.order
    if order == "repeated":
        return _laid_as(batch, storage, operation, gradient, value)
    if order == "format":
        return Gradient(storage, True, "first" if gradient.order == "moved" else gradient.order)
    if order != "moved":
        return Gradient(storage, True, order)
    source: Gradient | TapeTensor = value if operation.rule.gradient_order else gradient
    sizes = source.sizes
    if product(sizes) != value.count:
        if not operation.rule.parts:
            return Gradient(storage, True, "first")
        sizes = operation.rule.parts[0]  # a part of the gradient
    return Gradient(storage, True, "moved", sizes, packed(sizes, [source.strides]))


def passed_by(batch: Batch, operation: Operation, gradient: Gradient, i: int) -> Gradient:
    """The gradient of input i, which is the gradient of the output or a part of it."""
    order, parts = operation.rule.gradient_order or gradient.order, operation.rule.parts
    if order == "repeated":
        return Gradient(gradient.storage, False, "moved", parts[0], _repeated(operation, gradient))
    if not parts:
        whole = gradient.whole and operation.operator != "cat"
        return Gradient(gradient.storage, whole, order, gradient.sizes, gradient.strides)
    image = image_of(gradient, operation)
    strides = gradient.strides or strides_in(gradient.order, parts[-1])
    order, strides = batch.order_of(parts[i], strides, image, operation.output.times)
    return Gradient(gradient.storage, False, order, parts[i] if strides else (), strides)


def summed(batch: Batch, storage: Storage, value: TapeTensor, old: Gradient, new: Gradient) -> Gradient:
    """The sum of two gradients of a tensor. Where the old one is repeated along an axis, the new one places the axis."""
    if old.order == "unit":  # contiguous, so that the result is made as such
        return Gradient(storage, True, "first")
    if old.order != "moved":
        return Gradient(storage, True, old.order)
    sizes = old.sizes
    strides = packed(sizes, [old.strides, new.strides or strides_in(new.order, sizes)])
    order, strides = batch.order_of(sizes, strides, product(sizes), value.times)
    return Gradient(storage, True, order, sizes if strides else (), strides)


def _repeated(operation: Operation, gradient: Gradient) -> Numbers:
    """The strides of the gradient of a reduction's output, repeated to the shape of the input."""
    sizes, small = operation.rule.parts
    strides = gradient.strides or strides_in(gradient.order, small)
    return tuple(0 if n != m else stride for n, m, stride in zip(sizes, small, strides, strict=True))


def _laid_as(batch: Batch, storage: Storage, operation: Operation, gradient: Gradient, value: TapeTensor) -> Gradient:
    """A new gradient that a reduction makes of the repeated gradient: divided, or times a mask of the maxima."""
    sizes, small = operation.rule.parts
    rows = [_repeated(operation, gradient)]
    if len(operation.rule.steps) > 1:
        maxima = tuple(0 if n != m else stride for n, m, stride in zip(sizes, small, contiguous(small), strict=True))
        rows.append(packed(sizes, [maxima, value.strides or strides_in(value.order, sizes)]))
    order, strides = batch.order_of(sizes, packed(sizes, rows), product(sizes), value.times)
    return Gradient(storage, True, order, sizes if strides else (), strides)
