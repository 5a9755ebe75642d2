"""Bad usage: one clear sentence on standard error, exit code 2, nothing on standard output, no file left or changed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., tuple[int, str, str]]

TINY = "input: [3, 8, 8]\nparams: {w: 4}\nlayers:\n  - conv: {out: w, kernel: 1}\n"


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.yaml").write_text(TINY, encoding="utf-8")
    return "tiny.yaml"


TABLE = "see archcalc table --help"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "no command given; see archcalc --help"),
        (["tabel"], "unknown command 'tabel'; did you mean 'table'?; see archcalc --help"),
        (["--verbose"], "unknown option --verbose; see archcalc --help"),
        (["table"], f"table needs NET; {TABLE}"),
        (["table", "tiny.yaml", "--formt", "csv"], f"unknown option --formt; did you mean --format?; {TABLE}"),
        (["table", "tiny.yaml", "--zzz"], f"unknown option --zzz; {TABLE}"),
        (["table", "tiny.yaml", "--form", "csv"], f"unknown option --form; did you mean --format?; {TABLE}"),
        (["table", "tiny.yaml", "--format"], f"--format needs a value: --format FORMAT; {TABLE}"),
        (["table", "tiny.yaml", "--format", "--exact"], f"--format needs a value: --format FORMAT; {TABLE}"),
        (["table", "tiny.yaml", "--exact=yes"], f"--exact takes no value, got 'yes'; {TABLE}"),
        (["table", "tiny.yaml", "--format", "txt"], "unknown format 'txt'; did you mean 'text'?"),
        (["table", "tiny.yaml", "--as", "cs321n"], "unknown convention 'cs321n'; did you mean 'cs231n'?"),
        (["table", "tiny.yaml", "--dtype", "flota32"], "unknown dtype 'flota32'; did you mean 'float32'?"),
        (["table", "tiny.yaml", "--columns", "layer,parms"], "unknown column 'parms'; did you mean 'params'?"),
        (
            ["table", "tiny.yaml", "--columns", ","],
            f"--columns: expected names with commas between, got ','; {TABLE}",
        ),
        (["table", "tiny.yaml", "--by", "typ"], "unknown way to fold 'typ'; did you mean 'type'?"),
        (["table", "tiny.yaml", "--by", "type", "--depth", "1"], "fold to a depth or by type, not both"),
        (["table", "tiny.yaml", "--depth", "0"], "depth must be at least 1, got 0"),
        (["table", "tiny.yaml", "--depth", "-3"], "depth must be at least 1, got -3"),
        (["table", "tiny.yaml", "--depth", "two"], f"--depth: expected a whole number, got 'two'; {TABLE}"),
        (["table", "tiny.yaml", "--depth", "1.5"], f"--depth: expected a whole number, got '1.5'; {TABLE}"),
        (["table", "tiny.yaml", "--depth", "٣"], f"--depth: expected a whole number, got '٣'; {TABLE}"),
        (["table", "tiny.yaml", "--batch", "0"], "batch: must be at least 1, got 0"),
        (["table", "tiny.yaml", "--batch", "-1"], "batch: must be at least 1, got -1"),
        (
            ["table", "tiny.yaml", "--batch", "9999999999"],
            "batch: 9999999999 is larger than 2,147,483,647, the largest size there is",
        ),
        (
            ["table", "tiny.yaml", "--batch", "9" * 30],
            f"--batch: expected a whole number of at most 18 digits, got '{'9' * 30}'; {TABLE}",
        ),
        (
            ["table", "tiny.yaml", "--input", "3x224x"],
            f"--input: expected CHANNELSxHEIGHTxWIDTH such as 3x224x224, got '3x224x'; {TABLE}",
        ),
        (
            ["table", "tiny.yaml", "--input", "large"],
            f"--input: expected CHANNELSxHEIGHTxWIDTH such as 3x224x224, got 'large'; {TABLE}",
        ),
        (
            ["table", "tiny.yaml", "--input", "3x-8x8"],
            f"--input: expected CHANNELSxHEIGHTxWIDTH such as 3x224x224, got '3x-8x8'; {TABLE}",
        ),
        (
            ["table", "tiny.yaml", "--input", "1x2x3x4x5"],
            "tiny takes channels x height x width, got 1x2x3x4x5; the input of its spec is 3x8x8",
        ),
        (["table", "tiny.yaml", "--input", "3x0x8"], "input height: must be at least 1, got 0"),
        (
            ["table", "tiny.yaml", "--input", "3x8x9999999999"],
            "input width: 9999999999 is larger than 2,147,483,647, the largest size there is",
        ),
        (
            ["table", "tiny.yaml", "--input", "3"],
            "tiny takes channels x height x width, got 3; did you mean 3x8x8?",
        ),
        (
            ["table", "tiny.yaml", "--set", "w"],
            f"--set: expected KEY=VALUE such as depth=28, got 'w'; {TABLE}",
        ),
        (
            ["table", "tiny.yaml", "--set", "=3"],
            f"--set: expected KEY=VALUE such as depth=28, got '=3'; {TABLE}",
        ),
        (
            ["table", "tiny.yaml", "--set", "w=[1"],
            f"--set: w: expected a value such as 28, true or [3, 4], got '[1'; {TABLE}",
        ),
        (
            ["table", "tiny.yaml", "--set", "w=\udcff"],
            f"--set: w: expected a value such as 28, true or [3, 4], got '\\udcff'; {TABLE}",
        ),
        (["table", "tiny.yaml", "--set", "width=3"], "tiny has no parameter 'width'; its parameters and defaults: w=4"),
        (["table", "tiny.yaml", "--set", "net=3"], "tiny has no parameter 'net'; its parameters and defaults: w=4"),
        (
            ["table", "tiny.yaml", "--set", "w=wide"],
            "w=wide: expected a whole number as in w=4; the parameters of tiny and their defaults: w=4",
        ),
        (
            ["table", "tiny.yaml", "--set", "w={a: 1}"],
            (
                "w: expected a number, true or false, a word or a list of these, got a mapping; "
                "the parameters of tiny and their defaults: w=4"
            ),
        ),
        (
            ["table", "tiny.yaml", "--set", "w=0"],
            "tiny.yaml:4: out: must be at least 1, got 0 (at layers[0].conv)\n"
            "archcalc: tiny with w=0; its parameters and defaults: w=4",
        ),
        (
            ["table", "tiny.yaml", "--set", "w=99999999999"],
            "tiny.yaml:4: out: 99999999999 is larger than 2,147,483,647, the largest size there is (at layers[0].conv)\n"
            "archcalc: tiny with w=99999999999; its parameters and defaults: w=4",
        ),
        (["table", "tinny.yaml"], "tinny.yaml: cannot be read: no such file or directory"),
        (["table", "\udcff.yaml"], "\\udcff.yaml: cannot be read: no such file or directory"),
        (["table", "tiny.yaml:small"], "tiny.yaml: unknown network 'small'; known: tiny"),
        (["table", "tiny.yaml", "-o", ""], "an output file needs a name"),
        (["table", "tiny.yaml", "-o", "nowhere/x.txt"], "nowhere/x.txt: cannot be written: no such file or directory"),
        (["table", "tiny.yaml", "-o", "."], ".: cannot be written: is a directory"),
        (["table", "tiny.yaml", "-o", "tiny.yaml/x"], "tiny.yaml/x: cannot be written: not a directory"),
        (["table", "tiny.yaml", "-o", "x" * 300], f"{'x' * 126}...{'x' * 126}: cannot be written: file name too long"),
        (["list", "--sort", "parms"], "unknown column 'parms'; did you mean 'params'?"),
        (["list", "--columns", "netwrok"], "unknown column 'netwrok'; did you mean 'network'?"),
        (["completion", "bahs"], "unknown shell 'bahs'; did you mean 'bash'?"),
        (["schema", "extra"], "unexpected argument 'extra'; see archcalc schema --help"),
        (["diff", "tiny.yaml"], "diff takes two networks, got 1"),
        (["show", "INPUT 8x8x3 -> RELU"], "a one-line pattern is its own spec; add --expanded to see its layers"),
        (
            ["show", "tiny.yaml", "--set", "w=3"],
            "settings and --input change what is built, not the spec; add --expanded to see it",
        ),
        (
            ["show", "tiny.yaml@w=3"],
            "settings and --input change what is built, not the spec; add --expanded to see it",
        ),
        (["table", "INPUT 8x8x3 -> CNOV3-2"], "pattern, column 16: unknown layer 'CNOV3-2'; did you mean 'CONV3-64'?"),
    ],
)
def test_messages(archcalc: Run, tiny: str, arguments: list[str], said: str) -> None:
    before = sorted(os.listdir("."))
    status, out, err = archcalc(*arguments)
    assert (status, out) == (2, "")
    assert err == f"archcalc: {said}\n"
    assert sorted(os.listdir(".")) == before


def test_every_problem_of_a_spec_has_its_line(archcalc: Run, tiny: str) -> None:
    Path("bad.yaml").write_text(
        "input: [3, 8, 8]\nlayers:\n  - rleu\n  - conv: {out: 0, kernel: 1}\n", encoding="utf-8"
    )
    status, out, err = archcalc("table", tiny, "bad.yaml")
    assert (status, out) == (2, "")
    assert err.splitlines() == [
        "archcalc: bad.yaml:3: unknown layer or block 'rleu'; did you mean 'relu'? (at layers[0])",
        "archcalc: bad.yaml:4: out: must be at least 1, got 0 (at layers[1].conv.out)",
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        ["table", "tiny.yaml", "nothing.yaml"],
        ["table", "tiny.yaml", "--format", "txt"],
        ["table", "tiny.yaml", "--columns", "x"],
        ["compare", "tiny.yaml", "--baseline", "nothing.yaml"],
        ["diff", "tiny.yaml", "nothing.yaml"],
        ["show", "nothing.yaml"],
    ],
)
def test_an_output_file_stays_as_it_was(archcalc: Run, tiny: str, arguments: list[str]) -> None:
    Path("out.txt").write_text("before", encoding="utf-8")
    assert archcalc(*arguments, "-o", "out.txt")[0] == 2
    assert Path("out.txt").read_text(encoding="utf-8") == "before"
    assert sorted(os.listdir(".")) == ["out.txt", "tiny.yaml"]


def test_a_failed_write_leaves_nothing_behind(archcalc: Run, tiny: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    Path("out.txt").write_text("before", encoding="utf-8")
    monkeypatch.setattr(os, "replace", full)
    assert archcalc("table", tiny, "-o", "out.txt") == (
        2,
        "",
        "archcalc: out.txt: cannot be written: no space left on device\n",
    )
    assert Path("out.txt").read_text(encoding="utf-8") == "before"
    assert sorted(os.listdir(".")) == ["out.txt", "tiny.yaml"]


# The streams themselves, in a process of its own.


def shell(command: str, tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "tiny.yaml").write_text(TINY, encoding="utf-8")
    (tmp_path / "bad.yaml").write_text("input: [3, 8, 8]\nlayers: [rleu]\n", encoding="utf-8")
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", command.replace("archcalc", f"{sys.executable} -m archcalc", 1)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


@pytest.mark.parametrize(
    "command",
    [
        "archcalc table vgg16 | head -1",
        "archcalc table 'INPUT 8x8x3 -> [RELU]*9999' | head -1",
        "archcalc --help | head -1",
        "archcalc table resnet152 | true",
        "archcalc table tiny.yaml | true",
    ],
)
def test_a_closed_pipe_is_no_error(tmp_path: Path, command: str) -> None:
    done = shell(command, tmp_path)
    assert done.stderr == ""
    assert done.returncode == 0


def test_a_closed_pipe_does_not_change_the_status(tmp_path: Path) -> None:
    done = shell("archcalc check tiny.yaml --require 'layers < 1' | true", tmp_path)
    assert (done.stderr, done.returncode) == ("", 1)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("archcalc table tiny.yaml > /dev/full", "standard output cannot be written: no space left on device"),
        ("archcalc table tiny.yaml >&-", "standard output is closed; -o FILE writes to a file"),
        ("archcalc table - <&-", "standard input: is closed"),
        ("archcalc table - < /dev/null", "standard input: the spec is empty"),
        ("archcalc table tiny.yaml -o /dev/full", "/dev/full: cannot be written: no space left on device"),
        (
            "archcalc table bad.yaml > out.txt",
            "bad.yaml:2: unknown layer or block 'rleu'; did you mean 'relu'? (at layers[0])",
        ),
    ],
)
def test_streams(tmp_path: Path, command: str, said: str) -> None:
    if "/dev/full" in command and not os.path.exists("/dev/full"):
        pytest.skip("there is no /dev/full here")
    done = shell(command, tmp_path)
    assert done.stderr == f"archcalc: {said}\n"
    assert done.returncode == 2
    assert done.stdout == ""


def test_a_narrow_encoding_is_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "title.yaml").write_text("title: Größe\n" + TINY, encoding="utf-8")
    done = shell("archcalc table title.yaml", tmp_path, PYTHONIOENCODING="ascii")
    assert done.returncode == 2
    assert done.stderr == (
        "archcalc: standard output is ascii text and cannot hold '\\xf6'; -o FILE writes UTF-8, as does "
        "PYTHONIOENCODING=utf-8\n"
    )


def test_errors_go_nowhere_when_standard_error_is_closed(tmp_path: Path) -> None:
    done = shell("archcalc table bad.yaml 2>&-", tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "")
