"""The sizes of an input of a network: the number of axes, their order, and the likely meaning of a wrong order.

Tools write sizes in different orders: 224x224x3, 1x3x224x224, 224x224. Most specs would accept these sizes, and give
another network. So sizes are compared with the spec's own input. For a ``Shape``, and for sizes with their order, only
the number of axes is checked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from operator import index
from typing import Any, NamedTuple, TypeAlias

from archcalc.errors import ArchcalcError, LayerError, clipped
from archcalc.layers.settings import message_text, whole_number
from archcalc.sizes import (
    AXES,
    Int,
    Shape,
    broadcast,
    decides,
    equal,
    greater,
    int_text,
    is_array,
    largest,
    lesser,
    product,
)

MOST_SIZES = 8
"""The number of sizes that are read: more than any input has, so that a message can show the extra sizes."""
ORDERS = {0: "C", 1: "CL", 2: "CHW", 3: "CDHW"}
"""The letters of an input's sizes by the number of its axes, in archcalc's order."""

_SIZES = r"\s*([0-9]{1,18}(?:\s*[xX×*,]\s*[0-9]{1,18})*)\s*(?:\(\s*([A-Za-z](?:[x×*,\s]*[A-Za-z])*)\s*\))?\s*"


Sizes: TypeAlias = Shape | tuple[Int, ...]
"""The sizes of one input: a Shape if their order is certain."""


class Takes(NamedTuple):
    """What one input of a network accepts: the spec's own sizes (None: no valid sizes), and the numbers of axes."""

    own: Shape | None
    axes: tuple[int, ...]

    def shape(self, name: str, given: Sizes) -> Shape:
        """The sizes as an input of the network; ArchcalcError if the order of the sizes is likely to be wrong."""
        sizes = (given.channels, *given.axes) if isinstance(given, Shape) else given
        shape = Shape(sizes[0], tuple(sizes[1:]))
        wanted = " or ".join(map(axes_text, self.axes))
        if len(shape.axes) not in self.axes:
            raise ArchcalcError(f"{name} takes {wanted}, got {shape}{self._likely(sizes)}")
        why = "" if isinstance(given, Shape) else self._swapped(sizes)
        if why:
            order = "x".join(ORDERS[len(shape.axes)])
            raise ArchcalcError(
                f"{name} takes {wanted}, got {shape}, {why}? For {int_text(shape.channels)} channels, write the order "
                f"too: '{shape} ({order})'"
            )
        return shape

    def _swapped(self, sizes: Sequence[Int]) -> str:
        """Why the order of the sizes is likely to be wrong; '' if it is not.

        Only sizes with another number of channels than the spec's can be in a wrong order. First case: the spec's
        number of channels is among the sizes exactly once, but is not the first size. Second case, for two axes:
        height x width x channels gives a map that is nearer to a square. In an array, one element is enough, but in
        the second case no element may show the opposite.
        """
        if self.own is None or not broadcast((*sizes, self.own.channels)):
            return ""
        channels = self.own.channels
        other: Any = (sizes[0] != channels) * 1
        elsewhere: Any = sum((n == channels) * 1 for n in sizes[1:])
        if largest((elsewhere == 1) * other):
            said = "1 channel stands" if equal(channels, 1) else f"{int_text(channels)} channels stand"
            return f"where its {said} in another place; did you mean {self._moved(sizes)}"
        if len(sizes) == 3:
            as_read, swapped = nearer_to_square(sizes[1:], sizes[:2]), nearer_to_square(sizes[:2], sizes[1:])
            if largest(swapped * other) and not largest(as_read * other):
                meant = Shape(sizes[2], (sizes[0], sizes[1]))
                return f"which looks like height x width x channels; did you mean {meant}"
        return ""

    def _moved(self, sizes: Sequence[Int]) -> Shape:
        """The sizes with the spec's channels first, and the other sizes in their order."""
        assert self.own is not None
        others = [n for n in sizes if is_array(n) or not equal(n, self.own.channels)]
        return Shape(self.own.channels, tuple(others[: len(sizes) - 1]))

    def _likely(self, sizes: Sequence[Int]) -> str:
        """The likely meaning of sizes with a wrong number of axes, as the end of a sentence."""
        if self.own is None:
            return ""
        own, count = self.own, len(self.own.axes)

        def channels(n: Int) -> bool:
            return not is_array(n) and not is_array(own.channels) and n == own.channels

        first, rest = sizes[0], tuple(sizes[1:])
        meant, why = None, ""
        if len(rest) == count + 1 and (channels(rest[0]) or (count and (channels(rest[-1]) or not channels(first)))):
            many = "" if is_array(first) or first == 1 else f" and a batch of {first}"
            last = bool(count) and channels(rest[-1]) and not channels(rest[0])
            meant = Shape(own.channels, rest[:-1]) if last else Shape(rest[0], rest[1:])
            why = ", with the batch in front" + (" and the channels last" if last else " as torchinfo has it")
            return f"{why}; did you mean {meant}{many}?"
        if (not count and not any(map(is_array, sizes)) and channels(product(sizes))) or (
            len(sizes) == 1 and count and channels(first)
        ):
            meant = own
        elif len(sizes) == count and channels(first):
            meant = Shape(first, (*own.axes[: count - len(rest)], *rest) if count > 2 else (*rest, *rest)[:count])
        elif len(sizes) == count:
            meant = Shape(own.channels, (sizes[0],) * count if channels(sizes[-1]) else tuple(sizes))
        elif len(sizes) == 1 and count:
            meant = Shape(own.channels, (first,) * count)
        if meant is None or len(meant.axes) != count:
            return f"; the input of its spec is {own}"
        return f"; did you mean {meant}?"


