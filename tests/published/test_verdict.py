"""Verdicts on small tables, with the arithmetic beside them."""

import pytest

from archcalc.errors import ArchcalcError
from archcalc.published.figures import load_figures
from archcalc.published.quantities import Calculator
from archcalc.published.verdict import FAILS, judge_all

HEAD = "- {source: paper, where: here, confidence: CONFIDENCE, network: NET, columns: [COLUMN], rows: {LAYER: CELL}}"


@pytest.fixture(scope="module")
def bench():
    return Calculator()


@pytest.fixture
def judged(tmp_path, bench):
    def judge(net, layer, column, cell, confidence="read"):
        (tmp_path / "sources.yaml").write_text('paper: {title: "A paper", link: "https://example.org"}\n')
        text = HEAD
        given = {"CONFIDENCE": confidence, "NET": net, "LAYER": layer, "COLUMN": column, "CELL": cell}
        for name, value in given.items():
            text = text.replace(name, value)
        (tmp_path / "some.yaml").write_text(text)
        (only,) = judge_all(load_figures(tmp_path), bench)
        return only

    return judge


@pytest.mark.parametrize(
    ("net", "layer", "column", "cell", "verdict", "manner"),
    [
        ("vgg16", "conv1_2", "weights", '"36,864"', "match", "exact"),  # 64 * 64 * 9
        ("vgg16", "conv1_2", "params", '"36,928"', "match", "exact"),  # and 64 biases
        ("vgg16", "conv1_2", "macs", "1.85G", "match", "rounded"),  # 36,864 * 224 * 224 = 1,849,688,064
        ("vgg16", "conv1_2", "macs", "1.84G", "truncated", "truncated"),
        ("vgg16", "conv1_2", "output_size", "224x224x64", "match", "exact"),
        ("vgg16", "conv1_2", "input_size", "224x224x64", "match", "exact"),
        ("vgg16", "pool1", "map_size", "112x112", "match", "exact"),
        ("vgg16", "conv1", "weights", '"38,592"', "match", "exact"),  # the block: 1,728 + 36,864
        ("vgg16", "fc6 + fc8", "weights", '"106,856,448"', "match", "exact"),  # 25088 * 4096 + 4096 * 1000
        ("vgg16", "conv*", "biases", '"4,224"', "match", "exact"),  # 2*64 + 2*128 + 3*256 + 6*512
        ("vgg16", "..conv1_2", "macs", '"1,936,392,192"', "match", "exact"),  # (27 + 576) * 64 * 224 * 224
        ("vgg16", "pool1", "receptive_field", "6", "match", "exact"),  # 3, 5, then 2 cells one apart
        ("vgg16", "pool1", "effective_stride", "2", "match", "exact"),
        ("vgg16", "pool1", "effective_padding", "2", "match", "exact"),
        ("vgg16", "total", "depth", "16", "match", "exact"),
        ("vgg16", "total", "largest_output", '"3,211,264"', "match", "exact"),  # 64 * 224 * 224
        ("vgg16", "total", "{quantity: x, as: 'vgg19:depth - depth'}", "3", "match", "exact"),
        ("lenet5", "C1", "connections", '"122,304"', "match", "exact"),  # 28 * 28 * 6 * (25 + 1)
        ("lenet5", "C3", "params", '"1,516"', "match", "exact"),  # 25 * (6*3 + 9*4 + 6) + 16
    ],
)
def test_matches(judged, net, layer, column, cell, verdict, manner):
    found = judged(net, layer, column, cell)
    assert (found.verdict, found.manner) == (verdict, manner)


@pytest.mark.parametrize(
    ("net", "layer", "column", "cell", "reason"),
    [
        ("vgg16", "conv1_2", "params", '"36,864"', "biases left out"),
        ("vgg16", "conv1_2", "weights", '"36,928"', "biases counted"),
        ("vgg16", "fc8", "macs", '"8,192,000"', "a multiply-add as two operations"),  # 2 * 4096 * 1000
        ("vgg16", "fc8", "flops", '"4,096,000"', "a multiply-add as one operation"),
        ("vgg16", "fc8", "weights", "4000K", "K = 1024"),  # 4096 * 1000 / 1024
        ("vgg16", "total", "{quantity: memory, as: 4 * values}", "58MB", "MiB called MB"),  # 60,950,432 / 2^20 = 58.1
        ("resnet50", "conv1 + bn1", "params", '"9,664"', "running statistics counted"),  # 9,408 + 4 * 64
        ("resnet50", "conv1 + bn1", "params", '"9,408"', "normalisation left out"),  # 64 * 3 * 49
        ("vgg16", "conv1_1", "values", "0", None),
        ("vgg16", "relu1_1", "values", '"3,211,264"', "outputs in place counted"),
    ],
)
def test_other_conventions(judged, net, layer, column, cell, reason):
    found = judged(net, layer, column, cell)
    assert (found.verdict, found.reason) == (("other convention", reason) if reason else ("wrong", ""))


def test_a_truncated_number_is_no_other_convention(judged):
    assert judged("vgg16", "fc6", "macs", "206M").verdict == "other convention"  # 2 * 102,760,448 = 205.52 million
    assert judged("vgg16", "fc6", "macs", "205M").verdict == "wrong"


def test_another_network_of_the_family_is_tried_for_totals_alone(judged):
    assert judged("resnet50", "total", "macs", '"4,089,184,256"').reason == "resnet50_tv"
    assert judged("resnet50", "total", "macs", '"4,089,184,256"').verdict == "other variant"
    assert judged("resnet50", "conv1", "output_size", "112x112x65").verdict == "wrong"
    assert judged("zfnet", "conv3", "filters", "512").verdict == "wrong"


