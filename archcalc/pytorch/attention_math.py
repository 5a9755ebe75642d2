"""Attention as products and a soft-max: the operators of PyTorch's ``_scaled_dot_product_attention_math``."""

from __future__ import annotations

from typing import Any, NamedTuple

from archcalc.layers.axes import sizes_of
from archcalc.pytorch.attention_bias import Bias
from archcalc.pytorch.runner import FLOAT, Runner
from archcalc.pytorch.tape import PASSES, SCRATCH, VIEW, BackwardRule, Made, Result, Saves, TapeTensor
from archcalc.sizes import Shape, product


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

    def merged(self, tape: Runner) -> bool:
        """Whether the heads of all images can be viewed as one batch of matrices, without a copy."""
        several = self.heads == 1 or (self.positions == 1 and self.own)
        return several or (not self.windows and tape.batch.alone(self.tensor.times))

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


class Math:
    """Attention as products and a soft-max: the operators of PyTorch's ``_scaled_dot_product_attention_math``."""

    def __init__(self, tape: Runner, layer: Any, shapes: list[Shape], out: Shape) -> None:
        self.tape, self.layer, self.out = tape, layer, out
        self.scores = layer.heads * product(shapes[0].axes) * shapes[1].axes[-1]
        self.square = shapes[0].axes[-1] * shapes[1].axes[-1]
        self.local: list[TapeTensor] = []
        """Tensors that stay alive to the end of the function."""

    def run(self, tokens: list[Tokens], bias: Bias | None) -> TapeTensor:
        tape, count = self.tape, self.scores
        added = bias and bias.low(tape)
        low = low_all(tape, [one.tensor for one in tokens])
        xs = [tape.cast(x, FLOAT, "in single precision", "scratch") if x.itemsize < FLOAT else x for x in low]
        pairs = zip(tokens, xs, strict=True)
        queries, keys, values = (one._replace(tensor=x, own=one.own or x is not one.tensor) for one, x in pairs)
        query = self._scaled(queries, "scaled queries", queries.order)
        self.local = [*low, *xs, query]
        mask = self._causal(query) if self.layer.causal and not bias else None
        key = self._scaled(keys, "scaled keys", keys.transposed)
        first, second = self._batched(queries, query, "queries"), self._batched(keys, key, "keys")
        scores = self._product(first, second, count, "scores", ("its queries", "its keys"), "heads")
        key.storage.until(tape.now)
        if mask is not None:
            scores = tape.run("add", [scores], count, _within("scores with bias"), rule=PASSES)
            self.local.append(mask)
        if bias and added:
            scores = self._with_bias(scores, added)
            self.local += [bias.tensor, added.tensor]
        saves = Saves(output="the weights of the values")
        weights = tape.run("_softmax", [scores], count, _within("weights"), saves, tape.rule(scores, "first"))
        if low[0].itemsize < FLOAT:
            tape.moment("_to_copy")
            made = tape.make("scratch", count * low[0].itemsize * tape.times, 0, "weights in half precision")
            self.local.append(TapeTensor(made, count, low[0].itemsize, times=tape.times))
        value = self._batched(values, xs[2], "values")
        whys = "the weights of the values", "its values"
        apart = queries.heads > 1 and queries.positions > 1
        needs = "heads" if queries.heads > 1 else ""
        y = self._product(weights, value, self.out.values, "", whys, values.order, needs)
        y.order = "heads" if apart else "last"
        if low[0].itemsize < FLOAT:
            y = tape.cast(y, low[0].itemsize, "")
        for one in (*self.local, weights):
            one.storage.until(tape.now)
        return y

    def _with_bias(self, scores: TapeTensor, bias: Bias) -> TapeTensor:
        """The scores with a bias. The gradient of a bias for all images is a sum over the images."""
        alike = (
            bias.repeated
            or not bias.tensor.derived
            or (bias.values == self.scores and self.tape.batch.alone(scores.times))
        )
        steps = [] if alike else [[Made(1, 0, bias.values * scores.itemsize)]]
        if steps and bias.tensor.itemsize < scores.itemsize:
            steps = [
                [Made(SCRATCH, 0, bias.values * scores.itemsize, 1)],
                [Made(1, 0, bias.values * bias.tensor.itemsize)],
            ]
        rule = BackwardRule(steps, passes_gradient_on=True)
        return self.tape.run("add", [scores, bias.tensor], self.scores, _within("scores with bias"), rule=rule)

    def _scaled(self, tokens: Tokens, label: str, order: str) -> TapeTensor:
        x = tokens.tensor
        return self.tape.run("mul", [x], x.count, _within(label), rule=self.tape.rule(x, order))

    def _batched(self, tokens: Tokens, x: TapeTensor, name: str) -> TapeTensor:
        """The heads of all images as one batch of matrices: a view or a copy."""
        merged = tokens._replace(own=x is not tokens.tensor or tokens.own).merged(self.tape)
        result = VIEW if merged else _within(f"{name} by heads")
        return self.tape.run("view" if merged else "clone", [x], x.count, result, rule=PASSES)

    def _product(
        self, a: TapeTensor, b: TapeTensor, count: int, label: str, whys: tuple[str, str], order: str, needs: str = ""
    ) -> TapeTensor:
        """The products of a batch of matrices. Autograd makes the gradient of the second factor first."""
        pairs = ((b, a, whys[1]), (a, b, whys[0]))
        saved = [(x.storage, why) for x, other, why in pairs if other.derived]
        steps = [[Made(n, x.count * x.itemsize, 0)] for n, x in ((1, b), (0, a))]
        rule = BackwardRule(steps, gradient_order=order, needs_order=needs, sizes=sizes_of(self.out))
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


def low_all(tape: Runner, xs: list[TapeTensor]) -> list[TapeTensor]:
    """The tensors in half precision under autocast, which casts the last argument first."""
    return [tape.low(x) for x in reversed(xs)][::-1]


def _within(label: str) -> Result:
    """A new storage that is freed within the layer."""
    return Result(role="scratch", label=label)
