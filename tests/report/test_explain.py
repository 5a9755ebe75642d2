"""The terms between our count and a tool's, in print: they add up, and they name bugs of tools. Refusals are sentences."""

from __future__ import annotations

import csv
import io
import json
import sys

import pytest

from archcalc import load
from archcalc.conventions import conventions
from archcalc.report.explain import explain_table, overview_table
from archcalc.report.formats import FORMATS, render_table

NETS = ("vgg16", "resnet50_tv", "googlenet_tv", "convnext_tiny", "lenet5")


@pytest.mark.parametrize("name", conventions)
def test_the_printed_steps_add_up(name: str) -> None:
    for net in NETS:
        table = explain_table(load(net), name)
        for quantity in {row[0] for row in table.rows}:
            *steps, last = [row for row in table.rows if row[0] == quantity]
            running = 0
            for _, _, _, amount, total, _ in steps:
                running += amount
                assert total == running
            assert last[1].startswith(f"= {name}: ")
            assert last[4] == running


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("name", [None, "ptflops"])
def test_every_format(format: str, name: str | None, archcalc) -> None:
    status, out, err = archcalc("explain", "vgg11", "--format", format, *(["--as", name] if name else []))
    assert (status, err) == (0, "")
    if format == "json":
        rows = json.loads(out)["rows"]
    elif format == "csv":
        rows = list(csv.DictReader(io.StringIO(out)))
    else:
        rows = []
        assert "7,609,090,048" in out
    if rows and name is None:
        assert [row["tool"] for row in rows] == list(conventions)


def test_our_count_and_then_the_tools(archcalc) -> None:
    _, out, _ = archcalc("explain", "resnet50_tv", "--as", "fvcore")
    lines = [line.split() for line in out.splitlines() if line.startswith("operations")]
    assert [line[-1] if "archcalc:" in line or "=" in line else line[-2] for line in lines] == [
        "4,089,184,256",
        "4,111,412,224",
        "4,111,512,576",
        "4,111,512,576",
    ]


def test_a_bug_of_a_tool_is_named(archcalc) -> None:
    _, out, _ = archcalc("explain", "vgg16", "--as", "ptflops")
    assert "modules of activations counted a second time [bug in ptflops]" in out
    assert (
        "bug in ptflops: modules of activations counted a second time: the module's hook counts the values, and so does the"
        in out
    )


def test_a_layer_that_the_network_lacks(archcalc) -> None:
    _, out, _ = archcalc("explain", "vgg16", "--as", "fvcore")
    assert "extra layer in torchvision's code: avgpool (adaptive_avg_pool to 7x7)" in out
    assert "layers in torchvision's code that the network lacks" in out
    assert out.count("15,470,289,408") == 2


def test_what_is_assumed_of_the_code(archcalc) -> None:
    assert (
        "assumed: every layer is a module of torch.nn, except operators such as +"
        in archcalc("explain", "resnet50", "--as", "thop")[1]
    )
    assert "assumed: a conv_table is a convolution of torch.nn" in archcalc("explain", "lenet5", "--as", "thop")[1]
    assert "relu as a call of torch.nn.functional" in archcalc("explain", "googlenet_tv", "--as", "ptflops")[1]
    assert "assumed: no module contains other modules" in archcalc("explain", "resnet50", "--as", "torchsummary")[1]
    weights = "assumed: weight normalisation is PyTorch's parametrization; weights are standardised in a subclass"
    assert weights in archcalc("explain", "tcn", "--as", "thop")[1]
    assert weights not in archcalc("explain", "resnet50", "--as", "thop")[1]


def test_what_a_tool_leaves_out(archcalc) -> None:
    _, out, _ = archcalc("explain", "resnet18", "--as", "torch")
    assert "not counted by torch: batch_norm, relu, max_pool, add, global_avg_pool\n" in out


UNKNOWN = "unknown to this convention{}: subsample, rbf; the total is incomplete (torch.nn has no such layer"
"""LeNet-5 under a tool's convention."""


def test_an_unknown_layer_type_is_not_one_that_is_not_counted(archcalc) -> None:
    _, out, _ = archcalc("explain", "lenet5", "--as", "fvcore")
    assert "\nnot counted by fvcore: tanh\n" in out
    assert UNKNOWN.format("") in out
    assert "= fvcore: flops (fvcore) (incomplete)" in out
    assert "= fvcore: parameters  " in out, "fvcore counts all parameters, whatever the layer type"
    assert "= thop: parameters (incomplete)" in archcalc("explain", "lenet5", "--as", "thop")[1]
    assert "incomplete" not in archcalc("explain", "resnet18", "--as", "fvcore")[1]


