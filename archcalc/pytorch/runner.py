"""A tape on which layers run, and helpers that the records of layer types share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, TypeVar, get_args

from archcalc.layers.arrangement import Arrangement
from archcalc.network import Node
from archcalc.pytorch.layout import Batch, channels_last, contiguous, moved
from archcalc.pytorch.layout import merges as merges
from archcalc.pytorch.tape import (
    COPIED,
    NO_STEPS,
    SCRATCH,
    WEIGHT,
    Backward,
    BackwardRule,
    Extra,
    Made,
    Operation,
    Result,
    Role,
    Storage,
    Tape,
    TapeTensor,
)
from archcalc.sizes import Params, Shape, product

T = TypeVar("T")
Kept = tuple[Storage, str]
"""A storage that the backward pass needs, and a text that describes the storage."""
INT64, FLOAT = 8, 4
AttentionForm = Literal["flash", "math"]
ATTENTION_FORMS: tuple[AttentionForm, ...] = get_args(AttentionForm)
"""How PyTorch runs attention: ``flash`` (one operator; the scores are not stored) or ``math`` (the scores are stored)."""


class Runner(Tape):
    """A tape on which layers run, for inference or training, with or without autocast (``amp``)."""

    def __init__(
        self,
        training: bool,
        itemsize: int,
        amp: bool,
        in_place: Mapping[int, int],
        attention: AttentionForm = "flash",
        batch: Batch | None = None,
        sums_in_place: bool = True,
    ) -> None:
        super().__init__(training)
        self.itemsize, self.amp, self.in_place = itemsize, amp, in_place
        self.attention, self.batch, self.sums_in_place = attention, batch or Batch(), sums_in_place
        self.channels_last = False
        """Whether the weights of convolutions over two and three axes are channels-last, and so are their results."""
        self.key: Callable[[Any], Any] = lambda key: key
        """Makes a key of sizes. Arrays of sizes need the key of ``archcalc.interned``."""
        self.shares: int | None = None
        self.overwrite = False
        self.freed: dict[int, dict[Storage, int]] = {}
        """By layer: the inputs that are freed before the layer is done, with the last moment that reads each input."""
        self.indices: dict[int, TapeTensor] = {}
        """The indices of the maxima of each max pooling, by layer."""
        self.unpooled: set[int] | None = None
        """The max poolings that return their indices."""
        self._copies: dict[tuple[int, int], TapeTensor] = {}
        self._casts: dict[tuple[int, int], Operation] = {}
        self._gradients: dict[Any, list[Made]] = {}
        self._rules: dict[Any, BackwardRule] = {}
        self._statistics: dict[Any, tuple[Extra, Extra]] = {}
        self._answers: dict[Any, Any] = {}

    def begin(self, node: Node) -> None:
        """Start a layer: the operators that follow belong to this layer."""
        self.node, self.name = node.index, node.name or node.layer.type
        self.shares, self.overwrite = node.shares, node.index in self.in_place
        self.parameter, self.times = 0, node.times

    def ask(self, question: Callable[[Any, Shape], T], layer: Any, x: Shape) -> T:
        """The result of ``question(layer, x)``, computed once for equal layers and inputs."""
        key = self.key((question, layer, x))
        if key not in self._answers:
            self._answers[key] = question(layer, x)
        answer: T = self._answers[key]
        return answer

    def low(self, x: TapeTensor) -> TapeTensor:
        """x in half precision, which autocast uses for convolutions and linear layers."""
        if not self.amp or x.itemsize == 2:
            return x
        return self.cast(x, 2, "in half precision")

    def single(self, x: TapeTensor) -> TapeTensor:
        """x in single precision, which autocast uses for poolings over three axes."""
        return x if not self.amp or x.itemsize == FLOAT else self.cast(x, FLOAT, "in single precision")

    def cast(self, x: TapeTensor, itemsize: int, label: str, role: Role = "map") -> TapeTensor:
        """x in another precision."""
        result = Result(itemsize=itemsize, role=role, label=label)
        return self.run("_to_copy", [x], x.count, result, rule=self.rule(x))

    def gradients(self, *counts: int) -> list[Made]:
        """The gradients of weights; ``counts``: the number of values of each weight."""
        key = self.key(counts)
        if key not in self._gradients:
            self._gradients[key] = [Made(WEIGHT, 0, n * self.itemsize) for n in counts if n]
        return self._gradients[key]

    def statistics(self, per_image: int, fixed: int, why: str) -> tuple[Extra, Extra]:
        """The mean and the deviation that a normalisation makes; the byte counts are for each of the two."""
        key = self.key((per_image, fixed, why))
        if key not in self._statistics:
            self._statistics[key] = Extra(per_image, fixed, "mean", why), Extra(per_image, fixed, "deviation", why)
        return self._statistics[key]

    def weights(self, *counts: int, last: bool = False) -> tuple[list[Made], list[TapeTensor]]:
        """The gradients of weights of ``counts`` values, and under autocast the weights' copies in half precision.

        Autocast copies each weight at its first use, the last argument of an operator first, and keeps the copy to the
        end of the forward pass. Each gradient is then the gradient of a copy; the copies are the operator's inputs 1,
        2 ... With ``last``, the first weight's gradient is channels-last and is copied into the order of the weight.
        """
        made = self.gradients(*counts)
        if last:
            first, *others = made
            made = [Made(COPIED, 0, first.fixed, becomes=first.fixed), *others]
        if not self.amp:
            return made, []
        counts = tuple(n for n in counts if n)
        owner = self.node if self.shares is None else self.shares
        copies = [self._copy(owner, self.parameter + at, counts[at], made[at]) for at in reversed(range(len(counts)))]
        self.parameter += len(counts)
        return [Made(at, 0, 2 * n) for at, n in enumerate(counts, 1)], copies[::-1]

    def using(self, computed: TapeTensor, bias: int) -> tuple[list[Made], list[TapeTensor], list[Kept]]:
        """As ``weights``, for weights that the layer has computed and for its bias; and what an operator saves of them.

        Autocast copies the computed weights at every use.
        """
        gradients, copies = self.weights(bias)
        low = self.cast_fixed(computed) if self.amp else computed
        first = Made(1, 0, low.count * low.itemsize)
        others = [one._replace(target=2) if self.amp else one for one in gradients]
        return [first, *others], [low, *copies], [(low.storage, "its computed weights")]

    def cast_fixed(self, x: TapeTensor, label: str = "computed weights in half precision") -> TapeTensor:
        """Computed weights in half precision."""
        x.storage.until(self.moment("_to_copy"))
        storage = self.make("scratch", 0, 2 * x.count, label)
        low = TapeTensor(storage, x.count, 2, derived=x.derived)
        if x.derived:
            rule = BackwardRule([[Made(0, 0, x.count * x.itemsize)]])
            self.operations.append(Operation(self.node, "_to_copy", [x], low, [], rule, self.parameter))
        return low

    def _copy(self, owner: int, parameter: int, count: int, gradient: Made) -> TapeTensor:
        """The copy of a weight in half precision. Autocast does not keep copies of frozen weights."""
        if (owner, parameter) not in self._copies or self.frozen:
            self.moment("_to_copy")
            storage = self.make("weight copy", 0, 2 * count, "weights in half precision")
            copy = TapeTensor(storage, count, 2, derived=self.trains)
            if self.frozen:
                return copy
            self._copies[owner, parameter] = copy
            if self.training:
                self.operations.append(Operation(self.node, "_to_copy", [], copy, [], NO_STEPS, parameter))
                self._casts[owner, parameter] = self.operations[-1]
        if (owner, parameter) in self._casts:  # the gradient has the order of that of the last use
            self._casts[owner, parameter].rule = BackwardRule([[gradient]])
        return self._copies[owner, parameter]

    def repeated(self, count: int, label: str) -> TapeTensor:
        """A weight of ``count`` values, repeated for every image of the batch."""
        self.moment("repeat")
        storage = self.make("scratch", count * self.itemsize * self.times, 0, f"{label}, repeated")
        weight = TapeTensor(storage, count, self.itemsize, derived=self.trains, times=self.times)
        if self.trains:
            rule = BackwardRule([self.gradients(count)], keeps=self.batch.alone(self.times), sizes=(count,))
            self.operations.append(Operation(self.node, "repeat", [], weight, [], rule, self.parameter))
            self.parameter += 1
        return weight

    def release_copies(self) -> None:
        """End autocast, which frees the copies of weights."""
        for copy in self._copies.values():
            copy.storage.until(len(self.moments) - 1)
        self._copies.clear()

    def step(self, x: TapeTensor, weights: Iterable[Made] = ()) -> Backward:
        """One backward step that makes the gradient of the first input and the gradients of ``weights``."""
        return [[Made(0, x.count * x.itemsize, 0), *weights]] if self.training else ()

    def rule(self, x: TapeTensor, order: str = "", weights: Sequence[Made] = ()) -> BackwardRule:
        """A backward pass of one step, which makes the first input's gradient in ``order``, and weight gradients."""
        if not self.training:
            return NO_STEPS
        key = self.key((x.count * x.itemsize, order, tuple(weights)))
        rule = self._rules.get(key)
        if rule is None:
            rule = self._rules[key] = BackwardRule(self.step(x, weights), bool(weights), gradient_order=order)
        return rule

    def scaling(self, x: TapeTensor, size: int, count: int, weights: int) -> BackwardRule:
        """The backward pass of a product of x and ``weights`` trained factors, in precision ``size``."""
        if self.frozen:
            return BackwardRule(into(0, x, size, count, 1), weights=True, reading_steps=1)
        steps = [
            [Made(SCRATCH, count * size, 0, 9)],
            *into(0, x, size, count, 2),
            *([one] for one in self.gradients(weights)),
        ]
        return BackwardRule(steps, weights=True, reading_steps=2)

    def copy(self, x: TapeTensor, label: str) -> Storage:
        """A copy of x that is saved for the backward pass."""
        x.storage.until(self.moment("clone"))
        return self.make("saved", x.per_image, 0, label)

    def scratch(self, operator: str, per_image: int, fixed: int, label: str) -> Storage:
        """Scratch that an operator makes and that is freed within the layer."""
        self.moment(operator)
        return self.make("scratch", per_image * self.times, fixed, label)

    def contiguous(self, x: TapeTensor, shape: Shape, moves: Arrangement | None = None) -> bool:
        """Whether the values of all images lie one after another, or would after a movement of whole axes."""
        strides: tuple[int, ...] | None = (x.image, *dense(x, shape))
        if moves is not None:
            shape, strides = moves.shape, moved(moves, (x.image, *dense(x, shape)))
        sizes = shape.channels, *shape.axes
        return strides is not None and self.batch.contiguous(sizes, strides[1:], x.image, x.times)

    def laid(self, x: TapeTensor, shape: Shape, strides: tuple[int, ...]) -> TapeTensor:
        """x, with the strides of a view."""
        sizes = shape.channels, *shape.axes
        x.order, x.strides = self.batch.order_of(sizes, strides, x.image, x.times)
        x.sizes = sizes if x.strides else ()
        return x

    def padded(self, x: TapeTensor, shape: Shape, pads: Iterable[tuple[int, int]]) -> TapeTensor:
        """x with padding around the map."""
        axes = [n + before + after for n, (before, after) in zip(shape.axes, pads, strict=True)]
        result = Result(order=formatted(x, shape), role="scratch", label="padded input")
        rule = self.rule(x)._replace(parts=((shape.channels, *shape.axes),))
        return self.run("constant_pad_nd", [x], shape.channels * product(axes), result, rule=rule)


