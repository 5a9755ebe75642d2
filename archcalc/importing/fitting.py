"""The numbers of the uses of a block: constants, parameters, and expressions of a parameter or of the channels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

from archcalc.importing.items import Item, slot

COUNTS = ("out", "groups", "start", "stop", "after", "before")
"""Settings that count channels."""
WHOLE = [Fraction(*pair) for n in (1, 2, 3, 4, 6, 8, 16) for pair in ((n, 1), (1, n))]
MULTIPLES = [*WHOLE, *(Fraction(n, parts) for parts in (3, 4, 5, 6, 8) for n in range(1, parts))]
"""The factors between two numbers that are no accident, and those between the channels before and behind a slice."""
WIDTH = "width"
"""What a block calls the channels of its input."""
OPTIONAL = ("kernel", "stride", "pad", "dilation", "groups")
"""Parameters that have their most common value as a default."""


class Fit:
    """The parameters of a block, with the value of each use, and what stands in place of each number in the block."""

    def __init__(self) -> None:
        self.params: dict[str, list[Any]] = {}
        self.defaults: dict[str, Any] = {}
        self.channels: list[int] = []
        """The channels of the block's input in each use, and whether the block has a name for them."""
        self.has_width = False

    def param(self, key: str, values: list[Any]) -> str:
        """A new parameter, called after its setting."""
        name = (
            key
            if key not in self.params
            else next(f"{key}{n}" for n in range(2, 1000) if f"{key}{n}" not in self.params)
        )
        self.params[name] = values
        if key in OPTIONAL:
            self.defaults[name] = Counter(map(repr, values)).most_common(1)[0][0]
        return name

    def args(self, use: int) -> dict[str, Any]:
        """The arguments of a use."""
        return {name: values[use] for name, values in self.params.items()}

    def stated(self) -> dict[str, Any]:
        """The parameters as a block states them: with a default, or with nothing."""
        return {
            name: next((v for v in values if repr(v) == self.defaults[name]), None) if name in self.defaults else None
            for name, values in self.params.items()
        }


def fit(uses: Sequence[Sequence[Item]]) -> Fit:
    """Fit a block to its uses. The items of the first use become the body: their numbers become expressions."""
    found = Fit()
    found.channels = [use[0].inside for use in uses]
    rows = [list(slots(use)) for use in uses]
    for at, (item, key) in enumerate(rows[0]):
        column = [row[at][0] for row in rows]
        values, inside = [one.args[key] for one in column], [one.inside for one in column]
        if all(repr(v) == repr(values[0]) for v in values):
            continue
        item.args[key] = expression(found, item, key, values, inside)
    return found


def slots(items: Sequence[Item]) -> Iterator[tuple[Item, str]]:
    """Every number of the items that may differ between two uses, in one order."""
    for item in items:
        for branch in item.branches or ():
            yield from slots(branch)
        for key in sorted(item.args, key=lambda k: (k != "out", k)):
            if slot(item, key):
                yield item, key


def expression(found: Fit, item: Item, key: str, values: list[Any], inside: list[int]) -> str:
    """What stands in the block for numbers that differ."""
    counts = plain(key) in COUNTS and all(isinstance(v, int) for v in values)
    if counts and all(inside):
        factors = MULTIPLES if along_channels(item, key) else WHOLE
        if plain(key) == "groups" and inside[0] % values[0] == 0:  # groups of equal width
            factors = [Fraction(values[0], inside[0])]
        of_channels = related(values, inside, "channels", factors)
        if of_channels:
            return of_channels
    if counts and all(found.channels):
        of_width = related(values, found.channels, WIDTH, WHOLE)
        if of_width:
            found.has_width = True
            return of_width
    kernel = item.args.get("kernel")
    kernels = found.params.get(kernel, []) if isinstance(kernel, str) else []
    if key == "pad" and values == [k // 2 if isinstance(k, int) else None for k in kernels]:
        return f"{kernel} // 2"
    for name, other in found.params.items():
        if repr(other) == repr(values):
            return name
    if counts:
        of_counts = [name for name in found.params if plain(name) in COUNTS]
        relations = (related(values, found.params[name], name, WHOLE) for name in of_counts)
        relation = next((one for one in relations if one), "")
        if relation:
            return relation
    return found.param(plain(key), values)


def plain(key: str) -> str:
    """A setting or parameter without its number."""
    return key.rstrip("0123456789").rstrip("#")


def along_channels(item: Item, key: str) -> bool:
    """Whether a setting counts channels of the item's input."""
    return not item.block and (key == "out" or item.args.get("axis", "channels") == "channels")


def related(values: list[Any], other: list[Any], name: str, factors: Sequence[Fraction]) -> str:
    """The values as a multiple or a part of other values; '' if they are neither."""
    if not all(isinstance(n, int) and n > 0 for n in (*values, *other)):
        return ""
    factor = Fraction(values[0], other[0])
    if factor not in factors or any(Fraction(n, m) != factor for n, m in zip(values, other, strict=True)):
        return ""
    product = name if factor.numerator == 1 else f"{factor.numerator} * {name}"
    return product if factor.denominator == 1 else f"{product} // {factor.denominator}"
