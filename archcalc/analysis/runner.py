"""A tape on which layers run, and what their operators share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from archcalc.analysis.tape import COPIED, WEIGHT, Backward, Made, Storage, Tape, Value
from archcalc.network import Node
from archcalc.sizes import Params, Shape, product

T = TypeVar("T")
Kept = tuple[Value | Storage, str]
"""A tensor that the backward pass needs, and as what."""
INT64, FLOAT = 8, 4
Run = Callable[["Runner", Any, list[Value], list[Shape], Shape], Value]
"""Runs a layer on a tape: the layer, its inputs, their shapes, and the shape of its output, which it returns."""


class Runner(Tape):
    """A tape on which layers run, in training or not, under autocast or not."""

    def __init__(self, training: bool, itemsize: int, amp: bool, in_place: Mapping[int, int]) -> None:
        super().__init__(training)
        self.itemsize, self.amp, self.in_place = itemsize, amp, in_place
        self.shares: int | None = None
        self.overwrite = False
        self._copies: dict[tuple[int, int], Storage] = {}
        self._gradients: dict[tuple[int, ...], list[Made]] = {}
        self._answers: dict[tuple[Any, Any, Shape], Any] = {}

    def begin(self, node: Node) -> None:
        """The operators that follow belong to this layer."""
        self.node, self.name = node.index, node.name or node.layer.type
        self.shares, self.overwrite = node.shares, node.index in self.in_place

    def ask(self, question: Callable[[Any, Shape], T], layer: Any, x: Shape) -> T:
        """What a question on a layer and its input gives; asked once for all layers alike."""
        key = question, layer, x
        if key not in self._answers:
            self._answers[key] = question(layer, x)
        answer: T = self._answers[key]
        return answer

    def low(self, x: Value) -> Value:
        """x in half precision, which autocast gives to convolutions and linear layers."""
        if not self.amp or x.itemsize == 2:
            return x
        step = [[Made(0, x.count * x.itemsize, 0)]]
        return self.run("_to_copy", [x], x.count, itemsize=2, what="in half precision", backward=step)

    def gradients(self, *counts: int) -> list[Made]:
        """The gradients of weights with so many values each."""
        if counts not in self._gradients:
            self._gradients[counts] = [Made(WEIGHT, 0, n * self.itemsize) for n in counts if n]
        return self._gradients[counts]

    def weights(self, *counts: int) -> tuple[list[Made], list[Kept]]:
        """The gradients of weights with so many values each, and what is kept of the first under autocast.

        Autocast makes a copy of each weight in half precision where it is first used, and keeps it to the end
        of the forward pass; the backward pass needs that of the first.
        """
        if not self.amp:
            return self.gradients(*counts), []
        owner = self.node if self.shares is None else self.shares
        for at, count in enumerate(counts):
            if count and (owner, at) not in self._copies:
                self.moment("_to_copy")
                self._copies[owner, at] = self.make("weight copy", 0, 2 * count, "weights in half precision")
        kept: list[Kept] = [(self._copies[owner, 0], "its weights in half precision")] if counts[0] else []
        return [Made(COPIED, 0, 2 * n, becomes=n * self.itemsize) for n in counts if n], kept

    def release_copies(self) -> None:
        """The end of autocast, which lets go of its copies of weights."""
        for copy in self._copies.values():
            copy.until(len(self.moments) - 1)

    def new(self, x: Value, weights: Iterable[Made] = ()) -> Backward:
        """One step that makes the gradient of the first input, with those of weights."""
        return [[Made(0, x.count * x.itemsize, 0), *weights]] if self.training else ()


def params(layer: Any, x: Shape) -> Params:
    found: Params = layer.params(x)
    return found


def its_input(layer: Any) -> str:
    return f"{layer.type}: its input"


def trivial(x: Shape) -> bool:
    """Whether moving the channels to the end leaves the values where they are."""
    return x.channels == 1 or product(x.axes) == 1


def scratch(tape: Runner, operator: str, per_image: int, what: str) -> Any:
    tape.moment(operator)
    return tape.make("scratch", per_image, 0, what)


def padded(tape: Runner, layer: Any, x: Value, shape: Shape) -> Value:
    """x with its zeros around it, where PyTorch cannot pad both sides of an axis alike within the layer."""
    pads = tape.ask(uneven_pads, layer, shape)
    return pad(tape, x, shape, pads) if pads else x


def uneven_pads(layer: Any, shape: Shape) -> list[tuple[int, int]]:
    """The zeros before and after every axis, where they differ on one."""
    if not hasattr(layer, "slides") or layer.type == "conv_transpose":
        return []
    pads = [(slide[-2], slide[-1]) for slide in layer.slides(shape)]
    return [] if all(before == after for before, after in pads) else pads


def pad(tape: Runner, x: Value, shape: Shape, pads: list[tuple[int, int]], what: str = "padded input") -> Value:
    axes = [n + before + after for n, (before, after) in zip(shape.axes, pads, strict=True)]
    count = shape.channels * product(axes)
    return tape.run("constant_pad_nd", [x], count, what=what, role="scratch", backward=tape.new(x))
