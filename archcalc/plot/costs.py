"""Parameters, MACs and feature maps of the same layers side by side: memory early, parameters late."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from archcalc.analysis import Analysis
from archcalc.analysis.trace import Row
from archcalc.errors import ArchcalcError
from archcalc.plot import style
from archcalc.report.units import BYTES, COUNTS

MOST = 32
"""The most rows that are legible; a longer network is folded by its blocks, or by stage."""

TOLD = 0.05
"""A share of at least this is written beside its bar."""


class Panel(NamedTuple):
    """One of the three: its heading, the amount of a row, the units, and how it is drawn."""

    heading: str
    amount: Callable[[Row], int]
    units: tuple[tuple[int, str], ...]
    colour: str
    hatch: str


def cost(analysis: Analysis, ax: Sequence[Axes] | None = None) -> list[Axes]:
    """Three panels of bars, a row per layer or per block: parameters, MACs, and bytes of feature maps.

    The share of the total stands beside every bar of 5 % or more. ``ax`` is a row of three axes, as
    ``figure.subplots(1, 3, sharey=True)`` makes them; the three are returned.
    """
    rows = folded(analysis)
    how = analysis.convention
    panels = [
        Panel("parameters", lambda row: row.param_count, COUNTS, style.BLUE, ""),
        Panel(how.counts, lambda row: row.macs or 0, COUNTS, style.ORANGE, "////"),
        Panel("feature maps", lambda row: (row.values or 0) * analysis.itemsize, BYTES, style.GREEN, "\\\\\\\\"),
    ]
    with style.applied():
        made = ax is None
        if ax is None:
            ax = list(style.new_figure(0.55 + 0.125 * len(rows)).subplots(1, 3, sharey=True))
        if len(ax) != 3:
            raise ArchcalcError(f"cost needs three axes, got {len(ax)}")
        for panel, axes in zip(panels, ax, strict=True):
            _bars(axes, rows, panel)
        ax[0].set_yticks(range(len(rows)), [row.name for row in rows])
        ax[0].set_ylim(len(rows) - 0.4, -0.6)
        if made:
            style.captioned(ax[0], _caption(analysis, rows))
    return list(ax)


def folded(analysis: Analysis) -> list[Row]:
    """The rows that have any of the three, folded as little as leaves no more than MOST."""
    deepest = max((len(row.scopes) for row in analysis.rows), default=0)
    for depth in range(deepest + 1, 0, -1):
        rows = [row for row in analysis.fold(depth) if row.param_count or row.macs or row.values]
        if len(rows) <= MOST:
            return rows
    return analysis.fold(by="stage")


def _bars(ax: Axes, rows: Sequence[Row], panel: Panel) -> None:
    amounts = [panel.amount(row) for row in rows]
    total = sum(amounts)
    _, unit, formatter = style.scaled_axis(amounts, panel.units)
    bars = ax.barh(range(len(rows)), amounts, height=0.72, color=panel.colour, hatch=panel.hatch, edgecolor="white")
    bars_text = [f"{n / total:.0%}".replace("%", " %") if total and n / total >= TOLD else "" for n in amounts]
    ax.bar_label(bars, bars_text, padding=1.5)
    ax.set_xlim(0, max(amounts, default=0) * 1.42 or 1)
    ax.xaxis.set_major_locator(MaxNLocator(2))
    ax.xaxis.set_major_formatter(formatter)
    ax.set_xlabel(f"[{unit}]" if unit else "")
    ax.set_title(panel.heading, fontsize=style.SIZE)
    ax.tick_params(axis="y", length=0)


def _caption(analysis: Analysis, rows: Sequence[Row]) -> str:
    t = analysis.totals
    folds = " Folded by block." if any(row.type == "block" for row in rows) else ""
    folds = " Folded by stage." if any(row.type == "stage" for row in rows) else folds
    return (
        f"Cost by layer of {style.about(analysis)} Total: {t.params:,} parameters, {t.macs:,} "
        f"{analysis.convention.counts}, {t.values * analysis.itemsize:,} bytes of feature maps.{folds}"
    )
