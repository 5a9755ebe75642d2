"""The tables of receptive fields: figures of the course and of the literature, and the words around them."""

from __future__ import annotations

import csv
import io
import json
import re
import time
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
                "the first layer that covers the network input of 224x224: conv4_4.main.conv2 (227), in some units; "
                "conv5_3.main.conv2, in every unit",
                "5 of 18 widening layers are idle at 224x224: their input already covers the network input "
                "(conv4_5.main.conv2 to conv5_3.main.conv2). They still help units near the border.",
                "smallest square input without idle layers: 403x403",
            ],
        ),
        (
            "alexnet",
            [
                "the first layer that covers the network input of 227x227: fc6, in every unit",
                "none of 8 widening layers is idle at 227x227: all add context",
                "smallest square input without idle layers: 164x164",
            ],
        ),
        (
            "teaching_one_7x7",
            [
                "no layer covers the network input of 28x28; the largest field is 7, of conv",
                "none of 1 widening layer is idle at 28x28: it adds context",
                "smallest square input without idle layers: 2x2",
            ],
        ),
    ],
)
def test_the_verdict_in_words(name: str, lines: list[str]) -> None:
    assert list(table(name).footer[: len(lines)]) == lines


def test_one_idle_layer_is_one() -> None:
    footer = table("INPUT 3x3x1 -> CONV3-1 -> CONV3-1").footer
    assert (
        footer[0]
        == "the first layer that covers the network input of 3x3: conv1 (3), in some units; conv2, in every unit"
    )
    assert footer[1] == (
        "1 of 2 widening layers is idle at 3x3: its input already covers the network input (conv2). It still helps units "
        "near the border."
    )


def test_who_gains_all_the_same() -> None:
    """On three pixels every unit of the second 3x3 sees all (-2 to 2, to 4), so no unit gains by the third."""
    net = "INPUT 3x3x1 -> CONV3-1 -> CONV3-1"
    assert (
        table(f"{net} -> CONV3-1")
        .footer[1]
        .endswith("(conv2 to conv3). 1 of them still helps units near the border. 1 helps no unit.")
    )
    assert table("INPUT 1x1x1 -> CONV3-1").footer[1] == (
        "1 of 1 widening layer is idle at 1x1: its input already covers the network input (conv1). It helps no unit."
    )


def test_gates_are_named() -> None:
    notes = [
        line for line in table("efficientnet_b0").footer if line.startswith("fields follow the paths past the gates")
    ]
    assert len(notes) == 1
    assert "(first: stage2.mbconv1.se.gate.global_avg_pool)" in notes[0]
    assert not [line for line in table("resnet50").footer if "gates" in line]


def test_padding_of_one_input_is_named() -> None:
    assert (
        "from pool1 on, first and padding are for this input alone: padding 'same' depends on its size"
        in table("resnet50_slim").footer
    )
    assert not [line for line in table("resnet50").footer if "depends on its size" in line]


def test_sequences_clips_and_bounds(archcalc: Run) -> None:
    """'same' pads (0, 1) before 1000 and (1, 1) around 9. Behind 2x2 up two units each see what one saw."""
    _, out, _ = archcalc(
        "rf", "nets.yaml:sequence", "nets.yaml:clip", "nets.yaml:up", "--all-layers", "--format", "json"
    )
    sequence, clip, up = json.loads(out)
    sequence, clip = ({**one, "rows": one["rows"][1:]} for one in (sequence, clip))
    assert [row["first"] for row in sequence["rows"]] == [0]
    assert [row["first"] for row in clip["rows"]] == [-1]
    assert sequence["totals"]["smallest_input"] == 2
    assert [(row["rf_height"], row["step_height"], row["exact_height"]) for row in up["rows"]] == [
        (1, 1, "exact"),
        (3, 2, "exact"),
        (3, 1, "exact"),
    ]


BOUNDED = """input: [1, 9, 9]
layers:
  - add:
      a:
        - conv: {out: 1, kernel: 1, stride: 2}
      b:
        - adaptive_avg_pool: {out: 5}
        - conv: {out: 1, kernel: 1}
  - conv: {out: 1, kernel: 3, pad: 1}
  - conv: {out: 1, kernel: 3, pad: 1}
"""
"""Units of a are 2 pixels apart, those of b 9/5: no one step is that of their sum, and the whole input bounds it."""


