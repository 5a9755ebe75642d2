"""A number as it was printed: its digits, its unit, and whether a value would be printed like that.

There is no tolerance. A value fits a printed number if both are equal, if the value rounds to the last printed digit (a
half may be rounded up or down), or if the printed number is the value cut off after that digit.
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
    """A power of 1000, or of 1024 if the unit's name says so (KiB)."""

    power: int = 0
    binary: bool = False
    bytes: bool = False

    def size(self, binary: bool) -> int:
        """The factor of the unit: 1,000,000 for M. ``binary`` reads K, M and G as powers of 1024."""
        base: int = 1024 if binary or self.binary else 1000
        return int(base**self.power)


class PrintedNumber(NamedTuple):
    """A number as printed. Its value is ``significand`` times ``last_digit``.

    ``last_digit`` is the value of 1 in the last significant digit. Sizes such as 224x224x64 have ``sizes`` (height,
    width, channels; or height and width) and no significand. ``undefined``: the source prints None, because there is no
    such number. Only the value () fits.
    """

    text: str
    significand: int = 0
    last_digit: Fraction = Fraction(1)
    unit: Unit = Unit()
    sign: str = ""
    sizes: Sizes = ()
    undefined: bool = False

    def manner(self, value: Fraction | Sizes, binary: bool = False) -> Manner | None:
        """How the value fits the printed number. None if the value does not fit."""
        if self.undefined or value == ():
            return "exact" if self.undefined and value == () else None
        if isinstance(value, tuple):
            return "exact" if value == (self.sizes or (1, 1, self.significand)) else None
        if self.sizes:
            return None
        scaled = value / (self.last_digit * self.unit.size(binary))
        if self.sign == "<":
            return "within" if scaled < self.significand else None
        if self.sign == ">":
            return "within" if scaled > self.significand else None
        if scaled == self.significand:
            return "exact"
        if abs(scaled - self.significand) <= Fraction(1, 2):
            return "rounded"
        return "truncated" if scaled.numerator // scaled.denominator == self.significand else None


def unit(name: str) -> Unit:
    """The unit of that name. ValueError if there is none."""
    match = _UNIT.fullmatch(name)
    if match is None:
        raise ValueError(
            f"unknown unit {name!r}; a unit is K, M, G, KiB, MiB, GiB, million or billion, and what it counts"
        )
    prefix = match["prefix"] or ""
    return Unit(_POWERS.get(prefix.removesuffix("i"), 0), prefix.endswith("i"), match["of"] in ("B", "bytes"))


def read_number(text: str, heading: str = "", digits: int | None = None) -> PrintedNumber:
    """A number as printed, under a heading that names its unit. ValueError if the text cannot be read.

    >>> read_number("3.2M").manner(Fraction(3_211_264))
    'rounded'

    ``digits``: the number of significant digits of a number that ends in zeros. 800K with one digit stands for 750,000
    and more.
    """
    if _SIZES.fullmatch(text):
        return PrintedNumber(text, sizes=tuple(map(int, text.split("x"))))
    if text == "None":
        return PrintedNumber(text, undefined=True)
    maps = _MAPS.fullmatch(text)
    if maps:
        channels, height, width = map(int, maps.groups())
        return PrintedNumber(text, sizes=(height, width, channels))
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise ValueError(f"cannot read {text!r} as a figure, such as 138M, 102,764,544, 1.8 × 10^9 or 224x224x64")
    whole, rest = match["digits"].replace(",", ""), match["rest"] or ""
    of = unit(match["unit"]) if match["unit"] else unit(heading)
    all_digits = (whole + rest).lstrip("0")
    zeros = 0 if digits is None else len(all_digits) - _significant(all_digits, digits, text)
    last_digit = Fraction(10) ** (int(match["tens"] or 0) + zeros - len(rest))
    sign = (match["sign"] or "").strip().replace("about", "~")
    return PrintedNumber(text, int(whole + rest) // 10**zeros, last_digit, of, sign)


def _significant(all_digits: str, digits: int, text: str) -> int:
    """The number of significant digits: ``digits``, or more if more digits stand before the zeros at the end."""
    if digits < 1 or (all_digits and digits > len(all_digits)):
        raise ValueError(f"impossible precision: {text!r} does not have {digits} digits")
    return max(digits, len(all_digits.rstrip("0"))) if all_digits else 0
