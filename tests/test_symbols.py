"""Symbols: what a formula computes for other numbers, and which numbers it does not accept."""

from __future__ import annotations

import operator
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from archcalc.errors import DiffersError
from archcalc.language.elementwise import FUNCTIONS, where
from archcalc.layers.settings import whole_number
from archcalc.sizes import ceil_div, divide, equal, gcd, greater, is_array, largest, lesser, positive, smallest
from archcalc.symbols import Calculation, NoFormulaError, Symbol

ORDER = [operator.lt, operator.le, operator.gt, operator.ge]


def formula(code: Callable[..., list[Any]], *numbers: list[Any]) -> Callable[..., list[Any] | None]:
    calculation = Calculation(numbers)
    return calculation.formula(code(*calculation.numbers))


def accepted(code: Callable[..., list[Any]], elements: list[int]) -> list[int]:
    """The numbers up to 20 that the formula of one number accepts."""
    found = formula(code, elements)
    return [n for n in range(1, 21) if found(n) is not None]


@pytest.mark.parametrize("extreme", [largest, smallest])
@pytest.mark.parametrize("compare", [*ORDER, operator.eq, operator.ne])
def test_a_formula_accepts_what_leaves_the_answer_about_all_elements_as_it_is(extreme: Any, compare: Any):
    over = max if extreme is largest else min
    for elements in ([3, 5], [5, 2, 4]):
        for limit in range(9):
            found = formula(lambda n, limit=limit: [bool(compare(extreme(n), limit))], elements)
            answer = compare(over(elements), limit)
            for n in range(9):
                same = compare(over([*elements, n]), limit) == answer
                assert found(n) in ([answer], None)
                assert same or found(n) is None
                if compare in ORDER:
                    assert same == (found(n) is not None)


def test_a_formula_accepts_what_the_layers_accept():
    assert accepted(lambda n: [divide(n, 3, "channels")], [3, 9, 6]) == [3, 6, 9, 12, 15, 18]
    assert accepted(lambda n: [whole_number(n, 4, 17)], [5, 6]) == list(range(4, 18))
    assert accepted(lambda n: [equal(n % 2, 1)], [3, 5]) == list(range(1, 21, 2))
    assert accepted(lambda n: [equal(n, 5)], [3, 5]) == list(range(1, 21))  # one element is not 5, so not all are 5
    assert accepted(lambda n: [int(largest(n))], [3, 7]) == list(range(1, 8))
    assert accepted(lambda n: [largest(n) == smallest(n)], [3, 7]) == list(range(3, 21))
    assert accepted(lambda n: [n * 2], [4, 4]) == [4]  # a number that does not vary is not a symbol


def test_the_functions_on_sizes_and_of_specs_have_formulas():
    code = {
        "ceil_div": lambda a, b: ceil_div(a, b),
        "gcd": lambda a, b: gcd(a, b),
        "greater": lambda a, b: greater(a, b),
        "lesser": lambda a, b: lesser(a, b),
        "positive": lambda a, b: positive(a - b),
        "where": lambda a, b: where(a > b, a % b, b),
    }
    drawn = random.Random(1)
    pairs = [(drawn.randint(1, 99), drawn.randint(1, 99)) for _ in range(100)]
    for name, one in code.items():
        found = formula(lambda a, b, one=one: [one(a, b)], *zip(*pairs[:40], strict=True))
        results = [found(a, b) for a, b in pairs]
        assert all(result in (None, [one(a, b)]) for result, (a, b) in zip(results, pairs, strict=True)), name
        assert None not in results[:40], name
    widths = [drawn.uniform(1, 300) for _ in range(60)]
    found = formula(lambda w: [FUNCTIONS["make_divisible"](w), FUNCTIONS["round"](w), FUNCTIONS["ceil"](w)], widths[:9])
    assert found(96 * 0.35) == [32, 34, 34]  # 33.6: 32 is the nearest multiple of 8, and 32 >= 0.9 * 33.6
    assert found(12.0) == [16, 12, 12]  # 8 * int((12 + 4) / 8)


def test_constants_are_added_up_so_that_equal_sums_are_one_symbol():
    calculation = Calculation([[5, 6]])
    (n,) = calculation.numbers
    assert (n + 1 + 1 - 3) // 1 + 1 is n  # a 3x3 convolution with padding 1
    assert n + 2 is (n + 3) - 1
    assert 1 * n is n
    assert n - 1 is not n


def grown(drawn: random.Random, leaves: list[Any]) -> Callable[[list[Any]], Any]:
    """A random expression over values: the same for arrays and for symbols."""
    ints = [operator.add, operator.sub, operator.mul, lambda a, b: a // (b * b + 1), lambda a, b: a % (b * b + 1)]
    floats = [lambda a, b: a / (b * b + 1), lambda a, b: (a / (b * b + 2)).round().astype("int64")]
    logic = [
        lambda a, b: where((a > b) & ~(a == 3), a, b),
        lambda a, b: a * ((a < b) | (b >= 7)) - abs(b),
        lambda a, b: -a,
    ]
    steps = [
        (drawn.choice(ints + floats[1:] + logic), drawn.random(), drawn.random()) for _ in range(drawn.randint(1, 9))
    ]
    last = drawn.choice(ints + floats)

    def expression(values: list[Any]) -> Any:
        found = list(values)
        for step, first, second in steps:
            a, b = (found[int(one * len(found))] for one in (first, second))
            found.append(step(a if is_array(a) else found[0], b) % 1009)
        return last(found[-1], found[-2])

    return expression


def test_a_formula_has_the_results_of_arrays():
    drawn = random.Random(3)
    for _ in range(300):
        columns = [[drawn.randint(-9, 9) for _ in range(6)] for _ in range(2)]
        expression = grown(drawn, columns)
        other = [np.array(column) for column in columns]
        found = formula(lambda *n, expression=expression: [expression([*n, 5])], *[column[:3] for column in columns])
        expected = expression([*other, 5])
        expected = expected.tolist() if is_array(expected) else [expected] * 6
        results = [found(*pair) for pair in zip(*columns, strict=True)]
        if all(len(set(column[:3])) > 1 for column in columns):
            assert results == [[one] for one in expected]


def test_a_number_that_arrays_decide_by_must_be_one():
    with pytest.raises(DiffersError) as raised:
        formula(lambda n: [n.item(0)], [2, 3, 2])
    assert raised.value.holds.elements.tolist() == [True, False, True]


@pytest.mark.parametrize(
    "code",
    [
        lambda n: [1 if n > 3 else 2],
        lambda n: [max(n, 4)],
        lambda n: [n in [4, 5]],
        lambda n: list(n),
        lambda n: [{n: 1}],
        lambda n: [np.sqrt(n)],
        lambda n: [np.arange(2) + n],
        lambda n: [n**2],
        lambda n: [int(n)],
        lambda n: [range(n)],
        lambda n: [n[0]],
        lambda n: [n.sum()],
        lambda n: [n + "1"],
        lambda n: [n * None],
        lambda n: [(n > 1) + (n > 2)],  # in NumPy a condition, in Python a number
    ],
)
def test_what_symbols_do_not_note_has_no_formula(code: Any):
    with pytest.raises((NoFormulaError, AttributeError, TypeError)):
        formula(code, [2, 5])


def test_symbols_of_two_calculations_do_not_mix():
    a, b = (Calculation([[1, 2]]).numbers[0] for _ in range(2))
    assert isinstance(a, Symbol)
    with pytest.raises(NoFormulaError):
        a + b
