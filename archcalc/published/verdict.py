"""The trial: what a figure is by the engine, and the verdict that follows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from typing import NamedTuple

from archcalc.errors import ArchcalcError
from archcalc.language.zoo import find, is_pattern
from archcalc.published.figures import Explanation, Figure
from archcalc.published.formula import Formula, Quantity, Reference, formula
from archcalc.published.printed import Unit
from archcalc.published.quantities import Bench, UnanswerableError
from archcalc.published.subject import Subject

FAILS = "explanation fails"
"""The verdict that no data can record."""

_LONG = re.compile(r"(?<![\d.])\d{4,}")

MOST_TERMS = 8
"""A sum of more terms is not written out."""

OTHER_CONVENTIONS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "params": (
        ("weights", "biases left out"),
        ("stored", "running statistics counted"),
        ("kernels_and_biases", "normalisation left out"),
        ("kernels", "weights of convolutions and linear layers alone"),
    ),
    "weights": (("params", "biases counted"), ("kernels", "weights of convolutions and linear layers alone")),
    "macs": (("flops", "a multiply-add as two operations"),),
    "flops": (("macs", "a multiply-add as one operation"),),
    "values": (("outputs", "outputs that overwrite their input counted"),),
}
"""What else a quantity may have meant: tried in this order where no explanation is given."""


class Judgement(NamedTuple):
    """``verdict`` and ``manner`` (how a match came about), the engine's value, and the reason in words.

    ``arithmetic`` is the engine's value as a sum or product, ``claim`` the explanation's.
    """

    figure: Figure
    verdict: str
    manner: str = ""
    value: Quantity | None = None
    reason: str = ""
    arithmetic: str = ""
    claim: str = ""

    @property
    def as_recorded(self) -> bool:
        return self.verdict == self.figure.verdict


def judge_all(figures: Iterable[Figure], bench: Bench | None = None) -> list[Judgement]:
    """A judgement for every figure; a network is analysed once."""
    bench = bench or Bench()
    return [judge(figure, bench) for figure in figures]


def judge(figure: Figure, bench: Bench) -> Judgement:
    """The verdict on one figure; ArchcalcError when its network cannot be built as the figure says."""
    try:
        value = bench.value(figure.formula, figure.subject)
    except UnanswerableError as unanswerable:
        return Judgement(figure, "unverifiable", reason=str(unanswerable))
    except ArchcalcError as error:
        raise ArchcalcError(
            [problem._replace(file=figure.file, line=figure.line, text=str(problem)) for problem in error.problems]
        ) from error
    manner = figure.printed.manner(value, figure.binary)
    if manner is not None:
        return Judgement(figure, "truncated" if manner == "truncated" else "match", manner, value)
    sum_of = arithmetic(figure.formula, figure.subject, bench)
    found = Judgement(figure, "wrong", value=value, arithmetic=sum_of)
    if figure.explained is not None:
        found = _explained(found, figure.explained, bench)
    else:
        verdict, reason, claim = next(_others(figure, bench), ("wrong", "", ""))
        found = found._replace(verdict=verdict, reason=reason, claim=claim)
    if found.verdict == "wrong" and figure.confidence == "memory":
        return found._replace(verdict="unverifiable", reason="recalled from memory, and the engine differs")
    return found


def _explained(found: Judgement, claim: Explanation, bench: Bench) -> Judgement:
    figure = found.figure
    subject, how = claim.subject or figure.subject, claim.slip or claim.convention or figure.formula
    try:
        value = bench.value(how, subject)
    except (UnanswerableError, ArchcalcError) as error:
        return found._replace(verdict=FAILS, reason=f"{claim.because}: {error}")
    shown = arithmetic(how, subject, bench)
    if figure.printed.manner(value, figure.binary or claim.binary) is None:
        return found._replace(verdict=FAILS, reason=claim.because, claim=shown)
    verdict = "wrong" if claim.slip else "other variant" if claim.subject else "other convention"
    return found._replace(verdict=verdict, reason=claim.because, claim=shown)


def _others(figure: Figure, bench: Bench) -> Iterator[tuple[str, str, str]]:
    """Verdict, reason and arithmetic of each other reading that fits: one change at a time, and no truncation.

    K for 1024 is tried for thousands and for bytes; the family's other networks for totals alone, since a layer of
    another network meets a short figure by chance too often.
    """

    def fits(how: Formula, subject: Subject, binary: bool = figure.binary) -> bool:
        return figure.printed.manner(bench.value(how, subject), binary) in ("exact", "rounded", "within")

    size = figure.printed.unit
    thousands = size.power == 1 or (size.power > 0 and size.bytes)
    if thousands and not figure.binary and fits(figure.formula, figure.subject, True):
        name = "MiB called MB" if size.bytes else "K = 1024"
        number = bench.value(figure.formula, figure.subject)
        yield "other convention", name, f"{value_text(number)} / {size.size(binary=True):,} = {_in_units(number, size)}"
    for how, name in conventions(figure.formula):
        if fits(how, figure.subject):
            yield "other convention", name, arithmetic(how, figure.subject, bench)
    for subject in variants(figure.subject):
        with suppress(UnanswerableError, ArchcalcError):  # a variant may lack a layer, or not take the settings
            if fits(figure.formula, subject):
                yield "other variant", subject.network, arithmetic(figure.formula, subject, bench)


def _in_units(value: Quantity, unit: Unit) -> str:
    """A number in the unit's powers of 1024."""
    return "" if isinstance(value, tuple) else f"{float(value / unit.size(binary=True)):,.1f}"


