"""Networks side by side: depth, ratios, and errors that never stand without their source."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from archcalc import ArchcalcError, Network, load
from archcalc.analysis.depth import depth
from archcalc.language.accuracy import accuracies
from archcalc.report.compare import compare_table
from archcalc.report.formats import FORMATS, render_table
from archcalc.units import ratio_text
from tests.report.test_formats import text_columns

VGG16_PARAMS, VGG16_MACS = 138_357_544, 15_470_264_320  # Simonyan and Zisserman 2015, recounted by hand in CS231n
ALEXNET_PARAMS = (  # one tower, layer by layer
    (11 * 11 * 3 + 1) * 96
    + (5 * 5 * 96 + 1) * 256
    + (9 * 256 + 1) * 384
    + (9 * 384 + 1) * 384
    + (9 * 384 + 1) * 256
    + (6 * 6 * 256 + 1) * 4096
    + (4096 + 1) * 4096
    + (4096 + 1) * 1000
)

# Depth.

NAMED = [
    "vgg11",
    "vgg11_lrn",
    "vgg11_bn",
    "vgg13",
    "vgg16",
    "vgg16_c",
    "vgg16_bn",
    "vgg19",
    "plain18",
    "plain34",
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
    "resnet50_tv",
    "resnet152_tv",
    "resnet_cifar20",
    "resnet_cifar32",
    "resnet_cifar44",
    "resnet_cifar56",
    "resnet_cifar110",
    "resnet_cifar1202",
    "preact_resnet110",
    "preact_resnet164",
    "preact_resnet200",
    "preact_resnet1001",
    "stochastic_depth110",
    "densenet121",
    "densenet161",
    "densenet169",
    "densenet201",
    "resnext50_32x4d",
    "resnext101_64x4d",
    "resnext_cifar29_8x64d",
    "wide_resnet50_2",
    "wide_resnet101_2",
    "densenet_cifar_40_12",
    "densenet_cifar_bc_100_12",
    "densenet_cifar_bc_190_40",
]


def number_in(name: str) -> int:
    """The depth in a network's name: its first number, not counting a pattern's own digits."""
    digits = "".join(c if c.isdigit() else " " for c in name)
    return int(digits.split()[0])


@pytest.mark.parametrize("name", NAMED)
def test_depth_is_the_number_in_the_name(name: str) -> None:
    assert depth(load(name)) == number_in(name)


@pytest.mark.parametrize(
    ("name", "layers", "why"),
    [
        ("alexnet", 5 + 3, "Krizhevsky et al. 2012, section 3.5: five convolutional and three fully connected"),
        ("zfnet", 5 + 3, "Zeiler and Fergus 2014, Figure 3: eight layers"),
        ("googlenet", 22, "Szegedy et al. 2015, section 5: 22 layers with parameters"),
        ("googlenet_tv", 22, "the same modules"),
        ("nin", 4 * 3, "four mlpconv layers, each a convolution and two 1x1"),
        ("nin_cifar10", 3 * 3, "three mlpconv layers"),
        ("squeezenet1_0", 1 + 8 * 2 + 1, "conv1, eight fire modules of squeeze and expand, conv10"),
        ("mobilenet_v1", 28, "Howard et al. 2017, section 3.2: 28 layers, depthwise and pointwise counted apart"),
        ("mobilenet_v1_conv", 1 + 13 + 1, "full convolutions in place of the thirteen pairs"),
        ("densenet264", 1 + 2 * (6 + 12 + 64 + 48) + 3 + 1, "Huang et al. 2017, Table 1: one more than the name"),
        (
            "inception_v3",
            5 + 3 * 3 + 3 + 4 * 5 + 4 + 2 * 3 + 1,
            (
                "as released: stem, modules of 35x35, reduction, modules of 17x17, reduction, modules of 8x8, classifier; the "
                "paper says 42 of the network of its Table 1, whose stem and modules are others, and not how it counts"
            ),
        ),
    ],
)
def test_depth_as_the_papers_count_it(name: str, layers: int, why: str) -> None:
    assert depth(load(name)) == layers, why


@pytest.mark.parametrize("name", ["wrn_16_8", "wrn_22_10", "wrn_28_10", "wrn_40_4"])
def test_wide_residual_networks_count_their_projections(name: str) -> None:
    """WRN-d has 6N convolutions in blocks, one before, one projection in each of three groups: d = 6N + 4.

    A projection lies beside two convolutions, so the longest path passes none, but does pass the classifier.
    """
    blocks = 6 * ((number_in(name) - 4) // 6)
    assert number_in(name) == blocks + 1 + 3
    assert depth(load(name)) == blocks + 1 + 1


@pytest.mark.parametrize(
    ("name", "columns"),
    [("fractalnet20", 3), ("fractalnet_deep5", 1), ("fractalnet_deep40", 4), ("fractalnet_deep160", 6)],
)
def test_fractal_depth_doubles_with_every_column(name: str, columns: int) -> None:
    """Larsson et al. 2017, section 2: B 2^(C-1) convolutions; the name leaves the classifier out."""
    assert number_in(name) == 5 * 2 ** (columns - 1)
    assert depth(load(name)) == number_in(name) + 1


def test_the_two_layers_of_a_gate_lie_beside_the_path(tmp_path: Path) -> None:
    spec = tmp_path / "gated.yaml"
    spec.write_text("""input: [8, 16, 16]
