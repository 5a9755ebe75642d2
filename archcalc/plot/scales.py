"""Axes for columns of a table: their scale, their unit, and the text of their ticks."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from archcalc.conditions.dimension import SIZE, TIME
from archcalc.errors import ArchcalcError, clipped
from archcalc.plot import labels
from archcalc.spaces.sheet import unit_of
from archcalc.units import BYTES, COUNTS, seconds_unit, unit_for

WIDE = 30
"""An axis is logarithmic if its largest number is WIDE times its smallest, unless the user decides."""
OF_SIZES = {"input": "pixels", "batch": "images"}


XY: tuple[Literal["x", "y"], Literal["x", "y"]] = ("x", "y")


def set_scale(ax: Axes, which: Literal["x", "y"], column: str, numbers: Sequence[float], log: str | None) -> bool:
    """Set scale, ticks and title of an axis for the numbers of a column; returns whether the axis is logarithmic.

    log: the axes that are logarithmic, as the user names them; None: those with a wide range.
    """
    axis = ax.xaxis if which == "x" else ax.yaxis
    low, high = min(numbers), max(numbers)
    logarithmic = is_log(which, numbers, log, column)
    if logarithmic:
        (ax.set_xscale if which == "x" else ax.set_yscale)("log")
        few = high < 100 * low
        axis.set_major_locator(LogLocator(subs=(1, 2, 5) if few else (1,)))
        axis.set_minor_formatter(NullFormatter())
    else:
        axis.set_major_locator(MaxNLocator(nbins=5, integer=all(float(n).is_integer() for n in numbers)))
    size, unit = _unit(column, sqrt(low * high) if logarithmic else high)
    axis.set_major_formatter(FuncFormatter(lambda n, _: f"{n / size:,.6g}"))
    axis.set_label_text(labels.one_line(f"{column} [{unit}]" if unit else column, 60))
    return logarithmic


def is_log(which: str, numbers: Sequence[float], log: str | None, column: str) -> bool:
    """Whether an axis is logarithmic. ArchcalcError if the user wants so, and a number is not above zero."""
    if log is not None and (set(log) - set("xy,") and log != "none"):
        raise ArchcalcError(f"log: expected x, y, xy or none, got {clipped(log, 40)!r}")
    if log is None:
        return min(numbers) > 0 and max(numbers) >= WIDE * min(numbers)
    if which in log and log != "none":
        if min(numbers) <= 0:
            raise ArchcalcError(f"{column} has {min(numbers):g}: a logarithmic axis has numbers above 0 (--log none)")
        return True
    return False


def _unit(column: str, typical: float) -> tuple[float, str]:
    """What the numbers of a column are divided by for its ticks, and the unit that they then have."""
    unit = unit_of(column)
    if unit == TIME:
        return seconds_unit([typical])
    if unit == SIZE:
        return unit_for([round(typical)], BYTES)
    if unit is not None and column not in OF_SIZES and typical >= 10_000:
        return unit_for([round(typical)], COUNTS)
    return 1, OF_SIZES.get(column, "")
