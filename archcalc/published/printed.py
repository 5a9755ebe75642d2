"""A figure as it was printed: its digits, its unit, and whether a number would be printed so.

There is no tolerance. A number prints as a figure when it is exactly that, when it rounds to the figure's last
digit (a half may go either way), or when the figure is the number cut off after that digit.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Literal, NamedTuple

Manner = Literal["exact", "rounded", "truncated", "within"]
Sizes = tuple[int, ...]

_NUMBER = re.compile(
    r"(?P<sign>[<>~]|about )?\s*(?P<digits>\d{1,3}(?:,\d{3})+|\d+)(?:\.(?P<rest>\d+))?"
    r"(?:\s*×\s*10\^(?P<tens>\d{1,2}))?\s*(?P<unit>[A-Za-z%]*)"
)
_UNIT = re.compile(r"(?P<prefix>[KMGT]i?|k|thousand|million|billion)?\s*(?P<of>B|bytes|FLOPs?|MACs?|ops|px|%|x)?")
_POWERS = {"k": 1, "K": 1, "thousand": 1, "M": 2, "million": 2, "G": 3, "billion": 3, "T": 4}
_MAPS = re.compile(r"(\d+)@(\d+)x(\d+)")
_SIZES = re.compile(r"\d+(?:x\d+){1,2}")


class Unit(NamedTuple):
    """A power of a thousand, or of 1024 where the unit's own name says so (KiB)."""

    power: int = 0
    binary: bool = False
    bytes: bool = False

    def size(self, binary: bool) -> int:
        """How many make one; ``binary`` reads K, M and G as powers of 1024."""
        base: int = 1024 if binary or self.binary else 1000
        return int(base**self.power)


class Printed(NamedTuple):
    """``text`` as printed; ``steps`` of ``step``, where step is what the last significant digit stands for.

    Sizes such as 224x224x64 have ``sizes`` (height, width, channels; or height and width) and no steps. ``undefined``
    is a number that the source says there is none of (None), as the value () does.
    """

    text: str
    steps: int = 0
    step: Fraction = Fraction(1)
    unit: Unit = Unit()
    sign: str = ""
    sizes: Sizes = ()
    undefined: bool = False

    def manner(self, value: Fraction | Sizes, binary: bool = False) -> Manner | None:
        """How the value comes to be printed as this, or None where it would not be."""
        if self.undefined or value == ():
            return "exact" if self.undefined and value == () else None
        if isinstance(value, tuple):
            return "exact" if value == (self.sizes or (1, 1, self.steps)) else None
        if self.sizes:
            return None
        printed = value / (self.step * self.unit.size(binary))
        if self.sign == "<":
            return "within" if printed < self.steps else None
        if self.sign == ">":
            return "within" if printed > self.steps else None
        if printed == self.steps:
            return "exact"
        if abs(printed - self.steps) <= Fraction(1, 2):
            return "rounded"
        return "truncated" if printed.numerator // printed.denominator == self.steps else None


def unit(name: str) -> Unit:
    """The unit of that name; ValueError when there is none."""
    found = _UNIT.fullmatch(name)
    if found is None:
        raise ValueError(
            f"unknown unit {name!r}; a unit is K, M, G, KiB, MiB, GiB, million or billion, and what it counts"
        )
    prefix = found["prefix"] or ""
    return Unit(_POWERS.get(prefix.removesuffix("i"), 0), prefix.endswith("i"), found["of"] in ("B", "bytes"))


def printed(text: str, heading: str = "", digits: int | None = None) -> Printed:
    """A figure as printed, under a heading that names its unit; ValueError when it cannot be read.

    >>> printed("3.2M").manner(Fraction(3_211_264))
    'rounded'

    ``digits`` says how many digits are meant where the figure ends in zeros: 800K with one digit is 750,000 and more.
    """
    if _SIZES.fullmatch(text):
        return Printed(text, sizes=tuple(map(int, text.split("x"))))
    if text == "None":
        return Printed(text, undefined=True)
    maps = _MAPS.fullmatch(text)
    if maps:
        channels, height, width = map(int, maps.groups())
        return Printed(text, sizes=(height, width, channels))
    found = _NUMBER.fullmatch(text)
    if found is None:
        raise ValueError(f"cannot read {text!r} as a figure, such as 138M, 102,764,544, 1.8 × 10^9 or 224x224x64")
    whole, rest = found["digits"].replace(",", ""), found["rest"] or ""
    of = unit(found["unit"]) if found["unit"] else unit(heading)
    shown = (whole + rest).lstrip("0")
    meant = len(shown) if digits is None else _meant(shown, digits, text)
    cut = len(shown) - meant
    step = Fraction(10) ** (int(found["tens"] or 0) + cut - len(rest))
    sign = (found["sign"] or "").strip().replace("about", "~")
    return Printed(text, int(whole + rest) // 10**cut, step, of, sign)


def _meant(shown: str, digits: int, text: str) -> int:
    """How many of the digits shown are meant: those before the zeros at the end, and as many zeros as said."""
    if digits < 1 or (shown and digits > len(shown)):
        raise ValueError(f"impossible precision: {text!r} does not have {digits} digits")
    return max(digits, len(shown.rstrip("0"))) if shown else 0
