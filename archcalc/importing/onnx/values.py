"""The values of constants, and arithmetic on them: the sizes that a graph computes for its reshapes and slices."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import product as product_of
from math import prod
from typing import Any

MOST = 1_000_000
"""The most values of a constant that is computed."""


class Kind(str):
    """A data type by its name in PyTorch."""

    __slots__ = ()

    @property
    def is_floating_point(self) -> bool:
        return self == "torch.float32"


class Values:
    """The values of a constant with its sizes, the last axis running fastest.

    It has what the rules of recorded models ask of the values of a constant, which there are a tensor of PyTorch.
    """

    __slots__ = ("flat", "sizes")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, sizes: Sequence[int], flat: list[Any]) -> None:
        self.sizes, self.flat = tuple(sizes), flat

    def numel(self) -> int:
        return len(self.flat)

    def dim(self) -> int:
        return len(self.sizes)

    def __float__(self) -> float:
        return float(self.flat[0])

    def any(self) -> bool:
        return any(self.flat)

    def all(self) -> bool:
        return all(self.flat)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.sizes

    @property
    def dtype(self) -> Kind:
        return Kind("torch.float32" if any(isinstance(one, float) for one in self.flat) else "torch.int64")

    def flatten(self) -> Values:
        return Values((len(self.flat),), self.flat)

    def reshape(self, size: int) -> Values:
        """The values in one row, which is all that -1 asks for."""
        assert size == -1
        return self.flatten()

    def __eq__(self, other: object) -> Values:  # type: ignore[override]
        """Whether each value is that of another one, or is a number."""
        pairs = zip(self.flat, other.flat if isinstance(other, Values) else [other] * len(self.flat), strict=True)
        return Values(self.sizes, [a == b for a, b in pairs])

    def __getitem__(self, place: int | slice) -> Any:
        """The part at a place of the first axis, or the list of several."""
        if isinstance(place, slice):
            return [self[n] for n in range(*place.indices(self.sizes[0]))]
        if not -self.sizes[0] <= place < self.sizes[0]:
            raise IndexError(place)
        count = len(self.flat) // self.sizes[0]
        part = self.flat[place % self.sizes[0] * count :][:count]
        return Values(self.sizes[1:], part)

    def tolist(self) -> Any:
        """Nested lists, or one number."""
        found: Any = self.flat
        for size in reversed(self.sizes[1:]):
            found = [found[at : at + size] for at in range(0, len(found), size)] if size else found
        return found if self.sizes else found[0]


def strides(sizes: Sequence[int]) -> list[int]:
    """How far apart neighbours along each axis lie."""
    return [prod(sizes[at + 1 :]) for at in range(len(sizes))]


def broadcast(*shapes: Sequence[int]) -> tuple[int, ...] | None:
    """The sizes of several tensors together; None if they do not fit."""
    count = max(map(len, shapes), default=0)
    found = []
    for sizes in zip(*((1,) * (count - len(shape)) + tuple(shape) for shape in shapes), strict=True):
        more = {size for size in sizes if size != 1}
        if len(more) > 1:
            return None
        found.append(more.pop() if more else 1)
    return tuple(found)


def spread(values: Values, sizes: tuple[int, ...]) -> list[Any]:
    """The values repeated to larger sizes."""
    if values.sizes == sizes:
        return values.flat
    if len(values.flat) == 1:
        return values.flat * prod(sizes)
    own = (1,) * (len(sizes) - len(values.sizes)) + values.sizes
    steps = [step if size > 1 else 0 for step, size in zip(strides(own), own, strict=True)]
    return [values.flat[n] for n in _places(steps, sizes)]


def _places(steps: Sequence[int], sizes: Sequence[int], start: int = 0) -> list[int]:
    places = [start]
    for step, size in zip(steps, sizes, strict=True):
        places = [place + n * step for place in places for n in range(size)]
    return places


def _whole_division(a: Any, b: Any) -> Any:
    if isinstance(a, float) or isinstance(b, float):
        return a / b
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


BY_TWO: dict[str, Callable[[Any, Any], Any]] = {
    "Add": lambda a, b: a + b,
    "Sub": lambda a, b: a - b,
    "Mul": lambda a, b: a * b,
    "Div": _whole_division,
    "Mod": lambda a, b: a % b,
    "Pow": lambda a, b: a**b if abs(b) < 64 and abs(a) < 2**32 else math.nan,
    "Max": max,
    "Min": min,
    "Equal": lambda a, b: int(a == b),
    "Greater": lambda a, b: int(a > b),
    "GreaterOrEqual": lambda a, b: int(a >= b),
    "Less": lambda a, b: int(a < b),
    "LessOrEqual": lambda a, b: int(a <= b),
    "And": lambda a, b: int(bool(a) and bool(b)),
    "Or": lambda a, b: int(bool(a) or bool(b)),
    "Xor": lambda a, b: int(bool(a) != bool(b)),
}
BY_ONE: dict[str, Callable[[Any], Any]] = {
    "Neg": lambda a: -a,
    "Abs": abs,
    "Sqrt": math.sqrt,
    "Floor": math.floor,
    "Ceil": math.ceil,
    "Round": round,
    "Not": lambda a: int(not a),
    "Reciprocal": lambda a: 1 / a,
    "Exp": math.exp,
    "Log": math.log,
    "Sin": math.sin,
    "Cos": math.cos,
    "Sign": lambda a: (a > 0) - (a < 0),
}


def computed(type: str, operands: Sequence[Values | None]) -> Values | None:
    """The values of an operator that computes value by value; None if they, or those of an operand, are not known."""
    given = [one for one in operands if one is not None]
    sizes = broadcast(*(one.sizes for one in given)) if len(given) == len(operands) else None
    if sizes is None or prod(sizes) > MOST:
        return None
    columns = [spread(one, sizes) for one in given]
    try:
        if type in BY_ONE and len(columns) == 1:
            return Values(sizes, [BY_ONE[type](a) for a in columns[0]])
        if type in BY_TWO and columns:
            found = columns[0]
            for column in columns[1:]:
                found = [BY_TWO[type](a, b) for a, b in zip(found, column, strict=True)]
            return Values(sizes, found)
        if type == "Where" and len(columns) == 3:
            return Values(sizes, [a if c else b for c, a, b in zip(*columns, strict=True)])
    except (ArithmeticError, ValueError, TypeError):
        return None
    return None


def transposed(values: Values, order: Sequence[int]) -> Values:
    steps = strides(values.sizes)
    sizes = [values.sizes[axis] for axis in order]
    return Values(sizes, [values.flat[n] for n in _places([steps[axis] for axis in order], sizes)])


def sliced(values: Values, ranges: Sequence[range]) -> Values:
    """The values at some positions along each axis."""
    places = [0]
    for step, positions in zip(strides(values.sizes), ranges, strict=True):
        places = [place + n * step for place in places for n in positions]
    return Values([len(one) for one in ranges], [values.flat[n] for n in places])


def gathered(values: Values, indices: Values, axis: int) -> Values | None:
    """The values at indices along an axis."""
    length = values.sizes[axis]
    if any(not -length <= n < length for n in indices.flat):
        return None
    outer, inner = prod(values.sizes[:axis]), prod(values.sizes[axis + 1 :])
    if outer * inner * len(indices.flat) > MOST:
        return None
    flat: list[Any] = []
    for o in range(outer):
        for n in indices.flat:
            start = (o * length + n % length) * inner
            flat += values.flat[start : start + inner]
    return Values((*values.sizes[:axis], *indices.sizes, *values.sizes[axis + 1 :]), flat)


def joined(parts: Sequence[Values], axis: int) -> Values:
    """Values one after another along an axis."""
    first = parts[0].sizes
    outer = prod(first[:axis])
    flat: list[Any] = []
    for o in range(outer):
        for part in parts:
            length = len(part.flat) // outer if outer else 0
            flat += part.flat[o * length : (o + 1) * length]
    return Values((*first[:axis], sum(part.sizes[axis] for part in parts), *first[axis + 1 :]), flat)


def reduced(values: Values, axes: Sequence[int], keep: bool, by: Callable[[Sequence[Any]], Any]) -> Values:
    """One value for all values along some axes."""
    kept = [axis for axis in range(len(values.sizes)) if axis not in axes]
    moved = transposed(values, [*kept, *axes])
    length = prod(values.sizes[axis] for axis in axes)
    flat = [by(moved.flat[at : at + length]) for at in range(0, len(moved.flat), length or 1)]
    sizes = [1 if axis in axes else size for axis, size in enumerate(values.sizes) if keep or axis not in axes]
    return Values(sizes, flat)


def summed(values: Values, axis: int) -> Values:
    """The sums of all values up to each position along an axis."""
    step = strides(values.sizes)[axis]
    flat = list(values.flat)
    for n in range(len(flat)):
        if n // step % values.sizes[axis]:
            flat[n] += flat[n - step]
    return Values(values.sizes, flat)


def scattered(values: Values, indices: Values, updates: Values) -> Values | None:
    """The values with some of them replaced."""
    if not indices.sizes or not 1 <= indices.sizes[-1] <= len(values.sizes):
        return None
    depth = indices.sizes[-1]
    steps = strides(values.sizes)
    inner = steps[depth - 1]
    flat = list(values.flat)
    for n in range(len(indices.flat) // depth):
        index = indices.flat[n * depth : (n + 1) * depth]
        start = sum((i % size) * step for i, size, step in zip(index, values.sizes, steps, strict=False))
        flat[start : start + inner] = updates.flat[n * inner : (n + 1) * inner]
    return Values(values.sizes, flat) if len(flat) == len(values.flat) else None


def nonzero(values: Values) -> Values:
    """The indices of the values that are not zero: one row for each axis."""
    found = [index for index, one in zip(product_of(*map(range, values.sizes)), values.flat, strict=True) if one]
    return Values(
        (len(values.sizes), len(found)), [index[axis] for axis in range(len(values.sizes)) for index in found]
    )
