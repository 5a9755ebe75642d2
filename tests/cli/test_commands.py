"""What the commands do when all is well: data to standard output or a file, exit code 0."""

from __future__ import annotations

import io
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
    from archcalc.language.schema import schema

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
def test_help_and_version(archcalc: Run, arguments: list[str], said: str) -> None:
    status, out, err = archcalc(*arguments)
    assert (status, err) == (0, "")
    assert out.startswith(said)


def test_a_dash_is_standard_output(archcalc, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert archcalc("table", "lenet5", "-o", "-") == archcalc("table", "lenet5")
    assert not (tmp_path / "-").exists()


# How a network is named, set and given an input, on every command.

OWN = "input: [3, 8, 8]\nparams: {w: 4}\nlayers:\n  - conv: {out: w, kernel: 3, pad: 1}\n"
COMMANDS = (
    "table",
    "compare",
    "rf",
    "memory",
    "memory --fit 1GiB",
    "explain",
    "export",
    "report -o out --figures none",
)


@pytest.mark.parametrize(
    "command", [*COMMANDS, "diff OTHER", "verify --device cpu", "plot cost -o x.svg", "plot rf -o x.svg"]
)
@pytest.mark.parametrize("size", ["8x8", "1x3x8x8", "8x8x3"])
def test_no_command_takes_an_input_in_a_wrong_order(archcalc: Run, command: str, size: str) -> None:
    Path("own.yaml").write_text(OWN)
    name, *options = command.replace("OTHER", "own.yaml").split()
    nets = options[:1] if name in ("plot", "diff") else []
    status, out, err = archcalc(name, *nets, "own.yaml", *options[len(nets) :], "--input", size)
    assert (status, out) == (2, "")
    assert err.startswith(f"archcalc: own takes channels x height x width, got {size}")
    assert "did you mean 3x8x8?" in err
    assert sorted(os.listdir(".")) == ["own.yaml", "tiny.yaml"]


@pytest.mark.parametrize("command", COMMANDS)
def test_settings_that_fit_no_other_input(archcalc: Run, command: str) -> None:
    """Six halvings: 32 pixels are not enough, 64 are."""
    Path("deep.yaml").write_text(
        "input: [3, 32, 32]\nparams: {n: 3}\nlayers:\n  - layers:\n      - conv: {out: 16, kernel: 3, pad: 1}\n"
        "      - max_pool: {kernel: 2, stride: 2}\n    repeat: n\n  - flatten\n  - linear: {out: 10}\n"
    )
    name, *options = command.split()
    for net, more in (("deep.yaml@n=6", []), ("deep.yaml", ["--set", "n=6"])):
        status, out, err = archcalc(name, net, *more, *options, "--input", "3x64x64")
        assert (status, err) == (0, "")
        assert out
        status, out, err = archcalc(name, net, *more, *options)
        assert status == 2
        assert "the kernel spans 2 but the padded input is only 1" in err
    # (27 + 1) * 16 + 5 * (16 * 9 + 1) * 16 + (16 + 1) * 10
    assert table(archcalc, "deep.yaml@n=6", "--input", "3x64x64")["totals"]["params"] == 12_218


def test_two_networks_are_never_called_the_same(archcalc: Run) -> None:
    for folder, width in (("a", 4), ("b", 5)):
        Path(folder).mkdir()
        Path(folder, "own.yaml").write_text(OWN.replace("w: 4", f"w: {width}"))
    nets = ("a/own.yaml", "b/own.yaml", "b/own.yaml@w=6", "INPUT 8x8x3 -> BN", "INPUT 8x8x3 -> RELU")
    named = ["own (a/own.yaml)", "own (b/own.yaml)", "own@w=6", "INPUT 8x8x3 -> BN", "INPUT 8x8x3 -> RELU"]
    for arguments in (("compare",), ("rf", "--summary")):
        out = archcalc(*arguments, *nets, "--format", "json")[1]
        assert [row["network"] for row in json.loads(out)["rows"]] == named
        assert [
            line.split(",")[0] for line in archcalc(*arguments, *nets, "--format", "csv")[1].splitlines()[1:]
        ] == named
    for command in ("table", "memory", "rf", "explain"):
        out = archcalc(command, *nets, "--format", "json")[1]
        assert [found["network"] for found in json.loads(out)] == named
    out = archcalc("diff", *nets[:2])[1]
    assert out.startswith("own (a/own.yaml) (3x8x8) to own (b/own.yaml) (3x8x8), batch 1")
    assert archcalc("report", *nets, "-o", "out", "--figures", "none")[0] == 0
    index = Path("out/index.html").read_text()
    for name in named:
        assert name.replace(">", "&gt;") in index
    assert len(os.listdir("out")) == len(nets) + 1


def test_one_side_of_a_difference_may_be_set(archcalc: Run) -> None:
    Path("own.yaml").write_text(OWN)
    one = archcalc("diff", "own.yaml", "own.yaml@w=5")[1]
    assert one.startswith("own (3x8x8) to own@w=5 (3x8x8), batch 1")
    assert "parameters: 112 to 140 (+28)" in one  # (27 + 1) * w
    both = archcalc("diff", "own.yaml", "own.yaml", "--set", "w=5")[1]
    assert "both are the same network, own@w=5: nothing differs" in both
    assert "archcalc diff NET NET@KEY=VALUE" in both
    mixed = archcalc("compare", "own.yaml", "own.yaml@w=5", "--set", "w=6", "--format", "json")[1]
    assert [row["network"] for row in json.loads(mixed)["rows"]] == ["own@w=6", "own@w=5"]


@pytest.mark.parametrize(
    ("net", "said"),
    [
        ("own.yaml@v=5", "own has no parameter 'v'; its parameters and defaults: w=4"),
        ("own.yaml@w", "own.yaml@w: settings follow the @ as KEY=VALUE with commas between, got 'w'"),
        ("own.yaml@w=5,", "@w=5,: expected KEY=VALUE such as depth=28, got ''"),
        ("own.yaml@w=5,w=6", "w is set twice in @w=5,w=6"),
        ("own.yaml@w=[5", "@w=[5: w: expected a value such as 28, true or [3, 4], got '[5'"),
        ("own.yaml@w=five", "w=five: expected a whole number as in w=4; the parameters of own and their defaults: w=4"),
        ("vgg16@depth=[1]", "vgg16 has no parameter 'depth'; did you mean 'depths'?; its parameters"),
        ("vgg61@classes=10", "unknown network 'vgg61'; did you mean 'vgg16'?"),
        ("vgg16@", "vgg16@: settings follow the @ as KEY=VALUE with commas between, got ''"),
        ("INPUT 8x8x3 -> RELU@w=5", "a one-line pattern has no parameters to set"),
    ],
)
def test_settings_in_a_name_are_checked(archcalc: Run, net: str, said: str) -> None:
    Path("own.yaml").write_text(OWN)
    status, out, err = archcalc("table", net)
    assert (status, out) == (2, "")
    assert err.startswith(f"archcalc: {said}")


def test_standard_input_may_be_set(archcalc: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(OWN.encode())))
    out = archcalc("compare", "-", "-@w=5", "--format", "json")[1]
    assert [row["network"] for row in json.loads(out)["rows"]] == ["stdin", "stdin@w=5"]
