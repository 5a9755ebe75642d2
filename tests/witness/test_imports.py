"""The run over imported models, and its report."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("timm")

import torch

from archcalc.capture.models import model_of
from archcalc.capture.networks import imported
from archcalc.witness import import_figures, import_outputs, import_published, imports
from archcalc.witness.built import Built
from archcalc.witness.import_figures import figures
from archcalc.witness.import_outputs import outputs
from archcalc.witness.import_report import report
from archcalc.witness.import_weights import built_with
from archcalc.witness.module_run import run_module
from archcalc.witness.printed import Printed, closest, differing, printed_in
from tests.capture import modules

SMALL = ("timm:test_resnet", "timm:test_vit", "timm:efficientnet_cc_b0_4e")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(imports, "models", lambda: [*SMALL])
    monkeypatch.setattr(sys, "argv", ["imports", str(tmp_path / "imports.md"), "--jobs", "1", "--outputs", "1"])
    return tmp_path


def test_a_run_and_its_report(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    imports.main()
    assert "imports.md: 2 exact, 1 refused" in capsys.readouterr().out
    text, results = (folder / "imports.md").read_text(), folder / "imports.jsonl"
    assert text.startswith("# Imports\n\nMade by archcalc ")
    assert "\n| timm | 3 | 2 | 1 | 0 | 0 | " in text
    assert "\n| timm:efficientnet_cc_b0_4e | blocks.4.0.conv_pw (CondConv2d): conv2d of " in text
    assert "\n| timm:test_vit | " in text
    lines = results.read_text()
    results.write_text("".join(lines.splitlines(keepends=True)[1:]))
    imports.main()
    items = [f"figures {net}" for net in SMALL] + ["outputs timm:test_vit"]
    assert sorted(json.loads(line)["item"] for line in results.read_text().splitlines()) == sorted(items)
    assert set(lines.splitlines()[1:]) < set(results.read_text().splitlines())


def test_the_figures_of_a_model() -> None:
    """GoogLeNet has two side heads: 6,624,904 parameters at inference, 13,004,888 in all, as torchvision states."""
    row = figures("torchvision:googlenet")
    assert row["verdict"] == "exact"
    assert row["equal"]["parameters"] == (6_624_904, 6_624_904)
    assert row["equal"]["parameters in training"] == (13_004_888, 13_004_888)
    made = {"figures": [{"item": "figures torchvision:googlenet", **row, "seconds": 1.0}]}
    assert "| torchvision:googlenet | 13,004,888 | 6,379,984 | 6,624,904 |" in report(made, {}, "")


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


@pytest.mark.parametrize(
    "net",
    [
        "timm:test_vit",
        "timm:test_nfnet",
        "timm:test_efficientnet",
        "timm:efficientvit_b0",
        "timm:nest_tiny",
        "timm:xcit_nano_12_p16_224",
        "torchvision:shufflenet_v2_x0_5",
        "torchvision:mobilenet_v3_small",
    ],
)
def test_the_outputs_are_the_same(net: str) -> None:
    row = outputs(net)
    assert (row["verdict"], row["reasons"]) == ("exact", [])


def test_another_function_has_other_outputs(monkeypatch: pytest.MonkeyPatch) -> None:
    """An epsilon of a normalisation changes no count, and the outputs by a thousandth of a thousandth."""

    def built(*given: Any) -> Built:
        made = built_with(*given)
        next(one for one in made.modules() if isinstance(one, torch.nn.LayerNorm)).eps *= 2
        return made

    monkeypatch.setattr(import_outputs, "built_with", built)
    row = outputs("timm:test_vit")
    assert (row["verdict"], row["in"]) == ("wrong", "float64")
    assert 1e-9 < row["difference"] < 1e-3


PRINTED = [
    ("efficientnet_b3_gn 288", "as built", ("11.73", "1.74", "23.35")),
    ("deit3_small_patch16_224 224", "as built", ("22.06", "4.61", "11.95")),
    ("levit_conv_128s 224", "as built", ("7.78", "0.31", "1.88")),
    ("levit_conv_128s 224", "merged", ("7.76", "0.3", "1.88")),
]
"""From timm's results/benchmark-infer-amp-nchw-pt240-cu124-rtx4090.csv, merged from ...-pt291-cu128-4090.csv."""


@pytest.mark.parametrize(("name", "form", "figures"), PRINTED)
def test_published_figures(name: str, form: str, figures: tuple[str, str, str]) -> None:
    row = {"item": f"published {name}", **import_published.figures(name)}
    assert closest(row, Printed(*figures)) == (form, [])
    assert differing(row, {name: [Printed(*figures)._replace(gmacs="9")]})


def test_the_tables_of_timm(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "model,infer_img_size,param_count,infer_gmacs,infer_macts\nx.in1k,224,1,2,3\nx.in12k,224,1,2,3\nx,224,1,2.5,3\n"
    )
    (tmp_path / "train.csv").write_text("model,train_img_size,param_count\nx,224,1\n")
    assert printed_in(tmp_path) == {"x 224": [Printed("1", "2", "3"), Printed("1", "2.5", "3")]}
