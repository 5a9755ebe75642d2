"""Operations per second of every layer against its operations for each byte, below the roofs of a device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Unpack

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from archcalc.analysis import Analysis
from archcalc.errors import ArchcalcError
from archcalc.plot import labels, style
from archcalc.plot.colours import INK
from archcalc.plot.look import Looks
from archcalc.plot.points import Rect, name_discs
from archcalc.report.time import TimeRequest, run_mode
from archcalc.timing.device import Device
from archcalc.timing.reading import device
from archcalc.timing.time import LayerTime, Time
from archcalc.units import seconds_text

LARGEST, SMALLEST = 260, 3
"""The areas of the mark of the slowest layer, and of the smallest mark, in square points."""
NAMED, NAME_WIDTH = 3, 1.2
"""Maximum number of layers with a name, and inches of a name."""
ROOM = 30
"""The axis begins at a ROOM-th of the intensity at which the roofs meet, or before: there is the slanted roof's name."""


class Point(NamedTuple):
    """A layer with matrix products: its operations for each byte, and its operations per second."""

    intensity: float
    rate: float
    layer: LayerTime
    nth: int

    @property
    def place(self) -> tuple[float, float]:
        return self.intensity, self.rate


def roofline(
    *analyses: Analysis,
    on: str | Device = "",
    amp: bool = False,
    compiled: bool = False,
    channels_last: bool = False,
    tf32: bool = False,
    ax: Axes | None = None,
    **look: Unpack[Looks],
) -> Axes:
    """A mark for every layer that multiplies matrices. Its area is the estimate of its time, for the analysis's batch.

    Roofs: the bandwidth of the device ``on`` (slanted), and its peak in each dtype of the run (level). ArchcalcError
    without a device, for a network without matrix products, and as ``Analysis.time``.
    """
    if not on:
        raise ArchcalcError("a roofline needs a device: --on a100, or on='a100'; archcalc devices lists them")
    where = device(on) if isinstance(on, str) else on
    training = any(a.training for a in analyses)
    request = TimeRequest(
        where.name, amp=amp, training=training, compiled=compiled, channels_last=channels_last, tf32=tf32
    )
    times = [request.time(a, where) for a in analyses]
    for time in times:
        if not any(row.macs for row in time.rows):
            raise ArchcalcError(
                f"{time.network.full_name} multiplies no matrices: no layer has a place below the roofs"
            )
    points = [
        Point(row.intensity, 2 * row.macs / row.estimate, row, nth)
        for nth, time in enumerate(times)
        for row in time.rows
        if row.macs
    ]
    roofs = _roofs(times)
    with style.page(ax, look, *analyses) as page:
        ax = page.axes(2.9)
        ax.set_xscale("log")
        ax.set_yscale("log")
        most = max(point.layer.estimate for point in points)
        areas = [max(SMALLEST, LARGEST * point.layer.estimate / most) for point in points]
        _mark(ax, points, areas)
        _axes(ax, where, roofs, points)
        names = _draw_roofs(ax, where, roofs)
        _legend(ax, times, labels.names(analyses))
        page.framed(ax, _caption(analyses, times, roofs))
        by_place = {point.place: point for point in sorted(points, key=lambda point: point.layer.estimate)}
        slowest = list(by_place.values())[: -NAMED - 1 : -1]
        texts = dict(zip(slowest, labels.short_names([p.layer.name for p in slowest], NAME_WIDTH), strict=True))
        name_discs(ax, [texts.get(p, "") for p in points], [p.place for p in points], areas, _taken(ax, roofs, names))
    return ax


def _mark(ax: Axes, points: Sequence[Point], areas: Sequence[float]) -> None:
    """Draw the marks of the layers; those of a network have its colour and its form."""
    for nth, (colour, _, marker) in zip(sorted({point.nth for point in points}), style.LINES, strict=False):
        own = [at for at, point in enumerate(points) if point.nth == nth]
        ax.scatter(
            [points[at].intensity for at in own],
            [points[at].rate for at in own],
            [areas[at] for at in own],
            c=colour,
            marker=marker,
            alpha=0.55,
            edgecolors=INK,
            linewidths=0.4,
            zorder=2,
        )


def _roofs(times: Sequence[Time]) -> dict[str, float]:
    """The peaks that the layers have, by dtype, from the lowest to the highest."""
    found = {}
    for time in times:
        for one in (timed.operator for timed in time.operators):
            if one.product is not None and one.product.is_depthwise:
                found["float32"] = time.device.vector["float32"].value
            elif one.macs:
                dtype = time.settings.mode.dtype(one)
                found[dtype] = time.device.peak(dtype)
    return dict(sorted(found.items(), key=lambda roof: roof[1]))


