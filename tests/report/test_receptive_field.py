"""The tables of receptive fields: figures of the course and of the literature, and the words around them."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable

import pytest

from archcalc import load
from archcalc.report.growth import growth, summary_table
from archcalc.report.receptive_field import HEADINGS, field_tables
from archcalc.report.table import Table

Run = Callable[..., tuple[int, str, str]]

NETS = """input: [3, 30, 40]
networks: {image: {}, sequence: {input: [3, 1000]}, clip: {input: [3, 9, 9, 9]}, up: {net: up}, dense: {net: dense, input: [784]}}
params: {net: strided}
check:
  net == 'strided' or net == 'up' or net == 'dense': "net must be strided, up or dense"
layers:
  - conv: {out: 8, kernel: 3, stride: 2, pad: same}
    when: net != 'dense'
  - conv_transpose: {out: 4, kernel: 2, stride: 2}
    when: net == 'up'
  - linear: {out: 4}
    when: net == 'dense'
"""


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nets.yaml").write_text(NETS, encoding="utf-8")


def column(table: Table, name: str) -> list[object]:
    at = [heading.name for heading in table.headings].index(name)
    return [row[at] for row in table.rows]


def table(net: str, **options: object) -> Table:
    return field_tables([load(net).analyze()], **options)[0]  # type: ignore[arg-type]


def test_alexnet_as_the_course_teaches_it() -> None:
    """Field r + (k - 1)*j, step j*s, padding p + pad*j: by hand from the kernels, strides and paddings."""
    shown = table("alexnet")
    assert column(shown, "layer") == ["conv1", "pool1", "conv2", "pool2", "conv3", "conv4", "conv5", "pool3", "fc6"]
    assert column(shown, "rf") == [11, 19, 51, 67, 99, 131, 163, 195, 227]
    assert column(shown, "step") == [4, 8, 8, 16, 16, 16, 16, 32, None]
    assert column(shown, "padding") == [0, 0, 16, 16, 32, 48, 64, 64, 0]
    assert column(shown, "first") == [0, 0, -16, -16, -32, -48, -64, -64, 0]
    assert column(shown, "share") == [100 * size / 227 for size in (11, 19, 51, 67, 99, 131, 163, 195, 227)]
    assert set(column(shown, "exact")) == {"exact"}
    assert "rf_least" not in [heading.name for heading in shown.headings]


def test_three_3x3_and_one_7x7_side_by_side() -> None:
    rows = summary_table([load(name).analyze() for name in ("teaching_stack_3x3", "teaching_one_7x7")]).rows
    assert [[row[3], *map(str, row[4:6])] for row in rows] == [
        [3 * 3 * 3 * 256 * 256, "7", "3 -> 5 -> 7"],
        [7 * 7 * 256 * 256, "7", "7"],
    ]


def test_long_growth_is_shortened_in_the_middle() -> None:
    sizes = growth(load("vgg16").analyze())
    assert (len(sizes), str(sizes[-1])) == (18, "212")
    (row,) = summary_table([load("vgg16").analyze()]).rows
    assert str(row[5]) == "3 -> 5 -> 6 -> 10 -> 14 -> ... -> 164 -> 196 -> 212"
    assert row[5].numbers == (" -> ".join(map(str, sizes)),)


def test_branches_have_the_smallest_path_beside_the_largest() -> None:
    """conv1 7, pool1 7 + 2*2 = 11, a 3x3 of step 4 adds 8; the shortcuts add nothing."""
    shown = table("resnet50")
    of = dict(
        zip(
            column(shown, "layer"),
            zip(*(column(shown, name) for name in ("rf", "rf_least", "centred")), strict=True),
            strict=True,
        )
    )
    assert of["pool1"] == (11, None, "")
    assert of["conv2_1.main.conv2"] == (19, None, "")
    assert of["conv2_1.add"] == (19, 11, "yes")
    assert of["conv2_3.add"] == (35, 11, "yes")


def test_layers_that_change_nothing_are_in_the_long_table() -> None:
    short, long = table("vgg11"), table("vgg11", everything=True)
    assert "relu1_1" not in column(short, "layer")
    assert column(long, "layer") == [row.name for row in load("vgg11").analyze().rows]
    assert table("vgg11", name="relu1_1").rows == [long.rows[2]]


def test_both_axes_where_they_differ() -> None:
    """inception_v3's 1x7: 7 wide, 1 high; the map before it has step 16, so the field grows by 96 across alone."""
    shown = table("inception_v3", name="mixed_6b.branch7x7.cbr2.conv")
    cells = dict(zip([heading.name for heading in shown.headings], shown.rows[0], strict=True))
    assert cells["rf_width"] - cells["rf_height"] == 6 * 16
    assert cells["step_width"] == cells["step_height"] == 16
    assert [h.title for h in shown.headings if h.name.startswith("rf_")][:2] == ["field h", "field w"]


