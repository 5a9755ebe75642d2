"""The course's own lines, to the digit."""

from __future__ import annotations

import pytest

from archcalc import ArchcalcError, load
from archcalc.report import render

# CS231n, Convolutional Networks, "VGGNet in detail" (cs231n.github.io, convolutional-networks.md at 3d84654b),
# as printed there but for the number of spaces, and without its total of the memory: see docs/counting.md.
COURSE = """
INPUT: [224x224x3] memory: 224*224*3=150K weights: 0
CONV3-64: [224x224x64] memory: 224*224*64=3.2M weights: (3*3*3)*64 = 1,728
CONV3-64: [224x224x64] memory: 224*224*64=3.2M weights: (3*3*64)*64 = 36,864
POOL2: [112x112x64] memory: 112*112*64=800K weights: 0
CONV3-128: [112x112x128] memory: 112*112*128=1.6M weights: (3*3*64)*128 = 73,728
CONV3-128: [112x112x128] memory: 112*112*128=1.6M weights: (3*3*128)*128 = 147,456
POOL2: [56x56x128] memory: 56*56*128=400K weights: 0
CONV3-256: [56x56x256] memory: 56*56*256=800K weights: (3*3*128)*256 = 294,912
CONV3-256: [56x56x256] memory: 56*56*256=800K weights: (3*3*256)*256 = 589,824
CONV3-256: [56x56x256] memory: 56*56*256=800K weights: (3*3*256)*256 = 589,824
POOL2: [28x28x256] memory: 28*28*256=200K weights: 0
CONV3-512: [28x28x512] memory: 28*28*512=400K weights: (3*3*256)*512 = 1,179,648
CONV3-512: [28x28x512] memory: 28*28*512=400K weights: (3*3*512)*512 = 2,359,296
CONV3-512: [28x28x512] memory: 28*28*512=400K weights: (3*3*512)*512 = 2,359,296
POOL2: [14x14x512] memory: 14*14*512=100K weights: 0
CONV3-512: [14x14x512] memory: 14*14*512=100K weights: (3*3*512)*512 = 2,359,296
CONV3-512: [14x14x512] memory: 14*14*512=100K weights: (3*3*512)*512 = 2,359,296
CONV3-512: [14x14x512] memory: 14*14*512=100K weights: (3*3*512)*512 = 2,359,296
POOL2: [7x7x512] memory: 7*7*512=25K weights: 0
FC: [1x1x4096] memory: 4096 weights: 7*7*512*4096 = 102,760,448
FC: [1x1x4096] memory: 4096 weights: 4096*4096 = 16,777,216
FC: [1x1x1000] memory: 1000 weights: 4096*1000 = 4,096,000
""".strip().splitlines()


def volumes(out: str) -> list[str]:
    return [" ".join(line.split()) for line in out.splitlines() if ": [" in line and not line.startswith("#")]


def test_every_line_of_the_course_for_vgg16():
    out = render(load("vgg16").analyze(convention="cs231n"), "notes")
    assert volumes(out) == COURSE


def test_both_totals_under_their_own_names():
    # 15,237,608 is the sum of the volumes printed above; 9,081,856 is that of the 13 convolutions' inputs.
    rows = [line.split(": [")[1].split("]")[0].split("x") for line in COURSE]
    values = [int(h) * int(w) * int(c) for h, w, c in rows]
    conv_inputs = sum(before for before, line in zip(values, COURSE[1:], strict=False) if line.startswith("CONV"))
    assert (sum(values), conv_inputs) == (15_237_608, 9_081_856)
    out = render(load("vgg16").analyze(convention="cs231n"), "notes")
    assert "TOTAL memory: 15,237,608 * 4 bytes = 61.0MB / image" in out
    assert "24,319,464 * 4 bytes = 97.3MB / image" in out
    assert "TOTAL params: 138,344,128 parameters" in out
    assert "is a conjecture" in out


def test_other_kernels_groups_and_shared_weights(tmp_path):
    spec = tmp_path / "odd.yaml"
    spec.write_text(
        "input: [4, 8, 8]\nlayers:\n  - conv: {out: 8, kernel: [1, 7], pad: same, groups: 2}\n    name: a\n"
        "  - conv: {out: 8, kernel: [1, 7], pad: same, groups: 4, bias: false}\n  - batch_norm\n"
        "  - conv: {out: 8, kernel: [1, 7], pad: same, groups: 4, bias: false}\n    name: b\n"
        "  - conv: {out: 8, kernel: [1, 7], pad: same, groups: 4, bias: false}\n    weights: b\n"
        "  - avg_pool: {kernel: 2, stride: 2}\n  - flatten\n  - dropout\n  - linear: {out: 3}\n"
    )
    lines = volumes(render(load(str(spec)).analyze(convention="cs231n"), "notes"))
    assert lines[1:] == [
        "CONV1x7-8: [8x8x8] memory: 8*8*8=512 weights: (1*7*2)*8 = 112",
        "CONV1x7-8: [8x8x8] memory: 8*8*8=512 weights: (1*7*2)*8 = 112",
        "BATCH_NORM: [8x8x8] memory: 8*8*8=512 weights: 8",
        "CONV1x7-8: [8x8x8] memory: 8*8*8=512 weights: (1*7*2)*8 = 112",
        "CONV1x7-8: [8x8x8] memory: 8*8*8=512 weights: those of b",
        "POOL2: [4x4x8] memory: 4*4*8=128 weights: 0",
        "FC: [1x1x3] memory: 3 weights: 4*4*8*3 = 384",
    ]


def test_the_notes_are_per_image_and_have_their_own_lines():
    with pytest.raises(ArchcalcError, match="per image; it needs batch 1, got 2"):
        render(load("vgg16").analyze(batch=2), "notes")
    with pytest.raises(ArchcalcError, match="takes no columns, depth or by"):
        render(load("vgg16").analyze(), "notes", depth=1)
