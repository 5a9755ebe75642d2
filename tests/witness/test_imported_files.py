"""Every command on the file of an import: each model has something that the others lack."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")

import archcalc
from archcalc.cli import main
from archcalc.memory.training import training
from archcalc.report.diff import diff_table

MODELS = {
    "torchvision:googlenet": ["--input", "3x64x64"],  # side heads
    "torchvision:lraspp_mobilenet_v3_large": ["--input", "3x64x64"],  # maps that become larger
    "timm:test_byobnet": [],  # gates and attention along channels
    "timm:levit_128s": [],  # attention whose bias is a table, and gradients in several orders
    "timm:coat_lite_tiny": [],  # parts of tokens as maps
    "timm:test_nfnet": [],  # weights that are computed
}
COMMANDS = """
table NET --depth 1
verify NET --device cpu
memory NET --training
memory NET --fit 8GiB
rf NET
explain NET --as fvcore
export NET --to torch -o OUT/net.py
show NET --expanded -o OUT/flat.yaml
plot graph NET -o OUT/graph.svg
plot memory NET -o OUT/memory.svg
plot shape NET -o OUT/shape.svg --width page
report NET --format markdown --figures none -o OUT/pages
""".strip().splitlines()


@pytest.mark.parametrize("net", MODELS)
def test_commands(net: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip(net.partition(":")[0])
    path = str(tmp_path / "net.yaml")
    assert main(["import", net, *MODELS[net], "-o", path]) == 0
    for command in COMMANDS:
        words = [word.replace("NET", path).replace("OUT", str(tmp_path)) for word in command.split()]
        assert (main(words), capsys.readouterr().err) == (0, ""), command
    size = tuple(map(int, MODELS[net][1].split("x"))) if MODELS[net] else None
    read, model, flat = archcalc.load(path), archcalc.load(net, input=size), archcalc.load(str(tmp_path / "flat.yaml"))
    for other in (model, flat):
        footer = diff_table(read.analyze(), other.analyze()).footer
        assert any(line.startswith("0 layers differ") for line in footer)
    assert training(read).peak(2) == training(model).peak(2)


def test_a_file_beside_its_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("timm")
    path = str(tmp_path / "net.yaml")
    assert main(["import", "timm:test_nfnet", "-o", path]) == 0
    assert main(["diff", path, "timm:test_nfnet"]) == 0
    assert "\n0 layers differ" in capsys.readouterr().out
