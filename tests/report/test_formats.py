"""Every format shows the same exact numbers, whole, and they add up to the printed total."""

from __future__ import annotations

import csv
import io
import json
import re
from html.parser import HTMLParser

import pytest

from archcalc import ArchcalcError, analyze, load
from archcalc.report import LAYER_FORMATS, dataframe, render
from archcalc.report.layers import COLUMNS, SUMMED

NETS = ["vgg16", "googlenet", "lenet5"]
SUMS = sorted(SUMMED)


def number(text: str) -> int:
    return 0 if text in ("-", "shared", "") else int(text.replace(",", "").strip("*"))


def text_columns(out: str) -> tuple[list[str], list[list[str]]]:
    """The cells of a text table by the rule under its titles."""
    lines = out.splitlines()
    at = next(i for i, line in enumerate(lines) if re.fullmatch(r"-+(  -+)+", line))
    spans = [m.span() for m in re.finditer(r"-+", lines[at])]
    end = next(i for i in range(at + 1, len(lines)) if lines[i] == "") if "" in lines[at:] else len(lines)
    cells = [
        [line[a:b].strip() for a, b in spans] for line in (lines[at - 1], *lines[at + 1 : end]) if line != lines[at]
    ]
    return cells[0], cells[1:]


@pytest.mark.parametrize("net", NETS)
def test_text_columns_add_up_to_the_printed_total(net):
    analysis = load(net).analyze()
    titles, rows = text_columns(render(analysis, "text", columns=["layer", *SUMS], exact=True))
    *leaves, total = rows
    assert total[0] == "total"
    assert len(leaves) == len(analysis.rows)
    for at, title in enumerate(titles[1:], 1):
        assert sum(number(row[at]) for row in leaves) == number(total[at]), title


@pytest.mark.parametrize(
    ("net", "fold"),
    [
        ("vgg16", {"depth": 1}),
        ("vgg16", {"by": "type"}),
        ("vgg16", {"by": "stage"}),
        ("googlenet", {"depth": 1}),
        ("googlenet", {"depth": 2}),
        ("googlenet", {"by": "stage"}),
    ],
)
def test_folding_changes_no_total(net, fold):
    analysis = load(net).analyze()
    _, whole = text_columns(render(analysis, "text", columns=["layer", *SUMS], exact=True))
    _, folded = text_columns(render(analysis, "text", columns=["layer", *SUMS], exact=True, **fold))
    assert folded[-1] == whole[-1]
    assert len(folded) < len(whole)


def test_markdown_has_the_same_cells_as_text():
    analysis = load("googlenet").analyze()
    _, rows = text_columns(render(analysis, "text", exact=True))
    lines = [line for line in render(analysis, "markdown", exact=True).splitlines() if line.startswith("|")]
    cells = [[cell.strip().strip("*") for cell in line.strip("|").split("|")] for line in lines[2:]]
    assert cells == rows


def test_csv_is_tidy_and_exact():
    analysis = load("vgg16").analyze(batch=2, dtype="float16")
    rows = list(csv.DictReader(io.StringIO(render(analysis, "csv"))))
    assert len(rows) == len(analysis.rows)
    assert {(r["network"], r["input"], r["batch"], r["dtype"], r["convention"]) for r in rows} == {
        ("vgg16", "3x224x224", "2", "float16", "archcalc")
    }
    assert sum(int(r["params"]) for r in rows) == analysis.totals.params
    assert sum(int(r["macs"] or 0) for r in rows) == analysis.totals.macs
    assert sum(int(r["memory"] or 0) for r in rows) == analysis.totals.values * 2
    relu = next(r for r in rows if r["layer"] == "relu1_1")
    flatten = next(r for r in rows if r["layer"] == "flatten")
    assert (relu["macs"], flatten["macs"]) == ("", "0"), "not counted is empty, nothing is zero"


def test_json_holds_the_facts_the_rows_and_the_totals():
    analysis = load("vgg16").analyze()
    content = json.loads(render(analysis, "json"))
    assert (content["network"], content["input"], content["batch"]) == ("vgg16", "3x224x224", 1)
    assert (content["dtype"], content["convention"]) == ("float32", "archcalc")
    assert sum(row["params"] for row in content["rows"]) == content["totals"]["params"] == 138_357_544
    assert next(r for r in content["rows"] if r["layer"] == "relu1_1")["macs"] is None


