"""The verdict on a figure: archcalc's value, compared with the printed number, and the reason for a difference."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from typing import NamedTuple

from archcalc.errors import ArchcalcError
from archcalc.language.zoo import find, is_pattern
from archcalc.published.figure import Explanation, Figure, Subject
from archcalc.published.formula import Formula, Quantity, Reference, formula
from archcalc.published.printed import Unit
from archcalc.published.quantities import Calculator, UnanswerableError

FAILS = "explanation fails"
"""A verdict that the data cannot record: the recorded explanation does not give the printed number."""

_LONG = re.compile(r"(?<![\d.])\d{4,}")

MOST_TERMS = 8
"""Largest number of terms in a printed sum. A sum of more terms is printed as one number."""

OTHER_CONVENTIONS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "params": (
        ("weights", "biases left out"),
        ("stored", "running statistics counted"),
        ("kernels_and_biases", "normalisation left out"),
        ("kernels", "weights of convolutions and linear layers only"),
    ),
    "weights": (("params", "biases counted"), ("kernels", "weights of convolutions and linear layers only")),
    "macs": (("flops", "a multiply-add as two operations"),),
    "flops": (("macs", "a multiply-add as one operation"),),
    "values": (("outputs", "outputs in place counted"),),
}
"""Other meanings of a quantity, tried in this order if the data has no explanation."""


class Judgement(NamedTuple):
    """A verdict on a figure.

    ``manner``: exact, rounded or within a bound. ``value``: archcalc's value. ``reason``: the verdict in words.
    ``arithmetic``: archcalc's value as a sum or product. ``claim``: the value of the explanation as a sum or product.
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


def judge_all(figures: Iterable[Figure], calculator: Calculator | None = None) -> list[Judgement]:
    """A judgement for every figure. Each network is analysed once."""
    calculator = calculator or Calculator()
    return [judge(figure, calculator) for figure in figures]


def judge(figure: Figure, calculator: Calculator) -> Judgement:
    """The judgement of one figure. ArchcalcError if its network cannot be built as the figure says."""
    try:
        value = calculator.value(figure.formula, figure.subject)
    except UnanswerableError as unanswerable:
        return Judgement(figure, "unverifiable", reason=str(unanswerable))
    except ArchcalcError as error:
        raise ArchcalcError(
            [problem._replace(file=figure.file, line=figure.line, text=str(problem)) for problem in error.problems]
        ) from error
    manner = figure.printed.manner(value, figure.binary)
    if manner is not None:
        return Judgement(figure, "truncated" if manner == "truncated" else "match", manner, value)
    difference = Judgement(
        figure, "wrong", value=value, arithmetic=arithmetic(figure.formula, figure.subject, calculator)
    )
    if figure.explanation is not None:
        difference = _by_explanation(difference, figure.explanation, calculator)
    else:
        verdict, reason, claim = next(_other_readings(figure, calculator), ("wrong", "", ""))
        difference = difference._replace(verdict=verdict, reason=reason, claim=claim)
    if difference.verdict == "wrong" and figure.place.confidence == "memory":
        return difference._replace(verdict="unverifiable", reason="read from memory, and archcalc's value differs")
    return difference


def _by_explanation(difference: Judgement, claim: Explanation, calculator: Calculator) -> Judgement:
    """The judgement of a figure with an explanation: the verdict of the explanation if it gives the printed number."""
    figure = difference.figure
    subject, formula = claim.subject or figure.subject, claim.slip or claim.convention or figure.formula
    try:
        value = calculator.value(formula, subject)
    except (UnanswerableError, ArchcalcError) as error:
        return difference._replace(verdict=FAILS, reason=f"{claim.because}: {error}")
    text = arithmetic(formula, subject, calculator)
    if figure.printed.manner(value, figure.binary or claim.binary) is None:
        return difference._replace(verdict=FAILS, reason=claim.because, claim=text)
    verdict = "wrong" if claim.slip else "other variant" if claim.subject else "other convention"
    return difference._replace(verdict=verdict, reason=claim.because, claim=text)


