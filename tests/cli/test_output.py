"""A file's extension says its format, columns are called as they are headed, and ``help`` lists what exists."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from archcalc.cli.registry import commands
from archcalc.report.formats import EXTENSIONS, FORMATS

TINY = "input: [3, 8, 8]\nparams: {w: 4}\nlayers:\n  - conv: {out: w, kernel: 1}\n"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tiny.yaml").write_text(TINY, encoding="utf-8")


TABLES = {
    "table": ["tiny.yaml"],
    "list": ["vgg16"],
    "compare": ["tiny.yaml", "lenet5"],
    "diff": ["tiny.yaml", "lenet5"],
    "rf": ["tiny.yaml", "lenet5"],
    "memory": ["tiny.yaml"],
    "time": ["tiny.yaml", "--on", "a100"],
    "devices": [],
    "audit": ["lenet5"],
    "explain": ["tiny.yaml"],
    "solve": ["tiny.yaml", "--maximize", "batch", "--where", "macs < 1M"],
}
"""Commands that print a table, with networks that they take at once. The commands that run PyTorch are below."""


RUNNING = {"verify": ["tiny.yaml", "--device", "meta"], "measure": ["tiny.yaml", "--device", "cpu"]}
"""Commands that run PyTorch and print a table."""


def test_every_command_with_formats_is_tried() -> None:
    assert {*TABLES, *RUNNING} == {
        command.name
        for command in commands()
        if command.extensions is not None and command.name not in ("show", "import", "export", "schema", "check")
    }


@pytest.mark.parametrize("extension", EXTENSIONS)
@pytest.mark.parametrize("command", TABLES)
def test_the_extension_says_the_format(command: str, extension: str, archcalc) -> None:
    printed = archcalc(command, *TABLES[command], "--format", EXTENSIONS[extension])
    assert archcalc(command, *TABLES[command], "-o", f"t.{extension}") == (printed[0], "", printed[2])
    assert Path(f"t.{extension}").read_text(encoding="utf-8") == printed[1]
    assert archcalc(command, *TABLES[command], "-o", f"T.{extension.upper()}")[0] == printed[0]
    assert Path(f"T.{extension.upper()}").read_text(encoding="utf-8") == printed[1]


@pytest.mark.parametrize("command", RUNNING)
def test_a_command_that_runs_pytorch_follows_the_extension(command: str, archcalc) -> None:
    pytest.importorskip("torch")
    archcalc(command, *RUNNING[command], "-o", "t.json")
    assert json.loads(Path("t.json").read_text(encoding="utf-8"))


def test_every_format_has_an_extension() -> None:
    assert set(EXTENSIONS.values()) == set(FORMATS)


@pytest.mark.parametrize("path", ["plain", "-", os.devnull, "v1.0/plain", ".hidden"])
def test_without_an_extension_a_table_is_text(path: str, archcalc) -> None:
    Path("v1.0").mkdir()
    status, _, err = archcalc("table", "tiny.yaml", "-o", path)
    assert (status, err) == (0, "")
    if Path(path).is_file():
        assert Path(path).read_text(encoding="utf-8") == archcalc("table", "tiny.yaml")[1]


def test_a_format_that_is_named_wins(archcalc) -> None:
    assert archcalc("table", "tiny.yaml", "--format", "markdown", "-o", "notes.txt")[0] == 0
    assert Path("notes.txt").read_text(encoding="utf-8").startswith("**tiny**")
    assert archcalc("table", "tiny.yaml", "--format", "csv", "-o", "t.xls")[0] == 0
    assert Path("t.xls").read_text(encoding="utf-8").startswith("network,")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["table", "tiny.yaml", "-o", "t.xls"],
            "t.xls: unknown extension .xls; known: .txt, .md, .markdown, .csv, .tex, .html, .htm, .json; --format "
            "names the format whatever the extension",
        ),
        (["schema", "-o", "s.yaml"], "s.yaml: unknown extension .yaml; known: .json"),
        (["show", "lenet5", "-o", "s.json"], "s.json: unknown extension .json; known: .yaml, .yml"),
        (["export", "lenet5", "-o", "net.onnx"], "net.onnx: unknown extension .onnx; known: .py"),
        (["plot", "cost", "lenet5", "-o", "c.txt"], "c.txt: unknown picture format 'txt'; known: png, svg, pdf"),
        (
            ["audit", "--page", "-o", "a.csv"],
            "--page is written in Markdown, not csv; -o FILE.md writes it to a file",
        ),
    ],
)
def test_an_unknown_extension_is_said_before_any_work(arguments: list[str], said: str, archcalc) -> None:
    assert archcalc(*arguments) == (2, "", f"archcalc: {said}\n")
    assert os.listdir(".") == ["tiny.yaml"]


@pytest.mark.parametrize(
    ("arguments", "path", "start"),
    [
        (["schema"], "s.json", "{"),
        (["show", "tiny.yaml"], "s.yml", "input:"),
        (["show", "tiny.json"], "s.json", "{"),
        (["export", "tiny.yaml"], "net.py", '"""'),
    ],
)
def test_other_commands_have_extensions_of_their_own(arguments, path, start, archcalc) -> None:
    Path("tiny.json").write_text('{"input": [3, 8, 8], "layers": ["relu"]}', encoding="utf-8")
    assert archcalc(*arguments, "-o", path)[0] == 0
    assert Path(path).read_text(encoding="utf-8").startswith(start)


# Columns


