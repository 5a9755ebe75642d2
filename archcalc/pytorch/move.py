"""What PyTorch does with movements: axes that are split, put into another order and merged again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archcalc.layers import Layer
from archcalc.layers.arrangement import Arrangement
from archcalc.layers.axes import axis_names
from archcalc.layers.base import per_axis
from archcalc.pytorch.code import ITSELF, InlineCode
from archcalc.pytorch.rearrange import MovingRecord, format_rule, moved_by
from archcalc.pytorch.runner import Runner, formatted
from archcalc.pytorch.tape import ORDERED, TapeTensor
from archcalc.sizes import Shape


class MovementRecord(MovingRecord):
    """A view of the input. If the memory of the input cannot be read in the new order, PyTorch copies the values."""

    def code(self, layer: Any, x: Shape, out: Shape) -> InlineCode:
        pattern = layer.pattern_on(x)
        return moving(pattern.arranged(x), pattern.sizes)

    def returns_view(self, layer: Any, out: Shape) -> bool:
        return True

    def run(self, tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        (x,), (shape,) = xs, shapes
        arrangement = tape.ask(arranged, layer, shape)
        if arrangement.keeps_order and out == shape:
            return x
        return moved_by(tape, x, shape, arrangement)


class RearrangeRecord(MovementRecord, type="rearrange"):
    pass


class ChannelShuffleRecord(MovementRecord, type="channel_shuffle"):
    pass


class ToTokensRecord(MovementRecord, type="to_tokens"):
    pass


class ToMapRecord(MovementRecord, type="to_map"):
    pass


class WindowsRecord(MovementRecord, type="windows"):
    pass


class FromWindowsRecord(MovementRecord, type="from_windows"):
    pass


class PixelShuffleRecord(MovementRecord, type="pixel_shuffle"):
    """One operator over two axes with one factor; a movement like others over other axes."""

    operator, setting = "pixel_shuffle", "factor"
    modules = ("PixelShuffle",)

    def together(self, layer: Any, x: Shape) -> Any:
        """The one factor of PyTorch's operator; None if PyTorch has no operator for the layer."""
        sizes = set(per_axis(getattr(layer, self.setting), x, self.setting))
        return sizes.pop() if len(x.axes) == 2 and len(sizes) == 1 else None

    def code(self, layer: Any, x: Shape, out: Shape) -> InlineCode:
        size = self.together(layer, x)
        if size is None or out == x:
            return super().code(layer, x, out)
        return InlineCode(f"F.{self.operator}({{0}}, {{{self.setting}}})", {self.setting: size})

    def run(self, tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        (x,), (shape,) = xs, shapes
        if out == shape or tape.ask(self.together, layer, shape) is None:
            return super().run(tape, layer, xs, shapes, out)
        return tape.run(
            self.operator, xs, out.values, ORDERED[formatted(x, shape)], rule=tape.rule(x, format_rule(shape))
        )


class SpaceToDepthRecord(PixelShuffleRecord, type="space_to_depth"):
    operator, setting = "pixel_unshuffle", "block"
    modules = ("PixelUnshuffle",)


class RollRecord(MovingRecord, type="roll"):
    """New storage, in the memory format of the input."""

    keeps_format = True

    def code(self, layer: Any, x: Shape, out: Shape) -> InlineCode:
        names = axis_names(x)
        by = per_axis(layer.by, x, "by")
        far = {at: shift for at, (shift, real) in enumerate(zip(by, layer.shifts(x), strict=True)) if real}
        if not far:
            return ITSELF
        sizes = {f"by_{names[at]}": shift for at, shift in far.items()}
        shifts, axes = ", ".join(f"{{{name}}}" for name in sizes), ", ".join(str(at + 2) for at in far)
        text = f"{shifts}, {axes}" if len(far) == 1 else f"({shifts}), ({axes})"
        return InlineCode(f"{{0}}.roll({text})", sizes)

    def run(self, tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        (x,), (shape,) = xs, shapes
        if not any(layer.shifts(shape)):
            return x
        rule = tape.rule(x, format_rule(shape))
        return tape.run("roll", xs, out.values, ORDERED[formatted(x, shape)], rule=rule)

    def stand_in(self, layer: Any, out: Shape) -> Sequence[Layer]:
        return [layer]


def arranged(layer: Any, x: Shape) -> Arrangement:
    """The arrangement of a movement, as a ``question`` for ``Runner.ask``."""
    arrangement: Arrangement = layer.arrangement(x)
    return arrangement


def moving(arrangement: Arrangement, stated: Any) -> InlineCode:
    """Code that splits axes, puts the parts into another order and merges them; ``stated``: parts of a given size.

    The last axis comes first, so that a split or a merger does not change the numbers of the axes that follow.
    """
    before, after = arrangement
    if arrangement.keeps_order and arrangement.shape == Arrangement(after, before).shape:
        return ITSELF
    text, sizes = "{0}", dict[str, Any]()
    for at in reversed(range(len(before))):
        group = before[at]
        names = [f"{{{_argument(part.name)}}}" if part.name in stated else "-1" for part in group]
        if len(group) != 1:
            text += f".unflatten({at + 1}, ({', '.join(names)}))" if group else f".squeeze({at + 1})"
            sizes |= {_argument(part.name): part.size for part in group if part.name in stated}
    text += _in_order(
        [part.name for group in before for part in group], [part.name for group in after for part in group]
    )
    first = 1 + sum(map(len, after))
    for at, group in reversed(list(enumerate(after))):
        first -= len(group)
        end = "" if at == len(after) - 1 else f", {first + len(group) - 1}"
        if len(group) != 1:
            text += f".flatten({first}{end})" if group else f".unsqueeze({first})"
    return InlineCode(text, sizes)


def _argument(part: str) -> str:
    """The name of a part's size as an argument of the code."""
    return f"size{part.replace('#', '_')}" if part[0].isdigit() else part


def _in_order(there: list[str], wanted: list[str]) -> str:
    """Code that puts axes into another order."""
    order = [there.index(name) + 1 for name in wanted]
    apart = [at for at, axis in enumerate(order, 1) if axis != at]
    if not apart:
        return ""
    if len(apart) == 2:
        return f".transpose({apart[0]}, {apart[1]})"
    return f".permute(0, {', '.join(map(str, order))})"
