"""The layout of a map: which positions of the grid the positions along each axis of the map stand for.

Rearrangements move positions of a map: tokens are rows and columns in one axis, windows are two axes whose positions
lie in each other. Fields are computed on the *grid*, the map as if its positions had never been moved: the grid has one
size for every axis of the network input. A layout says for every axis of the map of which digits of the grid's
positions the axis consists.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from archcalc.sizes import Int, equal, largest, product

FREE = -1
"""The axis of a digit that is no part of the grid: all its positions have the same field."""


class Digit(NamedTuple):
    """A part of the position along an axis of the grid: ``position // inner % size``."""

    axis: int
    size: Int
    inner: Int = 1


class Slot(NamedTuple):
    """An axis of a map: its digits, the outermost first; and positions before and after, such as a class token."""

    digits: tuple[Digit, ...]
    before: Int = 0
    after: Int = 0

    @property
    def size(self) -> Int:
        return self.before + product(digit.size for digit in self.digits) + self.after


class Layout:
    """The layout of one node's output.

    axes      the sizes of the grid
    slots     the digits of each axis of the map
    shifts    for each axis of the grid, how far the map was rolled: position p of the grid is at p + shift in the map
    carried   the channels contain positions of an earlier grid that no layer has mixed yet
    told      the positions before and after the digits (a class token) have read the whole map
    """

    __slots__ = ("axes", "carried", "shifts", "slots", "told")

    def __init__(
        self,
        axes: tuple[Int, ...],
        slots: tuple[Slot, ...],
        shifts: tuple[Int, ...],
        carried: bool = False,
        told: bool = False,
    ) -> None:
        self.axes, self.slots, self.shifts, self.carried, self.told = axes, slots, shifts, carried, told

    @property
    def key(self) -> tuple[Any, ...]:
        return self.axes, self.slots, self.shifts, self.carried, self.told

    def __repr__(self) -> str:
        return f"Layout{self.key}"

    @property
    def tokens(self) -> list[int]:
        """The axes of the map that have positions before or after the digits, such as a class token."""
        return [at for at, slot in enumerate(self.slots) if not (equal(slot.before, 0) and equal(slot.after, 0))]

    @property
    def positions_alike(self) -> bool:
        """Whether all positions along some axis of the map have the same field, and an axis of the grid has no positions."""
        if not any(digit.axis == FREE for slot in self.slots for digit in slot.digits):
            return False
        return any(equal(n, 1) for n in self.axes)

    def plain(self, slot: Slot) -> int | None:
        """The axis of the grid that a slot is; None for any other slot."""
        if len(slot.digits) != 1:
            return None
        (digit,) = slot.digits
        whole = digit.axis != FREE and equal(digit.size, self.axes[digit.axis])
        return digit.axis if whole and equal(self.shifts[digit.axis], 0) and slot[1:] == (0, 0) else None

    def places(self, axis: int) -> list[tuple[int, Int, Int, Int]]:
        """Where the digits of an axis of the grid are: slot, positions of the slot inside, inner, and size."""
        found: list[tuple[int, Int, Int, Int]] = []
        for at, slot in enumerate(self.slots):
            inside: Int = 1
            for digit in reversed(slot.digits):
                if digit.axis == axis:
                    found.append((at, inside, digit.inner, digit.size))
                inside = inside * digit.size
        return found

    def position(self, unit: Sequence[int]) -> tuple[int, ...] | None:
        """The position of the grid for a unit of the map; None for a class token. A vector has one position."""
        if not self.slots:
            return (0,) * len(self.axes)
        there = [0] * len(self.axes)
        for slot, at in zip(self.slots, unit, strict=True):
            at -= slot.before
            if not 0 <= at < slot.size - slot.before - slot.after:
                return None
            for digit in reversed(slot.digits):
                at, value = divmod(at, digit.size)
                if digit.axis != FREE:
                    there[digit.axis] += value * digit.inner
        return tuple((p - shift) % n for p, shift, n in zip(there, self.shifts, self.axes, strict=True))


def plain_layout(axes: Sequence[Int]) -> Layout:
    """The layout of a map whose positions were not moved."""
    return Layout(tuple(axes), tuple(Slot((Digit(at, n),)) for at, n in enumerate(axes)), (0,) * len(axes))


def vector_layout(axes: int) -> Layout:
    """The layout of a vector: the grid has one position along every axis."""
    return Layout((1,) * axes, (), (0,) * axes)


def split(digits: Iterable[Digit], sizes: Sequence[Int]) -> list[list[Digit]] | None:
    """The digits of each part of an axis, for parts of these sizes; None if a part ends inside a digit.

    >>> split([Digit(0, 8), Digit(1, 6)], [4, 2, 6])
    [[Digit(axis=0, size=4, inner=2)], [Digit(axis=0, size=2, inner=1)], [Digit(axis=1, size=6, inner=1)]]
    """
    left = list(digits)
    parts: list[list[Digit]] = []
    for size in reversed(sizes):
        part: list[Digit] = []
        while largest(size) > 1:
            if not left:
                return None
            digit = left.pop()
            if largest(size % digit.size) == 0:
                part.insert(0, digit)
                size = size // digit.size
            elif largest(digit.size % size) == 0:
                part.insert(0, digit._replace(size=size))
                left.append(digit._replace(size=digit.size // size, inner=digit.inner * size))
                size = 1
            else:
                return None
        parts.insert(0, part)
    if parts:
        parts[0][:0] = [digit for digit in left if digit.axis != FREE]  # sizes of 1 remain
    return parts


def simplest(digits: Iterable[Digit], axes: Sequence[Int]) -> tuple[Digit, ...]:
    """The digits without digits of size 1, if their axis has other digits; digits that belong together are joined."""
    result: list[Digit] = []
    for digit in digits:
        if equal(digit.size, 1) and (digit.axis == FREE or not equal(axes[digit.axis], 1)):
            continue
        before = result[-1] if result else None
        if before and before.axis == digit.axis:
            if digit.axis == FREE:
                result[-1] = Digit(FREE, before.size * digit.size)
                continue
            if equal(before.inner, digit.inner * digit.size):
                result[-1] = Digit(digit.axis, before.size * digit.size, digit.inner)
                continue
        result.append(digit)
    return tuple(result)


def free(size: Int) -> Slot:
    """An axis of ``size`` positions that all have the same field."""
    return Slot(() if equal(size, 1) else (Digit(FREE, size),))
