"""Expressions on arrays give, element by element, what single numbers give."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archcalc.errors import DiffersError
from archcalc.language.bounds import MAX_NUMBER
from archcalc.language.expression import parse
from archcalc.language.grammar import ExpressionError

INTS = st.one_of(st.integers(-9, 9), st.integers(-(10**4), 10**4), st.sampled_from([10**9, 10**14, -MAX_NUMBER]))
FLOATS = st.one_of(
    st.sampled_from([0.0, 0.5, 1.5, 2.5, -0.5, -2.5, 1.0, 0.1, 1e-9, 4e14 + 0.5]),
    st.floats(-100, 100, allow_subnormal=False),
)
ATOMS = ("i", "j", "p", "q", "[i, p][0]", "[i, p][1]", "2", "3", "0.1", "-1.5", "8")
FORMS = (
    *(f"({{0}} {op} {{1}})" for op in ("+", "-", "*", "/", "//", "%")),
    *(f"{name}({{0}})" for name in ("abs", "ceil", "floor", "int", "round", "make_divisible", "-")),
    *(form.replace("max", name) for form in ("max({0}, {1})", "max([{0}, {1}, 1])") for name in ("max", "min")),
    *("sum([{0}, {1}, 0.1])", "make_divisible({0}, 3)", "make_divisible({0}, {1})"),
    *(f"({{0}} if {{1}} {op} {{2}} else {{3}})" for op in ("<", "<=", ">", ">=", "==", "!=")),
    *(f"({{0}} if {{1}} < {{2}} {word} {{0}} >= {{3}} else {{2}})" for word in ("and", "or", "and not")),
)


@st.composite
def expressions(draw: st.DrawFn, depth: int = 3) -> str:
    if depth == 0 or not draw(st.integers(0, 4)):
        return draw(st.sampled_from(ATOMS))
    form = draw(st.sampled_from(FORMS))
    return form.format(*(draw(expressions(depth - 1)) if f"{{{at}}}" in form else "" for at in range(4)))


def single(text: str, **scope: Any) -> Any:
    """The value for single numbers; None if there is none."""
    try:
        return parse(text).evaluate(scope)
    except ExpressionError:
        return None


@settings(max_examples=300, deadline=None)
@given(expressions(), st.lists(INTS, min_size=1, max_size=3), st.lists(FLOATS, min_size=1, max_size=3), INTS, FLOATS)
def test_random_expressions(text: str, ints: list[int], floats: list[float], j: int, q: float) -> None:
    """Whole numbers down, floats across; j and q are arrays of one element."""
    singles = [[single(text, i=i, p=p, j=j, q=q) for p in floats] for i in ints]
    refused = any(one is None for row in singles for one in row)
    got: Any
    try:
        given = {"i": np.array(ints)[:, None], "p": np.array(floats), "j": np.array([j]), "q": np.array([[q]])}
        got = parse(text).evaluate(given)
    except (DiffersError, ExpressionError) as error:
        got = error
    if isinstance(got, DiffersError):
        assert 0 < np.broadcast_to(got.holds, (len(ints), len(floats))).mean() < 1
        return
    if isinstance(got, ExpressionError):
        assert refused
        return
    assert not refused
    assert np.broadcast_to(got, (len(ints), len(floats))).tolist() == singles
    if isinstance(got, np.ndarray):  # one type for all: floats, if an element is a float anywhere
        types = {type(one) for row in singles for one in row}
        assert got.dtype == np.float64 or types == {int}
        assert got.dtype == np.int64 or types != {int} or set("pq./") & set(text)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("round(x)", [-2, 0, 2, 4]),  # a half to the even number
        ("int(x)", [-1, 0, 1, 3]),
        ("floor(x)", [-2, 0, 1, 3]),
        ("ceil(x)", [-1, 1, 2, 4]),
        ("x // 1", [-2.0, 0.0, 1.0, 3.0]),
        ("x % 1", [0.5, 0.5, 0.5, 0.5]),
        ("i / 2", [0.5, 1.0, 1.5, 2.0]),
        ("2 * i / 2", [1, 2, 3, 4]),  # whole numbers, where all divide
        ("make_divisible(10 * x, 4)", [4, 8, 16, 36]),
        ("make_divisible(7, i)", [7, 8, 9, 8]),
        ("sum([0.1, 0.2, i])", [1.3, 2.3, 3.3, 4.3]),
        ("max([i, 2, x])", [2.0, 2.0, 3.0, 4.0]),
    ],
)
def test_functions(text: str, wanted: list[float]) -> None:
    """-1.5, 0.5, 1.5, 3.5 and 1, 2, 3, 4. 3/2 * 10 = 15 is rounded up to 16, because 12 is below 13.5."""
    got = parse(text).evaluate({"x": np.array([-1.5, 0.5, 1.5, 3.5]), "i": np.array([1, 2, 3, 4])})
    assert got.tolist() == pytest.approx(wanted, rel=1e-15)
    assert got.dtype.kind == ("i" if all(isinstance(n, int) for n in wanted) else "f")


def test_products_beyond_int64_are_refused() -> None:
    """2**33 * 2**33 = 2**66, which int64 wraps around to 4."""
    with pytest.raises(ExpressionError, match="a number beyond 1,000,000,000,000,000"):
        parse("i * i").evaluate({"i": np.array([1, 2**33])})
    with pytest.raises(ExpressionError, match="a number beyond"):
        parse("i * 2").evaluate({"i": np.array([1, 2**63 - 1])})


@pytest.mark.parametrize("text", ["['a', 'b', 'c'][i]", "[1, 2, 3][i]"])
def test_what_needs_one_number_says_which_elements_differ(text: str) -> None:
    with pytest.raises(
        DiffersError, match=r"^a number that the structure depends on is \[0\.\.2\] in an array; "
    ) as caught:
        parse(text).evaluate({"i": np.array([0, 2, 0])})
    assert caught.value.holds.tolist() == [True, False, True]
    assert parse(text).evaluate({"i": np.array([2, 2])}) == ("c" if "'" in text else 3)
