"""The exported file against the module built from the same network: names, shapes, values; and how it reads."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from archcalc import ArchcalcError, Network, load
from archcalc.export import torch_source
from archcalc.export.file import class_name
from archcalc.export.module_names import TAKEN
from archcalc.language.expand import expand
from archcalc.language.zoo import read_text
from archcalc.layers import registry
from archcalc.sizes import Shape
from archcalc.witness import build
from archcalc.witness.figures import images_of
from tests.families import FAMILIES, varied
from tests.witness import networks as random

torch = pytest.importorskip("torch")

from archcalc.witness.as_on_cpu import AsOnCpu  # noqa: E402


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def exported(network: Network) -> Any:
    """The class in the exported file."""
    space: dict[str, Any] = {"__name__": "exported"}
    exec(compile(torch_source(network), "net.py", "exec"), space)
    return space[class_name(network)]


def spec(text: str) -> Network:
    return expand(read_text(text, "spec.yaml", "spec"), "spec")


def outputs(model: Any, *images: Any) -> list[Any]:
    torch.manual_seed(0)  # dropout draws the same
    made = model(*images)
    return list(made) if isinstance(made, tuple) else [made]


def assert_same_function(network: Network) -> None:
    """The same names and shapes in the same order, and with the same values the same outputs, bit for bit."""
    ours, theirs = build(network), exported(network)()
    assert list(theirs.state_dict()) == list(ours.state_dict())
    assert len(list(theirs.parameters())) == len(list(ours.parameters()))
    theirs.load_state_dict(ours.state_dict())
    images = images_of(network, "cpu", 2)
    for training in (False, True):
        given = (*images, *ours.default_rois(images[0]))
        wanted, found = outputs(ours.train(training), *given), outputs(theirs.train(training), *given)
        assert len(found) == len(wanted)
        assert all(torch.equal(a.nan_to_num(7), b.nan_to_num(7)) for a, b in zip(found, wanted, strict=True))


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_of_the_zoo_has_the_same_names_and_shapes(family: str) -> None:
    for network in varied(family):
        with AsOnCpu(), torch.device("meta"), torch.no_grad():
            ours, theirs = build(network, "meta").state_dict(), exported(network)().eval()
            assert {key: value.shape for key, value in theirs.state_dict().items()} == {
                key: value.shape for key, value in ours.items()
            }, network.full_name
            if len(network.nodes) < 120:  # the others are more of the same
                image = torch.zeros(2, network.input.channels, *network.input.axes)
                shapes = [(2, x.channels, *x.axes) for x in (network.nodes[i].shape for i in network.outputs)]
                assert [out.shape for out in outputs(theirs, image)] == shapes, network.full_name


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("lenet5", 32),
        ("lenet5_modern", 32),
        ("resnet_cifar20", 32),
        ("resnet50", 64),
        ("preact_resnet110", 8),
        ("stochastic_depth110", 8),
        ("fractalnet_deep20", 32),
        ("densenet_cifar_40_12", 16),
        ("googlenet_tv", 64),
        ("inception_v3", 155),
        ("squeezenet1_1", 64),
        ("shufflenet_v2_x0_5", 64),
        ("mobilenet_v3_small", 64),
        ("efficientnet_b0", 64),
        ("regnet_y_400mf", 64),
        ("convnext_tiny", 32),
        ("teaching_inception_bottleneck", 8),
    ],
)
def test_it_is_the_same_function(name: str, size: int) -> None:
    network = load(name)
    assert_same_function(network.at(network.input._replace(axes=(size, size))))


UNIT = """
blocks:
  unit:
    params: [out]
    layers:
      - conv: {out: out, kernel: 3, pad: 1}
        name: conv
      - relu
