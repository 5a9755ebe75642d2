"""A family is expanded as often as one likes: settings and inputs leave it as it was, and problems keep their place."""

from __future__ import annotations

import time

import numpy as np
import pytest

from archcalc.analysis import analyze
from archcalc.errors import ArchcalcError
from archcalc.network import Network
from archcalc.sizes import Shape
from archcalc.spec.expand import MAX_STEPS, expand
from archcalc.spec.reader import Family
from archcalc.spec.zoo import read_text

TEXT = """\
input: [3, 16, 16]
params: {w: 4, n: 2, deep: true}
let: {wide: 2 * w}
networks: {a: {}, b: {w: 8, deep: false}}
blocks:
  unit:
    params: [out]
    layers:
      - conv: {out: out, kernel: 3, pad: 1}
      - {relu: , when: deep}
layers:
  - unit: {out: wide}
    repeat: n
  - max_pool: {kernel: 4, stride: 4}
  - flatten
  - linear: {out: w}
"""


@pytest.fixture
def family() -> Family:
    return read_text(TEXT, "spec.yaml", "spec")


def described(network: Network) -> list[str]:
    return [f"{node!r}" for node in network.nodes]


def test_expanding_leaves_the_family_as_it_was(family: Family) -> None:
    first = described(expand(family, "a"))
    expand(family, "a", {"w": 9, "deep": False}, Shape(1, (32, 32)))
    expand(family, "b")
    assert described(expand(family, "a")) == first


def test_a_network_knows_its_settings(family: Family) -> None:
    assert expand(family, "b").settings == {"w": 8, "n": 2, "deep": False}
    assert expand(family, "b").settings_changed == {}
    assert expand(family, "b", {"n": 1}).settings_changed == {"n": 1}


def test_another_input_is_computed_anew(family: Family) -> None:
    network = expand(family, "a", {"n": 1})
    other = network.at(Shape(1, (8, 12)))
    assert described(other) == described(expand(family, "a", {"n": 1}, Shape(1, (8, 12))))
    assert str(other.nodes[-2].shape) == "48"


def test_problems_at_another_input_keep_their_place(family: Family) -> None:
    network = expand(family, "a")
    with pytest.raises(ArchcalcError) as caught:
        analyze(network, input=(3, 2, 2))
    assert str(caught.value) == (
        "spec.yaml:14: the kernel spans 4 but the padded input is only 2 + 0 + 0 = 2 (at layers[1].max_pool)\n"
        "a does not take the input 3x2x2"
    )


def test_settings_may_be_arrays(family: Family) -> None:
    widths = np.array([1, 4, 10])
    found = analyze(expand(family, "a", {"w": widths})).totals.params
    assert [int(n) for n in found] == [analyze(expand(family, "a", {"w": int(w)})).totals.params for w in widths]


def test_a_network_that_is_unknown(family: Family) -> None:
    with pytest.raises(ArchcalcError, match=r"^spec.yaml: unknown network 'c'; known: a, b$"):
        expand(family, "c")


def test_a_check_that_does_not_hold_is_told_with_what_else_is_wrong() -> None:
    text = "params: {n: 3}\ncheck:\n  n % 2 == 0: n must be even\n  n < 3: n must be small\n  n: a\n"
    family = read_text(text + "input: [n // 0, 8, 8]\nlayers: [relu]\n", "spec.yaml", "spec")
    with pytest.raises(ArchcalcError) as caught:
        expand(family, "spec")
    assert [str(problem) for problem in caught.value.problems] == [
        "spec.yaml:3: n must be even (at check.n % 2 == 0)",
        "spec.yaml:4: n must be small (at check.n < 3)",
        "spec.yaml:5: a condition must be true or false, got 3 (at check.n)",
        "spec.yaml:6: input: division by zero: 3 // 0 (at input)",
    ]


def test_the_largest_network_is_built_soon() -> None:
    start = time.process_time()
    layers = f"  - repeat: {MAX_STEPS // 2 - 1}\n    layers:\n      - conv: {{out: channels, kernel: 1}}\n"
    text = f"input: [3, 8, 8]\nlayers:\n{layers}"
    network = expand(read_text(text, "spec.yaml", "spec"), "spec")
    assert len(network.nodes) == MAX_STEPS // 2
    assert time.process_time() - start < 5
