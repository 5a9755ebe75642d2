"""How a layer runs on a tape: padding around the input, the operators of the layer's record, and inputs that are freed.

The tape describes PyTorch's eager mode on the CPU. A GPU differs in two points: dropout saves one byte per value, not a
float, and cuDNN may add a reserve to batch normalisation. Scratch inside an operator (im2col, oneDNN's reordered
copies) is not included.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archcalc.layers.join import Add
from archcalc.network import Network, Node
from archcalc.pytorch.record import records
from archcalc.pytorch.runner import Runner, trivial
from archcalc.pytorch.tape import TapeTensor
from archcalc.sizes import Shape


def unpooled(network: Network) -> set[int]:
    """The poolings whose indices an unpooling uses."""
    return {node.shares for node in network.running() if node.layer.type == "unpool" and node.shares is not None}


def run_layer(tape: Runner, network: Network, node: Node, values: Mapping[int, TapeTensor]) -> TapeTensor:
    """Run a layer on the tape, statement by statement; returns the output of the layer.

    Padding around the map comes first. An input stays alive until the last statement that reads the input is done.
    """
    if tape.unpooled is None:
        tape.unpooled = unpooled(network)
    tape.begin(node)
    tape.frozen = network.frozen(node) or getattr(node.layer, "fixed", False)
    record = records[node.layer.type]
    inputs, shapes = [values[i] for i in node.inputs], network.input_shapes(node)
    over = node.inputs.index(tape.in_place[node.index]) if tape.overwrite else 0
    if over:  # a sum: the input that is overwritten comes first
        inputs = [inputs[over], *inputs[:over], *inputs[over + 1 :]]
        shapes = [shapes[over], *shapes[:over], *shapes[over + 1 :]]
    held = list(inputs)
    try:
        if record.pads and (around := tape.ask(record.around, node.layer, shapes[0])):
            held[0] = tape.padded(held[0], shapes[0], around)
        out = record.run(tape, node.layer, held, shapes, node.shape)
    finally:
        now = tape.now
        for value in held:
            value.storage.until(now)
    freed = {value.storage: value.storage.dies for value in inputs if value.storage.dies < now}
    if freed:
        tape.freed[node.index] = freed
    if out.order == "unit" and not trivial(node.shape):  # an adaptive pooling that repeats the only position
        out.order = "last"
    differs = trivial(node.shape) if out.order in ("last", "unit") else out.apart
    if differs and all(x.storage is not out.storage for x in inputs):
        keeps = record.keeps(node.layer) or (node.layer.joins and _repeats(shapes, node.shape))
        keeps = keeps or (isinstance(node.layer, Add) and node.layer.unequal)  # which begins with a copy
        if not out.apart:
            out.order = "unit" if keeps and node.shape.values > 1 else "first"
        elif not keeps and len(node.shape.axes) == 2:
            out.apart = 0
            tape.laid(out, node.shape, out.strides)
    return out


def _repeats(shapes: Sequence[Shape], out: Shape) -> bool:
    """Whether the last operator of a join has operands of different sizes. A vector has an axis of size 1 for each axis."""
    sizes = [(shape.channels, *(shape.axes or (1,) * len(out.axes))) for shape in shapes]
    before = tuple(max(each) for each in zip(*sizes[:-1], strict=True))
    return before != sizes[-1]
