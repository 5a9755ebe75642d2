"""Help at a word: its meaning, and the numbers of its line, worked out by hand here. | stands in the word."""

from __future__ import annotations

import pytest

from tests.live.asking import TINY, at, told
from tests.live.zoo import without_help


def lines(text):
    return told("hover", **at(text))["lines"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            TINY.replace("- conv: {out: out", "- co|nv: {out: out"),
            [
                "unit1.c1: 3x8x8 -> 4x8x8",
                "height: floor((8 + 1 + 1 - 3) / 1) + 1 = 8",
                "width: floor((8 + 1 + 1 - 3) / 1) + 1 = 8",
                "weights: 3*3*3*4 = 108; biases: 4",
                "MACs: 4*8*8*3*3*3 = 6,912",
                "memory: 256 values * 4 = 1.0 KB (1.0 KiB)",
                "field: 3 pixels",
                "sum.main.unit1.c1: 8x8x8, 296 parameters",
            ],
        ),
        (TINY.replace("- lin|ear", "").replace("- linear", "- lin|ear"), ["weights: 512*10 = 5,120; biases: 10"]),
        (TINY.replace("- linear", "- lin|ear"), ["fc: 512 -> 10", "MACs: 10*512 = 5,120"]),
        (TINY.replace("- flatten", "- fla|tten"), ["memory: no storage of its own (in place, or a view)"]),
        (TINY.replace("- unit: {out: width}", "- un|it: {out: width}"), ["unit1: 4x8x8, 120 parameters, 2 layers"]),
        (TINY.replace("kernel: k", "ker|nel: k"), ["kernel of conv: size of the window"]),
        (TINY.replace("kernel: k", "kernel: |k"), ["k: parameter of unit, 3"]),
        (TINY.replace("{out: width}", "{out: wid|th}"), ["width = 4", "channels of the first convolution"]),
        (TINY.replace("  width: 4", "  wi|dth: 4"), ["width = 4"]),
        (TINY.replace("when: norm", "wh|en: norm"), ["when: a condition; a step not taken passes its input on"]),
        (TINY.replace("when: norm", "when: no|rm"), ["norm = true"]),
        (TINY + "outputs: s|um", ["sum: add, 8x8x8"]),
        (TINY.replace("blocks:", "blo|cks:"), ["blocks: lists of steps with parameters, used by name"]),
        (TINY.replace("- flatten", "- global_avg_pool\n  - fla|ttn"), []),
        (
            "INPUT 8x8x3 -> CON|V3-4 s2 -> FC-10",
            ["height: floor((8 + 1 + 1 - 3) / 2) + 1 = 4", "weights: 3*3*3*4 = 108; biases: 4"],
        ),
        ("INPUT 8x8x3 -> CONV3-4 s2 -> F|C-10", ["fc1: 64 -> 10", "weights: 64*10 = 640; biases: 10"]),
        (
            "input: [3, 7, 7]\nlayers:\n  - max|_pool: {kernel: 2, stride: 2, ceil_mode: true}\n",
            ["height: ceil((7 + 0 + 0 - 2) / 2) + 1 = 4"],
        ),
        (
            "input: [3, 7, 7]\nlayers:\n  - conv_|transpose: {out: 6, kernel: 3, stride: 2, pad: 1, groups: 3}\n",
            ["height: (7 - 1)*2 - 2*1 + 3 + 0 = 13", "weights: 3*3*3*2 = 54; biases: 6"],
        ),
        (
            "input: [4, 8, 8]\nlayers:\n  - co|nv: {out: 4, kernel: 3, groups: 4, bias: false}\n",
            ["weights: 3*3*1*4 = 36", "MACs: 4*6*6*3*3*1 = 1,296"],
        ),
    ],
)
def test_help(text, expected):
    found = lines(text)
    assert [line for line in expected if line not in found] == []
    assert bool(found) == bool(expected)


def test_help_on_a_text_with_mistakes_says_what_words_mean():
    found = lines("input: [3, 8, 8]\nlayers:\n  - co|nv: {out: 8, kernel: 9\n  - nothing\n")
    assert found[0].startswith("conv: Convolution.")
    assert len(found) == 1


@pytest.mark.parametrize("net", ["mvit_v2_s", "fasterrcnn_resnet50_fpn", "wav2vec2_base", "unet_3d"])
def test_every_layer_of_a_spec_has_help(net):
    """All families of the zoo: python -m tests.live.zoo."""
    assert list(without_help([net])) == []


def test_many_layers_of_a_line_are_counted():
    text = "input: [3, 8, 8]\nlayers:\n  - repeat: 20\n    layers:\n      - re|lu\n"
    assert lines(text)[-1] == "and 14 more layers of this line"
