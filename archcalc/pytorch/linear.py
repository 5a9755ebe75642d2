"""What PyTorch does with linear layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archcalc.layers import Layer
from archcalc.layers.axes import sizes_of
from archcalc.pytorch.code import ModuleCode
from archcalc.pytorch.computed import weights_of, with_weight_norm
from archcalc.pytorch.norm import mixed
from archcalc.pytorch.record import Record
from archcalc.pytorch.runner import Kept, Runner, dense, halves, last, layer_params
from archcalc.pytorch.tape import NEW, PASSES, VIEW, BackwardRule, Made, Operation, Result, Saves, Storage, TapeTensor
from archcalc.sizes import Shape


class LinearRecord(Record, type="linear"):
    """A matrix product. An input that does not lie in the order of the product is copied first.

    If the weights need no gradient, PyTorch makes a product of several matrices instead, if these need no copy or a smaller
    one. Frozen weights need none, and weights that are computed without a backward pass.
    """

    saves_input, saves_output = True, False
    in_place = False
    keeps_format = True
    modules = ("Linear",)

    def code(self, layer: Any, x: Shape, out: Shape) -> ModuleCode:
        arguments = {"in_features": layer.features(x), "out_features": layer.out, "bias": layer.bias}
        channels = bool(x.axes and layer.axis == "channels")
        if layer.zero_bias is not None:
            start, stop = layer.zero_bias
            arguments |= {"start": start, "stop": stop, "channels": channels}
            del arguments["bias"]
            return ModuleCode("ZeroBiasLinear", arguments, 2, {"channels": False})
        target = "ChannelLinear" if channels else "nn.Linear"
        return with_weight_norm(layer, ModuleCode(target, arguments, 2, {"bias": True}), 0)

    def returns_view(self, layer: Any, out: Shape) -> bool:
        """True if the channels of a map were moved to the end, or if a matrix is viewed as a map."""
        return bool(out.axes and (layer.axis == "channels" or layer.bias))

    def stand_in(self, layer: Any, out: Shape) -> Sequence[Layer]:
        return mixed(out, len(out.axes)) if layer.axis == "last" else []

    def run(self, tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        (x,), (shape,) = xs, shapes
        moved = bool(shape.axes and layer.axis == "channels")
        zeroed = _zeroed(tape, layer.out) if layer.zero_bias is not None else None
        if moved:
            x = tape.run("permute", [x], x.count, VIEW, rule=PASSES)
        if zeroed is None:
            gradients, copies, kept, computed = weights_of(tape, layer, shape, False)
        else:
            weight = tape.ask(layer_params, layer, shape).weight
            gradients, copies, kept, computed = _with_zeros(tape, weight, zeroed)
        x = low = tape.low(x)
        sizes, strides = _rows_first(moved, shape, dense(x, shape))
        plain = not shape.axes or tape.batch.contiguous(sizes, strides, x.image, x.times)
        single = plain or tape.batch.merges(sizes[:-1], strides[:-1], x.image, x.times)
        fixed = tape.frozen or (bool(computed) and zeroed is None and not tape.training)
        batched = fixed and not single
        if not single and not (batched and tape.batch.merges(sizes[:-2], strides[:-2], x.image, x.times)):
            ordered = Result(order="first", role="scratch", label="input in order")
            x = tape.run("clone", [x], x.count, ordered, rule=PASSES)
        operator = "addmm" if layer.bias and plain else "bmm" if batched else "mm"
        columns = single and not plain and tape.contiguous(low, shape)  # of one image, whose gradient lies alike
        order = "last" if moved and not columns else "first"
        y = self._product(tape, x, (gradients, copies, kept), (out, operator, moved, order))
        if out.axes:
            needs = ("windows" if moved else "matrices") if batched else "last" if moved else "first"
            rule = BackwardRule(passes_gradient_on=True, needs_order=needs, sizes=sizes_of(out))
            y = tape.run("view", [y], out.values, VIEW, rule=rule)
        if layer.bias and not plain:
            steps = [[made._replace(target=1 if copies[1:] else made.target)] for made in gradients[1:]]
            rule = BackwardRule(steps, weights=True, passes_gradient_on=True)
            operator, result = ("add_", Result(over=y)) if tape.sums_in_place else ("add", NEW)
            y = tape.run(operator, [y, *copies[1:]], out.values, result, rule=rule)
        for one in (low, *copies, *computed):
            one.storage.until(tape.now)
        return y

    def _product(
        self,
        tape: Runner,
        x: TapeTensor,
        weights: tuple[list[Made], list[TapeTensor], list[Kept]],
        how: tuple[Shape, str, bool, str],
    ) -> TapeTensor:
        """The product with the weights: their gradients, the tensors that it reads of them, and those that it saves.

        ``how``: output shape, operator, whether channels move, and the order of the gradient of x.
        """
        gradients, copies, kept = weights
        out, operator, moved, order = how
        fused = operator == "addmm"
        of_weight, *of_bias = [[made] for made in gradients]
        # Autograd makes gradients in alphabetical order of the arguments: mat1, mat2, self (addmm); mat2, self (mm).
        steps = [*tape.step(x), of_weight, *of_bias] if fused else [of_weight, *tape.step(x)]
        rule = BackwardRule(steps, True, gradient_order=order, reading_steps=2)
        kept = kept if x.derived else []
        saves = self.saves._replace(tensors=kept)
        if not fused and not tape.frozen:  # autograd saves in the order of the arguments' names
            saves = Saves(tensors=[*kept, (x.storage, self.saves.input)])
        inputs = [x, *copies[: len(copies) if fused else 1]]
        result = Result(order=last(out) if moved else "first")
        return tape.run(operator, inputs, out.values, result, saves, rule)


def _rows_first(moved: bool, x: Shape, strides: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The sizes and strides of the channels and axes, with the channels as the last axis if they are ``moved`` there."""
    sizes = sizes_of(x)
    return ((*sizes[1:], sizes[0]), (*strides[1:], strides[0])) if moved else (sizes, strides)


def _zeroed(tape: Runner, count: int) -> TapeTensor:
    """The biases, of which some are zero. They are the second parameter of the layer, but computed first."""
    size = count * tape.itemsize
    biases = TapeTensor(tape.scratch("masked_fill", 0, size, "biases"), count, tape.itemsize, derived=tape.trains)
    if tape.trains:
        rule = BackwardRule([tape.gradients(count)], weights=True)
        tape.operations.append(Operation(tape.node, "masked_fill", [], biases, [], rule, tape.parameter + 1))
    return biases


def _with_zeros(
    tape: Runner, weight: int, biases: TapeTensor
) -> tuple[list[Made], list[TapeTensor], list[Kept], list[TapeTensor]]:
    """As ``weights_of``, for biases that the layer has computed: input 2 of the product, behind the weights."""
    low = tape.cast_fixed(biases, "biases in half precision") if tape.amp else biases
    gradients, copies = tape.weights(weight)
    kept = halves(copies)
    copies = copies or [TapeTensor(Storage("", tape.node, "scratch", 0, 0, tape.now), 0, tape.itemsize)]
    return [*gradients, Made(2, 0, low.count * low.itemsize)], [*copies, low], kept, [biases]
