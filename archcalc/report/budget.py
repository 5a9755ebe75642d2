"""Memory over batch sizes, and the largest batch or input that fits into a budget."""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd
from typing import Any, NamedTuple

from archcalc.analysis import Analysis, prepared
from archcalc.errors import ArchcalcError
from archcalc.inputs import checked, single
from archcalc.memory.budget import TRAINABLE, Budget, Parts, read_size
from archcalc.memory.deployed import fold_batch_norm
from archcalc.memory.largest_input import at_side, largest_input
from archcalc.network import Network
from archcalc.report.memory import inference_table, part_title, run_header
from archcalc.report.table import Heading, Table
from archcalc.report.training import training_table
from archcalc.sizes import MAX_SIZE, Shape
from archcalc.units import bytes_text

KEYS = {"optimizer": "optimizer_bytes"}
"""Column keys that differ from the name of the part. In CSV, ``optimizer`` is the column with the optimizer's name."""


class MemoryRequest(NamedTuple):
    """A request for a table of memory. The attributes are the options of ``archcalc memory``."""

    input: Any = None
    batch: int | None = None
    dtype: str = "float32"
    training: bool = False
    optimizer: str | None = None
    amp: bool = False
    checkpoint: str | None = None
    fold_bn: bool = False
    overhead: str | None = None
    fit: str | None = None
    batches: Sequence[int] | None = None
    attention: str | None = None

    @property
    def of_training(self) -> bool:
        """Whether an option of training is given."""
        return self.training or self.optimizer is not None or self.checkpoint is not None

    def check(self) -> None:
        """ArchcalcError for options that exclude each other."""
        if self.fit is not None and self.batches is not None:
            raise ArchcalcError("--fit searches one budget and --batches lists sizes; give one of the two")
        if self.batches is not None and self.batch is not None:
            raise ArchcalcError("--batches lists the batch sizes; it takes no --batch")
        if self.fold_bn and self.of_training:
            raise ArchcalcError("--fold-bn is for deployed networks; training needs their batch normalisations")

    def check_training(self) -> None:
        """ArchcalcError for an option of training in a request without training."""
        if self.of_training and not self.training and self.fit is None:
            name = f"--checkpoint {self.checkpoint}" if self.optimizer is None else f"--optimizer {self.optimizer}"
            raise ArchcalcError(f"{name} is a matter of training: add --training")


def memory_table(network: Network, request: MemoryRequest, columns: Sequence[str] | None = None) -> Table:
    """The table of ``archcalc memory``: layer by layer, over batch sizes, or what fits into a memory budget.

    ArchcalcError for options that exclude each other, and for values that Budget, Analysis or read_size refuse.
    """
    request.check()
    if request.fold_bn:
        network = fold_batch_norm(network)
    batch = 1 if request.batch is None else single(request.batch, "batch")
    analysis = prepared(network, request.input, batch, request.dtype, training=request.training)
    budget = analysis.memory(
        "sgd" if request.optimizer is None else request.optimizer,
        amp=request.amp,
        checkpoint=request.checkpoint,
        attention="flash" if request.attention is None else request.attention,
        overhead=0 if request.overhead is None else _size("--overhead", request.overhead),
    )
    request.check_training()
    if request.fit is not None:
        trains = request.of_training or not (request.fold_bn or request.dtype not in TRAINABLE)
        table = fit_table(analysis, budget, _size("--fit", request.fit), request.batch, trains)
    elif request.batches is not None:
        table = batches_table(analysis, budget, [int(checked(n, "--batches")) for n in request.batches])
    else:
        table = (training_table if request.training else inference_table)(analysis, budget)
    header = table.header._replace(options={**table.header.options, "fold_bn": request.fold_bn})
    return table._replace(header=header).selected(columns)


def _size(option: str, text: str) -> int:
    """The bytes that the text of an option stands for. An error message begins with the option's name."""
    try:
        return read_size(text)
    except ArchcalcError as error:
        raise ArchcalcError(f"{option}: {error}") from None


