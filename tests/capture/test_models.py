"""Models by name, wherever a network is named."""

from __future__ import annotations

import pytest

pytest.importorskip("torchvision")

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
