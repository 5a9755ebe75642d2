"""The receptive field against depth, along the layers that every way through the network goes through."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby, pairwise
from math import inf, log2
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from archcalc.analysis import Analysis
from archcalc.analysis.depth import depths
from archcalc.errors import ArchcalcError
from archcalc.plot import style

ROOM = 0.11
"""Inches between the labels of neighbouring stages, which are written upright."""

LABEL = 0.8
"""The height of the label of an input's line, in powers of two."""


class Point(NamedTuple):
    """A layer on the curve: its depth, its field and that of the smallest path on one axis, and its map's size."""

    depth: int
    field: int
    least: int
    exact: bool
    size: str


def rf(*analyses: Analysis, ax: Axes | None = None) -> Axes:
    """Size of the receptive field, in input pixels, against depth, in weighted layers on the longest path.

    One network: its stages as bands, and the smallest path's field as a second line where branches differ.
    Several: a line each, with a marker where a stage ends. Layers that see everything at once (global
    pooling, fully connected) are left out. ArchcalcError for a network without spatial axes.
    """
    curves = {a: [_curve(a, axis) for axis in _axes(a)] for a in analyses}
    with style.applied():
        made = ax is None
        ax = style.new_axes(2.5) if ax is None else ax
        ax.set_yscale("log", base=2)
        for nth, (a, lines) in enumerate(curves.items()):
            for axis, points in zip(_axes(a), lines, strict=True):
                _line(ax, a, points, axis, nth, len(analyses) > 1)
        everything = [p for lines in curves.values() for points in lines for p in points]
        ax.set_xlim(0, max(1, *(p.depth for p in everything)) * 1.02)
        _inputs(ax, analyses, [points for lines in curves.values() for points in lines])
        ax.set_ylim(0.9, max(*(p.field for p in everything), *(n for a in analyses for n in a.input.axes)) * 1.6)
        ax.yaxis.set_major_locator(LogLocator(base=2, numticks=8))
        ax.yaxis.set_minor_locator(NullLocator())
        ax.yaxis.set_major_formatter(FuncFormatter(lambda n, _: f"{n:,.0f}"))
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.set_xlabel("depth [weighted layers on the longest path]")
        ax.set_ylabel("receptive field [pixels]")
        if len(ax.get_legend_handles_labels()[1]) > 1:
            ax.legend(loc="lower right", borderaxespad=0.2, labelspacing=0.3)
        if made:
            style.captioned(ax, _caption(analyses, curves))
        if len(analyses) == 1:
            _stages(ax, next(iter(curves.values()))[0], style.figure_of(ax).get_size_inches()[0] - 0.6)
    return ax


def _axes(analysis: Analysis) -> list[int]:
    """The axes to draw: one where all have the same field everywhere."""
    axes = range(len(analysis.input.axes))
    if not axes:
        raise ArchcalcError(f"{analysis.network.name} has no receptive field: its input {analysis.input} has no axes")
    same = all(len({v.field.size for v in row.views}) <= 1 for row in analysis.rows)
    return [0] if same and len(set(analysis.input.axes)) == 1 else list(axes)


def _curve(analysis: Analysis, axis: int) -> list[Point]:
    rows = {row.node.index: row for row in analysis.rows if row.node is not None}
    at = depths(analysis.network)
    points = []
    for node in analysis.stages.trunk:
        views = rows[node.index].views
        if not views or any(view.least.step == 0 for view in views):
            continue
        view = views[axis]
        points.append(
            Point(at[node.index], view.field.size, view.least.size, view.exact, style.size_text(node.shape.axes))
        )
    return points


def _line(ax: Axes, analysis: Analysis, points: Sequence[Point], axis: int, nth: int, several: bool) -> None:
    colour, dash, marker = style.LINES[nth]
    names = {0: "height", 1: "width"} if len(analysis.input.axes) == 2 else {}
    along = f", {names.get(axis, f'axis {axis}')}" if len(_axes(analysis)) > 1 else ""
    depth, size = [p.depth for p in points], [p.field for p in points]
    ends = [len(depth) - 1 - i for i, p in enumerate(reversed(points)) if i == 0 or points[-i].size != p.size]
    label = (analysis.network.name if several else "largest path") + along
    ax.plot(
        depth,
        size,
        color=colour,
        linestyle=dash if not along or axis == 0 else ":",
        marker=marker,
        markevery=sorted(ends),
        label=label,
        zorder=3,
    )
    if not several and any(p.least != p.field for p in points):
        ax.plot(
            depth,
            [p.least for p in points],
            color=style.ORANGE,
            linestyle="--",
            marker="s",
            markevery=sorted(ends),
            label=f"smallest path{along}",
            zorder=2.5,
        )


def _inputs(ax: Axes, analyses: Sequence[Analysis], curves: Sequence[Sequence[Point]]) -> None:
    """A line for every size of an input, with the size over the end where the curves leave more room."""
    low, high = ax.get_xlim()
    third = (high - low) / 3

    def room(size: int, left: bool) -> float:
        """From the label to the nearest curve in the left or right third, in powers of two."""
        spans = [
            sorted(log2(n / size) - LABEL / 2 for n in ends)
            for points in curves
            for p, q in pairwise(points)
            if (p.depth < low + third if left else q.depth > high - third)
            for ends in ((p.field, q.field), (p.least, q.least))
        ]
        return min((max(first, -last, 0.0) for first, last in spans), default=inf)

    told: list[list[int]] = []  # sizes whose lines are too close for a label each share one
    for size in sorted({n for a in analyses for n in a.input.axes}):
        ax.axhline(size, color=style.GREY, linewidth=0.8, zorder=1)
        if told and log2(size / told[-1][-1]) < LABEL:
            told[-1].append(size)
        else:
            told.append([size])
    for sizes in told:
        top = sizes[-1]
        left = room(top, True) >= room(top, False)
        ax.annotate(
            f"input {', '.join(map(str, sizes))}",
            (0 if left else 1, top),
            (2 if left else -2, 1),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            ha="left" if left else "right",
        )


def _stages(ax: Axes, points: Sequence[Point], width: float) -> None:
    """Bands for the stages that add depth, each with its map's size, written upright above it."""
    low, high = ax.get_xlim()
    ends = [(size, max(p.depth for p in run)) for size, run in groupby(points, lambda p: p.size)]
    starts = [low, *(depth for _, depth in ends)]
    bands = [(start, end, size) for start, (size, end) in zip(starts, ends, strict=False) if end > start]
    gap = ROOM * (high - low) / width
    places = style.apart([(start + end) / 2 for start, end, _ in bands], gap, low + gap / 2, high)
    for i, (at, (start, end, size)) in enumerate(zip(places, bands, strict=True)):
        ax.axvspan(start, end, color="white" if i % 2 else style.PALE, linewidth=0, zorder=0)
        ax.text(at, 1.02, size, transform=ax.get_xaxis_transform(), rotation=90, ha="center", va="bottom")


def _caption(analyses: Sequence[Analysis], curves: dict[Analysis, list[list[Point]]]) -> str:
    bound = [a.network.name for a, lines in curves.items() if not all(p.exact for points in lines for p in points)]
    return (
        f"Receptive field of {style.about(*analyses, counted=False)} "
        "Hull over all paths to a layer; padding counts as pixels. "
        + ("Bands are stages, runs of one map size." if len(analyses) == 1 else "Markers end stages of one map size.")
        + (f" A bound, not exact: {', '.join(bound)}." if bound else "")
    )