"""


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("layers: [identity]", id="nothing"),
        pytest.param("layers: [{flatten: }]", id="an expression alone"),
        pytest.param("layers: [{conv: {out: 2, kernel: 1}, name: half}, {relu: , name: '3x3'}]", id="taken names"),
        pytest.param("layers: [{conv: {out: 2, kernel: 1}, name: training}, {relu: , name: class}]", id="keywords"),
        pytest.param("layers: [{conv: {out: 2, kernel: [3, 2], pad: same, stride: 2}}]", id="uneven padding"),
        pytest.param(
            "layers: [{max_pool: {kernel: 3, stride: 1, pad: [[0, 1], [1, 0]]}}]", id="uneven padding of a pool"
        ),
        pytest.param("layers: [{avg_pool: {kernel: 3, stride: 2, pad: same}}]", id="a pool that torch.nn lacks"),
        pytest.param("layers: [{batch_norm: {scale: false}}, {upsample: {scale: 2, mode: bilinear}}]", id="parts"),
        pytest.param(
            "layers: [{conv: {out: 3, kernel: 1}, name: a}, relu, {conv: {out: 3, kernel: 1}, weights: a}]",
            id="a layer used twice",
        ),
        pytest.param(
            "layers: [{conv: {out: 3, kernel: 1}, name: a}, {conv: {out: 3, kernel: 1, stride: 2}, weights: a}]",
            id="weights of a layer that differs",
        ),
        pytest.param(
            UNIT + "layers: [{unit: {out: 3}, name: u1}, {unit: {out: 3}, name: u2}, relu, "
            "{conv: {out: 3, kernel: 3, pad: 1}, weights: u1.conv}]",
            id="weights from inside a block",
        ),
        pytest.param(
            UNIT + "layers: [{unit: {out: 3}, name: u1}, {layers: [{conv: {out: 3, kernel: 3, stride: 2}, "
            "weights: u1.conv, name: c}, relu], name: g}]",
            id="weights of a layer that differs, across blocks",
        ),
        pytest.param(
            "layers: [{layers: [{conv: {out: 2, kernel: 1}, name: a}, "
            "{side: [{conv: {out: 5, kernel: 1}, name: b}]}, {relu: , name: c}], name: g}]",
            id="a side head inside a block",
        ),
        pytest.param(
            "layers: [{conv: {out: 2, kernel: 1}, name: g.a}, {conv: {out: 2, kernel: 1}, name: h.b}, "
            "{conv: {out: 2, kernel: 1}, name: g.c}]",
            id="a name that comes back",
        ),
        pytest.param(
            "layers: [{layers: [{conv: {out: 2, kernel: 1}, name: a}, {batch_norm: , name: b, from: a}], name: g}, "
            "{add: , from: [g.a, g.b]}]",
            id="a block with two outputs",
        ),
        pytest.param(
            "layers: [{conv: {out: 3, kernel: 1}, name: a}, {layers: [{add: , from: [a, input], name: s}, relu, "
            "{concat: , from: [s, input, s]}], name: g}]",
            id="a block with two inputs",
        ),
        pytest.param(
            "layers: [{layers: [{batch_norm: , name: n}], name: g}, {relu: , from: input}]",
            id="a block that nothing uses",
        ),
        pytest.param(
            "layers: [{layers: [{layers: [flatten], name: a}, {layers: [flatten], name: b}, "
            "{linear: {out: 2}, name: c}], name: g}]",
            id="an expression at the end of a group",
        ),
        pytest.param("layers: [{side: [{conv: {out: 5, kernel: 1}, name: self}]}, relu]", id="a side head called self"),
        pytest.param(
            "blocks: {nest: {params: [n], layers: [{nest: {n: n - 1}, when: n > 0}, "
            "{conv: {out: 3, kernel: 1}, when: n == 0}]}}\nlayers: [{nest: {n: 60}}]",
            id="blocks nested deep",
        ),
        pytest.param(
            "blocks: {nest: {params: [n], layers: [{layers: [{slice: {stop: 3}}, {nest: {n: n - 1}, when: n > 0}, "
            "relu, {scale: {factor: 1.5}}], name: g}]}}\nlayers: [{nest: {n: 30}}]",
            id="branches nested deep with expressions at their ends",
        ),
        pytest.param(
            "layers: [{mean: {a: [{conv: {out: 3, kernel: 1}}], b: [{slice: {stop: 3}}], c: []}}, "
            "{multiply: {x: [], g: [global_avg_pool, flatten, sigmoid]}}]",
            id="joins",
        ),
        pytest.param(
            "layers: [{crop: {by: [[1, 2], 0]}}, {crop: {by: [0, [0, 1]]}}, {pad: {by: [0, [2, 0]]}}, {pad: {by: 0}}, "
            "{crop: {size: 1}}]",
            id="crop and pad",
        ),
        pytest.param(
            "blocks: {cut: {params: [n], layers: [{crop: {by: [n, [0, n]]}}, {pad: {by: [[0, n + 1], 1]}}, "
            "{conv: {out: 2, kernel: 1}}]}}\nlayers: [{cut: {n: 1}}, {cut: {n: 2}}]",
            id="crop and pad by a number of the block",
        ),
        pytest.param(
            "layers: [{multiply: {x: [], a: [{conv: {out: 1, kernel: 1}}], b: [{adaptive_avg_pool: {out: [1, 6]}}]}}, "
            "{add: {v: [global_avg_pool, flatten], x: [{conv: {out: 3, kernel: 1}}]}}, "
            "{mean: {a: [{adaptive_avg_pool: {out: [6, 1]}}], b: [{adaptive_avg_pool: {out: [1, 6]}}]}}]",
            id="joins of what is smaller",
        ),
        pytest.param(
            "layers: [{add: [[], [relu6]], name: x}, {scale: {factor: 3}, name: y}, "
            "{mean: , from: [x, y, x], name: z}, {maximum: [[], [{scale: {factor: 3}}], [{mean: [[], [relu6], []]}]]}, "
            "{multiply: [[], [{mean: [[], [relu6], []]}]]}, "
            "{multiply: [[{mean: [[], [relu6], []]}], [{scale: {factor: 3, shift: 2}}]]}]",
            id="products and quotients as operands",
        ),
    ],
)
def test_whatever_a_spec_says(text: str) -> None:
    assert_same_function(spec(f"input: [3, 6, 6]\n{text}\n"))


@given(random.networks(most=15))
@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
def test_random_networks(drawn: random.Drawn) -> None:
    assert_same_function(drawn.network)


def test_patterns_settings_and_inputs() -> None:
    assert_same_function(load("INPUT 8x8x3 -> [CONV3-4 -> RELU]*2 -> POOL2 -> FC-10"))
    assert_same_function(load("wrn", depth=10, k=2, classes=7))
    small = load("googlenet_tv").analyze(input=(3, 40, 40)).network
    assert_same_function(small)


def test_blocks_that_differ_in_numbers_are_one_class() -> None:
    source = torch_source(
        spec(
            f"input: [3, 6, 6]\n{UNIT}layers: [{{unit: {{out: 8}}, name: u1}}, {{unit: {{out: 8}}, name: u2}}, "
            "{unit: {out: 16}, name: u3}]\n"
        )
    )
    assert source.split("\n\n\n")[1:3] == [
        '''class Unit(nn.Module):
    """u1, u2, u3."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        return self.relu(x)''',
        '''class Spec(nn.Module):
    """spec."""

    def __init__(self) -> None:
        super().__init__()
        self.u1 = Unit(3, 8)
        self.u2 = Unit(8, 8)
        self.u3 = Unit(8, 16)

    def forward(self, x: Tensor) -> Tensor:
        x = self.u1(x)  # 8x6x6
        x = self.u2(x)
        return self.u3(x)  # 16x6x6''',
    ]


