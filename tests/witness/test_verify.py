"""The engine's figures next to real models: they agree, and every kind of difference would be seen."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from archcalc import ArchcalcError, load, networks
from archcalc.language import zoo
from archcalc.language.expand import expand
from archcalc.language.zoo import source
from archcalc.layers.convolution import Conv
from archcalc.layers.norm import BatchNorm
from archcalc.memory.lifetime import inference
from archcalc.memory.training import training
from archcalc.pytorch.layout import Batch
from archcalc.report.verification import summary_tables
from archcalc.sizes import Params, Work
from archcalc.witness import verify_many
from archcalc.witness.device import device
from archcalc.witness.models import NETWORKS, OF_TIMM
from archcalc.witness.results import Verification
from archcalc.witness.verify import verify
from archcalc.witness.verify_many import affordable
from tests.families import FAMILIES, varied

ROOT = Path(__file__).parents[2]
CPU = device("cpu")


@pytest.fixture
def changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str, str], Verification]:
    """Verifies a network of the zoo after a change to its spec, in a copy of the zoo's folder."""

    def verified(name: str, old: str, new: str) -> Verification:
        text = source(name)
        assert old in text
        folder = shutil.copytree(zoo.folder(), tmp_path / "specs")
        (folder / f"{zoo.find(name).name}.yaml").write_text(text.replace(old, new))
        monkeypatch.setattr(zoo, "folder", lambda: str(folder))
        return verify(load(name), CPU, 8)

    return verified


@pytest.mark.parametrize(
    "name",
    ["lenet5", "alexnet_tv", "googlenet_tv", "mobilenet_v3_small", "shufflenet_v2_x0_5", "convnext_tiny", "vgg11_lrn"],
)
def test_what_the_witnesses_say(name: str) -> None:
    found = verify(load(name), CPU, 12)
    assert found.problems == []
    assert len(found.layers) == len(found.network.nodes) - 1
    assert {figure.name for figure in found.layers[0].figures.values()} >= {"output", "params", "macs", "fvcore"}
    if name in NETWORKS.values():
        assert found.other is not None
        assert found.other.difference is not None
        assert found.other.difference < 1e-4
        assert found.other.modules


@pytest.mark.parametrize("name", ["mobilenet_v2_0.35", "regnet_y_200mf", "inception_v4_released"])
def test_what_timm_says(name: str) -> None:
    found = verify(load(name), CPU, 4)
    assert found.problems == []
    assert found.other is not None
    assert found.other.name == f"timm's {next(theirs for theirs, ours in OF_TIMM.items() if ours == name)}"
    assert found.other.difference is not None
    assert found.other.difference < 1e-4


def test_a_network_without_weights(tmp_path: Path) -> None:
    spec = tmp_path / "net.yaml"
    spec.write_text("input: [3, 8, 8]\nlayers:\n  - relu\n  - max_pool: {kernel: 2, stride: 2}\n")
    found = verify(load(str(spec)), CPU)
    assert found.problems == []
    assert [layer.figures["output"].measured for layer in found.layers] == [(3, 8, 8), (3, 4, 4)]


def test_on_the_meta_device() -> None:
    found = verify(load("resnet50_tv"), device("meta"))
    assert found.problems == []
    assert found.fields is None
    assert found.other is not None
    assert found.other.difference is None
    assert "fvcore" not in found.layers[0].figures


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("mobilenet_v3_small", "eps: 0.001", "eps: 0.00001", "output beside that of torchvision's mobilenet_v3_small"),
        ("mobilenet_v2_1.4", "relu6", "relu", "output beside that of timm's mobilenetv2_140"),
        ("shufflenet_v2_x0_5", "channel_shuffle: {groups: 2}", "channel_shuffle: {groups: 1}", "output beside that of"),
        ("mnasnet0_5", "kernel: 5", "kernel: 7", "beside torchvision's mnasnet0_5: the same computed"),
    ],
)
def test_another_function_is_seen(name: str, old: str, new: str, said: str, changed) -> None:
    """Sizes may be right where the network is another: epsilon, order of channels, a layer more."""
    problems = changed(name, old, new).problems
    assert any(said in problem for problem in problems), problems


def test_a_wrong_shape_is_seen() -> None:
    network = load("lenet5_modern")
    node = next(node for node in network.nodes if node.layer.type == "linear")
    node.shape = node.shape._replace(channels=node.shape.channels + 1)
    problems = verify(network, CPU, 4).problems
    assert problems[0].startswith(f"lenet5_modern, {node.name}: output: ")


