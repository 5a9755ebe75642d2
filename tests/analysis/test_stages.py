"""Stages: runs of layers on maps of one size along the trunk, wherever skips cross; sizes by hand."""

from __future__ import annotations

from time import process_time

import pytest

from archcalc.analysis.stages import stages as stages_of
from archcalc.layers.convolution import Conv
from archcalc.layers.join import Add
from archcalc.network import Network
from archcalc.sizes import Shape
from archcalc.spec import load
from tests.nets import CLIP, FPN, SSD, UNET, UNET_WITH_LATERALS, network

CONV = "conv: {out: 4, kernel: 3, pad: 1}"
HALF = "conv: {out: 4, kernel: 3, stride: 2, pad: 1}"


def stages(text: str) -> list[str]:
    return [row.name for row in network(text).analyze().fold(by="stage")]


def squares(*sides: int) -> list[str]:
    return [f"{side}x{side}" for side in sides]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # Ronneberger et al. 2015, Figure 1, with padded convolutions: down and up again, a copy across at every size.
        (UNET, squares(32, 16, 8, 16, 32)),
        (UNET_WITH_LATERALS, squares(32, 16, 8, 16, 32)),
        # Lin et al., Feature pyramid networks, 2017, Figure 3: bottom-up, top-down, and an output of every level.
        (FPN, [*squares(32, 16, 8, 4, 8, 16), "heads"]),
        # Liu et al., SSD, 2016, Figure 2: the heads of all maps are one list of boxes.
        (SSD, [*squares(32, 16, 8, 4), "heads"]),
        (CLIP, ["8x32x32", "4x16x16", "2x8x8", "vector"]),
    ],
    ids=["unet", "laterals", "fpn", "ssd", "clip"],
)
def test_the_stages_of_encoders_decoders_and_detectors(text, expected):
    assert stages(text) == expected


SHAPES = {
    # Zhao et al., PSPNet, 2017: maps pooled to 1, 2 and 4 positions and enlarged again lie beside each other.
    "a pyramid of poolings": (
        f"""
  - {CONV}
  - concat:
      same: []
      one: [global_avg_pool, conv: {{out: 2, kernel: 1}}, upsample: {{size: [16, 16]}}]
      two: [adaptive_avg_pool: {{out: 2}}, conv: {{out: 2, kernel: 1}}, upsample: {{size: [16, 16]}}]
      four: [adaptive_avg_pool: {{out: 4}}, conv: {{out: 2, kernel: 1}}, upsample: {{size: [16, 16]}}]
  - {CONV}
""",
        ["16x16"],
    ),
    # Szegedy et al. 2016, Figure 10: convolutions and a pooling halve the map side by side.
    "branches that halve the map": (
        f"""
  - {CONV}
  - concat:
      a: [{{{HALF}}}]
      b: [{{{CONV}}}, {{{CONV}}}, {{{HALF}}}]
      c: [max_pool: {{kernel: 3, stride: 2, pad: 1}}]
  - {CONV}
""",
        ["16x16", "8x8"],
    ),
    # Zoph et al., NASNet, 2018: a cell takes the outputs of the two cells before it.
    "cells that take the two before": (
        f"""
  - {CONV}
    name: h0
  - add: {{a: [{{{CONV}}}], b: [{{{CONV}}}, {{{CONV}}}]}}
    name: h1
  - {HALF}
    name: low0
    from: h0
  - {CONV}
    name: c1
    from: h1
  - {HALF}
    name: c2
  - add:
    from: [low0, c2]
    name: h2
  - {HALF}
    name: low1
    from: h1
  - {CONV}
    name: c3
    from: h2
  - add:
    from: [low1, c3]
    name: h3
""",
        ["16x16", "8x8"],
    ),
    # Zhou et al., UNet++, 2018, Figure 1a: nodes between encoder and decoder.
    "a nested U-Net": (
        f"""
  - {CONV}
    name: x00
  - {HALF}
    name: x10
  - {HALF}
    name: x20
  - upsample: {{scale: 2}}
    from: x10
    name: up10
  - add:
    from: [x00, up10]
  - {CONV}
    name: x01
  - upsample: {{scale: 2}}
    from: x20
    name: up20
  - add:
    from: [x10, up20]
  - {CONV}
    name: x11
  - upsample: {{scale: 2}}
    name: up11
  - add:
    from: [x00, x01, up11]
  - {CONV}
    name: x02
""",
        ["16x16", "8x8", "4x4", "8x8", "16x16"],
    ),
    # Xie and Tu, Holistically-nested edge detection, 2015: every size has an output, all enlarged and weighed together.
    "side outputs of every size": (
        f"""
  - {CONV}
    name: s1
  - {HALF}
    name: s2
  - {HALF}
    name: s3
  - conv: {{out: 1, kernel: 1}}
    from: s2
  - upsample: {{scale: 2}}
    name: e2
  - conv: {{out: 1, kernel: 1}}
    from: s3
  - upsample: {{scale: 4}}
    name: e3
  - concat:
    from: [e2, e3]
  - conv: {{out: 1, kernel: 1}}
""",
        ["16x16", "8x8", "4x4", "heads", "16x16"],
    ),
    "two outputs of one size": (
        f"  - {CONV}\n    name: c\n  - conv: {{out: 2, kernel: 1}}\n  - conv: {{out: 8, kernel: 1}}\n    from: c\n",
        ["16x16", "heads"],
    ),
    # Lin et al., Focal loss, 2017, Figure 3: classes and boxes of every map, here as outputs apart.
    "classes and boxes of every size": (
        f"""
  - {CONV}
    name: s1
  - {HALF}
    name: s2
  - conv: {{out: 3, kernel: 3, pad: 1}}
    from: s1
  - conv: {{out: 4, kernel: 3, pad: 1}}
    from: s1
  - conv: {{out: 3, kernel: 3, pad: 1}}
    from: s2
  - conv: {{out: 4, kernel: 3, pad: 1}}
    from: s2
""",
        ["16x16", "8x8", "heads"],
    ),
    "features of every size for a classifier": (
        f"""
  - {CONV}
    name: s1
  - global_avg_pool
  - flatten:
    name: f1
  - {HALF}
    name: s2
    from: s1
  - {HALF}
  - global_avg_pool
  - flatten:
    name: f2
  - concat:
    from: [f1, f2]
  - linear: {{out: 3}}
""",
        ["16x16", "8x8", "4x4", "1x1", "vector"],
    ),
    "an image of half the size beside the network": (
        f"""
  - {CONV}
  - {HALF}
  - {HALF}
    name: low
  - avg_pool: {{kernel: 4, stride: 4}}
    from: input
    name: small
  - concat:
    from: [low, small]
  - {CONV}
""",
        ["16x16", "8x8", "4x4"],
    ),
    # Oktay et al., Attention U-Net, 2018: what is copied across is weighed by a map from below.
    "a copy that is weighed by a map": (
        f"""
  - {CONV}
    name: d1
  - {HALF}
  - {CONV}
    name: d2
  - conv_transpose: {{out: 4, kernel: 2, stride: 2}}
    name: up
  - conv: {{out: 4, kernel: 1}}
    name: weigh
  - sigmoid:
    name: weight
  - multiply:
    from: [d1, weight]
    name: copied
  - concat:
    from: [copied, up]
  - {CONV}
""",
        ["16x16", "8x8", "16x16"],
    ),
}


