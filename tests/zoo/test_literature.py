"""The networks of the literature against what their papers print and against recounts written from the papers.

Three kinds of expectation, none read off our own output: a figure as printed, with its source, held to the
printed digits; a size as printed; and a total from the arithmetic below, which knows nothing of the specs.
"""

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import cache
from math import prod
from typing import Any

import pytest

from archcalc import Analysis, analyze, load
from archcalc.language.zoo import zoo_family

FAMILIES = [
    "nin",
    "bn_inception",
    "inception_v4",
    "inception_resnet",
    "plain",
    "resnet_cifar",
    "preact_resnet",
    "wrn",
    "resnext_cifar",
    "stochastic_depth",
    "fractalnet",
    "densenet_cifar",
    "teaching",
]


@cache
def numbers(name: str, **settings: Any) -> Analysis:
    return analyze(load(name, **settings))


# Recounts, in plain arithmetic.


def conv(inputs: int, outputs: int, *kernel: int, bias: bool = False, groups: int = 1) -> int:
    height, width = kernel if len(kernel) == 2 else kernel * 2
    return inputs // groups * outputs * height * width + outputs * bias


def bn(*channels: int) -> int:
    return 2 * sum(channels)


def unit(inputs: int, outputs: int, *kernel: int) -> int:
    """A convolution without bias, and its batch normalisation."""
    return conv(inputs, outputs, *kernel) + bn(outputs)


def fc(inputs: int, outputs: int) -> int:
    return inputs * outputs + outputs


def chain(inputs: int, *steps: tuple[int, ...], one: Callable[..., int] = unit) -> int:
    """Units after each other, each (outputs, kernel) or (outputs, height, width)."""
    total = 0
    for outputs, *kernel in steps:
        total += one(inputs, outputs, *kernel)
        inputs = outputs
    return total


def nin(inputs: int, kernels: list[int], widths: list[list[int]]) -> int:
    """mlpconv layers: Lin et al. 2014, section 3.1."""
    total = 0
    for kernel, row in zip(kernels, widths, strict=True):
        for place, outputs in enumerate(row):
            total += conv(inputs, outputs, kernel if place == 0 else 1, bias=True)
            inputs = outputs
    return total


# Ioffe and Szegedy 2015, Figure 5: #1x1, #3x3 reduce, #3x3, double #3x3 reduce, double #3x3, pool projection.
FIGURE_5 = [
    (64, 64, 64, 64, 96, 32),
    (64, 64, 96, 64, 96, 64),
    (0, 128, 160, 64, 96, 0),
    (224, 64, 96, 96, 128, 128),
    (192, 96, 128, 96, 128, 128),
    (160, 128, 160, 128, 160, 128),
    (96, 128, 192, 160, 192, 128),
    (0, 128, 192, 192, 256, 0),
    (352, 192, 320, 160, 224, 128),
    (352, 192, 320, 192, 224, 128),
]


def bn_inception(first: int, proj_4cd: int, bias: bool) -> int:
    def one(inputs: int, outputs: int, kernel: int) -> int:
        return conv(inputs, outputs, kernel, bias=bias) + bn(outputs)

    total = first + one(64, 64, 1) + one(64, 192, 3)
    channels = 192
    for place, (one_, reduce3, three, reduce5, double, proj) in enumerate(FIGURE_5):
        projected = proj_4cd if place in (5, 6) else proj
        total += chain(channels, (reduce3, 1), (three, 3), one=one)
        total += chain(channels, (reduce5, 1), (double, 3), (double, 3), one=one)
        if one_:
            total += one(channels, one_, 1) + one(channels, projected, 1)
        channels = one_ + three + double + (projected if one_ else channels)
    assert channels == 1024
    return total + fc(1024, 1000)


def stem_v4() -> int:
    """Szegedy et al. 2017, Figure 3."""
    return (
        chain(3, (32, 3), (32, 3), (64, 3))
        + unit(64, 96, 3)
        + chain(160, (64, 1), (96, 3))
        + chain(160, (64, 1), (64, 7, 1), (64, 1, 7), (96, 3))
        + unit(192, 192, 3)
    )


def reduction_a(inputs: int, k: int, el: int, m: int, n: int) -> int:
    """Figure 7 and Table 1."""
    return unit(inputs, n, 3) + chain(inputs, (k, 1), (el, 3), (m, 3))


def inception_v4() -> int:
    a = unit(384, 96, 1) * 2 + chain(384, (64, 1), (96, 3)) + chain(384, (64, 1), (96, 3), (96, 3))
    b = (
        unit(1024, 128, 1)
        + unit(1024, 384, 1)
        + chain(1024, (192, 1), (224, 1, 7), (256, 7, 1))
        + chain(1024, (192, 1), (192, 1, 7), (224, 7, 1), (224, 1, 7), (256, 7, 1))
    )
    reduction_b = chain(1024, (192, 1), (192, 3)) + chain(1024, (256, 1), (256, 1, 7), (320, 7, 1), (320, 3))
    c = (
        unit(1536, 256, 1) * 2
        + unit(1536, 384, 1)
        + 2 * unit(384, 256, 1, 3)
        + chain(1536, (384, 1), (448, 1, 3), (512, 3, 1))
        + 2 * unit(512, 256, 1, 3)
    )
    return stem_v4() + 4 * a + reduction_a(384, 192, 224, 256, 384) + 7 * b + reduction_b + 3 * c + fc(1536, 1000)


