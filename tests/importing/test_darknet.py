"""The text of a cfg: sections and values, by the rules of darknet."""

from __future__ import annotations

import pytest

from archcalc.errors import ArchcalcError
from archcalc.importing.darknet import parse
from archcalc.importing.errors import WrongValueError


def test_sections_with_lines() -> None:
    first, second = parse("# a net\n[net]\nwidth = 4 0\n\n; more\n[MaxPool]\nsize=2\r\nsize=3\n", "a.cfg")
    assert (first.kind, first.line, second.kind, second.line) == ("net", 2, "maxpool", 6)
    assert first.whole("width", 0) == 40, "blanks are left out, also inside a value"
    assert second.whole("size", 0) == 2, "the first value holds"
    assert second.whole("stride", 7) == 7


@pytest.mark.parametrize(
    ("value", "whole", "number"),
    [("3", 3, 3.0), ("3#old:4", 3, 3.0), ("-2", -2, -2.0), ("2.5", 2, 2.5), ("+1", 1, 1.0), ("5e-1x", 5, 0.5)],
)
def test_numbers_end_where_darknet_stops_reading(value: str, whole: int, number: float) -> None:
    (section,) = parse(f"[net]\na={value}\n", "a.cfg")
    assert (section.whole("a", 0), section.number("a", 0.0)) == (whole, number)


@pytest.mark.parametrize("value", ["", "x", "-", "99999999999999999999"])
def test_what_is_no_number(value: str) -> None:
    (section,) = parse(f"[net]\na={value}\n", "a.cfg")
    with pytest.raises(WrongValueError, match=r"^a must be a whole number, got"):
        section.whole("a", 0)


def test_lists() -> None:
    (section,) = parse("[route]\nlayers = -1, 36 # both\n", "a.cfg")
    assert section.wholes("layers") == [-1, 36]


def test_every_line_that_cannot_be_read_is_named() -> None:
    with pytest.raises(ArchcalcError) as caught:
        parse("a=1\n[net]\nwidth\nb=2\n???\n", "a.cfg")
    assert [(problem.line, problem.text) for problem in caught.value.problems] == [
        (1, "'a' stands before the first section"),
        (3, "expected [section] or key=value, got 'width'"),
        (5, "expected [section] or key=value, got '???'"),
    ]


def test_the_number_of_lines_is_bounded() -> None:
    with pytest.raises(ArchcalcError, match="more than 100,000 lines"):
        parse("\n" * 100_001, "a.cfg")
