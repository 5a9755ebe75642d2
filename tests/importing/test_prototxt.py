"""The text format of protocol buffers."""

from __future__ import annotations

import pytest

from archcalc.errors import ArchcalcError
from archcalc.importing.errors import WrongValueError
from archcalc.importing.prototxt import parse


def test_fields_with_lines() -> None:
    message = parse('name: "a" # comment\nlayer {\n  dim: [1, 2]\n  dim: 3\n}\nlayer: < kind: MAX; >\n', "a.prototxt")
    assert message.text("name") == "a"
    one, two = message.messages("layer")
    assert (one.line, two.line) == (2, 6)
    assert one.wholes("dim") == [1, 2, 3]
    assert one.whole("dim", 0) == 3, "the last value of a field counts"
    assert two.text("kind") == "MAX"
    assert message.message("none").fields == {}


@pytest.mark.parametrize(
    ("text", "value"), [("'a'", "a"), ('"a" "b"', "ab"), ('"a#b"', "a#b"), ("AVE", "AVE"), ('""', "")]
)
def test_texts(text: str, value: str) -> None:
    assert parse(f"x: {text}", "a").text("x", "?") == value


@pytest.mark.parametrize(("text", "value"), [("1", 1.0), ("-.5", -0.5), ("1e-4", 0.0001), ("2.", 2.0), ("0.5f", 0.5)])
def test_numbers(text: str, value: float) -> None:
    assert parse(f"x: {text}", "a").number("x", 0) == value


@pytest.mark.parametrize("text", ["x: nan", "x: inf", "x: y", 'x: "1 2"', "x: 1e999", "x: 1234567890123456789012"])
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(WrongValueError, match=r"^x must be a number, got"):
        parse(text, "a").number("x", 0)


def test_whole_numbers_and_flags() -> None:
    message = parse("x: 2.0 y: maybe z: 1", "a")
    with pytest.raises(WrongValueError, match=r"^x must be a whole number, got '2.0'"):
        message.whole("x", 0)
    with pytest.raises(WrongValueError, match=r"^y must be true or false, got 'maybe'"):
        message.flag("y", False)
    assert message.flag("z", False) is True
    assert message.flag("none", True) is True


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("layer {\n x: 1\n", 1, "the file ends inside a message, which needs '}'"),
        ("x: 1\n}\n", 2, "expected the name of a field, got '}'"),
        ("x:\n", 2, "x: expected a value, got 'the end of the file'"),
        ("x 1\n", 1, "expected ':' or '{' after 'x', got '1'"),
        ("x: {\n >\n", 2, "expected the name of a field, got '>'"),
        ('x: "open\n', 1, "expected the name of a field, got '\"open"),
        ("x: [1, 2\n", 2, "x: expected a value, got 'the end of the file'"),
    ],
)
def test_what_is_wrong_has_a_line(text: str, line: int, problem: str) -> None:
    with pytest.raises(ArchcalcError) as caught:
        parse(text, "a.prototxt")
    (found,) = caught.value.problems
    assert (found.line, found.file) == (line, "a.prototxt")
    assert found.text.startswith(problem)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a {" * 60, "nested deeper than 50 levels"),
        ("a: 1\n" * 100_001, "more than 100,000 values"),
        (f"a: [{'1,' * 100_002}]", "more than 100,000 values"),
    ],
)
def test_size_and_depth_are_bounded(text: str, problem: str) -> None:
    with pytest.raises(ArchcalcError, match=problem):
        parse(text, "a.prototxt")
