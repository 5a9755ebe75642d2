"""``archcalc time`` and ``archcalc devices``: tables, the totals of JSON, and mistakes."""

from __future__ import annotations

import json

import pytest


def test_json_has_the_totals_and_every_row_in_seconds(archcalc):
    status, out, err = archcalc("time", "vgg16", "--on", "rtx4090", "--batch", "8", "--amp", "--format", "json")
    assert (status, err) == (0, "")
    found = json.loads(out)
    assert (found["batch"], found["amp"], found["compiled"]) == (8, True, False)
    for name in ("estimate", "lower_bound"):
        assert found["totals"][name] == pytest.approx(sum(row[name] for row in found["rows"]))
    assert 0 < found["totals"]["lower_bound"] < found["totals"]["estimate"] < 1


def test_all_devices_stand_side_by_side(archcalc):
    found = json.loads(archcalc("time", "vgg16", "--on", "all", "--batch", "2000", "--format", "json")[1])
    rows = {row["device"]: row for row in found["rows"]}
    assert rows["h200"]["estimate"] < rows["h100"]["estimate"]
    assert rows["t4"]["estimate"] is None
    assert "at most" in rows["t4"]["note"]


def test_a_training_step_has_a_column_for_each_pass(archcalc):
    found = json.loads(
        archcalc("time", "vgg16", "--on", "h100", "--training", "--optimizer", "adam", "--format", "json")[1]
    )
    row = found["rows"][0]
    assert row["estimate"] == pytest.approx(row["forward"] + row["backward"] + row["step"])


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "time needs a device: --on rtx4090, --on FILE.yaml or --on all"),
        (["--on", "rtx409"], "unknown device 'rtx409'; did you mean 'rtx4090'?"),
        (["--on", "t4", "--dtype", "bfloat16"], "NVIDIA T4 has no peak for bfloat16; it has float32, float16, int8"),
        (["--on", "t4", "--optimizer", "adam"], "--optimizer adam is a matter of training: add --training"),
        (["--on", "t4", "--batch", "4000"], "NVIDIA T4 has 17.2 GB (16.0 GiB); at most"),
        (["--on", "none.yaml"], "none.yaml: cannot be read"),
    ],
)
def test_a_mistake_is_a_sentence(archcalc, arguments, text):
    status, out, err = archcalc("time", "vgg16", *arguments)
    assert (status, out) == (2, "")
    assert text in err
    assert err.count("\n") == 1


def test_a_device_has_every_figure_with_its_source(archcalc):
    status, out, err = archcalc("devices", "t4", "--format", "json")
    assert (status, err) == (0, "")
    rows = {row["figure"]: row for row in json.loads(out)["rows"]}
    assert rows["peak float16, matrix units"]["value"] == "65 TFLOPS"
    assert rows["bandwidth"]["value"] == "320 GB/s"
    assert {row["known"] for row in rows.values()} == {"read", "recalled"}
    assert all(row["source"] for row in rows.values())
    lines = archcalc("devices", "t4", "a100", "--format", "csv")[1].splitlines()
    assert {line.split(",")[1] for line in lines[1:]} == {"t4", "a100"}


def test_a_file_of_a_device_has_its_constants_and_errors(archcalc, tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(
        "title: Mine\nkind: cpu\nvector: {float32: 100 GFLOPS}\nbandwidth: 20 GB/s\ncache: 8 MiB\nmemory: 16 GiB\n"
        "fitted: my runs\nconstants: {launch: 12.5}\nerrors: {inference float32: [10, 0.08, 0.2, 0.99, my runs]}\n"
    )
    out = archcalc("devices", str(path))[1]
    assert "launch        12.5 µs     fitted  my runs" in out
    assert "error (inference float32): 8.0 % (median), 90 % within 20 %, of 10 networks; my runs" in out


def test_every_source_of_a_device_stands_once(archcalc):
    for row in json.loads(archcalc("devices", "--format", "json")[1])["rows"]:
        sources = [
            part.rpartition(" (")[0] for part in row["sources"].split("; ") if part.endswith(("read)", "recalled)"))
        ]
        assert len(sources) == len(set(sources)), row["device"]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [(["t44"], "unknown device 't44'; did you mean 't4'?"), (["no.yaml"], "no.yaml: cannot be read")],
)
def test_a_mistake_about_a_device_is_a_sentence(archcalc, arguments, text):
    status, out, err = archcalc("devices", *arguments)
    assert (status, out) == (2, "")
    assert text in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "tf32", "winograd"),
    [
        (["--on", "a100"], True, True),
        (["--on", "a100", "--tf32"], False, False),
        (["--on", "a100", "--amp"], False, False),
        (["--on", "a100", "--dtype", "bfloat16"], False, False),
        (["--on", "t4"], False, True),  # its units for matrix products have no TF32
        (["--on", "i9-10940x"], False, True),
    ],
)
def test_what_can_beat_full_float32_is_said(archcalc, arguments, tf32, winograd):
    text = archcalc("time", "vgg16", "--batch", "32", *arguments)[1]
    assert ("PyTorch takes TF32" in text, "Winograd" in text) == (tf32, winograd)
