"""The receptive field against depth, along the trunk of a network. Paths through gates do not count."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby, pairwise
from math import inf, log2
from typing import Any, NamedTuple, Unpack

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from archcalc.analysis import Analysis
from archcalc.analysis.depth import depths
from archcalc.analysis.stages import HEADS
from archcalc.errors import ArchcalcError
from archcalc.field.coverage import gate_nodes
from archcalc.plot import labels, style
from archcalc.plot.colours import GREY, ORANGE, PALE
from archcalc.plot.look import Looks
from archcalc.sizes import AXES

ROOM = 0.11
"""Minimum inches between the labels of neighbouring stages. The labels are vertical."""

LABEL = 0.8
"""The height of the label at the line of an input size, in powers of two (the axis is logarithmic)."""

UNEVEN = 3
"""The depth axis is logarithmic if the deepest network is more than UNEVEN times as deep as the shallowest."""

DASHES: Sequence[Any] = ("-", (0, (4, 1.5)), (0, (1, 1)))


class Point(NamedTuple):
    """A layer on the curve: its depth, its field and least field along one axis in pixels, and its stage's map size."""

    depth: int
    field: int
    least: int
    exact: bool
    size: str


class Curve(NamedTuple):
    """The points of one axis, or of several equal axes. ``axes``: their names, empty if all axes are equal."""

    axes: str
    points: Sequence[Point]


def rf(*analyses: Analysis, ax: Axes | None = None, **look: Unpack[Looks]) -> Axes:
    """Size of the receptive field in pixels against depth, in weighted layers on the longest path.

    One network: its stages are bands, and the least field is a second line if branches differ. Several networks: one
    line each, with a marker at the end of each stage. Layers whose units all have the same field (global pooling, fully
    connected) are left out. Paths through gates are left out too. ArchcalcError for a network without spatial axes.
    """
    curves = [_curves(a) for a in analyses]
    several = len(analyses) > 1
    points = [point for of_network in curves for curve in of_network for point in curve.points]
    ends = [max(1, *(p.depth for curve in of_network for p in curve.points)) for of_network in curves]
    uneven = max(ends) > UNEVEN * min(ends)
    with style.page(ax, look, *analyses) as page:
        ax = page.axes(2.5)
        ax.set_yscale("log", base=2)
        if uneven:
            ax.set_xscale("log", base=2)
        names = labels.names(analyses) if several else [""]
        for nth, (name, of_network) in enumerate(zip(names, curves, strict=True)):
            for at, curve in enumerate(of_network):
                _line(ax, name, curve, nth, at, len(of_network))
        ax.set_xlim(0.9 if uneven else 0, max(ends) * (1.1 if uneven else 1.02))
        _inputs(ax, analyses, [curve.points for of_network in curves for curve in of_network])
        ax.set_ylim(0.9, max(*(p.field for p in points), *(n for a in analyses for n in a.input.axes)) * 1.6)
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
            if not several and len(curves[0]) > 1:  # inside the axes, the legend would cover the smaller fields
                ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2)
            else:
                ax.legend(loc="lower right", borderaxespad=0.2, labelspacing=0.3)
        page.framed(ax, _caption(analyses, curves))
        if not several:
            _stages(ax, curves[0][0].points, page.width - 0.6)
    return ax


def _curves(analysis: Analysis) -> list[Curve]:
    """A curve for each axis. Axes with equal points share a curve."""
    count = len(analysis.input.axes)
    if not count:
        raise ArchcalcError(
            f"{analysis.network.full_name} has no receptive field: its input {analysis.input} has no axes"
        )
    at = depths(analysis.network)
    axes_of: dict[tuple[Point, ...], list[str]] = {}
    for axis, name in enumerate(AXES[count]):
        axes_of.setdefault(tuple(_points(analysis, at, axis)), []).append(name)
    return [Curve(", ".join(names) if len(axes_of) > 1 else "", points) for points, names in axes_of.items()]


def _points(analysis: Analysis, at: Sequence[int], axis: int) -> list[Point]:
    points = []
    for node in analysis.stages.trunk:
        field = analysis.all_rows[node.index].field
        if node.shape.axes and field and all(along.least.step != 0 for along in field):
            along, size = field[axis], analysis.stages.names[analysis.stages.of[node.index]].replace("x", "×")
            points.append(Point(at[node.index], along.field.size, along.least.size, along.exact, size))
    return points


