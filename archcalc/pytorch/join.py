"""What PyTorch does with joins: layers of several inputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from archcalc.layers import Layer
from archcalc.layers.axes import axis_number
from archcalc.layers.join import Add, broadcast
from archcalc.pytorch.code import InlineCode, ModuleCode, Statements
from archcalc.pytorch.layout import agree, contiguous, packed
from archcalc.pytorch.record import JoinRecord, operands
from archcalc.pytorch.runner import Runner, dense, formatted, into
from archcalc.pytorch.tape import NOTHING_SAVED, SCRATCH, BackwardRule, Made, Result, Saves, TapeTensor
from archcalc.pytorch.unequal import unequal_sum
from archcalc.sizes import Shape, distinct


class OneByOneRecord(JoinRecord):
    """A join that combines two inputs at a time: the first two, then the result and the third, and so on.

    Each combination is one statement. Its two inputs are freed after the statement.
    """

    facts: ClassVar[tuple[str, ...]] = (*JoinRecord.facts, "sign", "partial")

    sign: str
    """The operator between two inputs."""
    partial: str
    """The label of an intermediate result."""
    saves_input, saves_output = False, False
    in_place = False
    keeps_format = False

    def write(self, ends: list[str], over: bool) -> list[InlineCode]:
        return one_by_one(ends, f" {self.sign} ")

    def stand_in(self, layer: Any, out: Shape) -> Sequence[Layer]:
        """A sum of the inputs: receptive fields do not distinguish channels."""
        return [Add()]


def one_by_one(ends: list[str], between: str, after: str = "") -> list[InlineCode]:
    first, *others = ends
    if not others:
        return [InlineCode(f"{{0}}{first}")]
    return [InlineCode(f"{{0}}{'' if at else first}{between}{{1}}{end}{after}") for at, end in enumerate(others)]


class AddRecord(OneByOneRecord, type="add"):
    sign, partial, in_place = "+", "sum so far", True

    def write(self, ends: list[str], over: bool) -> list[InlineCode]:
        return one_by_one(ends, ".add_(", ")") if over else super().write(ends, over)

    def statements(self, layer: Any, inputs: Sequence[Shape], out: Shape, over: bool = False) -> Statements:
        if layer.unequal:
            return Statements((), ModuleCode("UnequalSum", {"inplace": over}, 0, {"inplace": False}))
        return super().statements(layer, inputs, out, over)

    def stand_in(self, layer: Any, out: Shape) -> Sequence[Layer]:
        return [layer] if layer.unequal else super().stand_in(layer, out)

    def run(self, tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        return unequal_sum(tape, xs, shapes) if layer.unequal else self.sum(tape, xs, shapes, len(xs) - 1)

    def sum(self, tape: Runner, xs: list[TapeTensor], shapes: list[Shape], final: int) -> TapeTensor:
        """Add the inputs one after another; the result of addition number ``final`` is the output."""
        shape = shapes[0]
        for at, other in enumerate(shapes[1:], 1):
            total, x = xs[:2]
            terms = shape, other
            size = max(total.itemsize, x.itemsize)
            shape = broadcast(shape, other)
            order, strides = _order(tape, (total, x), terms, shape)
            over = total if tape.overwrite and total.itemsize == size else None
            whole = at == final
            label = "" if whole else self.partial
            result = Result(over, False, order, size, "map" if whole else "scratch", label)
            rule = BackwardRule(_summed((total, x), shape.values, size), passes_gradient_on=True)
            xs[:2] = [
                _laid(tape.run("add", [total, x], shape.values, result, rule=rule), shape, strides, over or total)
            ]
        return xs[0]


class MeanRecord(AddRecord, type="mean"):
    in_place = False
    statements, stand_in = OneByOneRecord.statements, OneByOneRecord.stand_in

    def write(self, ends: list[str], over: bool) -> list[InlineCode]:
        sums = super().write(ends, over) if len(ends) > 1 else []
        return [*sums, InlineCode(f"{{0}} / {len(ends)}")]

    def run(self, tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        total = self.sum(tape, xs, shapes, 0)
        return tape.run("div", [total], out.values, rule=tape.rule(total))


class CombinedRecord(OneByOneRecord):
    """A join of an operator whose backward pass makes a gradient of its own for at least one of two inputs."""

    facts: ClassVar[tuple[str, ...]] = (*OneByOneRecord.facts, "operator", "backward")

    operator: ClassVar[str]
    backward: Callable[[tuple[TapeTensor, TapeTensor], int, int], tuple[Saves, BackwardRule]]
    """What the operator saves, and its backward pass; arguments: two inputs, the values and the itemsize of a result."""

    def run(self, tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        shape = shapes[0]
        for second in shapes[1:]:
            first, x = xs[:2]
            terms = shape, second
            shape = broadcast(shape, second)
            size = max(first.itemsize, x.itemsize)
            (order, strides), last = _order(tape, (first, x), terms, shape), len(xs) == 2
            result = Result(None, False, order, size, "map" if last else "scratch", "" if last else self.partial)
            saves, rule = self.backward((first, x), shape.values, size)
            xs[:2] = [
                _laid(tape.run(self.operator, [first, x], shape.values, result, saves, rule), shape, strides, first)
            ]
        return xs[0]


class MultiplyRecord(CombinedRecord, type="multiply"):
    """A product. Autograd computes the gradient of a gate at the full size of the map, and then sums this gradient."""

    sign, operator, partial, saves_input = "*", "mul", "product so far", True

    def backward(self, xs: tuple[TapeTensor, TapeTensor], count: int, itemsize: int) -> tuple[Saves, BackwardRule]:
        first, x = xs
        pairs = ((x, first), (first, x))
        saves = Saves(tensors=[(other.storage, "the other factor") for other, factor in pairs if factor.derived])
        return saves, BackwardRule(_factors(xs, count, itemsize), reading_steps=first.derived + x.derived)


class SubtractRecord(CombinedRecord, type="subtract"):
    """The gradient of the first input is the output's gradient; the negative one is a new tensor."""

    sign, operator, partial = "-", "sub", "difference so far"

    def backward(self, xs: tuple[TapeTensor, TapeTensor], count: int, itemsize: int) -> tuple[Saves, BackwardRule]:
        first, x = xs
        small = first.derived and first.count < count
        between = into(0, first, itemsize, first.count, 1 + x.derived) if small else []
        steps = _reduced(1, x, count, itemsize, 1 + len(between)) if x.derived else []
        return NOTHING_SAVED, BackwardRule([*steps[:1], *between, *steps[1:]], passes_gradient_on=True)


