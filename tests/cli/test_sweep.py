"""``archcalc sweep``: its options, its output, and its sentences."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

import archcalc as library

pytest.importorskip("numpy")


@pytest.fixture
def archcalc(archcalc):
    """Run a command: its standard output, or what it says if the status is another one or ``both`` is asked for."""

    def run(*words: str, status: int = 0, both: bool = False):
        found, out, said = archcalc_(*words)
        assert found == status, said
        return (out, said) if both else said if status else out

    archcalc_ = archcalc
    return run


def test_a_table_on_standard_output(archcalc):
    out = archcalc("sweep", "lenet5", "--input", "32,36", "--batch", "1,2", "--columns", "macs", "--exact")
    assert out.splitlines()[-4:] == [
        f"{size:<5}  {batch:<5}  {library.load('lenet5').analyze(input=(1, size, size), batch=batch).totals.macs:>9,}".rstrip()
        for size in (32, 36)
        for batch in (1, 2)
    ]


def test_a_condition_as_a_column_is_true_or_false(archcalc):
    out = archcalc("sweep", "lenet5", "--vary", "classes=8,10", "--columns", "odd=classes % 8 != 0")
    assert [line.split() for line in out.splitlines()[-2:]] == [["8", "false"], ["10", "true"]]


def test_an_option_of_a_time_without_a_device_is_a_mistake(archcalc):
    said = archcalc("sweep", "lenet5", "--batch", "1,2", "--tf32", status=2)
    assert said == "archcalc: --tf32 is about the time on a device: add --on DEVICE\n"


def test_rows_as_csv_and_json(archcalc):
    given = (
        "sweep",
        "mobilenet_v2",
        "--vary",
        "width=0.5,1",
        "--input",
        "3x96x64",
        "--columns",
        "p=params,macs/params",
    )
    parsed = list(csv.DictReader(io.StringIO(archcalc(*given, "--format", "csv"))))
    points = json.loads(archcalc(*given, "--format", "json"))["points"]
    assert [list(row) for row in parsed] == [["width", "p", "macs/params"]] * 2
    for row, point, width in zip(parsed, points, (0.5, 1.0), strict=True):
        totals = library.load("mobilenet_v2", width=width).analyze(input=(3, 96, 64)).totals
        assert point == {"width": width, "p": totals.params, "macs/params": totals.macs / totals.params}
        assert row == {name: str(value) for name, value in point.items()}


def test_points_of_a_file_and_a_device(archcalc, tmp_path):
    (tmp_path / "points.csv").write_text('input,batch,depths\n64,2,"[1, 1, 1, 1]"\n96,1,"[2, 1, 1, 1]"\n')
    points = json.loads(
        archcalc("sweep", "resnet18", "--points", str(tmp_path / "points.csv"), "--on", "a100", "--format", "json")
    )["points"]
    for point, (size, batch, depths) in zip(points, ((64, 2, [1, 1, 1, 1]), (96, 1, [2, 1, 1, 1])), strict=True):
        analysis = library.load("resnet18", depths=depths).analyze(input=(3, size, size), batch=batch)
        assert point["macs"] == analysis.totals.macs
        assert point["time"] == analysis.time("a100").estimate


def test_what_is_left_out_is_said(archcalc, tmp_path):
    file = tmp_path / "a.csv"
    out, said = archcalc("sweep", "googlenet", "--input", "100,224", "--columns", "macs", "-o", str(file), both=True)
    assert out == f"{file}: 1 row\n"
    assert "1 point refused: googlenet.yaml:" in said
    assert file.read_text().splitlines()[0] == "input,macs"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["lenet5"], "nothing varies"),
        (["lenet5", "--input", "64:32:4"], "input: 64:32:4 is empty: steps of 4 lead away from 32"),
        (["lenet5", "--batch", "1:8", "--workers", "0"], "workers: expected a whole number from 1 on, got 0"),
        (["lenet5", "--batch", "1:8", "-o", "a.txt"], "unknown extension .txt; known: .csv, .json, .parquet"),
        (
            ["lenet5", "--batch", "1:8", "--format", "parquet"],
            "parquet is not for standard output: add -o sweep.parquet",
        ),
        (["lenet5", "--batch", "1:8", "--format", "html", "-o", "a.csv"], "--format html is for standard output"),
        (["lenet5", "--batch", "1:8", "--points", "a.csv"], "--points has all that varies: leave out batch"),
        (["lenet5", "--points", "none.csv"], "none.csv: cannot be read: no such file or directory"),
        (["lenet5", "--batch", "1:8", "--on", "a11"], "unknown device 'a11'"),
        (["lenet5", "--batch", "1:8", "--columns", "params,"], "expected figures with commas between"),
        (["lenet5", "--batch", "1:8", "--where", "macs < 5MB"], "condition: macs is a number, and 5MB is in bytes"),
        (["nothing_like_it", "--batch", "1:8"], "nothing_like_it"),
    ],
)
def test_what_cannot_be_swept(archcalc, words, said, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert said in archcalc("sweep", *words, status=2)
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("input,batch\n", "expected a line of names"),
        ("input,batch\n64\n", "points.csv:2: expected 2 values, got 1"),
        ("input,batch\n64,2\n64,-1\n", "points.csv:3: batch: expected whole numbers from 1"),
        ("input,depht\n64,2\n", "unknown setting 'depht'"),
    ],
)
def test_points_that_cannot_be(archcalc, text, said, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    Path("points.csv").write_text(text)
    assert said in archcalc("sweep", "wrn", "--points", "points.csv", status=2)