def inception_resnet(
    stem: int,
    channels: int,
    repeats: tuple[int, int, int],
    klmn: tuple[int, int, int, int],
    a: list[int],
    b: list[int],
    reduce_b: list[int],
    c: list[int],
    end: Callable[[int], int],
) -> int:
    """Figures 10 to 19; the linear 1x1 of a residual has a bias and no batch normalisation."""
    total = stem
    total += repeats[0] * (
        unit(channels, a[0], 1)
        + chain(channels, (a[1], 1), (a[2], 3))
        + chain(channels, (a[3], 1), (a[4], 3), (a[5], 3))
        + conv(a[0] + a[2] + a[5], channels, 1, bias=True)
    )
    total += reduction_a(channels, *klmn)
    channels += klmn[2] + klmn[3]
    total += repeats[1] * (
        unit(channels, b[0], 1)
        + chain(channels, (b[1], 1), (b[2], 1, 7), (b[3], 7, 1))
        + conv(b[0] + b[3], channels, 1, bias=True)
    )
    first, second, third, before = reduce_b
    total += (
        chain(channels, (256, 1), (first, 3))
        + chain(channels, (256, 1), (second, 3))
        + chain(channels, (256, 1), (before, 3), (third, 3))
    )
    channels += first + second + third
    total += repeats[2] * (
        unit(channels, c[0], 1)
        + chain(channels, (c[1], 1), (c[2], 1, 3), (c[3], 3, 1))
        + conv(c[0] + c[3], channels, 1, bias=True)
    )
    return total + end(channels)


# Figure 14; and TF-Slim's stem for v2 with its Mixed_5b.
STEM_V1 = chain(3, (32, 3), (32, 3), (64, 3)) + chain(64, (80, 1), (192, 3), (256, 3))
STEM_RELEASED = (
    chain(3, (32, 3), (32, 3), (64, 3))
    + chain(64, (80, 1), (192, 3))
    + unit(192, 96, 1)
    + chain(192, (48, 1), (64, 5))
    + chain(192, (64, 1), (96, 3), (96, 3))
    + unit(192, 64, 1)
)
V1 = ((192, 192, 256, 384), [32] * 6, [128] * 4, [384, 256, 256, 256], [192] * 4)
V2 = ((256, 256, 384, 384), [32, 32, 32, 32, 48, 64], [192, 128, 160, 192], [384, 288, 320, 288], [192, 192, 224, 256])


def resnet34(option: str) -> int:
    """He et al. 2016, Table 1; option c projects the shortcuts of all sixteen units, b of three, a of none."""
    total, inputs = unit(3, 64, 7), 64
    for width, depth in ((64, 3), (128, 4), (256, 6), (512, 3)):
        for place in range(depth):
            total += unit(inputs, width, 3) + unit(width, width, 3)
            grows = place == 0 and width > 64
            total += unit(inputs, width, 1) if option == "c" or (option == "b" and grows) else 0
            inputs = width
    return total + fc(512, 1000)


def plain18() -> int:
    widths = [64] * 4 + [128] * 4 + [256] * 4 + [512] * 4
    return unit(3, 64, 7) + chain(64, *((w, 3) for w in widths)) + fc(512, 1000)


def resnet_cifar(depth: int) -> int:
    n = (depth - 2) // 6
    widths = [16] * 2 * n + [32] * 2 * n + [64] * 2 * n
    return unit(3, 16, 3) + chain(16, *((w, 3) for w in widths)) + fc(64, 10)


def preact_basic(depth: int) -> int:
    """A normalisation before every convolution but the first, and one at the end."""
    n = (depth - 2) // 6
    convs, inputs = [], 16
    for width in [16] * 2 * n + [32] * 2 * n + [64] * 2 * n:
        convs.append(bn(inputs) + conv(inputs, width, 3))
        inputs = width
    return conv(3, 16, 3) + sum(convs) + bn(64) + fc(64, 10)


def preact_bottlenecks(first: int, stages: list[tuple[int, int]], classes: int) -> int:
    """Units of 1x1, 3x3, 1x1 to four times the width, the normalisation of each before it; a projection per stage."""
    total, inputs = 0, first
    for width, count in stages:
        for place in range(count):
            total += bn(inputs) + conv(inputs, width, 1) + bn(width) + conv(width, width, 3) + bn(width)
            total += conv(width, 4 * width, 1) + (conv(inputs, 4 * width, 1) if place == 0 else 0)
            inputs = 4 * width
    return total + bn(inputs) + fc(inputs, classes)


def preact_slim(*counts: int) -> int:
    """TF-Slim's resnet_v2: biases where no normalisation follows, in conv1, in each last 1x1 and each projection."""
    stages = list(zip((64, 128, 256, 512), counts, strict=True))
    biases = sum(4 * width * (count + 1) for width, count in stages)
    return conv(3, 64, 7, bias=True) + preact_bottlenecks(64, stages, 1000) + biases


def preact_cifar(depth: int) -> int:
    n = (depth - 2) // 9
    return conv(3, 16, 3) + preact_bottlenecks(16, [(16, n), (32, n), (64, n)], 10)


