"""The memory of training against the batch, in total and by part, with the memory of a device."""

from __future__ import annotations

from typing import Unpack

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from archcalc.analysis import Analysis
from archcalc.errors import ArchcalcError
from archcalc.memory.budget import Budget, read_size
from archcalc.plot import labels, style
from archcalc.plot.colours import GREY, INK
from archcalc.plot.look import Looks
from archcalc.sizes import MAX_SIZE
from archcalc.units import BYTES, unit_for

SAMPLES = 48
"""The number of batches at which a line is computed. The largest batch that fits is added."""
PARTS = (
    (("activations", "network_input"), "activations and network input"),
    (("weights", "buffers"), "weights and buffers"),
    (("gradients",), "gradients of weights"),
    (("optimizer",), "optimizer state"),
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
    """Bytes at the training peak against the batch, in total and by part, on logarithmic scales. Inference is one line.

    ``fit``: the memory of the device, such as 24GiB. Lines show this memory and the largest batch that fits. The moment
    of the peak, and with it the gradients that are alive, can change with the batch. ArchcalcError for unknown sizes,
    optimizers and blocks, if no image fits, and if more images fit than a batch can have.
    """
    device = read_size(fit)
    memory = analysis.memory(optimizer, amp=amp, checkpoint=checkpoint, overhead=overhead)
    largest = _largest_batch(analysis, memory, fit)
    most = min(max(2, 2 * largest), MAX_SIZE)
    batches = sorted({round(most ** (at / SAMPLES)) for at in range(SAMPLES + 1)} | {largest})
    parts = [memory.training_parts(batch) for batch in batches]
    totals = [part.total for part in parts]
    inference = [memory.inference_parts(batch).total for batch in batches]
    lines = {label: [sum(getattr(p, name) for name in names) for p in parts] for names, label in PARTS}
    with style.page(ax, look, analysis) as page:
        ax = page.axes(3.1)
        ax.set_xscale("log", base=2)
        ax.set_yscale("log")
        ax.plot(batches, totals, color=GREY, alpha=0.45, linewidth=4.5, label="training, total", zorder=1.5)
        ax.plot(batches, inference, color=INK, linewidth=1.6, linestyle=(0, (1, 1)), label="inference, total")
        for nth, ((label, amounts), (colour, dash, marker)) in enumerate(zip(lines.items(), STYLES, strict=True)):
            if any(amounts):
                line = [n or float("nan") for n in amounts]
                ax.plot(batches, line, color=colour, linestyle=dash, marker=marker, markevery=(2 * nth, 8), label=label)
        ax.axhline(device, color=INK, linewidth=0.8)
        ax.plot([largest] * 2, [0, totals[batches.index(largest)]], color=INK, linewidth=0.7, linestyle=":")
        ax.annotate(f"{fit}: batch {largest:,} fits", (1, device), (3, 2), textcoords="offset points", va="bottom")
        ax.set_xlim(1, most)
        _axes(ax, most, min(n for amounts in [inference, *lines.values()] for n in amounts if n) / 2, device * 4)
        ax.legend(loc="upper center", bbox_to_anchor=(0.45, -0.18), ncols=2, columnspacing=1)
        settings = [f"optimizer {optimizer}", "mixed precision"][: 1 + amp]
        settings += [f"{checkpoint} checkpointed"] if checkpoint else []
        settings += [f"overhead {overhead}"] if memory.overhead else ["without the framework's own overhead"]
        page.framed(
            ax,
            f"Training memory against the batch: {labels.about(analysis)}, {analysis.dtype}, {', '.join(settings)}. "
            f"Batch {largest:,} needs {memory.training_parts(largest).total:,} of {device:,} bytes. The parts are those "
            "at the peak.",
        )
    return ax


def _largest_batch(analysis: Analysis, memory: Budget, fit: str) -> int:
    """The largest batch whose training fits. ArchcalcError if no batch fits, or if every batch fits."""
    name = analysis.network.full_name
    if len(analysis.network.nodes) == 1:
        raise ArchcalcError(f"{name} has no layers to train")
    largest = memory.largest_training(fit)
    if not largest:
        raise ArchcalcError(f"{name} does not train in {fit}: one image needs {memory.training_parts(1).total:,} bytes")
    if largest > MAX_SIZE:
        raise ArchcalcError(
            f"{name} trains with more than {MAX_SIZE:,} images in {fit}, the largest batch there can be"
        )
    return largest


def _axes(ax: Axes, most: int, low: float, high: float) -> None:
    """Set the limits, ticks and titles of the axes."""
    ax.set_ylim(low, high)
    if high < 1000 * low:
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_locator(LogLocator(base=2, numticks=7 if most < 10**6 else 5))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda n, _: f"{n:,.0f}"))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda n, _: _tick(n)))
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.set_xlabel("batch [images]")
    ax.set_ylabel("memory at the peak")


def _tick(n: float) -> str:
    """The text of a tick: a number of bytes with a suitable unit."""
    size, unit = unit_for([round(n)], BYTES)
    return f"{n / size:,.0f} {unit}"
