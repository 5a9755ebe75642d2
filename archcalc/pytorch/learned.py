"""What PyTorch does with learned additions. Their parameters lie channels-last, as tokens do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archcalc.layers import Layer
from archcalc.layers.axes import axis_number, sizes_of
from archcalc.layers.border import Pad
from archcalc.layers.learned import Parameter
from archcalc.pytorch.code import ModuleCode
from archcalc.pytorch.norm import mixed
from archcalc.pytorch.record import Record
from archcalc.pytorch.runner import Runner, last, layer_params
from archcalc.pytorch.tape import ORDERED, SCRATCH, WEIGHT, BackwardRule, Made, Operation, Result, TapeTensor
from archcalc.sizes import Shape, product


class PositionRecord(Record, type="position"):
    """A sum with a parameter. The backward pass casts the gradient of the map, and sums the gradient over the images."""

    saves_input, saves_output = False, False
    in_place = False
    keeps_format = True

    def code(self, layer: Any, x: Shape, out: Shape) -> ModuleCode:
        return ModuleCode("Position", {"sizes": (*layer.sizes(x), x.channels)}, 1)

    def returns_view(self, layer: Any, out: Shape) -> bool:
        return True

    def run(self, tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        (x,), (shape,) = xs, shapes
        size = max(x.itemsize, tape.itemsize)
        cast = tape.step(x) if x.itemsize < size else ()
        steps = [*cast, [Made(WEIGHT, 0, tape.ask(layer_params, layer, shape).weight * tape.itemsize)]]
        rule = BackwardRule(steps, weights=True, passes_gradient_on=True)
        return tape.run("add", [x], out.values, Result(itemsize=size), rule=rule)

    def stand_in(self, layer: Any, out: Shape) -> Sequence[Layer]:
        return []


class ParameterRecord(Record, type="parameter"):
    """A parameter or a buffer, repeated for every image. The gradient is a sum over the images."""

    saves_input, saves_output = False, False
    in_place = False
    keeps_format = False

    def code(self, layer: Any, x: Shape, out: Shape) -> ModuleCode:
        return ModuleCode("Repeated", {"sizes": layer.size, "fixed": layer.fixed}, 1, {"fixed": False})

    def run(self, tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        trained = tape.trains and not layer.fixed
        tape.moment("repeat")
        storage = tape.make("map", out.values * tape.itemsize * tape.times, 0)
        made = TapeTensor(storage, out.values, tape.itemsize, "first", trained, tape.times)
        if trained:
            rule = BackwardRule([tape.gradients(out.values)])
            tape.operations.append(Operation(tape.node, "repeat", [], made, [], rule, tape.parameter))
            tape.parameter += 1
        return made

    def stand_in(self, layer: Any, out: Shape) -> Sequence[Layer]:
        return [Parameter(size=(1, *out.axes))]


class IndexSelectRecord(Record, type="index_select"):
    """New storage. The gradient is a sum for every position of the input, made beside zeros of its size."""

    saves_input, saves_output = False, False
    in_place = False
    keeps_format = False

    def code(self, layer: Any, x: Shape, out: Shape) -> ModuleCode:
        axis = axis_number(layer.axis, x, layer.type)
        given = {"positions": sizes_of(x)[axis], "count": layer.count, "axis": -1 if axis == len(x.axes) else axis + 1}
        return ModuleCode("IndexSelect", given, 2, {"axis": -1})

    def run(self, tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        size = xs[0].count * xs[0].itemsize
        rule = BackwardRule([[Made(SCRATCH, size, 0, 1)], [Made(0, size, 0)]], gradient_order="first")
        return tape.run("index_select", xs, out.values, ORDERED["first"], rule=rule)

    def stand_in(self, layer: Any, out: Shape) -> Sequence[Layer]:
        return mixed(out, axis_number(layer.axis, out, layer.type))


class ClassTokenRecord(Record, type="class_token"):
    """A concatenation with a parameter, which is a view repeated for every image."""

    modules = ("PositionalEncoding",)  # of torchvision's MViT v2, which puts the class token before the others
    saves_input, saves_output = False, False
    in_place = False
    keeps_format = True

    def code(self, layer: Any, x: Shape, out: Shape) -> ModuleCode:
        sizes = (*(1 for _ in x.axes[:-1]), layer.tokens, x.channels)
        return ModuleCode("ClassToken", {"sizes": sizes}, 1)

    def returns_view(self, layer: Any, out: Shape) -> bool:
        return True

    def run(self, tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        (x,), (shape,) = xs, shapes
        count = shape.channels * layer.tokens
        tape.moment("expand")
        values = out.values - shape.values
        token = TapeTensor(tape.make("scratch", 0), values, tape.itemsize, derived=tape.trains)
        if tape.trains:
            one = product(shape.axes[:-1]) == 1 and tape.batch.alone(tape.times)  # nothing to sum
            sizes = (shape.channels, *shape.axes[:-1], layer.tokens)
            rule = BackwardRule([tape.gradients(count)], keeps=one, sizes=sizes)
            tape.operations.append(Operation(tape.node, "expand", [], token, [], rule, tape.parameter))
            tape.parameter += 1
        size = max(x.itemsize, tape.itemsize)
        if tape.amp and x.itemsize < size:
            x = tape.cast(x, size, "in single precision", "scratch")
        parts = tuple((shape.channels, *shape.axes[:-1], n) for n in (shape.axes[-1], layer.tokens, out.axes[-1]))
        rule = BackwardRule(passes_gradient_on=True, parts=parts)
        return tape.run("cat", [x, token], out.values, Result(order=last(out), itemsize=size), rule=rule)

    def stand_in(self, layer: Any, out: Shape) -> Sequence[Layer]:
        return [Pad(by=(*((0, 0) for _ in out.axes[:-1]), (layer.tokens, 0)))]
