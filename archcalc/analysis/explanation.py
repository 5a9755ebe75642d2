"""The terms between archcalc's count and a convention's count: operations, parameters and memory of one image."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from archcalc.analysis import Analysis, analyze
from archcalc.analysis.forms import FormOf, forms
from archcalc.analysis.rows import AS_MODULE, ONCE, Row, applied
from archcalc.conventions import Convention
from archcalc.conventions.convention import FEATURE_MAPS, Tally, Term, Use
from archcalc.conventions.source_style import PLAIN, TORCHVISION, Extra, SourceStyle, source_style
from archcalc.network import Network
from archcalc.sizes import Shape

SIDE_HEADS = "side heads, which the model owns and does not run at inference"
RUNNING_SIDE_HEADS = "side heads, which the model runs at inference, too"
FURTHER_USES = "shared parameters, counted again at every further use"
COUNTED_AGAIN = "one parameter counts several times"


class ExplainedTerm(NamedTuple):
    """A term of an explanation: its label, the number of its layers, and the signed amount that the term adds."""

    label: str
    layers: int
    amount: int
    place: str = ""
    bug: str = ""


class ExplainedQuantity(NamedTuple):
    """Operations, parameters or memory: archcalc's count of a layer, and the convention's count."""

    name: str
    own_label: str
    own: Callable[[Use], int | None]
    tally: Callable[[Convention], Tally]
    part: Callable[[Convention, Use], int | None]


QUANTITIES = (
    ExplainedQuantity(
        "operations",
        "multiply-adds",
        lambda use: use.macs or None,
        lambda convention: convention.operations,
        Convention.count_macs,
    ),
    ExplainedQuantity(
        "parameters",
        "trained weights and biases",
        lambda use: use.params.weight + use.params.bias,
        lambda convention: convention.parameters,
        Convention.count_params,
    ),
    ExplainedQuantity(
        "memory",
        FEATURE_MAPS,
        lambda use: use.values if use.storage == "new" else None,
        lambda convention: convention.memory,
        Convention.count_values,
    ),
)


class Explanation(NamedTuple):
    """A network under a convention: the terms of each quantity, and the layer types without operations in its count.

    ``not_counted``: the layer type does operations, and the convention leaves them out. ``unknown_types``: the
    convention says nothing about the layer type, so the total is incomplete.
    """

    convention: Convention
    terms: Mapping[str, list[ExplainedTerm]]
    not_counted: tuple[str, ...]
    unknown_types: tuple[str, ...]

    def total(self, quantity: str) -> int:
        """The convention's count: the sum of all terms."""
        return sum(term.amount for term in self.terms[quantity])

    def counts(self, quantity: str) -> bool:
        """Whether the convention has a figure of that name."""
        if quantity == "operations":
            return self.convention.counts_operations
        return quantity == "parameters" or self.convention.memory_unit is not None


def explain(network: Network, convention: Convention) -> Explanation:
    """The terms between archcalc's count and the convention's count, for one image and each quantity."""
    analysis = analyze(network, convention=convention)
    style = source_style(network.zoo_name, convention.library, network.forms) if convention.library else PLAIN
    uses = _Uses(analysis, style, forms(network, convention))
    terms = {}
    for quantity in QUANTITIES:
        listed = [*_terms(quantity, convention, uses.counted(quantity)), *_additions(quantity, convention, uses)]
        terms[quantity.name] = [term for at, term in enumerate(listed) if term.amount or at == 0]
    empty = dict.fromkeys(row.type for row in analysis.rows if row.macs is None) if convention.counts_operations else {}
    not_counted = tuple(type for type in empty if convention.knows(type))
    return Explanation(convention, terms, not_counted, analysis.unknown_types)


class _Uses:
    """The layers of an analysis as a convention counts them.

    ``all``: every layer that runs. ``own``: without layers that share parameters. ``further``: layers that use the
    parameters of another layer. ``side``: layers of side heads. ``running_side``: the same layers, if the model's code
    runs them at inference, too. ``extra``: layers of the model's code that the network lacks, if these layers do not
    change a shape.
    """

    def __init__(self, analysis: Analysis, style: SourceStyle, form_of: FormOf | None) -> None:
        convention = analysis.convention
        rows = [(row, _use(row, analysis, form_of)) for row in analysis.rows]
        self.all = [use for _, use in rows]
        self.own = [use for row, use in rows if not row.shared]
        self.further = [use for row, use in rows if row.shared and row.param_count]
        model = source_style(analysis.network.zoo_name, convention.library or TORCHVISION)
        side = [_use(row, analysis, form_of) for row in analysis.side_rows if not row.shared]
        self.side = side if convention.counts_side_heads and not model.runs_side_heads else []
        in_code = convention.library is not None or convention.counts_side_heads
        self.running_side = side if in_code and model.runs_side_heads else []
        extras = extra_layers(analysis.network, style)
        self.extra = [_extra_use(extra, x) for extra, x in extras if extra.layer.shape(x) == x]

    def counted(self, quantity: ExplainedQuantity) -> list[Use]:
        return self.own if quantity.name == "parameters" else self.all