def test_an_input_that_is_not_square_has_two_shares(archcalc: Run) -> None:
    _, out, _ = archcalc("rf", "alexnet", "--input", "3x227x454", "--layer", "pool3", "--format", "json")
    (row,) = json.loads(out)["rows"]
    assert (row["rf_height"], row["rf_width"]) == (195, 195)
    assert (row["share_height"], row["share_width"]) == (100 * 195 / 227, 100 * 195 / 454)
    _, out, _ = archcalc("rf", "alexnet", "--input", "3x227x454", "--layer", "conv1", "--columns", "layer,rf")
    assert re.search(r"\nlayer +field h +field w\n.*\nconv1 +11 +11\n", out)


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        (
            "resnet50",
            [
                "the first layer whose field covers the whole input of 224x224: conv4_4.main.conv2 (227), for some of its "
                "units; conv5_3.main.conv2, for every unit",
                "5 of the 18 convolutions and poolings that widen the field take what has seen the whole input already, "
                "and add no new context at this resolution: conv4_5.main.conv2 to conv5_3.main.conv2; units near the border "
                "alone see more by them",
                "the smallest square input from which on no layer is idle: 403x403",
            ],
        ),
        (
            "alexnet",
            [
                "the first layer whose field covers the whole input of 227x227: fc6, for every unit",
                "each of the 8 convolutions and poolings that widen the field adds context at this resolution: none is "
                "idle",
                "the smallest square input from which on no layer is idle: 164x164",
            ],
        ),
        (
            "teaching_one_7x7",
            [
                "no layer's field covers the whole input of 28x28; the largest is 7, of conv",
                "the one layer that widens the field adds context at this resolution",
                "the smallest square input from which on no layer is idle: 2x2",
            ],
        ),
    ],
)
def test_the_verdict_in_words(name: str, lines: list[str]) -> None:
    assert list(table(name).footer[: len(lines)]) == lines


def test_one_idle_layer_is_one() -> None:
    footer = table("INPUT 3x3x1 -> CONV3-1 -> CONV3-1").footer
    assert footer[0].endswith("of 3x3: conv1 (3), for some of its units; conv2, for every unit")
    assert footer[1].startswith("1 of the 2 convolutions and poolings that widen the field takes what has seen")
    assert footer[1].endswith(
        "and adds no new context at this resolution: conv2; units near the border alone see more by it"
    )


def test_who_gains_all_the_same() -> None:
    """On three pixels every unit of the second 3x3 sees all (-2 to 2, to 4), so no unit gains by the third."""
    net = "INPUT 3x3x1 -> CONV3-1 -> CONV3-1"
    assert (
        table(f"{net} -> CONV3-1")
        .footer[1]
        .endswith("conv2 to conv3; units near the border alone see more by 1 of them, and no unit by 1")
    )
    assert table("INPUT 1x1x1 -> CONV3-1").footer[1] == (
        "the one layer that widens the field takes what has seen the whole input already, and adds no new context at "
        "this resolution: conv1; no unit sees more by it"
    )


def test_gates_are_named() -> None:
    notes = [line for line in table("efficientnet_b0").footer if "gates" in line]
    assert len(notes) == 1
    assert "stage2.mbconv1.se.gate.global_avg_pool is the first" in notes[0]
    assert not [line for line in table("resnet50").footer if "gates" in line]