def test_a_summary_on_bounds_says_what_is_known(archcalc: Run) -> None:
    with open("apart.yaml", "w", encoding="utf-8") as file:
        file.write(BOUNDED)
    _, out, _ = archcalc("rf", "apart.yaml")
    assert "\nthe first layer that covers the network input of 9x9: not before add (<=9), if any\n" in out
    totals = json.loads(archcalc("rf", "apart.yaml", "--format", "json")[1])["totals"]
    assert (totals["covers"], totals["covers_not_before"]) == (None, "add")
    assert (totals["idle"], totals["may_be_idle"], totals["widening"]) == ([], [], 0)


UNITS = """input: [1, 8, 8]
layers:
  - conv: {out: 1, kernel: 3, stride: 2}
  - conv_transpose: {out: 1, kernel: 3, stride: 2}
  - conv: {out: 1, kernel: 3, pad: 1}
  - conv: {out: 1, kernel: 3, pad: 1}
  - conv: {out: 1, kernel: 3, pad: 1}
"""
"""Units 0 to 2 see 0-2, 2-4 and 4-6. Behind the transposed 3x3 of stride 2 even units see two of those, 5 pixels, and odd
ones one, 3 pixels. A 3x3 on units 2i-1 to 2i+1 sees from 2(i-1) to 2i+2, 5 pixels, and one on 2i to 2i+2 from 2(i-1) to
2(i+1)+2, 7. The next sees 7 on 2i-1 to 2i+1 (all that 2i-2 to 2i+2 see) and 9 - 2 = 7 or 9, and so on."""


def test_units_that_differ(archcalc: Run) -> None:
    with open("up.yaml", "w", encoding="utf-8") as file:
        file.write(UNITS)
    rows = json.loads(archcalc("rf", "up.yaml", "--format", "json")[1])["rows"]
    assert [(row["rf"], row["rf_smallest"], row["step"], row["exact"]) for row in rows] == [
        (3, None, 2, "exact"),
        (5, 3, 1, "exact"),
        (7, 5, 1, "exact"),
        (9, 7, 1, "exact"),
        (11, 9, 1, "exact"),
    ]
    _, out, _ = archcalc("rf", "up.yaml", "--verbose")
    assert (
        "\nfrom conv_transpose on, units have fields of several sizes; --layer NAME --unit Y,X gives that of one unit\n"
        in out
    )
    assert "smallest: field of the unit that sees least, where units differ; field is that of the unit" in out


def test_a_vector_has_the_fields_of_its_map(archcalc: Run) -> None:
    """Flatten alone sees what a position saw; a fully connected layer behind it sees all that was read: 0 to 8 of 10."""
    with open("flat.yaml", "w", encoding="utf-8") as file:
        file.write("input: [1, 10, 10]\nlayers:\n  - conv: {out: 1, kernel: 3, stride: 2}\n  - flatten\n  - relu\n")
        file.write("  - linear: {out: 1}\n")
    rows = json.loads(archcalc("rf", "flat.yaml", "--all-layers", "--format", "json")[1])["rows"]
    assert [(row["layer"], row["rf"], row["step"]) for row in rows] == [
        ("input", 1, 1),
        ("conv", 3, 2),
        ("flatten", 3, 2),
        ("relu", 3, 2),
        ("linear", 9, None),
    ]


FLAT = """input: [3, 32, 32]
layers:
  - conv: {out: 8, kernel: 3, pad: 1}
  - concat:
      a:
        - conv: {out: 8, kernel: 3, pad: 1}
        - flatten
      b:
        - conv: {out: 8, kernel: 5, pad: 2}
        - flatten
"""


