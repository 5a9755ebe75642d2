"""Parameters, MACs and feature maps, layer by layer, side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Unpack

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, MaxNLocator

from archcalc.analysis import Analysis
from archcalc.analysis.folding import total
from archcalc.analysis.rows import Row
from archcalc.errors import ArchcalcError
from archcalc.plot import labels, style
from archcalc.plot.colours import BLUE, GREEN, ORANGE
from archcalc.plot.look import Looks
from archcalc.units import BYTES, COUNTS

MOST = 32
"""Maximum number of rows. A longer network is folded by block, or by stage."""

LABELLED = 0.05
"""The smallest share of the total that is written next to a bar."""

NAMES = 0.24
"""Maximum share of the picture's width for the names of the rows."""


class Panel(NamedTuple):
    """One of the three panels: its heading, the amount of a row, the units, and the look of its bars."""

    heading: str
    amount: Callable[[Row], int]
    units: tuple[tuple[int, str], ...]
    colour: str
    hatch: str


def cost(analysis: Analysis, ax: Sequence[Axes] | None = None, **look: Unpack[Looks]) -> list[Axes]:
    """Three panels of bars with a row for each layer or block: parameters, MACs, and bytes of feature maps.

    Every bar of 5 % or more has its share of the total next to it. ``ax`` is an array of three axes, such as the result
    of ``figure.subplots(1, 3, sharey=True)``. The function returns the three axes.
    """
    rows = drawn_rows(analysis)
    panels = [
        Panel("parameters", lambda row: row.param_count, COUNTS, BLUE, ""),
        Panel(analysis.convention.operations_name, lambda row: row.macs or 0, COUNTS, ORANGE, "////"),
        Panel("feature maps", lambda row: (row.values or 0) * analysis.itemsize, BYTES, GREEN, "\\\\\\\\"),
    ]
    if ax is not None and len(ax) != 3:
        raise ArchcalcError(f"cost needs three axes, got {len(ax)}")
    with style.page(ax, look, analysis) as page:
        if ax is None:
            ax = list(page.figure(0.55 + 0.125 * len(rows)).subplots(1, 3, sharey=True))
            width = page.width
        else:
            width = style.figure_of(ax[0]).get_size_inches()[0]
        names = labels.short_names([row.name for row in rows], NAMES * width)
        left = max(map(labels.text_width, names), default=0)
        for panel, axes in zip(panels, ax, strict=True):
            _bars(axes, rows, panel, (width - left) / len(panels) - 0.15)
        ax[0].set_yticks(range(len(rows)), names)
        ax[0].set_ylim(len(rows) - 0.4, -0.6)
        page.framed(ax[0], _caption(analysis, rows))
    return list(ax)


def drawn_rows(analysis: Analysis) -> list[Row]:
    """The rows of the finest folding with at most MOST rows. A row whose three amounts are all zero is left out."""
    deepest = max((len(row.scopes) for row in analysis.rows), default=0)
    for depth in range(deepest + 1, 0, -1):
        rows = _joined([row for row in analysis.fold(depth) if row.param_count or row.macs or row.values])
        if len(rows) <= MOST:
            return rows
    return analysis.fold(by="stage")


def _joined(rows: Sequence[Row]) -> list[Row]:
    """The rows. A block and the join at its end become one row, with the name of the block that contains both."""
    joined: list[Row] = []
    for row in rows:
        around = row.name.rpartition(".")[0] + "."
        within = [before.name.startswith(around) for before in joined[-2:]]
        if (
            row.node is not None
            and row.node.layer.joins
            and joined[-1].type == "block"
            and within in ([True], [False, True])
        ):
            block = joined.pop()
            row = block._replace(
                name=around[:-1],
                param_count=block.param_count + row.param_count,
                macs=total([block.macs, row.macs]),
                values=total([block.values, row.values]),
                layers=block.layers + row.layers,
            )
        joined.append(row)
    return joined


def _bars(ax: Axes, rows: Sequence[Row], panel: Panel, width: float) -> None:
    """Draw a bar for each row in a panel of ``width`` inches, with room for the share next to the longest bar."""
    amounts = [panel.amount(row) for row in rows]
    whole, most = sum(amounts), max(amounts, default=0)
    _, unit, formatter = style.scaled_axis(amounts, panel.units)
    bars = ax.barh(range(len(rows)), amounts, height=0.72, color=panel.colour, hatch=panel.hatch, edgecolor="white")
    shares = [f"{n / whole:.0%}".replace("%", " %") if whole and n / whole >= LABELLED else "" for n in amounts]
    ax.bar_label(bars, shares, padding=1.5)
    beside = max((labels.text_width(text) + 0.05 for text in shares if text), default=0)
    room = most / max(0.2, 1 - beside / width)
    ax.set_xlim(0, room * 1.02 or 1)
    ticks = [
        tick for tick in MaxNLocator(2, steps=[1, 2, 2.5, 5, 10]).tick_values(0, most) if 0 <= tick <= max(most, room)
    ]
    ax.xaxis.set_major_locator(FixedLocator(ticks))
    ax.xaxis.set_major_formatter(formatter)
    heading = f"{panel.heading} [{unit}]" if unit else panel.heading
    ax.set_title(heading, fontsize=labels.SIZE, loc="right" if labels.text_width(heading) > width else "center")
    ax.tick_params(axis="y", length=0)


def _caption(analysis: Analysis, rows: Sequence[Row]) -> str:
    t = analysis.totals
    folds = " Folded by block." if any(row.type == "block" for row in rows) else ""
    folds = " Folded by stage." if any(row.type == "stage" for row in rows) else folds
    return (
        f"Cost by layer of {labels.about_counts(analysis)} Total: {t.params:,} parameters, {t.macs:,} "
        f"{analysis.convention.operations_name}, {t.values * analysis.itemsize:,} bytes of feature maps.{folds}"
    )