def test_padding_of_one_input_is_named() -> None:
    assert (
        "from pool1 on, first and padding are for this input alone: padding 'same' depends on its size"
        in table("resnet50_slim").footer
    )
    assert not [line for line in table("resnet50").footer if "depends on its size" in line]


def test_sequences_clips_and_bounds(archcalc: Run) -> None:
    """'same' pads (0, 1) before 1000 and (1, 1) around 9. The bound after 2x2 up is a 3x3 on one or two positions."""
    _, out, _ = archcalc("rf", "nets.yaml:sequence", "nets.yaml:clip", "nets.yaml:up", "--format", "json")
    sequence, clip, up = json.loads(out)
    assert [row["first"] for row in sequence["rows"]] == [0]
    assert [row["first"] for row in clip["rows"]] == [-1]
    assert sequence["totals"]["smallest_input"] == 2
    assert [row["exact_height"] for row in up["rows"]] == ["exact", "bound"]
    assert all(isinstance(row["rf_height"], int) for row in up["rows"])


BOUNDED = """input: [1, 8, 8]
layers:
  - conv: {out: 1, kernel: 3, stride: 2}
  - conv_transpose: {out: 1, kernel: 3, stride: 2}
  - conv: {out: 1, kernel: 3, pad: 1}
  - conv: {out: 1, kernel: 3, pad: 1}
  - conv: {out: 1, kernel: 3, pad: 1}
"""
"""Three units see 0-2, 2-4 and 4-6. A unit after the transposed 3x3 of stride 2 sees one or two of those, 3 or 5 pixels;
the bound is 5, from (0 - 2*2)/2 = -2 on in steps of 1. A 3x3 adds 2 to it: 7, 9 and 11, of which 9 may cover 8 pixels."""


def test_a_verdict_on_bounds_says_what_is_known(archcalc: Run) -> None:
    with open("up.yaml", "w", encoding="utf-8") as file:
        file.write(BOUNDED)
    _, out, _ = archcalc("rf", "up.yaml")
    assert (
        "\nthe first layer whose field covers the whole input of 8x8, for some of its units: not before conv3 (<=9), if "
        "any; for every unit: none\nnone of the 5 convolutions and poolings that widen the field is known to be idle; 1 "
        "may be, since a bound is known of what it takes: conv4\n"
    ) in out
    # conv3's unit i sees -4 + i to 4 + i at most, so 4 is the last from which it may see n pixels: n <= 9
    assert "\nthe smallest square input from which on no layer is idle: at most 10x10\n" in out
    totals = json.loads(archcalc("rf", "up.yaml", "--format", "json")[1])["totals"]
    assert totals == {
        "covers": None,
        "covers_not_before": "conv3",
        "covers_everywhere": None,
        "covers_everywhere_not_before": None,
        "widening": 5,
        "idle": [],
        "idle_everywhere": [],
        "may_be_idle": ["conv4"],
        "smallest_input": 10,
        "smallest_input_exact": "bound",
    }


def test_one_and_all_units_of_a_vector_are_the_same(archcalc: Run) -> None:
    """A fully connected layer takes the whole map behind an upsampling: a unit may see the whole image, or none does."""
    with open("up.yaml", "w", encoding="utf-8") as file:
        file.write("input: [1, 9, 9]\nlayers:\n  - conv: {out: 1, kernel: 3, stride: 2}\n  - upsample: {scale: 2}\n")
        file.write("  - flatten\n  - linear: {out: 1}\n")
    _, out, _ = archcalc("rf", "up.yaml")
    assert "\nthe first layer whose field covers the whole input of 9x9: not before linear (<=9), if any\n" in out


