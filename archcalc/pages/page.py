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
from archcalc.pages.cards import Card, cards
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
from archcalc.report.time import TimeRequest, figure_lines
from archcalc.report.timed import timed_mode

MOST_LAYERS = 6_000
"""Maximum number of layers of a network with a page."""

STAGES = ("layer", "layers", "output", "params", "macs", "memory", "rf")
LAYERS = ("layer", "type", "output", "params", "macs", "memory", "rf", "step")
PICTURES = ("shape", "cost", "rf", "rf-map", "memory")
"""The pictures of every page. HTML pages also have the graph, which needs Graphviz."""
NO_FIELD = "the input has no spatial axes: there is no receptive field"


TIMED = ("estimate", "lower_bound")
"""Columns that are added if the pages show time on a device."""


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
    that ``archcalc verify`` measured, by title; empty without a measurement. time: sentences about the time on a device;
    empty without a device. facts: the network's row in the index.
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
    time: list[str]
    pictures: list[Picture]
    verdicts: str
    differing: Table
    matching: Table
    sources: list[Source]
    witness: Mapping[str, str]
    counting: list[str]
    facts: Mapping[str, Any]


def page(
    network: Network, records: Evidence, kinds: Sequence[str] = PICTURES, request: TimeRequest | None = None
) -> Page:
    """The page of a network at the network's input size, for one image in float32, with pictures of these kinds.

    With a request for a time: also the time on its device. If the network cannot run there, the page says why.

    ArchcalcError for more than MOST_LAYERS layers, and if a number cannot be computed. If a picture cannot be drawn,
    the page shows the problem.
    """
    if len(network.nodes) > MOST_LAYERS:
        raise ArchcalcError(
            f"{network.full_name} has {len(network.after_inputs):,} layers; a page shows up to {MOST_LAYERS:,}, and "
            f"archcalc table shows them all"
        )
    analysis, time = _timed(analyze(network), request)
    title, *about = subject(network).lines
    budget = analysis.memory()
    fields = sentences(analysis, changing(analysis)) if network.input.axes else []
    judgements = records.judgements(analysis)
    witness = records.verification(network)
    more = () if analysis.timed is None else TIMED
    stages = layer_table(analysis, (*STAGES, *more), by="stage")
    layers = layer_table(analysis, (*LAYERS, *more))
    return Page(
        analysis,
        title,
        about,
        layers.header.size,
        cards(analysis, budget, fields),
        stages._replace(headings=[stages.headings[0]._replace(title="stage"), *stages.headings[1:]]),
        layers,
        [*fields, *column_meanings(("rf", "step"))] if fields else [NO_FIELD],
        _memory(budget),
        time,
        [picture(kind, analysis) for kind in kinds],
        tally(judgements) if judgements else "",
        *figure_tables(judgements, network),
        sorted({j.figure.source for j in judgements}),
        witness,
        [layers.header.rules(verbose=True), *layers.footer, *layers.details],
        _facts(analysis, budget, judgements, witness),
    )


def _timed(analysis: Analysis, request: TimeRequest | None) -> tuple[Analysis, list[str]]:
    """The analysis with the time of every row, if there is a device; and sentences about the time."""
    if request is None:
        return analysis, []
    try:
        timed = request.timed(analysis)
    except ArchcalcError as error:
        return analysis, [str(error)]
    assert timed.timed is not None
    return timed, [f"time on {', '.join(timed_mode(timed.timed))}", *figure_lines(timed.timed)]


def picture(kind: str, analysis: Analysis) -> Picture:
    """The picture of this kind. If it cannot be drawn: the problem."""
    about = KINDS[kind].about
    try:
        return Picture(kind, about, svg=svg(kind, [analysis]))
    except ArchcalcError as error:
        return Picture(kind, about, problem="; ".join(map(str, error.problems)))


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
    Heading("estimate", "time", "seconds", 6),
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
        "estimate": analysis.timed and analysis.timed.estimate,
        "top1": errors.top1 if errors else None,
        "top5": errors.top5 if errors else None,
        "figures": len(judgements),
        "matching": sum(j.verdict == "match" for j in judgements),
        "verified": witness.get("agrees", "not run"),
    }
