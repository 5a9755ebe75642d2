"""The receptive field against depth, along the trunk of a network, past its gates."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby, pairwise
from math import inf, log2
from typing import Any, NamedTuple, Unpack

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from archcalc.analysis import Analysis
from archcalc.analysis.depth import depths
from archcalc.errors import ArchcalcError
from archcalc.field.coverage import gate_nodes
from archcalc.plot import labels, style
from archcalc.plot.colours import GREY, ORANGE, PALE
from archcalc.plot.look import Looks
from archcalc.sizes import AXES

ROOM = 0.11
"""Inches between the labels of neighbouring stages, which are written upright."""

LABEL = 0.8
"""The height of the label of an input's line, in powers of two."""

UNEVEN = 3
"""Where the deepest network is so many times as deep as the shallowest, depth has a logarithmic scale."""

DASHES: Sequence[Any] = ("-", (0, (4, 1.5)), (0, (1, 1)))


class Point(NamedTuple):
    """A layer on the curve: its depth, its field and that of the smallest path on one axis, and its map's size."""

    depth: int
    field: int
    least: int
    exact: bool
    size: str


class Curve(NamedTuple):
    """The points of the axes that have the same ones, and the names of those axes where others differ."""

    axes: str
    points: Sequence[Point]


def rf(*analyses: Analysis, ax: Axes | None = None, **look: Unpack[Looks]) -> Axes:
    """Size of the receptive field, in input pixels, against depth, in weighted layers on the longest path.

    One network: its stages as bands, and the smallest path's field as a second line where branches differ.
    Several: a line each, with a marker where a stage ends. Layers that see everything at once (global
    pooling, fully connected) are left out, and so are the paths through gates. ArchcalcError for a network without
    spatial axes.
    """
    curves = [_curves(a) for a in analyses]
    several = len(analyses) > 1
    everything = [point for found in curves for curve in found for point in curve.points]
    ends = [max(1, *(p.depth for curve in found for p in curve.points)) for found in curves]
    uneven = max(ends) > UNEVEN * min(ends)
    with style.page(ax, look, *analyses) as page:
        ax = page.axes(2.5)
        ax.set_yscale("log", base=2)
        if uneven:
            ax.set_xscale("log", base=2)
        names = labels.names(analyses) if several else [""]
        for nth, (name, found) in enumerate(zip(names, curves, strict=True)):
            for at, curve in enumerate(found):
                _line(ax, name, curve, nth, at, len(found))
        ax.set_xlim(0.9 if uneven else 0, max(ends) * (1.1 if uneven else 1.02))
        _inputs(ax, analyses, [curve.points for found in curves for curve in found])
        ax.set_ylim(0.9, max(*(p.field for p in everything), *(n for a in analyses for n in a.input.axes)) * 1.6)
        ax.yaxis.set_major_locator(LogLocator(base=2, numticks=8))
        ax.yaxis.set_minor_locator(NullLocator())
        ax.yaxis.set_major_formatter(FuncFormatter(lambda n, _: f"{n:,.0f}"))
        ax.xaxis.set_major_locator(LogLocator(base=2, numticks=10) if uneven else MaxNLocator(integer=True))
        if uneven:
            ax.xaxis.set_minor_locator(NullLocator())
            ax.xaxis.set_major_formatter(FuncFormatter(lambda n, _: f"{n:,.0f}"))
        ax.set_xlabel("depth [weighted layers on the longest path]")
        ax.set_ylabel("receptive field [pixels]")
        if len(ax.get_legend_handles_labels()[1]) > 1:
            ax.legend(loc="lower right", borderaxespad=0.2, labelspacing=0.3)
        page.framed(ax, _caption(analyses, curves))
        if not several:
            _stages(ax, curves[0][0].points, page.width - 0.6)
    return ax


def _curves(analysis: Analysis) -> list[Curve]:
    """A curve for every axis; axes whose points are the same share one."""
    count = len(analysis.input.axes)
    if not count:
        raise ArchcalcError(
            f"{analysis.network.full_name} has no receptive field: its input {analysis.input} has no axes"
        )
    at = depths(analysis.network)
    found: dict[tuple[Point, ...], list[str]] = {}
    for axis, name in enumerate(AXES[count]):
        found.setdefault(tuple(_points(analysis, at, axis)), []).append(name)
    return [Curve(", ".join(names) if len(found) > 1 else "", points) for points, names in found.items()]


def _points(analysis: Analysis, at: Sequence[int], axis: int) -> list[Point]:
    points = []
    for node in analysis.stages.trunk:
        seen = analysis.all_rows[node.index].field
        if node.shape.axes and seen and all(view.least.step != 0 for view in seen):
            view, size = seen[axis], labels.size_text(node.shape.axes)
            points.append(Point(at[node.index], view.field.size, view.least.size, view.exact, size))
    return points


def _line(ax: Axes, network: str, curve: Curve, nth: int, at: int, axes: int) -> None:
    """The curve of one of several networks, each of which has a colour and a marker, its axes dashes; or of one alone."""
    colour, dash, marker = style.LINES[nth if network else at]
    points = curve.points
    depth = [p.depth for p in points]
    ends = sorted(len(depth) - 1 - i for i, p in enumerate(reversed(points)) if i == 0 or points[-i].size != p.size)

    def drawn(field: Sequence[int], label: str, **how: Any) -> None:
        named = ", ".join(filter(None, [label, curve.axes]))
        ax.plot(depth, field, markevery=ends, label=named, **how)

    dash = DASHES[at % len(DASHES)] if network and axes > 1 else dash
    drawn([p.field for p in points], network or "largest path", color=colour, linestyle=dash, marker=marker, zorder=3)
    if not network and any(p.least != p.field for p in points):
        how = (
            {"color": ORANGE, "marker": "s"}
            if axes == 1
            else {"color": colour, "marker": marker, "markerfacecolor": "white"}
        )
        drawn([p.least for p in points], "smallest path", linestyle="--", zorder=2.5, **how)


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
        ax.axhline(size, color=GREY, linewidth=0.8, zorder=1)
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
        if i % 2 == 0:
            ax.axvspan(start, end, color=PALE, linewidth=0, zorder=0)
        ax.text(at, 1.02, size, transform=ax.get_xaxis_transform(), rotation=90, ha="center", va="bottom")


def _caption(analyses: Sequence[Analysis], curves: Sequence[Sequence[Curve]]) -> str:
    names = labels.names(analyses)
    bound = [n for n, found in zip(names, curves, strict=True) if not all(p.exact for c in found for p in c.points)]
    gated = [n for n, a in zip(names, analyses, strict=True) if gate_nodes(a.network)]
    differ = any(view.field.phases for a in analyses for row in a.rows for view in row.field)
    return (
        f"Receptive field of {labels.about(*analyses, counted=False)} "
        "Hull over all paths to a layer; padding counts as pixels. "
        + ("Where units differ, it is that of the unit that sees most. " if differ else "")
        + (f"Past the gates of {', '.join(gated)}: what is behind a gate sees the whole input by it. " if gated else "")
        + ("Bands are stages, runs of one map size." if len(analyses) == 1 else "Markers end stages of one map size.")
        + (f" A bound, not exact: {', '.join(bound)}." if bound else "")
    )
