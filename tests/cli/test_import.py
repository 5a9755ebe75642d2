"""``archcalc import``, and files of other tools wherever a network is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from archcalc.cli.main import main
from tests.importing.files import LENET, NET, TINY_YOLO


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("tiny.cfg").write_text(TINY_YOLO, encoding="utf-8")
    Path("LeNet.PROTOTXT").write_text(LENET, encoding="utf-8")
    Path("lost.cfg").write_text(f"{NET}[convolutional]\nactivation=linear\n[gru]\n", encoding="utf-8")
    return tmp_path


def test_a_spec_that_loads_to_the_same_totals(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "tiny.cfg", "-o", "tiny.yaml"]) == 0
    assert main(["diff", "tiny.cfg", "tiny.yaml"]) == 0
    assert "feature-map values: 320,512 to 320,512 (0)" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["table", "rf", "memory", "compare", "export", "show --expanded"])
def test_every_command_takes_a_file(command: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name, *options = command.split()
    for net in ("tiny.cfg", "./LeNet.PROTOTXT"):
        assert main([name, net, *options]) == 0
        assert capsys.readouterr().out


@pytest.mark.parametrize("command", ["table", "rf", "memory", "compare", "diff", "export"])
def test_every_output_says_what_was_dropped(command: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "tiny.cfg", *(["lenet5"] if command in ("compare", "diff") else [])]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "import: parameters complete, multiply-adds complete, dropped: yolo" in said


def test_missing_layers(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["table", "lost.cfg"]) == 2
    assert "lost.cfg:7: [gru]: a recurrent layer has no counterpart" in capsys.readouterr().err
    assert main(["table", "lost.cfg", "--allow-missing"]) == 0
    assert "every count is a lower bound" in capsys.readouterr().out


def test_show_points_to_import(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "tiny.cfg"]) == 2
    assert "tiny.cfg: is no spec; archcalc import prints it as one" in capsys.readouterr().err
