"""Memory over batch sizes, and the largest batch or input that fits into a budget."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archcalc.analysis import Analysis, prepared
from archcalc.errors import ArchcalcError
from archcalc.inputs import checked, single
from archcalc.memory.budget import TRAINABLE, Budget, Parts, at_side, largest_input, read_size
from archcalc.memory.collector import paused
from archcalc.memory.deployed import fold_batch_norm
from archcalc.network import Network
from archcalc.report.memory import inference_table, run_header, run_meta
from archcalc.report.table import Heading, Table
from archcalc.report.training import training_table
from archcalc.sizes import MAX_SIZE, Shape
from archcalc.units import bytes_text

COLUMNS = {"optimizer": "optimizer_bytes"}
"""The names of columns that are not those of the parts: which optimizer it is has a column in CSV too."""


@paused()
def memory_table(
    network: Network,
    *,
    input: Any = None,
    batch: int | None = None,
    dtype: str = "float32",
    training: bool = False,
    optimizer: str | None = None,
    amp: bool = False,
    checkpoint: str | None = None,
    fold_bn: bool = False,
    overhead: str | None = None,
    fit: str | None = None,
    batches: Sequence[int] | None = None,
    columns: Sequence[str] | None = None,
) -> Table:
    """The table of ``archcalc memory``: layer by layer, over ``batches``, or what fits into ``fit``.

    ArchcalcError for what does not go together, beside all that Budget, Analysis and read_size refuse.
    """
    if fit is not None and batches is not None:
        raise ArchcalcError("--fit searches one budget and --batches lists sizes; give one of the two")
    if batches is not None and batch is not None:
        raise ArchcalcError("--batches lists the batch sizes; it takes no --batch")
    of_training = training or optimizer is not None or checkpoint is not None
    if fold_bn:
        if of_training:
            raise ArchcalcError("--fold-bn is for deployed networks; training needs their batch normalisations")
        network = fold_batch_norm(network)
    analysis = prepared(network, input, 1 if batch is None else single(batch, "batch"), dtype, training=training)
    budget = Budget(
        analysis.network,
        dtype,
        optimizer="sgd" if optimizer is None else optimizer,
        amp=amp,
        checkpoint=checkpoint,
        overhead=0 if overhead is None else _size("--overhead", overhead),
    )
    if of_training and not training and fit is None:
        name = f"--checkpoint {checkpoint}" if optimizer is None else f"--optimizer {optimizer}"
        raise ArchcalcError(f"{name} is a matter of training: add --training")
    if fit is not None:
        trains = of_training or not (fold_bn or dtype not in TRAINABLE)
        table = fit_table(analysis, budget, _size("--fit", fit), batch, trains)
    elif batches is not None:
        table = batches_table(analysis, budget, [int(checked(n, "--batches")) for n in batches], training)
    else:
        table = (training_table if training else inference_table)(analysis, budget)
    return table._replace(meta={**table.meta, "fold_bn": fold_bn}).selected(columns)


def _size(option: str, text: str) -> int:
    """The bytes that an option says; its name stands before what is wrong with them."""
    try:
        return read_size(text)
    except ArchcalcError as error:
        raise ArchcalcError(f"{option}: {error}") from None


def batches_table(analysis: Analysis, budget: Budget, batches: Sequence[int], training: bool) -> Table:
    """One row per batch: the peak of inference, and of training where that was asked for."""
    rows: list[list[Any]] = []
    for batch in batches:
        row: list[Any] = [batch, budget.inference.peak(batch), budget.inference_parts(batch).total]
        if training:
            row += [
                budget.training.kept_bytes(batch),
                budget.training.peak(batch),
                budget.training_parts(batch).total,
            ]
        rows.append(row)
    headings = [
        Heading("batch", "batch", "number", 9),
        Heading("inference_peak", "inference peak", "bytes", 4, "bytes"),
        Heading("inference", "inference in all", "bytes", 7, "bytes"),
        Heading("kept", "kept for backward", "bytes", 5, "bytes"),
        Heading("training_peak", "training peak", "bytes", 6, "bytes"),
        Heading("training", "training in all", "bytes", 8, "bytes"),
    ]
    return Table(
        title=analysis.network.title,
        headings=headings if training else headings[:3],
        rows=rows,
        header=run_header(analysis, budget, "over batch sizes", batch=False),
        footer=[
            "peaks are without weights and images; in all is with them"
            + (" and with the optimizer's state" if training else ""),
            _held_always(budget, training),
            *_overhead_line(budget),
        ],
        meta=_meta(analysis, budget, headings),
    )


def fit_table(analysis: Analysis, budget: Budget, size: int, batch: int | None, training: bool) -> Table:
    """The largest batch, or at a given batch the largest square input, within so many bytes.

    ArchcalcError where the weights alone need more.
    """
    network = analysis.network
    if size < budget.weights + budget.buffers + budget.overhead:
        also = f", and the overhead of {budget.overhead:,}" if budget.overhead else ""
        raise ArchcalcError(
            f"a budget of {size:,} bytes is smaller than the weights and buffers of {network.full_name}, "
            f"{budget.weights + budget.buffers:,} bytes{also}"
        )
    rows: list[list[Any]] = []
    notes: list[str] = []
    for run in ("inference", "training")[: 2 if training else 1]:
        row, note = _fit_batch(budget, run, size) if batch is None else _fit_input(budget, run, size, batch)
        rows.append(row)
        notes += [f"{run}: {note}"] if note else []
    if budget.dtype not in TRAINABLE:
        notes.append(f"training: PyTorch cannot train in {budget.dtype}")
    if training and len(network.running()) > len(network.running(training=False)):
        notes.append("training runs the side heads too")
    what = "batch" if batch is None else "input"
    headings = [
        Heading("run", "run", "text", 9),
        Heading(what, f"largest {what}", "number", 9),
        Heading("bytes", "bytes there", "bytes", 8, "bytes"),
        *(Heading(COLUMNS.get(name, name), name, "bytes", 4, "bytes") for name in _parts(budget)),
        Heading("next", "one more image" if batch is None else "one more pixel", "bytes", 5, "bytes"),
    ]
    return Table(
        title=network.title,
        headings=headings,
        rows=rows,
        header=run_header(
            analysis,
            budget,
            f"what fits into {bytes_text(size)}, {size:,} bytes"
            + ("" if batch is None else f", at a batch of {batch:,}"),
            batch=False,
            training=training,
            input="" if batch is None else _square(network),
        ),
        footer=[*notes, *_overhead_line(budget)],
        meta={
            **_meta(analysis, budget, headings),
            "fit": size,
            **({} if batch is None else {"batch": batch}),
        },
    )


def _square(network: Network) -> str:
    """The shape of a square input of any size: its number of channels, and of frames, stay."""
    channels, axes = network.input.channels, network.input.axes
    return "x".join(map(str, (channels, *axes[:-2], *("N" for _ in axes[-2:]))))


def _fit_batch(budget: Budget, run: str, size: int) -> tuple[list[Any], str]:
    """The row of the largest batch, and what is to be said of it."""
    parts = budget.inference_parts if run == "inference" else budget.training_parts
    most = budget.largest_inference(size) if run == "inference" else budget.largest_training(size)
    if most >= MAX_SIZE:
        return [
            run,
            MAX_SIZE,
            *_cells(budget, parts(MAX_SIZE)),
            None,
        ], f"{MAX_SIZE:,} images fit, the most there can be"
    beyond = parts(most + 1).total
    if most:
        return [run, most, *_cells(budget, parts(most)), beyond], ""
    return [run, 0, *_cells(budget, None), beyond], f"not even one image fits; it needs {beyond:,} bytes"


def _fit_input(budget: Budget, run: str, size: int, batch: int) -> tuple[list[Any], str]:
    """The row of the largest input, and what is to be said of it."""
    seen: dict[Shape, Parts] = {}

    def parts(network: Network) -> Parts:
        if network.input not in seen:
            there = budget.at(network)
            seen[network.input] = there.inference_parts(batch) if run == "inference" else there.training_parts(batch)
        return seen[network.input]

    found = largest_input(budget.network, size, lambda network: parts(network).total)
    if found is None:
        least = _smallest(budget.network)
        note = f"not even the smallest input, {least.input}, fits; it needs {parts(least).total:,} bytes"
        return [run, "none", *_cells(budget, None), None], note
    above = at_side(found, found.input.axes[-1] + 1)
    return [run, str(found.input), *_cells(budget, parts(found)), None if above is None else parts(above).total], ""


def _smallest(network: Network) -> Network:
    """The network at the smallest square input that it takes, or else at its own."""
    sides = range(1, max(network.input.axes) + 1)
    return next((there for side in sides if (there := at_side(network, side)) is not None), network)


def _cells(budget: Budget, parts: Parts | None) -> list[Any]:
    """The total, and the parts."""
    return [None if parts is None else parts.total, *(parts and getattr(parts, name) for name in _parts(budget))]


def _parts(budget: Budget) -> list[str]:
    """The parts that have a column: the overhead where there is one."""
    return [name for name in Parts._fields if name != "overhead" or budget.overhead]


def _meta(analysis: Analysis, budget: Budget, headings: Sequence[Heading]) -> dict[str, Any]:
    """The facts that every number depends on, but the batch and those that are columns."""
    columns = {"batch", *(heading.name for heading in headings)}
    return {key: value for key, value in run_meta(analysis, budget).items() if key not in columns}


def _held_always(budget: Budget, training: bool) -> str:
    held = f"whatever the batch: weights {budget.weights:,} bytes, buffers {budget.buffers:,}"
    if training:
        held += f", gradients {budget.weights:,} at the end of a step, {budget.optimizer} {budget.optimizer_bytes:,}"
    return held


def _overhead_line(budget: Budget) -> list[str]:
    """What the figures do not hold, or the overhead that was given."""
    if budget.overhead:
        return [f"overhead: {budget.overhead:,} bytes, as given, in every sum"]
    return ["the memory of the framework and of the device's context is not the network's: --overhead SIZE adds it"]
