"""The terms between our count and a convention's, for operations, parameters and memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from archcalc.analysis import Analysis, analyze
from archcalc.analysis.trace import Row, applied
from archcalc.conventions import Convention
from archcalc.conventions.convention import FEATURE_MAPS, Tally, Term, Use
from archcalc.conventions.source_style import MODULE, PLAIN, SourceStyle, source_style
from archcalc.network import Network

SIDE = "side heads, built but not run at inference"
AGAIN = "shared parameters, counted again at every further use"
COUNTED_AGAIN = "one parameter counts several times"


class ExplainedTerm(NamedTuple):
    """One step of the way: what it is, over how many layers, and what it adds."""

    label: str
    layers: int
    amount: int
    place: str = ""
    bug: str = ""


class Quantity(NamedTuple):
    """One of the three sums: its name, our own count of a layer, and the convention's."""

    name: str
    ours: str
    own: Callable[[Use], int | None]
    tally: Callable[[Convention], Tally]
    part: Callable[[Convention, Use], int | None]


QUANTITIES = (
    Quantity(
        "operations",
        "multiply-adds of convolutions and linear layers",
        lambda use: use.work.mac or None,
        lambda how: how.operations,
        Convention.count_macs,
    ),
    Quantity(
        "parameters",
        "trained weights and biases",
        lambda use: use.params.weight + use.params.bias,
        lambda how: how.parameters,
        Convention.count_params,
    ),
    Quantity(
        "memory",
        FEATURE_MAPS,
        lambda use: use.values if use.storage == "new" else None,
        lambda how: how.memory,
        Convention.count_values,
    ),
)


class Explained(NamedTuple):
    """A network under a convention: the terms of each quantity, the layer types not counted, and those unknown."""

    how: Convention
    ways: Mapping[str, list[ExplainedTerm]]
    left_out: tuple[str, ...]
    unknown: tuple[str, ...]

    def total(self, quantity: str) -> int:
        return sum(step.amount for step in self.ways[quantity])

    def counts(self, quantity: str) -> bool:
        """Whether the convention has a figure of that name."""
        if quantity == "operations":
            return self.how.counts_operations
        return quantity == "parameters" or self.how.memory_unit is not None


def explained(network: Network, how: Convention) -> Explained:
    """The steps from our count of one image to the convention's, for each quantity that it counts."""
    analysis = analyze(network, convention=how)
    code = source_style(network.zoo_name, how.sees_code) if how.sees_code else PLAIN
    uses = [(row, _use(row, analysis, code)) for row in analysis.rows]
    own = [use for row, use in uses if not row.shared]
    again = [use for row, use in uses if row.shared and row.param_count]
    side = [_use(row, analysis, code) for row in analysis.side_rows if not row.shared] if how.side_params else []
    extras = _extras(network, code)
    ways = {}
    for quantity in QUANTITIES:
        counted = own if quantity.name == "parameters" else [use for _, use in uses]
        steps = [*_way(quantity, how, counted)]
        if quantity.name == "parameters" and again:
            step = _sum(quantity, how, again, AGAIN)
            steps.append(step._replace(place=how.reuse.place, bug=COUNTED_AGAIN))
        if quantity.name == "parameters" and side:
            steps.append(_sum(quantity, how, side, SIDE))
        if extras and how.sees_code:
            steps.append(_sum(quantity, how, extras, f"layers in {_library(how)}'s code that the network lacks"))
        ways[quantity.name] = [step for at, step in enumerate(steps) if step.amount or at == 0]
    without = dict.fromkeys(row.type for row in analysis.rows if row.macs is None) if how.counts_operations else {}
    return Explained(how, ways, tuple(kind for kind in without if how.knows(kind)), analysis.unknown_types)


def _library(how: Convention) -> str:
    """The library on whose code the convention depends, without its version."""
    return how.sees_code.split(",")[0].split()[0]


def _use(row: Row, analysis: Analysis, code: SourceStyle) -> Use:
    assert row.node is not None
    form = code.form(row.type, row.name) if analysis.convention.sees_code else (MODULE, 0)
    return applied(row.node, row.inputs, analysis.batch, form)


def _extras(network: Network, code: SourceStyle) -> list[Use]:
    """The layers that a model's code has and the network has not, where they leave the shapes as they are."""
    found = []
    for extra in code.extras:
        before = next((node for node in network.nodes if node.name == extra.before), None)
        if before is None:  # the settings leave out the layer
            continue
        (x,) = network.input_shapes(before)
        if extra.layer.shape(x) == x:
            layer = extra.layer
            found.append(Use(layer, x, (x,), layer.params(x), layer.work(x, x), 1, layer.storage))
    return found


def _way(quantity: Quantity, how: Convention, uses: Sequence[Use]) -> Iterator[ExplainedTerm]:
    tally = quantity.tally(how)
    ours = [(use, n) for use in uses if (n := quantity.own(use)) is not None]
    yield _step(f"archcalc: {quantity.ours}", ours)
    if quantity.name == "operations":  # parameters and maps of an unknown type are counted as ours
        unknown = [(use, n) for use, n in ours if not how.knows(use.type)]
        yield _step(f"unknown: {', '.join(dict.fromkeys(use.type for use, _ in unknown))}", unknown, -1)
        uses = [use for use in uses if how.knows(use.type)]
        ours = [(use, n) for use, n in ours if how.knows(use.type)]
    left: dict[int, list[tuple[Use, int]]] = {}
    kept: list[tuple[Use, int]] = []
    for use, n in ours:
        at = next((at for at, term in enumerate(tally.without) if term.where(use)), -1)
        (kept if at < 0 else left.setdefault(at, [])).append((use, n))
    for at, term in enumerate(tally.without):
        yield _step(f"not counted: {term.label}", left.get(at, []), -1, term)
    if tally.base == 0:
        yield _step("none of it is counted as such", kept, -1)
    if tally.base > 1:
        yield _step(tally.again, kept, tally.base - 1)
    for term in tally.terms:
        yield _step(term.label, [(use, term.count(use)) for use in uses if term.where(use)], term.times, term)


def _step(label: str, counts: Sequence[tuple[Use, int]], times: int = 1, term: Term | None = None) -> ExplainedTerm:
    layers = sum(1 for _, n in counts if n)
    amount = times * sum(n for _, n in counts)
    return ExplainedTerm(label, layers, amount, *((term.place, term.bug) if term else ()))


def _sum(quantity: Quantity, how: Convention, uses: Sequence[Use], label: str) -> ExplainedTerm:
    return _step(label, [(use, quantity.part(how, use) or 0) for use in uses])
