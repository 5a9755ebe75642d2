"""``--plugin``: a layer type of the user's own in every command that takes networks, and only where it is asked for."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from archcalc.cli.complete import candidates
from archcalc.cli.options import NET, PLUGIN
from archcalc.cli.registry import commands

Run = Callable[..., tuple[int, str, str]]

DOCS = Path(__file__).parents[2] / "docs" / "spec.md"
SECTION = DOCS.read_text(encoding="utf-8").partition("## Layer types of your own")[2].partition("\n## ")[0]
(HARDSHRINK,) = re.findall(r"^```python\n(.*?)^```$", SECTION, re.MULTILINE | re.DOTALL)
"""The module that the page of the spec language shows."""
SPEC = "input: [3, 8, 8]\nlayers:\n  - conv: {out: 4, kernel: 3}\n  - hardshrink\n"
UNKNOWN = "archcalc: own.yaml:4: archcalc has no layer 'hardshrink'; docs/spec.md and archcalc schema list the layers"


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plugin: Callable[[str], str]) -> str:
    monkeypatch.chdir(tmp_path)
    Path("own.yaml").write_text(SPEC)
    return plugin(HARDSHRINK)


def rows(run: Run, module: str, *arguments: str) -> dict[str, dict[str, object]]:
    """The rows of a table by layer."""
    status, out, err = run(*arguments, "own.yaml", "--plugin", module, "--format", "json")
    assert (status, err) == (0, "")
    return {row["layer"]: row for row in json.loads(out)["rows"]}


def test_every_command_that_takes_networks_takes_plugins() -> None:
    taking = {command.name for command in commands() if NET.name in [argument.name for argument in command.arguments]}
    assert {command.name for command in commands() if PLUGIN in command.options} == (taking - {"audit"}) | {
        "calibrate",
        "schema",
    }


def test_the_schema_has_the_layer_only_where_it_is_asked_for(archcalc: Run, module: str) -> None:
    assert "hardshrink" not in json.loads(archcalc("schema")[1])["$defs"]
    status, out, err = archcalc("schema", "--plugin", module)
    assert (status, err) == (0, "")
    assert json.loads(out)["$defs"]["hardshrink"]["description"] == "Values within 0.5 of zero become zero."


def test_a_layer_that_decides_by_its_numbers_is_swept(
    archcalc: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plugin: Callable[[str], str]
) -> None:
    """3 comparisons for each of 36 positions and up to 8 channels, 2 for more."""
    monkeypatch.chdir(tmp_path)
    spec = "input: [3, 8, 8]\nparams: {width: 4}\nlayers:\n  - conv: {out: width, kernel: 3}\n  - hardshrink\n"
    Path("own.yaml").write_text(spec)
    module = plugin(HARDSHRINK.replace("2 * x.values", "(2 if x.channels > 8 else 3) * x.values"))
    given = (
        "sweep",
        "own.yaml",
        "--plugin",
        module,
        "--vary",
        "width=4:16:4",
        "--columns",
        "compares",
        "--format",
        "csv",
    )
    status, out, err = archcalc(*given)
    assert (status, err) == (0, "")
    assert out.split() == ["width,compares", *(f"{n},{(2 if n > 8 else 3) * 36 * n}" for n in (4, 8, 12, 16))]


@pytest.mark.parametrize(
    "line", ["--plugin {} own.yaml --set ", "own.yaml --plugin={} --set ", "--plugin {} own.yaml@"]
)
def test_a_shell_completes_the_settings_of_a_spec_with_the_layer(line: str, module: str) -> None:
    Path("own.yaml").write_text(SPEC.replace("layers:", "params: {width: 4}\nlayers:"))
    words = ["table", *line.format(module).split(" ")]
    assert [name.removeprefix("own.yaml@") for name, _ in candidates(words)] == ["width="]


def test_a_shell_completes_the_modules_of_the_folder_and_runs_none(module: str) -> None:
    Path("other.py").write_text("raise SystemExit")
    assert {name for name, _ in candidates(["table", "vgg16", "--plugin", ""])} == {module, "other"}


def test_a_table_counts_the_layer(archcalc: Run, module: str) -> None:
    row = rows(archcalc, module, "table", "--columns", "layer,output,params,compare,memory")["hardshrink"]
    assert row == {"layer": "hardshrink", "output": "4x6x6", "params": 0, "compare": 2 * 4 * 6 * 6, "memory": None}


def test_a_unit_sees_what_its_input_sees(archcalc: Run, module: str) -> None:
    assert rows(archcalc, module, "rf", "--all-layers")["hardshrink"]["rf"] == 3


def test_the_record_says_what_training_saves(archcalc: Run, module: str) -> None:
    row = rows(archcalc, module, "memory", "--training")["hardshrink"]
    assert 4 * 4 * 6 * 6 in row.values()  # the input of the layer, at 4 bytes a value


def test_the_record_says_how_pytorch_writes_the_layer(archcalc: Run, module: str) -> None:
    status, out, err = archcalc("export", "own.yaml", "--plugin", module)
    assert (status, err) == (0, "")
    assert "self.hardshrink = nn.Hardshrink()" in out


def test_a_real_module_agrees(archcalc: Run, module: str) -> None:
    pytest.importorskip("torch")
    status, _, err = archcalc("verify", "own.yaml", "--plugin", module, "--device", "meta")
    assert (status, err) == (0, "")


def test_settings_of_a_network_with_the_layer_are_listed(archcalc: Run, module: str) -> None:
    status, out, err = archcalc("table", "own.yaml", "--plugin", module, "--set", "help")
    assert (status, err) == (0, "")
    assert out.startswith("own: no parameters to set")


def test_a_module_in_the_working_directory_is_found(module: str) -> None:
    """By the installed program too, which Python starts without the working directory on its path."""
    Path("elsewhere").mkdir()
    (Path("elsewhere") / "hard.py").write_text(HARDSHRINK)
    code = "import sys; sys.path[0] = '/'; from archcalc.cli import main; sys.exit(main(sys.argv[1:]))"
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", code.replace("'/'", repr(root)), "table", "../own.yaml", "--plugin", "hard"],
        cwd="elsewhere",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "hardshrink" in done.stdout


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import no_such_module", "the module imports 'no_such_module', which is not installed"),
        ("1 / 0", "ZeroDivisionError (line 1): division by zero"),
        ("", "the module registers no layer type (class Mine(Layer, type='mine'))"),
        (
            HARDSHRINK.replace("'hardshrink'", "'relu'").replace('"hardshrink"', '"relu"'),
            "two layers are called 'relu'",
        ),
        (
            HARDSHRINK.partition("class HardshrinkRecord")[0],
            "the layer type 'hardshrink' (Hardshrink) has no PyTorch record: ",
        ),
        (
            HARDSHRINK.replace("    saves_input, saves_output, in_place = True, False, False\n", ""),
            "does not state its ",
        ),
    ],
)
def test_what_is_wrong_with_a_module_is_one_sentence(
    archcalc: Run, module: str, plugin: Callable[[str], str], text: str, said: str
) -> None:
    name = plugin(text)
    status, out, err = archcalc("table", "own.yaml", "--plugin", name)
    assert (status, out) == (2, "")
    assert err.startswith(f"archcalc: plugin {name}: ")
    assert said in err
    assert err.count("\n") == 1


def test_a_module_that_is_not_there(archcalc: Run, module: str) -> None:
    said = "archcalc: plugin no_such: there is no module 'no_such' on Python's path\n"
    assert archcalc("table", "own.yaml", "--plugin", "no_such") == (2, "", said)


@pytest.mark.parametrize("key", ["plugin", "plugins", "import", "module"])
def test_a_spec_cannot_load_a_module(archcalc: Run, module: str, key: str) -> None:
    assert archcalc("table", "own.yaml")[2].startswith(UNKNOWN)
    Path("own.yaml").write_text(f"{key}: {module}\n{SPEC}")
    status, out, err = archcalc("table", "own.yaml")
    assert (status, out) == (2, "")
    assert f"unknown key of a spec {key!r}" in err
    assert module not in sys.modules