layers:
  - conv: {out: 8, kernel: 3, pad: 1}
  - multiply:
      x: []
      gate: [global_avg_pool, {conv: {out: 2, kernel: 1}}, relu, {conv: {out: 8, kernel: 1}}, sigmoid]
  - multiply:
      short: []
      long: [{conv: {out: 8, kernel: 3, pad: 1}}, {conv: {out: 8, kernel: 1}}]
  - flatten
  - linear: {out: 10}
""")
    gates, product_of_two_paths = 0, 2
    assert depth(load(str(spec))) == 1 + gates + product_of_two_paths + 1


# The table.


def compared(*names: str, baseline: str | None = None, **how: str) -> list[dict[str, str]]:
    base = load(baseline).analyze(**how) if baseline else None
    table = compare_table([load(name).analyze(**how) for name in names], baseline=base)
    return list(csv.DictReader(io.StringIO(render_table(table, "csv"))))


def test_a_row_has_the_figures_of_its_analysis() -> None:
    (row,) = compared("vgg16")
    assert (row["network"], row["input"], row["depth"]) == ("vgg16", "3x224x224", "16")
    assert (int(row["params"]), int(row["macs"])) == (VGG16_PARAMS, VGG16_MACS)
    assert int(row["flops"]) == 2 * VGG16_MACS
    # every 3x3 adds 2 and every pooling 1, in steps that double at each of the five poolings
    assert int(row["rf"]) == 1 + sum(2 * n * 2**stage + 2**stage for stage, n in enumerate([2, 2, 3, 3, 3]))
    assert (row["top1"], row["top5"]) == ("27.0", "8.8")


def test_memory_is_in_bytes_of_the_type() -> None:
    full, half = compared("vgg16")[0], compared("vgg16", dtype="float16")[0]
    assert int(full["memory"]) == 2 * int(half["memory"])


@pytest.mark.parametrize(
    ("value", "base", "said"),
    [
        (VGG16_PARAMS, ALEXNET_PARAMS, "2.22"),
        (1, 3, "0.333"),
        (3, 3, "1.00"),
        (25, 2, "12.5"),
        (250, 2, "125"),
        (1996, 2, "998"),
        (1999, 2, "1,000"),
        (10_746_880, 1_000, "10,747"),
        (0, 3, "0.00"),
    ],
)
def test_a_ratio_has_three_digits(value: int, base: int, said: str) -> None:
    assert ratio_text(value / base) == said


def test_ratios_are_to_the_baseline() -> None:
    rows = compared("vgg16", "resnet50", "alexnet", baseline="alexnet")
    alexnet = load("alexnet").analyze().totals
    assert alexnet.params == ALEXNET_PARAMS
    for row in rows:
        assert row["baseline"] == "alexnet"
        for what, base in (("params", ALEXNET_PARAMS), ("macs", alexnet.macs), ("memory", 4 * alexnet.values)):
            assert float(row[f"{what}_ratio"]) == int(row[what]) / base
    assert {rows[-1][f"{what}_ratio"] for what in ("params", "macs", "memory")} == {"1.0"}


def test_the_columns_are_those_asked_for_in_their_order() -> None:
    out = render_table(compare_table([load("lenet5").analyze()], ["macs", "network"]), "csv")
    assert out.splitlines()[0].endswith("archcalc,macs,network")


def test_no_source_is_named_where_no_error_is_shown() -> None:
    assert compare_table([load("vgg16").analyze()], ["network", "macs"]).footer == []


def test_an_unknown_column_names_the_nearest(archcalc) -> None:
    assert archcalc("compare", "vgg16", "--columns", "network,mac") == (
        2,
        "",
        "archcalc: unknown column 'mac'; did you mean 'macs'?\n",
    )
    with pytest.raises(
        ArchcalcError,
        match=r"unknown column 'zzz'; known: network, .* rf \(field\), rf_with_gates \(field with gates\), top1 ",
    ):
        compare_table([load("lenet5").analyze()], ["zzz"])


def test_an_unknown_network_or_baseline_is_refused(archcalc) -> None:
    status, out, said = archcalc("compare", "vgg16", "--baseline", "alexnte")
    assert (status, out) == (2, "")
    assert said.startswith("archcalc: unknown network 'alexnte'; did you mean 'alexnet'?")


# Errors and their sources.


def test_every_error_is_followed_by_its_source(archcalc) -> None:
    names = ["vgg16", "alexnet", "googlenet", "resnet50_tv", "lenet5"]
    status, out, _ = archcalc("compare", *names)
    assert status == 0
    titles, rows = text_columns(out)
    shown = {row[0]: (row[titles.index("top-1 %")], row[titles.index("top-5 %")]) for row in rows}
    for name in names:
        entry = accuracies().get(name)
        assert shown[name] == (("", "") if entry is None else (entry.top1 or "", entry.top5 or ""))
        lines = [line for line in out.splitlines() if line.startswith(f"{name}: ")]
        assert lines == ([] if entry is None else [f"{name}: error on {entry.on}, {entry.how}; {entry.source}"])
    assert {name for name in names if any(shown[name])} == {"vgg16", "googlenet", "resnet50_tv"}


def test_a_figure_without_a_source_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    assert compared("vgg16")[0]["top1"] == "27.0"
    monkeypatch.setattr("archcalc.report.compare.accuracies", dict)
    table = compare_table([load("vgg16").analyze()])
    assert (table.footer, "27.0" in str(table.rows)) == ([], False)


def test_changed_settings_have_no_published_error(archcalc) -> None:
    _, out, _ = archcalc("compare", "resnet50", "--set", "classes=10", "--format", "csv")
    (row,) = csv.DictReader(io.StringIO(out))
    assert (row["top1"], row["top5"]) == ("", "")
    assert "Table 3" not in archcalc("compare", "resnet50", "--set", "classes=10")[1]
    assert "Table 3" in archcalc("compare", "resnet50")[1]


def test_another_input_has_no_published_error() -> None:
    table = compare_table([load("resnet50").analyze(input=(3, 320, 320))])
    assert table.footer == []


def test_a_batch_or_a_type_changes_no_network() -> None:
    assert compared("resnet50", dtype="float16")[0]["top1"] == accuracies()["resnet50"].top1
    assert compare_table([load("resnet50").analyze(batch=8)]).footer != []


def test_a_network_that_only_has_the_name_has_no_published_error(tmp_path: Path) -> None:
    spec = tmp_path / "vgg16.yaml"
    spec.write_text("input: [3, 224, 224]\nlayers:\n  - conv: {out: 4, kernel: 3}\n")
    assert load(str(spec)).name == "vgg16"
    assert compare_table([load(str(spec)).analyze()]).footer == []
    built = Network("vgg16", load("vgg16").input)
    built.add("pool", load("vgg16").nodes[3].layer)
    assert compare_table([built.analyze()]).footer == []


# Formats.


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_has_the_same_figures(archcalc, format: str) -> None:
    status, out, said = archcalc("compare", "vgg16", "resnet50", "--baseline", "alexnet", "--exact", "--format", format)
    assert (status, said) == (0, "")
    for figure in (VGG16_PARAMS, VGG16_MACS, load("resnet50").analyze().totals.macs):
        assert str(figure) in out.replace(",", "")
    ratio = str(VGG16_PARAMS / ALEXNET_PARAMS) if format in ("csv", "json") else "2.22"
    for cell in ("27.0", "8.8", "22.85", "6.71", ratio, "archcalc", "alexnet"):
        assert cell in out
    if format != "csv":  # whose rows have no place for a note
        assert "Simonyan and Zisserman, ICLR 2015, Table 3" in out


def test_json_keeps_the_sources_beside_the_rows(archcalc) -> None:
    content = json.loads(archcalc("compare", "vgg16", "alexnet", "--format", "json")[1])
    assert [row["network"] for row in content["rows"]] == ["vgg16", "alexnet"]
    assert content["rows"][0]["params"] == VGG16_PARAMS
    assert len(content["sources"]) == 1
    assert content["sources"][0].startswith("vgg16: error on ILSVRC-2012 val, one network")


def test_a_convention_names_what_it_counts(archcalc) -> None:
    titles, rows = text_columns(archcalc("compare", "lenet5", "--as", "lecun98", "--exact")[1])
    cells = dict(zip(titles, rows[0], strict=True))
    assert cells["connections"] == "340,908"  # LeCun et al. 1998, section II.B
    assert cells["FLOPs"] == "-"


def test_a_narrow_terminal_keeps_the_names_and_cuts_no_number(archcalc, monkeypatch: pytest.MonkeyPatch) -> None:
    table = compare_table([load(n).analyze() for n in ("vgg16", "resnet50")])
    _, whole = text_columns(render_table(table, "text"))
    out = render_table(table, "text", width=60)
    titles, rows = text_columns(out)
    assert titles[0] == "network"
    assert max(map(len, out.splitlines())) <= 60
    assert {cell for row in rows for cell in row} <= {cell for row in whole for cell in row}
    assert "columns left out at this width" in out


def test_json_has_numbers_and_null() -> None:
    table = compare_table(
        [load("vgg16").analyze(), load("lenet5_modern").analyze()], baseline=load("alexnet").analyze()
    )
    vgg, lenet = json.loads(render_table(table, "json"))["rows"]
    assert (vgg["top1"], vgg["params_ratio"]) == (27.0, VGG16_PARAMS / ALEXNET_PARAMS)
    assert lenet["top5"] is None


def test_a_gate_sees_the_whole_input() -> None:
    """The field is that past the gates; over all paths print has the word, and CSV the input's 224 pixels."""
    (row,) = compared("efficientnet_b0")
    assert (row["rf"], row["exact"], row["rf_with_gates"], row["exact_with_gates"]) == ("851", "exact", "224", "exact")
    printed = render_table(compare_table([load("efficientnet_b0").analyze()], ["network", "rf_with_gates"]), "text")
    assert "  whole\n" in printed