def batches_table(analysis: Analysis, budget: Budget, batches: Sequence[int]) -> Table:
    """One row per batch: the inference peak, and the training peak if the analysis is of training."""
    training = analysis.training
    rows: list[list[Any]] = []
    for batch in batches:
        row: list[Any] = [batch, budget.inference.peak(batch), budget.inference_parts(batch).total]
        if training:
            row += [
                budget.training.saved_bytes(batch),
                budget.training.peak(batch),
                budget.training_parts(batch).total,
            ]
        rows.append(row)
    state = " and optimizer state" if training else ""
    return Table(
        title=analysis.network.title,
        headings=BATCHES if training else BATCHES[:3],
        rows=rows,
        header=run_header(analysis, budget, "over batch sizes")._replace(batch=None),
        footer=[_constant_parts(budget, training), *_overhead_line(budget)],
        details=[f"peak: without weights and network input. total: with weights{state} and network input."],
    )


BATCHES = (
    Heading("batch", "batch", "number", 9),
    Heading("inference_peak", "inference peak", "bytes", 4, "bytes"),
    Heading("inference_total", "inference total", "bytes", 7, "bytes"),
    Heading("saved", "saved", "bytes", 5, "bytes"),
    Heading("training_peak", "training peak", "bytes", 6, "bytes"),
    Heading("training_total", "training total", "bytes", 8, "bytes"),
)


def fit_table(analysis: Analysis, budget: Budget, size: int, batch: int | None, training: bool) -> Table:
    """The largest batch that fits into ``size`` bytes. At a given batch: the largest square input that fits.

    ArchcalcError if the weights, the buffers and the overhead alone need more bytes.
    """
    _check_weights_fit(budget, size)
    rows: list[list[Any]] = []
    notes: list[str] = []
    for run in ("inference", "training")[: 2 if training else 1]:
        row, note = _fit_batch(budget, run, size) if batch is None else _fit_input(budget, run, size, batch)
        rows.append(row)
        notes += [f"{run}: {note}"] if note else []
    network = analysis.network
    if budget.dtype not in TRAINABLE:
        notes.append(f"training: PyTorch cannot train in {budget.dtype}")
    if training and len(network.running()) > len(network.running(training=False)):
        notes.append("training runs the side heads, too")
    at = "" if batch is None else f", at a batch of {batch:,}"
    header = run_header(analysis, budget, f"what fits into {bytes_text(size)}, {size:,} bytes{at}", training=training)
    options = {name: value for name, value in header.options.items() if name != "overhead" or not budget.overhead}
    return Table(
        title=network.title,
        headings=_fit_headings(budget, batch),
        rows=rows,
        header=header._replace(
            input=header.input if batch is None else _square(network), batch=batch, options={**options, "fit": size}
        ),
        footer=[*notes, *_overhead_line(budget)],
    )


def _fit_headings(budget: Budget, batch: int | None) -> list[Heading]:
    what = "batch" if batch is None else "input"
    return [
        Heading("run", "run", "text", 9),
        Heading(what, f"largest {what}", "number", 9),
        Heading("total", "total", "bytes", 8, "bytes"),
        *(Heading(KEYS.get(name, name), part_title(name), "bytes", 4, "bytes") for name in _parts(budget)),
        Heading("next_total", f"total at {what} + 1", "bytes", 5, "bytes"),
    ]


def _check_weights_fit(budget: Budget, size: int) -> None:
    if size < budget.weights + budget.buffers + budget.overhead:
        also = f", and the overhead of {budget.overhead:,}" if budget.overhead else ""
        raise ArchcalcError(
            f"a budget of {size:,} bytes is smaller than the weights and buffers of {budget.network.full_name}, "
            f"{budget.weights + budget.buffers:,} bytes{also}"
        )


