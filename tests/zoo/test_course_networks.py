"""The networks of every course: LeNet-5, AlexNet, ZFNet, VGG, ResNet and GoogLeNet against their sources.

Every figure here was printed in a paper or course, follows from the arithmetic written beside it, or is
measured on torchvision's model on the meta device. None was read off our own output, and none has a tolerance.
"""

from functools import cache

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from torchvision import models

from archcalc import Analysis, analyze, load
from archcalc.language.zoo import zoo_family

FAMILIES = ["lenet5", "alexnet", "zfnet", "vgg", "resnet", "googlenet"]


@cache
def numbers(name: str, convention: str = "archcalc", training: bool = False) -> Analysis:
    return analyze(load(name), convention=convention, training=training)


def conv(kernel: int, inputs: int, outputs: int, groups: int = 1) -> int:
    """Parameters of a convolution, biases included."""
    return kernel * kernel * (inputs // groups) * outputs + outputs


def fc(inputs: int, outputs: int) -> int:
    return inputs * outputs + outputs


# Totals.

PARAMETERS = [
    # LeCun et al. 1998, section II.B: "60,000 trainable free parameters"
    ("lenet5", 60_000),
    # C1, full C3, C5, F6, linear output
    ("lenet5_modern", conv(5, 1, 6) + conv(5, 6, 16) + fc(400, 120) + fc(120, 84) + fc(84, 10)),
    ("lenet5_modern", 61_706),
    # one tower
    (
        "alexnet",
        conv(11, 3, 96)
        + conv(5, 96, 256)
        + conv(3, 256, 384)
        + conv(3, 384, 384)
        + conv(3, 384, 256)
        + fc(9216, 4096)
        + fc(4096, 4096)
        + fc(4096, 1000),
    ),
    ("alexnet", 62_378_344),
    # two GPUs: section 3.5, "kernels of the second, fourth, and fifth" see one half of the maps
    (
        "alexnet_grouped",
        conv(11, 3, 96)
        + conv(5, 96, 256, 2)
        + conv(3, 256, 384)
        + conv(3, 384, 384, 2)
        + conv(3, 384, 256, 2)
        + fc(9216, 4096)
        + fc(4096, 4096)
        + fc(4096, 1000),
    ),
    ("alexnet_grouped", 60_965_224),
    # Zeiler and Fergus 2014, Figure 3, and Table 3's 512-1024-512
    (
        "zfnet",
        conv(7, 3, 96)
        + conv(5, 96, 256)
        + conv(3, 256, 384)
        + conv(3, 384, 384)
        + conv(3, 384, 256)
        + fc(9216, 4096)
        + fc(4096, 4096)
        + fc(4096, 1000),
    ),
    (
        "zfnet_wide",
        conv(7, 3, 96)
        + conv(5, 96, 256)
        + conv(3, 256, 512)
        + conv(3, 512, 1024)
        + conv(3, 1024, 512)
        + fc(36 * 512, 4096)
        + fc(4096, 4096)
        + fc(4096, 1000),
    ),
    # normalisation across channels owns nothing: A
    ("vgg11_lrn", 132_863_336),
    # D with three 3x3 kernels become 1x1
    ("vgg16_c", 138_357_544 - 8 * 256 * 256 - 8 * 512 * 512 - 8 * 512 * 512),
    ("vgg16", 138_357_544),
    # the stride's place changes no parameter: torchvision's num_params
    ("resnet50", 25_557_032),
    ("resnet101", 44_549_160),
    ("resnet152", 60_192_808),
    # Table 1's filters: see test_googlenet_table, plus biases
    ("googlenet", 6_998_552),
]


@pytest.mark.parametrize(("name", "params"), PARAMETERS)
def test_parameters(name: str, params: int) -> None:
    assert numbers(name).totals.params == params


PRINTED = [
    # Simonyan and Zisserman 2015, Table 2, millions of parameters
    ("vgg11", "params", 6, "133", "rounded"),
    ("vgg11_lrn", "params", 6, "133", "rounded"),
    ("vgg13", "params", 6, "133", "rounded"),
    ("vgg16_c", "params", 6, "134", "rounded"),
    ("vgg16", "params", 6, "138", "rounded"),
    ("vgg19", "params", 6, "144", "rounded"),
    # He et al. 2016, Table 1, "FLOPs" as multiply-adds; section 4.1 for VGG-19
    ("resnet18", "macs", 9, "1.8", "rounded"),
    ("resnet34", "macs", 9, "3.6", "truncated"),
    ("resnet50", "macs", 9, "3.8", "truncated"),
    ("resnet101", "macs", 9, "7.6", "rounded"),
    ("resnet152", "macs", 9, "11.3", "rounded"),
    ("vgg19", "macs", 9, "19.6", "rounded"),
    # Xie et al. 2017, Table 1: 25.5 x 10^6; Zagoruyko's pretrained ResNets
    ("resnet50", "params", 6, "25.5", "truncated"),
    ("resnet50", "params", 6, "25.6", "rounded"),
    ("resnet101", "params", 6, "44.5", "rounded"),
    ("resnet152", "params", 6, "60.2", "rounded"),
    ("resnet50_tv", "macs", 9, "4.1", "rounded"),
    # EECS 498, lecture 8, AlexNet with torchvision's widths
    ("alexnet_tv", "params", 6, "61", "rounded"),
    ("alexnet_tv", "macs", 9, "0.7", "rounded"),
    # ZynqNet's Netscope tables: AlexNet 1.14 G, GoogLeNet 7.0 M
    ("alexnet", "macs", 9, "1.14", "rounded"),
    ("googlenet", "params", 6, "7.0", "rounded"),
]


@pytest.mark.parametrize(("name", "quantity", "power", "printed", "how"), PRINTED)
def test_printed_figures(name: str, quantity: str, power: int, printed: str, how: str) -> None:
    exact = getattr(numbers(name).totals, quantity)
    assert shorten(exact, power, printed, how) == printed


def shorten(exact: int, power: int, like: str, how: str) -> str:
    """exact / 10^power with as many decimals as ``like``, by integer arithmetic."""
    decimals = len(like.partition(".")[2])
    unit = 10 ** (power - decimals)
    digits = (exact + unit // 2 if how == "rounded" else exact) // unit
    whole, rest = divmod(digits, 10**decimals)
    return f"{whole}.{rest:0{decimals}}" if decimals else str(whole)


# LeNet-5, row by row.

LENET5 = [
    # LeCun et al. 1998, section II.B: maps and size, trainable parameters, connections
    ("C1", (6, 28, 28), 156, 122_304),
    ("S2", (6, 14, 14), 12, 5_880),
    ("C3", (16, 10, 10), 1_516, 151_600),
    ("S4", (16, 5, 5), 32, 2_000),
    ("C5", (120, 1, 1), 48_120, 48_120),
    ("F6", (84,), 10_164, 10_164),
    ("output", (10,), 0, 840),
]


def sizes(row) -> tuple[int, ...]:
    return (row.shape.channels, *row.shape.axes)


@pytest.mark.parametrize(("layer", "size", "params", "connections"), LENET5)
def test_lenet5_rows(layer: str, size: tuple[int, ...], params: int, connections: int) -> None:
    row = numbers("lenet5", "lecun98")[layer]
    assert (sizes(row), row.param_count, row.macs) == (size, params, connections)


def test_lenet5_totals() -> None:
    totals = numbers("lenet5", "lecun98").totals
    assert (totals.params, totals.macs) == (60_000, 340_908)  # section II.B
    assert (totals.params, totals.macs) == (sum(r[2] for r in LENET5), sum(r[3] for r in LENET5))


def test_lenet5_connection_table() -> None:
    """Table I: the first six take every contiguous triple, and so on; no two maps see the same."""
    table = numbers("lenet5")["C3"].node.layer.table
    assert [set(row) for row in table[:6]] == [{i, (i + 1) % 6, (i + 2) % 6} for i in range(6)]
    assert [set(row) for row in table[6:12]] == [{i, (i + 1) % 6, (i + 2) % 6, (i + 3) % 6} for i in range(6)]
    assert [set(row) for row in table[12:15]] == [{0, 1, 3, 4}, {1, 2, 4, 5}, {0, 2, 3, 5}]
    assert set(table[15]) == set(range(6))
    # by the table's columns, every map of S2 feeds ten of the sixteen
    assert [sum(i in row for row in table) for i in range(6)] == [10] * 6


# Output sizes, stage by stage.

SIZES = [
    # CS231n, lecture 9 (2017), AlexNet
    (
        "alexnet",
        {
            "conv1": (96, 55, 55),
            "pool1": (96, 27, 27),
            "norm1": (96, 27, 27),
            "conv2": (256, 27, 27),
            "pool2": (256, 13, 13),
            "norm2": (256, 13, 13),
            "conv3": (384, 13, 13),
            "conv4": (384, 13, 13),
            "conv5": (256, 13, 13),
            "pool3": (256, 6, 6),
            "flatten": (9216,),
            "fc6": (4096,),
            "fc7": (4096,),
            "fc8": (1000,),
        },
    ),
    # Krizhevsky et al. 2012, Figure 2's neurons: 186,624, 64,896, 64,896 and 43,264
    (
        "alexnet_grouped",
        {
            "conv2": (2 * 128, 27, 27),
            "conv3": (2 * 192, 13, 13),
            "conv4": (2 * 192, 13, 13),
            "conv5": (2 * 128, 13, 13),
            "fc6": (2 * 2048,),
            "fc7": (2 * 2048,),
            "fc8": (1000,),
        },
    ),
    # Zeiler and Fergus 2014, Figure 3
    (
        "zfnet",
        {
            "conv1": (96, 110, 110),
            "pool1": (96, 55, 55),
            "conv2": (256, 26, 26),
            "pool2": (256, 13, 13),
            "conv3": (384, 13, 13),
            "conv4": (384, 13, 13),
            "conv5": (256, 13, 13),
            "pool3": (256, 6, 6),
            "fc6": (4096,),
            "fc7": (4096,),
            "fc8": (1000,),
        },
    ),
    # CS231n, lecture 9: ZFNet's 512, 1024, 512
    ("zfnet_wide", {"conv3": (512, 13, 13), "conv4": (1024, 13, 13), "conv5": (512, 13, 13), "pool3": (512, 6, 6)}),
    # He et al. 2016, Table 1
    (
        "resnet34",
        {
            "conv1": (64, 112, 112),
            "conv2_x": (64, 56, 56),
            "conv3_x": (128, 28, 28),
            "conv4_x": (256, 14, 14),
            "conv5_x": (512, 7, 7),
            "avgpool": (512, 1, 1),
            "fc": (1000,),
        },
    ),
    (
        "resnet101",
        {
            "conv1": (64, 112, 112),
            "conv2_x": (256, 56, 56),
            "conv3_x": (512, 28, 28),
            "conv4_x": (1024, 14, 14),
            "conv5_x": (2048, 7, 7),
            "avgpool": (2048, 1, 1),
            "fc": (1000,),
        },
    ),
]


@pytest.mark.parametrize(("name", "expected"), SIZES, ids=[name for name, _ in SIZES])
def test_sizes(name: str, expected: dict[str, tuple[int, ...]]) -> None:
    analysis = numbers(name)
    found = {row.name: sizes(row) for row in (*analysis.fold(1), *analysis.rows)}
    assert {layer: found[layer] for layer in expected} == expected


FOLDED = [
    ("alexnet", ["input", "conv1", "conv2", "conv3", "conv4", "conv5", "flatten", "fc6", "fc7", "fc8"]),
    ("zfnet", ["input", "conv1", "conv2", "conv3", "conv4", "conv5", "flatten", "fc6", "fc7", "fc8"]),
    ("vgg16", ["input", "conv1", "conv2", "conv3", "conv4", "conv5", "flatten", "fc6", "fc7", "fc8"]),
    # He et al. 2016, Table 1
    ("resnet50", ["input", "conv1", "conv2_x", "conv3_x", "conv4_x", "conv5_x", "avgpool", "flatten", "fc"]),
    # Szegedy et al. 2015, Table 1
    (
        "googlenet",
        [
            "input",
            "conv1",
            "pool1",
            "conv2",
            "pool2",
            "inception_3a",
            "inception_3b",
            "pool3",
            "inception_4a",
            "inception_4b",
            "inception_4c",
            "inception_4d",
            "inception_4e",
            "pool4",
            "inception_5a",
            "inception_5b",
            "pool5",
            "flatten",
            "drop",
            "fc",
        ],
    ),
]


@pytest.mark.parametrize(("name", "stages"), FOLDED, ids=[name for name, _ in FOLDED])
def test_folds_to_the_papers_stages(name: str, stages: list[str]) -> None:
    assert [row.name for row in numbers(name).fold(1)] == stages


def test_cs231n_alexnet_order() -> None:
    """Lecture 9 (2017): CONV1, MAX POOL1, NORM1, CONV2, MAX POOL2, NORM2, CONV3, CONV4, CONV5, MAX POOL3, FC6-8."""
    listed = [row.name for row in numbers("alexnet").rows if row.type in ("conv", "max_pool", "lrn", "linear")]
    assert listed == [
        "conv1",
        "pool1",
        "norm1",
        "conv2",
        "pool2",
        "norm2",
        "conv3",
        "conv4",
        "conv5",
        "pool3",
        "fc6",
        "fc7",
        "fc8",
    ]


def test_grouped_alexnet_multiply_accumulates() -> None:
    """Sze et al. 2017, Table II: 666 M in the convolutions, 58.6 M in the linear layers."""
    rows = numbers("alexnet_grouped").rows
    macs = {kind: sum(row.macs for row in rows if row.type == kind) for kind in ("conv", "linear")}
    assert shorten(macs["conv"], 6, "666", "rounded") == "666"
    assert shorten(macs["linear"], 6, "58.6", "rounded") == "58.6"


def test_paper_alexnet_normalises_before_pooling() -> None:
    """Section 3.5: pooling follows both response-normalization layers as well as the fifth convolution."""
    listed = [row.name for row in numbers("alexnet_grouped").rows if row.type in ("max_pool", "lrn")]
    assert listed == ["norm1", "pool1", "norm2", "pool2", "pool3"]
    # Figure 2's caption, but for conv1, where it prints 253,440 = 55*48*96
    neurons = [row.shape.values for row in numbers("alexnet_grouped").rows if row.type in ("conv", "linear")]
    assert neurons == [290_400, 186_624, 64_896, 64_896, 43_264, 4096, 4096, 1000]


# Receptive fields.

FIELDS = [
    # the table of tensorflow/models' receptive_field package: alexnet_v2, vgg_a, vgg_16, resnet_v1_50
    (
        "alexnet",
        {"conv1": 11, "pool1": 19, "conv2": 51, "pool2": 67, "conv3": 99, "conv4": 131, "conv5": 163, "pool3": 195},
    ),
    ("vgg11", {"conv5_1": 102, "conv5_2": 134, "pool5": 150}),
    (
        "vgg16",
        {
            "conv1_1": 3,
            "pool1": 6,
            "conv2_1": 10,
            "pool2": 16,
            "conv3_1": 24,
            "conv3_2": 32,
            "pool3": 44,
            "conv4_1": 60,
            "conv4_2": 76,
            "pool4": 100,
            "conv5_1": 132,
            "conv5_2": 164,
            "pool5": 212,
        },
    ),
    ("resnet50", {"conv2_x": 35, "conv3_x": 99, "conv4_x": 291, "conv5_x": 483}),
    # LeCun et al. 1998: C1 5x5, S2 one pixel of C1 more, C3 4 steps of 2, S4 2 more, C5 sees all 32
    ("lenet5", {"C1": 5, "S2": 6, "C3": 14, "S4": 16, "C5": 32}),
    # 11 after pool1; a 3x3 adds twice the step before it: 4, then the first of each stage at the step before
    (
        "resnet50_tv",
        {
            "pool1": 11,
            "conv2_x": 11 + 3 * 8,
            "conv3_x": 35 + 8 + 3 * 16,
            "conv4_x": 91 + 16 + 5 * 32,
            "conv5_x": 267 + 32 + 2 * 64,
        },
    ),
    ("resnet50_tv", {"conv5_x": 427}),
    (
        "resnet18",
        {"conv2_x": 11 + 4 * 8, "conv3_x": 43 + 8 + 3 * 16, "conv4_x": 99 + 16 + 3 * 32, "conv5_x": 211 + 32 + 3 * 64},
    ),
    (
        "resnet34",
        {
            "conv2_x": 11 + 6 * 8,
            "conv3_x": 59 + 8 + 7 * 16,
            "conv4_x": 179 + 16 + 11 * 32,
            "conv5_x": 547 + 32 + 5 * 64,
        },
    ),
    # conv1 7, pool1 two steps of 2, conv2 four of 4, pool2 two of 8, three 3x3 with 16, pool3 two of 16
    (
        "zfnet",
        {"conv1": 7, "pool1": 11, "conv2": 27, "pool2": 43, "conv3": 75, "conv4": 107, "conv5": 139, "pool3": 171},
    ),
    # the branches of Figure 2b: 1x1 alone, 3x3, 5x5, and 3x3 pooling with stride 1, at step 8
    (
        "googlenet",
        {
            "inception_3a.b1.conv": 27,
            "inception_3a.b3.reduce": 27,
            "inception_3a.b3.conv": 27 + 2 * 8,
            "inception_3a.b5.reduce": 27,
            "inception_3a.b5.conv": 27 + 4 * 8,
            "inception_3a.pool.pool": 27 + 2 * 8,
            "inception_3a.pool.proj": 27 + 2 * 8,
        },
    ),
    # through the stages the 5x5 sees most: 4 steps; 3x3 and poolings 2
    (
        "googlenet",
        {
            "conv1": 7,
            "pool1": 11,
            "conv2": 19,
            "pool2": 27,
            "inception_3a": 27 + 4 * 8,
            "inception_3b": 59 + 4 * 8,
            "pool3": 91 + 2 * 8,
            "inception_4e": 107 + 5 * 4 * 16,
            "pool4": 427 + 2 * 16,
            "inception_5b": 459 + 2 * 4 * 32,
        },
    ),
]


@pytest.mark.parametrize(("name", "expected"), FIELDS, ids=[name for name, _ in FIELDS])
def test_receptive_fields(name: str, expected: dict[str, int]) -> None:
    analysis = numbers(name)
    found = {row.name: row for row in (*analysis.fold(1), *analysis.rows)}
    assert {layer: tuple(view.field.size for view in found[layer].field) for layer in expected} == {
        layer: (size, size) for layer, size in expected.items()
    }


PLACES = [
    # layer, step, first pixel of unit 0: the receptive_field table's stride, and padding with its sign turned
    ("alexnet", "pool3", 32, 0 - 2 * 8 - 3 * 16),  # pads 2, 1, 1, 1 at the steps 8, 16, 16, 16
    ("vgg11", "pool5", 32, -59),
    ("vgg16", "pool1", 2, -2),
    ("vgg16", "pool4", 16, -42),
    ("vgg16", "pool5", 32, -90),
    ("resnet50_tv", "conv5_3.relu", 32, -(3 + 2 + 3 * 4 + 4 + 3 * 8 + 8 + 5 * 16 + 16 + 2 * 32)),  # each 3x3 pads 1
]


@pytest.mark.parametrize(("name", "layer", "step", "first"), PLACES)
def test_places_of_fields(name: str, layer: str, step: int, first: int) -> None:
    for view in numbers(name)[layer].field:
        assert (view.field.step, view.field.start) == (step, first)


# CS231n's table of VGG-16.

CS231N_VGG16 = [
    # "VGGNet in detail": row, memory as a product, memory as printed, weights as a product
    ("input", 224 * 224 * 3, 150_000, 0),
    ("conv1_1", 224 * 224 * 64, 3_200_000, (3 * 3 * 3) * 64),
    ("conv1_2", 224 * 224 * 64, 3_200_000, (3 * 3 * 64) * 64),
    ("pool1", 112 * 112 * 64, 800_000, 0),
    ("conv2_1", 112 * 112 * 128, 1_600_000, (3 * 3 * 64) * 128),
    ("conv2_2", 112 * 112 * 128, 1_600_000, (3 * 3 * 128) * 128),
    ("pool2", 56 * 56 * 128, 400_000, 0),
    ("conv3_1", 56 * 56 * 256, 800_000, (3 * 3 * 128) * 256),
    ("conv3_2", 56 * 56 * 256, 800_000, (3 * 3 * 256) * 256),
    ("conv3_3", 56 * 56 * 256, 800_000, (3 * 3 * 256) * 256),
    ("pool3", 28 * 28 * 256, 200_000, 0),
    ("conv4_1", 28 * 28 * 512, 400_000, (3 * 3 * 256) * 512),
    ("conv4_2", 28 * 28 * 512, 400_000, (3 * 3 * 512) * 512),
    ("conv4_3", 28 * 28 * 512, 400_000, (3 * 3 * 512) * 512),
    ("pool4", 14 * 14 * 512, 100_000, 0),
    ("conv5_1", 14 * 14 * 512, 100_000, (3 * 3 * 512) * 512),
    ("conv5_2", 14 * 14 * 512, 100_000, (3 * 3 * 512) * 512),
    ("conv5_3", 14 * 14 * 512, 100_000, (3 * 3 * 512) * 512),
    ("pool5", 7 * 7 * 512, 25_000, 0),
    ("fc6", 4096, 4096, 7 * 7 * 512 * 4096),
    ("fc7", 4096, 4096, 4096 * 4096),
    ("fc8", 1000, 1000, 4096 * 1000),
]


@pytest.mark.parametrize(("layer", "values", "printed", "weights"), CS231N_VGG16)
def test_cs231n_vgg16_rows(layer: str, values: int, printed: int, weights: int) -> None:
    row = numbers("vgg16", "cs231n")[layer]
    assert (row.values, row.param_count) == (values, weights)
    unit = 10 ** (len(str(values)) - 2) if printed != values else 1  # two digits, the rest cut off
    assert row.values // unit * unit == printed


def test_cs231n_vgg16_totals() -> None:
    analysis = numbers("vgg16", "cs231n")
    assert [row.name for row in analysis.rows if row.values is not None] == [row[0] for row in CS231N_VGG16]
    totals = analysis.totals
    assert totals.params == sum(row[3] for row in CS231N_VGG16) == 138_344_128  # printed: 138M
    assert totals.values == sum(row[1] for row in CS231N_VGG16) == 15_237_608  # printed: 24M
    assert totals.values + totals.conv_inputs == 24_319_464  # the accounting that does give 24M


def test_vgg16_multiply_accumulates() -> None:
    """Every convolution's weights at each of its positions, and the linear layers' once."""
    positions = {row[0]: row[1] for row in CS231N_VGG16}
    outputs = {1: 64, 2: 128, 3: 256, 4: 512, 5: 512}
    macs = sum(
        weights * (positions[name] // outputs[int(name[4])] if name.startswith("conv") else 1)
        for name, _, _, weights in CS231N_VGG16
    )
    assert numbers("vgg16").totals.macs == macs == 15_470_264_320
    # He et al. 2016, section 4.1, print 15.3 billion: the convolutions alone
    convolutions = sum(row.macs for row in numbers("vgg16").rows if row.type == "conv")
    assert shorten(convolutions, 9, "15.3", "rounded") == "15.3"


def test_vgg11_lrn_normalises_after_the_first_layer() -> None:
    """Table 1, column A-LRN; Krizhevsky et al. 2012, section 3.3: applied after the rectifier."""
    names = [row.name for row in numbers("vgg11_lrn").rows]
    assert names[:5] == ["input", "conv1_1", "relu1_1", "lrn1_1", "pool1"]
    assert sum(row.type == "lrn" for row in numbers("vgg11_lrn").rows) == 1


def test_vgg16_c_has_1x1_kernels_last() -> None:
    """Table 1, column C: conv1-256, conv1-512, conv1-512."""
    kernels = {row.name: row.node.layer.kernel for row in numbers("vgg16_c").rows if row.type == "conv"}
    assert [name for name, kernel in kernels.items() if kernel == 1] == ["conv3_3", "conv4_3", "conv5_3"]


# GoogLeNet's Table 1.

GOOGLENET = [
    # Szegedy et al. 2015, Table 1: row, output size, filters, printed ops in millions, how it was shortened
    ("inception_3a", (256, 28, 28), (64, 96, 128, 16, 32, 32), "128", "truncated"),
    ("inception_3b", (480, 28, 28), (128, 128, 192, 32, 96, 64), "304", "truncated"),
    ("inception_4a", (512, 14, 14), (192, 96, 208, 16, 48, 64), "73", "truncated"),
    ("inception_4b", (512, 14, 14), (160, 112, 224, 24, 64, 64), "88", "rounded"),
    ("inception_4c", (512, 14, 14), (128, 128, 256, 24, 64, 64), "100", "rounded"),
    ("inception_4d", (528, 14, 14), (112, 144, 288, 32, 64, 64), "119", "rounded"),
    ("inception_4e", (832, 14, 14), (256, 160, 320, 32, 128, 128), "170", "rounded"),
    ("inception_5a", (832, 7, 7), (256, 160, 320, 32, 128, 128), None, ""),  # printed 54: the filters give 51.1
    ("inception_5b", (1024, 7, 7), (384, 192, 384, 48, 128, 128), "71", "rounded"),
]
GOOGLENET_OTHERS = [
    # row, output size, weights from kernel and filters
    ("conv1", (64, 112, 112), 7 * 7 * 3 * 64),
    ("pool1", (64, 56, 56), 0),
    ("conv2", (192, 56, 56), 64 * 64 + 9 * 64 * 192),  # printed 112K = 112*1024
    ("pool2", (192, 28, 28), 0),
    ("pool3", (480, 14, 14), 0),
    ("pool4", (832, 7, 7), 0),
    ("pool5", (1024, 1, 1), 0),
    ("fc", (1000,), 1024 * 1000),  # printed 1000K = 1000*1024
]


@pytest.mark.parametrize(("layer", "size", "weights"), GOOGLENET_OTHERS)
def test_googlenet_table_outside_the_modules(layer: str, size: tuple[int, ...], weights: int) -> None:
    row = next(row for row in numbers("googlenet").fold(1) if row.name == layer)
    assert (sizes(row), row.params.weight) == (size, weights)


@pytest.mark.parametrize(("layer", "size", "filters", "ops", "how"), GOOGLENET)
def test_googlenet_table(
    layer: str, size: tuple[int, ...], filters: tuple[int, ...], ops: str | None, how: str
) -> None:
    row = next(row for row in numbers("googlenet").fold(1) if row.name == layer)
    n1, r3, n3, r5, n5, proj = filters
    channels = row.inputs[0].channels
    weights = channels * (n1 + r3 + r5 + proj) + 9 * r3 * n3 + 25 * r5 * n5
    assert (sizes(row), row.params.weight) == (size, weights)
    assert row.params.bias == sum(filters)
    assert row.macs == weights * size[1] * size[2]
    if ops:
        assert shorten(row.macs, 6, ops, how) == ops


def test_googlenet_printed_weights() -> None:
    """Table 1's params column, in units of 1024, where it follows from the printed filters."""
    weights = {row.name: row.params.weight for row in numbers("googlenet").fold(1)}
    assert weights["conv2"] == 112 * 1024
    assert weights["inception_3a"] // 1024 == 159
    assert weights["inception_3b"] == 379 * 1024  # printed: 380
    assert weights["fc"] == 1000 * 1024
    assert numbers("googlenet").totals.weights == 6_990_272


def test_googlenet_begins_as_figure_3() -> None:
    """Conv 7x7/2, MaxPool, LocalRespNorm, Conv 1x1, Conv 3x3, LocalRespNorm, MaxPool."""
    listed = [row.name for row in numbers("googlenet").rows if "." not in row.name and row.type != "relu"]
    assert listed[:8] == ["input", "conv1", "pool1", "norm1", "conv2_reduce", "conv2", "norm2", "pool2"]


def test_googlenet_auxiliary_heads() -> None:
    """Section 5: average pooling 5x5/3 to 4x4x512 and 4x4x528, 128 1x1 filters, 1024 and 1000 units."""
    analysis = numbers("googlenet", training=True)
    assert sizes(analysis["aux1.pool"]) == (512, 4, 4)
    assert sizes(analysis["aux2.pool"]) == (528, 4, 4)
    heads = [conv(1, inputs, 128) + fc(4 * 4 * 128, 1024) + fc(1024, 1000) for inputs in (512, 528)]
    assert analysis.totals.params == 6_998_552 + sum(heads) == 13_378_280
    sources = [analysis.network.nodes[analysis[f"{head}.pool"].node.inputs[0]].name for head in ("aux1", "aux2")]
    assert sources == ["inception_4a.concat", "inception_4d.concat"]


# torchvision's models, measured.

TORCHVISION = [
    ("alexnet_tv", "alexnet"),
    ("vgg11", "vgg11"),
    ("vgg13", "vgg13"),
    ("vgg16", "vgg16"),
    ("vgg19", "vgg19"),
    ("vgg11_bn", "vgg11_bn"),
    ("vgg13_bn", "vgg13_bn"),
    ("vgg16_bn", "vgg16_bn"),
    ("vgg19_bn", "vgg19_bn"),
    ("resnet18", "resnet18"),
    ("resnet34", "resnet34"),
    ("resnet50_tv", "resnet50"),
    ("resnet101_tv", "resnet101"),
    ("resnet152_tv", "resnet152"),
    ("googlenet_tv", "googlenet"),
]
KINDS = {
    torch.nn.Conv2d: "conv",
    torch.nn.Linear: "linear",
    torch.nn.BatchNorm2d: "batch_norm",
    torch.nn.MaxPool2d: "max_pool",
    torch.nn.Dropout: "dropout",
}


@cache
def torchvision_model(name: str) -> torch.nn.Module:
    settings = {"init_weights": False} if name.startswith(("googlenet", "vgg")) else {}
    with torch.device("meta"):
        return models.get_model(name, weights=None, **settings).eval()


def measured(model: torch.nn.Module, size: tuple[int, int]) -> tuple[int, list[tuple[str, tuple[int, ...], int]]]:
    """The model's MACs by torch's own counter; and kind, output size and parameters of each layer as it runs."""
    run = []

    def note(module: torch.nn.Module, _: object, out: torch.Tensor) -> None:
        run.append((KINDS[type(module)], tuple(out.shape[1:]), sum(p.numel() for p in module.parameters())))

    hooks = [module.register_forward_hook(note) for module in model.modules() if type(module) in KINDS]
    try:
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            model(torch.empty(1, 3, *size, device="meta"))
    finally:
        for hook in hooks:
            hook.remove()
    assert counter.get_total_flops() % 2 == 0
    return counter.get_total_flops() // 2, run


def calculated(analysis: Analysis) -> list[tuple[str, tuple[int, ...], int]]:
    return [(row.type, sizes(row), row.param_count) for row in analysis.rows if row.type in KINDS.values()]


@pytest.mark.parametrize(("ours", "theirs"), TORCHVISION)
def test_torchvision_parameters(ours: str, theirs: str) -> None:
    """Every parameter tensor's size, in order; the totals; the buffers; what torchvision publishes."""
    totals, model = numbers(ours).totals, torchvision_model(theirs)
    side = [p for name, p in model.named_parameters() if name.startswith("aux")]
    main = [p.numel() for name, p in model.named_parameters() if not name.startswith("aux")]
    tensors = [n for row in numbers(ours).rows for n in (row.params.weight, row.params.bias) if n]
    assert tensors == main
    assert totals.params == sum(main) == published(theirs)["num_params"]
    buffers = [
        b.numel()
        for name, b in model.named_buffers()
        if not name.startswith("aux") and not name.endswith("num_batches_tracked")
    ]
    assert totals.buffers == sum(buffers)
    heads = [n for row in numbers(ours).side_rows for n in (row.params.weight, row.params.bias) if n]
    assert heads == [p.numel() for p in side]


@pytest.mark.parametrize(("ours", "theirs"), TORCHVISION)
def test_torchvision_work(ours: str, theirs: str) -> None:
    """MACs, and every convolution, normalisation, pooling and linear layer in the order in which they run."""
    macs, run = measured(torchvision_model(theirs), (224, 224))
    assert numbers(ours).totals.macs == macs
    assert calculated(numbers(ours)) == run
    assert round(macs / 1e9, 3) == published(theirs)["_ops"]


def published(name: str) -> dict:
    return models.get_model_weights(name).IMAGENET1K_V1.meta


@pytest.mark.parametrize("size", [(256, 320), (225, 301), (193, 449)])
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("alexnet_tv", "alexnet"),
        ("vgg11_bn", "vgg11_bn"),
        ("resnet18", "resnet18"),
        ("resnet50_tv", "resnet50"),
        ("googlenet_tv", "googlenet"),
    ],
)
def test_torchvision_at_other_sizes(ours: str, theirs: str, size: tuple[int, int]) -> None:
    macs, run = measured(torchvision_model(theirs), size)
    analysis = analyze(load(ours), input=(3, *size))
    assert (analysis.totals.macs, calculated(analysis)) == (macs, run)


def test_torchvision_googlenet_in_training() -> None:
    with torch.device("meta"):
        model = models.googlenet(weights=None, init_weights=False).train()
    macs, _ = measured(model, (224, 224))
    totals = numbers("googlenet_tv", training=True).totals
    assert totals.macs == macs
    assert totals.params == sum(p.numel() for p in model.parameters()) == 13_004_888
    assert totals.buffers == sum(b.numel() for n, b in model.named_buffers() if not n.endswith("num_batches_tracked"))


@pytest.mark.parametrize("depth", [50, 101, 152])
def test_resnet_with_the_papers_strides(depth: int) -> None:
    """Torchvision's bottleneck with the stride moved back to its first 1x1."""
    with torch.device("meta"):
        model = models.get_model(f"resnet{depth}", weights=None).eval()
    for stage in (model.layer2, model.layer3, model.layer4):
        stage[0].conv1.stride, stage[0].conv2.stride = (2, 2), (1, 1)
    macs, run = measured(model, (224, 224))
    assert (numbers(f"resnet{depth}").totals.macs, calculated(numbers(f"resnet{depth}"))) == (macs, run)


def test_resnet50_multiply_accumulates() -> None:
    """Three 1x1 convolutions at a quarter of the positions: 3/4 of 56*56*256*128 less in every stage."""
    saved = [56**2 * 256 * 128, 28**2 * 512 * 256, 14**2 * 1024 * 512]
    assert numbers("resnet50").totals.macs == 4_089_184_256 - sum(n * 3 // 4 for n in saved) == 3_857_973_248
    assert numbers("resnet50_tv").totals.macs == 4_089_184_256


# The files themselves.

NETWORKS = [(stem, name) for stem in FAMILIES for name in zoo_family(stem).networks]


@pytest.mark.parametrize(("stem", "name"), NETWORKS, ids=[name for _, name in NETWORKS])
def test_says_what_it_is(stem: str, name: str) -> None:
    about = load(name).about
    assert name.startswith(stem)
    assert {"title", "paper", "table", "page", "year"} <= about.keys()
    assert "arXiv:" in str(about["paper"]) or "doi:" in str(about["paper"])
    assert ("note" in about) == ("_" in name) or name == "alexnet"  # the paper's network, or a variant that says how


def test_all_networks_are_here() -> None:
    assert [name for _, name in NETWORKS] == [
        "lenet5",
        "lenet5_modern",
        "alexnet",
        "alexnet_grouped",
        "alexnet_tv",
        "alexnet_slim",
        "zfnet",
        "zfnet_wide",
        "vgg11",
        "vgg11_lrn",
        "vgg13",
        "vgg16_c",
        "vgg16",
        "vgg19",
        "vgg11_bn",
        "vgg13_bn",
        "vgg16_bn",
        "vgg19_bn",
        "resnet18",
        "resnet34",
        "resnet50",
        "resnet101",
        "resnet152",
        "resnet50_tv",
        "resnet101_tv",
        "resnet152_tv",
        "resnet50_slim",
        "resnet101_slim",
        "resnet152_slim",
        "resnet200_slim",
        "resnet_option_a",
        "resnet_option_b",
        "resnet_option_c",
        "googlenet",
        "googlenet_tv",
    ]
