"""Conditions on arrays: every element is what the same condition says of that element alone."""

from __future__ import annotations

import operator
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archcalc import load
from archcalc.analysis import prepared
from archcalc.conditions.condition import condition
from archcalc.conditions.elementwise import Numbers, Truths, compared, number
from archcalc.conditions.parts import MissingError
from tests.nets import network

WIDE = network("""
input: [3, 32, 32]
params: {width: 8, kernel: 3, option: a}
layers:
  - conv: {out: width, kernel: kernel, pad: "kernel // 2"}
  - relu
  - global_avg_pool
  - flatten
  - linear: {out: 10}
""")
SIZES, BATCHES = np.array([8, 9, 31, 32]), np.array([[1], [2], [100]])
WIDTHS = np.array([[[4]], [[8]]])


def answers(text: str) -> tuple[np.ndarray, np.ndarray]:
    """The condition on arrays of sizes, batches and widths, and point by point."""
    holds = condition(text, WIDE.settings).holds
    varied = WIDE.at(WIDE.inputs, WIDE.settings | {"width": WIDTHS})
    found = holds(prepared(varied, input=(3, SIZES, 32), batch=BATCHES))
    points = np.broadcast(SIZES, BATCHES, WIDTHS)

    def single(size: int, batch: int, width: int) -> bool:
        one = WIDE.at(WIDE.inputs, WIDE.settings | {"width": int(width)})
        try:
            return holds(prepared(one, input=(3, int(size), 32), batch=int(batch)))
        except MissingError:
            return False

    return found, np.array([single(*point) for point in points]).reshape(points.shape)


@pytest.mark.parametrize(
    "text",
    [
        "macs < 1M",
        "macs / params > 300.5 and params == 3 * 9 * 4 + 4 + 50",
        "not macs < 1M or batch == 2",
        "macs / (batch - 2) > 100",
        "not macs / (batch - 2) > 100",
        "batch == 2 or macs / (batch - 2) > 100",
        "macs // (batch - 2) % 7 == 3 and -macs < 5",
        "macs % (batch - 101) == 0",
        "(macs if batch > 1 else params) > 1000",
        "(macs / (batch - 2) if batch != 2 else 7) == 7",
        "(batch == 2 if width == 4 else macs > 1M)",
        "max(macs, params, 90K) == 90K or min(batch, width) == 8 or abs(batch - 50) < 49.5",
        "macs * macs * macs * macs > 4.2e20 * macs",
        "memory > 1MiB and memory / 1B == 4 * values",
        "width * 12.5 >= 100 and setting.width < 9",
        "count(layer.params > 200) > 0 and any(layer.channels % 8 != 0)",
        "all(layer.params < 200)",
        "100K <= macs <= 10M",
        "activations / batch - 10 > width * 32 * 9 or adds > 10K * batch",
        "kernel == 3 and option == 'a' and macs > 5M",
        "batch > 1",
        "input == '3x31x32' or input != '3x8x32' and batch == 2",
        "count(layer.field > 2) * batch > 6",
        "field > 8 or field * batch > 100",
        "peak > 300KB and peak / batch < 70KB",
        "train_memory(batch=4, adam) > 200KB",
        "time('a100') > 28us",
    ],
)
def test_every_element_is_a_single_run(text):
    found, expected = answers(text)
    assert 0 < expected.sum() < expected.size
    assert (np.broadcast_to(found, expected.shape) == expected).all()


def test_a_condition_has_the_shape_of_the_arrays_that_it_names():
    assert answers("batch > 1")[0].shape == (3, 1)
    assert answers("params > 100")[0].shape == (2, 1, 1)
    assert answers("layers == 5")[0] is True


@pytest.mark.parametrize("net", ["alexnet_tv", "segnet", "vgg16"])
@pytest.mark.parametrize(
    "text", ["any(layer.field >= 230)", "all(layer.field < 230)", "count(layer.field >= 150 and layer.macs > 0) >= 3"]
)
def test_conditions_on_the_fields_of_layers_take_no_bounds_of_arrays(net, text):
    """An adaptive pooling has a field that arrays only bound."""
    sizes = [64, 96, 200, 300]
    found = condition(text).holds(load(net, input=(3, np.array(sizes), np.array(sizes))).analyze())
    expected = [condition(text).holds(load(net, input=(3, size, size)).analyze()) for size in sizes]
    assert np.broadcast_to(found, len(sizes)).tolist() == expected


