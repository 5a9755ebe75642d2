"""Time beside other figures: images per second of networks side by side."""

from __future__ import annotations

import json

import pytest

from archcalc import load
from archcalc.report.compare import compare_table
from archcalc.report.time import TimeRequest

COLUMNS = ["network", "images_per_second", "images_per_second_at_most"]


def test_images_per_second_are_those_of_the_time():
    nets = [load(name).analyze(batch=64) for name in ("alexnet", "vgg16")]
    table = compare_table(nets, COLUMNS, nets[0], TimeRequest("rtx4090", amp=True))
    times = [net.time("rtx4090", amp=True) for net in nets]
    expected = [[net.network.name, 64 / t.estimate, 64 / t.lower_bound] for net, t in zip(nets, times, strict=True)]
    assert [row[:3] for row in table.rows] == expected
    assert [row[-1] for row in table.rows] == [1, times[0].estimate / times[1].estimate]
    assert any(line.startswith("error: ") for line in table.footer)


def test_a_batch_that_fits_for_one_network_alone_is_told(archcalc):
    status, out, err = archcalc("compare", "vgg16", "lenet5", "--on", "a100", "--batch", "5000", "--format", "json")
    assert (status, err) == (0, "")
    found = json.loads(out)
    first, second = found["rows"]
    assert (first["images_per_second"], found["on"]) == (None, "a100")
    assert second["images_per_second"] > 0
    assert (
        "vgg16: a batch of 5,000 needs" in archcalc("compare", "vgg16", "lenet5", "--on", "a100", "--batch", "5000")[1]
    )


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--amp"], "--amp is about the time on a device: add --on DEVICE"),
        (["--channels-last"], "--channels-last is about the time on a device: add --on DEVICE"),
        (["--on", "a1000"], "unknown device 'a1000'; did you mean 'a100'?"),
        (["--on", "t4", "--dtype", "bfloat16"], "vgg16: NVIDIA T4 has no peak for bfloat16"),
        (["--on", "t4", "--batch", "5000"], "NVIDIA T4 has 17.2 GB (16.0 GiB); at most"),
        (["--columns", "images/s"], "column images_per_second is about the time on a device: add --on DEVICE"),
    ],
)
def test_a_mistake_is_a_sentence(archcalc, arguments, text):
    status, out, err = archcalc("compare", "vgg16", *arguments)
    assert (status, out) == (2, "")
    assert text in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("name", ["resnet18", "vit_b_16", "googlenet", "swin_t", "densenet121"])
def test_the_time_of_rows_adds_up_to_that_of_the_network(name):
    analysis = load(name).analyze(batch=32)
    timed = analysis.with_time(analysis.time("a100", amp=True))
    time = timed.timed
    for fold in ({}, {"depth": 1}, {"by": "type"}, {"by": "stage"}):
        rows = timed.fold(**fold)
        assert sum(row.time.estimate for row in rows if row.time) == pytest.approx(time.estimate)
        assert sum(row.time.lower_bound for row in rows if row.time) == pytest.approx(time.lower_bound)
    assert analysis.rows[1].time is None
    named = {row.name: row.estimate for row in time.rows}
    assert {row.name: row.time.estimate for row in timed.rows if row.time and row.time.estimate} == {
        name: estimate for name, estimate in named.items() if estimate
    }


def test_a_table_has_the_time_of_layers(archcalc):
    arguments = ("lenet5", "--on", "a100", "--batch", "64")
    found = json.loads(
        archcalc("table", *arguments, "--columns", "layer,macs,estimate,lower_bound", "--format", "json")[1]
    )
    time = json.loads(archcalc("time", *arguments, "--format", "json")[1])
    rows = {row["layer"]: row for row in found["rows"]}
    assert rows.pop("input")["estimate"] is None
    assert {name: (row["estimate"], row["lower_bound"]) for name, row in rows.items()} == {
        row["layer"]: (row["estimate"], row["lower_bound"]) for row in time["rows"]
    }
    assert found["totals"]["estimate"] == time["totals"]["estimate"]
    assert (found["on"], found["compiled"]) == ("a100", False)
    text = archcalc("table", *arguments)[1]
    assert "time on NVIDIA A100 SXM4 40 GB, inference, eager" in text
    assert "error: nothing was ever measured on NVIDIA A100" in text
    assert "time" not in archcalc("table", "lenet5")[1]


def test_every_format_of_a_table_has_the_time(archcalc):
    for format, sign in (
        ("csv", ",estimate\n"),
        ("markdown", "time [us]"),
        ("latex", "time [us]"),
        ("html", "time [us]"),
    ):
        arguments = ("table", "lenet5", "--on", "a100", "--columns", "layer,estimate", "--format", format)
        assert sign in archcalc(*arguments, "--exact")[1], format


def test_times_in_full_are_microseconds(archcalc):
    found = json.loads(archcalc("time", "lenet5", "--on", "a100", "--format", "json")[1])
    text = archcalc("time", "lenet5", "--on", "a100", "--exact", "--columns", "layer,estimate")[1]
    assert "estimate [us]" in text
    assert f"{1e6 * found['rows'][0]['estimate']:.3f}" in text


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--columns", "estimate"], "column estimate is about the time on a device: add --on DEVICE"),
        (["--amp"], "--amp is about the time on a device: add --on DEVICE"),
        (["--on", "all"], "this table has one device: --on rtx4090; archcalc time NET --on all shows all devices"),
        (["--on", "a1000"], "unknown device 'a1000'; did you mean 'a100'?"),
        (["--on", "t4", "--batch", "5000"], "NVIDIA T4 has 17.2 GB (16.0 GiB); at most"),
        (["--on", "t4", "--format", "notes"], "the format notes has its own lines; it shows no time: leave out --on"),
    ],
)
def test_a_mistake_about_the_time_of_a_table_is_a_sentence(archcalc, arguments, text):
    status, out, err = archcalc("table", "vgg16", *arguments)
    assert (status, out) == (2, "")
    assert text in err
    assert err.count("\n") == 1
