"""What PyTorch does with a sum of maps of different sizes."""

from __future__ import annotations

from collections.abc import Sequence

from archcalc.layers.axes import sizes_of
from archcalc.layers.join import overlap
from archcalc.pytorch.runner import Runner, dense, into
from archcalc.pytorch.tape import NOTHING_SAVED, PASSES, SCRATCH, VIEW, BackwardRule, Made, Result, TapeTensor
from archcalc.sizes import Shape, product


def unequal_sum(tape: Runner, xs: Sequence[TapeTensor], shapes: Sequence[Shape]) -> TapeTensor:
    """A copy of the first map, to a part of which each other map is added in place, or a part of the other map."""
    first, *others = xs
    y = first if tape.overwrite else tape.run("clone", [first], first.count, rule=PASSES)
    for x, shape in zip(others, shapes[1:], strict=True):
        if shape == shapes[0]:
            y = tape.run("add_", [y, x], y.count, Result(over=y), NOTHING_SAVED, PASSES)
            continue
        part = _part(tape, x, shape, shapes[0])
        y = tape.run("add_", [y, part], y.count, Result(over=y), NOTHING_SAVED, _written(y, part))
    for one in xs:
        one.storage.until(tape.now)
    return y


def _part(tape: Runner, x: TapeTensor, shape: Shape, first: Shape) -> TapeTensor:
    """The channels and positions of x that are added; a slice for every axis of which a part is left out."""
    kept, _, step = overlap(first, shape)
    sizes, strides = list(sizes_of(shape)), list(dense(x, shape))
    for at, size in enumerate(sizes_of(kept)):
        if size != sizes[at]:
            sizes[at] = size
            strides[at] *= step if at else 1
            view = tape.run("slice", [x], product(sizes), VIEW, rule=tape.rule(x, "first"))
            x = tape.laid(view, Shape(sizes[0], tuple(sizes[1:])), tuple(strides))
    if not x.derived:
        return x
    return tape.run("view", [x], x.count, VIEW, rule=BackwardRule(passes_gradient_on=True, gradient_order="first"))


def _written(y: TapeTensor, x: TapeTensor) -> BackwardRule:
    """Backward of a sum in place into a part of y.

    Autograd copies the gradient in the order of y, and then the part of the gradient, contiguous (``CopySlices``).
    """
    whole, part = y.count * y.itemsize, x.count * y.itemsize
    steps = [[Made(0 if y.derived else SCRATCH, whole, 0, 1)]]
    steps += into(1, x, y.itemsize, x.count, 2) if x.derived else [[Made(SCRATCH, part, 0, 1)]]
    return BackwardRule(steps, gradient_order=y.order)