def _use(row: Row, analysis: Analysis, form_of: FormOf | None) -> Use:
    assert row.node is not None
    return applied(row.node, row.inputs, analysis.batch, form_of(row.node) if form_of else AS_MODULE)


def extra_layers(network: Network, style: SourceStyle) -> Iterator[tuple[Extra, Shape]]:
    """The layers that a model's code has and the network lacks, with their input. A setting may remove such a layer."""
    for extra in style.extras:
        node = next((node for node in network.nodes if node.name == extra.before), None)
        if node is not None:
            yield extra, network.input_shapes(node)[0]


def _extra_use(extra: Extra, x: Shape) -> Use:
    layer = extra.layer
    return Use(layer, (layer.shape(x), (x,)), layer.params(x), layer.work(layer.shape(x), x), 1, layer.storage)


def _terms(quantity: ExplainedQuantity, convention: Convention, uses: Sequence[Use]) -> Iterator[ExplainedTerm]:
    """archcalc's count, then the layers that the convention does not count, then the convention's terms."""
    tally = quantity.tally(convention)
    counts = [(use, n) for use in uses if (n := quantity.own(use)) is not None]
    yield from _own(quantity, counts)
    if quantity.name == "operations":  # parameters and maps of an unknown type are counted as archcalc counts them
        unknown = [(use, n) for use, n in counts if not convention.knows(use.type)]
        yield _sum(f"unknown: {', '.join(dict.fromkeys(use.type for use, _ in unknown))}", unknown, -1)
        uses = [use for use in uses if convention.knows(use.type)]
        counts = [(use, n) for use, n in counts if convention.knows(use.type)]
    for term in tally.omissions:
        yield _sum(f"not counted: {term.label}", [(use, n) for use, n in counts if term.where(use)], -1, term)
        counts = [(use, n) for use, n in counts if not term.where(use)]
    if tally.factor == 0:
        yield _sum("not counted as such", counts, -1)
    if tally.factor > 1:
        yield _sum(tally.repetition, counts, tally.factor - 1)
    for term in tally.terms:
        yield _sum(term.label, [(use, term.count(use)) for use in uses if term.where(use)], term.times, term)


def _own(quantity: ExplainedQuantity, counts: Sequence[tuple[Use, int]]) -> Iterator[ExplainedTerm]:
    """archcalc's count. The parts of the operations of a layer type, as of attention, are terms of their own."""
    parts: dict[tuple[str, str], list[tuple[Use, int]]] = {}
    whole = []
    for use, count in counts:
        found = use.layer.work_parts(use.out, *use.inputs) if quantity.name == "operations" else {}
        for name, work in found.items():
            parts.setdefault((use.type, name), []).append((use, work.mac * use.batch))
        if found and use.once.mac:
            parts.setdefault((use.type, ONCE), []).append((use, use.once.mac))
        whole += [] if found else [(use, count)]
    but = f" of all layers but {', '.join(dict.fromkeys(type for type, _ in parts))}" if parts else ""
    yield _sum(f"archcalc: {quantity.own_label}{but}", whole)
    for (type, name), each in parts.items():
        yield _sum(f"archcalc: {type}, {name}", each)


def _additions(quantity: ExplainedQuantity, convention: Convention, uses: _Uses) -> Iterator[ExplainedTerm]:
    """Terms for repeated parameters, for side heads, and for layers of the model's code that the network lacks."""

    def added(label: str, uses: Sequence[Use]) -> ExplainedTerm:
        return _sum(label, [(use, quantity.part(convention, use) or 0) for use in uses])

    if quantity.name == "parameters":
        yield added(FURTHER_USES, uses.further)._replace(place=convention.reuse.place, bug=COUNTED_AGAIN)
        yield added(SIDE_HEADS, uses.side)
    yield added(RUNNING_SIDE_HEADS, uses.running_side)
    if convention.library:
        yield added(f"layers in {convention.library.name}'s code that the network lacks", uses.extra)


def _sum(label: str, counts: Sequence[tuple[Use, int]], times: int = 1, term: Term | None = None) -> ExplainedTerm:
    layers = sum(1 for _, n in counts if n)
    amount = times * sum(n for _, n in counts)
    return ExplainedTerm(label, layers, amount, *((term.place, term.bug) if term else ()))