@pytest.mark.parametrize(
    ("layer", "fact", "wrong", "said"),
    [
        (Conv, "work", lambda self, out, x: Work(mac=out.values * self.fan_in(x) + 1), "conv1: macs: "),
        (Conv, "params", lambda self, x: Params(self.out * self.fan_in(x), self.out), "conv1: params: "),
        (BatchNorm, "params", lambda self, x: Params(x.channels, x.channels, x.channels), "bn1: params: "),
        (BatchNorm, "work", lambda self, out, x: Work(mac=1), "bn1: macs: "),
    ],
)
def test_a_wrong_fact_is_seen_at_the_first_layer_that_has_it(layer, fact, wrong, said, monkeypatch) -> None:
    network = load("resnet18")
    monkeypatch.setattr(layer, fact, wrong)
    assert verify(network, device("meta")).problems[0].startswith(f"resnet18, {said}")


def test_devices() -> None:
    taken = device("auto")
    assert taken.name == ("cuda" if torch.cuda.is_available() else "cpu")
    assert "(auto: PyTorch sees" in taken.about
    assert f"torch {torch.__version__}" in taken.about
    with pytest.raises(ArchcalcError, match="unknown device 'cuda0'; did you mean 'cuda'"):
        device("cuda0")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_cuda_without_a_gpu(archcalc) -> None:
    status, _, error = archcalc("verify", "lenet5", "--device", "cuda")
    assert status == 2
    assert error == "archcalc: --device cuda: PyTorch sees no GPU here; --device cpu runs the same checks without one\n"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device: times and allocated memory")
def test_on_a_gpu() -> None:
    found = verify(load("resnet18"), device("cuda"), 4)
    assert found.problems == []
    assert all(layer.milliseconds is not None and layer.milliseconds > 0 for layer in found.layers)
    peak = next(figure.measured for figure in found.totals if figure.name.startswith("inference peak"))
    assert found.allocated is not None
    assert found.allocated >= peak


def test_the_table_of_a_network(archcalc) -> None:
    status, out, error = archcalc("verify", "lenet5", "--format", "json", "--device", "cpu")
    found = json.loads(out)
    assert (status, error) == (0, "")
    assert found["all_agree"]
    assert found["rows"][0] == {
        "layer": "C1",
        "type": "conv",
        "output": "6x28x28",
        "output_measured": "6x28x28",
        "params": 156,  # 6 kernels of 5x5, and 6 biases
        "params_measured": 156,
        "buffers": 0,
        "buffers_measured": 0,
        "macs": 117_600,  # 25 for each of the 4,704 outputs
        "macs_measured": 117_600,
        "fvcore": 117_600,
        "fvcore_measured": 117_600,
        "field": found["rows"][0]["field"],
        "field_measured": found["rows"][0]["field"],
        "milliseconds": "not measured",
        "agrees": "yes",
    }
    assert found["rows"][0]["field"].startswith("5: ")
    assert found["device"].startswith("cpu: ")


def test_fvcore_normalises_at_most_three_axes() -> None:
    text = "input: [4, 2, 2]\nlayers: [{rearrange: c h w -> c 1 1 h w}, {layer_norm: {axis: last}}]\n"
    found = verify(expand(zoo.read_text(text, "spec.yaml", "spec"), "spec"), CPU)
    assert found.problems == []
    assert "fvcore" not in found.layers[-1].figures


def test_a_difference_is_named_and_ends_in_status_1(archcalc, monkeypatch) -> None:
    monkeypatch.setattr(Conv, "work", lambda self, out, x: Work(mac=out.values * self.fan_in(x) + 1))
    status, out, error = archcalc("verify", "lenet5_modern", "--device", "meta")
    assert status == 1
    assert error == "archcalc: lenet5_modern, C1: macs: 117,601 computed, 117,600 measured\n"
    assert "no: macs" in out


def test_bad_usage(archcalc) -> None:
    for arguments, said in [
        ((), "verify takes networks, or --all for the whole zoo"),
        (("lenet5", "--all"), "verify takes networks, or --all for the whole zoo"),
        (
            ("--all", "--input", "3x32x32"),
            "--all verifies every network as it stands; --set and --input are for single ones",
        ),
        (("lenet6",), "did you mean 'lenet5'"),
        (("lenet5", "--device", "gpu"), "unknown device 'gpu'; did you mean 'cpu'?"),
        (("--all", "--jobs", "0"), "--jobs must be at least 1, got 0"),
        (
            ("lenet5", "--device", "meta", "--input", "1x2000000000x2000000000"),  # two images for training
            "lenet5, input: 8,000,000,000,000,000,000 values of output are more than PyTorch can hold",
        ),
        # known before the minutes that the zoo takes, not after them
        (("--all", "--format", "xml"), "unknown format 'xml'"),
        (("--all", "-o", "/nonexistent/all.md"), "/nonexistent/all.md: cannot be written: no such file or directory"),
        (("--all", "--csv", "/nonexistent/all.csv"), "/nonexistent/all.csv: cannot be written"),
        (("--all", "--csv", ""), "an output file needs a name"),
        (("--all", "--csv", "-"), "--format csv prints CSV on standard output"),
    ]:
        status, _, error = archcalc("verify", *arguments)
        assert status == 2
        assert error.startswith("archcalc: ")
        assert said in error
        assert error.count("\n") == 1


