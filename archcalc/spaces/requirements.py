"""What a condition requires: the comparisons that it is made of, and how far an analysis is from meeting them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from fractions import Fraction
from functools import reduce
from math import inf
from typing import Any, NamedTuple

from archcalc.analysis import Analysis
from archcalc.conditions.condition import condition, tree_of
from archcalc.conditions.dimension import Dimension
from archcalc.conditions.elementwise import FLIPPED, plain
from archcalc.conditions.figures import FIELD
from archcalc.conditions.parts import MissingError, Typed
from archcalc.conditions.reader import Reader, is_constant
from archcalc.language.grammar import Tree

ORDERED = ("<", "<=", ">", ">=")
SMALLEST = 1e-300
"""The distance of a figure that equals its limit and does not meet it (``macs < 5M`` at 5M)."""


class Compared(NamedTuple):
    """A comparison at one value: the figure that is computed, and its limit.

    limit_text: the operator and the limit, as the condition has them. over: how far the figure is beyond its limit, negative
    if it is within; None if either is no number. unit: that of the figure.
    """

    figure: str
    value: Any
    limit_text: str
    limit: Any
    holds: bool
    over: Any
    unit: Dimension | str


class _Sides(NamedTuple):
    """A comparison with the figure on its left."""

    op: str
    figure: Typed
    limit: Typed


class Requirements:
    """A condition, with its parts: what is joined by ``and``, and the comparisons.

    quick: the parts whose figures are computed for many sizes at once. slow: the parts with figures of fields and of runs, which
    are computed for single sizes. lacking: the figures that an analysis lacked; the condition does not hold there.
    """

    def __init__(self, where: str, settings: Collection[str]) -> None:
        condition(where, settings)  # raises what is wrong with it
        reader = Reader(settings)
        self.tree = tree_of(where)
        self.parts = list(joined(self.tree, "and"))
        self.lacking: dict[str, None] = {}
        leaves = list(joined(self.tree, "and", "or"))
        typed = {tree: reader.read(tree) for tree in (*self.parts, *leaves)}
        self.quick = [tree for tree in self.parts if typed[tree].cost < FIELD]
        self.slow = [tree for tree in self.parts if typed[tree].cost >= FIELD]
        self._values = {tree: one.value for tree, one in typed.items()}
        self._sides = {tree: _sides(tree, typed[tree]) for tree in leaves if tree.kind == "compare"}

    def holds(self, parts: Sequence[Tree], analysis: Analysis) -> Any:
        """Whether these parts hold; an array for an analysis of arrays. A part does not hold where a figure is lacking."""
        found: Any = True
        for tree in parts:
            try:
                found = found & plain(self._values[tree](analysis))
            except MissingError as error:
                self.lacking[str(error)] = None
                return False
        return found

    def distance(self, parts: Sequence[Tree], analysis: Analysis) -> Any:
        """How far an analysis is from meeting these parts, as a part of the limits; an array for an analysis of arrays.

        0: all of them hold. inf: that has no measure.
        """
        import numpy as np

        return reduce(np.maximum, [self._distance(tree, analysis) for tree in parts])

    def compared(self, analysis: Analysis) -> tuple[Compared, ...]:
        """Every comparison of the condition at an analysis. A comparison without a figure of the network is left out."""
        found = []
        for tree, (op, figure, limit) in self._sides.items():
            try:
                value, most, holds = figure.value(analysis), limit.value(analysis), bool(self._values[tree](analysis))
            except MissingError:
                continue
            over, text = _over(op, value, most), f"{op} {limit.text}"
            found.append(Compared(figure.text, plain(value), text, plain(most), holds, plain(over), figure.unit))
        return tuple(found)

    def _distance(self, tree: Tree, analysis: Analysis) -> Any:
        import numpy as np

        if tree.kind in ("and", "or"):
            parts = [self._distance(part, analysis) for part in tree.parts]
            return reduce(np.maximum if tree.kind == "and" else np.minimum, parts)
        try:
            holds = plain(self._values[tree](analysis))
            sides = self._sides.get(tree)
            if sides is None or sides.op not in ORDERED:
                return np.where(holds, 0.0, inf)
            value, most = _floats(sides.figure.value(analysis)), _floats(sides.limit.value(analysis))
        except MissingError as error:
            self.lacking[str(error)] = None
            return inf
        with np.errstate(divide="ignore", invalid="ignore"):
            far = np.abs(value - most) / np.abs(most)
        return np.where(holds, 0.0, np.where(np.isnan(far), inf, np.maximum(far, SMALLEST)))


def _floats(value: Any) -> Any:
    """A number, or an array of numbers, as float64; what is no number as NaN."""
    import numpy as np

    return np.asarray(plain(value)).astype("float64")


def joined(tree: Tree, *kinds: str) -> Iterator[Tree]:
    """The parts of a condition that are joined by ``and``, by ``or``, or by both."""
    if tree.kind in kinds:
        for part in tree.parts:
            yield from joined(part, *kinds)
    else:
        yield tree


def _sides(tree: Tree, typed: Typed) -> _Sides:
    assert typed.sides is not None  # as every comparison has them
    op, left, right = typed.sides
    if is_constant(tree.parts[0]) and not is_constant(tree.parts[1]):
        return _Sides(FLIPPED[op], right, left)
    return _Sides(op, left, right)


def _over(op: str, value: Any, limit: Any) -> Any:
    if not all(isinstance(one, (int, float, Fraction)) and not isinstance(one, bool) for one in (value, limit)):
        return None
    return value - limit if op in ("<", "<=", "==", "!=") else limit - value
