"""Arithmetic on constants, against NumPy."""

from __future__ import annotations

from typing import Any

import pytest

from archcalc.importing.onnx.relative import grid_of, places, says_nothing, window_of
from archcalc.importing.onnx.values import (
    BY_TWO,
    MOST,
    Values,
    computed,
    gathered,
    joined,
    nonzero,
    reduced,
    scattered,
    sliced,
    summed,
    transposed,
)
from tests.importing.onnx.files import onnx  # noqa: F401  skips these tests without onnx, which brings NumPy

np = pytest.importorskip("numpy")
A = np.arange(-12, 12).reshape(2, 3, 4)
B = np.array([[3], [-2], [5]])


def of(array: Any) -> Values:
    return Values(array.shape, array.reshape(-1).tolist())


FUNCTIONS = {
    "Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Max": np.maximum, "Min": np.minimum, "Equal": np.equal,
    "Greater": np.greater, "GreaterOrEqual": np.greater_equal, "Less": np.less, "LessOrEqual": np.less_equal,
    "And": np.logical_and, "Or": np.logical_or, "Xor": np.logical_xor, "Mod": np.mod,
    "Div": lambda a, b: np.trunc(a / b).astype(int),  # whole numbers are cut off, and not rounded down
}  # fmt: skip


def test_every_function_of_two_has_a_row() -> None:
    assert {*FUNCTIONS, "Pow"} == {*BY_TWO}


@pytest.mark.parametrize("type", FUNCTIONS)
def test_value_by_value(type: str) -> None:
    made = computed(type, [of(A), of(B)])
    wanted = FUNCTIONS[type](A, B)
    assert made is not None
    assert (made.sizes, made.tolist()) == (wanted.shape, wanted.astype(int).tolist())


CASES = {
    "a choice": (computed("Where", [of(A > 0), of(A), of(B)]), np.where(A > 0, A, B)),
    "a power": (computed("Pow", [of(B), of(np.array(2))]), B**2),
    "transposed": (transposed(of(A), [2, 0, 1]), A.transpose(2, 0, 1)),
    "a slice": (sliced(of(A), [range(2), range(2, -1, -2), range(1, 3)]), A[:, 2::-2, 1:3]),
    "positions": (gathered(of(A), of(np.array([[2, -1]])), 2), A.take([[2, 3]], axis=2)),
    "side by side": (joined([of(A), of(A[:, :1])], 1), np.concatenate([A, A[:, :1]], axis=1)),
    "sums": (reduced(of(A), [0, 2], True, sum), A.sum(axis=(0, 2), keepdims=True)),
    "largest": (reduced(of(A), [1], False, max), A.max(axis=1)),
    "running sums": (summed(of(A), 1), A.cumsum(axis=1)),
    "places": (nonzero(of(A % 3 == 0)), np.stack(np.nonzero(A % 3 == 0))),
}


@pytest.mark.parametrize("case", CASES)
def test_a_case(case: str) -> None:
    made, wanted = CASES[case]
    assert made is not None
    assert (made.sizes, made.tolist()) == (wanted.shape, wanted.astype(int).tolist())


@pytest.mark.parametrize("array", [A, A.astype(float), np.ones((3, 2)), np.zeros(4, int)], ids=["a", "b", "c", "d"])
def test_what_rules_ask_of_a_tensor(array: Any) -> None:
    """The same answers as those of a tensor of PyTorch."""
    torch = pytest.importorskip("torch")
    ours, theirs = of(array), torch.from_numpy(array).to(torch.float32 if array.dtype == float else torch.int64)
    for ask in (
        lambda one: one.numel(),
        lambda one: str(one.dtype),
        lambda one: one.dtype.is_floating_point,
        lambda one: tuple(one.shape),
        lambda one: bool(one.any()),
        lambda one: [float(number) for number in one.reshape(-1)],
        lambda one: float(one.flatten()[0]),
        lambda one: bool((one == float(one.flatten()[0])).all()),
        lambda one: [bool((part == one[0]).all()) for part in one[1:]],
        lambda one: one.tolist(),
    ):
        assert ask(ours) == ask(theirs)


def test_some_values_replaced() -> None:
    wanted = A.copy()
    wanted[1, 2] = [7, 8, 9, 6]
    wanted[0, 0] = 1
    made = scattered(of(A), of(np.array([[1, 2], [0, 0]])), of(np.array([[7, 8, 9, 6], [1, 1, 1, 1]])))
    assert made is not None
    assert made.tolist() == wanted.tolist()


def test_what_is_not_computed() -> None:
    assert computed("Add", [of(A), of(np.arange(5))]) is None
    assert computed("Div", [of(A), of(np.zeros(4, int))]) is None
    assert computed("Sqrt", [of(A)]) is None
    assert computed("Add", [Values((MOST, 1), [0] * 10), Values((1, 10), [0] * 10)]) is None
    assert gathered(of(A), of(np.array([4])), 2) is None


def test_windows_of_a_bias() -> None:
    """2 heads, windows of 2x3: a table of 3x5 distances; one changed number is no table; equal directions are another one."""
    table = np.random.default_rng(0).normal(size=(2, 3, 5))
    cells = [(y, x) for y in range(2) for x in range(3)]
    bias = [table[h, a[0] - b[0] + 1, a[1] - b[1] + 2] for h in range(2) for a in cells for b in cells]
    assert window_of(bias, 2, 6) == (2, 3)
    assert window_of([*bias[:-1], 9.0], 2, 6) is None
    both = [abs(table[h, abs(a[0] - b[0]), abs(a[1] - b[1])]) for h in range(2) for a in cells for b in cells]
    assert window_of(both, 2, 6) is None


@pytest.mark.parametrize(("height", "width", "step"), [(2, 3, 1), (4, 4, 2), (5, 3, 2)])
def test_tables_of_a_bias_that_is_the_same_in_both_directions(height: int, width: int, step: int) -> None:
    """2 heads; the queries are every position, or every second one."""
    table = np.random.default_rng(0).normal(size=(2, height, width))
    queries = [(y, x) for y in range(0, height, step) for x in range(0, width, step)]
    keys = [(y, x) for y in range(height) for x in range(width)]
    bias = [table[h, abs(a[0] - b[0]), abs(a[1] - b[1])] for h in range(2) for a in queries for b in keys]
    assert grid_of(bias, 2, len(queries), len(keys)) == (height, width, step)
    assert [table[h].flat[place] for h in range(2) for place in places(height, width, step)] == bias
    assert grid_of([*bias[:-1], 9.0], 2, len(queries), len(keys)) is None
    assert not says_nothing(bias, 2)
    assert says_nothing([1.0] * 6 + [2.0] * 6, 2)