def test_the_one_layer_that_widens_may_be_idle(archcalc: Run) -> None:
    """1x1 with stride 2 reads 0 and 2 of 3 pixels; bilinear, units of twice the size see up to both, 0 to 2."""
    with open("up.yaml", "w", encoding="utf-8") as file:
        file.write("input: [1, 3, 3]\nlayers:\n  - conv: {out: 1, kernel: 1, stride: 2}\n")
        file.write("  - upsample: {scale: 2, mode: bilinear}\n  - conv: {out: 1, kernel: 3, pad: 1}\n")
    _, out, _ = archcalc("rf", "up.yaml")
    assert "\nthe one layer that widens the field may be idle, since a bound is known of what it takes\n" in out


def test_a_summary_of_bounds(archcalc: Run) -> None:
    with open("up.yaml", "w", encoding="utf-8") as file:
        file.write(BOUNDED)
    _, out, _ = archcalc("rf", "up.yaml", "lenet5", "--summary")
    assert re.search(r"\nup .* <=11  3 -> <=5 -> <=7 -> <=9 -> <=11 +not before conv3 +<=1 +<=10\n", out)
    assert out.endswith("such as behind transposed convolution and upsampling\n")
    rows = list(csv.DictReader(io.StringIO(archcalc("rf", "up.yaml", "lenet5", "--summary", "--format", "csv")[1])))
    names = ("rf", "growth", "covers", "idle", "smallest_input")
    assert [rows[0][name] for name in names] == ["11", "3 -> 5 -> 7 -> 9 -> 11", "conv3", "1", "10"]
    told = ("exact", "covers_exact", "idle_exact", "smallest_input_exact")
    assert [{row[name] for name in told} for row in rows] == [{"bound"}, {"exact"}]
    assert "not before" not in archcalc("rf", "lenet5", "alexnet", "--summary")[1]


def test_pixels_that_strides_leave_over_are_told(archcalc: Run) -> None:
    """See the test of what a whole map leaves over for the 219 pixels."""
    _, out, _ = archcalc("rf", "alexnet_slim")
    assert (
        "strides leave pixels over: fc6, which takes the whole map, sees height 0 to 218, width 0 to 218 of the image of "
        "224x224\n"
    ) in out
    assert "no layer's field covers the whole input of 224x224; the largest is 219, of fc6\n" in out
    assert "leave pixels over" not in archcalc("rf", "resnet50")[1]