def conventions(how: Formula) -> Iterator[tuple[Formula, str]]:
    """The formula with each other meaning of one of its quantities."""
    for reference in how.references:
        for other, name in OTHER_CONVENTIONS.get(reference.quantity, ()):
            meant = {reference: reference._replace(quantity=other)}
            yield formula(how.replaced(partial(_meaning, meant))), name


def _meaning(meant: Mapping[Reference, Reference], reference: Reference) -> str:
    return str(meant.get(reference, reference))


def variants(subject: Subject) -> Iterator[Subject]:
    """The other networks of a total's family, each at its own input."""
    if is_pattern(subject.network) or subject.layer:
        return
    for name in find(subject.network).networks:
        if name != subject.network:
            yield subject._replace(network=name, input=(), settings=())


def arithmetic(how: Formula, subject: Subject, bench: Bench) -> str:
    """The formula with the engine's numbers in it, and its value where that is more than the number itself."""
    value = bench.value(how, subject)
    shown = value_text(value)
    if isinstance(value, tuple):
        return shown
    text = _LONG.sub(lambda m: f"{int(m[0]):,}", how.replaced(lambda reference: f"{bench.number(reference, subject)}"))
    if text != shown:
        return f"{text} = {shown}"
    return _by_layer(how, subject, bench) or shown


def _by_layer(how: Formula, subject: Subject, bench: Bench) -> str:
    """One quantity over a few layers as the sum over them, or as the outputs of one layer times what each takes."""
    (reference,) = how.references or (None,)
    if reference is None or not subject.layer or reference.layer:
        return ""
    rows = bench.rows(subject)
    if len(rows) == 1:
        return _product(reference.quantity, subject, bench)
    parts = [n for row in rows if (n := bench.number(reference._replace(layer=row.name), subject))]
    return f"{' + '.join(f'{n:,}' for n in parts)} = {sum(parts):,}" if 1 < len(parts) <= MOST_TERMS else ""


def _product(quantity: str, subject: Subject, bench: Bench) -> str:
    """Outputs of one layer times what each of them takes."""
    row = bench.rows(subject)[0]
    number = bench.number(Reference(quantity), subject)
    if row.shape is None or not number or not row.inputs:
        return ""
    sizes = " x ".join(map(str, (row.shape.channels, *row.shape.axes)))
    if quantity in ("outputs", "values"):
        return f"{sizes} = {number:,}" if row.shape.axes else ""
    if quantity == "macs":
        return f"{sizes} outputs x {number // row.shape.values:,} products each = {number:,}"
    if quantity == "weights":
        return f"{row.shape.channels} filters x {number // row.shape.channels:,} weights each = {number:,}"
    return ""


def value_text(value: Quantity) -> str:
    """A value with all its digits; a ratio with three decimals; sizes as height x width x channels; None for ()."""
    if value == ():
        return "None"
    if isinstance(value, tuple):
        return "x".join(map(str, value))
    return f"{value.numerator:,}" if value.denominator == 1 else f"{float(value):,.3f}"
