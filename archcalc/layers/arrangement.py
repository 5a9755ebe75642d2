"""Patterns that move data between the axes of a map, in the notation of einops.

``c (h 2) (w 2) -> (c 2 2) h w`` takes 2x2 positions into the channels. Each side has one group for the channels, and
then one group for each axis. A group is a name, a number, or several of them in brackets: the outermost part of the
axis first. Every part stands on both sides. Equal numbers correspond in their order. Parts of equal size that swap their
order have names, with their sizes at the end: ``c (h p) (w q) -> (q p c) h w, p=2, q=2``. A ``1`` is an axis of size 1,
and can stand on one side alone.

Source: Rogozhnikov, Einops: clear and reliable tensor manipulations with Einstein-like notation, ICLR 2022, section 3.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from functools import lru_cache
from itertools import chain, combinations, pairwise
from typing import Any, NamedTuple

from archcalc.errors import LayerError, clipped
from archcalc.layers.axes import axis_names
from archcalc.layers.base import agreed
from archcalc.layers.settings import Text, message_text
from archcalc.sizes import Int, Shape, equal, int_text, is_array, largest, product, smallest

MOST_PARTS = 16
"""The most parts on one side of a pattern."""
MOST_MIXED = 4
"""The most parts that are longer than 1 for some elements of arrays and not for others. With more, elements are evaluated apart."""
MOST_SIGNS = 200
"""The most characters of a pattern."""
EXAMPLE = "'c (h 2) (w 2) -> (c 2 2) h w'"
SWAP = "'c (h p) (w q) -> (q p c) h w, p=2, q=2'"

_NAME = re.compile(r"[a-z]\w*")
_SIZE = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)\s*=\s*([0-9]+)\s*")
_TOKEN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9]+|[()]|\S")


class Part(NamedTuple):
    """A part of an axis: its name, and its size. ``name`` is unique on one side of a pattern."""

    name: str
    size: Int


Group = tuple[Part, ...]
"""The parts of one axis, the outermost first. An axis of size 1 has no parts."""


class Arrangement(NamedTuple):
    """The parts of the channels and of every axis, before and after the values are moved."""

    before: tuple[Group, ...]
    after: tuple[Group, ...]

    @property
    def shape(self) -> Shape:
        """The shape after the values are moved."""
        sizes = [product(part.size for part in group) for group in self.after]
        return Shape(sizes[0], tuple(sizes[1:]))

    @property
    def is_view(self) -> bool:
        """Whether a map whose values lie in memory in the order of its shape can be viewed in the new shape."""

        def answer(long: Set[str]) -> bool:
            there = _names(chain(*self.before), long)
            pairs = [pair for group in self.after for pair in pairwise(_names(group, long))]
            return all(there.index(inner) == there.index(outer) + 1 for outer, inner in pairs)

        return self._by_long_parts(answer)

    @property
    def keeps_order(self) -> bool:
        """Whether all parts stay in their order, apart from parts of size 1."""
        return self._by_long_parts(lambda long: _names(chain(*self.before), long) == _names(chain(*self.after), long))

    def _by_long_parts(self, answer: Callable[[Set[str]], bool]) -> bool:
        """The answer for the names of the parts that are longer than 1; DiffersError if it differs between elements."""
        long = {part.name: part.size > 1 for part in chain(*self.before, *self.after)}
        mixed = [name for name, holds in long.items() if is_array(holds) and smallest(holds) != largest(holds)]
        if len(mixed) > MOST_MIXED:
            agreed(long[mixed[0]])  # raises DiffersError
        always = {name for name, holds in long.items() if name not in mixed and largest(holds)}
        found: Any = False
        for chosen in chain.from_iterable(combinations(mixed, count) for count in range(len(mixed) + 1)):
            here: Any = answer(always | set(chosen))
            for name in mixed:
                here = (long[name] if name in chosen else ~long[name]) & here
            found = found | here
        return agreed(found)


def _names(parts: Iterable[Part], among: Set[str]) -> list[str]:
    return [part.name for part in parts if part.name in among]


class Pattern(NamedTuple):
    """A pattern that was read: the names of the parts by group. ``sizes``: the sizes that the pattern states."""

    text: str
    before: tuple[tuple[str, ...], ...]
    after: tuple[tuple[str, ...], ...]
    sizes: Mapping[str, Int]

    def arranged(self, x: Shape) -> Arrangement:
        """The sizes of all parts for an input x; LayerError if x does not fit."""
        sizes = (x.channels, *x.axes)
        if len(sizes) != len(self.before):
            raise LayerError(
                f"{self.text!r} has {len(self.before)} groups before the arrow, but the input {x} has "
                f"{len(sizes)} sizes: the channels and {len(x.axes)} axes"
            )
        parts: dict[str, Int] = dict(self.sizes)
        for group, size, axis in zip(self.before, sizes, ("number of channels", *axis_names(x)), strict=True):
            self._solve(group, size, axis, parts)
        before, after = (
            tuple(tuple(Part(name, parts[name]) for name in group) for group in side)
            for side in (self.before, self.after)
        )
        return Arrangement(before, after)

    def _solve(self, group: tuple[str, ...], size: Int, axis: str, parts: dict[str, Int]) -> None:
        """Add the size of the one part of an axis that the pattern does not state."""
        known = product(parts[name] for name in group if name in parts)
        unknown = [name for name in group if name not in parts]
        if not unknown:
            if not equal(known, size):
                raise LayerError(
                    f"{self.text!r}: the {axis} of {self._words(group)} must be {int_text(known)}, got {int_text(size)}",
                    known != size,
                )
            return
        if len(unknown) > 1:
            raise LayerError(
                f"{self.text!r}: in {self._words(group)}, at most one part can have no number, got {', '.join(unknown)}"
            )
        if largest(size % known) != 0:
            raise LayerError(
                f"{self.text!r}: the {axis} {int_text(size)} of {self._words(group)} is not divisible by {int_text(known)}"
                f"{nearest_multiples(size, known)}",
                size % known != 0,
            )
        parts[unknown[0]] = size // known

    def _words(self, group: tuple[str, ...]) -> str:
        return f"({' '.join(map(self._word, group))})" if len(group) != 1 else self._word(group[0])

    def _word(self, name: str) -> str:
        return name if name in _NAME.findall(self.text) else int_text(self.sizes[name])


class PatternText(Text):
    """The pattern of a movement, as text."""

    allowed = "a pattern"

    def read(self, value: Any) -> Any:
        if not isinstance(value, str):
            raise LayerError(f"expected a pattern, such as {EXAMPLE}, got {message_text(value)}")
        read_pattern(value)
        return value


def nearest_multiples(size: Int, by: Int) -> str:
    """The end of a message: the sizes next to ``size`` that ``by`` divides; '' for arrays.

    >>> nearest_multiples(57, 7), nearest_multiples(5, 7)
    ('; 56 and 63 would fit', '; 7 would fit')
    """
    if is_array(size) or is_array(by):
        return ""
    low = size // by * by
    return f"; {low} and {low + by} would fit" if low else f"; {by} would fit"


@lru_cache(maxsize=1024)
def read_pattern(text: str) -> Pattern:
    """The pattern in a text; LayerError that says what is wrong."""
    if len(text) > MOST_SIGNS:
        raise LayerError(f"a pattern has at most {MOST_SIGNS} characters, got {len(text):,}")
    sides = text.split("->")
    if len(sides) != 2:
        raise LayerError(f"expected a pattern with one arrow, such as {EXAMPLE}, got {clipped(text, 80)!r}")
    sides[1], *given = sides[1].split(",")
    sizes = _given(given, text)
    before, after = (_groups(side, text, sizes) for side in sides)
    ours, theirs = ([name for group in side for name in group] for side in (before, after))
    for names, where in ((ours, "before"), (theirs, "after")):
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice:
            raise LayerError(f"{text!r}: {twice} stands twice {where} the arrow")
    for names, others, where in ((ours, theirs, "after"), (theirs, ours, "before")):
        lone = [name for name in names if name not in others]
        if lone:
            word = lone[0].split("#")[0]
            hint = "; reduce removes an axis" if where == "after" else "; expand repeats an axis of size 1"
            raise LayerError(f"{text!r}: {word} has no counterpart {where} the arrow{hint}")
    unused = next((name for name in sizes if name not in ours), None)
    if unused:
        raise LayerError(f"{text!r}: {unused} has a size, but is no part of the pattern")
    return Pattern(text, before, after, sizes)


def sized(text: str, **sizes: Int) -> Pattern:
    """The pattern in a text, with the sizes of some parts.

    >>> sized("c (h s) -> c h s", s=7).text
    'c (h 7) -> c h 7'
    """
    shown = _NAME.sub(lambda name: int_text(sizes[name[0]]) if name[0] in sizes else name[0], text)
    return read_pattern(text)._replace(text=shown, sizes=sizes)


def _given(texts: Sequence[str], text: str) -> dict[str, int]:
    """The sizes of named parts that a pattern states at its end."""
    sizes: dict[str, int] = {}
    for given in texts:
        found = _SIZE.fullmatch(given)
        if not found:
            raise LayerError(
                f"{text!r}: expected the size of a part behind the comma, as in {SWAP}, got {clipped(given.strip(), 40)!r}"
            )
        name, size = found[1], int(found[2][:20])
        if name in sizes:
            raise LayerError(f"{text!r}: {name} has two sizes")
        if size < 1:
            raise LayerError(f"{text!r}: a size is a whole number from 1, got {name}={size}")
        sizes[name] = size
    return sizes


def _groups(side: str, text: str, sizes: dict[str, int]) -> tuple[tuple[str, ...], ...]:
    """The groups of one side of a pattern, as names of parts; the sizes of numbers are added to ``sizes``."""
    groups: list[tuple[str, ...]] = []
    inside: list[str] | None = None
    seen: dict[int, int] = {}
    tokens = _TOKEN.findall(side)
    if not tokens or len(tokens) > 3 * MOST_PARTS:
        what = "nothing" if not tokens else "more parts than a pattern can have"
        raise LayerError(f"{text!r}: {what} on one side of the arrow; a pattern looks like {EXAMPLE}")
    for token in tokens:
        if token == "(" and inside is None:
            inside = []
        elif token == ")" and inside is not None:
            groups.append(tuple(inside))
            inside = None
        elif token[0].isalnum() or token[0] == "_":
            names = [token]
            if token.isdigit():
                size = int(token[:20])
                if size < 1:
                    raise LayerError(f"{text!r}: a size is a whole number from 1, got {token}")
                seen[size] = seen.get(size, 0) + 1
                names = [f"{size}#{seen[size]}"] if size > 1 else []
                sizes.update(dict.fromkeys(names, size))
            if inside is None:
                groups.append(tuple(names))
            else:
                inside += names
        else:
            raise LayerError(f"{text!r}: {token!r} is out of place; a pattern looks like {EXAMPLE}")
    if inside is not None:
        raise LayerError(f"{text!r}: a bracket is not closed")
    return tuple(groups)
