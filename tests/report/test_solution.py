"""What ``archcalc solve`` prints: the answer, the neighbour, the margin and the reason, in words and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

SPEC = """
input: [3, 8, 8]
params: {out: 4, odd: 1}
check:
  out % 3 != 2: "no outputs of this kind"
layers:
  - conv: {out: out, kernel: 3, pad: 1, bias: false}
"""
"""A convolution with 27 weights, and 64 * 27 = 1,728 multiply-adds, for each of its outputs."""


@pytest.fixture
def spec(tmp_path: Path) -> str:
    path = tmp_path / "one.yaml"
    path.write_text(SPEC)
    return str(path)


SAID = [
    (
        "--maximize out --over 1:50",
        "params <= 1K",
        "out = 37 is the largest that fits. The next, 39, does not: params is 1,053, 53 (5.3 %) above 1K\n"
        "values of out: 1:50. All 8 values above the answer that the network accepts were computed: none fits\n"
        "5 values refused by the network: one.yaml:5: no outputs of this kind (at check.out % 3 != 2)\n",
        0,
    ),
    (
        "--maximize input --over 3x4x4,3x8x2,3x8x8",
        "macs < 3K",
        "input = 3x8x2 is the largest that fits. The next, 3x8x8, does not: macs is 6,912, 3,912 (130 %) above 3K\n"
        "values of input: 3x4x4,3x8x2,3x8x8. The one value above the answer that the network accepts was computed: it does "
        "not fit\n",
        0,
    ),
    (
        "--minimize out --over 1:50",
        "1K <= params",
        "out = 39 is the smallest that fits. The next, 37, does not: params is 999, 1 (0.1 %) below 1K\n"
        "values of out: 1:50. All 25 values below the answer that the network accepts were computed: none fits\n"
        "13 values refused by the network: one.yaml:5: no outputs of this kind (at check.out % 3 != 2)\n",
        0,
    ),
    (
        "--maximize batch",
        "macs < 69120",
        "batch = 9 is the largest that fits. The next, 10, does not: macs is 69,120, expected < 69120\n"
        "values of batch: 1 to 1,048,576, whole numbers. Figures of this condition are proved to grow with the batch: 20 "
        "values computed\n",
        0,
    ),
    (
        "--maximize out --over 1:5",
        "params < 20 and macs < 5M",
        "nothing fits. out = 1 comes nearest: params is 27, 7 (35 %) above 20\n"
        "values of out: 1:5. 3 values computed, and none fits\n"
        "2 values refused by the network: one.yaml:5: no outputs of this kind (at check.out % 3 != 2)\n",
        1,
    ),
    (
        "--maximize out --over 1:4",
        "params < 5K",
        "out = 4 fits, and no larger value was tried: it is at the end of the values\nvalues of out: 1:4\n",
        0,
    ),
    (
        "--maximize out --over 2,5",
        "params < 5K",
        "nothing fits: the network refuses all values of out\nvalues of out: 2,5\n"
        "2 values refused by the network: one.yaml:5: no outputs of this kind (at check.out % 3 != 2)\n",
        1,
    ),
    (
        "--maximize out --over 1,3",
        "field < 3",
        "nothing fits. out = 3 comes nearest: field is 3, expected < 3\nvalues of out: 1,3. 2 values computed, and none fits\n",
        1,
    ),
    (
        "--maximize out --over 1,3",
        "any(layer.channels == 1)",
        "out = 1 is the largest that fits. The next, 3, does not: it does not meet any(layer.channels == 1)\n"
        "values of out: 1,3. The one value above the answer that the network accepts was computed: it does not fit\n",
        0,
    ),
]


@pytest.mark.parametrize(
    ("words", "where", "text", "status"), SAID, ids=[f"{words} {where}" for words, where, _, _ in SAID]
)
def test_the_answer_in_words(words: str, where: str, text: str, status: int, spec: str, archcalc) -> None:
    found, out, err = archcalc("solve", spec, *words.split(), "--where", where)
    assert (found, err) == (status, "")
    assert out.partition("\n\n")[2].partition("\n\n")[2].replace(spec, "one.yaml") == text


def test_the_answer_for_programs(spec: str, archcalc) -> None:
    _, out, _ = archcalc(
        "solve", spec, "--maximize", "out", "--where", "params <= 1K", "--over", "1:50", "--format", "json"
    )
    found = json.loads(out)
    assert found["rows"] == [
        {"fit": "largest that fits", "out": 37, "params": 999},
        {"fit": "does not fit", "out": 39, "params": 1053},
    ]
    assert found["totals"] == {
        "variable": "out",
        "goal": "maximize",
        "where": "params <= 1K",
        "answer": 37,
        "neighbour": 39,
        "nearest": None,
        "values": "1:50",
        "monotone": False,
        "computed": 9,
        "refused": 5,
    }


def test_a_question_without_a_condition_is_refused(spec: str, archcalc) -> None:
    said = "archcalc: solve needs a condition, such as --where 'macs <= 150M'; --where help lists the figures\n"
    assert archcalc("solve", spec, "--maximize", "out") == (2, "", said)
