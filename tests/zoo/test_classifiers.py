"""Classifiers of papers that torchvision lacks, against what the papers print and against timm's models.

SE-ResNet and SENet-154, Xception, ShuffleNet, DPN, NASNet-A, Darknet-19, Darknet-53 and BiT.
"""

from __future__ import annotations

from typing import Any

import pytest

import archcalc

EXACT = [
    # network, quantity, figure
    ("se_resnet50", "params", 28_088_024),  # timm: legacy_seresnet50
    ("senet154", "params", 115_088_984),  # timm: legacy_senet154
    ("xception", "params", 22_855_952),  # Chollet 2017, Table 3
    ("dpn68", "params", 12_611_602),  # timm: dpn68
    ("dpn92", "params", 37_668_392),  # timm: dpn92
    ("nasnet_a_large", "params", 88_753_150),  # timm: nasnetalarge
    ("nasnet_a_mobile", "params", 5_289_978),  # keras.applications.NASNetMobile, trainable
    ("nasnet_a_mobile", "buffers", 36_738),  # keras.applications.NASNetMobile, not trainable
    ("darknet53", "params", 41_609_928),  # timm: darknet53
    ("bit_r50x1", "params", 25_549_352),  # timm: resnetv2_50x1_bit, and so on
    ("bit_r50x3", "params", 217_319_080),
    ("bit_r101x1", "params", 44_541_480),
    ("bit_r101x3", "params", 387_934_888),
    ("bit_r152x2", "params", 236_335_208),
    ("bit_r152x4", "params", 936_533_224),
]


@pytest.mark.parametrize(("name", "quantity", "figure"), EXACT)
def test_as_counted_elsewhere(name: str, quantity: str, figure: int) -> None:
    assert getattr(archcalc.load(name).analyze().totals, quantity) == figure


PRINTED = [
    # network, quantity, input, as printed in millions or billions
    # Zoph et al. 2018, Table 2: multiply-adds and parameters
    ("nasnet_a_large", "macs", 331, "23.8G"),
    ("nasnet_a_mobile", "macs", 224, "564M"),
    ("nasnet_a_mobile", "params", 224, "5.3M"),
    # Chen et al. 2017, Table 1
    ("dpn92", "macs", 224, "6.5G"),
    # Redmon and Farhadi 2017, section 3: "Darknet-19 only requires 5.58 billion operations", two for a multiply-add
    ("darknet19", "flops", 224, "5.58G"),
    # Redmon and Farhadi 2018, Table 2: Darknet-19's operations at 256
    ("darknet19", "flops", 256, "7.29G"),
]


@pytest.mark.parametrize(("name", "quantity", "size", "printed"), PRINTED)
def test_as_printed(name: str, quantity: str, size: int, printed: str) -> None:
    count = getattr(archcalc.load(name).analyze(input=(3, size, size)).totals, quantity)
    decimals = len(printed[:-1].partition(".")[2])
    assert f"{count / {'M': 1e6, 'G': 1e9}[printed[-1]]:.{decimals}f}{printed[-1]}" == printed


SHUFFLENET = {
    # Zhang et al. 2018, Table 1: complexity in millions of multiply-adds, without the fully connected layer
    "shufflenet_v1_g1": 143,
    "shufflenet_v1_g2": 140,
    "shufflenet_v1_g3": 137,
    "shufflenet_v1_g4": 133,
    "shufflenet_v1_g8": 137,
}


@pytest.mark.parametrize("name", SHUFFLENET)
def test_shufflenet_without_its_fully_connected_layer(name: str) -> None:
    rows = archcalc.load(name).analyze().rows
    assert round(sum(row.macs or 0 for row in rows if row.type == "conv") / 1e6) == SHUFFLENET[name]


def test_nasnet_large_has_the_tensors_of_timm() -> None:
    """Tensor by tensor, in an order that the graph allows. timm's poolings divide by the zeros of a border, too."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("timm")
    from archcalc.witness.as_on_cpu import AsOnCpu
    from archcalc.witness.built import Built
    from archcalc.witness.counterpart import pairs
    from archcalc.witness.models import Model

    with torch.device("meta"):
        built = Built(archcalc.load("nasnet_a_large", count_pad=True))
    theirs: Any = Model("timm", "nasnetalarge").build()
    with AsOnCpu():
        paired, problem = pairs(built, theirs, torch.empty(2, 3, 331, 331, device="meta"))
    assert not problem
    assert len(paired) == len([*theirs.parameters(), *theirs.buffers()])
