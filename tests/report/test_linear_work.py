"""The work of a command grows with the number of layers, and not with its square: counted in calls, not in seconds."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from archcalc import Network, analyze
from archcalc.export.file import torch_source
from archcalc.report.diff import diff_table
from archcalc.report.memory import inference_table
from archcalc.report.receptive_field import field_tables

SMALL = 120
MOST = 2.4
"""The most that the calls may grow where the layers double: beyond 2, since a sort and a heap grow a little faster."""

SHAPES = {
    "blocks within blocks": lambda n: (
        "input: [4, 8, 8]\n"
        "blocks: {b: {params: [n], layers: [{b: {n: n - 1}, when: n > 0, name: u}, "
        "{conv: {out: 4, kernel: 3, pad: 1}, repeat: 6}]}}\n"
        f"layers: [{{b: {{n: {n // 6 - 1}}}}}]\n"
    ),
    "groups of expressions within groups": lambda n: (
        "input: [4, 8, 8]\nlayers:\n  - "
        + "{layers: [{conv: {out: 4, kernel: 1}}, " * (n // 12)
        + "{conv: {out: 4, kernel: 1}}"
        + ", {slice: {stop: 4}, repeat: 10}]}" * (n // 12)
        + "\n"
    ),
    "upsampling, convolution and pooling": lambda n: (
        "input: [2, 64, 64]\nlayers:\n  - repeat: "
        f"{n // 3}\n    layers:\n      - upsample: {{scale: 2}}\n      - conv: {{out: 2, kernel: 3, pad: 1}}\n"
        "      - max_pool: {kernel: 2, stride: 2}\n"
    ),
    "convolutions in a row": lambda n: (
        f"input: [3, 8, 8]\nlayers:\n  - conv: {{out: 4, kernel: 3, pad: 1}}\n    repeat: {n}\n"
    ),
    "sums one after another": lambda n: (
        "input: [8, 16, 16]\nlayers:\n  - repeat: "
        f"{n // 3}\n    add:\n      a:\n        - conv: {{out: 8, kernel: 3, pad: 1}}\n        - relu\n      b: []\n"
    ),
    "blocks that differ in every layer": lambda n: (
        "input: [4, 8, 8]\nblocks: {b: {params: [w], layers: [{conv: {out: w + i, kernel: 1}, repeat: "
        f"{n // 2}}}]}}}}\nlayers: [{{b: {{w: 1}}}}, {{b: {{w: 7}}}}]\n"
    ),
}

COMMANDS: dict[str, Callable[[Network], object]] = {
    "rf": lambda net: field_tables([analyze(net)]),
    "export": torch_source,
    "memory": lambda net: inference_table(analyze(net), analyze(net).memory()),
    "diff": lambda net: diff_table(analyze(net), analyze(net)),
}


def calls(run: Callable[[], object]) -> int:
    """The calls of Python and of C functions, and the turns of generators, while something runs."""
    count = 0

    def note(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        run()
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_twice_the_layers_are_twice_the_work(spec, shape, command):
    counts = []
    for layers in (SMALL, 2 * SMALL):
        net = spec(SHAPES[shape](layers))
        assert abs(len(net.nodes) - layers) < layers / 2
        counts.append(calls(lambda: COMMANDS[command](net)))  # noqa: B023
    assert counts[1] < MOST * counts[0]


def test_the_count_sees_what_grows_with_the_square():
    assert calls(lambda: [[abs(0) for _ in range(60)] for _ in range(60)]) > 3600
