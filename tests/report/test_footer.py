"""The lines below a table of layers explain what is shown, and nothing else."""

from __future__ import annotations

import re
import shlex

import pytest

from archcalc import load
from archcalc.report.layers import layer_table

DASH = "'-': not counted under this convention"
STORAGE = "no storage of its own (in place, or a view)."
ZERO = "'0': counted, and zero."


@pytest.mark.parametrize(
    ("net", "columns", "said"),
    [
        ("vgg16", None, f"{DASH}; in the memory column: {STORAGE} {ZERO}"),
        ("vgg16", ["layer", "macs"], f"{DASH}. {ZERO}"),
        ("vgg16", ["layer", "memory"], f"'-': {STORAGE}"),
        ("vgg16", ["layer", "values", "memory"], f"'-': {STORAGE}"),
        ("vgg16", ["layer", "macs", "values", "memory"], f"{DASH}; in the values and memory column: {STORAGE} {ZERO}"),
        ("vgg16", ["layer", "params"], ZERO),
        ("vgg16", ["layer", "output", "rf"], None),
        ("INPUT 8x8x3 -> CONV3-4", ["layer", "output"], None),
    ],
)
def test_a_sign_is_explained_where_it_is_shown(net, columns, said):
    details = layer_table(load(net).analyze(), columns).details
    signs = [line for line in details if line.startswith("'")]
    assert signs == ([] if said is None else [said])


@pytest.mark.parametrize(
    ("net", "settings", "batch", "printed"),
    [
        ("vgg16", {}, 1, True),
        ("vgg16", {"classes": 10}, 1, False),
        ("vgg16", {}, 2, False),
        ("vgg19", {}, 1, False),
        ("resnet18", {}, 1, False),
    ],
)
def test_the_course_is_named_for_the_network_that_it_prints(net, settings, batch, printed, archcalc):
    footer = layer_table(load(net, **settings).analyze(batch=batch)).footer
    line = (
        "feature maps plus a second copy of every convolution's input: 24,319,464 values, 97.3 MB (92.8 MiB). "
        "This may be how CS231n's 24M came about; see docs/counting.md."
    )
    assert (line in footer) is printed
    assert any("second copy" in line for line in footer) is printed


DETAILS = [
    ("lenet5", {}, {}, "lenet5"),
    ("vgg11", {"classes": 10}, {}, "vgg11@classes=10"),
    ("resnet18", {"input": (3, 64, 64)}, {"batch": 2}, "resnet18 --input 3x64x64 --batch 2"),
    ("googlenet", {}, {"dtype": "float16", "training": True}, "googlenet --dtype float16"),
    ("densenet121", {"depths": [1, 1, 1, 1]}, {}, "'densenet121@depths=[1,1,1,1]'"),
    ("INPUT 8x8x3 -> CONV3-4", {}, {"batch": 4}, "NET --batch 4"),
]


@pytest.mark.parametrize(("net", "settings", "run", "words"), DETAILS)
def test_the_command_for_details_prints_the_same_peak(net, settings, run, words, archcalc):
    footer = layer_table(load(net, **settings).analyze(**run)).footer
    (line,) = [line for line in footer if line.startswith("peak memory")]
    assert line.endswith(f"Details: archcalc memory {words}")
    peak = re.search(r"input: (.*), reached at (\S+)\.", line)
    details = archcalc("memory", *shlex.split(words.replace("NET", f"'{net}'")))[1]
    assert re.search(rf"inference peak: [0-9,]+ bytes, {re.escape(peak[1])}, at {re.escape(peak[2])} ", details)
