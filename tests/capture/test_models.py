"""Models by name, wherever a network is named."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

pytest.importorskip("torchvision")

import torch

from archcalc import load
from archcalc.cli.main import main
from archcalc.errors import ArchcalcError
from archcalc.language.written import import_spec

PLACE = "torch:tests.capture.modules"


@pytest.mark.parametrize("name", ["Plain", "build"])
def test_a_class_or_a_function_of_a_module(name: str) -> None:
    net = load(f"{PLACE}:{name}", input=(3, 16, 16))
    assert net.analyze().totals.params == 3 * 8 * 9 + 16 + 8 * 10 + 10
    assert net.notes == ["import: parameters complete, multiply-adds complete, nothing dropped"]


@pytest.mark.parametrize(
    ("net", "text"),
    [
        (
            "torchvision:resnet51",
            "torchvision:resnet51: unknown model of torchvision 'resnet51'; did you mean 'resnet50'?",
        ),
        ("timm:resnet51q_", "timm:resnet51q_: unknown model of timm 'resnet51q_'; did you mean 'resnet51q'?"),
        (f"{PLACE}:Plan", f"{PLACE}:Plan: unknown attribute 'Plan'; did you mean 'Plain'?"),
        (
            f"{PLACE}:number",
            "number is of the type int, expected a torch.nn.Module, its class or a function that returns one",
        ),
        (f"{PLACE}:fails", f"{PLACE}:fails: cannot be built: OSError: no such file"),
        (f"{PLACE}:ends", f"{PLACE}:ends: cannot be built: SystemExit: 3"),
        (
            f"{PLACE}:width",
            f"{PLACE}:width: cannot be built: TypeError: width() missing 1 required positional argument: ",
        ),
        (
            f"{PLACE}:nothing",
            "nothing returns a value of the type NoneType, expected a torch.nn.Module, its class or a",
        ),
        ("torch:tests.capture.moduls:f", "there is no module 'tests.capture.moduls' on Python's path"),
        (PLACE, f"{PLACE}: expected torch:MODULE:NAME, as in torch:my.models:build"),
        ("torch:no_such_place:f", "torch:no_such_place:f: there is no module 'no_such_place' on Python's path"),
        (f"{PLACE}:Plain", f"{PLACE}:Plain: nothing says the size of its input: give --input, as in --input 3x224x224"),
        ("model.pt", "model.pt: a model of PyTorch, whose reading would run its code: "),
    ],
)
def test_what_is_refused(net: str, text: str) -> None:
    with pytest.raises(ArchcalcError) as raised:
        load(net).nodes  # noqa: B018
    assert text in str(raised.value)


@pytest.mark.parametrize("command", ["table", "memory", "rf", "show --expanded", "export", "diff"])
def test_every_command_takes_a_model(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    net = "torchvision:squeezenet1_1"
    words = command.split()
    assert main([*words, net, *([net] if command == "diff" else [])]) == 0
    assert capsys.readouterr().out


def test_a_model_as_a_spec() -> None:
    lines = import_spec("torchvision:resnet18").splitlines()
    assert lines[0].startswith("# imported from torchvision:resnet18 by archcalc ")
    assert len(lines) < 50


@pytest.mark.parametrize(("name", "main", "all_"), [("googlenet", 6_624_904, 13_004_888)])
def test_side_heads(name: str, main: int, all_: int) -> None:
    """With them, the number that torchvision publishes."""
    net = load(f"torchvision:{name}")
    assert (net.analyze().totals.params, net.analyze(training=True).totals.params) == (main, all_)


@pytest.mark.skipif(torch.cuda.is_available(), reason="has a GPU")
def test_a_model_that_is_built_for_a_gpu() -> None:
    with pytest.raises(
        ArchcalcError, match=f"{PLACE}:gpu: cannot be built: needs a GPU, and archcalc runs models without"
    ):
        load(f"{PLACE}:gpu")


def test_what_a_model_prints_is_no_output(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["table", f"{PLACE}:Words", "--input", "3x8x8", "--format", "json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)
    assert err == "tensor(..., device='meta', size=(2, 3, 8, 8))\n"


@pytest.mark.parametrize(
    ("net", "line"),
    [
        (f"{PLACE}:Raises", 'raise ValueError("the image\\n  is too small") from None'),
        (f"{PLACE}:Loops", "while x.sum() > 0:"),
        (f"{PLACE}:fails", 'raise OSError("no such file")'),
        ("torch:no_such_place:f", "ModuleNotFoundError: No module named 'no_such_place'"),
    ],
)
def test_the_lines_of_a_model_that_fails(net: str, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["table", net, "--input", "3x8x8"]
    assert main(words) == main([*words, "--traceback"]) == 2
    short, _, long = capsys.readouterr().err.partition("Traceback (most recent call last):\n")
    assert line in long
    assert short.count("\n") == 1
    assert long.endswith(f"\n{short}")


@pytest.mark.parametrize(
    ("command", "net"),
    [("table", "torchvision:resnet18"), ("table", f"{PLACE}:Plain"), ("compare", "timm:resnet1?")],
)
def test_without_torch(command: str, net: str) -> None:
    """In a process that does not find PyTorch."""
    code = f"import sys; sys.modules['torch'] = None; from archcalc.cli import main; sys.exit(main([{command!r}, {net!r}]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 2
    said = f"archcalc: {net}: needs torch, which is not installed: pip install 'archcalc[torch]'"
    assert done.stderr.startswith(said)
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("library", ["torchvision", "timm"])
def test_without_the_library(library: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, library, None)  # type: ignore[arg-type]
    assert main(["table", f"{library}:resnet18"]) == 2
    found = capsys.readouterr().err
    assert found.startswith(f"archcalc: {library}:resnet18: needs {library}, which is not installed")
    assert found.count("\n") == 1
