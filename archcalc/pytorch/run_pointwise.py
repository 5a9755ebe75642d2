"""How PyTorch runs activations, and layers that drop."""

from __future__ import annotations

from typing import Any

from archcalc.pytorch.runner import FLOAT, Kept, Run, Runner, halves, its_input, scratch
from archcalc.pytorch.tape import SCRATCH, Made, TapeTensor
from archcalc.sizes import Shape


def activation(operator: str, keeps: str, in_place: str = "") -> Run:
    """An activation that keeps its input or its output; in place it keeps its output or a copy of the input."""

    def run(tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        (x,) = xs
        order = "first" if operator == "_softmax" else ""
        gives = order or (x.order if operator in ("relu", "leaky_relu") else "")
        keep: list[Kept]
        keep, keep_output = [(x, f"{layer.type}: its input")] if keeps == "input" else [], ""
        if keeps == "output":
            keep_output = f"{layer.type}: its output"
        if tape.overwrite:
            if in_place == "output":
                keep, keep_output = [], f"{layer.type}: its output"
            elif in_place == "copy" and tape.training and x.derived:
                x.storage.until(tape.moment("clone"))
                copy = tape.make("kept", x.count * x.itemsize, 0, "copy of the input")
                keep = [(copy, f"{layer.type}: a copy of its input")]
            return tape.run(
                operator + "_",
                xs,
                x.count,
                over=x,
                keep=keep,
                keep_output=keep_output,
                backward=tape.new(x),
                gives=gives,
            )
        return tape.run(
            operator, xs, x.count, keep=keep, keep_output=keep_output, backward=tape.new(x), order=order, gives=gives
        )

    return run


def prelu(tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
    gradients, copies = tape.weights(layer.params(*shapes).weight)
    x = tape.low(xs[0])
    whole = x.count * x.itemsize
    both = [
        Made(0 if x.derived else SCRATCH, whole, 0, 0),
        Made(SCRATCH, whole, 0, 1),
    ]  # whether the first is needed or not
    steps = [both, gradients]
    keep: list[Kept] = [(x, its_input(layer)), *halves(copies)]
    return tape.run(
        "_prelu_kernel", [x, *copies], out.values, keep=keep, weights=True, backward=steps, gives=x.order, applies=1
    )


def dropout(tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
    (x,) = xs
    if not tape.training or layer.p == 0:
        return x
    tape.moment("bernoulli_")
    mask = tape.make("kept", *((x.count * x.itemsize, 0) if layer.p < 1 else (0, x.itemsize)), "mask")
    dropped = tape.run("mul", xs, out.values, keep=[(mask, "dropout: its mask")], backward=tape.new(x))
    mask.until(len(tape.moments) - 1)
    return dropped


def drop_path(tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
    (x,) = xs
    if not tape.training or layer.p == 0:
        return x
    random = scratch(tape, "rand", FLOAT, "random numbers")
    kept = scratch(tape, "ge", 1, "which to keep")
    random.until(len(tape.moments) - 1)
    kept.until(tape.moment("_to_copy"))
    mask = tape.make("kept", x.itemsize, 0, "mask")
    keep = [(mask, "drop_path: its mask")]
    masked = tape.run("mul", xs, out.values, what="masked", role="scratch", keep=keep, backward=tape.new(x))
    mask.until(len(tape.moments) - 1)
    result = tape.run("div", [masked], out.values, backward=tape.new(masked))
    kept.until(len(tape.moments) - 1)
    return result
