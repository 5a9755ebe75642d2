"""The numbers at the top of a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from archcalc.analysis import Analysis
from archcalc.analysis.depth import depth
from archcalc.dtypes import DTYPES
from archcalc.memory.budget import Budget
from archcalc.report.compare import network_field, published
from archcalc.report.timed import timed_mode
from archcalc.timing.time import Time
from archcalc.units import count_text, counted, decimal_bytes, seconds_text

FILE_TYPES = ("float32", "float16", "int8")
"""The types for which a page gives the size of the weight file."""


class Card(NamedTuple):
    """A number at the top of the page: its name, its value, and further lines."""

    label: str
    value: str
    lines: tuple[str, ...] = ()


def cards(analysis: Analysis, budget: Budget, fields: Sequence[str]) -> list[Card]:
    """The cards in order. Networks without spatial axes have no card for the field. Some have no published error."""
    errors = published(analysis)
    found = [*_count_cards(analysis), *_memory_cards(analysis, budget)]
    if fields:
        field = network_field(analysis)
        found.append(Card("Receptive field", "none" if field is None else f"{field} pixels", (fields[0],)))
    found.append(_weight_file(analysis))
    if analysis.timed is not None:
        found.append(_time_card(analysis.timed))
    if errors is not None:
        texts = [f"top-{n} {error} %" for n, error in ((1, errors.top1), (5, errors.top5)) if error is not None]
        found.append(Card("Published error", texts[0], (*texts[1:], f"{errors.on}, {errors.how}; {errors.source}")))
    return found


def _count_cards(analysis: Analysis) -> list[Card]:
    t = analysis.totals
    buffers = [f"plus {t.buffers:,} buffers, not trained"] if t.buffers else []
    layers = counted(len(analysis.rows) - len(analysis.inputs), "layer")
    return [
        Card(
            "Parameters",
            count_text(t.params),
            (f"{t.params:,}: weights {t.weights:,}, biases {t.biases:,}", *buffers),
        ),
        Card("MACs", count_text(t.macs), (f"{t.macs:,} for one image", f"{2 * t.macs:,} FLOPs")),
        Card(
            "Depth",
            counted(depth(analysis.network), "layer"),
            ("weighted layers on the longest path", f"{layers} of all types"),
        ),
    ]


def _memory_cards(analysis: Analysis, budget: Budget) -> list[Card]:
    values, run = analysis.totals.values, budget.inference.of_batch(1)
    peak, moment = run.peak(), run.at(run.peak_moment())
    return [
        Card(
            "Feature maps",
            decimal_bytes(values * analysis.itemsize),
            (f"{values:,} values, network input included", "sum of all outputs in new storage"),
        ),
        Card(
            "Inference peak",
            decimal_bytes(peak),
            (f"{peak:,} bytes, at {analysis.network.nodes[moment.node].name}", "without weights and network input"),
        ),
        Card(
            "Training, one image",
            decimal_bytes(budget.training_parts(1).total),
            (
                f"weights {decimal_bytes(budget.weights)}, gradients the same",
                f"saved for the backward pass {decimal_bytes(budget.training.saved_bytes(1))}",
                f"optimizer state: SGD none, Adam {decimal_bytes(analysis.memory('adam').optimizer_bytes)}",
            ),
        ),
    ]


def _time_card(time: Time) -> Card:
    mode, found = ", ".join(timed_mode(time)), time.error
    error = "never measured there" if found is None else f"off by {100 * found.median:.1f} % (median of such estimates)"
    return Card("Time", seconds_text(time.estimate), (f"at least {seconds_text(time.lower_bound)}", mode, error))


def _weight_file(analysis: Analysis) -> Card:
    t = analysis.totals
    numbers = t.weights + t.biases + t.buffers
    first, *rest = FILE_TYPES
    return Card(
        "Weight file",
        decimal_bytes(numbers * DTYPES[first]),
        (
            f"{numbers:,} numbers in {first}",
            *(f"{decimal_bytes(numbers * DTYPES[name])} in {name}" for name in rest),
            *(["without the side heads"] if analysis.side_rows else []),
        ),
    )
