"""Two networks aligned: just what differs is listed, and the changes add up to the change of the totals."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from archcalc import load
from archcalc.analysis.alignment import aligned
from archcalc.report.diff import Change, diff_table
from archcalc.report.formats import FORMATS, render_table
from tests.report.test_formats import text_columns

PAIRS = [
    ("resnet50", "resnet50_tv"),
    ("vgg16", "vgg19"),
    ("vgg16", "vgg16_bn"),
    ("resnet18", "resnet34"),
    ("alexnet", "vgg16"),
    ("lenet5", "googlenet"),
    ("inception_v3", "resnet_cifar20"),
    ("densenet121", "densenet169"),
    ("mobilenet_v2", "mobilenet_v1"),
    ("resnet_option_a", "resnet_option_b"),
    ("teaching_1x1", "convnext_tiny"),
    ("regnet_y_800mf", "regnet_y_800mf_tv"),
]
FIRST = """input: [4, 8, 8]
layers:
  - conv: {out: 4, kernel: 3, pad: 1}
    name: a
  - conv: {out: 4, kernel: 3, pad: 1}
    name: b
  - flatten:
    name: flat
  - linear: {out: 10}
    name: fc
"""


def changes(a: str, b: str, **how: object) -> dict[str, list[object]]:
    return {row[0]: row[1:] for row in diff_table(load(a).analyze(**how), load(b).analyze(**how)).rows}


@pytest.fixture
def second(tmp_path: Path):
    """The differences from FIRST to a text made from it by replacing."""

    def rows(old: str, new: str) -> list[list[object]]:
        assert old in FIRST
        (tmp_path / "one.yaml").write_text(FIRST)
        (tmp_path / "two.yaml").write_text(FIRST.replace(old, new))
        return diff_table(load(str(tmp_path / "one.yaml")).analyze(), load(str(tmp_path / "two.yaml")).analyze()).rows

    return rows


# What is listed.


def test_resnet50_s_stride_moves_from_the_1x1_to_the_3x3() -> None:
    """In the first block of three stages the first convolution keeps its input's size, so do its norm and ReLU."""
    found = changes("resnet50", "resnet50_tv")
    expected = {}
    for stage, (inputs, maps, size) in {3: (256, 128, 56), 4: (512, 256, 28), 5: (1024, 512, 14)}.items():
        grown = f"{maps}x{size // 2}x{size // 2} to {maps}x{size}x{size}"
        values = maps * size * size - maps * (size // 2) ** 2
        macs = inputs * maps * (size**2 - (size // 2) ** 2)
        assert macs == 77_070_336
        block = f"conv{stage}_1.main"
        expected |= {
            f"{block}.conv1": [f"stride 2 to 1; output {grown}", 0, macs, values],
            f"{block}.bn1": [f"output {grown}", 0, 0, values],
            f"{block}.relu1": [f"output {grown}", 0, 0, 0],
            f"{block}.conv2": ["stride 1 to 2", 0, 0, 0],
        }
    assert found == expected


def test_resnet50_s_totals_change_by_three_convolutions(archcalc) -> None:
    status, out, _ = archcalc("diff", "resnet50", "resnet50_tv")
    assert status == 0
    # 1x1 over 256 x 128 maps at 56x56 instead of 28x28, and the same product in the two stages after it
    more = sum(i * o * (size**2 - (size // 2) ** 2) for i, o, size in [(256, 128, 56), (512, 256, 28), (1024, 512, 14)])
    assert more == 3 * 77_070_336 == 231_211_008
    assert f"(+{more:,})" in next(line for line in out.splitlines() if line.startswith("MACs: "))
    layers = len(load("resnet50").analyze().rows)
    assert f"12 layers differ, {layers - 12} are the same in kind, settings, shape and costs" in out
    assert "parameters: 25,557,032 to 25,557,032 (0)" in out
    assert "largest field of a layer with positions: 483 to 427" in out


def test_vgg19_is_vgg16_and_three_convolutions() -> None:
    found = changes("vgg16", "vgg19")
    maps = {3: (256, 56), 4: (512, 28), 5: (512, 14)}
    expected = {}
    for stage, (c, size) in maps.items():
        expected[f"conv{stage}_4"] = [f"new: conv {c}x{size}x{size}", 9 * c * c + c, 9 * c * c * size**2, c * size**2]
        expected[f"relu{stage}_4"] = [f"new: relu {c}x{size}x{size}", 0, 0, 0]
    assert found == expected
    back = changes("vgg19", "vgg16")
    assert {name: row[1:] for name, row in back.items()} == {
        name: [-n for n in row[1:]] for name, row in expected.items()
    }
    assert {str(row[0]).split(":")[0] for row in back.values()} == {"gone"}


@pytest.mark.parametrize("name", ["vgg16", "googlenet", "resnet50", "densenet121", "mobilenet_v3_large", "lenet5"])
def test_a_network_does_not_differ_from_itself(archcalc, name: str) -> None:
    status, out, _ = archcalc("diff", name, name)
    assert status == 0
    assert f"0 layers differ, {len(load(name).analyze().rows)} are the same" in out
    changed = [line for line in out.splitlines() if " to " in line and line.endswith(")")]
    assert len(changed) == 4, "parameters, buffers, MACs and values"
    assert all(line.endswith(" (0)") for line in changed)


@pytest.mark.parametrize(
    ("old", "new", "row"),
    [
        (
            "kernel: 3, pad: 1}\n    name: b",
            "kernel: 5, pad: 2}\n    name: b",
            ["b", "kernel 3 to 5; pad 1 to 2", 16 * (25 - 9), 16 * (25 - 9) * 64, 0],
        ),
        ("pad: 1}\n    name: b", "pad: 1, bias: false}\n    name: b", ["b", "bias true to false", -4, 0, 0]),
        ("    name: b", "    name: b\n    weights: a", ["b", "weights of its own to a", -(16 * 9 + 4), 0, 0]),
        ("out: 10", "out: 7", ["fc", "out 10 to 7; output 10 to 7", -3 * 257, -3 * 256, -3]),
        (
            "  - conv: {out: 4, kernel: 3, pad: 1}\n    name: b",
            "  - relu:\n    name: b",
            ["b", "conv to relu", -(16 * 9 + 4), -16 * 9 * 64, -4 * 64],
        ),
    ],
)
def test_a_difference_is_said_in_words(second, old: str, new: str, row: list[object]) -> None:
    assert second(old, new) == [row]


def test_a_layer_that_differs_just_in_its_input_says_so(second) -> None:
    rest = ", kernel: 3, pad: 1}\n    name: a"
    found = {row[0]: row[1:] for row in second(f"out: 4{rest}", f"out: 6{rest}")}
    assert found["a"] == ["out 4 to 6; output 4x8x8 to 6x8x8", 2 * (36 + 1), 2 * 36 * 64, 2 * 64]
    assert found["b"] == ["input 4x8x8 to 6x8x8", 2 * 4 * 9, 2 * 4 * 9 * 64, 0]
    assert set(found) == {"a", "b"}


def test_an_input_of_another_size_is_a_difference() -> None:
    found = changes("alexnet", "alexnet_tv")
    assert found["input"] == ["output 3x227x227 to 3x224x224", 0, 0, 3 * 224**2 - 3 * 227**2]


# What is added up.


@pytest.mark.parametrize(("a", "b"), PAIRS)
@pytest.mark.parametrize("how", [{}, {"batch": 3, "training": True}, {"convention": "lecun98"}])
def test_the_changes_add_up_to_the_change_of_the_totals(a: str, b: str, how: dict[str, object]) -> None:
    left, right = load(a).analyze(**how), load(b).analyze(**how)
    rows = diff_table(left, right).rows
    for at, what in ((2, "params"), (3, "macs"), (4, "values")):
        assert sum(row[at] for row in rows) == getattr(right.totals, what) - getattr(left.totals, what), what


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_every_layer_is_in_one_pair(a: str, b: str) -> None:
    left, right = load(a).analyze(), load(b).analyze()
    pairs, partners = aligned(left, right)
    assert sorted(x.node.index for x, _ in pairs if x is not None) == [row.node.index for row in left.rows]
    assert [y for _, y in pairs if y is not None] == right.rows
    assert (None, None) not in pairs
    assert partners == {x.node.index: y.node.index for x, y in pairs if x is not None and y is not None}


# How it is printed.


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_has_the_changes(archcalc, format: str) -> None:
    status, out, said = archcalc("diff", "resnet50", "resnet50_tv", "--format", format)
    assert (status, said) == (0, "")
    assert "77070336" in out.replace(",", "")
    assert "stride 2 to 1" in out
    for name in ("resnet50", "resnet50_tv"):
        assert name in out.replace("\\", "")
    if format not in ("csv", "json"):
        assert "+77,070,336" in out
        assert "+231,211,008" in out


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_prints_no_difference(archcalc, format: str) -> None:
    assert archcalc("diff", "lenet5", "lenet5", "--format", format)[::2] == (0, "")


def test_csv_and_json_hold_numbers(archcalc) -> None:
    rows = list(csv.DictReader(io.StringIO(archcalc("diff", "vgg19", "vgg16", "--format", "csv")[1])))
    content = json.loads(archcalc("diff", "vgg19", "vgg16", "--format", "json")[1])
    wanted = -(9 * 256 * 256 * 56**2)
    assert (int(rows[0]["macs_delta"]), content["rows"][0]["macs_delta"]) == (wanted, wanted)
    assert (content["from"], content["to"], rows[0]["from"], rows[0]["to"]) == ("vgg19", "vgg16", "vgg19", "vgg16")


def test_the_text_shows_signs_and_plain_zeros(archcalc) -> None:
    titles, rows = text_columns(archcalc("diff", "resnet50", "resnet50_tv")[1])
    assert titles == ["layer", "difference", "params", "MACs", "values"]
    assert rows[0][2:] == ["0", "+77,070,336", "+301,056"]
    assert "+" not in render_table(diff_table(load("vgg19").analyze(), load("vgg16").analyze()), "text", exact=True)
    assert Change(5) - Change(7) == -2


def test_a_convention_names_what_it_counts(archcalc) -> None:
    _, out, _ = archcalc("diff", "lenet5", "lenet5_modern", "--as", "lecun98")
    assert text_columns(out)[0][3] == "connections"
    assert "connections: 340,908 to " in out


@pytest.mark.parametrize("nets", [["vgg16"], ["vgg16", "vgg19", "alexnet"]])
def test_two_networks_are_compared_not_more_or_fewer(archcalc, nets: list[str]) -> None:
    assert archcalc("diff", *nets) == (2, "", f"archcalc: diff takes two networks, got {len(nets)}\n")


def test_another_input_of_the_same_shape_and_another_storage_are_seen(tmp_path) -> None:
    text = (
        "input: [4, 8, 8]\nlayers:\n  - relu:\n    name: a\n  - relu:\n    name: b\n"
        "  - relu:\n    name: c\n    from: {}\n  - conv: {{out: 4, kernel: 1}}\n    name: d\n    storage: {}\n"
    )
    old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    old.write_text(text.format("a", "new"))
    new.write_text(text.format("b", "view"))
    rows = diff_table(load(str(old)).analyze(), load(str(new)).analyze()).rows
    assert [row[:2] for row in rows] == [["c", "from a to b"], ["d", "storage new to view"]]


def test_one_layer_is_the_same(archcalc) -> None:
    """The input is the same; conv1 alone differs."""
    assert (
        "1 layer differs, 1 is the same in kind"
        in archcalc("diff", "INPUT 8x8x3 -> CONV3-2", "INPUT 8x8x3 -> CONV3-4")[1]
    )
