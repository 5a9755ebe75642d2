"""What PyTorch does with activations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from archcalc.layers import Layer
from archcalc.layers.axes import axis_number, sizes_of
from archcalc.pytorch.code import InlineCode, ModuleCode
from archcalc.pytorch.layout import packed
from archcalc.pytorch.norm import mixed
from archcalc.pytorch.record import Record
from archcalc.pytorch.runner import Runner, halves
from archcalc.pytorch.tape import ORDERED, SCRATCH, BackwardRule, Made, Result, Saves, TapeTensor
from archcalc.sizes import Shape


class ActivationRecord(Record):
    """An activation that PyTorch runs as one operator.

    The operator saves its input if ``saves_input`` is set, else its output. In place, the operator saves its output if
    ``saves_output`` is set, else a copy of its input.
    """

    facts: ClassVar[tuple[str, ...]] = (*Record.facts, "operator", "modules")

    operator: ClassVar[str]
    saves_in_place: ClassVar[Saves]
    keeps_format = False
    keeps_gradient_order = False
    """True: the input gradient has the memory order of the input. False: the memory order of the output gradient."""

    def __init_subclass__(cls, type: str = "", **kwargs: Any) -> None:
        super().__init_subclass__(type, **kwargs)
        if type:
            cls.saves_in_place = Saves(output=cls.saves.output)
            cls.saves = Saves(cls.saves.input) if cls.saves_input else cls.saves

    def code(self, layer: Any, x: Shape, out: Shape) -> ModuleCode:
        return ModuleCode(f"nn.{self.modules[0]}")

    def run(self, tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        (x,) = xs
        rule = tape.rule(x, x.order if self.keeps_gradient_order else "")
        if not tape.overwrite:
            return tape.run(self.operator, xs, x.count, saves=self.saves, rule=rule)
        saves = self.saves_in_place
        if not self.saves_output and tape.training and x.derived:
            saves = Saves(tensors=[(tape.copy(x, "copy of the input"), "a copy of its input")])
        return tape.run(f"{self.operator}_", xs, x.count, Result(over=x), saves, rule)

    def stand_in(self, layer: Any, out: Shape) -> Sequence[Layer]:
        """No layers: a unit reads only its own position."""
        return []


class ReluRecord(ActivationRecord, type="relu"):
    operator, modules, keeps_gradient_order = "relu", ("ReLU",), True
    saves_input, saves_output, in_place = False, True, True


class Relu6Record(ActivationRecord, type="relu6"):
    operator, modules, keeps_format = "relu6", ("ReLU6",), True
    saves_input, saves_output, in_place = True, False, True


class HardTanhRecord(ActivationRecord, type="hard_tanh"):
    operator, modules, keeps_format = "hardtanh", ("Hardtanh",), True
    saves_input, saves_output, in_place = True, False, True

    def code(self, layer: Any, x: Shape, out: Shape) -> ModuleCode:
        return ModuleCode("nn.Hardtanh", {"min_val": layer.min, "max_val": layer.max}, 0, {"min_val": -1, "max_val": 1})


class LeakyReluRecord(ActivationRecord, type="leaky_relu"):
    operator, modules, keeps_gradient_order = "leaky_relu", ("LeakyReLU",), True
    saves_input, saves_output, in_place = True, True, True

    def code(self, layer: Any, x: Shape, out: Shape) -> ModuleCode:
        return ModuleCode("nn.LeakyReLU", {"negative_slope": layer.slope}, 1)


class EluRecord(ActivationRecord, type="elu"):
    operator, modules = "elu", ("ELU",)
    saves_input, saves_output, in_place = True, True, True

    def code(self, layer: Any, x: Shape, out: Shape) -> ModuleCode:
        return ModuleCode("nn.ELU", {"alpha": layer.alpha}, 1, {"alpha": 1.0})


class SeluRecord(ActivationRecord, type="selu"):
    operator, modules = "elu", ("SELU",)
    saves_input, saves_output, in_place = True, True, True


class SoftplusRecord(ActivationRecord, type="softplus"):
    operator, modules = "softplus", ("Softplus",)
    saves_input, saves_output, in_place = True, False, False


class MishRecord(ActivationRecord, type="mish"):
    operator, modules = "mish", ("Mish",)
    saves_input, saves_output, in_place = True, False, True


class SigmoidRecord(ActivationRecord, type="sigmoid"):
    operator, modules = "sigmoid", ("Sigmoid",)
    saves_input, saves_output, in_place = False, True, True

    def code_in_place(self, layer: Any, x: Shape) -> InlineCode:
        return InlineCode("{0}.sigmoid_()")


class TanhRecord(ActivationRecord, type="tanh"):
    operator, modules = "tanh", ("Tanh",)
    saves_input, saves_output, in_place = False, True, True

    def code_in_place(self, layer: Any, x: Shape) -> InlineCode:
        return InlineCode("{0}.tanh_()")


class HardSigmoidRecord(ActivationRecord, type="hard_sigmoid"):
    operator, modules = "hardsigmoid", ("Hardsigmoid",)
    saves_input, saves_output, in_place = True, False, True


class SiluRecord(ActivationRecord, type="silu"):
    operator, modules = "silu", ("SiLU",)
    saves_input, saves_output, in_place = True, False, True


class HardSwishRecord(ActivationRecord, type="hard_swish"):
    operator, modules = "hardswish", ("Hardswish",)
    saves_input, saves_output, in_place = True, False, True


class GeluRecord(ActivationRecord, type="gelu"):
    operator, modules = "gelu", ("GELU",)
    saves_input, saves_output, in_place = True, False, False

    def code(self, layer: Any, x: Shape, out: Shape) -> ModuleCode:
        return ModuleCode("nn.GELU", {"approximate": layer.approximate or "none"}, 0, {"approximate": "none"})


class SoftmaxRecord(ActivationRecord, type="softmax"):
    """The output is contiguous (channels first), whatever the memory order of the input."""

    operator, modules = "_softmax", ("Softmax",)
    saves_input, saves_output, in_place = False, True, False

    def code(self, layer: Any, x: Shape, out: Shape) -> ModuleCode:
        return ModuleCode(f"nn.{self.modules[0]}", {"dim": 1 + axis_number(layer.axis, x, layer.type)})

    def run(self, tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        (x,) = xs
        return tape.run(self.operator, xs, x.count, ORDERED["first"], self.saves, tape.rule(x, "first"))

    def stand_in(self, layer: Any, out: Shape) -> Sequence[Layer]:
        return mixed(out, axis_number(layer.axis, out, layer.type))


class LogSoftmaxRecord(SoftmaxRecord, type="log_softmax"):
    operator, modules = "_log_softmax", ("LogSoftmax",)


class GluRecord(Record, type="glu"):
    modules = ("GLU",)
    saves_input, saves_output, in_place, keeps_format = True, False, False, True

    def code(self, layer: Any, x: Shape, out: Shape) -> ModuleCode:
        return ModuleCode("nn.GLU", {"dim": 1})

    def run(self, tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        (x,) = xs
        y = tape.run("glu", xs, out.values, saves=self.saves, rule=tape.rule(x, "first"))
        if not y.strides:
            return y
        y.apart //= 2
        return tape.laid(y, out, packed(sizes_of(out), [x.strides]))

    def stand_in(self, layer: Any, out: Shape) -> Sequence[Layer]:
        """No layers: a unit reads only its own position."""
        return []


class PreluRecord(ActivationRecord, type="prelu"):
    """A leaky ReLU whose slopes are trained."""

    operator, modules = "_prelu_kernel", ("PReLU",)
    saves_input, saves_output, in_place, keeps_format = True, False, False, True

    def code(self, layer: Any, x: Shape, out: Shape) -> ModuleCode:
        arguments = {"num_parameters": x.channels if layer.per_channel else 1}
        return ModuleCode("nn.PReLU", arguments, 1, {"num_parameters": 1})

    def run(self, tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        slopes = layer.params(*shapes).weight
        gradients, copies = tape.weights(slopes)
        x = tape.low(xs[0])
        whole = x.count * x.itemsize
        both = [Made(0 if x.derived else SCRATCH, whole, 0, 0), Made(SCRATCH, whole, 0, 1)]  # even if not needed
        steps = [both, gradients]
        if slopes == x.count and not tape.frozen and tape.batch.alone(x.times):  # nothing to sum
            steps = [[both[0], *gradients]]
        rule = BackwardRule(steps, True, gradient_order=x.order, reading_steps=1)
        saves = self.saves._replace(tensors=halves(copies))
        return tape.run(self.operator, [x, *copies], out.values, saves=saves, rule=rule)