@pytest.mark.parametrize(
    ("arguments", "network"),
    [
        (["table", "lenet5"], ""),
        (["compare", "vgg11", "lenet5"], " in lenet5"),
        (["diff", "lenet5", "lenet5_modern"], " in lenet5"),
    ],
)
def test_no_total_is_given_as_complete_where_a_type_is_unknown(arguments: list[str], network: str, archcalc) -> None:
    for how in ("fvcore", "ptflops"):
        for format in ("text", "markdown", "latex", "html"):
            assert UNKNOWN.format(network) in archcalc(*arguments, "--as", how, "--format", format)[1].replace(
                "&#x27;", "'"
            )
    assert "incomplete" not in archcalc(*arguments, "--as", "archcalc")[1]


def test_programs_are_told_what_is_unknown(archcalc) -> None:
    """No number where the count is unknown, and the types beside every row."""
    rows = list(csv.DictReader(io.StringIO(archcalc("table", "lenet5", "--as", "thop", "--format", "csv")[1])))
    assert {row["unknown"] for row in rows} == {"subsample rbf"}
    assert {row["macs"] for row in rows if row["type"] in ("subsample", "rbf")} == {""}
    content = json.loads(archcalc("table", "lenet5", "--as", "thop", "--format", "json")[1])
    assert content["unknown"] == "subsample rbf"
    assert {row["macs"] for row in content["rows"] if row["type"] in ("subsample", "rbf")} == {None}
    rows = list(
        csv.DictReader(io.StringIO(archcalc("compare", "vgg11", "lenet5", "--as", "thop", "--format", "csv")[1]))
    )
    assert [row["unknown"] for row in rows] == ["", "subsample rbf"]
    rows = list(csv.DictReader(io.StringIO(archcalc("explain", "lenet5", "vgg11", "--format", "csv")[1])))
    unknown = {(row["network"], row["tool"]): row["unknown"] for row in rows}
    assert unknown["lenet5", "archcalc"] == unknown["vgg11", "thop"] == ""
    assert unknown["lenet5", "thop"] == "subsample, rbf"


def test_unknown_is_printed_in_the_place_of_a_number(archcalc) -> None:
    lines = {line.split()[0]: line for line in archcalc("table", "lenet5", "--as", "netscope")[1].splitlines() if line}
    assert " unknown " in lines["C3"]  # a convolution by a connection table
    assert " unknown " not in lines["C1"]


def test_side_heads_own_parameters(archcalc) -> None:
    rows = {row[1]: row[4] for row in explain_table(load("googlenet_tv"), "torchinfo").rows if row[0] == "parameters"}
    assert rows["archcalc: trained weights and biases"] == 6_624_904
    assert rows["= torchinfo: parameters"] == 13_004_888


def test_side_by_side() -> None:
    table = overview_table(load("vgg16"))
    rows = {row[0]: dict(zip([h.name for h in table.headings], row, strict=True)) for row in table.rows}
    assert list(rows) == list(conventions)
    assert rows["archcalc"]["operations"] == 15_470_264_320
    assert rows["torch"]["deviation"] == "+100.00%"
    assert rows["cs231n"]["params"] == 138_344_128
    assert rows["keras"]["operations"] is None
    assert rows["torchinfo"]["memory"] == "108.45 MB"
    assert rows["torchsummary"]["memory"] == "218.78 MB (its MB is a MiB)"
    assert rows["convnet-burden"]["memory"] == "58 MB (its MB is a MiB)"


def test_a_table_in_a_convention_names_its_column(archcalc) -> None:
    _, out, _ = archcalc("table", "resnet18", "--as", "fvcore")
    assert "flops (fvcore)" in out
    assert "FLOPs" not in out
    assert "FLOPs" in archcalc("table", "resnet18", "--as", "torch", "--by", "type")[1]


@pytest.mark.parametrize("name", conventions)
def test_tables_in_every_convention(name: str, archcalc) -> None:
    for command in (["table", "googlenet_tv"], ["compare", "vgg11", "resnet18"], ["diff", "resnet50", "resnet50_tv"]):
        status, out, err = archcalc(*command, "--as", name)
        assert (status, err) == (0, "")
        assert f"convention {name}: " in out


# With --measure.


def test_measured_remainders_are_zero() -> None:
    pytest.importorskip("torch")
    rows = explain_table(load("resnet18"), "torchinfo", measured=True).rows
    assert [row[4] for row in rows if row[1] == "remainder"] == [0, 0, 0]
    small = load("resnet18").analyze(input=(3, 64, 64)).network
    table = overview_table(small, measured=True)
    names = [heading.name for heading in table.headings]
    at = names.index("remainder")
    left = {row[0]: row[at] for row in table.rows if isinstance(row[at], int)}
    tools = ("fvcore", "torchinfo", "ptflops", "ptflops-aten", "thop", "torch", "torch-cpu", "torch-cpu-no-grad")
    assert left == dict.fromkeys(tools, 0)


def test_text_of_what_was_measured(archcalc) -> None:
    pytest.importorskip("torch")
    _, out, _ = archcalc("explain", "squeezenet1_1", "--as", "thop", "--measure")
    assert "measured: thop on torchvision's squeezenet1_1" in out
    assert render_table(explain_table(load("squeezenet1_1"), "thop", measured=True), exact=True) == out