def _line(ax: Axes, network: str, curve: Curve, nth: int, at: int, axes: int) -> None:
    """Draw a curve. Colour and marker show the network, dashes show the axis. ``network``: "" for a single one."""
    colour, dash, marker = style.LINES[nth if network else at]
    points = curve.points
    depth = [p.depth for p in points]
    ends = sorted(len(depth) - 1 - i for i, p in enumerate(reversed(points)) if i == 0 or points[-i].size != p.size)

    def draw(field: Sequence[int], label: str, **settings: Any) -> None:
        ax.plot(depth, field, markevery=ends, label=", ".join(filter(None, [label, curve.axes])), **settings)

    dash = DASHES[at % len(DASHES)] if network and axes > 1 else dash
    draw([p.field for p in points], network or "largest path", color=colour, linestyle=dash, marker=marker, zorder=3)
    if not network and any(p.least != p.field for p in points):
        settings = (
            {"color": ORANGE, "marker": "s"}
            if axes == 1
            else {"color": colour, "marker": marker, "markerfacecolor": "white"}
        )
        draw([p.least for p in points], "smallest path", linestyle="--", zorder=2.5, **settings)


def _inputs(ax: Axes, analyses: Sequence[Analysis], curves: Sequence[Sequence[Point]]) -> None:
    """Draw a line for each input size. The label stands at the left or right end, where the curves leave more room."""
    low, high = ax.get_xlim()
    third = (high - low) / 3

    def room(size: int, left: bool) -> float:
        """The distance from the label to the nearest curve in the left or right third of the axes, in powers of two."""
        spans = [
            sorted(log2(n / size) - LABEL / 2 for n in ends)
            for points in curves
            for p, q in pairwise(points)
            if (p.depth < low + third if left else q.depth > high - third)
            for ends in ((p.field, q.field), (p.least, q.least))
        ]
        return min((max(first, -last, 0.0) for first, last in spans), default=inf)

    groups: list[list[int]] = []  # sizes share a label if their lines are too close for two labels
    for size in sorted({n for a in analyses for n in a.input.axes}):
        ax.axhline(size, color=GREY, linewidth=0.8, zorder=1)
        if groups and log2(size / groups[-1][-1]) < LABEL:
            groups[-1].append(size)
        else:
            groups.append([size])
    for sizes in groups:
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
    """Draw a band for each stage that adds depth. The size of its maps is written vertically above the band."""
    low, high = ax.get_xlim()
    ends = [(size, max(p.depth for p in run)) for size, run in groupby(points, lambda p: p.size)]
    starts = [low, *(depth for _, depth in ends)]
    bands = [(start, end, size) for start, (size, end) in zip(starts, ends, strict=False) if end > start]
    gap = ROOM * (high - low) / width
    places = style.spread([(start + end) / 2 for start, end, _ in bands], gap, low + gap / 2, high)
    for i, (at, (start, end, size)) in enumerate(zip(places, bands, strict=True)):
        if i % 2 == 0:
            ax.axvspan(start, end, color=PALE, linewidth=0, zorder=0)
        ax.text(at, 1.02, size, transform=ax.get_xaxis_transform(), rotation=90, ha="center", va="bottom")


def _caption(analyses: Sequence[Analysis], curves: Sequence[Sequence[Curve]]) -> str:
    names = labels.names(analyses)
    bounds = [n for n, own in zip(names, curves, strict=True) if not all(p.exact for c in own for p in c.points)]
    gated = [n for n, a in zip(names, analyses, strict=True) if gate_nodes(a.network)]
    differ = any(along.field.phases for a in analyses for row in a.rows for along in row.field)
    headed = [n for n, a in zip(names, analyses, strict=True) if HEADS in a.stages.names]
    stage = "layers whose maps have one size"
    return (
        f"Receptive field of {labels.about(*analyses)}. Over all paths to a layer; padding counts as pixels. "
        + ("Where the units of a layer differ, the largest field is drawn. " if differ else "")
        + (f"Past the gates of {', '.join(gated)}: through a gate, every unit sees the whole input. " if gated else "")
        + (f"Bands are stages: {stage}." if len(analyses) == 1 else f"Markers: the last layer of each stage ({stage}).")
        + (f" Without the heads{' of ' + ', '.join(headed) if len(analyses) > 1 else ''}." if headed else "")
        + (f" Bounds, not exact sizes: {', '.join(bounds)}." if bounds else "")
    )