def test_without_torch() -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "import importlib.util as u; found = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name == 'torch' else found(name, *rest)\n"
        "from archcalc.cli import main\n"
        "raise SystemExit(main(['verify', 'lenet5']))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert ran.stderr == "archcalc: verifying needs torch: pip install 'archcalc[torch]'\n"
    code = "import sys; sys.modules['torch'] = None\nimport archcalc.witness as w, archcalc\nw.build(archcalc.load('lenet5'))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.stderr.endswith("ArchcalcError: building a model needs torch: pip install 'archcalc[torch]'\n")


def test_out_of_memory_names_the_layer() -> None:
    """A first layer of 100 maps of 2000 x 2000 values needs 1.6 GB. The machine has so much, the process may take 1 GiB."""
    code = (
        "import resource, torch\n"
        "from archcalc.cli import main\n"
        "import archcalc.witness.verify\n"
        "used = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (used + 2**30, used + 2**30))\n"
        "raise SystemExit(main(['verify', 'INPUT 2000x2000x1 -> CONV3-100 -> POOL2', '--device', 'cpu']))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 2, ran.stderr
    assert "out of memory" in ran.stderr
    assert "asked for" in ran.stderr
    assert "were free" in ran.stderr
    assert "Traceback" not in ran.stderr


REPORT = ROOT / "reports" / "verification.csv"


def test_the_report_ends_in_the_random_networks() -> None:
    said = (ROOT / "reports" / "verification.md").read_text()
    assert said.startswith("**196 of 196 networks agree in every figure".replace("196", str(len(networks()))))
    assert said.endswith((ROOT / "reports" / "random-networks.md").read_text())


def test_the_last_full_run_is_of_this_zoo() -> None:
    """Every network is there, agrees, and has the figures that the engine computes now.

    Of networks with every kind of layer of their family, the image is chosen again, and the memory is computed.
    """
    rows = list(csv.DictReader(io.StringIO(REPORT.read_text())))
    chosen = {network.full_name for family in FAMILIES for network in varied(family)}
    for name, row in zip(networks(), rows, strict=True):
        network = affordable(load(name)) if name in chosen else load(row["network"], input=row["input"])
        assert (row["network"], network.name) == (network.full_name, name)
        found = network.analyze(training=not network.side_problem).totals
        computed = {"input": str(network.input), "params": str(found.params), "macs": str(found.macs)}
        if name in chosen:
            schedule = training(network, sums_in_place=False, batch=Batch(2))
            peaks = {
                "peak_bytes": inference(network, sums_in_place=False).peak(),
                "training_peak_bytes": schedule.peak(2),
            }
            saved = schedule.saved_bytes(2)  # the forward pass saves the same, wherever the backward pass adds
            computed |= {key: str(n) for key, n in {**peaks, "saved_bytes": saved}.items()}
        assert {key: row[key] for key in computed} == computed, name
        assert row["agrees"] == "yes", name
        assert (row["other"] != "") == (name in {*NETWORKS.values(), *OF_TIMM.values()}), name


def test_several_networks_end_in_a_line_for_each(archcalc, tmp_path: Path) -> None:
    status, out, _ = archcalc(
        "verify", "lenet5", "lenet5_modern", "--device", "meta", "--csv", str(tmp_path / "both.csv")
    )
    assert status == 0
    assert "2 of 2 networks agree in every figure" in out
    rows = list(csv.DictReader(io.StringIO((tmp_path / "both.csv").read_text())))
    assert len(rows) == sum(len(load(name).nodes) - 1 for name in ("lenet5", "lenet5_modern"))
    assert {row["agrees"] for row in rows} == {"yes"}


def test_a_model_that_fails_is_a_line_among_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Conv, "work", lambda self, out, x: 1 // 0)
    (table,), problems = summary_tables([verify_many.outcome("lenet5_modern", "meta")], "meta")
    assert problems == ["lenet5_modern: ZeroDivisionError: integer division or modulo by zero"]
    assert table.rows[0][0] == "lenet5_modern"
    assert table.rows[0][-1].startswith("no: lenet5_modern: ZeroDivisionError")
