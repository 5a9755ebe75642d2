"""What fits, over batch sizes, what the options refuse, and the facts that stand beside every number."""

from __future__ import annotations

import csv
import io

import numpy
import pytest

from archcalc import ArchcalcError, load
from archcalc.report.formats import render_table
from tests.report.shortcut import MAP, WEIGHTS
from tests.report.tables import memory_table


def test_batches(shortcut):
    table = memory_table(shortcut, batches=[1, 5])
    assert table.rows == [[1, 3 * MAP, WEIGHTS + 4 * MAP], [5, 15 * MAP, WEIGHTS + 20 * MAP]]
    assert [row[3] for row in memory_table(shortcut, batches=[1, 5], training=True).rows] == [2 * MAP, 10 * MAP]


def test_fit(shortcut):
    table = memory_table(shortcut, fit=f"{WEIGHTS + 4 * MAP * 7 + 1}B")
    assert table.rows[0][:3] == ["inference", 7, WEIGHTS + 4 * MAP * 7]
    assert table.rows[0][-1] == WEIGHTS + 4 * MAP * 8
    # At a batch of 7 the same budget allows 8x8, the size it was made for.
    at = memory_table(shortcut, fit=f"{WEIGHTS + 4 * MAP * 7 + 1}B", batch=7)
    assert at.rows[0][:3] == ["inference", "4x8x8", WEIGHTS + 4 * MAP * 7]
    assert at.rows[0][-1] == WEIGHTS + 7 * 4 * 4 * 9 * 9 * 4


def test_fit_says_when_nothing_fits(shortcut):
    table = memory_table(shortcut, fit=f"{WEIGHTS}B")
    assert [row[:2] for row in table.rows] == [["inference", 0], ["training", 0]]
    assert f"inference: not even one image fits; it needs {WEIGHTS + 4 * MAP:,} bytes" in table.footer
    with pytest.raises(
        ArchcalcError, match=rf"^a budget of .* is smaller than the weights and buffers of .*, {WEIGHTS:,}"
    ):
        memory_table(shortcut, fit=f"{WEIGHTS - 1}B")


def test_fit_says_what_the_smallest_input_needs(spec):
    """The convolution takes 5x5 and more: 26 weights, 25 values of the image and one of the output."""
    net = spec("input: [1, 8, 8]\nlayers: [{conv: {out: 1, kernel: 5}}]")
    assert "inference: not even the smallest input, 1x5x5, fits; it needs 208 bytes" in (
        memory_table(net, fit="207B", batch=1).footer
    )
    assert memory_table(net, fit="208B", batch=1).rows[0][:3] == ["inference", "1x5x5", 208]


def test_fit_of_an_input_is_headed_by_the_shapes_that_are_searched(spec, shortcut):
    header = memory_table(shortcut, fit="1MB", batch=2).header
    assert "input 4xNxN (channels x height x width), batch 2, float32" in header.lines()
    assert ("input" in header.facts, header.facts["batch"]) == (False, 2)
    clip = spec("input: [3, 8, 16, 16]\nlayers: [{conv: {out: 1, kernel: 3}}]")
    size = "input 3x8xNxN (channels x depth x height x width), batch 2, float32"
    assert size in memory_table(clip, fit="1MB", batch=2).header.lines()


def test_a_batch_has_one_limit(spec):
    """That of --batch, 2^31 - 1, wherever it is given or found."""
    net = spec("input: [1]\nlayers: [{linear: {out: 1}}]")  # 8 bytes of weights, 8 per image
    most = 2**31 - 1
    table = memory_table(net, fit=f"{8 + 8 * most}B")
    assert table.rows[0][:3] == ["inference", most, 8 + 8 * most]
    assert memory_table(net, fit=f"{7 + 8 * most}B").rows[0][1] == most - 1
    table = memory_table(net, fit="1000TiB")
    assert [row[1] for row in table.rows] == [most, most]
    assert "inference: 2,147,483,647 images fit, the largest batch that is possible" in table.footer
    with pytest.raises(ArchcalcError, match=r"^--batches: 2147483648 is larger than 2,147,483,647, the largest size"):
        memory_table(net, batches=[1, most + 1])
    with pytest.raises(ArchcalcError, match=r"^--batches: must be at least 1, got 0"):
        memory_table(net, batches=[0])


