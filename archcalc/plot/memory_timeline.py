"""The tensors alive at every moment of a run, stacked, and the peak."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple, Unpack

from matplotlib.axes import Axes
from matplotlib.legend_handler import HandlerTuple
from matplotlib.patches import Patch, Polygon
from matplotlib.ticker import MaxNLocator

from archcalc.analysis import Analysis
from archcalc.errors import ArchcalcError
from archcalc.memory.lifetime import Schedule
from archcalc.memory.timeline import ROLES, shown_moments
from archcalc.memory.training import Training
from archcalc.plot import labels, style
from archcalc.plot.colours import DEEP, GREY, INK, ORANGE, PURPLE, RED, SKY, YELLOW, shade
from archcalc.plot.look import Looks
from archcalc.pytorch.tape import Storage
from archcalc.units import BYTES, bytes_text

TENSORS, SAMPLES, NAMED = 60, 300, 4
"""Maximum number of tensors with a band each, of parts of the time axis, and of tensors in the caption."""

COLOURS = {
    "map": SKY,
    "saved": YELLOW,
    "scratch": GREY,
    "gradient": ORANGE,
    "weight gradient": RED,
    "weight copy": PURPLE,
}


class Band(NamedTuple):
    """One or more tensors of one role that are drawn as one band: their bytes at each moment of the drawing."""

    role: str
    bytes: Sequence[int]


def memory(
    analysis: Analysis,
    amp: bool = False,
    checkpoint: str | None = None,
    ax: Axes | None = None,
    **look: Unpack[Looks],
) -> Axes:
    """Bytes alive after every operator, stacked by tensor in the order of their creation. The peak is marked.

    An analysis with ``training`` shows forward and backward pass. For many tensors, a band is one role in a block.
    Weights, optimizer state and network input are not drawn: they are alive all the time. ArchcalcError for
    ``checkpoint`` without training, and for a network without layers.
    """
    if checkpoint is not None and not analysis.training:
        raise ArchcalcError("checkpoint is about training; add --training, or training=True")
    budget = analysis.memory(amp=amp, checkpoint=checkpoint)
    run: Schedule = budget.training if analysis.training else budget.inference
    schedule = run.of_batch(analysis.batch)
    timeline = schedule.live(analysis.batch)
    if not timeline:
        raise ArchcalcError(f"{analysis.network.full_name} has no layers to run")
    moments = shown_moments(timeline, SAMPLES)
    bands = _bands(analysis, schedule, moments)
    peak = schedule.peak_moment(analysis.batch)
    with style.page(ax, look, analysis) as page:
        ax = page.axes(2.5)
        shaded = _stack(ax, moments, len(timeline), bands)
        _, unit, formatter = style.scaled_axis(timeline, BYTES)
        ax.yaxis.set_major_formatter(formatter)
        ax.set_ylabel(f"alive [{unit}]")
        ax.set_xlabel("operators, in the order in which they run")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.set_xlim(0, len(timeline))
        ax.set_ylim(0, timeline[peak] * 1.2)
        _mark_peak(ax, peak, timeline[peak], len(timeline))
        if isinstance(schedule, Training):
            _mark_turn(ax, schedule.turn, timeline[peak])
        _legend(ax, [role for role in ROLES if any(band.role == role for band in bands)], shaded)
        settings = [*(["mixed precision"] if amp else []), *([f"{checkpoint} checkpointed"] if checkpoint else [])]
        page.framed(ax, _caption(analysis, schedule, peak, settings, len(moments) < len(timeline)))
    return ax


def _legend(ax: Axes, roles: Sequence[str], shaded: set[str]) -> None:
    """Draw a legend of the roles. A role in ``shaded`` has two shades."""
    handles = [
        tuple(
            Patch(facecolor=shade(COLOURS[role], light), edgecolor=INK, linewidth=0.4)
            for light in (1.0, DEEP)[: 1 + (role in shaded)]
        )
        for role in roles
    ]
    ax.legend(
        handles,
        [ROLES[role] for role in roles],
        handler_map={tuple: HandlerTuple(ndivide=None, pad=0)},
        loc="upper center",
        bbox_to_anchor=(0.45, -0.2),
        ncols=2,
        handlelength=1.4,
        columnspacing=1,
    )


def _bands(analysis: Analysis, schedule: Schedule, moments: Sequence[int]) -> list[Band]:
    """A band for each tensor, in the order of creation. If there are many: a band for each role in each block."""
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
    """Whether there are too many tensors for one band each."""
    return len(schedule.storages) > TENSORS


def _stack(ax: Axes, moments: Sequence[int], count: int, bands: Sequence[Band]) -> set[str]:
    """Stack the bands. The bands of one role alternate between two shades. Return the roles with two shades."""
    below = [0] * len(moments)
    edges = [0, *((a + b + 1) / 2 for a, b in pairwise(moments)), count]
    turn = dict.fromkeys(ROLES, 0)
    for band in bands:
        turn[band.role] += 1
        above = [low + more for low, more in zip(below, band.bytes, strict=True)]
        places = [at for at, more in enumerate(band.bytes) if more]
        if places:
            span = slice(places[0], places[-1] + 1)
            times = edges[places[0] : places[-1] + 2]
            colour = shade(COLOURS[band.role], 1.0 if turn[band.role] % 2 else DEEP)
            outline = [*_steps(times, above[span]), *reversed(_steps(times, below[span]))]
            ax.add_patch(Polygon(outline, facecolor=colour, edgecolor=colour, linewidth=0.1))
        below = above
    return {role for role, n in turn.items() if n > 1}


def _steps(times: Sequence[float], heights: Sequence[int]) -> list[tuple[float, int]]:
    """The corners of a step line: heights[i] holds from times[i] to times[i + 1]."""
    corners: list[tuple[float, int]] = []
    for start, end, height in zip(times, times[1:], heights, strict=False):
        if corners and corners[-1][1] == height:
            corners[-1] = (end, height)
        else:
            corners += [(start, height), (end, height)]
    return corners


def _mark_peak(ax: Axes, peak: int, most: int, count: int) -> None:
    """Draw an arrow above the peak, and write the bytes on the side with more room."""
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


def _mark_turn(ax: Axes, turn: int, peak: int) -> None:
    """Draw a line between forward and backward pass, and write the names of the passes above the axes."""
    line: dict[str, Any] = {"color": INK, "linewidth": 0.6, "linestyle": ":"}
    ax.plot([turn, turn], [0, peak], **line)
    ax.plot([turn, turn], [1, 1.06], transform=ax.get_xaxis_transform(), clip_on=False, **line)
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


def _caption(analysis: Analysis, schedule: Schedule, peak: int, settings: Sequence[str], sampled: bool) -> str:
    moment, batch = schedule.moments[peak], analysis.batch
    alive = sorted(schedule.alive(peak), key=lambda storage: -storage.bytes(batch))
    tensors = [f"{labels.one_line(s.name, 45)} {s.bytes(batch):,}" for s in alive[:NAMED]]
    rest = alive[NAMED:]
    tensors += [f"{len(rest)} more {sum(s.bytes(batch) for s in rest):,}"] if rest else []
    run = "a training step" if analysis.training else "inference"
    band = "all tensors of one kind in one block" if _many(schedule) else "one tensor"
    where = labels.one_line(analysis.network.nodes[moment.node].name, 45)
    parts = " Of each part of the time, the moments with the most and the least bytes are drawn." if sampled else ""
    return (
        f"Tensors alive during {run}: {labels.about(analysis)}, {', '.join([f'batch {batch}', analysis.dtype, *settings])}. "
        f"Peak: {schedule.peak(batch):,} bytes at {where}, {moment.phase} pass. Alive at the peak, in bytes: "
        f"{', '.join(tensors)}. A band is {band}. Without weights, optimizer state and network input.{parts}"
    )
