"""Problems in words: one line each, bounded, with the nearest right name."""

from __future__ import annotations

import time

import pytest

from archcalc.errors import ArchcalcError, Problem, clipped, nearest, unknown


@pytest.mark.parametrize(
    ("problem", "line"),
    [
        (Problem("wrong"), "wrong"),
        (Problem("wrong", "a.yaml"), "a.yaml: wrong"),
        (Problem("wrong", "a.yaml", 3), "a.yaml:3: wrong"),
        (Problem("wrong", "a.yaml", 3, "layers[0]"), "a.yaml:3: wrong (at layers[0])"),
        (Problem("wrong", path="x"), "wrong (at x)"),
        (Problem("a\nb", "c\td", 1, "e\x1b[31m"), "c\\td:1: a\\nb (at e\\x1b[31m)"),
        (Problem("\u2028\udcff"), "\\u2028\\udcff"),
        (Problem("größer als ×"), "größer als ×"),
    ],
)
def test_a_problem_is_one_line(problem: Problem, line: str) -> None:
    assert str(problem) == line


def test_a_problem_is_short() -> None:
    assert len(str(Problem("\U000e0001" * 10**6, "f" * 50, 1, "p" * 10**6))) < 500
    assert len(str(Problem("x", "f" * 10**6))) < 300


def test_an_error_holds_its_problems() -> None:
    assert ArchcalcError("a").problems == (Problem("a"),)
    assert ArchcalcError(Problem("a", "f")).problems == (Problem("a", "f"),)
    error = ArchcalcError([Problem("a", "f", 1), Problem("b", "f", 2)])
    assert str(error) == "f:1: a\nf:2: b"


@pytest.mark.parametrize(
    ("text", "most", "cut"),
    [
        ("abc", 5, "abc"),
        ("abcdef", 6, "abcdef"),
        ("abcdefghij", 8, "abc...ij"),
        ("", 5, ""),
        ("a\nb", 10, "a\\nb"),
    ],
)
def test_clipped(text: str, most: int, cut: str) -> None:
    assert clipped(text, most) == cut


@pytest.mark.parametrize(
    ("name", "known", "wanted"),
    [
        ("cnov", ["conv", "relu"], "conv"),
        ("RELU", ["relu", "relu6"], "relu"),
        ("batch-norm", ["batch_norm", "layer_norm"], "batch_norm"),
        ("batchnorm", ["batch_norm", "layer_norm"], "batch_norm"),
        ("maxpool", ["max_pool", "avg_pool"], "max_pool"),
        ("kernal", ["kernel"], "kernel"),
        ("vgg61", ["vgg16", "vgg19"], "vgg16"),
        ("zzz", ["conv", "relu"], None),
        ("a", [], None),
        ("", ["a"], None),
    ],
)
def test_nearest(name: str, known: list[str], wanted: str | None) -> None:
    assert nearest(name, known) == wanted


def test_unknown_lists_the_choices_when_nothing_is_near() -> None:
    assert unknown("colour", "zzz", ["red", "blue"]) == "unknown colour 'zzz'; known: red, blue"
    assert unknown("colour", "zzz", []) == "unknown colour 'zzz'; known: none"
    assert unknown("colour", "zzz", [f"c{i}" for i in range(20)], most=2) == "unknown colour 'zzz'; known: c0, c1, ..."
    assert len(unknown("colour", "z" * 10**6, ["q" * 10**6] * 12)) < 700


def test_the_search_for_a_name_is_bounded() -> None:
    start = time.process_time()
    nearest("ab" * 10**5, ["ba" * 10**5] * 5 + ["ab" * 30] * 10**5)
    assert time.process_time() - start < 2


def test_known_names_are_listed_whole() -> None:
    """A list that is too long ends behind a name, and not in the middle of one."""
    names = [f"name_number_{n:02d}" for n in range(40)]
    said = unknown("thing", "qqqqqq", names, most=40)
    assert said.endswith(", ...")
    assert len(str(Problem(said))) == len(said) < 320
    assert set(said.partition("known: ")[2].removesuffix(", ...").split(", ")) < set(names)