def test_deep_networks_stay_short() -> None:
    source = torch_source(load("resnet152"))
    assert source.count("\nclass ") == 3
    assert source.count("\n") < 250


def test_a_file_says_what_it_is_and_is_the_same_every_time() -> None:
    source = torch_source(load("resnet50_tv", classes=10))
    for said in (
        "ResNet-50 of torchvision (resnet50_tv@classes=10).",
        "CVPR 2016",
        "Input 3x224x224",
        "23,528,522 parameters",  # 25,557,032 - 990*2049
        "a MAC is one product",
    ):
        assert said in source[: source.index("import torch")]
    assert source == torch_source(load("resnet50_tv", classes=10))


def test_a_title_cannot_end_the_docstring() -> None:
    network = spec('title: \'a """ \\ b"\'\nnote: \'"""\'\ninput: [3, 6, 6]\nlayers: [relu]\n')
    assert_same_function(network)


@pytest.mark.parametrize("name", ["nn", "tensor", "f", "none", "torch", "drop_path", "été", "a b", "0.5"])
def test_a_network_of_any_name(name: str) -> None:
    text = "input: [3, 6, 6]\nlayers: [{conv: {out: 3, kernel: 1}}, {drop_path: {p: 0.5}}]\n"
    assert_same_function(expand(read_text(text, "spec.yaml", name), name))


