"""What is alive at every moment of a run, stacked by tensor: the memory that a device holds, and its peak."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Patch, Polygon
from matplotlib.ticker import MaxNLocator

from archcalc.analysis import Analysis
from archcalc.analysis.budget import Budget
from archcalc.analysis.lifetime import Schedule
from archcalc.analysis.tape import Storage
from archcalc.analysis.training import Training
from archcalc.errors import ArchcalcError, clipped
from archcalc.plot import style
from archcalc.report.units import BYTES, bytes_text

TENSORS, SAMPLES, NAMED = 60, 300, 4
"""The most tensors drawn one by one, the most moments drawn, and the most tensors of the peak named in the caption."""

ROLES = {
    "map": ("feature maps", style.SKY),
    "kept": ("indices, statistics, masks", style.YELLOW),
    "scratch": ("scratch within a layer", style.GREY),
    "gradient": ("gradients of feature maps", style.ORANGE),
    "weight gradient": ("gradients of weights", style.RED),
    "weight copy": ("copies of weights", style.PURPLE),
}


class Band(NamedTuple):
    """One or more tensors of a role that are drawn as one: their bytes at every moment that is drawn."""

    role: str
    bytes: Sequence[int]


def memory(analysis: Analysis, amp: bool = False, checkpoint: str | None = None, ax: Axes | None = None) -> Axes:
    """Bytes alive after every operator, stacked by tensor in the order of their making, the peak marked.

    An analysis with ``training`` has the forward and the backward pass. A network of many tensors is stacked
    by block. Weights, the optimizer's state and the image are not drawn: they are there all the time.
    """
    if checkpoint is not None and not analysis.training:
        raise ArchcalcError("checkpoint is about training; add --training, or training=True")
    budget = Budget(analysis.network, analysis.dtype, amp=amp, checkpoint=checkpoint)
    schedule: Schedule = budget.training if analysis.training else budget.inference
    live = schedule.live(analysis.batch)
    if not live:
        raise ArchcalcError(f"{analysis.network.name} has no layers to run")
    moments = _moments(live)
    bands = _bands(analysis, schedule, moments)
    peak = schedule.peak_moment(analysis.batch)
    with style.applied():
        made = ax is None
        ax = style.new_axes(2.5) if ax is None else ax
        _stack(ax, moments, bands)
        _, unit, formatter = style.scaled_axis(live, BYTES)
        ax.yaxis.set_major_formatter(formatter)
        ax.set_ylabel(f"alive [{unit}]")
        ax.set_xlabel("operators, in the order in which they run")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.set_xlim(0, len(live))
        ax.set_ylim(0, live[peak] * 1.22)
        _mark(ax, peak, live[peak], len(live))
        if isinstance(schedule, Training):
            ax.axvline(schedule.turn, color=style.INK, linewidth=0.6, linestyle=":")
            for at, text, side in ((-3, "forward", "right"), (3, "backward", "left")):
                ax.annotate(
                    text,
                    (schedule.turn, 1.01),
                    (at, 0),
                    xycoords=("data", "axes fraction"),
                    textcoords="offset points",
                    ha=side,
                    va="bottom",
                )
        shown = [role for role in ROLES if any(band.role == role for band in bands)]
        if len(shown) > 1:
            ax.legend(
                handles=[
                    Patch(facecolor=ROLES[role][1], edgecolor=style.INK, linewidth=0.4, label=ROLES[role][0])
                    for role in shown
                ],
                loc="upper center",
                bbox_to_anchor=(0.45, -0.2),
                ncols=2,
                handlelength=1,
                columnspacing=1,
            )
        if made:
            how = [*(["mixed precision"] if amp else []), *([f"{checkpoint} checkpointed"] if checkpoint else [])]
            style.captioned(ax, _caption(analysis, schedule, peak, how))
    return ax


def _moments(live: Sequence[int]) -> list[int]:
    """The moments to draw: all, or of every run of them the one at which most is alive, so that no peak is lost."""
    count = min(len(live), SAMPLES)
    edges = [at * len(live) // count for at in range(count + 1)]
    return [max(range(low, high), key=live.__getitem__) for low, high in pairwise(edges)]


def _bands(analysis: Analysis, schedule: Schedule, moments: Sequence[int]) -> list[Band]:
    """A band for every tensor, or where they are many for those of a role and block; the first made first."""
    nodes, many = analysis.network.nodes, _many(schedule)
    groups: dict[object, list[Storage]] = {}
    for storage in schedule.storages:
        if storage.bytes(analysis.batch):
            block = nodes[storage.node].scopes[:1] or (nodes[storage.node].name,)
            groups.setdefault((block, storage.role) if many else storage, []).append(storage)
    return [
        Band(
            storages[0].role,
            [sum(s.bytes(analysis.batch) for s in storages if s.born <= at <= s.dies) for at in moments],
        )
        for storages in groups.values()
    ]


def _many(schedule: Schedule) -> bool:
    """Whether the tensors are too many to be drawn one by one."""
    return len(schedule.storages) > TENSORS


def _stack(ax: Axes, moments: Sequence[int], bands: Sequence[Band]) -> None:
    """The bands on each other, each from where it begins to where it ends, two shades taking turns."""
    below = [0] * len(moments)
    edges = [*moments, moments[-1] + 1]
    edges[0] = 0
    turn = dict.fromkeys(ROLES, 0)
    for band in bands:
        turn[band.role] += 1
        above = [low + more for low, more in zip(below, band.bytes, strict=True)]
        there = [at for at, more in enumerate(band.bytes) if more]
        if there:
            span = slice(there[0], there[-1] + 1)
            times = edges[there[0] : there[-1] + 2]
            colour = tuple((1.0 if turn[band.role] % 2 else 0.85) * part for part in to_rgb(ROLES[band.role][1]))
            outline = [*_steps(times, above[span]), *reversed(_steps(times, below[span]))]
            ax.add_patch(Polygon(outline, facecolor=colour, edgecolor="white", linewidth=0.25))
        below = above


def _steps(times: Sequence[int], heights: Sequence[int]) -> list[tuple[int, int]]:
    """The corners of a line that keeps each height from its time to the next."""
    corners: list[tuple[int, int]] = []
    for start, end, height in zip(times, times[1:], heights, strict=False):
        if corners and corners[-1][1] == height:
            corners[-1] = (end, height)
        else:
            corners += [(start, height), (end, height)]
    return corners


def _mark(ax: Axes, peak: int, most: int, count: int) -> None:
    """A line down from the peak, and its bytes over it."""
    ax.plot([peak + 0.5] * 2, [0, most], color=style.INK, linewidth=0.7, linestyle="--")
    left = peak < count / 2
    ax.annotate(
        f"peak {bytes_text(most)}",
        (peak + 0.5, most),
        (-2 if left else 2, 4),
        textcoords="offset points",
        ha="left" if left else "right",
        va="bottom",
        bbox={"facecolor": "white", "linewidth": 0, "pad": 0.5},
    )


def _caption(analysis: Analysis, schedule: Schedule, peak: int, how: Sequence[str]) -> str:
    moment, batch = schedule.moments[peak], analysis.batch
    alive = sorted(schedule.alive(peak), key=lambda storage: -storage.bytes(batch))
    told = [f"{clipped(s.name, 45)} {s.bytes(batch):,}" for s in alive[:NAMED]]
    rest = alive[NAMED:]
    told += [f"{len(rest)} more {sum(s.bytes(batch) for s in rest):,}"] if rest else []
    what = "a step of training" if analysis.training else "inference"
    settings = ", ".join([f"batch {batch}", analysis.dtype, *how])
    return (
        f"Tensors alive during {what}: {style.about(analysis, counted=False)[:-1]}, {settings}. The peak of "
        f"{schedule.peak(batch):,} bytes is at {analysis.network.nodes[moment.node].name}, {moment.phase}; alive there, "
        f"in bytes: {', '.join(told)}. A band is {'what one block holds of a kind' if _many(schedule) else 'a tensor'}. "
        f"Without weights, optimizer and image."
    )
