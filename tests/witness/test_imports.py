"""The run over imported models, and its report."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

pytest.importorskip("timm")

from archcalc.capture.models import model_of
from archcalc.capture.networks import imported
from archcalc.witness import import_figures, imports
from archcalc.witness.import_figures import figures
from archcalc.witness.import_report import report
from archcalc.witness.module_run import run_module
from tests.capture import modules

SMALL = ("timm:test_resnet", "timm:test_vit", "timm:halonet26t")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(imports, "models", lambda: [*SMALL])
    monkeypatch.setattr(sys, "argv", ["imports", str(tmp_path / "imports.md"), "--jobs", "1"])
    return tmp_path


def test_a_run_and_its_report(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    imports.main()
    assert "imports.md: 2 exact, 1 refused" in capsys.readouterr().out
    text, results = (folder / "imports.md").read_text(), folder / "imports.jsonl"
    assert text.startswith("# Imports\n\nMade by archcalc ")
    assert "\n| timm | 3 | 2 | 1 | 0 | 0 | " in text
    assert "\n| timm:halonet26t | stages.2.1.self_attn (HaloAttn): unfold of " in text
    assert "\n| timm:test_vit | " in text
    lines = results.read_text()
    results.write_text("".join(lines.splitlines(keepends=True)[1:]))
    imports.main()
    assert sorted(json.loads(line)["item"] for line in results.read_text().splitlines()) == sorted(SMALL)
    assert set(lines.splitlines()[1:]) < set(results.read_text().splitlines())


def test_the_figures_of_a_model() -> None:
    """GoogLeNet has two side heads: 6,624,904 parameters at inference, 13,004,888 in all, as torchvision states."""
    row = figures("torchvision:googlenet")
    assert row["verdict"] == "exact"
    assert row["equal"]["parameters"] == (6_624_904, 6_624_904)
    assert row["equal"]["parameters in training"] == (13_004_888, 13_004_888)
    assert "| torchvision:googlenet | 13,004,888 | 6,379,984 | 6,624,904 |" in report(
        [{"item": "torchvision:googlenet", **row, "seconds": 1.0}], ""
    )


def test_a_wrong_import_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is compared is another model with the same names of modules."""
    other = model_of("timm:resnet10t")
    monkeypatch.setattr(import_figures, "imported", lambda model, sizes, net: imported(other, sizes, net))
    row = figures("timm:resnet14t")
    assert row["verdict"] == "wrong"
    names = [reason.partition(":")[0] for reason in row["reasons"]]
    assert names[:3] == ["parameters", "multiply-adds", "statistics"]
    assert "layer2.0.conv1" in names


def test_products_of_constants_are_no_part_of_a_model() -> None:
    assert run_module(modules.Angles(), {"input": (3, 6, 6)}).macs == 3 * 3 * 9 * 36