def test_latex_is_a_booktabs_table_with_escaped_names():
    out = render(
        load("INPUT 8x8x3 -> CONV3-4 -> RELU -> FC-2").analyze(), "latex", columns=["layer", "params", "rf_least"]
    )
    for rule in ("\\toprule", "\\midrule", "\\bottomrule", "\\begin{tabular}{lrr}", "\\end{table}"):
        assert rule in out
    assert "-\\ensuremath{>}" in out
    rows = [line for line in out.splitlines() if line.endswith("\\\\")]
    assert {line.count("&") - line.count("\\&") for line in rows} == {2}
    body = out[out.index("\\begin{table}") : out.index("%", 2)]
    assert not re.search(r"(?<!\\)[_#$]", body), "an unescaped special character"


@pytest.mark.parametrize(
    ("net", "columns", "label", "explained"),
    [
        ("vgg16", None, "vgg16", True),
        ("vgg16", ["layer", "output", "rf"], "vgg16", False),
        ("vgg16", ["layer", "memory"], "vgg16", True),
        ("resnet50@option=c,classes=10", ["layer", "params"], "resnet50-classes-10-option-c", True),
    ],
)
def test_a_latex_table_has_a_label_and_a_caption_of_what_it_shows(net, columns, label, explained):
    out = render(load(net).analyze(), "latex", columns=columns)
    assert out.startswith("% needs \\usepackage{booktabs} in the preamble\n\\begin{table}\n")
    assert f"\\label{{tab:{label}}}" in out
    caption = re.search(r"\\caption\{(.*)\}", out)[1]
    assert "convention archcalc" in caption
    assert ("1 MAC = 2 FLOP" in caption) is explained


class _Cells(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.cells: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag != "br":
            self.open.append(tag)
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "th"):
            self.cells[-1] += data


def test_html_is_well_formed_escaped_and_whole():
    analysis = load("INPUT 8x8x3 -> CONV3-4 -> RELU -> FC-2").analyze()
    out = render(analysis, "html", exact=True)
    parser = _Cells()
    parser.feed(out)
    parser.close()
    assert parser.open == []
    assert "-&gt;" in out.split("</caption>")[0]
    titles, rows = text_columns(render(analysis, "text", exact=True))
    assert [cell.strip() for cell in parser.cells] == [cell for row in (titles, *rows) for cell in row]
    assert analysis._repr_html_().startswith("<table>")


@pytest.mark.parametrize("format", LAYER_FORMATS)
def test_every_format_states_input_dtype_and_convention(format):
    out = render(load("vgg16").analyze(input=(3, 96, 128), dtype="bfloat16"), format)
    for fact in ("3x96x128", "bfloat16", "archcalc"):
        assert fact in out.replace("\\", "")


@pytest.mark.parametrize("width", [40, 60, 79, 80, 100, 120, 160])
@pytest.mark.parametrize("net", ["googlenet", "vgg16"])
def test_a_narrow_terminal_cuts_no_number(net, width):
    analysis = load(net).analyze()
    _, whole = text_columns(render(analysis, "text"))
    out = render(analysis, "text", width=width)
    titles, rows = text_columns(out)
    assert max(map(len, out.splitlines())) <= max(width, 60)
    numbers = {cell for row in whole for cell in row[1:]}
    assert {cell for row in rows for cell in row[1:]} <= numbers, "a cell that the whole table does not have was cut"
    left_out = "columns left out at this width" in out.replace("\n  ", " ")
    assert left_out == (len(titles) < 10)


def test_units_stand_in_the_title_and_small_is_not_zero():
    out = render(load("vgg16").analyze(), "text")
    titles, _ = text_columns(out)
    assert {"params [M]", "MACs [G]", "memory [MB]"} <= set(titles)
    bias = text_columns(render(load("vgg16").analyze(), "text", columns=["layer", "weights", "biases"]))[1]
    assert bias[1] == ["conv1_1", "0.002", "<0.001"]


def test_macs_and_flops_are_in_one_unit():
    # MobileNetV2 has 300.8 M MACs and so 601.5 M FLOP; EfficientNet-B1 0.687 G MACs, which are 1.373 G FLOP.
    for net, unit in (("mobilenet_v2", "M"), ("efficientnet_b1", "M")):
        titles, _ = text_columns(render(load(net).analyze(), "text"))
        assert {f"MACs [{unit}]", f"FLOPs [{unit}]"} <= set(titles)


