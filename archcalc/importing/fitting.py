"""The numbers of the uses of a block: constants, parameters, and expressions of a parameter or of the channels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from keyword import iskeyword
from typing import Any

from archcalc.importing.bodies import columns
from archcalc.importing.items import INPUT_OF_BLOCK, MAIN, Item

COUNTS = ("out", "groups", "start", "stop", "after", "before")
"""Settings that count channels."""
WHOLE = [Fraction(*pair) for n in (1, 2, 3, 4, 6, 8, 16) for pair in ((n, 1), (1, n))]
MULTIPLES = [*WHOLE, *(Fraction(n, parts) for parts in (3, 4, 5, 6, 8) for n in range(1, parts))]
"""The factors between two numbers that are no accident, and those between the channels before and behind a slice."""
WIDTH = "width"
"""What a block calls the channels of its input."""
ORDER = ("out", "kernel", "stride", "pad", "dilation", "groups")
"""The first settings and parameters, in their order."""
DEPTH = "depth"
"""The parameter that says how often a block stands in a block."""
EXPAND, MOST_RATIOS, LARGEST_UNIT = "expand", 3, 3
"""The parameter by which a layer multiplies the channels, the most values that it has, and the layers of a block without it."""
KNOWN = ("channels", "i", "end", WIDTH, INPUT_OF_BLOCK, MAIN)
"""Names with a meaning inside a block."""
OPTIONAL = ("kernel", "stride", "pad", "dilation", "groups")
"""Parameters that have their most common value as a default."""


ANY = object()
"""The number of a use that lacks the layer: any other number does as well."""


class Fit:
    """The parameters of a block, with the value of each use, and what stands in place of each number in the block.

    ``channels``: those of the block's input in each use.
    """

    def __init__(self, channels: list[int]) -> None:
        self.params: dict[str, list[Any]] = {}
        self.defaults: dict[str, Any] = {}
        self.channels = channels
        self.large = False
        """Whether the block is more than a layer with its normalisation and activation."""
        self.has_width = False
        """Whether the block has a name for the channels of its input."""

    def param(self, key: str, values: list[Any]) -> str:
        """A new parameter, called after its setting."""
        name = (
            key
            if key not in self.params
            else next(f"{key}{n}" for n in range(2, 1000) if f"{key}{n}" not in self.params)
        )
        self.params[name] = values
        known = [value for value in values if value is not ANY]
        if key in OPTIONAL or len(known) < len(values) or isinstance(known[0], bool):
            most = Counter(map(repr, known)).most_common(1)[0][0]
            self.defaults[name] = next(value for value in known if repr(value) == most)
        return name

    def args(self, use: int) -> dict[str, Any]:
        """The arguments of a use."""
        return {name: values[use] for name, values in self.params.items() if values[use] is not ANY}

    def values(self, name: str) -> list[Any]:
        """The value of a parameter in every use, also where it is the default."""
        return [self.defaults[name] if value is ANY else value for value in self.params[name]]

    def stated(self) -> dict[str, Any]:
        """The parameters as a block states them: with a default, or with nothing."""
        order = sorted(self.params, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))
        return {name: self.defaults.get(name) for name in order}


def fit(body: Sequence[Item], uses: Sequence[Sequence[Item]], channels: list[int]) -> Fit:
    """Fit a block to its uses: the numbers of the body become expressions, and layers that some uses lack conditions."""
    found = Fit(channels)
    found.large = sum(1 for one in body for _ in one.leaves()) > LARGEST_UNIT
    places = sorted(columns([body, *uses]), key=lambda place: any(one.absent for one in place))
    for item, *ones in places:  # those that every use has come first: they name the parameters
        real = [one for one in ones if not one.absent]
        item.args |= {key: value for one in real for key, value in one.args.items() if key not in item.args}
        times = [ANY if one.absent else one.times for one in ones]
        if len({one.times for one in real}) > 1:
            item.times = next((n for n, v in found.params.items() if alike(times, v)), "") or found.param(DEPTH, times)
        inside = [one.inside for one in ones]
        for key in sorted(item.args, key=lambda k: (k != "out", k)):
            values = [ANY if one.absent else one.args.get(key, ANY) for one in ones]
            known = [value for value in values if value is not ANY]
            if any(repr(value) != repr(known[0]) for value in known):
                item.args[key] = expression(found, item, key, values, inside)
    return found


def expression(found: Fit, item: Item, key: str, values: list[Any], inside: list[int]) -> str:
    """What stands in the block for numbers that differ."""
    counts = plain(key) in COUNTS and all(isinstance(v, int) or v is ANY for v in values)
    if counts:
        factors = MULTIPLES if along_channels(item, key) else WHOLE
        if plain(key) == "groups":  # groups of equal width
            first = next(n for n, value in enumerate(values) if value is not ANY)
            even = inside[first] and inside[first] % values[first] == 0
            factors = [Fraction(values[first], inside[first])] if even else factors
        of_channels = related(values, inside, "channels", factors)
        if of_channels:
            return of_channels
        of_width = related(values, found.channels, WIDTH, WHOLE)
        if of_width:
            found.has_width = True
            return of_width
        ratios = multiples(values, inside) if key == "out" and found.large else None
        if ratios:
            return f"{next((n for n, v in found.params.items() if alike(ratios, v)), '') or found.param(EXPAND, ratios)} * channels"
    kernel = item.args.get("kernel")
    kernels = found.params.get(kernel, []) if isinstance(kernel, str) else []
    if key == "pad" and kernels and alike(values, [k // 2 if isinstance(k, int) else k for k in kernels]):
        return f"{kernel} // 2"
    for name, other in found.params.items():
        if alike(values, other):
            return name
    if counts:
        of_counts = [name for name in found.params if plain(name) in COUNTS]
        relations = (related(values, found.params[name], name, WHOLE) for name in of_counts)
        relation = next((one for one in relations if one), "")
        if relation:
            return relation
    optional = key == "out" and any(value is ANY for value in values)
    return found.param((called(item) if optional else "") or plain(key), values)


def called(item: Item) -> str:
    """What the module of an item is called, if the name can be one of a parameter; ''."""
    name = item.name.rpartition(".")[2].lower()
    fine = name.isidentifier() and not name[-1].isdigit() and not iskeyword(name) and name not in KNOWN
    return name if fine else ""


def multiples(values: Sequence[Any], inside: Sequence[int]) -> list[Any] | None:
    """How many times the channels before a layer are those behind it, if these are few whole numbers for many."""
    pairs = zip(values, inside, strict=True)
    if any(value is not ANY and (not channels or value % channels or value == channels) for value, channels in pairs):
        return None
    found = [ANY if value is ANY else value // channels for value, channels in zip(values, inside, strict=True)]
    different, before = ({one for one in some if one is not ANY} for some in (found, values))
    return found if len(different) <= MOST_RATIOS and len(before) > 2 * len(different) else None


def alike(values: Sequence[Any], other: Sequence[Any]) -> bool:
    """Whether a parameter with the other values does for these: they are equal in every use that has the layer."""
    return all(one is ANY or repr(one) == repr(two) for one, two in zip(values, other, strict=True))


def plain(key: str) -> str:
    """A setting or parameter without its number."""
    return key.rstrip("0123456789").rstrip("#")


def along_channels(item: Item, key: str) -> bool:
    """Whether a setting counts channels of the item's input."""
    return not item.block and (key == "out" or item.args.get("axis", "channels") == "channels")


def related(values: list[Any], other: list[Any], name: str, factors: Sequence[Fraction]) -> str:
    """The values as a multiple or a part of other values; '' if they are neither."""
    pairs = [(n, m) for n, m in zip(values, other, strict=True) if n is not ANY]
    if not all(isinstance(n, int) and n > 0 for pair in pairs for n in pair):
        return ""
    factor = Fraction(*pairs[0])
    if factor not in factors or any(Fraction(n, m) != factor for n, m in pairs):
        return ""
    return multiple(factor, name)


def multiple(factor: Fraction, name: str) -> str:
    """A multiple or a part of a number with a name."""
    product = name if factor.numerator == 1 else f"{factor.numerator} * {name}"
    return product if factor.denominator == 1 else f"{product} // {factor.denominator}"
