"""What PyTorch does with weights that every forward pass computes: weight normalisation and standardisation."""

from __future__ import annotations

from typing import Any

from archcalc.layers.computed import EPS
from archcalc.pytorch.code import ModuleCode
from archcalc.pytorch.runner import Kept, Runner, halves, layer_params
from archcalc.pytorch.tape import SCRATCH, WEIGHT, BackwardRule, Made, Operation, Saved, Storage, TapeTensor
from archcalc.sizes import Shape


def with_weight_norm(layer: Any, module: ModuleCode, axes: int) -> ModuleCode:
    """The code of a convolution or a linear layer, with the code that computes its weights."""
    norm = layer.weight_norm
    if norm is None:
        return module
    if norm in ("channels", "last"):
        arguments = {"module": module, "dim": 0 if norm == "channels" else axes + 1}
        return ModuleCode("nn.utils.parametrizations.weight_norm", arguments, 1, {"dim": 0})
    arguments = {"conv": module, "scaled": norm == "scaled", "eps": layer.eps, "gamma": layer.gamma}
    return ModuleCode("StandardisedConv", arguments, 1, {"scaled": False, "eps": EPS, "gamma": 1.0})


def weights_of(
    tape: Runner, layer: Any, x: Shape, moved: bool
) -> tuple[list[Made], list[TapeTensor], list[Kept], list[TapeTensor]]:
    """The gradients of a layer's weights, the tensors that it reads and saves of them, and computed weights."""
    computed = _computed(tape, layer, x, moved)
    weight, bias, constants = tape.ask(layer_params, layer, x)
    if computed is None:
        gradients, copies = tape.weights(weight + constants, bias, last=moved)
        return gradients, copies, halves(copies), []
    return *tape.using(computed, bias), [computed]


def _computed(tape: Runner, layer: Any, x: Shape, moved: bool) -> TapeTensor | None:
    """The weights that a layer computes, if any. ``moved``: their gradient is channels-last, and is copied first."""
    norm = getattr(layer, "weight_norm", None)
    if getattr(layer, "relative", False):
        return _indexed(tape, layer.kernel_weights(x), layer.vectors * layer.fan_in(x))
    if norm is None:
        return None
    count, numbers = layer.kernel_weights(x), layer.factors(x)
    if norm in ("channels", "last"):
        return _normalised(tape, count, numbers, moved)
    return _standardised(tape, count, layer.out, norm == "scaled", moved)


def _indexed(tape: Runner, count: int, numbers: int) -> TapeTensor:
    """The vectors of relative positions, copied for every pair of positions."""
    tape.moment("index")
    weights = tape.make("scratch", 0, count * tape.itemsize, "vectors of all pairs of positions")
    steps = [[Made(SCRATCH, 0, numbers * tape.itemsize)], tape.gradients(numbers)]
    return _operation(tape, weights, count, [], steps)


def _normalised(tape: Runner, count: int, numbers: int, moved: bool) -> TapeTensor:
    tape.moment("_weight_norm_interface")
    weights = tape.make("scratch", 0, count * tape.itemsize, "computed weights")
    lengths = tape.make("saved", 0, numbers * tape.itemsize, "lengths of weights")
    steps = [tape.gradients(count, numbers)]
    if moved:
        steps.insert(0, [Made(SCRATCH, 0, count * tape.itemsize, 1)])
    return _operation(tape, weights, count, [lengths], steps)


def _standardised(tape: Runner, count: int, channels: int, scaled: bool, moved: bool) -> TapeTensor:
    inputs: list[TapeTensor] = []
    kept: list[Storage] = []
    size = channels * tape.itemsize
    if scaled:
        factor = tape.scratch("mul", 0, size, "factor of each channel")
        inputs = [TapeTensor(factor, channels, tape.itemsize, derived=tape.trains)]
        kept = [factor]
        if tape.trains:
            rule = BackwardRule([tape.gradients(channels)])
            tape.operations.append(Operation(tape.node, "mul", [], inputs[0], [], rule, tape.parameter))
            tape.parameter += 1
    now = tape.moment("native_batch_norm")
    weights = tape.make("scratch", 0, count * tape.itemsize, "computed weights")
    kept += [tape.make("saved", 0, size, f"{what} of weights") for what in ("mean", "deviation")]
    for one in kept:
        one.until(now)
    steps = [[*tape.gradients(count), *([Made(0, 0, size)] if scaled else [])]]
    made = _operation(tape, weights, count, kept, steps, inputs)
    if not moved or not tape.trains:
        return made
    viewed = TapeTensor(weights, count, tape.itemsize, derived=True)
    rule = BackwardRule([[Made(0, 0, count * tape.itemsize)]])
    tape.operations.append(Operation(tape.node, "view", [made], viewed, [], rule, tape.parameter))
    return viewed


def _operation(
    tape: Runner,
    weights: Storage,
    count: int,
    kept: list[Storage],
    steps: list[list[Made]],
    inputs: list[TapeTensor] | None = None,
) -> TapeTensor:
    """The tensor of the weights; in training with the backward pass of the operator that made them."""
    made = TapeTensor(weights, count, tape.itemsize, derived=tape.trains)
    if tape.trains:
        saved = [Saved(one, tape.node, "lengths or deviations of its weights") for one in kept]
        rule = BackwardRule(steps, weights=True)
        operator = tape.moments[-1][2]
        tape.operations.append(Operation(tape.node, operator, inputs or [], made, saved, rule, tape.parameter))
        tape.parameter += sum(one.target == WEIGHT for step in steps for one in step)
    return made