NASTY = [
    # mangled inside a class, private, dunder, only underscores
    *("__x", "__", "___", "_x", "_modules", "__dict__", "__init__", "_1"),
    # words of Python, of a module of PyTorch, and of the file itself
    *(
        "class",
        "None",
        "match",
        "self",
        "super",
        "training",
        "forward",
        "T_destination",
        "register_buffer",
        "call_super_init",
    ),
    *("torch", "nn", "F", "Tensor", "tie", "x", "y", "layers", "network", "frees", "outputs"),
    # no identifiers, and those that become alike
    *("3x3", "a-b", "a+b", "a/b", "a_b", "1", "-".join("ab"), "x²", "x2", "½", "ﬁ", "fi", "Ⅷ", "VIII", "０"),
    # other scripts, with marks and letters whose capitals are two
    *("卷积1", "слой", "café", "ß", "ŉ", "हिन्दी", "ไทย", "עברית", "عربي", "ⅷ", "𝔘", "한국어", "ªº"),
]


@pytest.mark.parametrize("as_block", [False, True])
def test_names_that_python_would_read_as_others(as_block: bool) -> None:
    """Layers, and blocks that differ in numbers, so that names become those of classes and parameters as well."""
    names = list(dict.fromkeys(NASTY))
    if as_block:
        second = "{conv: {out: out + 1, kernel: 1}, name: 卷积}"
        blocks = (
            f"blocks: {{块: {{params: [out], layers: [{{conv: {{out: out, kernel: 1}}, name: __x}}, {second}]}}}}\n"
        )
        steps = [f"{{块: {{out: {at % 3 + 1}}}, name: '{name}'}}" for at, name in enumerate(names)]
    else:
        blocks = ""
        steps = [f"{{conv: {{out: 2, kernel: 1}}, name: '{name}'}}" for name in names]
    steps += [f"{{side: [{{conv: {{out: 1, kernel: 1}}, name: '{name}s'}}]}}" for name in names]
    network = spec(f"input: [3, 2, 2]\n{blocks}layers:\n" + "".join(f"  - {step}\n" for step in steps))
    assert [node.name.split(".")[0] for node in network.nodes if node.layer.type == "conv" and not node.side][
        :: 1 + as_block
    ] == names
    assert_same_function(network)
    keys = list(build(network, "meta").state_dict())
    assert all(part.isidentifier() for key in keys for part in key.split("."))
    assert not any(part.startswith("__") for key in keys for part in key.split("."))