def wrn(depth: int, k: int) -> int:
    """Zagoruyko and Komodakis 2016, Table 1 with B(3,3)."""
    total, inputs = conv(3, 16, 3), 16
    for width in (16 * k, 32 * k, 64 * k):
        for _ in range((depth - 4) // 6):
            total += bn(inputs) + conv(inputs, width, 3) + bn(width) + conv(width, width, 3)
            total += conv(inputs, width, 1) if inputs != width else 0
            inputs = width
    return total + bn(inputs) + fc(inputs, 10)


def resnext29(cardinality: int, width: int) -> int:
    """Xie et al. 2017, section 5.3: three stages of three bottlenecks, widths doubling."""
    total, inputs = unit(3, 64, 3), 64
    for stage, outputs in enumerate((256, 512, 1024)):
        inside = cardinality * width * 2**stage
        for _ in range(3):
            total += unit(inputs, inside, 1) + conv(inside, inside, 3, groups=cardinality) + bn(inside)
            total += unit(inside, outputs, 1) + (unit(inputs, outputs, 1) if inputs != outputs else 0)
            inputs = outputs
    return total + fc(1024, 10)


def densenet(depth: int, growth: int, bc: bool) -> int:
    """Huang et al. 2017, section 3."""
    layers = (depth - 4) // (6 if bc else 3)
    channels = 2 * growth if bc else 16
    total = conv(3, channels, 3)
    for block in range(3):
        for _ in range(layers):
            if bc:
                total += bn(channels) + conv(channels, 4 * growth, 1) + bn(4 * growth) + conv(4 * growth, growth, 3)
            else:
                total += bn(channels) + conv(channels, growth, 3)
            channels += growth
        if block < 2:
            outputs = channels // 2 if bc else channels
            total += bn(channels) + conv(channels, outputs, 1)
            channels = outputs
    return total + bn(channels) + fc(channels, 10)


def fractalnet(columns: int, widths: list[int], classes: int, doubling: bool = False) -> int:
    """2^C - 1 convolutions in a block, of which the first of each column sees the block's input."""
    total, inputs = 0, 3
    for width in widths:
        if doubling and inputs != width:
            total += unit(inputs, width, 1)
            inputs = width
        total += columns * unit(inputs, width, 3) + (2**columns - 1 - columns) * unit(width, width, 3)
        inputs = width
    return total + fc(inputs, classes)


NARROW = [16, 32, 64, 128, 128]
RECOUNTS: list[tuple[str, int]] = [
    ("nin", nin(3, [11, 5, 3, 3], [[96] * 3, [256] * 3, [384] * 3, [1024, 1024, 1000]])),
    ("nin_cifar10", nin(3, [5, 5, 3], [[192, 160, 96], [192] * 3, [192, 192, 10]])),
    ("bn_inception", bn_inception(conv(3, 64, 7, bias=True) + bn(64), 128, True)),
    ("bn_inception_paper", bn_inception(conv(3, 24, 7, groups=3) + unit(24, 64, 1), 128, False)),
    ("bn_inception_slim", bn_inception(conv(3, 24, 7, groups=3) + unit(24, 64, 1), 96, False)),
    ("bn_inception_slim_full", bn_inception(unit(3, 64, 7), 96, False)),
    ("inception_v4", inception_v4()),
    ("inception_v4_released", inception_v4()),  # kernels turned round have as many weights
    ("inception_resnet_v1", inception_resnet(STEM_V1, 256, (5, 10, 5), *V1, lambda n: fc(n, 1000))),
    (
        "inception_resnet_v1_facenet",
        inception_resnet(STEM_V1, 256, (5, 10, 6), *V1, lambda n: n * 512 + bn(512) + fc(512, 1000)),
    ),
    ("inception_resnet_v2", inception_resnet(stem_v4(), 384, (5, 10, 5), *V2, lambda n: fc(n, 1000))),
    (
        "inception_resnet_v2_2048",
        inception_resnet(stem_v4(), 384, (5, 10, 5), *V2[:3], V1[3], V2[4], lambda n: fc(n, 1000)),
    ),
    *[
        (name, inception_resnet(STEM_RELEASED, 320, (10, 20, 10), *V2, lambda n: unit(n, 1536, 1) + fc(1536, 1000)))
        for name in ("inception_resnet_v2_released", "inception_resnet_v2_same")
    ],
    ("plain18", plain18()),
    ("plain34", resnet34("a")),  # shortcuts without parameters: the plain network has as many
    ("resnet_option_a", resnet34("a")),
    ("resnet_option_b", resnet34("b")),
    ("resnet_option_c", resnet34("c")),
    *[(f"resnet_cifar{depth}", resnet_cifar(depth)) for depth in (20, 32, 44, 56, 110, 1202)],
    *[(f"stochastic_depth{depth}", resnet_cifar(depth)) for depth in (110, 1202)],
    ("preact_resnet110", preact_basic(110)),
    ("preact_resnet164", preact_cifar(164)),
    ("preact_resnet1001", preact_cifar(1001)),
    # conv1's normalisation before the pooling is that of the first unit
    ("preact_resnet200", conv(3, 64, 7) + preact_bottlenecks(64, [(64, 3), (128, 24), (256, 36), (512, 3)], 1000)),
    ("preact_resnet50_slim", preact_slim(3, 4, 6, 3)),
    ("preact_resnet101_slim", preact_slim(3, 4, 23, 3)),
    ("preact_resnet152_slim", preact_slim(3, 8, 36, 3)),
    ("preact_resnet200_slim", preact_slim(3, 24, 36, 3)),
    *[
        (f"wrn_{depth}_{k}", wrn(depth, k))
        for depth, k in (
            (16, 1),
            (16, 2),
            (16, 4),
            (16, 8),
            (16, 10),
            (22, 8),
            (22, 10),
            (28, 10),
            (28, 12),
            (40, 1),
            (40, 2),
            (40, 4),
            (40, 8),
        )
    ],
    ("wrn", wrn(28, 10)),
    ("resnext_cifar29_1x64d", resnext29(1, 64)),
    ("resnext_cifar29_8x64d", resnext29(8, 64)),
    ("resnext_cifar29_16x64d", resnext29(16, 64)),
    ("densenet_cifar", densenet(40, 12, False)),
    *[(f"densenet_cifar_{depth}_{k}", densenet(depth, k, False)) for depth, k in ((40, 12), (100, 12), (100, 24))],
    *[
        (f"densenet_cifar_bc_{depth}_{k}", densenet(depth, k, True))
        for depth, k in ((100, 12), (250, 24), (190, 40), (40, 36), (40, 48), (40, 60))
    ],
    ("fractalnet20", fractalnet(3, [64, 128, 256, 512, 512], 10)),
    ("fractalnet20_doubling", fractalnet(3, [64, 128, 256, 512, 512], 10, doubling=True)),
    *[(f"fractalnet_deep{5 * 2**c // 2}", fractalnet(c, NARROW, 100)) for c in range(1, 7)],
    # CS231n 2017, lecture 9: the products of the slides, which count no biases
    ("teaching_inception_naive", 256 * (128 + 9 * 192 + 25 * 96)),
    ("teaching_inception_bottleneck", 256 * (128 + 64 + 64 + 64) + 64 * (9 * 192 + 25 * 96)),
    ("teaching_stack_3x3", 3 * (3 * 3 * 256 * 256)),
    ("teaching_one_7x7", 7 * 7 * 256 * 256),
    ("teaching_1x1", 64 * 32),
    ("teaching_residual_basic", 2 * 9 * 256 * 256),
    ("teaching_residual_bottleneck", 256 * 64 + 9 * 64 * 64 + 64 * 256),
]


@pytest.mark.parametrize(("name", "params"), RECOUNTS)
def test_parameters_equal_the_recount(name: str, params: int) -> None:
    assert numbers(name).totals.params == params


def test_every_network_is_recounted() -> None:
    names = {name for family in FAMILIES for name in zoo_family(family).networks}
    names |= {name for name in zoo_family("resnet").networks if name.startswith("resnet_option")}
    assert names == {name for name, _ in RECOUNTS}


# Exact totals that others published.
EXACT = [
    ("nin", 7_595_176),  # NIN-ImageNet for Caffe: github.com/BVLC/caffe, Model Zoo
    ("inception_v4", 42_679_816),  # timm and pytorchcv, ported from TF-Slim
    ("inception_resnet_v1_facenet", 23_995_624),  # pytorchcv inceptionresnetv1
    ("inception_resnet_v2_released", 55_843_464),  # timm and pytorchcv, ported from TF-Slim
    ("bn_inception", 11_295_240),  # pytorchcv bninception, ported from Caffe
    ("densenet_cifar_bc_100_12", 769_162),  # pytorchcv densenet100_k12_bc_cifar10, and so on
    ("densenet_cifar_bc_250_24", 15_324_406),
    ("densenet_cifar_bc_190_40", 25_624_430),
    # the totals in circulation for option A shortcuts, and for DenseNets that are not BC
    ("resnet_cifar20", 269_722),
    ("resnet_cifar1202", 19_421_274),
    ("densenet_cifar_40_12", 1_019_722),
    ("densenet_cifar_100_12", 6_979_642),
    ("densenet_cifar_100_24", 27_249_082),
    ("wrn_28_10", 36_479_194),  # pytorchcv wrn28_10_cifar10
    ("resnext_cifar29_16x64d", 68_155_210),  # pytorchcv resnext29_16x64d_cifar10
    ("preact_resnet164", 1_703_258),  # pytorchcv preresnet164bn_cifar10
    ("preact_resnet1001", 10_327_706),  # pytorchcv preresnet1001_cifar10
    ("fractalnet20", 33_724_618),  # pytorchcv fractalnet_cifar10
]


@pytest.mark.parametrize(("name", "params"), EXACT)
def test_parameters_equal_a_published_total(name: str, params: int) -> None:
    assert numbers(name).totals.params == params


# Figures as printed, in millions: rounded half up to the printed digits.
PRINTED = [
    # He et al. 2016 (arXiv:1512.03385), Table 6
    ("resnet_cifar20", "0.27"),
    ("resnet_cifar32", "0.46"),
    ("resnet_cifar44", "0.66"),
    ("resnet_cifar56", "0.85"),
    ("resnet_cifar110", "1.7"),
    ("resnet_cifar1202", "19.4"),
    # Huang et al. 2016 (arXiv:1603.09382) use the same networks; 1.7 as quoted in the FractalNet paper
    ("stochastic_depth110", "1.7"),
    # Zagoruyko and Komodakis 2016 (arXiv:1605.07146), Tables 4 and 5, as quoted in other papers and READMEs
    ("preact_resnet110", "1.7"),
    ("preact_resnet164", "1.7"),
    ("wrn_40_1", "0.6"),
    ("wrn_40_2", "2.2"),
    ("wrn_40_4", "8.9"),
    ("wrn_40_8", "35.7"),
    ("wrn_28_10", "36.5"),
    ("wrn_28_12", "52.5"),
    ("wrn_22_8", "17.2"),
    ("wrn_22_10", "26.8"),
    ("wrn_16_4", "2.7"),
    ("wrn_16_8", "11.0"),
    ("wrn_16_10", "17.1"),
    # Xie et al. 2017 (arXiv:1611.05431), Table 7
    ("resnext_cifar29_8x64d", "34.4"),
    # Huang et al. 2017, github.com/liuzhuang13/DenseNet @ e3d24fb README, results on CIFAR and Wide-DenseNet
    ("densenet_cifar_40_12", "1.0"),
    ("densenet_cifar_100_12", "7.0"),
    ("densenet_cifar_100_24", "27.2"),
    ("densenet_cifar_bc_100_12", "0.8"),
    ("densenet_cifar_bc_250_24", "15.3"),
    ("densenet_cifar_bc_190_40", "25.6"),
    ("densenet_cifar_bc_40_36", "1.5"),
    ("densenet_cifar_bc_40_48", "2.7"),
    ("densenet_cifar_bc_40_60", "4.3"),
    # Larsson et al. 2017 (arXiv:1605.07648), the table of ultra-deep networks (recalled; all six agree)
    ("fractalnet_deep5", "0.3"),
    ("fractalnet_deep10", "0.8"),
    ("fractalnet_deep20", "2.1"),
    ("fractalnet_deep40", "4.8"),
    ("fractalnet_deep80", "10.2"),
    ("fractalnet_deep160", "21.1"),
    # its Table 1, under the conjecture that the spec states
    ("fractalnet20_doubling", "38.6"),
    # Netscope's count in dgschwend/zynqnet, networks.xlsx
    ("inception_resnet_v2_2048", "31.6"),
]


def as_printed(count: int, text: str, unit: int = 10**6) -> str:
    return str((Decimal(count) / unit).quantize(Decimal(text), rounding=ROUND_HALF_UP))


@pytest.mark.parametrize(("name", "text"), PRINTED)
def test_parameters_round_to_the_printed_millions(name: str, text: str) -> None:
    assert as_printed(numbers(name).totals.params, text) == text


def test_resnext_29_16x64d_is_printed_truncated() -> None:
    # Xie et al. 2017, Table 7 prints 68.1 M for 68,155,210
    params = numbers("resnext_cifar29_16x64d").totals.params
    assert params // 100_000 == 681
    assert as_printed(params, "68.1") == "68.2"


def test_resnet_1001_is_printed_with_and_without_normalisation() -> None:
    # 10.2 M (He et al. 2016; DenseNet paper, section 5) has the weights of conv and fc; 10.3 M all parameters
    analysis = numbers("preact_resnet1001")
    weights = sum(row.params.weight for row in analysis.rows if row.type in ("conv", "linear"))
    assert as_printed(weights, "10.2") == "10.2"
    assert as_printed(analysis.totals.params, "10.3") == "10.3"


def test_fractalnet_conv_weights_of_the_authors_generator() -> None:
    # gustavla/fractalnet, generation/fractalnet.py @ 447d277: COLUMNS = 3, FILTERS = [64, 128, 256, 512, 512]
    pairs = [(3, 64), (64, 128), (128, 256), (256, 512), (512, 512)]
    expected = sum(9 * (3 * i * o + 4 * o * o) for i, o in pairs)
    assert expected == 33_698_880
    assert sum(row.params.weight for row in numbers("fractalnet20").rows if row.type == "conv") == expected


# Operations as printed, one multiplication and addition as one.
OPERATIONS = [
    ("plain18", "1.8", 10**9),  # He et al. 2016, Table 1
    ("plain34", "3.6", 10**9),  # Table 1 and section 3.3: "3.6 billion FLOPs"
    ("teaching_inception_naive", "854", 10**6),  # CS231n 2017, lecture 9, slides 48 and 49
]


@pytest.mark.parametrize(("name", "text", "unit"), OPERATIONS)
def test_operations_round_to_the_printed_figure(name: str, text: str, unit: int) -> None:
    assert as_printed(numbers(name).totals.macs, text, unit) == text


# Multiplications and additions of pytorchcv 0.0.74's models, measured with torch.utils.flop_counter on the meta
# device and halved.
MEASURED = [
    ("inception_v4", 12_253_974_624),
    ("inception_resnet_v1_facenet", 6_308_235_360),
    ("inception_resnet_v2_released", 13_155_794_016),
    ("bn_inception", 2_032_600_064),
    ("nin_cifar10", 222_486_528),
    ("wrn_28_10", 5_243_328_768),
    ("resnext_cifar29_16x64d", 10_688_866_304),
    ("densenet_cifar_bc_100_12", 287_929_692),
    ("densenet_cifar_bc_190_40", 9_301_945_740),
]


@pytest.mark.parametrize(("name", "macs"), MEASURED)
def test_operations_equal_those_measured_elsewhere(name: str, macs: int) -> None:
    assert numbers(name).totals.macs == macs


def test_plain_34_has_18_percent_of_vgg_19() -> None:
    # He et al. 2016, section 3.3: "only 18 % of VGG-19 (19.6 billion FLOPs)": 3.6/19.6, or 18.56 % truncated
    assert round(100 * 3.6 / 19.6) == 18
    assert 100 * numbers("plain34").totals.macs // 19_632_062_464 == 18


def test_bn_inception_needs_30_percent_more_operations_than_googlenet() -> None:
    # Ioffe and Szegedy 2015, appendix, against the 1502 M of GoogLeNet's own table (Szegedy et al. 2015, Table 1)
    assert as_printed(numbers("bn_inception_paper").totals.macs, "1.3", 1_502_000_000) == "1.3"


# google-research/receptive_field @ f12ae8e, RECEPTIVE_FIELD_TABLE.md: FLOPs up to the last end-point. It counts a
# multiplication and an addition each, one addition per value for the shift after a convolution (TF-Slim has one per
# separable convolution), and every cell that a pooling reads.
SLIM_FLOPS = [
    ("bn_inception_slim", 224, "3.883"),
    ("bn_inception_slim", 321, "8.626"),
    ("bn_inception_slim_full", 224, "4.051"),
    ("bn_inception_slim_full", 321, "8.973"),
    ("inception_v4", 224, "12.271"),
    ("inception_v4", 321, "27.390"),
]


@pytest.mark.parametrize(("name", "size", "text"), SLIM_FLOPS)
def test_flops_of_the_slim_models(name: str, size: int, text: str) -> None:
    total = 0
    for row in analyze(load(name), input=(3, size, size)).rows:
        if row.type == "conv":
            total += 2 * row.macs
        elif row.type == "batch_norm":
            total += row.shape.channels * prod(row.shape.axes)
        elif row.type in ("max_pool", "avg_pool"):
            total += 9 * row.shape.channels * prod(row.shape.axes)  # every pooling here is 3x3
    assert as_printed(total, text, 10**9) == text


# The same table: receptive field, and effective padding (how far the first unit looks past the edge).
SLIM_FIELDS = [
    (
        "bn_inception_slim",
        [
            ("conv1", 7, 2),
            ("pool1", 11, 2),
            ("conv2_reduce.relu", 11, 2),
            ("conv2.relu", 19, 6),
            ("pool2", 27, 6),
            ("inception_3a.concat", 59, 22),
            ("inception_3b.concat", 91, 38),
            ("inception_3c.concat", 123, 46),
            ("inception_4a.concat", 187, 78),
            ("inception_4b.concat", 251, 110),
            ("inception_4c.concat", 315, 142),
            ("inception_4d.concat", 379, 174),
            ("inception_4e.concat", 443, 190),
            ("inception_5a.concat", 571, 254),
            ("inception_5b.concat", 699, 318),
        ],
    ),
    (
        "inception_v4",
        [
            ("stem.mixed1.concat", 15, None),
            ("stem.mixed2.concat", 47, None),
            ("stem.mixed3.concat", 55, None),
            ("inception_a1.concat", 87, 30),
            ("inception_a2.concat", 119, 46),
            ("inception_a3.concat", 151, 62),
            ("inception_a4.concat", 183, 78),
            ("reduction_a.concat", 215, 86),
            ("inception_b1.concat", 407, 182),
            ("inception_b2.concat", 599, 278),
            ("inception_b3.concat", 791, 374),
            ("inception_b4.concat", 983, 470),
            ("inception_b5.concat", 1175, 566),
            ("inception_b6.concat", 1367, 662),
            ("inception_b7.concat", 1559, 758),
            ("reduction_b.concat", 1687, 806),
            ("inception_c1.concat", 1815, 870),
            ("inception_c2.concat", 1943, 934),
            ("inception_c3.concat", 2071, 998),
        ],
    ),
]


@pytest.mark.parametrize(("name", "rows"), SLIM_FIELDS)
def test_receptive_fields_of_the_slim_models(name: str, rows: list[tuple[str, int, int | None]]) -> None:
    analysis = analyze(load(name), input=(3, 224, 224))
    for layer, size, padding in rows:
        field = analysis[layer if layer != "conv1" else "conv1.relu"].field[0].field
        assert (layer, field.last - field.first + 1) == (layer, size)
        if padding is not None:
            assert (layer, -field.first) == (layer, padding)


# Sizes of the stages, as a table folded to depth 1 shows them: names, then channels x height x width.
RESNET_34 = {
    "conv1": "64x112x112",
    "conv2_x": "64x56x56",
    "conv3_x": "128x28x28",
    "conv4_x": "256x14x14",
    "conv5_x": "512x7x7",
    "avgpool": "512x1x1",
    "fc": "1000",
}  # He et al. 2016, Table 1
CIFAR = {
    "conv1": "16x32x32",
    "conv2_x": "16x32x32",
    "conv3_x": "32x16x16",
    "conv4_x": "64x8x8",
    "avgpool": "64x1x1",
    "fc": "10",
}  # He et al. 2016, section 4.2
FIGURE_5_SIZES = {  # 3c and 4e: Figure 5 prints 28x28 and 14x14, the grids that they take
    "conv1": "64x112x112",
    "pool1": "64x56x56",
    "conv2": "192x56x56",
    "pool2": "192x28x28",
    "inception_3a": "256x28x28",
    "inception_3b": "320x28x28",
    "inception_3c": "576x14x14",
    "inception_4a": "576x14x14",
    "inception_4b": "576x14x14",
    "inception_4c": "576x14x14",
    "inception_4d": "576x14x14",
    "inception_4e": "1024x7x7",
    "inception_5a": "1024x7x7",
    "inception_5b": "1024x7x7",
    "avgpool": "1024x1x1",
}
STAGES: list[tuple[str, dict[str, str]]] = [
    (
        "nin",
        {
            "mlpconv1": "96x54x54",
            "pool1": "96x27x27",
            "mlpconv2": "256x27x27",
            "pool2": "256x13x13",
            "mlpconv3": "384x13x13",
            "pool3": "384x6x6",
            "mlpconv4": "1000x6x6",
            "pool4": "1000x1x1",
        },
    ),
    (
        "nin_cifar10",
        {
            "mlpconv1": "96x32x32",
            "pool1": "96x16x16",
            "mlpconv2": "192x16x16",
            "pool2": "192x8x8",
            "mlpconv3": "10x8x8",
            "pool3": "10x1x1",
        },
    ),
    ("bn_inception_slim", FIGURE_5_SIZES),
    # 160 + 160 + 160 + 128 and 96 + 192 + 192 + 128 maps, and 192 + 256 + 608 after them
    (
        "bn_inception",
        FIGURE_5_SIZES | {"inception_4c": "608x14x14", "inception_4d": "608x14x14", "inception_4e": "1056x7x7"},
    ),
    ("bn_inception_paper", {"inception_4c": "608x14x14", "inception_4d": "608x14x14", "inception_4e": "1056x7x7"}),
    # Szegedy et al. 2017, Figure 9
    (
        "inception_v4",
        {
            "stem": "384x35x35",
            "inception_a": "384x35x35",
            "reduction_a": "1024x17x17",
            "inception_b": "1024x17x17",
            "reduction_b": "1536x8x8",
            "inception_c": "1536x8x8",
            "avgpool": "1536x1x1",
            "fc": "1000",
        },
    ),
    # Figure 15, right
    (
        "inception_resnet_v1",
        {
            "stem": "256x35x35",
            "inception_resnet_a": "256x35x35",
            "reduction_a": "896x17x17",
            "inception_resnet_b": "896x17x17",
            "reduction_b": "1792x8x8",
            "inception_resnet_c": "1792x8x8",
            "avgpool": "1792x1x1",
        },
    ),
    # 384 + 384 + 384 where Figure 17 prints 1154, and 1152 + 384 + 288 + 320 where Figure 19 prints 2048
    (
        "inception_resnet_v2",
        {
            "stem": "384x35x35",
            "inception_resnet_a": "384x35x35",
            "reduction_a": "1152x17x17",
            "inception_resnet_b": "1152x17x17",
            "reduction_b": "2144x8x8",
            "inception_resnet_c": "2144x8x8",
        },
    ),
    ("inception_resnet_v2_2048", {"reduction_b": "2048x8x8", "inception_resnet_c": "2048x8x8"}),
    # TF-Slim's comments: 35x35x320, 17x17x1088, 8x8x2080, 8x8x1536
    (
        "inception_resnet_v2_released",
        {"stem": "320x35x35", "reduction_a": "1088x17x17", "reduction_b": "2080x8x8", "conv_last": "1536x8x8"},
    ),
    ("plain18", RESNET_34),
    ("plain34", RESNET_34),
    ("resnet_option_a", RESNET_34),
    ("resnet_option_b", RESNET_34),
    ("resnet_option_c", RESNET_34),
    *[(f"resnet_cifar{depth}", CIFAR) for depth in (20, 32, 44, 56, 110, 1202)],
    *[(f"stochastic_depth{depth}", CIFAR) for depth in (110, 1202)],
    ("preact_resnet110", {"conv1": "16x32x32", "conv2_x": "16x32x32", "conv3_x": "32x16x16", "conv4_x": "64x8x8"}),
    ("preact_resnet164", {"conv1": "16x32x32", "conv2_x": "64x32x32", "conv3_x": "128x16x16", "conv4_x": "256x8x8"}),
    (
        "preact_resnet200",
        {
            "conv1": "64x112x112",
            "conv2_x": "256x56x56",
            "conv3_x": "512x28x28",
            "conv4_x": "1024x14x14",
            "conv5_x": "2048x7x7",
        },
    ),
    # Zagoruyko and Komodakis 2016, Table 1
    (
        "wrn_28_10",
        {"conv1": "16x32x32", "conv2": "160x32x32", "conv3": "320x16x16", "conv4": "640x8x8", "avgpool": "640x1x1"},
    ),
    # Xie et al. 2017, section 5.3
    (
        "resnext_cifar29_8x64d",
        {"conv1": "64x32x32", "stage1": "256x32x32", "stage2": "512x16x16", "stage3": "1024x8x8"},
    ),
    # 16 + 12*12 = 160, 160 + 144 = 304, 304 + 144 = 448; with BC 24 + 16*12 = 216, 108 + 192 = 300, 150 + 192 = 342
    (
        "densenet_cifar_40_12",
        {
            "conv1": "16x32x32",
            "block1": "160x32x32",
            "transition1": "160x16x16",
            "block2": "304x16x16",
            "transition2": "304x8x8",
            "block3": "448x8x8",
        },
    ),
    (
        "densenet_cifar_bc_100_12",
        {
            "conv1": "24x32x32",
            "block1": "216x32x32",
            "transition1": "108x16x16",
            "block2": "300x16x16",
            "transition2": "150x8x8",
            "block3": "342x8x8",
        },
    ),
    # Larsson et al. 2017, section 4: 5 blocks, each followed by 2x2 max pooling
    (
        "fractalnet20",
        {
            "block1": "64x32x32",
            "pool1": "64x16x16",
            "block2": "128x16x16",
            "block3": "256x8x8",
            "block4": "512x4x4",
            "block5": "512x2x2",
            "pool5": "512x1x1",
        },
    ),
    # CS231n 2017, lecture 9: 28x28x672 and 28x28x480
    (
        "teaching_inception_naive",
        {"b1x1": "128x28x28", "b3x3": "192x28x28", "b5x5": "96x28x28", "pool": "256x28x28", "concat": "672x28x28"},
    ),
    ("teaching_inception_bottleneck", {"pool": "64x28x28", "concat": "480x28x28"}),
    ("teaching_1x1", {"conv": "32x56x56"}),
]


@pytest.mark.parametrize(("name", "sizes"), STAGES)
def test_stages_have_the_printed_sizes(name: str, sizes: dict[str, str]) -> None:
    folded = {row.name: str(row.shape) for row in numbers(name).fold(1)}
    assert {stage: folded.get(stage) for stage in sizes} == sizes


# Single networks.


@pytest.mark.parametrize(("depth", "k"), [(10, 1), (22, 2), (52, 1), (34, 6)])
def test_wrn_of_any_depth_and_width(depth: int, k: int) -> None:
    assert numbers("wrn", depth=depth, k=k).totals.params == wrn(depth, k)


@pytest.mark.parametrize(("depth", "growth", "bc"), [(40, 24, False), (100, 12, True), (22, 8, True)])
def test_densenet_of_any_depth_and_growth(depth: int, growth: int, bc: bool) -> None:
    assert numbers("densenet_cifar", layers=depth, growth=growth, bc=bc).totals.params == densenet(depth, growth, bc)


@pytest.mark.parametrize(("cardinality", "width"), [(1, 64), (2, 64), (4, 64), (32, 4)])
def test_resnext_of_any_cardinality_and_width(cardinality: int, width: int) -> None:
    net = numbers("resnext_cifar29_8x64d", cardinality=cardinality, width=width)
    assert net.totals.params == resnext29(cardinality, width)


@pytest.mark.parametrize("depth", [8, 14, 26, 602])
def test_resnet_cifar_of_any_depth(depth: int) -> None:
    net = numbers("resnet_cifar20", depth=depth)
    assert net.totals.params == resnet_cifar(depth)
    assert sum(row.type in ("conv", "linear") for row in net.rows) == depth


def test_shortcut_options_apply_to_any_depth() -> None:
    # 25,557,032 is torchvision's resnet50; projections of option B: conv and two numbers per map
    projections = sum(unit(i, o, 1) for i, o in ((64, 256), (256, 512), (512, 1024), (1024, 2048)))
    assert numbers("resnet50", option="b").totals.params == 25_557_032
    assert numbers("resnet50", option="a").totals.params == 25_557_032 - projections


def test_option_a_costs_nothing() -> None:
    # He et al. 2016, section 3.3: option A "introduces no extra parameter"
    plain, option_a = numbers("plain34").totals, numbers("resnet_option_a").totals
    assert (plain.params, plain.macs) == (option_a.params, option_a.macs)


DEPTHS = [
    *[(f"fractalnet_deep{5 * 2**c // 2}", 5 * 2 ** (c - 1)) for c in range(1, 7)],  # B * 2^(C-1)
    ("fractalnet20", 20),
    ("plain18", 17),
    ("plain34", 33),
    ("preact_resnet1001", 1000),
    ("preact_resnet200", 199),
    ("wrn_28_10", 25),
    ("densenet_cifar_40_12", 39),
    ("densenet_cifar_bc_250_24", 249),
    ("nin", 12),
    ("nin_cifar10", 9),
]


@pytest.mark.parametrize(("name", "depth"), DEPTHS)
def test_convolutions_on_the_deepest_path(name: str, depth: int) -> None:
    """The depth in a network's name, less the fully connected layer; a WRN's counts its three projections too."""
    depths = [0]
    for node in load(name).nodes[1:]:
        depths.append(max(depths[i] for i in node.inputs) + (node.layer.type == "conv"))
    assert depths[-1] == depth


@pytest.mark.parametrize("columns", range(2, 7))
def test_a_fractal_block_joins_as_figure_1_draws_it(columns: int) -> None:
    """Column k (deepest 1) has 2^(C-k) convolutions; a join of j columns stands 2^(C-j-1) times, that of all C once."""
    network = load("fractalnet20", columns=columns, widths=[8])
    joins = [len(node.inputs) for node in network.nodes if node.layer.type == "mean"]
    expected = {j: 2 ** (columns - j - 1) for j in range(2, columns)} | {columns: 1}
    assert {j: joins.count(j) for j in set(joins)} == expected
    assert sum(node.layer.type == "conv" for node in network.nodes) == 2**columns - 1


@pytest.mark.parametrize(("name", "blocks"), [("stochastic_depth110", 54), ("stochastic_depth1202", 600)])
def test_linear_decay_keeps_three_quarters_of_the_blocks(name: str, blocks: int) -> None:
    # Huang et al. 2016, section 3: p_l = 1 - l/L (1 - p_L); at p_L = 0.5 the sum is (3L - 1)/4, "40 at L = 54"
    drops = [node.layer.settings["p"] for node in load(name).nodes if node.layer.type == "drop_path"]
    assert drops == [place / blocks * 0.5 for place in range(1, blocks + 1)]
    assert sum(1 - Fraction(place, 2 * blocks) for place in range(1, blocks + 1)) == Fraction(3 * blocks - 1, 4)


def test_a_last_survival_of_one_drops_nothing() -> None:
    assert {
        node.layer.settings["p"]
        for node in load("stochastic_depth110", last=1.0).nodes
        if node.layer.type == "drop_path"
    } == {0.0}


def test_residuals_are_scaled_as_released() -> None:
    # TF-Slim's inception_resnet_v2.py: block35 0.17, block17 0.10, block8 0.20, and the last one by nothing
    factors = [
        node.layer.settings["factor"]
        for node in load("inception_resnet_v2_released").nodes
        if node.layer.type == "scale"
    ]
    assert factors == [0.17] * 10 + [0.1] * 20 + [0.2] * 9


SLIDES = [
    # CS231n 2017, lecture 9: the factors as the slides print them
    (
        "teaching_inception_naive",
        [28 * 28 * 128 * 1 * 1 * 256, 28 * 28 * 192 * 3 * 3 * 256, 28 * 28 * 96 * 5 * 5 * 256],
    ),
    (
        "teaching_inception_bottleneck",
        [
            28 * 28 * 128 * 1 * 1 * 256,
            28 * 28 * 64 * 1 * 1 * 256,
            28 * 28 * 192 * 3 * 3 * 64,
            28 * 28 * 64 * 1 * 1 * 256,
            28 * 28 * 96 * 5 * 5 * 64,
            28 * 28 * 64 * 1 * 1 * 256,
        ],
    ),
]


@pytest.mark.parametrize(("name", "products"), SLIDES)
def test_products_of_the_slides(name: str, products: list[int]) -> None:
    assert [row.macs for row in numbers(name).rows if row.type == "conv"] == products


def test_sums_of_the_slides() -> None:
    naive, bottleneck = (sum(products) for _, products in SLIDES)
    assert (naive, bottleneck) == (854_196_224, 271_351_808)
    assert as_printed(bottleneck, "358", 10**6) == "271"  # what the slide prints is not the sum of its products
    assert as_printed(bottleneck + 28 * 28 * 192 * 3 * 3 * 64, "358", 10**6) == "358"  # but with the 3x3 twice it is


def test_three_3x3_see_what_one_7x7_sees() -> None:
    stack, one = numbers("teaching_stack_3x3"), numbers("teaching_one_7x7")
    fields = [analysis.rows[-1].field[0].field for analysis in (stack, one)]
    assert [field.last - field.first + 1 for field in fields] == [7, 7]
    assert stack.totals.params * 49 == one.totals.params * 27


@pytest.mark.parametrize("family", FAMILIES)
def test_names_and_sources(family: str) -> None:
    spec = zoo_family(family)
    assert {"title", "paper", "year"} <= set(spec.about)
    for name in spec.networks:
        assert name.startswith(family)


@pytest.mark.parametrize("bc", [False, True])
def test_shared_memory_densenet_holds_the_new_maps_alone(bc: bool) -> None:
    # Layer l of a block sees k0 + (l-1)k maps. Written out, it holds them twice more: joined and normalised. In
    # buffers that all layers share it does not: Pleiss et al. 2017. Everything else is the same.
    layers, growth, k0 = (100, 12, 24) if bc else (40, 12, 16)
    n = (layers - 4) // (6 if bc else 3)
    saved = 0
    for side in (32, 16, 8):
        seen = [k0 + i * growth for i in range(n + 1)]
        saved += side * side * (sum(seen[:-1]) + sum(seen[1:]))  # normalised inputs, and joins after every layer
        k0 = seen[-1] // 2 if bc else seen[-1]
    plain, shared = (
        numbers("densenet_cifar", layers=layers, growth=growth, bc=bc, shared_memory=s).totals for s in (False, True)
    )
    assert plain.values - shared.values == saved
    assert (plain.params, plain.macs, plain.buffers) == (shared.params, shared.macs, shared.buffers)
