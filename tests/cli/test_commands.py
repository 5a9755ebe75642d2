"""What the commands do when all is well: data to standard output or a file, exit code 0."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from archcalc.version import __version__

Run = Callable[..., tuple[int, str, str]]

TINY = "input: [3, 8, 8]\nparams: {w: 4}\nnetworks: {one: {}, two: {w: 8}}\nlayers:\n  - conv: {out: w, kernel: 1}\n"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tiny.yaml").write_text(TINY, encoding="utf-8")


def table(run: Run, *arguments: str) -> dict[str, object]:
    status, out, err = run("table", *arguments, "--format", "json")
    assert (status, err) == (0, "")
    found: dict[str, object] = json.loads(out)
    return found


def test_options_reach_the_analysis(archcalc: Run) -> None:
    found = table(
        archcalc,
        "tiny.yaml:one",
        "--input",
        "3x16x4",
        "--batch",
        "2",
        "--dtype",
        "float16",
        "--as",
        "cs231n",
        "--set",
        "w=5",
    )
    assert found["input"] == "3x16x4"
    assert found["batch"] == 2
    assert found["dtype"] == "float16"
    assert found["convention"] == "cs231n"
    assert found["settings"] == "w=5"
    totals = found["totals"]
    assert isinstance(totals, dict)
    assert totals["params"] == 15
    assert totals["macs"] == 2 * 64 * 15
    assert totals["memory"] == 2 * 2 * 64 * (3 + 5)


@pytest.mark.parametrize("size", ["3x16x4", "3X16X4", "3×16×4", "3,16,4", "3*16*4", " 3x16x4 "])
def test_sizes_are_written_in_many_ways(archcalc: Run, size: str) -> None:
    assert table(archcalc, "tiny.yaml:one", "--input", size)["input"] == "3x16x4"


def test_a_later_setting_wins(archcalc: Run) -> None:
    assert table(archcalc, "tiny.yaml:one", "--set", "w=5", "--set", " w = 6")["settings"] == "w=6"


def test_several_networks_are_one_document(archcalc: Run) -> None:
    status, out, _ = archcalc("table", "tiny.yaml:one", "tiny.yaml:two", "--format", "json")
    assert status == 0
    assert [found["network"] for found in json.loads(out)] == ["one", "two"]
    lines = archcalc("table", "tiny.yaml:one", "tiny.yaml:two", "--format", "csv")[1].splitlines()
    assert len(lines) == 5
    assert sum(line.startswith("network,") for line in lines) == 1


def test_an_output_file_is_written_whole(archcalc: Run) -> None:
    printed = archcalc("table", "tiny.yaml:one")[1]
    assert archcalc("table", "tiny.yaml:one", "-o", "out.txt") == (0, "", "")
    assert Path("out.txt").read_text(encoding="utf-8") == printed
    assert sorted(os.listdir(".")) == ["out.txt", "tiny.yaml"]


def test_an_output_file_keeps_its_mode_and_its_links(archcalc: Run) -> None:
    Path("real.txt").write_text("before", encoding="utf-8")
    os.chmod("real.txt", 0o640)
    os.symlink("real.txt", "link.txt")
    assert archcalc("table", "tiny.yaml:one", "-o", "link.txt")[0] == 0
    assert Path("link.txt").is_symlink()
    assert Path("real.txt").read_text(encoding="utf-8") != "before"
    assert Path("real.txt").stat().st_mode & 0o777 == 0o640


def test_a_device_is_written_to(archcalc: Run) -> None:
    assert archcalc("table", "tiny.yaml:one", "-o", os.devnull) == (0, "", "")


def test_schema_and_show_print_what_the_library_has(archcalc: Run) -> None:
    from archcalc.spec.schema import schema

    assert json.loads(archcalc("schema")[1]) == schema()
    assert archcalc("show", "tiny.yaml")[1] == TINY
    assert "name: conv" in archcalc("show", "tiny.yaml:two", "--expanded")[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--version"], f"archcalc {__version__}\n"),
        (["--help"], "usage: archcalc"),
        (["table", "--help"], "usage: archcalc table"),
    ],
)
def test_help_and_version(capsys: pytest.CaptureFixture[str], arguments: list[str], said: str) -> None:
    from archcalc.cli import main

    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 0
    assert capsys.readouterr().out.startswith(said)


def test_a_dash_is_standard_output(archcalc, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert archcalc("table", "lenet5", "-o", "-") == archcalc("table", "lenet5")
    assert not (tmp_path / "-").exists()
