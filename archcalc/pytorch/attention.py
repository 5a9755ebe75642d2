"""What PyTorch does with attention: one fused operator (``flash``), or the products and the soft-max (``math``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from archcalc.layers import Layer
from archcalc.layers.arrangement import Arrangement, Part
from archcalc.layers.join import Add
from archcalc.layers.pool import AdaptiveAvgPool
from archcalc.layers.resample import Upsample
from archcalc.pytorch.code import ModuleCode, Statements
from archcalc.pytorch.layout import MANY, merges
from archcalc.pytorch.record import Record
from archcalc.pytorch.runner import FLOAT, Runner, dense, trivial
from archcalc.pytorch.tape import PASSES, SCRATCH, VIEW, BackwardRule, Extra, Made, Result, Saves, TapeTensor
from archcalc.sizes import Shape, product

FLASH = "_scaled_dot_product_flash_attention_for_cpu"


NAMES = ("queries", "keys", "values")
KEYS = 1


class Layout(NamedTuple):
    """How a map lies in memory before its heads are taken.

    copied: whether it is copied first, so that channels lie next to each other and windows one after another.
    adjacent: whether the stride of the channels is 1. own: whether the map fills its storage.
    """

    copied: bool
    adjacent: bool
    own: bool


def layout(x: TapeTensor, shape: Shape) -> Layout:
    strides = dense(x, shape)
    own, adjacent = x.image == shape.values, strides[0] == 1
    in_order = (adjacent or (own and trivial(shape))) and merges((MANY, *shape.axes[:-1]), (x.image, *strides[1:-1]))
    return Layout(not in_order, adjacent, own)


class Tokens(NamedTuple):
    """Queries, keys or values on the tape, as PyTorch's operators read them: batch x heads x positions x depth.

    tensor: the tensor on the tape. depth: channels of a head. positions: the number of queries, keys or values of a
    window. own: whether the tensor fills its storage, so that heads of one position lie one after another.
    """

    tensor: TapeTensor
    heads: int
    depth: int
    positions: int
    windows: bool
    own: bool

    @property
    def merged(self) -> bool:
        """Whether the heads of all images can be viewed as one batch of matrices, without a copy."""
        return self.heads == 1 or (self.positions == 1 and self.own)

    @property
    def order(self) -> str:
        """Memory order of a gradient that lies head by head. ``heads``: it must be copied before it is a map again."""
        if self.heads == 1 or self.positions == 1:
            return "last"
        return "first" if self.depth == 1 else "heads"

    @property
    def transposed(self) -> str:
        """Memory order of a gradient that lies channel by channel in each window."""
        return "last" if self.positions == 1 else "first"


class AttentionRecord(Record, type="attention"):
    """F.scaled_dot_product_attention on tokens whose channels lie next to each other; other tokens are copied first.

    PyTorch takes the fused operator if heads of queries and of values are equally deep. The fused operator never stores
    the scores: it saves the logarithm of the soft-max's denominator for every query. Else, and if ``Runner.attention``
    is ``math``, the scores and the output of the soft-max are stored.
    """

    saves_input, saves_output = True, True
    in_place = False
    keeps_format = True

    def code(self, layer: Any, x: Shape, out: Shape) -> ModuleCode:
        arguments = {"heads": layer.heads, "causal": layer.causal, "scale": layer.scale}
        return ModuleCode("Attention", arguments, 1, {"causal": False, "scale": None})

    def statements(self, layer: Any, inputs: Sequence[Shape], out: Shape, over: bool = False) -> Statements:
        return Statements((), self.code(layer, inputs[0], out))

    def returns_view(self, layer: Any, out: Shape) -> bool:
        return True

    def stand_in(self, layer: Any, out: Shape) -> Sequence[Layer]:
        return [Add(), AdaptiveAvgPool(out=(*out.axes[:-1], 1)), Upsample(size=out.axes)]

    def run(self, tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        layouts = [layout(x, shape) for x, shape in zip(xs, shapes, strict=True)]
        deep = shapes[0].channels == shapes[2].channels
        flash = tape.attention != "math" and deep and all(one.copied or one.adjacent for one in layouts)
        tokens = [
            self._tokens(tape, layer.heads, at, x, shape, one, flash)
            for at, (x, shape, one) in enumerate(zip(xs, shapes, layouts, strict=True))
        ]
        y = self._flash(tape, layer, tokens, shapes, out) if flash else Math(tape, layer, shapes, out).run(tokens)
        if y.order == "heads":
            y = tape.run("clone", [y], out.values, Result(order="last"), rule=PASSES)
        needs = "windows" if product(out.axes[:-1]) > 1 and not trivial(out) else ""
        y = tape.run("view", [y], out.values, VIEW, rule=BackwardRule(passes_gradient_on=True, needs_order=needs))
        for one in tokens:
            one.tensor.storage.until(tape.now)
        return y

    def _tokens(
        self, tape: Runner, heads: int, at: int, x: TapeTensor, shape: Shape, layout: Layout, flash: bool
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
            moves=_windows_first(shape) if order == "first" and windows else None,
        )
        return one._replace(tensor=tape.run("view", [x], x.count, Result(view=True, order="last"), rule=rule))

    def _flash(self, tape: Runner, layer: Any, tokens: list[Tokens], shapes: list[Shape], out: Shape) -> TapeTensor:
        xs = _low(tape, [one.tensor for one in tokens])
        size = max(FLOAT, xs[0].itemsize) * layer.heads * product(shapes[0].axes)
        steps = [[Made(n if x.derived else SCRATCH, x.count * x.itemsize, 0) for n, x in enumerate(xs)]]
        rule = BackwardRule(steps, gradient_order="last")
        why = "its queries, keys and values"
        saved = [(xs[n].storage, why) for n in (1, 0, 2)]
        extra = Extra(size, 0, "denominators", "the denominator of every soft-max")
        saves = Saves(output="its output", tensors=saved, extra=(extra,))
        return tape.run(FLASH, xs, out.values, Result(order="last"), saves, rule)


class Math:
    """Attention as products and a soft-max: the operators of PyTorch's ``_scaled_dot_product_attention_math``."""

    def __init__(self, tape: Runner, layer: Any, shapes: list[Shape], out: Shape) -> None:
        self.tape, self.layer, self.out = tape, layer, out
        self.scores = layer.heads * product(shapes[0].axes) * shapes[1].axes[-1]
        self.square = shapes[0].axes[-1] * shapes[1].axes[-1]
        self.local: list[TapeTensor] = []
        """Tensors that stay alive to the end of the function."""

    def run(self, tokens: list[Tokens]) -> TapeTensor:
        tape, count = self.tape, self.scores
        low = _low(tape, [one.tensor for one in tokens])
        xs = [tape.cast(x, FLOAT, "in single precision", "scratch") if x.itemsize < FLOAT else x for x in low]
        pairs = zip(tokens, xs, strict=True)
        queries, keys, values = (one._replace(tensor=x, own=one.own or x is not one.tensor) for one, x in pairs)
        query = self._scaled(queries, "scaled queries", queries.order)
        self.local = [*low, *xs, query]
        mask = self._causal(query) if self.layer.causal else None
        key = self._scaled(keys, "scaled keys", keys.transposed)
        first, second = self._batched(queries, query, "queries"), self._batched(keys, key, "keys")
        scores = self._product(first, second, count, "scores", ("its queries", "its keys"), "heads")
        key.storage.until(tape.now)
        if mask is not None:
            scores = tape.run("add", [scores], count, _within("scores with bias"), rule=PASSES)
            self.local.append(mask)
        saves = Saves(output="the weights of the values")
        weights = tape.run("_softmax", [scores], count, _within("weights"), saves, tape.rule(scores))
        if low[0].itemsize < FLOAT:
            tape.moment("_to_copy")
            made = tape.make("scratch", count * low[0].itemsize * tape.times, 0, "weights in half precision")
            self.local.append(TapeTensor(made, count, low[0].itemsize, times=tape.times))
        value = self._batched(values, xs[2], "values")
        whys = "the weights of the values", "its values"
        apart = queries.heads > 1 and queries.positions > 1
        y = self._product(weights, value, self.out.values, "", whys, values.order, "channels" if apart else "")
        y.order = "heads" if apart else "last"
        if low[0].itemsize < FLOAT:
            y = tape.cast(y, low[0].itemsize, "")
        for one in (*self.local, weights):
            one.storage.until(tape.now)
        return y

    def _scaled(self, tokens: Tokens, label: str, order: str) -> TapeTensor:
        x = tokens.tensor
        return self.tape.run("mul", [x], x.count, _within(label), rule=self.tape.rule(x, order))

    def _batched(self, tokens: Tokens, x: TapeTensor, name: str) -> TapeTensor:
        """The heads of all images as one batch of matrices: a view or a copy."""
        own = tokens._replace(own=x is not tokens.tensor or tokens.own)
        result = VIEW if own.merged else _within(f"{name} by heads")
        return self.tape.run("view" if own.merged else "clone", [x], x.count, result, rule=PASSES)

    def _product(
        self, a: TapeTensor, b: TapeTensor, count: int, label: str, whys: tuple[str, str], order: str, needs: str = ""
    ) -> TapeTensor:
        """The products of a batch of matrices. Autograd makes the gradient of the second factor first."""
        pairs = ((b, a, whys[1]), (a, b, whys[0]))
        saved = [(x.storage, why) for x, other, why in pairs if other.derived]
        steps = [[Made(n, x.count * x.itemsize, 0)] for n, x in ((1, b), (0, a))]
        rule = BackwardRule(steps, gradient_order=order, needs_order=needs)
        result = _within(label) if label else Result(order="heads")
        return self.tape.run("bmm", [a, b], count, result, Saves(tensors=saved), rule)

    def _causal(self, query: TapeTensor) -> TapeTensor:
        """The bias of a causal attention: 0 or -inf for each pair of a query and a key; the same for all images."""
        tape, size, node = self.tape, query.itemsize, []
        for operator, bytes, label in (
            ("ones", self.square, "ones"),
            ("tril", self.square, "lower triangle"),
            ("scalar_tensor", size, "minus infinity"),
            ("scalar_tensor", size, "zero"),
            ("where", size * self.square, "causal bias"),
        ):
            node.append(tape.scratch(operator, 0, bytes, label))
            if operator == "tril":
                node[0].until(tape.now)
        for one in node[1:]:
            one.until(tape.now)
        return TapeTensor(node[-1], self.square, size)


def _windows_first(shape: Shape) -> Arrangement:
    """A movement of the axes before the last to the front, as in a batch."""
    parts = [(Part(str(at), size),) for at, size in enumerate((shape.channels, *shape.axes))]
    return Arrangement(tuple(parts), (*parts[1:-1], parts[0], parts[-1]))


def _low(tape: Runner, xs: list[TapeTensor]) -> list[TapeTensor]:
    """The tensors in half precision under autocast, which casts the last argument first."""
    return [tape.low(x) for x in reversed(xs)][::-1]


def _within(label: str) -> Result:
    """A new storage that is freed within the layer."""
    return Result(role="scratch", label=label)
