"""What PyTorch does with layers that compute almost nothing: they rearrange, pass on, resize or drop values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from archcalc.layers import Layer
from archcalc.layers.arrangement import Arrangement, Part
from archcalc.layers.axes import axis_names
from archcalc.layers.reduce import Reduce
from archcalc.layers.reshape import Expand
from archcalc.pytorch.code import ITSELF, InlineCode, ModuleCode, TorchCode, ends
from archcalc.pytorch.layout import moved
from archcalc.pytorch.record import Record
from archcalc.pytorch.runner import FLOAT, Runner, dense, formatted
from archcalc.pytorch.tape import ORDERED, VIEW, BackwardRule, Result, Saves, TapeTensor
from archcalc.sizes import Shape


class MovingRecord(Record):
    """A layer whose backward pass reads neither the layer's input nor its output."""

    saves_input, saves_output = False, False
    in_place = False
    keeps_format = False

    def stand_in(self, layer: Any, out: Shape) -> Sequence[Layer]:
        """No layers: a unit reads only its own position (all channels)."""
        return []


class IdentityRecord(MovingRecord, type="identity"):
    def code(self, layer: Any, x: Shape, out: Shape) -> InlineCode:
        return ITSELF

    def run(self, tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        return xs[0]


class FlattenRecord(MovingRecord, type="flatten"):
    """A view of the input. If the values of an image are not contiguous in memory, PyTorch copies the values."""

    modules = ("Flatten",)

    def code(self, layer: Any, x: Shape, out: Shape) -> InlineCode:
        return InlineCode("{0}.flatten(1)")

    def run(self, tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        if not shapes[0].axes:
            return xs[0]
        return moved_by(tape, xs[0], shapes[0], tape.ask(flattening, layer, shapes[0]))

    def stand_in(self, layer: Any, out: Shape) -> Sequence[Layer]:
        return [Reduce(by="mean", axis="positions")]


def flattening(layer: Any, x: Shape) -> Arrangement:
    """Flattening as a movement, as a ``question`` for ``Runner.ask``."""
    before = tuple((Part(str(at), size),) for at, size in enumerate((x.channels, *x.axes)))
    return Arrangement(before, (tuple(part for group in before for part in group),))


def moved_by(tape: Runner, x: TapeTensor, shape: Shape, arrangement: Arrangement) -> TapeTensor:
    """The view of x that a movement makes. If no view can show the new order, PyTorch copies the values."""
    out = arrangement.shape
    strides = moved(arrangement, (x.image, *dense(x, shape)))
    rule = BackwardRule(passes_gradient_on=True, moves=arrangement)
    if strides is None:
        return tape.run("clone", [x], out.values, ORDERED["first"], rule=rule)
    y = tape.run("view", [x], out.values, VIEW, rule=rule)
    if strides[0] != x.image and tape.batch.alone(x.times):
        y.apart = strides[0]
    return tape.laid(y, out, strides[1:])


class DroppingRecord(MovingRecord):
    """A layer that drops values in training. At inference, and if it drops nothing, it returns its input."""

    drop: Callable[[Runner, Any, TapeTensor, Shape], TapeTensor]
    """Runs the layer in training: its input, and the shape of its output, which it returns."""

    def returns_view(self, layer: Any, out: Shape) -> bool:
        return True

    def run(self, tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        (x,) = xs
        return self.drop(tape, layer, x, out) if tape.training and layer.p else x


class DropoutRecord(DroppingRecord, type="dropout"):
    modules = ("Dropout",)

    def code(self, layer: Any, x: Shape, out: Shape) -> ModuleCode:
        return ModuleCode("nn.Dropout", {"p": layer.p}, 1)

    def keeps(self, layer: Any) -> bool:
        """With p = 1, PyTorch multiplies by a single zero. A mask has the sizes of the map."""
        return bool(layer.p == 1)

    def drop(self, tape: Runner, layer: Any, x: TapeTensor, out: Shape) -> TapeTensor:
        tape.moment("bernoulli_")
        mask = tape.make("saved", *((x.per_image, 0) if layer.p < 1 else (0, x.itemsize)), "mask")
        dropped = tape.run("mul", [x], out.values, saves=Saves(tensors=[(mask, "its mask")]), rule=tape.rule(x))
        mask.until(tape.now)
        return dropped


class DropPathRecord(DroppingRecord, type="drop_path"):
    modules = ("StochasticDepth",)
    keeps_format = True

    def code(self, layer: Any, x: Shape, out: Shape) -> ModuleCode:
        return ModuleCode("DropPath", {"p": layer.p}, 1)

    def drop(self, tape: Runner, layer: Any, x: TapeTensor, out: Shape) -> TapeTensor:
        random = tape.scratch("rand", FLOAT, 0, "random numbers")
        kept = tape.scratch("ge", 1, 0, "which to keep")
        random.until(tape.now)
        kept.until(tape.moment("_to_copy"))
        mask = tape.make("saved", x.itemsize * x.times, 0, "mask")
        saves = Saves(tensors=[(mask, "its mask")])
        masked = tape.run("mul", [x], out.values, Result(role="scratch", label="masked"), saves, tape.rule(x))
        mask.until(tape.now)
        result = tape.run("div", [masked], out.values, rule=tape.rule(masked))
        kept.until(tape.now)
        return result


def format_rule(x: Shape) -> str:
    """The memory order of an input's gradient that an operator makes in the memory format of the output's gradient."""
    return "first" if len(x.axes) == 1 else "format"


def copied(
    tape: Runner, operator: str, x: TapeTensor, shape: Shape, out: Shape, gradient_order: str | None = None
) -> TapeTensor:
    """A new map in the memory format of the input. The operator saves nothing.

    gradient_order: order of the input's gradient; '': that of the output's gradient, of which it is a part; None: the
    memory format of the output's gradient
    """
    rule = tape.rule(x, format_rule(shape) if gradient_order is None else gradient_order)
    if gradient_order == "":
        rule = rule._replace(parts=((shape.channels, *shape.axes),))
    return tape.run(operator, [x], out.values, ORDERED[formatted(x, shape)], rule=rule)


class SliceRecord(MovingRecord, type="slice"):
    def code(self, layer: Any, x: Shape, out: Shape) -> InlineCode:
        if out == x:
            return ITSELF
        at, n, stop = layer.along(x)
        given = {"start": layer.start or None, "stop": None if stop == n else stop, "step": layer.step}
        if layer.step == 1:
            del given["step"]
        cut = ":".join("" if value is None else f"{{{name}}}" for name, value in given.items())
        arguments = {name: value for name, value in given.items() if value is not None}
        return InlineCode(f"{{0}}[:, {':, ' * at}{cut}]", arguments)

    def run(self, tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        (x,), (shape,) = xs, shapes
        if out.values == x.count:
            return x
        strides = list(dense(x, shape))
        strides[layer.along(shape)[0]] *= layer.step
        return tape.laid(tape.run("slice", xs, out.values, VIEW, rule=tape.rule(x, "first")), out, tuple(strides))

    def stand_in(self, layer: Any, out: Shape) -> Sequence[Layer]:
        return [] if layer.axis == "channels" or not out.axes else [layer]


class ExpandRecord(MovingRecord, type="expand"):
    """A view with stride 0 along the axes that repeat a position. Its gradient is summed."""

    def code(self, layer: Any, x: Shape, out: Shape) -> InlineCode:
        if out == x:
            return ITSELF
        names = axis_names(out)
        sizes = {f"size_{name}": m for name, n, m in zip(names, x.axes, out.axes, strict=True) if n != m}
        given = ", ".join(f"{{size_{name}}}" if f"size_{name}" in sizes else "-1" for name in names)
        return InlineCode(f"{{0}}.expand(-1, -1, {given})", sizes)

    def run(self, tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        (x,), (shape,) = xs, shapes
        if out == shape:
            return x
        channels, *inner = dense(x, shape)
        strides = [0 if n != m else stride for n, m, stride in zip(shape.axes, out.axes, inner, strict=True)]
        wide = tape.run("expand", xs, out.values, VIEW, rule=tape.rule(x, "first"))
        return tape.laid(wide, out, (channels, *strides))

    def stand_in(self, layer: Any, out: Shape) -> Sequence[Layer]:
        return [Expand(size=out.axes)]


class CropRecord(MovingRecord, type="crop"):
    """One slice for each axis that becomes shorter. Each slice has a gradient of the size of its input."""

    def code(self, layer: Any, x: Shape, out: Shape) -> InlineCode:
        if out == x:
            return ITSELF
        cuts: list[str] = []
        arguments: dict[str, Any] = {}
        sides = zip(ends(x), x.axes, layer.sides(x), strict=True)
        for (first, last), n, (before, after) in sides:
            low, high = f"{{{first}}}" if before else "", f"{{{last}}}" if after else ""
            cuts.append(f"{low}:{high}")
            arguments |= {first: before} if before else {}
            arguments |= {last: n - after} if after else {}
        return InlineCode(f"{{0}}[:, :, {', '.join(cuts)}]", arguments)

    def run(self, tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        (x,), (shape,) = xs, shapes
        strides, axes = dense(x, shape), list(shape.axes)
        for at, size in enumerate(out.axes):
            if size < axes[at]:
                axes[at] = size
                part = Shape(shape.channels, tuple(axes))
                x = tape.laid(tape.run("slice", [x], part.values, VIEW, rule=tape.rule(x, "first")), part, strides)
        return x

    def stand_in(self, layer: Any, out: Shape) -> Sequence[Layer]:
        return [layer]


class PadChannelsRecord(MovingRecord, type="pad_channels"):
    keeps_format = True

    def code(self, layer: Any, x: Shape, out: Shape) -> TorchCode:
        if out == x:
            return ITSELF
        widths = {"before": layer.before, "after": layer.after}
        return InlineCode("F.pad({0}, (" + "0, 0, " * len(x.axes) + "{before}, {after}))", widths)

    def run(self, tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        return xs[0] if out == shapes[0] else copied(tape, "constant_pad_nd", xs[0], shapes[0], out, "")
