"""The command and the registry: which kinds there are, where they go, and what is said when one cannot be drawn."""

from __future__ import annotations

import ast
import subprocess
import sys
from operator import attrgetter
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib")

import archcalc as package
from archcalc import ArchcalcError, Network, Shape, load, plot
from tests.plot.pictures import analysis

PACKAGE = Path(package.__file__).parent
TINY = "input: [3, 8, 8]\nlayers:\n  - conv: {out: 4, kernel: 1}\n    name: c\n"
VECTOR = "input: [10]\nlayers:\n  - linear: {out: 4}\n"
CUBE = "input: [1, 4, 4, 4]\nlayers:\n  - conv: {out: 4, kernel: 1}\n"


@pytest.fixture
def specs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in (("tiny", TINY), ("vector", VECTOR), ("cube", CUBE)):
        (tmp_path / f"{name}.yaml").write_text(text)
    return tmp_path


def test_every_kind_has_a_function_of_its_name():
    for name, kind in plot.KINDS.items():
        assert getattr(plot, name.replace("-", "_")) is kind.draw
        assert kind.draw.__doc__
    assert {name.replace("-", "_") for name in plot.KINDS} < set(plot.__all__) == set(dir(plot))
    with pytest.raises(AttributeError, match="no attribute 'pie'"):
        attrgetter("pie")(plot)


def test_the_command_writes_what_the_library_does(specs, archcalc):
    for format, start in (("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")):
        assert archcalc("plot", "cost", "tiny.yaml", "-o", f"made.{format}") == (0, "", "")
        plot.save("cost", [load("tiny.yaml").analyze()], f"saved.{format}")
        made = (specs / f"made.{format}").read_bytes()
        assert made == (specs / f"saved.{format}").read_bytes()
        assert made.startswith(start)


def test_the_command_counts_as_asked(specs, archcalc):
    status, out, err = archcalc(
        "plot", "cost", "tiny.yaml", "-o", "-", "--batch", "2", "--dtype", "float16", "--as", "thop"
    )
    assert (status, err) == (0, "")
    assert "input 3×8×8, batch 2, float16. Convention thop:" in out


def test_svg_goes_to_standard_output(specs, archcalc):
    status, out, err = archcalc("plot", "rf", "tiny.yaml", "-o", "-")
    assert (status, err) == (0, "")
    assert out.startswith("<svg")
    assert out == plot.svg("rf", [load("tiny.yaml").analyze()])


def test_an_extension_in_capitals_and_a_format_of_its_own(specs, archcalc):
    assert archcalc("plot", "rf", "tiny.yaml", "-o", "A.PNG")[0] == 0
    assert archcalc("plot", "rf", "tiny.yaml", "-o", "picture", "--format", "svg")[0] == 0
    assert (specs / "A.PNG").read_bytes().startswith(b"\x89PNG")
    assert (specs / "picture").read_bytes().startswith(b"<?xml")