@pytest.mark.parametrize(
    ("more", "last"),
    [
        ("", ("concat", 7, 5, 1)),  # a unit sees 5 or 7 pixels
        ("  - relu\n", ("concat", 7, 5, 1)),
        ("  - linear: {out: 2}\n", ("linear", 32, None, None)),
        ("  - softmax\n", ("softmax", 32, None, None)),
    ],
)
def test_vectors_one_after_another(archcalc: Run, more: str, last: tuple[object, ...]) -> None:
    with open("flat.yaml", "w", encoding="utf-8") as file:
        file.write(FLAT + more)
    content = json.loads(archcalc("rf", "flat.yaml", "--format", "json")[1])
    row = content["rows"][-1]
    assert (row["layer"], row["rf"], row["rf_least"], row["step"]) == last
    assert content["totals"]["covers"] == (last[0] if last[1] == 32 else None)


GATED = """input: [3, 16, 16]
layers:
  - conv: {out: 4, kernel: 3, pad: 1}
  - multiply:
      map: []
      gate:
        - global_avg_pool
        - conv: {out: 4, kernel: 1}
        - sigmoid
  - conv: {out: 4, kernel: 5, pad: 2}
"""


def test_one_field_in_every_table(archcalc: Run) -> None:
    """3, and 7 behind the gate: past it. Through the gate, whose pooling sees all, 16."""
    with open("gated.yaml", "w", encoding="utf-8") as file:
        file.write(GATED)

    def last(*arguments: str) -> dict[str, object]:
        return json.loads(archcalc(*arguments, "--format", "json")[1])["rows"][-1]

    both = "rf,rf_with_gates"
    for row in (
        last("rf", "gated.yaml"),
        last("rf", "gated.yaml", "--summary"),
        last("compare", "gated.yaml"),
        last("table", "gated.yaml", "--columns", both),
    ):
        assert (row["rf"], row["rf_with_gates"]) == (7, 16)
    frame = load("gated.yaml").analyze().to_dataframe(["rf", "rf_with_gates"])
    assert (frame["rf"].iloc[-1], frame["rf_with_gates"].iloc[-1]) == (7, 16)
    assert last("table", "gated.yaml")["rf"] == 7
    past = "field: along the paths past the gates. Over all paths: column rf_with_gates."
    assert past in archcalc("table", "gated.yaml", "--verbose")[1]
    assert past not in archcalc("table", "gated.yaml", "--columns", "layer,params", "--verbose")[1]
    assert past not in archcalc("table", "resnet18", "--verbose")[1]
    assert "  whole" in archcalc("compare", "gated.yaml")[1]


@pytest.mark.parametrize("net", ["efficientnet_b0", "mobilenet_v3_large", "resnet50", "googlenet"])
def test_one_field_of_the_zoo(archcalc: Run, net: str) -> None:
    fields = {
        json.loads(archcalc(*command, net, "--format", "json")[1])["rows"][0]["rf"]
        for command in (("compare",), ("rf", "--summary"))
    }
    shown = [json.loads(archcalc(command, net, "--format", "json")[1])["rows"] for command in ("table", "rf")]
    fields |= {max(row["rf"] for row in rows if row["step"] is not None) for rows in shown}
    assert len(fields) == 1


def test_a_summary_of_bounds(archcalc: Run) -> None:
    with open("apart.yaml", "w", encoding="utf-8") as file:
        file.write(BOUNDED)
    _, out, _ = archcalc("rf", "apart.yaml", "lenet5", "--summary")
    assert re.search(r"\napart .* <=9 +not before add +0 ", out)
    assert (
        "\n'<=' and 'not before': a field is a bound; no unit has a larger field, some units may have a smaller one\n"
        in out
    )
    rows = list(csv.DictReader(io.StringIO(archcalc("rf", "apart.yaml", "lenet5", "--summary", "--format", "csv")[1])))
    assert [(row["rf"], row["exact"], row["covers"], row["covers_exact"]) for row in rows] == [
        ("9", "bound", "add", "bound"),
        ("32", "exact", "C5", "exact"),
    ]
    assert "not before" not in archcalc("rf", "lenet5", "alexnet", "--summary")[1]


MANY = """input: [1, 1023]
layers:
  - adaptive_avg_pool: {out: 1022}
  - conv: {out: 1, kernel: 3, pad: 1}
    repeat: 900
"""