def test_columns_come_in_the_order_asked_for_and_all_exist():
    out = render(load("alexnet").analyze(), "csv", columns=["rf", "layer", "values"])
    assert out.splitlines()[0].endswith("archcalc,rf,exact,layer,values")
    assert len(render(load("alexnet").analyze(), "text", columns=list(COLUMNS)).splitlines()) > 20


def test_a_misspelt_column_or_format_names_the_nearest():
    analysis = load("lenet5").analyze()
    with pytest.raises(ArchcalcError, match="unknown column 'parms'; did you mean 'params'"):
        render(analysis, "text", columns=["parms"])
    with pytest.raises(ArchcalcError, match="unknown format 'markdwon'; did you mean 'markdown'"):
        render(analysis, "markdwon")
    with pytest.raises(ArchcalcError, match="unknown way to fold 'typ'; did you mean 'type'"):
        render(analysis, by="typ")
    with pytest.raises(ArchcalcError, match="fold to a depth or by type, not both"):
        render(analysis, depth=1, by="type")
    with pytest.raises(ArchcalcError, match="depth must be at least 1, got 0"):
        render(analysis, depth=0)


def test_the_data_frame_is_exact_and_knows_what_is_missing():
    import pandas as pd

    analysis = load("vgg16").analyze()
    frame = analysis.to_dataframe()
    assert frame["params"].sum() == 138_357_544
    assert frame["macs"].sum() == 15_470_264_320
    assert frame.loc["conv1_1", "macs"] == 224 * 224 * 64 * 27
    assert frame.loc["relu1_1", "macs"] is pd.NA
    assert frame.attrs["network"] == "vgg16"
    assert list(dataframe(analysis, ["params", "macs"]).columns) == ["params", "macs"]


def test_a_shared_layer_says_so(tmp_path):
    spec = tmp_path / "twins.yaml"
    spec.write_text(
        "input: [4, 8, 8]\nlayers:\n  - conv: {out: 4, kernel: 3, pad: 1}\n    name: a\n"
        "  - conv: {out: 4, kernel: 3, pad: 1}\n    name: b\n    weights: a\n"
    )
    _, rows = text_columns(render(load(str(spec)).analyze(), "text", columns=["layer", "params", "macs"], exact=True))
    assert rows[1:] == [["a", "148", "9,216"], ["b", "shared", "9,216"], ["total", "148", "18,432"]]


def test_an_array_analysis_is_not_tabulated():
    import numpy as np

    analysis = load("vgg16").analyze(batch=np.array([1, 2]))
    with pytest.raises(ArchcalcError, match="a table needs single sizes"):
        render(analysis)


def test_markdown_shows_a_pattern_and_the_legend_as_they_are():
    out = render(load("INPUT 8x8x3 -> [CONV3-4 -> RELU]*2 -> FC-2").analyze(), "markdown", verbose=True)
    assert "**INPUT 8x8x3 -> \\[CONV3-4 -> RELU\\]\\*2 -> FC-2**" in out
    assert "\n'-': not counted under this convention" in out


def test_columns_that_were_chosen_are_never_left_out():
    out = render(load("vgg16").analyze(), "text", columns=["layer", "first", "rf_least", "add", "macs"], width=40)
    assert len(text_columns(out)[0]) == 5


def test_a_shared_layer_adds_zero_for_a_program(tmp_path):
    spec = tmp_path / "twins.yaml"
    spec.write_text(
        "input: [4, 8, 8]\nlayers:\n  - conv: {out: 4, kernel: 1}\n    name: a\n"
        "  - conv: {out: 4, kernel: 1}\n    name: b\n    weights: a\n"
    )
    analysis = load(spec).analyze()
    columns = ["layer", "params", "shared"]
    assert render(analysis, "csv", columns=columns).splitlines()[-1].endswith(",b,0,a")
    assert json.loads(render(analysis, "json", columns=columns))["rows"][-1] == {
        "layer": "b",
        "params": 0,
        "shared": "a",
    }


UP = """input: [1, 4, 6]
layers:
  - add:
      a:
        - conv: {out: 1, kernel: 3, stride: [1, 2]}
      b:
        - conv: {out: 1, kernel: [3, 5]}
  - flatten
"""
"""On 6 columns the two units of a are two columns apart, and those of b one: the whole width bounds their sum. On 4 rows
units see three, from the first on."""
FIELDS = [
    # layer, rows and columns seen, which of them exact, steps, first pixels
    ("input", (1, 1), ("exact", "exact"), (1, 1), (0, 0)),
    ("a.conv", (3, 3), ("exact", "exact"), (1, 2), (0, 0)),
    ("b.conv", (3, 5), ("exact", "exact"), (1, 1), (0, 0)),
    ("add", (3, 6), ("exact", "bound"), (1, None), (0, 0)),
    ("flatten", (3, 6), ("exact", "bound"), (1, None), (0, 0)),
]