def _axes(ax: Axes, where: Device, roofs: Mapping[str, float], points: Sequence[Point]) -> None:
    """Set the limits, ticks and titles of the axes."""
    meet = max(roofs.values()) / where.bandwidth.value
    intensities = [point.intensity for point in points]
    ax.set_xlim(min([*intensities, meet / ROOM]) / 2, max([*intensities, meet]) * 3)
    lowest = min([*(point.rate for point in points), min(roofs.values()) / 10])
    ax.set_ylim(lowest / 2, max([*roofs.values(), *(point.rate for point in points)]) * 2.5)
    size, unit = (1e12, "TFLOPS") if max(roofs.values()) >= 1e12 else (1e9, "GFLOPS")
    for axis, scale in ((ax.xaxis, 1.0), (ax.yaxis, size)):
        axis.set_major_locator(LogLocator())
        axis.set_major_formatter(FuncFormatter(lambda n, _, scale=scale: f"{n / scale:,.6g}"))
        axis.set_minor_formatter(NullFormatter())
    ax.set_xlabel("operations for each byte read or written")
    ax.set_ylabel(f"operations per second [{unit}]")


def _draw_roofs(ax: Axes, where: Device, roofs: Mapping[str, float]) -> list[Text]:
    """Draw the roofs, and return their names: of level roofs at the right end, of the slanted roof at its left."""
    speed, (left, right) = where.bandwidth.value, ax.get_xlim()
    highest = max(roofs.values())
    ax.plot([left, highest / speed], [left * speed, highest], color=INK, linewidth=0.9, zorder=1.5)
    names: list[Text] = []
    for dtype, rate in roofs.items():
        ax.plot([rate / speed, right], [rate, rate], color=INK, linewidth=0.9, zorder=1.5)
        up = rate == highest
        name = ax.annotate(
            f"{dtype} {_rate_text(rate)}", (right, rate), (0, 2 if up else -2), textcoords="offset points", ha="right"
        )
        name.set_verticalalignment("bottom" if up else "top")
        names.append(name)
    at = left**0.3 * (highest / speed) ** 0.7
    text = f"memory {speed / 1e9:,.0f} GB/s"
    names.append(ax.annotate(text, (at, at * speed), (-3, 1), textcoords="offset points", ha="right", va="bottom"))
    for one in names:
        one.set_in_layout(False)
    return names


def _rate_text(rate: float) -> str:
    return f"{rate / 1e12:,.4g} TFLOPS" if rate >= 1e12 else f"{rate / 1e9:,.4g} GFLOPS"


def _legend(ax: Axes, times: Sequence[Time], names: Sequence[str]) -> None:
    """Draw a legend below the axes: the networks, and the share of their time that is in the picture."""
    handles = []
    for time, name, (colour, _, marker) in zip(times, names, style.LINES, strict=False):
        shown = sum(row.estimate for row in time.rows if row.macs) / time.estimate
        text = f"{name}: {shown:.0%} of its time".replace("%", " %")
        handles.append(Line2D([], [], color=colour, marker=marker, linestyle="none", label=text))
    ax.legend(
        handles=handles,
        loc="upper center",
        bbox_to_anchor=(0.45, -0.16),
        ncols=1 if len(times) < 3 else 2,
        handlelength=1,
        columnspacing=1,
        labelspacing=0.25,
    )


def _taken(ax: Axes, roofs: Mapping[str, float], names: Sequence[Text]) -> list[Rect]:
    """Where no layer has its name: on the names of the roofs, and above the roofs."""
    figure = style.figure_of(ax)
    style.lay_out(figure)
    _, top = ax.transData.transform((1, max(roofs.values())))
    axes = ax.get_window_extent()
    boxes = [Text.get_window_extent(name).extents for name in names] + [(axes.x0, top, axes.x1, axes.y1)]
    return [Rect(*(n * 72 / figure.dpi for n in box)) for box in boxes]


def _caption(analyses: Sequence[Analysis], times: Sequence[Time], roofs: Mapping[str, float]) -> str:
    first = times[0]
    meet = roofs[max(roofs, key=lambda dtype: roofs[dtype])] / first.device.bandwidth.value
    totals = [f"{labels.one_line(t.network.full_name, 60)} {seconds_text(t.estimate)}" for t in times]
    settings = ", ".join([f"batch {first.settings.batch:,}", first.settings.dtype, *run_mode(first.settings)])
    return (
        f"Roofline of {labels.one_line(first.device.title, 80)}: {labels.about(*analyses)}, {settings}. A mark is a layer that "
        f"multiplies matrices; its area is its estimated time. Estimates: {', '.join(totals)}. The legend has the share "
        f"of the time that is in these layers. Lines: the data sheet. Left of "
        f"{meet:,.3g} operations for each byte, memory is the limit. Tensors that the cache holds can be above the slanted line."
    )