def test_units_that_differ_in_many_ways_are_bounded_work(archcalc: Run) -> None:
    """1022 units differ: of two layers they are told apart, of 901 they are not, and the field is a bound."""
    for count, exact in ((1, "exact"), (900, "bound")):
        with open("many.yaml", "w", encoding="utf-8") as file:
            file.write(MANY.replace("900", str(count)))
        started = time.process_time()
        rows = json.loads(archcalc("rf", "many.yaml", "--format", "json")[1])["rows"]
        assert rows[-1]["exact"] == exact
        assert time.process_time() - started < 5


@pytest.mark.parametrize(
    "net",
    [
        "INPUT 32x32x3 -> [CONV3-4 s2 p1]*52",
        "INPUT 32x32x3 -> [CONV3-3 s9000 p1]*6",
        "INPUT 10x10x1 -> CONV1-1 p45000 -> [CONV1-1]*300 -> GAP",
        "INPUT 9x9x1 -> CONV2-1 p900000000 -> POOL2 -> CONV3-1 s7 -> GAP",
    ],
)
def test_work_does_not_follow_sizes(archcalc: Run, net: str) -> None:
    """Strides, pads and maps of a billion take no longer than small ones."""
    started = time.process_time()
    for arguments in (("rf", net), ("rf", net, "--summary"), ("table", net)):
        assert archcalc(*arguments)[0] == 0
    assert time.process_time() - started < 5


def test_pixels_that_strides_leave_over_are_told(archcalc: Run) -> None:
    """See the test of what a whole map leaves over for the 219 pixels."""
    _, out, _ = archcalc("rf", "alexnet_slim")
    assert (
        "strides leave pixels over: fc6, which takes the whole map, sees height 0 to 218, width 0 to 218 of the network "
        "input of 224x224\n"
    ) in out
    assert "no layer covers the network input of 224x224; the largest field is 219, of fc6\n" in out
    assert "leave pixels over" not in archcalc("rf", "resnet50")[1]


def test_csv_has_the_same_columns_for_all(archcalc: Run) -> None:
    _, out, _ = archcalc("rf", "nets.yaml:sequence", "nets.yaml:up", "resnet18", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert {row["network"] for row in rows} == {"sequence", "up", "resnet18"}
    assert all(None not in row and None not in row.values() for row in rows)
    assert (rows[0]["rf_height"], rows[0]["rf_width"]) == ("", "3")
    assert {row["exact_width"] for row in rows} == {"exact"}


def test_several_networks_end_in_one_line_each(archcalc: Run) -> None:
    _, out, _ = archcalc("rf", "lenet5", "alexnet")
    assert out.count("the network input of") == 2
    assert re.search(
        r"\nlenet5 .* 5 -> 6 -> 14 -> 16 -> 32 .*\nalexnet .* 11 -> 19 -> 51 -> 67 -> 99 -> 131 -> 163 -> 195 ", out
    )
    content = json.loads(archcalc("rf", "lenet5", "alexnet", "--format", "json")[1])
    assert [one["network"] for one in content] == ["lenet5", "alexnet"]


@pytest.mark.parametrize("format", ["text", "markdown", "csv", "latex", "html", "json"])
@pytest.mark.parametrize("options", [(), ("--all-layers",), ("--layer", "C3", "--unit", "9,0"), ("--summary",)])
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
    assert "of the network input of 227x227: height 0 to 146, width 0 to 162" in out
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
    assert "sees height -2 to -2, width 1 to 1: nothing of the network input of 3x3, just padding" in out


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
        (["alexnet", "--unit", "3,4"], "archcalc: --unit needs --layer NAME"),
        (
            ["alexnet", "--layer", "conv5", "--unit", "a"],
            "archcalc: --unit: expected a position such as 3,4 (row, column), got 'a'",
        ),
        (
            ["alexnet", "--layer", "conv5", "--unit", "1,2,3,4"],
            "archcalc: --unit: expected a position such as 3,4",
        ),
        (["alexnet", "--summary", "--all-layers"], "archcalc: --summary has one line per network; it takes no "),
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
    assert all(heading.priority == 9 for heading in shown.headings)