@pytest.fixture
def up(tmp_path):
    (tmp_path / "up.yaml").write_text(UP)
    return load(str(tmp_path / "up.yaml")).analyze()


def fields(row):
    pair = lambda name: (row[f"{name}_height"], row[f"{name}_width"])  # noqa: E731
    return row["layer"], pair("rf"), pair("exact"), pair("step"), pair("first")


def test_fields_are_numbers_where_programs_read_them(up):
    columns = ["layer", "rf", "step", "first"]
    rows = json.loads(render(up, "json", columns=columns))["rows"]
    assert [fields(row) for row in rows] == FIELDS
    rows = list(csv.DictReader(io.StringIO(render(up, "csv", columns=columns))))
    number = lambda text: int(text) if text else None  # noqa: E731
    told = [
        (name, tuple(map(number, rf)), exact, tuple(map(number, step)), tuple(map(number, first)))
        for name, rf, exact, step, first in map(fields, rows)
    ]
    assert told == FIELDS


def test_fields_are_numbers_in_a_data_frame(up):
    pytest.importorskip("pandas")
    frame = up.to_dataframe(["layer", "rf", "step"])
    assert list(frame.columns) == ["rf_height", "rf_width", "exact_height", "exact_width", "step_height", "step_width"]
    assert frame["rf_width"].tolist() == [1, 3, 5, 6, 6]
    assert frame["exact_width"].tolist() == ["exact", "exact", "exact", "bound", "bound"]
    assert frame["step_width"].isna().tolist() == [False, False, False, True, True]
    assert str(frame["step_width"].dtype) == "Int64"
    square = load("vgg11").analyze().to_dataframe()
    assert [name for name in square.columns if name.startswith(("rf", "exact", "step"))] == ["rf", "exact", "step"]
    assert square["rf"]["pool5"] == 150


@pytest.mark.parametrize("format", ["text", "markdown", "html", "latex"])
def test_a_reader_is_shown_a_bound(up, format):
    out = render(up, format, columns=["layer", "rf", "step"])
    mark = {"html": "&lt;=", "latex": "\\ensuremath{<}=", "markdown": "\\<="}.get(format, "<=")
    assert f"3x{mark}6" in out
    assert "whole" in out
    assert "exact" not in out


def test_one_file_of_csv_has_one_kind_of_row(archcalc, tmp_path):
    """A network whose axes differ, one whose axes agree, and one of sequences, which has the last axis alone."""
    (tmp_path / "up.yaml").write_text(UP)
    (tmp_path / "line.yaml").write_text("input: [1, 9]\nlayers: [{conv: {out: 1, kernel: 3}}]\n")
    nets = [str(tmp_path / "up.yaml"), "lenet5", str(tmp_path / "line.yaml")]
    _, out, _ = archcalc("table", *nets, "--columns", "layer,rf", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert all(None not in row and None not in row.values() for row in rows)
    last = {row["network"]: (row["rf_height"], row["rf_width"], row["exact_height"]) for row in rows}
    assert last == {"up": ("3", "6", "exact"), "lenet5": ("32", "32", "exact"), "line": ("", "3", "")}


def test_columns_of_a_table_with_wide_letters_stand_below_each_other() -> None:
    """A letter of Chinese takes two columns of a terminal, one of Russian takes one."""
    from unicodedata import east_asian_width

    from archcalc.language.expand import expand
    from archcalc.language.zoo import read_text
    from archcalc.report import render

    layers = "[{relu: , name: 卷积一}, {relu: , name: слой}, {relu: , name: 한국어}]"
    net = expand(read_text(f"input: [3, 8, 8]\nlayers: {layers}\n", "net.yaml", "net"), "net")
    lines = [line for line in render(analyze(net)).splitlines() if " relu " in line]
    before = [line[: line.index("relu")] for line in lines]
    assert len(lines) == 3
    assert len({sum(1 + (east_asian_width(letter) in "WF") for letter in text) for text in before}) == 1
