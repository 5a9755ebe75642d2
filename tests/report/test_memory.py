"""The tables of memory: what they say of small networks, by hand, and that every format shows the same."""

from __future__ import annotations

import json

import pytest

from archcalc import ArchcalcError, load
from archcalc.report.budget import memory_table
from archcalc.report.formats import FORMATS, render_table

SHORTCUT = """\
input: [4, 8, 8]
layers:
  - conv: {out: 4, kernel: 3, pad: 1}
    name: stem
  - add:
      main:
        - conv: {out: 4, kernel: 3, pad: 1}
          name: one
        - relu:
          name: act
        - conv: {out: 4, kernel: 3, pad: 1}
          name: two
      same: []
    name: block
"""
MAP = 4 * 8 * 8 * 4


@pytest.fixture
def shortcut(tmp_path):
    spec = tmp_path / "shortcut.yaml"
    spec.write_text(SHORTCUT)
    return load(str(spec))


def test_inference(shortcut):
    table = memory_table(shortcut)
    names = [heading.name for heading in table.headings]
    assert names == ["layer", "type", "output", "bytes", "held", "until", "alive", "waiting", "over"]
    assert [row[0] for row in table.rows] == ["stem", "block.main.one", "block.main.act", "block.main.two", "block.add"]
    assert [row[3:7] for row in table.rows] == [
        [MAP, "new", "block.add", MAP],
        [MAP, "new", "block.main.act", 2 * MAP],
        [MAP, "in place", "block.main.two", 2 * MAP],
        [MAP, "new", "block.add", 3 * MAP],
        [MAP, "new", "the end", 3 * MAP],
    ]
    assert table.rows[-1][7:] == [MAP, 3]  # the shortcut waits while three layers run
    weights = 3 * 4 * (4 * 4 * 9 + 4)
    assert table.totals["peak"] == table.totals["best_peak"] == 3 * MAP
    assert table.totals["peak_layer"] == "block.main.two"
    assert (table.totals["weights"], table.totals["image"]) == (weights, MAP)
    said = "\n".join(table.footer)
    assert f"inference peak by lifetime: {3 * MAP:,} bytes" in said
    assert f"alive there: stem {MAP:,}, block.main.one {MAP:,}, block.main.two {MAP:,}" in said
    assert "no other order of the branches has a smaller peak" in said
    assert f"with the weights and the image: {weights + 4 * MAP:,} bytes" in said


def test_a_better_order_is_said():
    said = "\n".join(memory_table(load("teaching_inception_bottleneck")).footer)
    assert "the smallest peak over all orders of the branches: 3,010,560 bytes, 702,464 fewer" in said


def test_training(shortcut):
    table = memory_table(shortcut, training=True, optimizer="momentum", batch=2)
    assert [row[3:5] for row in table.rows] == [
        [0, "its input (the image)"],
        [2 * MAP, "its input"],
        [2 * MAP, "its output"],
        [0, "its input (kept by block.main.act)"],
        [0, ""],
    ]
    weights = 3 * 4 * (4 * 4 * 9 + 4)
    assert table.total[3] == table.totals["kept"] == 4 * MAP
    assert table.totals["gradients"] == table.totals["optimizer"] == weights
    assert f"state of momentum: {weights:,} (a velocity per weight)" in "\n".join(table.footer)


def test_checkpoint_says_what_it_saves_and_costs(shortcut):
    said = "\n".join(memory_table(shortcut, training=True, checkpoint="block").footer)
    # The block takes the stem's output, which is kept either way; relu's is saved. The first convolution runs again:
    # 4*4*9 products at 64 positions; the second need not, for its input is all that is kept of it.
    assert f"keeps {MAP:,} bytes fewer" in said
    assert f"{4 * 4 * 9 * 64:,} MACs more, 33.3%" in said


def test_batches(shortcut):
    table = memory_table(shortcut, batches=[1, 5])
    weights = 3 * 4 * (4 * 4 * 9 + 4)
    assert table.rows == [[1, 3 * MAP, weights + 4 * MAP], [5, 15 * MAP, weights + 20 * MAP]]
    assert [row[3] for row in memory_table(shortcut, batches=[1, 5], training=True).rows] == [2 * MAP, 10 * MAP]