# Refusals.


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["vgg16", "--as", "fvcor"], "archcalc: unknown convention 'fvcor'; did you mean 'fvcore'?\n"),
        (["vgg61"], "archcalc: unknown network 'vgg61'; did you mean 'vgg16'?"),
        (
            ["lenet5", "--as", "fvcore", "--measure"],
            "archcalc: torchvision has no model that is lenet5\n",
        ),
        (["vgg16", "--as", "keras", "--measure"], "archcalc: keras cannot be run; archcalc can run fvcore, "),
        (
            ["vgg16", "--set", "classes=10", "--as", "fvcore", "--measure"],
            "archcalc: torchvision's vgg16 is vgg16, and not vgg16@classes=10\n",
        ),
        (
            ["vgg11", "--input", "3x64x64", "--as", "torch", "--measure"],
            "archcalc: torchvision's vgg11 is not vgg11 at 3x64x64: it has 132,863,336 parameters, the network 38,491,496\n",
        ),
        (["vgg16", "--mesure"], "archcalc: unknown option --mesure; did you mean --measure?"),
    ],
)
def test_refusals(arguments: list[str], said: str, archcalc) -> None:
    if "--measure" in arguments:
        pytest.importorskip("torch")
    status, out, err = archcalc("explain", *arguments)
    assert (status, out) == (2, "")
    assert err.startswith(said)


def test_a_tool_that_is_not_installed_says_how(archcalc, monkeypatch) -> None:
    from archcalc.witness import tools

    monkeypatch.setattr(tools, "find_spec", lambda name: None if name == "thop" else sys)
    assert archcalc("explain", "resnet18", "--as", "thop", "--measure") == (
        2,
        "",
        "archcalc: thop is not installed: pip install 'archcalc[tools]'\n",
    )


def test_without_torch_it_says_how(archcalc, monkeypatch) -> None:
    from archcalc.witness import tools

    monkeypatch.setattr(tools, "find_spec", lambda name: None)
    assert archcalc("explain", "resnet18", "--as", "fvcore", "--measure")[2] == (
        "archcalc: measuring needs torch and torchvision: pip install 'archcalc[torch]'\n"
    )


def test_a_tool_that_fails_is_one_sentence(archcalc, monkeypatch) -> None:
    pytest.importorskip("torch")
    from archcalc.witness import tools

    def fail(model: object, image: object) -> None:
        raise RuntimeError("first line\nsecond line")

    monkeypatch.setattr(tools, "TOOLS", {**tools.TOOLS, "thop": tools.Tool("thop", "tools", fail, meta=True)})
    assert archcalc("explain", "resnet18", "--as", "thop", "--measure") == (
        2,
        "",
        "archcalc: thop failed on torchvision's resnet18: RuntimeError: first line\\nsecond line\n",
    )


@pytest.mark.parametrize("fold", [["--depth", "1"], ["--by", "stage"]])
def test_blocks_with_an_unknown_type_are_incomplete(fold: list[str], archcalc) -> None:
    _, out, _ = archcalc("table", "resnet18", "--as", "lecun98", *fold)
    (line,) = [line for line in out.splitlines() if line.startswith("the counts of these rows are incomplete too: ")]
    assert line.endswith((" conv1, conv2_x, conv3_x, conv4_x, conv5_x", " 112x112, 56x56, 28x28, 14x14, 7x7"))
    assert "incomplete" not in archcalc("table", "resnet18", *fold)[1]


def test_python_says_that_totals_are_incomplete() -> None:
    analysis = load("resnet18").analyze(convention="lecun98")
    assert analysis.totals.unknown_types == analysis.unknown_types == ("batch_norm", "max_pool")
    blocks = {row.name: row.unknown_types for row in analysis.fold(depth=1)}
    assert blocks["conv5_x"] == ("batch_norm",)
    assert load("resnet18").analyze().totals.unknown_types == ()


def test_flop_of_an_unknown_type_are_unknown(archcalc) -> None:
    lines = [line for line in archcalc("table", "lenet5", "--as", "torchvision")[1].splitlines() if " rbf " in line]
    assert [line.count("unknown") for line in lines] == [2]


def test_notes_with_an_unknown_type(archcalc) -> None:
    """fvcore counts all parameters; thop counts those of hooked modules."""
    assert UNKNOWN.format("") in archcalc("table", "lenet5", "--as", "thop", "--format", "notes")[1]
    assert "incomplete" not in archcalc("table", "lenet5", "--as", "fvcore", "--format", "notes")[1]


def test_a_caption_with_an_unknown_type() -> None:
    labels = pytest.importorskip("archcalc.plot.labels")
    text = labels.about_counts(load("lenet5").analyze(convention="thop"))
    assert text.endswith(" Unknown to this convention: subsample, rbf; the total is incomplete.")
    assert "incomplete" not in labels.about_counts(load("lenet5").analyze())
