"""Layers over more than three axes. PyTorch has none, so the axes before the last three are put into the batch.

That is the same layer if its window has one cell and takes every position along these axes. Examples are the heads of
attention, or windows: each of them meets the same weights.
"""

from __future__ import annotations

from typing import Any

from archcalc.errors import LayerError
from archcalc.layers.arrangement import Arrangement, Part
from archcalc.layers.axes import sizes_of
from archcalc.layers.base import per_axis
from archcalc.pytorch.code import ModuleCode
from archcalc.pytorch.layout import contiguous, moved
from archcalc.pytorch.runner import Runner
from archcalc.pytorch.tape import VIEW, BackwardRule, Result, TapeTensor
from archcalc.sizes import Shape

MOST = 3
"""The most axes of a layer in PyTorch."""
WINDOW = ("kernel", "stride", "pad", "dilation")
"""The settings of a window."""


def leading(x: Shape) -> int:
    """How many axes of x are put into the batch."""
    return max(0, len(x.axes) - MOST)


def last_axes(layer: Any, x: Shape, out: Shape) -> tuple[Any, Shape, Shape]:
    """A layer, its input and its output without the axes that are put into the batch.

    LayerError if the window has more than one cell along one of these axes, or leaves positions out.
    """
    count = leading(x)
    slides = layer.slides(x)[:count]
    if any((span, stride, before, after) != (1, 1, 0, 0) for _, span, stride, before, after in slides):
        raise LayerError(
            f"PyTorch has no {layer.type} over {len(x.axes)} axes. It can put the first "
            f"{'axis' if count == 1 else f'{count} axes'} into the batch, but there the kernel and the stride must be 1, "
            f"and the padding 0"
        )
    window = {name: getattr(layer, name) for name in WINDOW}
    window = {name: each if isinstance(each, str) else per_axis(each, x, name)[count:] for name, each in window.items()}
    inner = type(layer)(**{**layer.chosen, **window})
    return inner, Shape(x.channels, x.axes[count:]), Shape(out.channels, out.axes[count:])


def over_last_axes(layer: ModuleCode) -> ModuleCode:
    """The code of a layer whose first axes are put into the batch."""
    return ModuleCode("OverLastAxes", {"layer": layer}, 1)


def folded(tape: Runner, x: TapeTensor, shape: Shape) -> TapeTensor:
    """x with the first axes in the batch, in order: a copy, unless the values already lie in this order.

    The new batch lies on the axis of the channels of the result, and the channels lie on its first axis.
    """
    arrangement = folding(shape, leading(shape))
    rule = BackwardRule(passes_gradient_on=True, moves=arrangement)
    if tape.contiguous(x, shape, arrangement):
        return tape.run("view", [x], x.count, Result(view=True, order="first"), rule=rule)
    result = Result(order="first", role="scratch", label="input in order")
    return tape.run("clone", [x], x.count, result, rule=rule)


def unfolded(tape: Runner, y: TapeTensor, out: Shape, count: int = 0) -> TapeTensor:
    """The map of shape ``out`` that a layer made with the first axes in the batch, or the first ``count``; a view."""
    arrangement = folding(out, count or leading(out))
    sizes = sizes_of(arrangement.shape)
    rule = BackwardRule(passes_gradient_on=True, needs_order="channels", sizes=sizes)
    y = tape.run("view", [y], y.count, VIEW, rule=rule)
    back = Arrangement(arrangement.after, arrangement.before)
    strides = moved(back, contiguous((1, *sizes)))
    assert strides is not None  # an axis that is split is always a view
    y = tape.run("view", [y], y.count, VIEW, rule=BackwardRule(passes_gradient_on=True, moves=back))
    return tape.laid(y, out, strides[1:])


def folding(x: Shape, count: int, *, channels_last: bool = False) -> Arrangement:
    """The movement of the first ``count`` axes before the channels, as one axis."""
    channels, *axes = ((Part(str(at), n),) for at, n in enumerate((x.channels, *x.axes)))
    first = (tuple(part for group in axes[:count] for part in group),) if count else ()
    last = (*axes[count:], channels) if channels_last else (channels, *axes[count:])
    return Arrangement((channels, *axes), (*first, *last))
