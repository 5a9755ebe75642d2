"""Stages: runs of layers on maps of one size along the trunk, wherever skips cross; sizes by hand."""

from __future__ import annotations

from time import process_time

import pytest

from archcalc import Network, load
from archcalc.analysis.stages import stages as stages_of
from archcalc.layers.convolution import Conv
from archcalc.layers.join import Add
from archcalc.sizes import Shape
from tests.nets import CLIP, FPN, SIAMESE, SSD, UNET, UNET_WITH_LATERALS, network

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
        (SIAMESE, [*squares(16, 8, 1), "vector"]),
    ],
    ids=["unet", "laterals", "fpn", "ssd", "clip", "siamese"],
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


def test_a_tower_from_another_input_lies_in_the_stages_of_its_map_sizes():
    rows = network(SIAMESE).analyze().fold(by="stage")
    assert [(row.name, row.layers) for row in rows] == [("16x16", 4), ("8x8", 5), ("1x1", 1), ("vector", 2)]


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
    assert rows[-1].param_count == 3 * (8 * 8 * 9 + 8)  # 3x3 on the levels of 4, 8 and 16


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


def retina(shared: bool) -> str:
    """Lin et al., Focal loss, 2017, Figure 3: five maps, each with a head for the classes and a head for the boxes."""
    text = f"""
title: Small RetinaNet
input: [3, 64, 64]
layers:
  - {HALF}
  - {HALF}
    name: c3
  - {HALF}
    name: c4
  - {HALF}
  - {{conv: {{out: 4, kernel: 1}}, name: m5}}
  - {{upsample: {{scale: 2}}, name: up5}}
  - {{conv: {{out: 4, kernel: 1}}, name: side4, from: c4}}
  - {{add: , name: m4, from: [side4, up5]}}
  - {{upsample: {{scale: 2}}, name: up4}}
  - {{conv: {{out: 4, kernel: 1}}, name: side3, from: c3}}
  - {{add: , name: m3, from: [side3, up4]}}
  - {{{CONV}, name: p3}}
  - {{{CONV}, name: p4, from: m4}}
  - {{{CONV}, name: p5, from: m5}}
  - {{{HALF}, name: p6}}
  - relu
  - {{{HALF}, name: p7}}
"""
    for level in range(3, 8):
        for head, out in (("classes", 9), ("boxes", 4)):
            for at, layer in enumerate((CONV, CONV, f"conv: {{out: {out}, kernel: 3, pad: 1}}")):
                source = f"{head}{level}_{at - 1}" if at else f"p{level}"
                weights = f", weights: {head}3_{at}" if shared and level > 3 else ""
                text += f"  - {{{layer}, name: {head}{level}_{at}, from: {source}{weights}}}\n"
    return text


SSD300 = """
title: SSD300, every head an output
input: [3, 300, 300]
blocks:
  conv_relu:
    params: {out: , kernel: 3, stride: 1, pad: 1, dilation: 1}
    layers:
      - conv: {out: out, kernel: kernel, stride: stride, pad: pad, dilation: dilation}
      - relu
layers:
  - {conv_relu: {out: 64}, repeat: 2}
  - max_pool: {kernel: 2, stride: 2}
  - {conv_relu: {out: 128}, repeat: 2}
  - max_pool: {kernel: 2, stride: 2}
  - {conv_relu: {out: 256}, repeat: 3}
  - max_pool: {kernel: 2, stride: 2, ceil_mode: true}
  - {conv_relu: {out: 512}, repeat: 2}
  - {conv_relu: {out: 512}, name: m38}
  - max_pool: {kernel: 2, stride: 2}
  - {conv_relu: {out: 512}, repeat: 3}
  - max_pool: {kernel: 3, stride: 1, pad: 1}
  - conv_relu: {out: 1024, pad: 6, dilation: 6}
  - {conv_relu: {out: 1024, kernel: 1, pad: 0}, name: m19}
  - conv_relu: {out: 256, kernel: 1, pad: 0}
  - {conv_relu: {out: 512, stride: 2}, name: m10}
  - conv_relu: {out: 128, kernel: 1, pad: 0}
  - {conv_relu: {out: 256, stride: 2}, name: m5}
  - conv_relu: {out: 128, kernel: 1, pad: 0}
  - {conv_relu: {out: 256, pad: 0}, name: m3}
  - conv_relu: {out: 128, kernel: 1, pad: 0}
  - {conv_relu: {out: 256, pad: 0}, name: m1}
""" + "".join(
    f"  - {{conv: {{out: {boxes * out}, kernel: 3, pad: 1}}, from: m{side}}}\n"
    for side, boxes in ((38, 4), (19, 6), (10, 6), (5, 6), (3, 4), (1, 4))
    for out in (21, 4)
)

