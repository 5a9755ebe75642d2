"""What training holds against the batch, by what it is, and what a card has."""

from __future__ import annotations

from typing import Unpack

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from archcalc.analysis import Analysis
from archcalc.errors import ArchcalcError
from archcalc.memory.budget import read_size
from archcalc.plot import labels, style
from archcalc.plot.colours import GREY, INK
from archcalc.plot.look import Looks
from archcalc.sizes import MAX_SIZE
from archcalc.units import BYTES, unit_for

SAMPLES = 48
PARTS = (
    (("activations", "network_input"), "activations and image"),
    (("weights", "buffers"), "weights and buffers"),
    (("gradients",), "gradients of weights"),
    (("optimizer",), "optimizer"),
    (("overhead",), "overhead"),
)
STYLES = style.LINES[:2] + style.LINES[3:6]


def budget(
    analysis: Analysis,
    fit: str = "24GiB",
    optimizer: str = "sgd",
    amp: bool = False,
    checkpoint: str | None = None,
    overhead: str = "0B",
    ax: Axes | None = None,
    **look: Unpack[Looks],
) -> Axes:
    """Bytes at the peak of a training step by what they are, and in total, against the batch; both on log scales.

    ``fit`` is the card's memory, such as 24GiB: a line, and the largest batch below it. At another batch the
    peak may be at another moment, when there are other gradients. Inference is a line of its own.
    ArchcalcError for sizes, optimizers and blocks that do not exist, where not one image fits, and where more fit
    than a batch can have.
    """
    card = read_size(fit)
    held = analysis.memory(optimizer, amp=amp, checkpoint=checkpoint, overhead=overhead)
    if len(analysis.network.nodes) == 1:
        raise ArchcalcError(f"{analysis.network.full_name} has no layers to train")
    largest = held.largest_training(card)
    if not largest:
        raise ArchcalcError(
            f"{analysis.network.full_name} does not train in {fit}: one image takes {held.training_parts(1).total:,} bytes"
        )
    if largest > MAX_SIZE:
        raise ArchcalcError(f"in {fit} {analysis.network.full_name} trains {MAX_SIZE:,} images, the most there can be")
    most = min(max(2, 2 * largest), MAX_SIZE)
    batches = sorted({round(most ** (at / SAMPLES)) for at in range(SAMPLES + 1)} | {largest})
    parts = [held.training_parts(batch) for batch in batches]
    totals = [part.total for part in parts]
    inference = [held.inference_parts(batch).total for batch in batches]
    lines = {
        label: amounts
        for names, label in PARTS
        if any(amounts := [sum(getattr(p, name) for name in names) for p in parts])
    }
    with style.page(ax, look, analysis) as page:
        ax = page.axes(3.1)
        ax.set_xscale("log", base=2)
        ax.set_yscale("log")
        ax.plot(batches, totals, color=GREY, alpha=0.45, linewidth=4.5, label="training, all of it", zorder=1.5)
        ax.plot(batches, inference, color=INK, linewidth=1.6, linestyle=(0, (1, 1)), label="inference, all of it")
        for nth, ((_, label), (colour, dash, marker)) in enumerate(zip(PARTS, STYLES, strict=True)):
            if label in lines:
                drawn = [n or float("nan") for n in lines[label]]
                ax.plot(
                    batches, drawn, color=colour, linestyle=dash, marker=marker, markevery=(2 * nth, 8), label=label
                )
        ax.axhline(card, color=INK, linewidth=0.8)
        ax.plot([largest] * 2, [0, totals[batches.index(largest)]], color=INK, linewidth=0.7, linestyle=":")
        ax.annotate(f"{fit}: batch {largest:,} fits", (1, card), (3, 2), textcoords="offset points", va="bottom")
        ax.set_xlim(1, most)
        low, high = min(n for amounts in [inference, *lines.values()] for n in amounts if n) / 2, card * 4
        ax.set_ylim(low, high)
        if high < 1000 * low:
            ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.xaxis.set_major_locator(LogLocator(base=2, numticks=7 if most < 10**6 else 5))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda n, _: f"{n:,.0f}"))
        ax.yaxis.set_major_formatter(FuncFormatter(lambda n, _: _written(n)))
        ax.yaxis.set_minor_formatter(NullFormatter())
        ax.set_xlabel("batch [images]")
        ax.set_ylabel("held at the peak")
        ax.legend(loc="upper center", bbox_to_anchor=(0.45, -0.18), ncols=2, columnspacing=1)
        how = [f"optimizer {optimizer}", "mixed precision"][: 1 + amp]
        how += [f"{checkpoint} checkpointed"] if checkpoint else []
        how += [f"overhead {overhead}"] if held.overhead else ["without the framework's own overhead"]
        page.framed(
            ax,
            f"Memory of training by batch: {labels.about(analysis, counted=False)[:-1]}, {analysis.dtype}, "
            f"{', '.join(how)}. Batch {largest:,} takes "
            f"{held.training_parts(largest).total:,} of {card:,} bytes. Parts are those of the moment that holds most.",
        )
    return ax


def _written(n: float) -> str:
    """A tick in the unit that suits it."""
    size, unit = unit_for([round(n)], BYTES)
    return f"{n / size:,.0f} {unit}"
