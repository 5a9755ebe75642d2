"""How PyTorch runs each layer type: its operators, what they make, and what they keep for the backward pass.

The five modules ``run_*`` are the one place that knows. They describe PyTorch's eager mode on the CPU; a GPU differs in
that dropout keeps one byte per value there and not a float, and that cuDNN may add a reserve to batch normalisation.
Scratch inside an operator (im2col, oneDNN's reordered copies) is not part of it.
"""

from __future__ import annotations

from collections.abc import Mapping

from archcalc.network import Network, Node
from archcalc.pytorch.placing import beforehand
from archcalc.pytorch.run_join import (
    add,
    channel_shuffle,
    concat,
    copied,
    crop,
    flatten,
    identity,
    multiply,
    pad,
    slice_,
)
from archcalc.pytorch.run_norm import batch_norm, layer_norm, layer_scale, lrn, scaled
from archcalc.pytorch.run_pointwise import activation, drop_path, dropout, prelu
from archcalc.pytorch.run_pool import adaptive_avg_pool, avg_pool, max_pool, subsample
from archcalc.pytorch.run_weighted import conv_table, convolution, linear, rbf
from archcalc.pytorch.runner import Run, Runner, padded, trivial
from archcalc.pytorch.tape import TapeTensor

RUN: Mapping[str, Run] = {
    "conv": convolution("convolution"),
    "conv_transpose": convolution("convolution"),
    "conv_table": conv_table,
    "linear": linear,
    "rbf": rbf,
    "max_pool": max_pool,
    "avg_pool": avg_pool,
    "subsample": subsample,
    "adaptive_avg_pool": adaptive_avg_pool,
    "global_avg_pool": adaptive_avg_pool,
    "batch_norm": batch_norm,
    "lrn": lrn,
    "layer_norm": layer_norm,
    "scale": scaled,
    "layer_scale": layer_scale,
    "relu": activation("relu", "output", "output"),
    "relu6": activation("relu6", "input", "copy"),
    "leaky_relu": activation("leaky_relu", "input", "output"),
    "prelu": prelu,
    "elu": activation("elu", "input", "output"),
    "sigmoid": activation("sigmoid", "output", "output"),
    "hard_sigmoid": activation("hardsigmoid", "input", "copy"),
    "silu": activation("silu", "input", "copy"),
    "hard_swish": activation("hardswish", "input", "copy"),
    "gelu": activation("gelu", "input"),
    "tanh": activation("tanh", "output", "output"),
    "softmax": activation("_softmax", "output"),
    "add": add,
    "mean": add,
    "multiply": multiply,
    "concat": concat,
    "flatten": flatten,
    "identity": identity,
    "dropout": dropout,
    "drop_path": drop_path,
    "upsample": copied("upsample"),
    "slice": slice_,
    "crop": crop,
    "pad": pad,
    "pad_channels": pad,
    "channel_shuffle": channel_shuffle,
}
"""How PyTorch runs a layer, by its type."""


FORMATTED = frozenset(
    (
        *("conv", "conv_transpose", "conv_table", "linear", "batch_norm", "layer_norm", "concat"),
        *("prelu", "max_pool", "avg_pool", "adaptive_avg_pool", "global_avg_pool", "upsample", "pad", "pad_channels"),
    )
)
"""Layers that make a map in the memory format of their input even where it has one order; the others begin anew."""


def run_layer(tape: Runner, network: Network, node: Node, values: Mapping[int, TapeTensor]) -> TapeTensor:
    """Run a layer on the tape, statement by statement.

    What stands around a map is put there first. An input stays until the last statement that reads it is done.
    """
    tape.begin(node)
    inputs, shapes = [values[i] for i in node.inputs], network.input_shapes(node)
    over = node.inputs.index(tape.in_place[node.index]) if tape.overwrite else 0
    if over:  # a sum, whose inputs may come in any order
        inputs = [inputs[over], *inputs[:over], *inputs[over + 1 :]]
        shapes = [shapes[over], *shapes[:over], *shapes[over + 1 :]]
    held = list(inputs)
    try:
        if around := tape.ask(beforehand, node.layer, shapes[0]):
            held[0] = padded(tape, held[0], shapes[0], around)
        out = RUN[node.layer.type](tape, node.layer, held, shapes, node.shape)
    finally:
        for value in held:
            value.storage.until(len(tape.moments) - 1)
    freed = {value.storage: value.storage.dies for value in inputs if value.storage.dies < len(tape.moments) - 1}
    if freed:
        tape.freed[node.index] = freed
    if out.order in ("last", "unit") and trivial(node.shape) and all(x.storage is not out.storage for x in inputs):
        out.order = "unit" if node.layer.type in FORMATTED and node.shape.values > 1 else "first"
    return out