def layer_params(layer: Any, x: Shape) -> Params:
    """The parameters of a layer, as a ``question`` for ``Runner.ask``."""
    own: Params = layer.params(x)
    return own


def halves(copies: list[TapeTensor]) -> list[Kept]:
    """The weight copies that are saved: only the first, because the gradient of the input is computed from it."""
    return [(copy.storage, "its weights in half precision") for copy in copies[:1]]


def into(target: int, x: TapeTensor, itemsize: int, count: int, at: int) -> list[list[Made]]:
    """Backward steps that compute the gradient of input x in precision ``itemsize``, and cast it to x's precision.

    ``at`` is the index of the cast among the operator's backward steps; the gradient before the cast is freed after
    that step.
    """
    if x.itemsize == itemsize:
        return [[Made(target, count * itemsize, 0)]]
    return [[Made(SCRATCH if x.derived else target, count * itemsize, 0, at)], [Made(target, count * x.itemsize, 0)]]


def trivial(x: Shape) -> bool:
    """Whether moving the channels to the end leaves the values where they are."""
    return x.channels == 1 or product(x.axes) == 1


def last(x: Shape) -> str:
    """The memory order of a map after the channels are moved back from the last axis."""
    return "last" if not trivial(x) else "unit" if x.values > 1 else "first"


def formatted(x: TapeTensor, shape: Shape) -> str:
    """The memory order of the output of an operator that keeps x's memory format, which maps over 2 and 3 axes have."""
    return "last" if x.order in ("unit", "last") and len(shape.axes) in (2, 3) else "first"


def format_of(x: TapeTensor) -> str:
    """The memory order of a tensor in x's memory format."""
    return "first" if x.order == "moved" else x.order


def dense(x: TapeTensor, shape: Shape) -> tuple[int, ...]:
    """The strides of a map."""
    return x.strides or strides_in(x.order, (shape.channels, *shape.axes))


def strides_in(order: str, sizes: tuple[int, ...]) -> tuple[int, ...]:
    """The strides of a map whose values lie one after another in an order."""
    return channels_last(sizes) if order in ("last", "unit") else contiguous(sizes)