def test_names_with_wildcards_stand_for_networks_of_the_zoo(archcalc) -> None:
    def found(*arguments: str) -> list[str]:
        status, out, err = archcalc("compare", *arguments, "--columns", "network", "--format", "json")
        assert (status, err) == (0, "")
        return [row["network"] for row in json.loads(out)["rows"]]

    assert found("vgg1?") == ["vgg11", "vgg13", "vgg16", "vgg19"]
    assert found("vgg1?@classes=10", "lenet5") == [*(f"vgg{n}@classes=10" for n in (11, 13, 16, 19)), "lenet5"]
    assert found("resnet??", "--sort", "-macs", "--where", "depth > 18") == ["resnet50", "resnet34"]
    assert found("resnet18@classes=3", "vgg11@classes=7", "vgg16", "--sort", "-classes", "--where", "classes < 9") == [
        "vgg11@classes=7",
        "resnet18@classes=3",
    ]
    assert found("INPUT 8x8x3 -> CONV3-8 -> FC-10") != []
    for given, said in (
        ("vgg6*", "unknown network 'vgg6*'; did you mean"),
        ("torch:my.*:net", "torch:my.*:net: * and ? stand for names of the zoo, of timm: and of torchvision:"),
    ):
        status, _, err = archcalc("compare", given)
        assert status == 2
        assert said in err
    assert archcalc("compare", "vgg1?", "--where", "params > 1G") == (
        2,
        "",
        "archcalc: no network meets the condition params > 1G\n",
    )


def test_models_of_a_library_match_wildcards(archcalc) -> None:
    pytest.importorskip("torchvision")
    status, out, _ = archcalc("compare", "torchvision:squeezenet1_?", "--columns", "params", "--format", "json")
    assert status == 0
    assert [row["params"] for row in json.loads(out)["rows"]] == [1_248_424, 1_235_496]  # as torchvision's pages say