def test_training_that_is_left_out_is_said():
    footer = memory_table(load("lenet5"), fit="1GB", dtype="int8").footer
    assert "training: PyTorch cannot train in int8" in footer
    with pytest.raises(ArchcalcError, match=r"^PyTorch cannot train in int8"):
        memory_table(load("lenet5"), fit="1GB", dtype="int8", optimizer="adam")
    assert "training runs the side heads, too" in memory_table(load("googlenet"), fit="1GB").footer


def test_overhead_is_added_everywhere(shortcut):
    plain, more = memory_table(shortcut), memory_table(shortcut, overhead="1MB")
    assert more.totals["overhead"] == 10**6
    assert f"{sum(plain.totals[k] for k in ('weights', 'network_input', 'activations')) + 10**6:,} bytes" in "\n".join(
        more.footer
    )
    assert memory_table(shortcut, fit="2MB", overhead="1MB").rows[0][1] < memory_table(shortcut, fit="2MB").rows[0][1]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"training": True},
        {"batches": [1]},
        {"fit": "1MB", "overhead": "1KB"},
        {"fit": "1MB", "batch": 2, "optimizer": "adam"},
    ],
)
def test_every_csv_column_has_a_name_of_its_own(shortcut, options):
    names, *rows = csv.reader(io.StringIO(render_table(memory_table(shortcut, **options), "csv")))
    assert len(set(names)) == len(names)
    row = dict(zip(names, rows[0], strict=True))
    assert (row["network"], row["optimizer"]) == ("shortcut", options.get("optimizer", "sgd"))
    assert row["overhead"] == ("1000" if "overhead" in options else "0")


def test_csv_says_that_normalisations_are_folded(shortcut):
    facts = [memory_table(shortcut, fold_bn=folded).header.facts for folded in (False, True)]
    assert [each["fold_bn"] for each in facts] == [False, True]


def test_a_narrow_terminal_keeps_training_where_it_was_asked_for(shortcut):
    text = render_table(memory_table(shortcut, batches=[1, 8], training=True), width=80)
    assert "training total [KB]" in text
    assert "columns left out at this width: inference_peak" in text


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
        ({"optimizer": "adan"}, "unknown optimizer 'adan'; did you mean 'adam'?"),
        ({"checkpoint": "blok"}, "unknown block 'blok'; did you mean 'block'?"),
        ({"training": True, "checkpoint": ""}, "unknown block ''; known: block"),
        ({"fit": "2 GBi"}, "--fit: unknown unit 'GBi' in '2 GBi'; did you mean"),
        ({"overhead": "2"}, "--overhead: the size 2 needs a unit, as in 2GiB; known: B, KB, MB"),
        ({"fit": "0GiB"}, "a budget of 0 bytes is smaller than the weights and buffers of shortcut, 1,776 bytes"),
        (
            {"fit": "2KB", "overhead": "1KB"},
            "a budget of 2,000 bytes is smaller than the weights and buffers of shortcut, 1,776 bytes, and the "
            "overhead of 1,000",
        ),
        ({"input": (4, numpy.array([8, 16]), 8)}, "memory needs single sizes, not arrays"),
        ({"batch": numpy.array([8, 16])}, "memory needs single sizes, not arrays"),
    ],
)
def test_what_does_not_go_together(shortcut, options, message):
    with pytest.raises(ArchcalcError) as error:
        memory_table(shortcut, **options)
    assert message in str(error.value)


def test_an_integer_dtype_fits_inference_only(shortcut):
    assert [row[0] for row in memory_table(shortcut, fit="1GB", dtype="int8").rows] == ["inference"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--fit", "-3GiB"], "--fit: expected a size such as 24GiB or 512MB, got '-3GiB'"),
        (["--fit", "1e3GiB"], "--fit: expected a size such as 24GiB or 512MB, got '1e3GiB'"),
        (["--overhead", "-.5MB"], "--overhead: expected a size such as 24GiB or 512MB, got '-.5MB'"),
        (
            ["--batches", "-1,2"],
            "--batches: expected up to 1000 numbers from 1 on, such as 1,8,32, got '-1,2'",
        ),
        (["--batch", "-2"], "batch: must be at least 1, got -2"),
        (
            ["--batch", "1" + 18 * "0"],
            "--batch: expected a whole number of at most 18 digits, got '1000000000000000000'",
        ),
        (["--columns", ","], "--columns: expected names with commas between, got ','"),
    ],
)
def test_a_bad_value_is_named(archcalc, options, message):
    status, out, err = archcalc("memory", "lenet5", *options)
    assert (status, out) == (2, "")
    assert err.removesuffix("; see archcalc memory --help\n").removesuffix("\n") == f"archcalc: {message}"