def test_csv_has_the_same_columns_for_all(archcalc: Run) -> None:
    _, out, _ = archcalc("rf", "nets.yaml:sequence", "nets.yaml:up", "resnet18", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert {row["network"] for row in rows} == {"sequence", "up", "resnet18"}
    assert all(None not in row and None not in row.values() for row in rows)
    assert (rows[0]["rf_height"], rows[0]["rf_width"]) == ("", "3")
    assert {row["exact_width"] for row in rows} == {"exact", "bound"}


def test_several_networks_end_in_one_line_each(archcalc: Run) -> None:
    _, out, _ = archcalc("rf", "lenet5", "alexnet")
    assert out.count("covers the whole input of") == 2
    assert re.search(
        r"\nlenet5 .* 5 -> 6 -> 14 -> 16 -> 32 .*\nalexnet .* 11 -> 19 -> 51 -> 67 -> 99 -> 131 -> 163 -> 195 ", out
    )
    content = json.loads(archcalc("rf", "lenet5", "alexnet", "--format", "json")[1])
    assert [one["network"] for one in content] == ["lenet5", "alexnet"]


@pytest.mark.parametrize("format", ["text", "markdown", "csv", "latex", "html", "json"])
@pytest.mark.parametrize("options", [(), ("--all",), ("--layer", "C3", "--unit", "9,0"), ("--summary",)])
def test_every_format(archcalc: Run, format: str, options: tuple[str, ...]) -> None:
    status, out, err = archcalc("rf", "lenet5", *options, "--format", format)
    assert (status, err) == (0, "")
    assert "14" in out


def test_json_has_the_verdict(archcalc: Run) -> None:
    content = json.loads(archcalc("rf", "resnet50", "--format", "json")[1])
    totals = content["totals"]
    assert (totals["covers"], totals["covers_everywhere"]) == ("conv4_4.main.conv2", "conv5_3.main.conv2")
    assert (totals["widening"], len(totals["idle"]), totals["smallest_input"]) == (18, 5, 403)


def test_a_unit_in_words_and_numbers(archcalc: Run) -> None:
    _, out, _ = archcalc("rf", "alexnet", "--layer", "conv5", "--unit", "3,4")
    assert "unit 3,4 of conv5 (256x13x13) sees height -16 to 146, width 0 to 162; " in out
    assert "of the image of 227x227: height 0 to 146, width 0 to 162" in out
    rows = json.loads(archcalc("rf", "alexnet", "--layer", "conv5", "--unit", "3,4", "--format", "json")[1])["rows"]
    assert [(row["axis"], row["first"], row["last"], row["input_first"], row["input_last"]) for row in rows] == [
        ("height", -16, 146, 0, 146),
        ("width", 0, 162, 0, 162),
    ]


def test_a_unit_in_the_padding(archcalc: Run) -> None:
    spec = "input: [1, 3, 3]\nlayers: [{conv: {out: 1, kernel: 1, pad: 2}}]\n"
    with open("far.yaml", "w", encoding="utf-8") as file:
        file.write(spec)
    _, out, _ = archcalc("rf", "far.yaml", "--layer", "conv", "--unit", "0,3")
    assert "sees height -2 to -2, width 1 to 1: nothing of the image of 3x3, just padding" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["alexnet", "--layer", "conv55"], "archcalc: unknown layer 'conv55'; did you mean 'conv5'?"),
        (["alexnet", "--layer", ""], "archcalc: unknown layer ''; known: input, conv1, "),
        (
            ["alexnet", "--layer", "conv5", "--unit", "13,0"],
            "archcalc: unit 13,0 is not in the map of conv5: it is 13x13, ",
        ),
        (
            ["alexnet", "--layer", "conv5", "--unit=-1,0"],
            "archcalc: unit -1,0 is not in the map of conv5: it is 13x13, ",
        ),
        (
            ["alexnet", "--layer", "conv5", "--unit", "3"],
            "archcalc: conv5 has a map of 256x13x13: a unit has 2 numbers, got 1",
        ),
        (["alexnet", "--layer", "fc6", "--unit", "3"], "archcalc: fc6 is a vector of 4096, without positions; "),
        (["alexnet", "--unit", "3,4"], "archcalc: --unit is of one layer: it needs --layer NAME"),
        (
            ["alexnet", "--layer", "conv5", "--unit", "a"],
            "archcalc: argument --unit: expected a position such as 3,4 (row, column), got 'a'",
        ),
        (
            ["alexnet", "--layer", "conv5", "--unit", "1,2,3,4"],
            "archcalc: argument --unit: expected a position such as 3,4",
        ),
        (["alexnet", "--summary", "--all"], "archcalc: --summary has one line per network; it takes no "),
        (["alexnet", "--columns", "layer,fild"], "archcalc: unknown column 'fild'; did you mean 'field'?"),
        (["alexnet", "--format", "xml"], "archcalc: unknown format 'xml'; "),
        (["INPUT 8x8x3 -> POOL5", "--input", "3x2x2"], "archcalc: pattern, column 16: max_pool on 3x2x2: "),
        (
            ["nets.yaml:dense"],
            "archcalc: dense has no spatial axes: its input is a vector of 784, all of which every unit sees",
        ),
        (["nets.yaml:dense", "--summary"], "archcalc: dense has no spatial axes: "),
        (["alexnett"], "archcalc: unknown network 'alexnett'; did you mean 'alexnet'?"),
    ],
)
def test_bad_input_is_one_sentence(archcalc: Run, arguments: list[str], said: str) -> None:
    status, out, err = archcalc("rf", *arguments)
    assert (status, out) == (2, "")
    assert err.startswith(said)
    assert "Traceback" not in err


def test_every_column_can_be_chosen() -> None:
    shown = table("resnet18", columns=[heading.name for heading in HEADINGS])
    assert [heading.name for heading in shown.headings] == [heading.name for heading in HEADINGS]
    assert all(heading.keep == 9 for heading in shown.headings)