YOLO = f"""
title: Three maps as in YOLOv3
input: [3, 64, 64]
layers:
  - {HALF}
  - {{{HALF}, name: r1}}
  - {{{HALF}, name: r2}}
  - {HALF}
  - {{{CONV}, name: m3}}
  - {CONV}
  - conv: {{out: 9, kernel: 1}}
  - {{conv: {{out: 4, kernel: 1}}, from: m3}}
  - {{upsample: {{scale: 2}}, name: up3}}
  - {{concat: , from: [up3, r2]}}
  - {{{CONV}, name: m2}}
  - {CONV}
  - conv: {{out: 9, kernel: 1}}
  - {{conv: {{out: 4, kernel: 1}}, from: m2}}
  - {{upsample: {{scale: 2}}, name: up2}}
  - {{concat: , from: [up2, r1]}}
  - {CONV}
  - {CONV}
  - conv: {{out: 9, kernel: 1}}
"""

TWO_LISTS = (
    SSD[: SSD.index("  - conv: {out: 6")]
    + "".join(
        f"  - {{conv: {{out: 6, kernel: 3, pad: 1}}, from: c{at}}}\n  - {{flatten: , name: {name}{at}}}\n"
        for name in ("boxes", "classes")
        for at in (2, 3, 4)
    )
    + """
  - {concat: , from: [boxes2, boxes3, boxes4]}
  - {concat: , from: [classes2, classes3, classes4]}
  - softmax
"""
)

SMALL = "title: Small\ninput: [3, 16, 16]\nlayers:\n"
FEATURE = f"{SMALL}  - {CONV}\n  - {HALF}\n  - {{global_avg_pool: , name: pooled}}\n"
ENCODER = f"{SMALL}  - {CONV}\n  - {HALF}\n  - {{{HALF}, name: low}}\n"

PYRAMID = "64x64 0, 32x32 1, 16x16 1, 8x8 1, 4x4 2, 8x8 3, 16x16 3"

