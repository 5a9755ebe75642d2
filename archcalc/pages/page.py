"""The data of a page: cards, tables, pictures and sentences, the same for every format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from archcalc.analysis import Analysis, analyze
from archcalc.analysis.depth import depth
from archcalc.dtypes import DTYPES
from archcalc.errors import ArchcalcError
from archcalc.memory.budget import Budget
from archcalc.network import Network
from archcalc.pages.published_figures import figure_tables
from archcalc.plot import KINDS, svg
from archcalc.published.figure import Source
from archcalc.published.verdict import Judgement
from archcalc.report.audit import tally
from archcalc.report.compare import network_field, published
from archcalc.report.evidence import Evidence
from archcalc.report.field_summary import changing, column_meanings, sentences
from archcalc.report.header import subject
from archcalc.report.layers import layer_table
from archcalc.report.memory import alive_text, sum_text
from archcalc.report.table import Heading, Table
from archcalc.units import count_text, counted, decimal_bytes

MOST_LAYERS = 6_000
"""Maximum number of layers of a network with a page."""

STAGES = ("layer", "layers", "output", "params", "macs", "memory", "rf")
LAYERS = ("layer", "type", "output", "params", "macs", "memory", "rf", "step")
PICTURES = ("shape", "cost", "rf", "rf-map", "memory")
"""The pictures of every page. HTML pages also have the graph, which needs Graphviz."""
FILE_TYPES = ("float32", "float16", "int8")
"""The types for which a page gives the size of the weight file."""

NO_FIELD = "the input has no spatial axes: there is no receptive field"


class Card(NamedTuple):
    """A number at the top of the page: its name, its value, and further lines."""

    label: str
    value: str
    lines: tuple[str, ...] = ()


class Picture(NamedTuple):
    """A picture of one kind as SVG. If there is no picture: the problem."""

    kind: str
    about: str
    svg: str = ""
    problem: str = ""


class Page(NamedTuple):
    """The content of a page.

    stages, layers: tables with one row for each stage or layer. verdicts: number of published figures for each verdict,
    as text. differing: published figures that do not match. matching: published figures that match. witness: figures
    that ``archcalc verify`` measured, by title; empty without a measurement. facts: the network's row in the index.
    """

    analysis: Analysis
    title: str
    about: list[str]
    input: str
    cards: list[Card]
    stages: Table
    layers: Table
    field: list[str]
    memory: list[str]
    pictures: list[Picture]
    verdicts: str
    differing: Table
    matching: Table
    sources: list[Source]
    witness: Mapping[str, str]
    counting: list[str]
    facts: Mapping[str, Any]


def page(network: Network, records: Evidence, kinds: Sequence[str] = PICTURES) -> Page:
    """The page of a network at the network's input size, for one image in float32, with pictures of these kinds.

    ArchcalcError for more than MOST_LAYERS layers, and if a number cannot be computed. If a picture cannot be drawn,
    the page shows the problem.
    """
    if len(network.nodes) > MOST_LAYERS:
        raise ArchcalcError(
            f"{network.full_name} has {len(network.after_inputs):,} layers; a page shows up to {MOST_LAYERS:,}, and "
            f"archcalc table shows them all"
        )
    analysis = analyze(network)
    title, *about = subject(network).lines
    budget = analysis.memory()
    fields = sentences(analysis, changing(analysis)) if network.input.axes else []
    judgements = records.judgements(analysis)
    witness = records.verification(network)
    stages, layers = layer_table(analysis, STAGES, by="stage"), layer_table(analysis, LAYERS)
    return Page(
        analysis,
        title,
        about,
        layers.header.size,
        _cards(analysis, budget, fields),
        stages._replace(headings=[stages.headings[0]._replace(title="stage"), *stages.headings[1:]]),
        layers,
        [*fields, *column_meanings(("rf", "step"))] if fields else [NO_FIELD],
        _memory(budget),
        [picture(kind, analysis) for kind in kinds],
        tally(judgements) if judgements else "",
        *figure_tables(judgements, network),
        sorted({j.figure.source for j in judgements}),
        witness,
        [layers.header.rules(verbose=True), *layers.footer, *layers.details],
        _facts(analysis, budget, judgements, witness),
    )


def picture(kind: str, analysis: Analysis) -> Picture:
    """The picture of this kind. If it cannot be drawn: the problem."""
    about = KINDS[kind].about
    try:
        return Picture(kind, about, svg=svg(kind, [analysis]))
    except ArchcalcError as error:
        return Picture(kind, about, problem="; ".join(map(str, error.problems)))


def _cards(analysis: Analysis, budget: Budget, fields: Sequence[str]) -> list[Card]:
    """The cards in order. Networks without spatial axes have no card for the field. Some have no published error."""
    errors = published(analysis)
    cards = [*_count_cards(analysis), *_memory_cards(analysis, budget)]
    if fields:
        field = network_field(analysis)
        cards.append(Card("Receptive field", "none" if field is None else f"{field} pixels", (fields[0],)))
    cards.append(_weight_file(analysis))
    if errors is not None:
        texts = [f"top-{n} {error} %" for n, error in ((1, errors.top1), (5, errors.top5)) if error is not None]
        cards.append(Card("Published error", texts[0], (*texts[1:], f"{errors.on}, {errors.how}; {errors.source}")))
    return cards


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


def _memory(budget: Budget) -> list[str]:
    """Sentences with the inference peak and the training peak."""
    lines = []
    for run, schedule in (("inference", budget.inference.of_batch(1)), ("training", budget.training.of_batch(1))):
        peak = schedule.peak_moment()
        moment = schedule.at(peak)
        where = f"{budget.network.nodes[moment.node].name} (operator {moment.operator}, {moment.phase} pass)"
        lines.append(
            f"{run} peak: {schedule.peak():,} bytes, at {where}, without weights and network input; alive at the peak: "
            f"{alive_text(schedule, peak, 1)}"
        )
    return [
        *lines,
        sum_text("inference peak with weights and network input", budget.inference_parts(1)),
        sum_text("training peak with weights, gradients, optimizer state and network input", budget.training_parts(1)),
        "for one image in float32, run as in PyTorch, operator by operator; scratch inside an operator and the framework's "
        "own memory are not included",
    ]


HEADINGS = (
    Heading("network", "network", "text", 9),
    Heading("title", "title", "text", 3),
    Heading("year", "year", "number", 4),
    Heading("input", "input", "text", 5),
    Heading("depth", "depth", "number", 5),
    Heading("params", "params", "count", 8, "params"),
    Heading("macs", "MACs", "count", 8, "operations"),
    Heading("memory", "feature maps", "bytes", 6, unit="MB"),
    Heading("peak", "inference peak", "bytes", 6, unit="MB"),
    Heading("saved", "saved for training", "bytes", 6, unit="MB"),
    Heading("weight_file", "weight file", "bytes", 6, unit="MB"),
    Heading("rf", "field", "number", 4, exactness_key="exact"),
    Heading("top1", "top-1 %", "printed", 6),
    Heading("top5", "top-5 %", "printed", 6),
    Heading("figures", "published figures", "number", 3),
    Heading("matching", "matching", "number", 3),
    Heading("verified", "PyTorch agrees", "text", 3),
)
"""The columns of the index."""


def _facts(
    analysis: Analysis, budget: Budget, judgements: Sequence[Judgement], witness: Mapping[str, str]
) -> Mapping[str, Any]:
    """The network's row in the index."""
    t, network = analysis.totals, analysis.network
    errors = published(analysis)
    return {
        "network": network.full_name,
        "title": network.title,
        "year": network.about.get("year", ""),
        "input": analysis.network.input_text,
        "depth": depth(network),
        "params": t.params,
        "macs": t.macs,
        "memory": t.values * analysis.itemsize,
        "peak": budget.inference.peak(),
        "saved": budget.training.saved_bytes(1),
        "weight_file": (t.weights + t.biases + t.buffers) * DTYPES["float32"],
        "rf": network_field(analysis),
        "top1": errors.top1 if errors else None,
        "top5": errors.top5 if errors else None,
        "figures": len(judgements),
        "matching": sum(j.verdict == "match" for j in judgements),
        "verified": witness.get("agrees", "not run"),
    }