def explained(cell, claim):
    return f"{{printed: '{cell}', explained_by: {{{claim}, because: so they say}}}}"


@pytest.mark.parametrize(
    ("net", "column", "cell", "claim", "verdict", "arithmetic"),
    [
        (
            "vgg16",
            "macs",
            "15.3G",
            "as: 'macs - macs[fc*]'",
            "other convention",
            "15,470,264,320 - 123,633,664 = 15,346,630,656",
        ),
        (
            "vgg16",
            "macs",
            "15.3G",
            "as: 'macs - macs[conv1]'",
            FAILS,
            "15,470,264,320 - 1,936,392,192 = 13,533,872,128",
        ),
        (
            "vgg16",
            "{quantity: b, as: 4 * values}",
            "58MB",
            "binary: true",
            "other convention",
            "4 * 15,237,608 = 60,950,432",
        ),
        ("googlenet", "params", "13.4M", "training: true", "other variant", "13,378,280"),
        ("vgg16", "macs", "20.2G", "input: 3x256x256", "other variant", "20,199,669,760"),
        ("vgg16", "params", "134M", "settings: {classes: 10}", "other variant", "134,301,514"),
        ("vgg16", "params", "61M", "network: alexnet_grouped", "other variant", "60,965,224"),
        ("vgg16", "params", "61M", "network: alexnet", FAILS, "62,378,344"),
        (
            "teaching_inception_bottleneck",
            "macs",
            "358M",
            "slip: 'macs + macs[b3x3.conv]'",
            "wrong",
            "271,351,808 + 86,704,128 = 358,055,936",
        ),
        (
            "teaching_inception_bottleneck",
            "macs",
            "358M",
            "slip: 'macs + macs[b5x5.conv]'",
            FAILS,
            "271,351,808 + 120,422,400 = 391,774,208",
        ),
        (
            "bn_inception_paper",
            "output_size",
            "224x224x1000",
            "slip: '[in_height, in_width, channels]'",
            "wrong",
            "224x224x1000",
        ),
    ],
)
def test_an_explanation_is_computed(judged, net, column, cell, claim, verdict, arithmetic):
    found = judged(net, "total", column, explained(cell, claim))
    assert (found.verdict, found.reason, found.claim) == (verdict, "so they say", arithmetic)


def test_an_explanation_of_what_does_not_exist_fails(judged):
    found = judged("vgg16", "total", "macs", explained("1G", "slip: 'macs[conv9]'"))
    assert found.verdict == FAILS
    assert "vgg16 has no layer 'conv9'" in found.reason


def test_an_explanation_that_cannot_be_built_fails(judged):
    found = judged("inception_v3, input: 3x224x224", "total", "params", explained("27.2M", "training: true"))
    assert found.verdict == FAILS
    assert "a side head does not fit" in found.reason


def test_a_formula_without_a_value(judged):
    found = judged("vgg16", "total", "{quantity: x, as: macs / (params - params)}", "1")
    assert (found.verdict, found.reason.split(":")[0]) == ("unverifiable", "division by zero")


def test_what_matches_needs_no_explanation(judged):
    assert judged("vgg16", "total", "params", explained("138M", "slip: params")).verdict == "match"


def test_memory_convicts_nobody(judged):
    slip = explained("13.6G", "slip: 'macs - macs[conv3_3]'")
    assert judged("vgg16", "total", "macs", "13.6G", "memory").verdict == "unverifiable"
    assert judged("vgg16", "total", "macs", slip, "memory").verdict == "unverifiable"
    assert judged("vgg16", "total", "macs", slip, "quoted").verdict == "wrong"
    assert judged("vgg16", "total", "macs", "15.47G", "memory").verdict == "match"


@pytest.mark.parametrize(
    ("net", "layer", "column", "reason"),
    [
        ("vgg17x", "total", "macs", "the zoo has no network vgg17x"),
        ("vgg16", "conv9_9", "macs", "vgg16 has no layer 'conv9_9'"),
        ("vgg16", "total", "carbon_footprint", "archcalc does not compute carbon footprint"),
        ("vgg16", "total", "surviving", "no path of the network can be dropped"),
        ("inception_v3", "mixed_6b.branch7x7.conv_2.conv", "receptive_field", "inception_v3 has no layer"),
    ],
)
def test_what_cannot_be_checked_says_why(judged, net, layer, column, reason):
    found = judged(net, layer, column, "1")
    assert found.verdict == "unverifiable"
    assert found.reason.startswith(reason)


def test_arithmetic_is_shown(judged):
    def shown(layer, quantity):
        return judged("vgg16", layer, quantity, "1").arithmetic

    assert shown("conv1_2", "macs") == "64 x 224 x 224 outputs x 576 products each = 1,849,688,064"
    assert shown("conv1_2", "weights") == "64 filters x 576 weights each = 36,864"
    assert shown("conv1", "weights") == "1,728 + 36,864 = 38,592"
    assert shown("conv1_2", "outputs") == "64 x 224 x 224 = 3,211,264"


def test_a_network_that_cannot_be_built_is_an_error_with_its_line(judged):
    with pytest.raises(ArchcalcError, match=r"^some\.yaml:1: .*depth"):
        judged("wrn, settings: {depth: 17}", "total", "params", "1")