def looks_swapped(shape: Shape) -> Shape | None:
    """The likely input if height x width x channels was read as channels x height x width; None otherwise.

    >>> str(looks_swapped(Shape(224, (224, 3)))), looks_swapped(Shape(3, (224, 224)))
    ('3x224x224', None)
    """
    sizes = (shape.channels, *shape.axes)
    if len(sizes) != 3 or any(map(is_array, sizes)) or not nearer_to_square(sizes[:2], sizes[1:]):
        return None
    return Shape(sizes[2], sizes[:2])


def nearer_to_square(a: Sequence[Int], b: Sequence[Int]) -> Int:
    """Whether a map of height and width ``a`` is nearer to a square than a map of ``b``, elementwise (1 or 0).

    Of two possible orders of sizes, the order with the map nearer to a square is the likely order.
    """
    return (greater(*a) * lesser(*b) < greater(*b) * lesser(*a)) * 1


def read_sizes(text: str) -> tuple[int, ...] | Shape:
    """The sizes in a text such as 3x224x224; a Shape if the text has their order, as in 224x224x3 (HxWxC).

    ArchcalcError for any other text.

    >>> read_sizes("3x224x224"), read_sizes("224x160x3 (HxWxC)")
    ((3, 224, 224), Shape(channels=3, axes=(224, 160)))
    """
    match = re.fullmatch(_SIZES, text)
    if match is None or len(match[1]) > 200:
        raise ArchcalcError(f"expected CHANNELSxHEIGHTxWIDTH such as 3x224x224, got {message_text(text)}")
    sizes = tuple(int(n) for n in re.findall(r"[0-9]+", match[1]))
    if match[2] is None:
        return sizes
    return in_order(sizes, match[2])


def in_order(sizes: Sequence[Int], order: str) -> Shape:
    """Sizes in the order of the letters, such as HxWxC; ArchcalcError if the letters do not name the sizes."""
    letters = "".join(re.findall("[A-Z]", re.sub("[Xx×]", "", order).upper())).replace("T", "D")
    wanted = ORDERS.get(len(sizes) - 1, "")
    if sorted(letters) != sorted(wanted):
        example = " or ".join("x".join(text) for text in (wanted, f"{wanted[1:]}{wanted[:1]}") if text)
        hint = "; the batch is no part of the input" if "N" in letters else ""
        raise ArchcalcError(
            f"expected the order of {len(sizes)} sizes, as in ({example}), got ({clipped(order, 40)}){hint}"
        )
    by_letter = dict(zip(letters, sizes, strict=True))
    return Shape(by_letter["C"], tuple(by_letter[letter] for letter in wanted[1:]))


def given_sizes(given: Any, what: str = "input") -> Sizes:
    """The sizes that a user gives for one input, each number checked. ArchcalcError if the value is not sizes."""
    if isinstance(given, str):
        given = read_sizes(given)
    sizes = (given.channels, *given.axes) if isinstance(given, Shape) else given
    if not isinstance(sizes, (tuple, list)) or not 1 <= len(sizes) <= MOST_SIZES:
        raise ArchcalcError(f"{what}: expected (channels, height, width), got {message_text(given)}")
    names = ("channels", *AXES[len(sizes) - 1]) if len(sizes) - 1 in AXES else [f"size {i}" for i in range(len(sizes))]
    numbers = tuple(checked(n, f"{what} {name}") for n, name in zip(sizes, names, strict=True))
    if not broadcast(numbers):
        raise ArchcalcError(f"{what}: the arrays of {_text(numbers)} do not broadcast together")
    return Shape(numbers[0], numbers[1:]) if isinstance(given, Shape) else numbers


def _text(sizes: Sequence[Int]) -> str:
    return "x".join(map(int_text, sizes))


def axes_text(count: int) -> str:
    """The sizes of an input with ``count`` axes, in words.

    >>> axes_text(2), axes_text(0)
    ('channels x height x width', 'a vector (one size)')
    """
    return " x ".join(("channels", *AXES[count])) if count else "a vector (one size)"


def checked(value: Any, what: str) -> Int:
    """A positive whole number or int64 array; ArchcalcError otherwise."""
    try:
        if is_array(value):
            need_int64(value)
        else:
            value = _index(value)
        number: Int = whole_number(value, 1)
    except LayerError as error:
        raise ArchcalcError(f"{what}: {error}") from None
    return number


def need_int64(value: Any) -> None:
    """LayerError for an array of another type."""
    if str(value.dtype) != "int64":
        raise LayerError(f"expected an int64 array, got {value.dtype}")


def _index(value: Any) -> int:
    try:
        if not isinstance(value, bool):
            return index(value)
    except TypeError:
        pass
    raise LayerError(f"expected a whole number, got {message_text(value)}")


def single(value: Any, what: str) -> int:
    """A positive whole number, or lanes; ArchcalcError for anything else, other arrays included."""
    if decides(value):
        return value  # type: ignore[no-any-return]
    if is_array(value):
        raise ArchcalcError(f"{what}: memory needs single sizes, not arrays")
    return checked(value, what)