BAD = [
    (["cots", "tiny.yaml", "-o", "x.svg"], "unknown kind of picture 'cots'; did you mean 'cost'?"),
    (["cost", "tiny.yaml"], "a picture goes to a file: add -o FILE, such as -o cost.svg; -o - prints SVG"),
    (["cost", "tiny.yaml", "-o", "x.sgv"], "x.sgv: unknown picture format 'sgv'; did you mean 'svg'?"),
    (["cost", "tiny.yaml", "-o", "x"], "x: a picture's file ends in .png, .svg, .pdf"),
    (["cost", "tiny.yaml", "-o", "x.svg", "--format", "pgn"], "unknown picture format 'pgn'; did you mean 'png'?"),
    (
        ["cost", "tiny.yaml", "-o", "-", "--format", "png"],
        "standard output takes SVG alone, not png; -o FILE writes to a file",
    ),
    (["cost", "tiny.yaml", "-o", "none/x.svg"], "none/x.svg: cannot be written: no such file or directory"),
    (["cost", "-o", "x.svg"], "cost takes one network, got 0"),
    (["cost", "tiny.yaml", "vgg16", "-o", "x.svg"], "cost takes one network, got 2"),
    (["rf", *["tiny.yaml"] * 8, "-o", "x.svg"], "rf takes 1 to 7 networks, got 8"),
    (["pattern", "tiny.yaml", "-o", "x.svg"], "pattern takes no networks, got 1"),
    (["pattern", "--kernel", "4", "-o", "x.svg"], "kernel must be odd, from 3 to 31, got 4"),
    (["pattern", "--stack", "9", "-o", "x.svg"], "stack must be from 2 to 4, got 9"),
    (["cost", "tiny.yaml", "--stack", "3", "-o", "x.svg"], "stack is an option of pattern, not of cost"),
    (
        ["memory", "tiny.yaml", "--checkpoint", "c", "-o", "x.svg"],
        "checkpoint is about training; add --training, or training=True",
    ),
    (["budget", "tiny.yaml", "--fit", "24Gib", "-o", "x.svg"], "unknown unit 'Gib' in '24Gib'; did you mean 'GiB'?"),
    (
        ["budget", "tiny.yaml", "--optimizer", "adma", "-o", "x.svg"],
        "unknown optimizer 'adma'; did you mean 'adam'?",
    ),
    (  # 16 weights and as many gradients, 3x8x8 numbers of the image, 4x8x8 of the map and of its gradient
        ["budget", "tiny.yaml", "--fit", "1KB", "-o", "x.svg"],
        f"tiny does not train in 1KB: one image needs {4 * (16 + 16 + 192 + 256 + 256):,} bytes",
    ),
    (  # 2816 bytes an image
        ["budget", "tiny.yaml", "--fit", "10TiB", "-o", "x.svg"],
        "tiny trains with more than 2,147,483,647 images in 10TiB, the largest batch there can be",
    ),
    (["memory", "tiny.yaml", "--fit", "1KB", "-o", "x.svg"], "fit is an option of budget, not of memory"),
    (["rf-map", "vgg16", "--layers", "conv5_4", "-o", "x.svg"], "unknown layer 'conv5_4'; did you mean 'conv5_1'?"),
    (
        [
            "rf-map",
            "vgg16",
            "--layers",
            ",".join(f"conv{i}_1" for i in (1, 2, 3, 4, 5)) + ",pool1,pool2,pool3,pool4",
            "-o",
            "x.svg",
        ],
        "rf-map shows up to 8 layers, got 9",
    ),
    (["rf", "vector.yaml", "-o", "x.svg"], "vector has no receptive field: its input 10 has no axes"),
    (["rf-map", "vector.yaml", "-o", "x.svg"], "vector has no field map: its input 10 has no height and width"),
    (["rf-map", "cube.yaml", "-o", "x.svg"], "cube has no field map: its input 1x4x4x4 has no height and width"),
    (
        ["roofline", "tiny.yaml", "-o", "x.svg"],
        "a roofline needs a device: --on a100, or on='a100'; archcalc devices lists them",
    ),
    (
        ["roofline", "tiny.yaml", "--on", "a1000", "-o", "x.svg"],
        "unknown device 'a1000'; did you mean 'a100'?",
    ),
    (
        ["roofline", "INPUT 4x4x2 -> RELU", "--on", "a100", "-o", "x.svg"],
        "INPUT 4x4x2 -> RELU multiplies no matrices: no layer has a place below the roofs",
    ),
    (["cost", "tiny.yaml", "--on", "a100", "-o", "x.svg"], "on is an option of roofline, not of cost"),
    (
        ["compare", "vgg16", "tiny.yaml", "lenet5", "-o", "x.svg"],
        "no accuracy with a source for tiny, lenet5: compare shows networks of the zoo as they were published",
    ),
    (
        ["compare", "vgg16", "--input", "3x320x320", "-o", "x.svg"],
        "no accuracy with a source for vgg16: compare shows networks of the zoo as they were published",
    ),
    (
        ["compare", "vgg16", "resnet_cifar20", "-o", "x.svg"],
        "accuracies on different data cannot be compared: ILSVRC: vgg16; CIFAR-10: resnet_cifar20",
    ),
    (
        ["compare", "googlenet", "plain18", "-o", "x.svg"],
        "googlenet has no top-1 error and plain18 no top-5 error: no error is known of all networks",
    ),
]