class DivideRecord(CombinedRecord, type="divide"):
    """A quotient. The gradient of the divisor takes four operators: minus the gradient, times the quotient divided again."""

    sign, operator, partial, saves_input = "/", "div", "quotient so far", True

    def backward(self, xs: tuple[TapeTensor, TapeTensor], count: int, itemsize: int) -> tuple[Saves, BackwardRule]:
        first, x = xs
        within = 3 * (count * itemsize,)
        steps = _factors(xs, count, itemsize, ((), within))
        saves = Saves(tensors=[(x.storage, "the divisor"), *([(first.storage, "its input")] if x.derived else [])])
        return saves, BackwardRule(steps, reading_steps=first.derived + x.derived * (1 + len(within)))


class MaximumRecord(CombinedRecord, type="maximum"):
    """A gradient takes five operators: where the other input is larger, half of the gradient, where both are equal, the
    choice of half or whole, and zeros where the other input is larger. The result is contiguous."""

    sign, operator, partial, saves_input = "maximum", "maximum", "maximum so far", True

    def write(self, ends: list[str], over: bool) -> list[InlineCode]:
        return one_by_one(ends, f".{self.sign}(", ")")

    def backward(self, xs: tuple[TapeTensor, TapeTensor], count: int, itemsize: int) -> tuple[Saves, BackwardRule]:
        within = count, count * itemsize, count, count * itemsize
        steps = _factors(xs, count, itemsize, (within, within))
        reading = (1 + len(within)) * sum(x.derived for x in xs)
        saves = Saves(tensors=[(x.storage, "both inputs") for x in reversed(xs)])
        return saves, BackwardRule(steps, gradient_order="first", reading_steps=reading)


class MinimumRecord(MaximumRecord, type="minimum"):
    sign, operator, partial = "minimum", "minimum", "minimum so far"


def _order(
    tape: Runner, xs: tuple[TapeTensor, TapeTensor], shapes: tuple[Shape, Shape], out: Shape
) -> tuple[str, tuple[int, ...]]:
    """The memory order of the result of two inputs, and its strides if the axes lie in an order of their own.

    If the first input is dense and as large as the result, it decides. Else the strides of both decide, those of the first
    first.
    """
    sizes = (out.channels, *out.axes)
    rows = [_strides(x, shape, sizes) for x, shape in zip(xs, shapes, strict=True)]
    if xs[0].count == out.values and not xs[0].strides:
        return xs[0].order, ()
    if all(agree(sizes, row, contiguous(sizes)) for row in rows):
        return "first", ()
    return tape.batch.order_of(sizes, packed(sizes, rows), out.values, xs[0].times)


