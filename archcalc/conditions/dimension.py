"""The dimension of a figure: a number, bytes, seconds, and their products and quotients. Unlike ones are never compared."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple

from archcalc.memory.budget import UNITS as BYTES
from archcalc.units import COUNTS


class Dimension(NamedTuple):
    """The powers of bytes and of seconds in a unit; all zero: a number."""

    bytes: int = 0
    seconds: int = 0

    def __str__(self) -> str:
        """The unit in words.

        >>> str(Dimension(bytes=1)), str(Dimension(bytes=1, seconds=-1)), str(Dimension(seconds=-1))
        ('bytes', 'bytes per second', '1 per second')
        """
        over = [name for name, power in zip(self._fields, self, strict=True) for _ in range(power)]
        under = [name.removesuffix("s") for name, power in zip(self._fields, self, strict=True) for _ in range(-power)]
        return " ".join([" times ".join(over) or "1", *(f"per {name}" for name in under)])


NUMBER, SIZE, TIME = Dimension(), Dimension(bytes=1), Dimension(seconds=1)
UNITS: Mapping[str, tuple[Fraction, Dimension]] = {
    **{name: (Fraction(size), NUMBER) for size, name in COUNTS if name},
    **{name: (Fraction(size), SIZE) for name, size in BYTES.items()},
    "s": (Fraction(1), TIME),
    "ms": (Fraction(1, 1000), TIME),
    "us": (Fraction(1, 10**6), TIME),
}
"""What a unit stands for: 5M is 5,000,000, 8GiB is 8 times 2^30 bytes, 3ms is 3/1000 seconds."""
EXAMPLES = {SIZE: "8GiB", TIME: "3ms"}