@pytest.mark.parametrize(
    ("command", "columns", "names"),
    [
        ("table tiny.yaml", "layer,field,least field", ["layer", "rf", "rf_least"]),
        ("table tiny.yaml", "Layer,PARAMS,MACs [M],flops [G]", ["layer", "params", "macs", "flops"]),
        ("table tiny.yaml", "rf-least, weights of", ["rf_least", "shared"]),
        ("table tiny.yaml --as convnet-burden", "layer,macs", ["layer", "macs"]),
        ("list vgg16", "Title,MACs", ["title", "macs"]),
        ("compare tiny.yaml", "network,field,Top-1 %,top5", ["network", "rf", "top1", "top5"]),
        ("rf lenet5", "layer,% of input,Field,least", ["layer", "share", "rf", "rf_least"]),
        ("memory tiny.yaml", "layer,alive", ["layer", "alive"]),
    ],
)
def test_columns_are_called_as_they_are_headed(command, columns, names, archcalc) -> None:
    expected = archcalc(*command.split(), "--columns", ",".join(names))
    assert expected[0] == 0
    assert archcalc(*command.split(), "--columns", columns) == expected


def test_every_column_may_be_called_by_its_heading(archcalc) -> None:
    from archcalc import load
    from archcalc.report.layers import COLUMNS, layer_table
    from archcalc.report.table import column_names

    headings = [heading for heading, _ in COLUMNS.values()]
    assert column_names([h.title for h in headings], headings) == list(COLUMNS)
    counted = layer_table(load("lenet5").analyze(convention="lecun98"), ["layer", "connections"])
    assert [h.name for h in counted.headings] == ["layer", "macs"]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("table tiny.yaml --columns feild", "unknown column 'feild'; did you mean 'field'?"),
        ("table tiny.yaml --columns zzz", "known: layer, type, layers, shared (weights of), "),
        ("rf lenet5 --columns zzz", "known: layer, type, output, rf (field), "),
        ("memory tiny.yaml --columns zzz", "unknown column 'zzz'; known: layer, type, output, "),
        ("list --sort zzz", "unknown column 'zzz'; known: "),
    ],
)
def test_an_unknown_column_is_answered_with_names_and_headings(command, said, archcalc) -> None:
    status, out, err = archcalc(*command.split())
    assert (status, out) == (2, "")
    assert said in err


# help in place of a name

LISTED = [
    ("table --columns help", "rf         headed field\n"),
    ("list --columns help", "title\n"),
    ("compare --columns help", "rf       headed field\n"),
    ("rf --columns help", "share     headed % of input\n"),
    ("memory --columns help", "alive"),
    ("table --format help", "csv       .csv\n"),
    ("table --format help", "notes     the lines"),
    ("report --format help", "html\n"),
    ("plot --format help", "svg  .svg\n"),
    ("table --as help", "\nfvcore "),
    ("explain --as help", "\nfvcore "),
    ("table --dtype help", "float16   2 bytes\n"),
    ("memory --optimizer help", "adamw\n"),
    ("table --by help", "stage  a row per"),
    ("plot help", "cost     parameters"),
    ("export --to help", "torch  PyTorch source\n"),
    ("verify --device help", "cuda\n"),
]


@pytest.mark.parametrize(("command", "line"), LISTED)
def test_help_in_place_of_a_name_lists_the_names(command, line, archcalc) -> None:
    status, out, err = archcalc(*command.split())
    assert (status, err) == (0, "")
    assert " ".join(line.split()) in "\n".join(" ".join(shown.split()) for shown in out.splitlines())


@pytest.mark.parametrize(
    "command",
    [
        "table lenet5 --on a100 --columns {}",
        "compare lenet5 --on a100 --columns {}",
        "rf lenet5 --columns {}",
        "list lenet5 --columns {}",
    ],
)
def test_every_column_that_is_listed_can_be_shown(command, archcalc) -> None:
    status, out, _ = archcalc(*command.format("help").split())
    assert status == 0
    names = [line.split()[0] for line in out.splitlines()]
    assert len(names) > 5
    assert archcalc(*command.format(",".join(names)).split())[0] == 0


@pytest.mark.parametrize(
    "command",
    [
        "table vgg16 --columns help -o {}",
        "table vgg16 -o {} --columns help",
        "compare vgg16 --format help --output={}",
        "memory vgg16 --optimizer help -o{}",
        "table lenet5 --as help --output {}",
        "plot help vgg16 -o {}",
        "table vgg16 --set help -o {}",
    ],
)
def test_a_list_of_names_is_not_written_to_a_file(command, archcalc, tmp_path) -> None:
    file = tmp_path / "names.txt"
    said = f"archcalc: help lists names on standard output and writes no file: leave out -o {file}\n"
    assert archcalc(*command.format(file).split()) == (2, "", said)
    assert not file.exists()
    status, out, err = archcalc(*command.format("-").split())
    assert (status, err) == (0, "")
    assert len(out.splitlines()) > 1


def test_set_help_lists_the_parameters_of_the_network(archcalc) -> None:
    assert archcalc("table", "tiny.yaml", "--set", "help") == (0, "tiny: 1 parameter to set\nw  4\n", "")
    out = archcalc("memory", "vgg16", "tiny.yaml", "--set", "help")[1]
    assert out.startswith("vgg16: ")
    assert "\nclasses      1000\n" in out
    assert archcalc("export", "tiny.yaml", "--set", "help")[1] == "tiny: 1 parameter to set\nw  4\n"
    assert archcalc("verify", "--all", "--set", "help")[2] == (
        "archcalc: --set help lists the parameters of a network: name one\n"
    )
    assert archcalc("table", "INPUT 8x8x3 -> RELU", "--set", "help")[1].endswith("no parameters to set\n")


def test_help_is_a_command_too(archcalc) -> None:
    for name in ([], ["table"], ["help"]):
        assert archcalc("help", *name) == archcalc(*name, "--help")
    said = "archcalc: unknown command 'tabel'; did you mean 'table'?; see archcalc --help\n"
    assert archcalc("help", "tabel") == (2, "", said)