def _laid(y: TapeTensor, shape: Shape, strides: tuple[int, ...], first: TapeTensor) -> TapeTensor:
    """The result of two inputs, with its strides; ``first``: the first of them, or the one whose storage it takes."""
    if first.storage is y.storage:
        y.order, y.sizes, y.strides, y.apart = first.order, first.sizes, first.strides, first.apart
    elif strides:
        y.sizes, y.strides = (shape.channels, *shape.axes), strides
        y.apart = first.apart if strides == first.strides else 0
    return y


def _strides(x: TapeTensor, shape: Shape, sizes: tuple[int, ...]) -> tuple[int, ...]:
    """The strides of the channels and axes of an input of a larger result; 0 along axes that repeat the input."""
    own = (shape.channels, *(shape.axes or (1,) * (len(sizes) - 1)))
    strides = dense(x, shape) if shape.axes else (1,) * len(sizes)
    return tuple(0 if n < size else stride for n, size, stride in zip(own, sizes, strides, strict=True))


def _summed(terms: tuple[TapeTensor, TapeTensor], count: int, itemsize: int) -> list[list[Made]]:
    """Backward of a sum: the gradient of a smaller term is summed to the term's shape, and cast to its precision."""
    steps: list[list[Made]] = []
    for n, x in enumerate(terms):
        if x.count < count and x.derived:
            steps += into(n, x, itemsize, x.count, len(steps) + 1)
    return steps


def _factors(
    factors: tuple[TapeTensor, TapeTensor],
    count: int,
    itemsize: int,
    within: tuple[Sequence[int], Sequence[int]] = ((), ()),
) -> list[list[Made]]:
    """Backward of a product, or of another operator that makes tensors of so many bytes ``within`` the gradient of each.

    Autograd first computes both full-size gradients (second factor, then first). Then it reduces each gradient to its
    factor's shape and precision (first factor, then second).
    """
    derived = [(n, x) for n, x in enumerate(factors) if x.derived]
    full = sum(1 + len(within[n]) for n, _ in derived)
    whole: list[tuple[int, list[Made]]] = []
    rest: list[list[Made]] = []
    for n, x in derived:
        first, *others = _reduced(n, x, count, itemsize, full + len(rest))
        whole.append((n, first))
        rest += others
    steps: list[list[Made]] = []
    for n, one in reversed(whole):
        last = len(steps) + len(within[n])
        steps += [*([Made(SCRATCH, size, 0, last)] for size in within[n]), one]
    return [*steps, *rest]


def _reduced(n: int, x: TapeTensor, count: int, itemsize: int, at: int) -> list[list[Made]]:
    """Steps that make the gradient of input n at full size, sum it to the shape of x, and cast it to x's precision.

    ``at``: the number of the second step.
    """
    sizes = distinct([count * itemsize, x.count * itemsize, x.count * x.itemsize])
    made = [Made(SCRATCH, size, 0, at + turn) for turn, size in enumerate(sizes[:-1])]
    return [[one] for one in (*made, Made(n, sizes[-1], 0))]


class ConcatRecord(JoinRecord, type="concat"):
    """The output has the memory format of the inputs; under autocast, the highest precision among the inputs."""

    modules = ("PositionalEncoding",)  # of torchvision's MViT, which ends with the class token and the other tokens
    saves_input, saves_output = False, False
    in_place = False
    keeps_format = True

    def write(self, ends: list[str], over: bool) -> list[InlineCode]:
        return [self.along(1, ends)]

    def along(self, axis: int, ends: list[str]) -> InlineCode:
        terms = [f"{{{at}}}{end}" for at, end in enumerate(ends)]
        return InlineCode(f"torch.cat(({', '.join(terms)}{',' * (len(terms) == 1)}), {axis})")

    def statements(self, layer: Any, inputs: Sequence[Shape], out: Shape, over: bool = False) -> Statements:
        axis = 1 + axis_number(layer.axis, out, layer.type)
        return Statements((), self.along(axis, operands(out, inputs)))

    def run(self, tape: Runner, layer: Any, xs: list[TapeTensor], shapes: list[Shape], out: Shape) -> TapeTensor:
        size = max(x.itemsize for x in xs)
        if tape.amp:
            label = "in single precision"
            xs = [x if x.itemsize == size else tape.cast(x, size, label, "scratch") for x in xs]
        order = "last" if all(formatted(x, out) == "last" for x in xs) else "first"
        parts = tuple((shape.channels, *shape.axes) for shape in (*shapes, out))
        rule = BackwardRule(passes_gradient_on=True, parts=parts)
        return tape.run("cat", xs, out.values, Result(order=order, itemsize=size), rule=rule)

    def stand_in(self, layer: Any, out: Shape) -> Sequence[Layer]:
        return [Add()]