def test_a_name_in_any_script_makes_a_file_as_it_is_formatted(tmp_path: Path) -> None:
    pytest.importorskip("ruff")
    unit = "blocks: {块: {params: [out], layers: [{conv: {out: out, kernel: 3, pad: 1}, name: 卷积}, relu]}}\n"
    ways = ", ".join(f"支路{at}: [{{块: {{out: {at + 1}}}, name: 很长很长的名字}}]" for at in range(9))
    network = spec(f"title: 网络\ninput: [3, 8, 8]\n{unit}layers: [{{concat: {{{ways}}}, name: 连接}}]\n")
    assert_same_function(network)
    (tmp_path / "net.py").write_text(torch_source(network), encoding="utf-8")
    command = [sys.executable, "-m", "ruff", "format", "--diff", "--isolated", "--no-cache", str(tmp_path / "net.py")]
    assert subprocess.run(command, capture_output=True, text=True, check=False).stdout == ""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    for name in (
        *("alexnet", "bn_inception", "convnext_tiny", "densenet121", "efficientnet_v2_s", "fractalnet20", "googlenet"),
        *("inception_v3", "inception_resnet_v2_same", "lenet5", "mnasnet_a1", "mobilenet_v3_large", "nin"),
        *(
            "preact_resnet110",
            "regnet_y_400mf",
            "resnet152",
            "shufflenet_v2_x1_0",
            "squeezenet1_0",
            "vgg16_bn",
            "zfnet",
        ),
    ):
        (folder / f"{name}.py").write_text(torch_source(load(name)), encoding="utf-8")
    for part in Path(sys.modules["archcalc.export.file"].__file__ or "").parent.glob("[cm]*_layers.py"):
        (folder / part.name).write_text(part.read_text(encoding="utf-8"), encoding="utf-8")
    return folder


@pytest.mark.parametrize("options", [["format", "--check"], ["check", "--select", "E,F,I,W", "--ignore", "E501"]])
def test_files_are_formatted_and_clean(files: Path, options: list[str]) -> None:
    pytest.importorskip("ruff")
    run = subprocess.run(
        [sys.executable, "-m", "ruff", options[0], "--isolated", "--no-cache", *options[1:], str(files)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout


def test_a_file_runs_with_torch_alone(files: Path) -> None:
    code = "import runpy, sys; sys.modules['archcalc'] = None; runpy.run_path(sys.argv[1], run_name='__main__')"
    run = subprocess.run(
        [sys.executable, "-c", code, str(files / "lenet5.py")], capture_output=True, text=True, check=True
    )
    assert run.stdout == "(1, 10)\n60,000 parameters\n"  # LeCun et al. 1998, section II.B: "60,000 trainable"


def test_export_needs_no_torch() -> None:
    code = (
        "import sys; sys.modules['torch'] = sys.modules['numpy'] = None\n"
        "from archcalc.cli import main; sys.exit(main(['export', 'lenet5', '--to', 'torch']))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == torch_source(load("lenet5"))


def test_names_that_a_module_has_for_itself_are_known() -> None:
    assert {name for name in dir(torch.nn.Module()) if not name.startswith("_")} <= set(TAKEN.split())


def test_the_command_writes_what_the_library_makes(archcalc: Any, tmp_path: Path) -> None:
    file = tmp_path / "net.py"
    assert archcalc("export", "vgg11", "--set", "classes=10", "--input", "3x64x64", "--to", "torch") == (
        0,
        torch_source(load("vgg11", classes=10).analyze(input=(3, 64, 64)).network),
        "",
    )
    assert archcalc("export", "vgg11", "-o", str(file)) == (0, "", "")
    assert file.read_text(encoding="utf-8") == torch_source(load("vgg11"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["vgg11", "--to", "troch"], "unknown export format 'troch'; did you mean 'torch'?"),
        (["vgg11", "--to", "onnx"], "unknown export format 'onnx'; known: torch"),
        (["vgg11", "--input", "3x1x1"], "vgg11 does not take the input 3x1x1"),
        (["vgg61"], "unknown network 'vgg61'; did you mean 'vgg16'?"),
    ],
)
def test_what_cannot_be_exported_is_said(archcalc: Any, arguments: list[str], said: str) -> None:
    status, out, err = archcalc("export", *arguments)
    assert (status, out) == (2, "")
    assert said in err
    assert "Traceback" not in err


def test_a_layer_that_torch_lacks_is_named() -> None:
    network = Network("four", Shape(1, (2, 2, 2, 2)))
    network.add("c4", registry["conv"](out=1, kernel=(2, 1, 1, 1)))
    with pytest.raises(ArchcalcError, match=r"^four: c4 cannot be built: PyTorch has no conv over 4 axes\. It can put"):
        torch_source(network)
