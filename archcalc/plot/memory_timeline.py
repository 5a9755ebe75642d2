"""What is alive at every moment of a run, stacked by tensor: the memory that a device holds, and its peak."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple, Unpack

from matplotlib.axes import Axes
from matplotlib.legend_handler import HandlerTuple
from matplotlib.patches import Patch, Polygon
from matplotlib.ticker import MaxNLocator

from archcalc.analysis import Analysis
from archcalc.errors import ArchcalcError
from archcalc.memory.lifetime import Schedule
from archcalc.memory.training import Training
from archcalc.plot import labels, style
from archcalc.plot.colours import DEEP, GREY, INK, ORANGE, PURPLE, RED, SKY, YELLOW, shade
from archcalc.plot.look import Looks
from archcalc.pytorch.tape import Storage
from archcalc.units import BYTES, bytes_text

TENSORS, SAMPLES, NAMED = 60, 300, 4
"""The most tensors drawn one by one, the most parts of time drawn, and the most tensors of the peak named in the caption."""

ROLES = {
    "map": ("feature maps", SKY),
    "kept": ("indices, statistics, masks", YELLOW),
    "scratch": ("scratch within a layer", GREY),
    "gradient": ("gradients of feature maps", ORANGE),
    "weight gradient": ("gradients of weights", RED),
    "weight copy": ("copies of weights", PURPLE),
}


class Band(NamedTuple):
    """One or more tensors of a role that are drawn as one: their bytes at every moment that is drawn."""

    role: str
    bytes: Sequence[int]


def memory(
    analysis: Analysis,
    amp: bool = False,
    checkpoint: str | None = None,
    ax: Axes | None = None,
    **look: Unpack[Looks],
) -> Axes:
    """Bytes alive after every operator, stacked by tensor in the order of their making, the peak marked.

    An analysis with ``training`` has the forward and the backward pass. A network of many tensors is stacked
    by block. Weights, the optimizer's state and the image are not drawn: they are there all the time.
    """
    if checkpoint is not None and not analysis.training:
        raise ArchcalcError("checkpoint is about training; add --training, or training=True")
    budget = analysis.memory(amp=amp, checkpoint=checkpoint)
    schedule: Schedule = budget.training if analysis.training else budget.inference
    live = schedule.live(analysis.batch)
    if not live:
        raise ArchcalcError(f"{analysis.network.full_name} has no layers to run")
    moments = _moments(live)
    bands = _bands(analysis, schedule, moments)
    peak = schedule.peak_moment(analysis.batch)
    turn = schedule.turn if isinstance(schedule, Training) else None
    with style.page(ax, look, analysis) as page:
        ax = page.axes(2.5)
        twice = _stack(ax, moments, len(live), bands)
        _, unit, formatter = style.scaled_axis(live, BYTES)
        ax.yaxis.set_major_formatter(formatter)
        ax.set_ylabel(f"alive [{unit}]")
        ax.set_xlabel("operators, in the order in which they run")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.set_xlim(0, len(live))
        ax.set_ylim(0, live[peak] * 1.2)
        _mark(ax, peak, live[peak], len(live))
        if turn is not None:
            ax.plot([turn, turn], [0, live[peak]], color=INK, linewidth=0.6, linestyle=":")
            ax.plot(
                [turn, turn],
                [1, 1.06],
                color=INK,
                linewidth=0.6,
                linestyle=":",
                transform=ax.get_xaxis_transform(),
                clip_on=False,
            )
            for text, at, side in (("forward", -3, "right"), ("backward", 3, "left")):
                ax.annotate(
                    text,
                    (turn, 1.01),
                    (at, 0),
                    xycoords=("data", "axes fraction"),
                    textcoords="offset points",
                    ha=side,
                    va="bottom",
                )
        _legend(ax, [role for role in ROLES if any(band.role == role for band in bands)], twice)
        how = [*(["mixed precision"] if amp else []), *([f"{checkpoint} checkpointed"] if checkpoint else [])]
        page.framed(ax, _caption(analysis, schedule, peak, how, len(moments) < len(live)))
    return ax


def _moments(live: Sequence[int]) -> list[int]:
    """The moments to draw: all, or of every part of time the one with most alive and the one with least, in their order."""
    if len(live) <= 2 * SAMPLES:
        return list(range(len(live)))
    edges = [at * len(live) // SAMPLES for at in range(SAMPLES + 1)]
    found: list[int] = []
    for low, high in pairwise(edges):
        part = range(low, high)
        found += sorted({max(part, key=live.__getitem__), min(part, key=live.__getitem__)})
    return found


def _legend(ax: Axes, roles: Sequence[str], twice: set[str]) -> None:
    """Every colour of the stack by its name; a role whose bands take turns in two shades has both."""
    handles = [
        tuple(
            Patch(facecolor=shade(ROLES[role][1], light), edgecolor=INK, linewidth=0.4)
            for light in (1.0, DEEP)[: 1 + (role in twice)]
        )
        for role in roles
    ]
    ax.legend(
        handles,
        [ROLES[role][0] for role in roles],
        handler_map={tuple: HandlerTuple(ndivide=None, pad=0)},
        loc="upper center",
        bbox_to_anchor=(0.45, -0.2),
        ncols=2,
        handlelength=1.4,
        columnspacing=1,
    )


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


def _stack(ax: Axes, moments: Sequence[int], count: int, bands: Sequence[Band]) -> set[str]:
    """The bands on each other, each from where it begins to where it ends; the roles of which two shades take turns."""
    below = [0] * len(moments)
    edges = [0, *((a + b + 1) / 2 for a, b in pairwise(moments)), count]
    turn = dict.fromkeys(ROLES, 0)
    for band in bands:
        turn[band.role] += 1
        above = [low + more for low, more in zip(below, band.bytes, strict=True)]
        there = [at for at, more in enumerate(band.bytes) if more]
        if there:
            span = slice(there[0], there[-1] + 1)
            times = edges[there[0] : there[-1] + 2]
            colour = shade(ROLES[band.role][1], 1.0 if turn[band.role] % 2 else DEEP)
            outline = [*_steps(times, above[span]), *reversed(_steps(times, below[span]))]
            ax.add_patch(Polygon(outline, facecolor=colour, edgecolor=colour, linewidth=0.1))
        below = above
    return {role for role, n in turn.items() if n > 1}


def _steps(times: Sequence[float], heights: Sequence[int]) -> list[tuple[float, int]]:
    """The corners of a line that keeps each height from its time to the next."""
    corners: list[tuple[float, int]] = []
    for start, end, height in zip(times, times[1:], heights, strict=False):
        if corners and corners[-1][1] == height:
            corners[-1] = (end, height)
        else:
            corners += [(start, height), (end, height)]
    return corners


def _mark(ax: Axes, peak: int, most: int, count: int) -> None:
    """A mark over the peak, and its bytes beside it, on the side that has more room."""
    ax.annotate(
        "",
        (peak + 0.5, most),
        (0, 9),
        textcoords="offset points",
        arrowprops={
            "arrowstyle": "-|>",
            "linewidth": 0.7,
            "mutation_scale": 5,
            "color": INK,
            "shrinkA": 0,
            "shrinkB": 1,
        },
    )
    left = peak < count / 2
    ax.annotate(
        f"peak {bytes_text(most)}",
        (peak + 0.5, most),
        (4 if left else -4, 3),
        textcoords="offset points",
        ha="left" if left else "right",
        va="bottom",
    )


def _caption(analysis: Analysis, schedule: Schedule, peak: int, how: Sequence[str], folded: bool) -> str:
    moment, batch = schedule.moments[peak], analysis.batch
    alive = sorted(schedule.alive(peak), key=lambda storage: -storage.bytes(batch))
    told = [f"{labels.said(s.name, 45)} {s.bytes(batch):,}" for s in alive[:NAMED]]
    rest = alive[NAMED:]
    told += [f"{len(rest)} more {sum(s.bytes(batch) for s in rest):,}"] if rest else []
    what = "a step of training" if analysis.training else "inference"
    settings = ", ".join([f"batch {batch}", analysis.dtype, *how])
    parts = " Of every part of time the moments with most and with least alive are drawn." if folded else ""
    where = labels.said(analysis.network.nodes[moment.node].name, 45)
    return (
        f"Tensors alive during {what}: {labels.about(analysis, counted=False)[:-1]}, {settings}. The peak of "
        f"{schedule.peak(batch):,} bytes is at {where}, {moment.phase}; alive there, "
        f"in bytes: {', '.join(told)}. A band is {'what one block holds of a kind' if _many(schedule) else 'a tensor'}. "
        f"Without weights, optimizer and image.{parts}"
    )