def _square(network: Network) -> str:
    """The inputs if the main input is square, with N for its sides. Channels and frames stay."""
    own = network.input.axes
    inputs = {name: str(shape) for name, shape in network.inputs.items()}
    for name, (channels, axes) in network.inputs.items():
        if len(axes) == len(own):
            sides = [_multiple(n, of) for n, of in zip(axes[-2:], own[-2:], strict=True)]
            inputs[name] = "x".join(map(str, (channels, *axes[:-2], *sides)))
    return ", ".join(f"{name} {text}" for name, text in inputs.items()) if len(inputs) > 1 else inputs.popitem()[1]


def _multiple(n: int, of: int) -> str:
    """A side of n pixels beside a side of N, which is ``of`` pixels in the spec: N, N/4 or 3N/2."""
    common = gcd(n, of)
    return f"{n // common if n > common else ''}N{f'/{of // common}' if of > common else ''}"


def _fit_batch(budget: Budget, run: str, size: int) -> tuple[list[Any], str]:
    """The row of the largest batch, and a note."""
    parts = budget.inference_parts if run == "inference" else budget.training_parts
    most = budget.largest_inference(size) if run == "inference" else budget.largest_training(size)
    if most >= MAX_SIZE:
        return [
            run,
            MAX_SIZE,
            *_cells(budget, parts(MAX_SIZE)),
            None,
        ], f"{MAX_SIZE:,} images fit, the largest batch that is possible"
    beyond = parts(most + 1).total
    if most:
        return [run, most, *_cells(budget, parts(most)), beyond], ""
    return [run, 0, *_cells(budget, None), beyond], f"not even one image fits; it needs {beyond:,} bytes"


def _fit_input(budget: Budget, run: str, size: int, batch: int) -> tuple[list[Any], str]:
    """The row of the largest input, and a note."""
    at_input: dict[Shape, Parts] = {}

    def parts(network: Network) -> Parts:
        if network.input not in at_input:
            there = budget.at(network)
            at_input[network.input] = (there.inference_parts if run == "inference" else there.training_parts)(batch)
        return at_input[network.input]

    largest = largest_input(budget.network, size, lambda network: parts(network).total)
    if largest is None:
        least = _smallest(budget.network)
        note = f"not even the smallest input, {least.input_text}, fits; it needs {parts(least).total:,} bytes"
        return [run, "none", *_cells(budget, None), None], note
    above = at_side(largest, largest.input.axes[-1] + 1)
    return [run, largest.input_text, *_cells(budget, parts(largest)), None if above is None else parts(above).total], ""


def _smallest(network: Network) -> Network:
    """The network at the smallest square input that the network accepts, or else at its own input."""
    sides = range(1, max(network.input.axes) + 1)
    return next((there for side in sides if (there := at_side(network, side)) is not None), network)


def _cells(budget: Budget, parts: Parts | None) -> list[Any]:
    """The cells of the total and of the parts."""
    return [None if parts is None else parts.total, *(parts and getattr(parts, name) for name in _parts(budget))]


def _parts(budget: Budget) -> list[str]:
    """The parts that have a column. The overhead has a column only if an overhead was given."""
    return [name for name in Parts._fields if name != "overhead" or budget.overhead]


def _constant_parts(budget: Budget, training: bool) -> str:
    text = f"at every batch: weights {budget.weights:,} bytes, buffers {budget.buffers:,} bytes"
    if training:
        text += (
            f", gradients {budget.gradients:,} bytes at the end of a step, optimizer state ({budget.optimizer}) "
            f"{budget.optimizer_bytes:,} bytes"
        )
    return text


def _overhead_line(budget: Budget) -> list[str]:
    """A line with the overhead, or a line which says that no overhead is included."""
    if budget.overhead:
        return [f"overhead: {budget.overhead:,} bytes, in every total"]
    return ["not included: memory of the framework and of the GPU context. --overhead SIZE adds it."]