def test_fit(shortcut):
    weights = 3 * 4 * (4 * 4 * 9 + 4)
    table = memory_table(shortcut, fit=f"{weights + 4 * MAP * 7 + 1}B")
    assert table.rows[0][:3] == ["inference", 7, weights + 4 * MAP * 7]
    assert table.rows[0][-1] == weights + 4 * MAP * 8
    # At a batch of 7 the same budget allows 8x8, the size it was made for.
    at = memory_table(shortcut, fit=f"{weights + 4 * MAP * 7 + 1}B", batch=7)
    assert at.rows[0][:3] == ["inference", "4x8x8", weights + 4 * MAP * 7]
    assert at.rows[0][-1] == weights + 7 * 4 * 4 * 9 * 9 * 4


def test_fit_says_when_nothing_fits(shortcut):
    weights = 3 * 4 * (4 * 4 * 9 + 4)
    table = memory_table(shortcut, fit=f"{weights}B")
    assert [row[:2] for row in table.rows] == [["inference", 0], ["training", 0]]
    assert f"inference: not even one image fits; it needs {weights + 4 * MAP:,} bytes" in table.footer
    with pytest.raises(
        ArchcalcError, match=rf"^a budget of .* is smaller than the weights and buffers of .*, {weights:,}"
    ):
        memory_table(shortcut, fit=f"{weights - 1}B")


def test_overhead_is_added_everywhere(shortcut):
    plain, more = memory_table(shortcut), memory_table(shortcut, overhead="1MB")
    assert more.totals["overhead"] == 10**6
    assert f"{sum(plain.totals[k] for k in ('weights', 'image', 'activations')) + 10**6:,} bytes" in "\n".join(
        more.footer
    )
    assert memory_table(shortcut, fit="2MB", overhead="1MB").rows[0][1] < memory_table(shortcut, fit="2MB").rows[0][1]


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    "options", [{}, {"training": True}, {"batches": [1, 2]}, {"fit": "1GiB"}, {"fit": "1GiB", "batch": 2}]
)
def test_every_format(shortcut, format, options):
    assert render_table(memory_table(shortcut, **options), format)


def test_json_has_exact_numbers(shortcut):
    found = json.loads(render_table(memory_table(shortcut, batch=3, dtype="float16"), "json"))
    assert found["rows"][0]["bytes"] == 3 * MAP // 2
    assert (found["batch"], found["dtype"], found["totals"]["peak"]) == (3, "float16", 9 * MAP // 2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fit": "1GB", "batches": [1]}, "--fit searches one budget and --batches lists sizes; give one of the two"),
        ({"batches": [1], "batch": 2}, "--batches lists the batch sizes; it takes no --batch"),
        ({"optimizer": "adam"}, "--optimizer adam is a matter of training: add --training"),
        ({"checkpoint": "block"}, "--checkpoint block is a matter of training: add --training"),
        ({"fold_bn": True, "training": True}, "--fold-bn is for deployed networks; training needs their"),
        ({"columns": ["layers"]}, "unknown column 'layers'; did you mean 'layer'?"),
        ({"dtype": "int8", "training": True}, "PyTorch cannot train in int8"),
        ({"training": True, "checkpoint": "blok"}, "unknown block 'blok'; did you mean 'block'?"),
        ({"training": True, "optimizer": "adan"}, "unknown optimizer 'adan'; did you mean 'adam'?"),
        ({"fit": "2 GBi"}, "unknown unit 'GBi' in '2 GBi'; did you mean"),
    ],
)
def test_what_does_not_go_together(shortcut, options, message):
    with pytest.raises(ArchcalcError) as error:
        memory_table(shortcut, **options)
    assert message in str(error.value)


def test_an_integer_dtype_fits_inference_only(shortcut):
    assert [row[0] for row in memory_table(shortcut, fit="1GB", dtype="int8").rows] == ["inference"]


def test_the_command(archcalc):
    status, out, err = archcalc("memory", "vgg16", "--format", "csv", "--columns", "layer,alive")
    assert (status, err) == (0, "")
    assert out.splitlines()[3].endswith(f",conv1_2,{2 * 64 * 224 * 224 * 4}")
    status, out, err = archcalc("memory", "vgg16", "--fit", "1GiB", "--batch", "0")
    assert (status, out, err) == (2, "", "archcalc: batch: must be at least 1, got 0\n")


def test_the_peak_stands_below_the_table_under_its_own_name(archcalc):
    _, out, _ = archcalc("table", "resnet50_tv", "--depth", "1")
    assert "inference peak by tensor lifetime, the image apart: 9.6 MB (9.2 MiB), at conv2_1.shortcut.bn" in out