@pytest.mark.parametrize("named", SHAPES)
def test_what_crosses_and_what_lies_beside(named):
    layers, expected = SHAPES[named]
    assert stages(f"input: [3, 16, 16]\nlayers:\n{layers}") == expected


def test_every_layer_is_in_a_stage_and_the_trunk_lies_beside_no_branch():
    analysis = network(UNET).analyze()
    found = analysis.stages
    assert set(found.of) == {node.index for node in analysis.network.nodes}
    assert found.trunk == found.nodes == [node for node in analysis.network.nodes if node.index in found.of]
    inception = load("googlenet").analyze().stages
    names = [node.name for node in inception.trunk]
    assert "inception_3a.concat" in names
    assert not [name for name in names if name.startswith("inception_3a.b")]


def test_the_shape_of_a_stage_is_that_of_its_last_layer_on_the_trunk_and_heads_have_none():
    rows = network(FPN).analyze().fold(by="stage")
    assert [None if row.shape is None else row.shape.channels for row in rows] == [3, 4, 8, 8, 8, 8, None]
    assert rows[-1].param_count == 2 * (8 * 8 * 9 + 8)  # 3x3 on the levels of 4 and 8; that of 16 ends the trunk


def test_the_stages_of_deep_and_dense_networks_take_little_time():
    """50,000 layers in a row, and 700 that each take all before."""
    deep, dense = Network("deep", Shape(4, (8, 8))), Network("dense", Shape(1, (8, 8)))
    for at in range(50_000):
        deep.add("", Conv(out=4, kernel=3, pad=1, stride=2 if at == 25_000 else 1))
    for at in range(700):
        dense.add("", Add(), inputs=tuple(range(at + 1)) if at else (0, 0))
    started = process_time()
    assert list(stages_of(deep).names) == squares(8, 4)
    assert list(stages_of(dense).names) == squares(8)
    assert process_time() - started < 10


def test_of_heads_beside_each_other_none_belongs_to_the_trunk():
    text = f"input: [3, 16, 16]\nlayers:\n{SHAPES['classes and boxes of every size'][0]}"
    rows = {row.name: row for row in network(text).analyze().fold(by="stage")}
    assert {name: row.layers for name, row in rows.items()} == {"16x16": 1, "8x8": 1, "heads": 4}
