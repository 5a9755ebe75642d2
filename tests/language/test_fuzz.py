"""Nothing but ArchcalcError comes out of a damaged spec, pattern or expression, soon and in a few words.

ARCHCALC_FUZZ=20000 runs that many random examples of each test instead of the few fixed ones.
"""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archcalc import analyze
from archcalc.errors import ArchcalcError
from archcalc.language.expand import expand
from archcalc.language.expression import parse
from archcalc.language.grammar import ExpressionError
from archcalc.language.pattern import load_pattern
from archcalc.language.zoo import read_text
from tests.fuzz.texts import NASTY, SCOPE, TINY, damaged_text, damaged_tree, expression, pattern

EXAMPLES = int(os.environ.get("ARCHCALC_FUZZ", 0))
SECONDS, BYTES = 5.0, 500_000_000

fuzz = settings(
    max_examples=EXAMPLES or 120,
    derandomize=not EXAMPLES,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

RANDOMS = st.randoms(use_true_random=False)


def peak_bytes() -> int:
    """The most memory that this process has held so far, whatever ran in it before."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def check(run: Callable[[], Any]) -> None:
    """Run what must succeed or raise ArchcalcError with short one-line problems, in time and space."""
    start, before = time.process_time(), peak_bytes()
    try:
        run()
    except ArchcalcError as error:
        assert error.problems  # noqa: PT017
        for problem in error.problems:
            line = str(problem)
            assert problem.text
            assert len(line) < 500, line
            assert line.isprintable(), line
    assert time.process_time() - start < SECONDS
    assert peak_bytes() - before < BYTES


def use(text: str, pick: int) -> None:
    """Read a spec, and build and analyse one of its networks."""
    family = read_text(text, "fuzz.yaml", "fuzz")
    names = list(family.networks)
    network = expand(family, names[pick % len(names)])
    analyze(network)
    if pick % 3 == 0:
        analyze(network, input=(3, 5, 70), training=True)


@fuzz
@given(RANDOMS.map(damaged_text), st.integers(0, 50))
def test_damaged_texts(text: str, pick: int) -> None:
    check(lambda: use(text, pick))


@fuzz
@given(RANDOMS.map(damaged_tree), st.integers(0, 50))
def test_damaged_trees(text: str, pick: int) -> None:
    check(lambda: use(text, pick))


@fuzz
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode), st.binary(max_size=8))
def test_random_bytes(noise: bytes, more: bytes) -> None:
    from archcalc.language.zoo import decoded

    raw = TINY.encode()
    for data in (noise, raw[:300] + more + raw[300:]):
        check(lambda data=data: use(decoded(data, "fuzz.yaml"), 0))  # type: ignore[misc]


@fuzz
@given(RANDOMS.map(pattern), st.booleans())
def test_patterns(text: str, started: bool) -> None:
    check(lambda: analyze(load_pattern(f"INPUT 32x32x3 -> {text}" if started else text)))


@fuzz
@given(
    st.lists(
        st.sampled_from(["CONV3-8", "RELU", "POOL2", "[RELU -> POOL2]*2", "[CONV3-4 -> RELU]*3", "BN", "POOL3 s2 p1?"]),
        min_size=1,
        max_size=6,
    ).map(" -> ".join)
)
def test_whole_patterns_are_read(text: str) -> None:
    try:
        network = load_pattern(f"INPUT 64x64x3 -> {text} -> FC-10")
        assert network.nodes
    except ArchcalcError as error:  # nothing but a map that has become too small
        assert "the padded input is only" in str(error)  # noqa: PT017
    else:
        assert network.nodes[-1].shape.values == 10


@fuzz
@given(RANDOMS.map(expression) | st.text(max_size=40))
def test_expressions(text: str) -> None:
    start = time.process_time()
    try:
        value = parse(text).evaluate(SCOPE)
    except ExpressionError as error:
        assert str(error)  # noqa: PT017
    else:
        assert value is None or isinstance(value, (bool, int, float, str, list))
        if isinstance(value, (int, float)):
            assert abs(value) <= 10**15
    assert time.process_time() - start < 1


@pytest.mark.parametrize("text", NASTY)
def test_every_nasty_scalar_everywhere(text: str) -> None:
    """Each in the place of a setting, a parameter, a name, a repeat, a condition and an argument."""
    for template in (
        "input: [3, 8, 8]\nlayers:\n  - conv: {{out: {0}, kernel: 1}}\n",
        "input: [{0}, 8, 8]\nparams: {{width: {0}}}\nlayers: [relu]\n",
        "input: [3, 8, 8]\nlayers:\n  - {{relu: , name: {0}, repeat: {0}, when: {0}, from: {0}}}\n",
        (
            "input: [3, 8, 8]\nblocks: {{b: {{params: [x], layers: [{{repeat: x, layers: [relu]}}]}}}}\n"
            "layers:\n  - b: {{x: {0}}}\n"
        ),
    ):
        check(lambda template=template: use(template.format(text), 0))  # type: ignore[misc]