def test_texts_are_compared_element_by_element():
    found, expected = answers("input == '3x32x32'")
    assert 0 < expected.sum() < expected.size
    assert (np.broadcast_to(found, expected.shape) == expected).all()
    assert answers("any(layer.type == 'conv')")[0] is True


def test_what_arrays_do_not_decide_is_missing():
    vector = network("input: [10]\nlayers: [{linear: {out: 5}}]")
    analysis = prepared(vector, batch=BATCHES)
    assert condition("batch == 2 or field > 3").holds(analysis).tolist() == [[False], [True], [False]]
    with pytest.raises(MissingError, match="field"):
        condition("field > 3").holds(analysis)


WHOLE = st.one_of(st.integers(-10, 10), st.integers(-(2**63), 2**63 - 1))
DECIMAL = st.integers(-1000, 1000).map(lambda n: n / 100)
OPERATORS = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
}


def _exact(value: float | int) -> Fraction:
    return Fraction(repr(value))


@st.composite
def operands(draw: st.DrawFn) -> list:
    """Two operands of which one at least is an array, of whole numbers or of decimal fractions."""
    found = []
    for _ in range(2):
        whole = draw(st.booleans())
        values = draw(st.lists(WHOLE if whole else DECIMAL, min_size=3, max_size=3))
        found.append(np.array(values, dtype="int64" if whole else "float64"))
    alone = draw(st.sampled_from([None, 0, 1]))
    if alone is not None:
        found[alone] = draw(st.one_of(st.integers(-(2**70), 2**70), st.fractions(max_denominator=50)))
    return found


def _elements(operand: object) -> list[Fraction]:
    return [_exact(one) for one in operand.tolist()] if isinstance(operand, np.ndarray) else [Fraction(operand)] * 3


@settings(max_examples=300, derandomize=True, database=None, deadline=None)
@given(operands(), st.sampled_from(list(OPERATORS)), st.sampled_from(["<", "<=", "==", "!=", ">", ">="]))
def test_arithmetic_is_that_of_fractions(pair, op, comparison):
    a, b = map(number, pair)
    found = OPERATORS[op](a, b)
    assert isinstance(found, Numbers)
    truths = compared(comparison, a, b)
    assert isinstance(truths, Truths)
    over, under = (np.broadcast_to(part, 3).tolist() for part in found.quotient)
    known = np.broadcast_to(found.known, 3)
    for i, (x, y) in enumerate(zip(*map(_elements, pair), strict=True)):
        if op in ("/", "//", "%") and y == 0:
            assert not known[i]
        else:
            assert known[i]
            assert under[i] > 0
            assert Fraction(over[i], under[i]) == OPERATORS[op](x, y)
        wanted = {"<": x < y, "<=": x <= y, "==": x == y, "!=": x != y, ">": x > y, ">=": x >= y}[comparison]
        assert truths.definite[i] == wanted


def test_a_float_is_the_number_that_is_written():
    tenths = number(np.array([0.1, 0.2, 0.30000000000000004]))
    assert compared("==", tenths, Fraction(1, 10)).holds.tolist() == [True, False, False]
    assert compared("<=", tenths, Fraction(3, 10)).holds.tolist() == [True, True, False]
    assert compared("<", Fraction(1, 10), tenths).holds.tolist() == [False, True, True]
    assert compared("<", tenths, 10**400).holds.all()
    columns = np.array([[0.1, 0.5], [0.3, 0.7]], order="F")
    assert compared("<", number(columns) * 10, 4).holds.tolist() == [[True, False], [True, False]]
    some = compared("<", number(np.array([1, None, 0.5, 2**70], dtype=object)), 3)
    assert (some.holds & some.known).tolist() == [True, False, True, False]
    unknown = number(np.array([1.0, np.nan, np.inf]))
    assert compared(">=", unknown, 0).definite.tolist() == [True, False, False]


def test_ints_need_no_numpy():
    run = "import sys; from archcalc.cli import main; main(['compare', 'lenet5', '--where', 'macs / params > 3.5']); "
    run += "sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", run], capture_output=True, check=False).returncode == 0