HEADS = {
    # Liu et al., SSD, 2016, Figure 2. VGG-16 with a ReLU behind each convolution: 2 * 2 layers at 300, then a pooling and
    # 2 * 2, 2 * 3, 2 * 3. At 19 two poolings and 3 + 2 + 1 convolutions; conv6_2 halves the map, conv7_1 follows, and so on.
    "SSD300, every head an output": (
        SSD300,
        "300x300 4, 150x150 5, 75x75 7, 38x38 7, 19x19 14, 10x10 4, 5x5 4, 3x3 4, 1x1 2, heads 12",
    ),
    "boxes in one list, classes in another": (
        TWO_LISTS,
        "32x32 1, 16x16 1, 8x8 1, 4x4 1, heads 15",
    ),
    # c5 and m5 on 4x4; a lateral convolution, an upsampling and a sum on 8x8 and on 16x16. The convolutions behind the
    # sums, P6 (with a ReLU) and P7 belong to the heads: 6 layers, and 5 * 2 * 3.
    "RetinaNet, heads of every map": (
        retina(shared=False),
        f"{PYRAMID}, heads 36",
    ),
    "RetinaNet, heads with the same weights": (
        retina(shared=True),
        f"{PYRAMID}, heads 36",
    ),
    # Redmon and Farhadi, YOLOv3, 2018, section 2.3. The 1x1 before an upsampling is on the smaller map.
    "YOLO with three outputs": (
        YOLO,
        "64x64 0, 32x32 1, 16x16 1, 8x8 1, 4x4 3, 8x8 4, 16x16 3, heads 6",
    ),
    "U-Net with deep supervision": (
        UNET + "  - {conv: {out: 2, kernel: 1}, from: u2}\n  - upsample: {scale: 2}\n",
        # Of the trunk: 4 layers a level on the way down, two poolings; up, cat and 4 layers a level on the way up.
        "32x32 4, 16x16 5, 8x8 5, 16x16 6, 32x32 6, heads 3",
    ),
    "U-Net": (UNET, "32x32 4, 16x16 5, 8x8 5, 16x16 6, 32x32 7"),
    "a classifier": (
        f"{FEATURE}  - flatten\n  - linear: {{out: 3}}\n",
        "16x16 1, 8x8 1, 1x1 1, vector 2",
    ),
    "two classes of one vector": (
        f"{FEATURE}  - {{flatten: , name: f}}\n  - linear: {{out: 101}}\n  - {{linear: {{out: 2}}, from: f}}\n",
        "16x16 1, 8x8 1, 1x1 1, vector 1, heads 2",
    ),
    "two classes of one pooled map": (
        f"{FEATURE}  - flatten\n  - linear: {{out: 101}}\n  - {{flatten: , from: pooled}}\n  - linear: {{out: 2}}\n",
        "16x16 1, 8x8 1, 1x1 1, heads 4",
    ),
    # Szegedy et al., Going deeper with convolutions, 2015, Figure 3: the auxiliary classifier has other layers.
    "GoogLeNet with an auxiliary classifier as an output": (
        f"""{SMALL}
  - {{{CONV}, name: c}}
  - {HALF}
  - concat:
      a: [conv: {{out: 2, kernel: 1}}]
      b: [conv: {{out: 2, kernel: 1}}, {CONV}]
  - global_avg_pool
  - flatten
  - linear: {{out: 5}}
  - {{avg_pool: {{kernel: 5, stride: 3}}, from: c}}
  - conv: {{out: 2, kernel: 1}}
  - relu
  - flatten
  - linear: {{out: 8}}
  - relu
  - linear: {{out: 5}}
""",
        "16x16 1, 8x8 5, 1x1 1, vector 2, heads 7",
    ),
    # Teerapittayanon et al., BranchyNet, 2016: the exits of all maps are alike.
    "exits of two maps": (
        f"""{SMALL}
  - {{{CONV}, name: c}}
  - {HALF}
  - global_avg_pool
  - flatten
  - linear: {{out: 5}}
  - {{global_avg_pool: , from: c}}
  - flatten
  - linear: {{out: 5}}
""",
        "16x16 1, 8x8 1, heads 6",
    ),
    # torchvision's FCN: a second head, of the same layers, on the map before the last stage; the stages have one size.
    "segmentation with an auxiliary head": (
        f"""{SMALL}
  - {{{CONV}, name: c}}
  - {CONV}
  - {CONV}
  - {CONV}
  - dropout
  - conv: {{out: 5, kernel: 1}}
  - {{{CONV}, from: c}}
  - conv: {{out: 5, kernel: 1}}
""",
        "16x16 3, heads 5",
    ),
    "two decoders of one encoder": (
        ENCODER
        + "".join(
            "  - {conv_transpose: {out: 4, kernel: 2, stride: 2}, from: low}\n"
            f"  - conv_transpose: {{out: {out}, kernel: 2, stride: 2}}\n"
            for out in (1, 3)
        ),
        "16x16 1, 8x8 1, 4x4 1, heads 4",
    ),
}


@pytest.mark.parametrize("named", HEADS)
def test_heads_are_alike_so_none_belongs_to_the_trunk(named):
    text, expected = HEADS[named]
    assert ", ".join(f"{row.name} {row.layers}" for row in network(text).analyze().fold(by="stage")) == expected


def test_of_heads_beside_each_other_none_belongs_to_the_trunk():
    text = f"input: [3, 16, 16]\nlayers:\n{SHAPES['classes and boxes of every size'][0]}"
    rows = {row.name: row for row in network(text).analyze().fold(by="stage")}
    assert {name: row.layers for name, row in rows.items()} == {"16x16": 1, "8x8": 1, "heads": 4}


def layers(text):
    """How many layers a list names."""
    return len(text.split())


