"""Lanes: the numbers of many networks in the place of one. Every lane has what it would have alone."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import archcalc
from archcalc import Analysis
from archcalc.analysis.elements import in_lanes
from archcalc.conditions.condition import tree_of
from archcalc.conditions.elementwise import plain
from archcalc.conditions.reader import Reader
from archcalc.errors import DiffersError
from archcalc.lanes import Lanes
from archcalc.sizes import Shape, greater, lesser

OPERATIONS = [
    operator.add,
    operator.sub,
    operator.mul,
    operator.floordiv,
    operator.mod,
    operator.truediv,
    greater,
    lesser,
]
INTS = st.one_of(
    st.integers(-50, 50), st.integers(-(2**31), 2**31), st.sampled_from([2**53, 2**53 + 1, 2**62, -(2**63), 2**63 - 1])
)
FLOATS = st.floats(-1e18, 1e18, allow_nan=False)


def lanes(values: Any) -> Lanes:
    return np.array(values).view(Lanes)


@pytest.mark.parametrize("run", OPERATIONS)
@given(a=st.lists(INTS, min_size=2, max_size=3), b=st.one_of(INTS, FLOATS, st.lists(INTS, min_size=3, max_size=3)))
def test_arithmetic_is_that_of_pythons_numbers(run: Callable[[Any, Any], Any], a: list[int], b: Any):
    each = b[: len(a)] if isinstance(b, list) else [b] * len(a)
    for left, right, pairs in (
        (lanes(a), lanes(each) if isinstance(b, list) else b, list(zip(a, each, strict=True))),
        (lanes(each) if isinstance(b, list) else b, lanes(a), list(zip(each, a, strict=True))),
    ):
        try:
            expected = [run(*pair) for pair in pairs]
        except ZeroDivisionError:
            with pytest.raises(ZeroDivisionError):
                run(left, right)
        else:
            assert run(left, right).tolist() == expected


def test_results_beyond_int64_are_exact_again_and_again():
    large = lanes([3, 5]) * 2**61 * 7
    assert ((large * large + 1) % 1000).tolist() == [(n * 2**61 * 7) ** 2 % 1000 + 1 for n in (3, 5)]


def test_where_all_lanes_agree_code_decides_as_for_one_number():
    a, b = lanes([3, 4]), lanes([5, 6])
    assert a < b
    assert not bool(a == b)
    assert max(a, b) is b
    assert (a, 2) != (b, 2)
    assert a in [b, lanes([3, 4])]
    assert "x" * lanes([2, 2]) == "xx"
    assert (int(lanes([7, 7])), float(lanes([0.5, 0.5])), bool(lanes([0, 0]))) == (7, 0.5, False)


@pytest.mark.parametrize(
    ("decide", "as_the_first"),
    [
        (lambda a: bool(a > 3), [True, True, False]),
        (lambda a: max(a, 3), [True, False, False]),  # asks whether 3 > a
        (lambda a: (a, 1) == (2, 1), [True, False, False]),
        (lambda a: range(a), [True, False, False]),
        (lambda a: int(a), [True, False, False]),
    ],
)
def test_where_they_do_not_the_error_says_which_agree_with_the_first(decide: Any, as_the_first: list[bool]):
    with pytest.raises(DiffersError) as error:
        decide(lanes([2, 3, 4]))
    assert error.value.holds.tolist() == as_the_first


def test_lanes_are_no_key_even_if_they_agree():
    """Whatever a cache holds for a key would be found by networks with other lanes."""
    for values in ([2, 3], [2, 2]):
        with pytest.raises(TypeError):
            hash(lanes(values))
        with pytest.raises(DiffersError) as error:
            {lanes(values): 1}
        assert sorted(error.value.holds.tolist()) == [False, True]


def test_lanes_are_not_changed_in_place():
    a = b = lanes([1, 2])
    a += 5
    a *= 2
    assert (a.tolist(), b.tolist()) == ([12, 14], [1, 2])


VARIED: dict[str, tuple[str, dict[str, Any]]] = {
    "sizes of a map": ("unet", {"input": range(188, 300, 16)}),
    "depths": ("resnet50", {"depths": [[3, depth, 6, 3] for depth in range(1, 7)]}),
    "widths": ("mobilenet_v2", {"width": [percent / 100 for percent in range(30, 100, 12)]}),
    "side heads": ("inception_v3", {"input": range(299, 450, 25)}),
    "rounding up": ("squeezenet1_0", {"input": range(64, 90, 5)}),
    "windows": ("swin_v2_t", {"input": [256]}),
}
FIGURES = ("peak", "run_memory()", "train_memory(adam, amp)", "time('t4', amp, training)")
BATCHES = (1, 9)


def at(net: archcalc.Network, varied: dict[str, Any], batch: Any) -> Analysis:
    """The analysis where the size of the input or settings are these."""
    settings = net.settings | {name: value for name, value in varied.items() if name != "input"}
    axes = (varied["input"],) * 2 if "input" in varied else net.input.axes
    return archcalc.analyze(net.at(Shape(net.input.channels, axes), settings), batch=batch)


def figure_of(text: str) -> Callable[[Analysis], Any]:
    """The figure that an expression names."""
    value = Reader().read(tree_of(text)).value
    return lambda analysis: plain(value(analysis))


def array(values: Any) -> Any:
    """Values as an array, or lists of values as a list of arrays."""
    return [array(column) for column in zip(*values, strict=True)] if isinstance(values[0], list) else np.array(values)


@pytest.mark.parametrize("name", VARIED)
def test_figures_of_runs_are_those_of_every_element_alone(name: str):
    spec, varied = VARIED[name]
    net, ((axis, values),) = archcalc.load(spec), varied.items()
    analysis = at(net, {axis: array(list(values))}, np.array(BATCHES)[:, None])
    alone = [[at(net, {axis: one}, batch) for one in values] for batch in BATCHES]
    for figure in FIGURES:
        value = figure_of(figure)
        assert value(analysis).tolist() == [list(map(value, row)) for row in alone], figure


def test_many_elements_take_few_runs():
    """All sizes from 573 on have the same operators, for one image and for several: 2 runs, and one to learn that they differ."""
    net, runs = archcalc.load("unet"), []

    def peak(analysis: Analysis) -> Any:
        runs.append(analysis)
        return analysis.memory().training.peak(analysis.batch)

    analysis = at(net, {"input": np.arange(572, 1572, 16)}, np.array([[1], [2], [9], [64]]))
    assert in_lanes(peak)(analysis).shape == (4, 63)
    assert len(runs) <= 3


def test_a_network_of_lanes_needs_all_layers_in_all_lanes():
    net = archcalc.load("resnet50")
    depths = [3, np.arange(4, 9).view(Lanes), 6, 3]
    with pytest.raises(DiffersError):
        net.at(net.inputs, net.settings | {"depths": depths}).need_single("memory")
    with pytest.raises(archcalc.ArchcalcError, match="memory needs single sizes, not arrays"):
        net.at(Shape(3, (np.arange(64, 70), 64))).need_single("memory")
