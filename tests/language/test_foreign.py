"""A file of a tool that archcalc does not read is refused in one sentence, by its name or by what stands in it."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from archcalc import load
from archcalc.errors import ArchcalcError
from archcalc.language.foreign import EXTENSIONS, PICKLES

READS = (
    ", which archcalc does not read; it reads specs (.yaml, .yml or .json, see docs/spec.md), names of the zoo "
    "(archcalc list), one-line patterns and PyTorch models (torch:MODULE:NAME)"
)
RUNS = (
    ", whose reading would run its code: archcalc takes the model itself, as torch:MODULE:NAME or in Python as "
    "archcalc.from_torch(model, input=...)"
)


def said(net: str) -> str:
    with pytest.raises(ArchcalcError) as caught:
        load(net).nodes  # noqa: B018
    return str(caught.value)


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_by_its_name(extension: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rest = RUNS if extension in PICKLES else READS
    assert said(f"model{extension}") == f"model{extension}: {EXTENSIONS[extension]}{rest}"
    Path(f"Model{extension}").write_text("anything", encoding="utf-8")
    assert said(f"./Model{extension}") == f"./Model{extension}: {EXTENSIONS[extension]}{rest}"


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"import torch\nclass Net(torch.nn.Module):\n    pass\n", "Python source"),
        (b"from torch import nn\n\nnet = nn.Linear(3, 4)\n", "Python source"),
        (b'{"class_name": "Sequential", "config": {}}', "a model of Keras"),
        (b'{\n  "architectures": ["BertModel"],\n  "hidden_size": 768\n}\n', "a configuration of Hugging Face"),
        (b"nc: 80\ndepth_multiple: 0.33\nbackbone:\n  - [-1, 1, Conv, [64, 6, 2, 2]]\n", "a network of YOLO"),
        (b"PK\x03\x04\x00\x00data.pkl", "a zip archive, as PyTorch and Keras write models"),
        (b"\x80\x02}q\x00.", "a pickle, as PyTorch wrote models"),
        (b"\x89HDF\r\n\x1a\n", "a model in HDF5"),
    ],
)
def test_by_what_stands_in_it(content: bytes, what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.yaml").write_bytes(content)
    assert said("net.yaml") == f"net.yaml: {what}{READS}"


def test_onnx_under_another_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.yaml").write_bytes(b"\x08\x07\x12\x07pytorch" + bytes(2_000_000))
    assert said("net.yaml") == (
        "net.yaml: a protocol buffer, as ONNX and TensorFlow write models; ONNX is read from a file whose name ends in .onnx"
    )


def test_a_spec_with_a_mistake_stays_a_spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.yaml").write_text("title: from import to class\ninput: [3, 8, 8]\nlayers: [rleu]\n", encoding="utf-8")
    assert said("net.yaml").startswith("net.yaml:3: unknown layer or block 'rleu'")


def test_a_run_from_a_zip_is_a_sentence_where_the_zoo_is_needed(tmp_path: Path) -> None:
    import archcalc

    package = Path(archcalc.__file__).parent
    with zipfile.ZipFile(tmp_path / "archcalc.zip", "w") as packed:
        for path in package.rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                packed.write(path, Path("archcalc") / path.relative_to(package))
    (tmp_path / "net.yaml").write_text("input: [3, 8, 8]\nlayers: [relu]\n", encoding="utf-8")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "archcalc", *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(tmp_path / "archcalc.zip")},
        )

    assert run("table", "net.yaml").returncode == 0
    assert run("report", "net.yaml", "--figures", "none", "-o", "pages").returncode == 0
    assert run("export", "net.yaml").returncode == 0
    for arguments in (["table", "vgg16"], ["list"], ["show", "vgg16"]):
        done = run(*arguments)
        assert done.returncode == 2
        assert "archcalc runs from a folder and not from a zip" in done.stderr
        assert "Traceback" not in done.stderr
