"""From exact numbers to readable numbers. Number and unit are separate, so that a column's title can show the unit."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

COUNTS = ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "K"), (1, ""))
BYTES = ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "KB"), (1, "B"))
SECONDS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"))
NOT_COUNTED = "-"


def unit_for(numbers: Iterable[Any], units: tuple[tuple[int, str], ...]) -> tuple[int, str]:
    """The unit for the largest of the numbers. Cells without a number are ignored."""
    top = max((abs(n) for n in numbers if isinstance(n, int)), default=0)
    return next((unit for unit in units if top >= unit[0]), units[-1])


def seconds_unit(times: Iterable[float]) -> tuple[float, str]:
    """The unit for the largest of the times: seconds from 10 s on, milliseconds from 0.1 ms on, else microseconds.

    >>> seconds_unit([0.02, 12]), seconds_unit([0.0003])
    ((1.0, 's'), (0.001, 'ms'))
    """
    top = max(times, default=0.0)
    return SECONDS[0] if top >= 10 else SECONDS[1] if top >= 1e-4 else SECONDS[2]


def seconds_text(time: float) -> str:
    """A time with three significant digits and its unit.

    >>> seconds_text(0.0583512), seconds_text(12.345), seconds_text(2.5e-05)
    ('58.4 ms', '12.3 s', '25.0 us')
    """
    size, name = seconds_unit([time])
    return f"{ratio_text(time / size)} {name}"


def joules_text(energy: float) -> str:
    """An energy with three significant digits and its unit.

    >>> joules_text(0.0123), joules_text(2.5), joules_text(4.6e-7)
    ('12.3 mJ', '2.50 J', '0.460 uJ')
    """
    size, name = (1.0, "J") if energy >= 1 else (1e-3, "mJ") if energy >= 1e-4 else (1e-6, "uJ")
    return f"{ratio_text(energy / size)} {name}"


def in_unit(n: int, size: int) -> str:
    """n in units of ``size``, with three decimals. Zero is '0'; a smaller number than 0.001 is '<0.001'.

    >>> in_unit(1_792, 10**6), in_unit(0, 10**6), in_unit(64, 10**6)
    ('0.002', '0', '<0.001')
    """
    if size == 1 or n == 0:
        return f"{n:,}"
    text = f"{n / size:,.3f}"
    return "<0.001" if text == "0.000" else text


def ratio_text(n: float) -> str:
    """A ratio with three significant digits; from 1,000 on, a whole number.

    >>> ratio_text(138_357_544 / 62_378_344), ratio_text(10746.88)
    ('2.22', '10,747')
    """
    return f"{n:#.3g}".rstrip(".") if n < 999.5 else f"{n:,.0f}"


def counted(n: int, what: str) -> str:
    """A number with the noun, in the plural if needed.

    >>> counted(1, "layer"), counted(1200, "layer")
    ('1 layer', '1,200 layers')
    """
    return f"{n:,} {what}" + ("" if n == 1 else "s")


def bytes_text(n: int) -> str:
    """Bytes in decimal and in binary units, with the names of both units.

    >>> bytes_text(60_950_432)
    '61.0 MB (58.1 MiB)'
    """
    size, name = unit_for([n], BYTES)
    if size == 1:
        return decimal_bytes(n)
    power = {"KB": 10, "MB": 20, "GB": 30, "TB": 40}[name]
    return f"{decimal_bytes(n)} ({n / 2**power:,.1f} {name[0]}iB)"


def decimal_bytes(n: int) -> str:
    """Bytes in decimal units only.

    >>> decimal_bytes(60_950_432), decimal_bytes(12)
    ('61.0 MB', '12 B')
    """
    size, name = unit_for([n], BYTES)
    return f"{n} B" if size == 1 else f"{n / size:,.1f} {name}"


def count_text(n: int) -> str:
    """A count in K, M, G or T with three digits after the point.

    >>> count_text(15_470_264_320)
    '15.470 G'
    """
    size, name = unit_for([n], COUNTS)
    return f"{in_unit(n, size)} {name}".strip()
