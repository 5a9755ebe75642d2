"""What PyTorch does with attention: one fused operator (``flash``), or the products and the soft-max (``math``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from archcalc.layers import Layer
from archcalc.layers.axes import sizes_of
from archcalc.layers.join import Add
from archcalc.pytorch.attention_bias import Bias, bias_of, windows_first
from archcalc.pytorch.attention_math import Math, Tokens, low_all
from archcalc.pytorch.code import ModuleCode, Statements
from archcalc.pytorch.length import unit_length
from archcalc.pytorch.norm import mixed
from archcalc.pytorch.record import Record
from archcalc.pytorch.runner import FLOAT, Runner, dense, into
from archcalc.pytorch.tape import (
    PASSES,
    SCRATCH,
    VIEW,
    BackwardRule,
    Extra,
    Made,
    Operation,
    Result,
    Saved,
    Saves,
    TapeTensor,
)
from archcalc.sizes import Shape, product

FLASH = "_scaled_dot_product_flash_attention_for_cpu"


NAMES = ("queries", "keys", "values")
KEYS = 1


class MemoryLayout(NamedTuple):
    """How a map lies in memory before its heads are taken.

    copied: whether it is copied first, so that channels lie next to each other and windows one after another.
    adjacent: whether the stride of the channels is 1. own: whether no values of a larger map lie between the windows.
    """

    copied: bool
    adjacent: bool
    own: bool


def layout(tape: Runner, x: TapeTensor, shape: Shape) -> MemoryLayout:
    strides, tokens = dense(x, shape), shape.channels * shape.axes[-1]
    adjacent = strides[0] == 1
    if adjacent:
        in_order = tape.batch.merges(shape.axes[:-1], strides[1:-1], x.image, x.times)
    else:
        in_order = tape.contiguous(x, shape, windows_first(shape, 0))
    own = tape.batch.merges((*shape.axes[:-1], tokens), (*strides[1:-1], 1), x.image, x.times)
    return MemoryLayout(not in_order, adjacent, own)


class AttentionRecord(Record, type="attention"):
    """F.scaled_dot_product_attention on tokens whose channels lie next to each other; other tokens are copied first.

    PyTorch takes the fused operator if heads of queries and of values are equally deep. The fused operator never stores
    the scores: it saves the logarithm of the soft-max's denominator for every query. Else, and if ``Runner.attention``
    is ``math``, the scores and the output of the soft-max are stored.
    """

    saves_input, saves_output = True, True
    in_place = False
    keeps_format = True
    fvcore_operator = "linear"  # of the layers behind a continuous bias; fvcore has no rule for the attention itself

    def code(self, layer: Any, x: Shape, out: Shape) -> ModuleCode:
        return self._module(layer, (x, x, x))

    def _module(self, layer: Any, inputs: Sequence[Shape]) -> ModuleCode:
        if not layer.bias and not layer.shifted and len(inputs) < 4:
            arguments = {"heads": layer.heads, "causal": layer.causal, "scale": layer.scale, "cosine": layer.cosine}
            return ModuleCode("Attention", arguments, 1, {"causal": False, "scale": None, "cosine": False})
        queries, keys = inputs[:2]
        arguments = {
            "heads": layer.heads,
            "block": layer.sides if layer.bias or layer.shifted else (),
            "scale": layer.scale,
            "relative": layer.bias == "relative",
            "continuous": layer.bias == "continuous",
            "causal": (queries.axes[-1], keys.axes[-1]) if layer.causal else (),
            "cosine": layer.cosine,
        }
        if layer.shifted:
            arguments |= {"size": layer.map_size, "shift": layer.shifts}
        off = dict.fromkeys(("relative", "continuous", "cosine"), False)
        defaults = {"block": (), "scale": None, "causal": (), **off}
        return ModuleCode("BiasedAttention", arguments, 2 if arguments["block"] else 1, defaults)

    def statements(self, layer: Any, inputs: Sequence[Shape], out: Shape, over: bool = False) -> Statements:
        return Statements((), self._module(layer, inputs))

    def returns_view(self, layer: Any, out: Shape) -> bool:
        return True

    def stand_in(self, layer: Any, out: Shape) -> Sequence[Layer]:
        return [Add(), *mixed(out, len(out.axes))]

    def run(self, tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        layouts = [layout(tape, x, shape) for x, shape in zip(xs[:3], shapes, strict=False)]
        deep = shapes[0].channels == shapes[2].channels
        trained = (tape.trains and layer.bias is not None) or any(x.derived for x in xs[3:])
        flash = tape.attention != "math" and deep and not trained
        single = layer.cosine and layer.heads == shapes[0].channels  # queries and keys of length 1 are contiguous then
        flash = flash and all(one.copied or one.adjacent for one in layouts[2 * single :])
        tokens = [
            self._tokens(tape, layer.heads, at, x, shape, one, flash)
            for at, (x, shape, one) in enumerate(zip(xs, shapes, layouts, strict=False))
        ]
        if layer.cosine:
            tokens[:2] = self._cosine(tape, *tokens[:2])
        bias = bias_of(tape, layer, xs, shapes)
        if flash:
            y = self._flash(tape, layer, tokens, bias, shapes, out)
        else:
            y = Math(tape, layer, shapes, out).run(tokens, bias)
        if y.order == "heads":
            y = tape.run("clone", [y], out.values, Result(order="last"), rule=PASSES)
        rule = BackwardRule(passes_gradient_on=True, needs_order="windows", sizes=sizes_of(out))
        y = tape.run("view", [y], out.values, VIEW, rule=rule)
        for one in tokens:
            one.tensor.storage.until(tape.now)
        return y

    def _tokens(
        self, tape: Runner, heads: int, at: int, x: TapeTensor, shape: Shape, layout: MemoryLayout, flash: bool
    ) -> Tokens:
        """The heads of input number ``at``."""
        if layout.copied:
            result = Result(order="last", role="scratch", label=f"{NAMES[at]} in order")
            x = tape.run("clone", [x], x.count, result, rule=PASSES)
        own, windows = layout.copied or layout.own, product(shape.axes[:-1]) > 1
        one = Tokens(x, heads, shape.channels // heads, shape.axes[-1], windows, own)
        order = "" if flash else one.transposed if at == KEYS else one.order
        rule = BackwardRule(
            passes_gradient_on=True,
            needs_order="last" if order == "heads" else "",
            sizes=sizes_of(shape),
            moves=windows_first(shape, 1) if order == "first" and windows else None,
        )
        return one._replace(tensor=tape.run("view", [x], x.count, Result(view=True, order="last"), rule=rule))

    def _cosine(self, tape: Runner, queries: Tokens, keys: Tokens) -> list[Tokens]:
        """Queries and keys of length 1 in each head; the queries are multiplied with the trained scale of their head."""
        unit = [_of_length_1(tape, queries, "queries")]
        scale = _scales(tape, queries.heads)
        x, count, size = unit[0], queries.tensor.count, max(unit[0].itemsize, tape.itemsize)
        steps = into(0, x, size, count, 2 if tape.trains else 1)
        if tape.trains:
            steps = [[Made(SCRATCH, count * size, 0, 9)], *steps, [Made(1, 0, queries.heads * tape.itemsize)]]
        saves = Saves(
            "queries of length 1" if tape.trains else "",
            tensors=[(scale.storage, "the scale of every head")] if x.derived else [],
        )
        result = Result(itemsize=size, role="scratch", label="scaled queries of length 1")
        rule = BackwardRule(steps, reading_steps=1 + tape.trains)
        unit[0] = tape.run("mul", [x, scale], count, result, saves, rule)
        queries.tensor.storage.until(tape.now)
        unit.append(_of_length_1(tape, keys, "keys"))
        return [one._replace(tensor=x, own=True) for one, x in zip((queries, keys), unit, strict=True)]

    def _flash(
        self,
        tape: Runner,
        layer: Any,
        tokens: list[Tokens],
        bias: Bias | None,
        shapes: list[Shape],
        out: Shape,
    ) -> TapeTensor:
        low = bias and bias.low(tape)
        xs = low_all(tape, [one.tensor for one in tokens])
        size = max(FLOAT, xs[0].itemsize) * layer.heads * product(shapes[0].axes)
        steps = [[Made(n if x.derived else SCRATCH, x.count * x.itemsize, 0) for n, x in enumerate(xs)]]
        rule = BackwardRule(steps, gradient_order="last")
        why = "its queries, keys and values"
        saved = [(low.tensor.storage, "its mask")] if low else []
        saved += [(xs[n].storage, why) for n in (1, 0, 2)]
        extra = Extra(size, 0, "denominators", "the denominator of every soft-max")
        saves = Saves(output="its output", tensors=saved, extra=(extra,))
        y = tape.run(FLASH, xs, out.values, Result(order="last"), saves, rule)
        for one in (bias, low):
            if one:
                one.tensor.storage.until(tape.now)
        return y


def _of_length_1(tape: Runner, tokens: Tokens, name: str) -> TapeTensor:
    x, result = tokens.tensor, Result(role="scratch", label=f"{name} of length 1")
    return unit_length(tape, x, x.count, x.count // tokens.depth, result)


def _scales(tape: Runner, heads: int) -> TapeTensor:
    """The trained scale of every head: exp(min(s, log 100))."""
    size = heads * tape.itemsize
    least = TapeTensor(
        tape.scratch("clamp", 0, size, "logarithms of scales"), heads, tape.itemsize, derived=tape.trains
    )
    least.storage.until(tape.moment("exp"))
    scale = TapeTensor(tape.make("scratch", 0, size, "scales"), heads, tape.itemsize, derived=tape.trains)
    if tape.trains:
        steps = [[Made(SCRATCH, 0, tape.itemsize, 2)], [Made(SCRATCH, 0, heads, 2)], tape.gradients(heads)]
        rule = BackwardRule(steps, weights=True)
        tape.operations.append(Operation(tape.node, "clamp", [], least, [], rule, tape.parameter))
        tape.parameter += 1
        saved = [Saved(scale.storage, tape.node, "the scale of every head")]
        rule = BackwardRule([[Made(0, 0, size)]])
        tape.operations.append(Operation(tape.node, "exp", [least], scale, saved, rule, tape.parameter))
    return scale