# Liu et al., Swin transformer, 2021, Figures 3a and 3b, equation 3: four stages; every second block rolls the map and rolls
# it back, but not on 7x7, where one window covers the map. Patches are merged before stages 2, 3 and 4.
SWIN_EMBEDDING, SWIN_MERGING, SWIN_ROLLS = layers("conv norm"), layers("merge norm reduce"), layers("roll roll_back")
SWIN_BLOCK = layers(
    "norm windows qkv queries keys values attention project map drop_path add "
    "norm expand gelu dropout project dropout drop_path add"
)
# Dosovitskiy et al., 2021, Figure 1, equations 1 to 3; appendix B.1: dropout after every dense layer but qkv.
VIT_EMBEDDING = layers("patches tokens class_token position dropout")
VIT_BLOCK = layers(
    "norm qkv queries keys values attention project dropout add norm expand gelu dropout project dropout add"
)
# Tolstikhin et al., MLP-Mixer, 2021, Figure 1: a linear layer along the tokens makes no stage.
MIXER_EMBEDDING = layers("patches tokens")
MIXER_LAYER = layers("norm linear gelu linear add norm linear gelu linear add")
# Fan et al., Multiscale vision transformers, 2021, sections 3.1 and 3.2: keys and values are pooled in every block, queries
# and the skip in the first block of a stage. The last block of a stage projects its skip to more channels.
MVIT_EMBEDDING = layers("cube tokens class_token patches map time space tokens class_token position together")
MVIT_POOL = layers("heads token patches map conv tokens together norm merge_heads")
MVIT_BLOCK = 2 * MVIT_POOL + layers(
    "norm qkv queries keys values attention project drop_path add norm expand gelu dropout project dropout drop_path add"
)
MVIT_SMALLER, MVIT_WIDER = MVIT_POOL + layers("token patches map max_pool tokens together"), layers("project")
NORM, POOL, HEAD = 1, 1, layers("flatten linear")
ZOO = {
    "swin_t": {
        "224x224": 0,
        "56x56": SWIN_EMBEDDING + 2 * SWIN_BLOCK + SWIN_ROLLS,
        "28x28": SWIN_MERGING + 2 * SWIN_BLOCK + SWIN_ROLLS,
        "14x14": SWIN_MERGING + 6 * SWIN_BLOCK + 3 * SWIN_ROLLS,
        "7x7": SWIN_MERGING + 2 * SWIN_BLOCK + NORM,
        "1x1": POOL,
        "vector": HEAD,
    },
    # Liu et al., Swin transformer V2, 2022, Figure 1: the same layers, normalised after and not before
    "swin_v2_t": {
        "256x256": 0,
        "64x64": SWIN_EMBEDDING + 2 * SWIN_BLOCK + SWIN_ROLLS,
        "32x32": SWIN_MERGING + 2 * SWIN_BLOCK + SWIN_ROLLS,
        "16x16": SWIN_MERGING + 6 * SWIN_BLOCK + 3 * SWIN_ROLLS,
        "8x8": SWIN_MERGING + 2 * SWIN_BLOCK + NORM,
        "1x1": POOL,
        "vector": HEAD,
    },
    "vit_b_16": {"224x224": 0, "14x14": VIT_EMBEDDING + 12 * VIT_BLOCK + NORM, "1x1": layers("token"), "vector": HEAD},
    "mlp_mixer_b16": {"224x224": 0, "14x14": MIXER_EMBEDDING + 12 * MIXER_LAYER + NORM, "1x1": POOL, "vector": HEAD},
    "mvit_v1_b": {
        "16x224x224": 0,
        "8x56x56": MVIT_EMBEDDING + MVIT_BLOCK + MVIT_WIDER,
        "8x28x28": MVIT_SMALLER + 2 * MVIT_BLOCK + MVIT_WIDER,
        "8x14x14": MVIT_SMALLER + 11 * MVIT_BLOCK + MVIT_WIDER,
        "8x7x7": MVIT_SMALLER + 2 * MVIT_BLOCK + NORM,
        "1x1x1": layers("token"),
        "vector": layers("flatten dropout linear"),
    },
}


def test_a_computed_bias_of_attention_is_no_part_of_the_trunk():
    """Li et al., MViTv2, 2022: scales 2 to 5 halve the map; relative positions are beside them."""
    names = [row.name for row in load("mvit_v2_s").analyze().fold(by="stage")]
    assert names == ["16x224x224", "8x56x56", "8x28x28", "8x14x14", "8x7x7", "1x1x1", "vector"]


@pytest.mark.parametrize("name", ZOO)
def test_tokens_and_windows_belong_to_the_stage_of_their_map(name):
    rows = load(name).analyze().fold(by="stage")
    assert [(row.name, row.layers) for row in rows] == list(ZOO[name].items())
