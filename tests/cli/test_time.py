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