def _other_readings(figure: Figure, calculator: Calculator) -> Iterator[tuple[str, str, str]]:
    """Verdict, reason and arithmetic of each other reading that fits.

    A reading has one change only, and a truncated number does not fit. K for 1024 is tried for thousands and for bytes.
    The other networks of the family are tried for totals only, because a layer of another network often fits a short
    figure by chance.
    """

    def fits(formula: Formula, subject: Subject, binary: bool = figure.binary) -> bool:
        return figure.printed.manner(calculator.value(formula, subject), binary) in ("exact", "rounded", "within")

    size = figure.printed.unit
    thousands = size.power == 1 or (size.power > 0 and size.bytes)
    if thousands and not figure.binary and fits(figure.formula, figure.subject, True):
        name = "MiB called MB" if size.bytes else "K = 1024"
        number = calculator.value(figure.formula, figure.subject)
        yield "other convention", name, f"{value_text(number)} / {size.size(binary=True):,} = {_in_units(number, size)}"
    for other, name in other_conventions(figure.formula):
        if fits(other, figure.subject):
            yield "other convention", name, arithmetic(other, figure.subject, calculator)
    for subject in other_variants(figure.subject):
        with suppress(UnanswerableError, ArchcalcError):  # a variant may lack a layer, or not take the settings
            if fits(figure.formula, subject):
                yield "other variant", subject.network, arithmetic(figure.formula, subject, calculator)


def _in_units(value: Quantity, unit: Unit) -> str:
    """A number in the unit's powers of 1024."""
    return "" if isinstance(value, tuple) else f"{float(value / unit.size(binary=True)):,.1f}"


def other_conventions(of: Formula) -> Iterator[tuple[Formula, str]]:
    """Formulas in which one quantity has another meaning, each with the name of the meaning."""
    for reference in of.references:
        for other, name in OTHER_CONVENTIONS.get(reference.quantity, ()):
            replacement = {reference: reference._replace(quantity=other)}
            yield formula(of.replaced(partial(_replacement, replacement))), name


def _replacement(replacements: Mapping[Reference, Reference], reference: Reference) -> str:
    return str(replacements.get(reference, reference))


def other_variants(subject: Subject) -> Iterator[Subject]:
    """The other networks of a total's family, each at its own input."""
    if is_pattern(subject.network) or subject.layer:
        return
    for name in find(subject.network).networks:
        if name != subject.network:
            yield subject._replace(network=name, input=(), settings=())


def arithmetic(formula: Formula, subject: Subject, calculator: Calculator) -> str:
    """The formula with archcalc's numbers in it, and its value if the formula is more than one number."""
    value = calculator.value(formula, subject)
    result = value_text(value)
    if isinstance(value, tuple):
        return result
    text = formula.replaced(lambda reference: f"{calculator.number(reference, subject)}")
    text = _LONG.sub(lambda m: f"{int(m[0]):,}", text)
    if text != result:
        return f"{text} = {result}"
    return _by_layer(formula, subject, calculator) or result


def _by_layer(formula: Formula, subject: Subject, calculator: Calculator) -> str:
    """A quantity over a few layers as a sum. For one layer: its outputs times the amount per output."""
    (reference,) = formula.references or (None,)
    if reference is None or not subject.layer or reference.layer:
        return ""
    rows = calculator.rows(subject)
    if len(rows) == 1:
        return _product(reference.quantity, subject, calculator)
    parts = [n for row in rows if (n := calculator.number(reference._replace(layer=row.name), subject))]
    return f"{' + '.join(f'{n:,}' for n in parts)} = {sum(parts):,}" if 1 < len(parts) <= MOST_TERMS else ""


def _product(quantity: str, subject: Subject, calculator: Calculator) -> str:
    """Outputs of one layer times the amount per output."""
    row = calculator.rows(subject)[0]
    number = calculator.number(Reference(quantity), subject)
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
    """A value with all its digits, a ratio with three decimals, sizes as height x width x channels, None for ()."""
    if value == ():
        return "None"
    if isinstance(value, tuple):
        return "x".join(map(str, value))
    return f"{value.numerator:,}" if value.denominator == 1 else f"{float(value):,.3f}"
