"""Memory over batch sizes, and the largest batch or input that fits into a budget."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from archcalc.analysis import Analysis
from archcalc.analysis.budget import TRAINABLE, Budget, Parts, largest_input, read_size, with_side
from archcalc.analysis.deployed import fold_batch_norm
from archcalc.errors import ArchcalcError, LayerError
from archcalc.network import Network
from archcalc.report.memory import inference_table, run_header, run_meta, training_table
from archcalc.report.table import Heading, Table
from archcalc.report.units import bytes_text


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
    if not training and fit is None and (optimizer or checkpoint):
        name = f"--optimizer {optimizer}" if optimizer else f"--checkpoint {checkpoint}"
        raise ArchcalcError(f"{name} is a matter of training: add --training")
    if fold_bn:
        if training or optimizer or checkpoint:
            raise ArchcalcError("--fold-bn is for deployed networks; training needs their batch normalisations")
        network = fold_batch_norm(network)
    analysis = network.analyze(input=input, batch=1 if batch is None else batch, dtype=dtype, training=training)
    budget = Budget(
        analysis.network,
        dtype,
        optimizer=optimizer or "sgd",
        amp=amp,
        checkpoint=checkpoint,
        overhead=0 if overhead is None else read_size(overhead),
    )
    if fit is not None:
        trains = training or not (fold_bn or dtype not in TRAINABLE)
        return fit_table(analysis, budget, read_size(fit), batch, trains).selected(columns)
    if batches is not None:
        return batches_table(analysis, budget, batches, training).selected(columns)
    return (training_table if training else inference_table)(analysis, budget).selected(columns)


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
        Heading("inference_peak", "inference peak", "bytes", 8, "bytes"),
        Heading("inference", "with weights and images", "bytes", 8, "bytes"),
        Heading("kept", "kept for backward", "bytes", 6, "bytes"),
        Heading("training_peak", "training peak", "bytes", 7, "bytes"),
        Heading("training", "with weights, optimizer and images", "bytes", 8, "bytes"),
    ]
    return Table(
        title=analysis.network.title,
        headings=headings if training else headings[:3],
        rows=rows,
        header=run_header(analysis, budget, "over batch sizes", batch=False),
        footer=[_held_always(budget, training), *_overhead_line(budget)],
        meta=run_meta(analysis, budget, batch=False),
    )


def fit_table(analysis: Analysis, budget: Budget, size: int, batch: int | None, training: bool) -> Table:
    """The largest batch, or at a given batch the largest square input, within so many bytes.

    ArchcalcError where the weights alone need more.
    """
    network = analysis.network
    if size < budget.weights + budget.buffers + budget.overhead:
        also = f" and the overhead of {budget.overhead:,}" if budget.overhead else ""
        raise ArchcalcError(
            f"a budget of {bytes_text(size)}, {size:,} bytes, is smaller than the weights and buffers of "
            f"{network.name}, {budget.weights + budget.buffers:,} bytes{also}"
        )
    rows: list[list[Any]] = []
    for run in ("inference", "training")[: 2 if training else 1]:
        rows.append(_fit_batch(budget, run, size) if batch is None else _fit_input(budget, run, size, batch))
    what = "batch" if batch is None else "input"
    headings = [
        Heading("run", "run", "text", 9),
        Heading(what, f"largest {what}", "number", 9),
        Heading("bytes", "bytes there", "bytes", 8, "bytes"),
        *(Heading(name, name, "bytes", 4, "bytes") for name in Parts._fields if name != "overhead" or budget.overhead),
        Heading("next", "one more image" if batch is None else "one more pixel", "bytes", 5, "bytes"),
    ]
    notes = [
        f"{row[0]}: not even {'one image' if batch is None else 'the smallest input'} fits"
        + (f"; it needs {row[-1]:,} bytes" if row[-1] is not None else "")
        for row in rows
        if row[1] in (0, None)
    ]
    for row in rows:
        row[1] = "none" if row[1] is None else row[1]
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
        ),
        footer=[*notes, *_overhead_line(budget)],
        meta={**run_meta(analysis, budget, batch=False), "fit": size, **({} if batch is None else {"batch": batch})},
    )


def _fit_batch(budget: Budget, run: str, size: int) -> list[Any]:
    most = budget.largest_inference(size) if run == "inference" else budget.largest_training(size)
    parts = budget.inference_parts if run == "inference" else budget.training_parts
    return [run, most, *_cells(budget, parts(most) if most else None), parts(most + 1).total]


def _fit_input(budget: Budget, run: str, size: int, batch: int) -> list[Any]:
    def parts(network: Network) -> Parts:
        there = budget.at(network)
        return there.inference_parts(batch) if run == "inference" else there.training_parts(batch)

    found = largest_input(budget.network, size, lambda network: parts(network).total)
    if found is None:
        return [run, None, *_cells(budget, None), None]
    beyond = None
    with suppress(ArchcalcError, LayerError):  # a size that the network does not take
        beyond = parts(with_side(found, found.input.axes[-1] + 1)).total
    return [run, str(found.input), *_cells(budget, parts(found)), beyond]


def _cells(budget: Budget, parts: Parts | None) -> list[Any]:
    """The total, and the parts; the overhead where there is one."""
    names = [name for name in Parts._fields if name != "overhead" or budget.overhead]
    return [None if parts is None else parts.total, *(None if parts is None else getattr(parts, n) for n in names)]


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
