"""What a check found, in words: sentences, and the layers that have most of a figure."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from archcalc.budgets.finding import Checked, Finding, Part
from archcalc.conditions.dimension import NUMBER, SIZE, TIME
from archcalc.conditions.parts import Unit
from archcalc.errors import Place
from archcalc.report.diff import difference
from archcalc.report.header import Header
from archcalc.settings_text import setting_text
from archcalc.units import bytes_text, counted, seconds_text


class Results(NamedTuple):
    """The results of all networks, and the facts that their figures depend on."""

    checked: Sequence[Checked]
    header: Header

    @property
    def findings(self) -> list[Finding]:
        return [finding for one in self.checked for finding in one.findings]

    @property
    def summary(self) -> str:
        """How many networks fit, in one sentence."""
        over, count = sum(bool(one.findings) for one in self.checked), len(self.checked)
        budgets = counted(sum(len(one.budgets) for one in self.checked), "budget")
        if over:
            return f"{over:,} of {counted(count, 'network')} {'is' if over == 1 else 'are'} over a budget ({budgets} checked)"
        return f"{counted(count, 'network')} {'fits' if count == 1 else 'fit'} {budgets}"

    @property
    def notes(self) -> list[str]:
        """Which networks were not checked."""
        lines = []
        for names, text in (
            ([one.network for one in self.checked if one.new], "without a network of this name in the baseline"),
            ([one.network for one in self.checked if not one.budgets], "without a budget"),
        ):
            if names:
                more = f", and {len(names) - 5:,} more" if len(names) > 5 else ""
                lines.append(f"{counted(len(names), 'network')} {text}: {', '.join(names[:5])}{more}")
        return lines


def sentence(finding: Finding) -> str:
    """What is over, and by how much, absolute and in percent."""
    if finding.missing:
        return f"the network has no {finding.missing}"
    if finding.value is None:
        return "this does not hold"
    value = value_text(finding.value, finding.unit)
    if finding.limit is None:
        return f"{finding.figure} is {value}"
    limit = finding.stated if finding.stated[:1].isdigit() else value_text(finding.limit, finding.unit)
    if finding.sign == 0:
        return f"{finding.figure} is {value}" + ("" if finding.value == finding.limit else f", and not {limit}")
    unit = " bytes" if finding.unit == SIZE else ""
    over = f"{amount_text(finding.over, finding.unit)}{unit}{_percent(finding.over, finding.limit)}"
    if finding.before is not None:
        return _growth(finding, value, unit, over)
    if not finding.over:
        return f"{finding.figure} is {value}, which is the limit itself"
    return f"{finding.figure} is {value}, {'over' if finding.sign > 0 else 'below'} {limit} by {over}"


def _growth(finding: Finding, value: str, unit: str, over: str) -> str:
    grown = finding.value - finding.before
    text = f"{finding.figure} grew from {amount_text(finding.before, finding.unit)} to {value}"
    text += f", by {amount_text(grown, finding.unit)}{unit}{_percent(grown, finding.before, '+')}"
    if finding.limit == finding.before:
        return text
    return f"{text}; {amount_text(finding.limit, finding.unit)}{unit} is allowed, over by {over}"


def _percent(amount: Any, of: Any, sign: str = "") -> str:
    return f" ({sign}{percent(amount, of)})" if of else ""


def percent(amount: Any, of: Any) -> str:
    """A part in percent, with at least three significant digits.

    >>> percent(1, 3), percent(25, 1), percent(1, 10**9), percent(-1, 3)
    ('33.3 %', '2,500 %', '<0.001 %', '-33.3 %')
    """
    part = Fraction(amount) * 100 / of
    if 0 < abs(part) < Fraction(1, 1000):
        return "<0.001 %"
    digits = 0 if abs(part) >= 100 else 1 if abs(part) >= 10 else 2 if abs(part) >= 1 else 3
    return f"{float(part):,.{digits}f} %"


def value_text(value: Any, unit: Unit) -> str:
    """A value with its unit: exact, if it is a whole number.

    >>> value_text(4_089_184_256, NUMBER), value_text(60_950_432, SIZE), value_text(Fraction(1, 3), NUMBER)
    ('4,089,184,256', '60,950,432 bytes, 61.0 MB (58.1 MiB)', '0.333')
    """
    if isinstance(unit, str):
        return setting_text(value)
    number = f"{value:,}" if isinstance(value, int) else f"{float(value):,.3f}"
    if unit == NUMBER:
        return number
    if unit == TIME:
        return seconds_text(float(value))
    if unit != SIZE:
        return f"{number} {unit}"
    return f"{number} bytes" if not isinstance(value, int) or value < 1000 else f"{number} bytes, {bytes_text(value)}"


def amount_text(value: Any, unit: Unit, sign: str = "") -> str:
    """A layer's amount: a number, or a time with its unit."""
    if unit == TIME:
        return f"{'-' if value < 0 else sign}{seconds_text(abs(float(value)))}"
    return f"{value:{sign},}" if isinstance(value, int) else f"{float(value):{sign},.3f}".rstrip("0").rstrip(".")


def part_cells(finding: Finding) -> tuple[list[str], list[list[str]]]:
    """What has most of the figure, as titles and rows: with its share, or with its change since the baseline."""
    if not finding.figure:
        return ["layers"], [[part.name] for part in finding.parts]
    figure = finding.figure + (" [bytes]" if finding.unit == SIZE else "")
    if finding.before is None:
        rows = [
            [part.name, amount_text(part.amount, finding.unit), share_text(finding, part)] for part in finding.parts
        ]
        return ["largest", figure, "share"], rows
    rows = [
        [
            part.name,
            amount_text(part.before, finding.unit),
            amount_text(part.amount, finding.unit),
            amount_text(part.grown, finding.unit, "+"),
            change(part),
        ]
        for part in finding.parts
    ]
    return ["changed", "before", "now", "change", "difference"], rows


def share_text(finding: Finding, part: Part) -> str:
    return percent(part.amount, finding.value) if finding.value else ""


def change(part: Part) -> str:
    """How a layer differs from the baseline, in words."""
    return difference(*part.rows) if any(part.rows) else ""


def place_of(finding: Finding, checked: Checked) -> Place:
    """Where to look: at the layer in the user's spec, else at the budget, else at the file of the network."""
    for place in (finding.place, finding.budget.place):
        if place.file:
            return place
    return Place(checked.file, 1 if checked.file else 0)


def place_text(place: Place) -> str:
    return f"{place.file}:{place.line}" if place.line else place.file