@pytest.mark.parametrize(("arguments", "said"), BAD, ids=[" ".join(arguments)[:50] for arguments, _ in BAD])
def test_what_cannot_be_drawn_is_one_sentence_and_leaves_no_file(specs, archcalc, arguments, said):
    before = sorted(specs.iterdir())
    assert archcalc("plot", *arguments) == (2, "", f"archcalc: {said}\n")
    assert sorted(specs.iterdir()) == before


def test_arrays_are_not_pictures():
    many = load("vgg11").analyze(batch=np.array([1, 2]))
    with pytest.raises(ArchcalcError, match=r"^a picture needs single sizes; on arrays, read the rows and totals"):
        plot.figure("cost", [many])


def test_cost_needs_three_axes_and_options_have_names():
    with pytest.raises(ArchcalcError, match=r"^cost needs three axes, got 1$"):
        plot.cost(analysis("lenet5"), ax=[None])
    with pytest.raises(ArchcalcError, match=r"^rf-map: unknown option 'layer'; did you mean 'layers'\?$"):
        plot.figure("rf-map", [analysis("lenet5")], layer=["C1"])


def test_vectors_and_lines_are_drawn_where_they_can_be(specs, archcalc):
    (specs / "line.yaml").write_text("input: [1, 32]\nlayers:\n  - conv: {out: 4, kernel: 3}\n")
    for kind, net in (("shape", "vector.yaml"), ("cost", "vector.yaml"), ("shape", "line.yaml"), ("rf", "line.yaml")):
        assert archcalc("plot", kind, net, "-o", "x.svg") == (0, "", "")


@pytest.mark.parametrize("kind", ["rf", "rf-map", "cost", "shape", "memory", "budget", "roofline"])
@pytest.mark.parametrize("pattern", ["INPUT 8x8x1 -> FC-5", "INPUT 1x1x1 -> CONV1-1", "INPUT 4x9x2 -> RELU"])
def test_the_smallest_networks_are_drawn_or_one_sentence_says_why_not(specs, archcalc, kind, pattern, recwarn):
    status, _, err = archcalc("plot", kind, pattern, "-o", "x.png", *["--on", "t4"] * (kind == "roofline"))
    refused = {"memory": "has no layers to run\n", "roofline": "no layer has a place below the roofs\n"}
    assert status == 0 or (kind in refused and err.endswith(refused[kind])), err
    assert not recwarn.list


def test_a_network_of_its_input_alone():
    bare = Network("bare", Shape(1, (8, 8))).analyze()
    for kind in ("rf", "rf-map", "cost", "shape"):
        plot.figure(kind, [bare])
    for kind, what in (("memory", "run"), ("budget", "train")):
        with pytest.raises(ArchcalcError, match=f"^bare has no layers to {what}$"):
            plot.figure(kind, [bare])


# What is installed


def blocked(missing: str, *command: str) -> subprocess.CompletedProcess[str]:
    code = (
        f"import sys; sys.modules[{missing!r}] = None; from archcalc.cli import main; sys.exit(main({list(command)!r}))"
    )
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


@pytest.mark.parametrize(("missing", "kind"), [("matplotlib", "cost"), ("matplotlib", "graph"), ("graphviz", "graph")])
def test_a_missing_library_is_one_sentence(missing, kind, tmp_path):
    done = blocked(missing, "plot", kind, "lenet5", "-o", str(tmp_path / "x.svg"))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"archcalc: pictures need {missing}: pip install 'archcalc[plot]'\n"
    assert not list(tmp_path.iterdir())


def test_every_other_command_does_without_matplotlib():
    assert blocked("matplotlib", "table", "lenet5").returncode == 0
    assert blocked("matplotlib", "plot", "cots", "lenet5", "-o", "x.svg").stderr.startswith("archcalc: unknown kind")


def test_only_the_pictures_import_matplotlib_and_none_of_them_pyplot():
    for path in PACKAGE.rglob("*.py"):
        imported = {
            name
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            for name in (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
        }
        assert "matplotlib.pyplot" not in imported, path
        if any(name.split(".")[0] in ("matplotlib", "graphviz") for name in imported):
            assert path.parent == PACKAGE / "plot", path


def test_the_registry_loads_neither():
    code = "import archcalc.plot, archcalc.cli.commands.plot, sys; print({'matplotlib', 'graphviz', 'numpy'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"
