"""The tools themselves on torchvision's networks: a remainder of zero, as integers, with nothing skipped."""

from __future__ import annotations

import os
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from typing import Any

import pytest

import archcalc
from archcalc import Network
from archcalc.analysis.explanation import Explanation, explain
from archcalc.conventions import convention
from archcalc.conventions.source_style import TORCHVISION, source_style
from archcalc.layers.settings import Choice, Flag
from archcalc.witness.models import NETWORKS, REGION_SETTINGS, Model, build
from archcalc.witness.tools import measure

TOOLS = ("fvcore", "torchinfo", "ptflops", "ptflops-aten", "thop", "torch")
FULL_SIZE = (
    "alexnet",
    "resnet18",
    "squeezenet1_0",
    "googlenet",
    "mobilenet_v2",
    "mobilenet_v3_small",
    "efficientnet_b0",
    "shufflenet_v2_x0_5",
    "mnasnet0_5",
    "regnet_y_400mf",
    "resnext50_32x4d",
)
OWN_SIZE = (
    "vgg11",
    "vgg13",
    "vgg16",
    "vgg19",
    "inception_v3",
    "s3d",
    "ssd300_vgg16",
    "vit_b_32",
    "swin_t",
    "swin3d_t",
    "swin_v2_t",
    "maxvit_t",
    "mvit_v1_b",
    "mvit_v2_s",
)
"""Networks that are torchvision's only at the size that they were made for."""

SAMPLE = (
    "alexnet",
    "convnext_tiny",
    "fcn_resnet50",
    "fcos_resnet50_fpn",
    "googlenet",
    "inception_v3",
    "keypointrcnn_resnet50_fpn",
    "maxvit_t",
    "mc3_18",
    "mobilenet_v2",
    "mobilenet_v3_small",
    "mvit_v1_b",
    "mvit_v2_s",
    "regnet_x_400mf",
    "resnet18",
    "retinanet_resnet50_fpn_v2",
    "s3d",
    "shufflenet_v2_x0_5",
    "ssd300_vgg16",
    "swin3d_t",
    "swin_v2_t",
    "vit_b_32",
)
"""Networks with every kind of layer that torchvision's networks have. A tool counts others of a kind by the same rules."""
RUN = tuple(NETWORKS) if os.environ.get("ARCHCALC_TOOLS") == "all" else SAMPLE
"""The networks that the tools run; ARCHCALC_TOOLS=all: all of them, which takes minutes."""


def kinds(name: str) -> set[tuple[Any, ...]]:
    """The layers of a network without their numbers: types, forms in the code, words, kinds of groups, axes, storages."""
    network, found = archcalc.load(NETWORKS[name]), set()
    style = source_style(network.zoo_name, TORCHVISION)
    for node in network.after_inputs:
        layer, groups = node.layer, node.layer.settings.get("groups", 1)
        words = [v for key, v in layer.settings.items() if isinstance(layer.fields[key], (Choice, Flag))]
        channels = network.input_shapes(node)[0].channels
        place = len(node.shape.axes), node.storage, node.side, node.shares is None
        found.add((layer.type, style.form(layer.type, node.name), *words, groups == 1, groups == channels, *place))
    return found


def test_the_sample_has_every_kind_of_layer() -> None:
    found = set().union(*map(kinds, SAMPLE))
    assert {name: more for name in NETWORKS if (more := kinds(name) - found)} == {}


def at(name: str) -> Network:
    """The network that a model of torchvision is, small where that is exact too, and with few regions."""
    network = archcalc.load(NETWORKS[name])
    if few := {key: 4 for key in REGION_SETTINGS if key in network.settings}:
        network = archcalc.load(NETWORKS[name], **few)
    if name in (*FULL_SIZE, *OWN_SIZE):
        return network
    sizes = (3, 64, 64) if len(network.input.axes) == 2 else (3, 4, 32, 32)
    small: Network = network.analyze(input=sizes).network
    return small


@cache
def prototype(name: str) -> Any:
    return build(name, meta=True)


@pytest.fixture
def built_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every tool gets a copy of a model that is built once, and at inference, as ``build`` makes it."""

    def copied(name: str, *, meta: bool, regions: dict[str, int]) -> Any:
        model = deepcopy(prototype(name))
        if regions:
            model.regions = regions["regions"], regions.get("detections", 0)
        if not meta:
            model.to_empty(device="cpu")
            for buffer in model.buffers():
                buffer.zero_()  # an index must lie inside its table
        return model

    monkeypatch.setattr("archcalc.witness.tools.build", copied)
    yield
    prototype.cache_clear()


def remainders(tool: str, network: Network) -> dict[str, int]:
    """What the tool says beyond what its convention does, for everything that it says."""
    found, said = explain(network, convention(tool)), measure(tool, network)
    left = {"operations": said.operations - found.total("operations")}
    if said.params is not None:
        left["parameters"] = said.params - found.total("parameters")
    if said.memory is not None:
        left["memory"] = said.memory - 4 * found.total("memory")
    return left


@pytest.mark.parametrize("name", sorted(RUN))
def test_the_remainder_is_zero(name: str, built_once: None) -> None:
    network = at(name)
    left = {(tool, what): n for tool in TOOLS for what, n in remainders(tool, network).items()}
    assert len(left) == 6 + 5 + 1
    assert not {key: n for key, n in left.items() if n}


# Measured with torch 2.14.1, torchvision 0.29.1 and the versions that the conventions name, at 224 (Inception v3: 299).
COLUMNS = ("torch", "fvcore", "torchinfo", "ptflops", "ptflops-aten", "thop", "calflops-flops")
MEASURED = {
    "alexnet": (1428376960, 714197696, 714682664, 716441128, 714682664, 714206912, 1429741184),
    "vgg16": (30940528640, 15470289408, 15483821032, 15523225576, 15483821032, 15470314496, 30973778432),
    "vgg16_bn": (30940528640, 15497384448, 15483829480, 15550320616, 15483821032, 15524504576, 31000873472),
    "resnet18": (3628146688, 1819065856, 1814083944, 1825313768, 1814074344, 1824033792, 3636250112),
    "resnet50": (8178368512, 4111512576, 4089238376, 4132436968, 4089185256, 4133742592, 8211108352),
    "resnext50_32x4d": (8460959744, 4259381248, 4230549096, 4286878696, 4230480872, 4288184320, 8503559168),
    "densenet121": (5668323328, 2865546752, 2834246312, 2899843048, 2834162664, 2897007104, 5716881152),
    "squeezenet1_0": (1637849152, 819093576, 823270824, 836821960, 823270824, 819094576, 1648970968),
    "googlenet": (2996752384, 1504878688, 1498391752, 1513907448, 1498377192, 1511332032, 3009356752),
    "inception_v3": (11426432192, 5731282144, 5713251528, 5747660552, 5713217096, 5749219168, 11458393728),
    "mobilenet_v2": (601548544, 314193216, 300809384, 320300008, 300775272, 327486720, 614967488),
    "efficientnet_b0": (771629504, 401659392, 385867108, 410196896, 385825092, 415145024, 793641400),
}


def found(name: str, tool: str) -> Explanation:
    return explain(archcalc.load(NETWORKS[name]), convention(tool))


@pytest.mark.parametrize("name", MEASURED)
def test_as_measured_before(name: str) -> None:
    assert tuple(found(name, tool).total("operations") for tool in COLUMNS) == MEASURED[name]


@pytest.mark.parametrize("name", MEASURED)
def test_calflops_macs_are_half_of_what_torch_counts(name: str) -> None:
    assert 2 * found(name, "calflops-macs").total("operations") == MEASURED[name][0]


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("googlenet", 6_624_904),
        ("convnext_tiny", 28_589_128 - 9_696),
    ],
)
def test_what_thop_takes_for_the_parameters(name: str, params: int) -> None:
    """Neither heads that do not run nor what is of no hooked class."""
    assert found(name, "thop").total("parameters") == params


@pytest.mark.parametrize(
    ("name", "tool", "printed"),
    [
        ("vgg16", "torchsummary", "218.78"),
        ("resnet50", "torchsummary", "286.56"),
        ("googlenet", "torchsummary", "94.11"),
        ("vgg16", "torchinfo", "108.45"),
        ("resnet50", "torchinfo", "177.83"),
        ("googlenet", "torchinfo", "51.63"),
    ],
)
def test_memory_as_printed(name: str, tool: str, printed: str) -> None:
    """Forward/backward pass size as the tools print it."""
    one = found(name, tool)
    assert one.convention.memory_unit is not None
    size, _, decimals = one.convention.memory_unit
    assert f"{4 * one.total('memory') / size:.{decimals}f}" == printed


def test_response_normalisation_in_ptflops() -> None:
    """No CNN of torchvision has it: a layer alone, against the tool."""
    torch = pytest.importorskip("torch")
    from ptflops import get_model_complexity_info

    from archcalc.layers import registry
    from archcalc.sizes import Shape

    network = Network("lrn", Shape(8, (6, 6)))
    network.add("lrn", registry["lrn"](size=5))
    model = torch.nn.Sequential(torch.nn.LocalResponseNorm(5))
    macs, _ = get_model_complexity_info(model, (8, 6, 6), as_strings=False, print_per_layer_stat=False)
    assert macs == explain(network, convention("ptflops")).total("operations")


FIRST = "{conv: {out: 24, kernel: 1}}"
OVER_CHANNELS = "{linear: {out: 12, axis: channels}}"


@pytest.mark.parametrize(
    ("layers", "apart"),
    [
        (f"{FIRST}, {OVER_CHANNELS}", 1),  # the channels are the first axis in memory
        (f"{FIRST}, {OVER_CHANNELS}, gelu, {OVER_CHANNELS}", 1),  # the second layer reads the order of the first
        (f"{FIRST}, to_tokens, {OVER_CHANNELS}", 1),
        (f"{FIRST}, to_tokens, {{class_token: }}, {OVER_CHANNELS}", 0),  # tokens are copied behind the class token
        (f"{FIRST}, {{layer_norm: {{axis: channels}}}}, {OVER_CHANNELS}", 0),
        (f"{FIRST}, {{linear: {{out: 5, axis: last}}}}", 0),
        (f"{FIRST}, {OVER_CHANNELS}, {{linear: {{out: 5, axis: last}}}}", 2),
        (f"{FIRST}, global_avg_pool, flatten, {{linear: {{out: 5}}}}", 0),
    ],
)
def test_biases_that_ptflops_sees_in_the_product_only(layers: str, apart: int) -> None:
    """PyTorch adds a bias in the operator of the product if the input lies in the order of the product, else after it."""
    pytest.importorskip("torch")
    from ptflops import get_model_complexity_info

    from archcalc.language.expand import expand
    from archcalc.language.zoo import read_text
    from archcalc.witness.built import Built

    network = expand(read_text(f"input: [3, 6, 6]\nlayers: [{layers}]\n", "spec.yaml", "spec"), "spec")
    macs, _ = get_model_complexity_info(
        Built(network), (3, 6, 6), as_strings=False, backend="aten", print_per_layer_stat=False
    )
    one = explain(network, convention("ptflops-aten"))
    assert macs == one.total("operations") == archcalc.analyze(network, convention="ptflops-aten").totals.macs
    terms = {term.label: term.layers for term in one.terms["operations"]}
    assert terms.get("biases added after the product of a linear layer, by another operator", 0) == apart


@pytest.mark.parametrize(
    "name",
    [
        "alexnet",
        "vgg16",
        "vgg11_bn",
        "resnet18",
        "resnet50",
        "resnext50_32x4d",
        "wide_resnet50_2",
        "googlenet",
    ],
)
def test_what_torchsummary_adds_up(name: str) -> None:
    """Its rule on the real model: every output but those of the root and of nn.Sequential, twice (torchsummary.py)."""
    torch = pytest.importorskip("torch")
    model, total = build(name, meta=True), 0

    def add(module: object, inputs: object, output: object) -> None:
        nonlocal total
        total += 2 * output.numel()  # type: ignore[attr-defined]

    for module in model.modules():
        if module is not model and not isinstance(module, torch.nn.Sequential):
            module.register_forward_hook(add)
    with torch.no_grad():
        model(torch.empty(1, 3, 224, 224, device="meta"))
    assert found(name, "torchsummary").total("memory") == total


@pytest.mark.parametrize(
    ("name", "network"),
    [
        ("resnet18", "resnet18"),
        ("densenet121", "densenet121"),
        ("efficientnet_b0", "efficientnet_b0"),
        ("mobilenetv3_small_100", "mobilenet_v3_small"),
        ("convnext_tiny", "convnext_tiny"),
        ("regnety_004", "regnet_y_400mf"),
        ("vit_base_patch16_224", "vit_b_16"),
        ("swin_tiny_patch4_window7_224", "swin_t"),
        ("mixer_b16_224", "mlp_mixer_b16"),
    ],
)
def test_what_timm_profiles(name: str, network: str) -> None:
    """benchmark.py's profile_fvcore on timm's own models; timm is no dependency of the tests."""
    pytest.importorskip("timm")
    import torch
    from fvcore.nn import ActivationCountAnalysis, FlopCountAnalysis

    model, image = Model("timm", name).build().eval().to_empty(device="cpu"), torch.zeros(1, 3, 224, 224)
    for tensor in (*model.parameters(), *model.buffers()):
        tensor.data.zero_()  # no figure depends on the values, but an index must lie inside its table
    one = explain(archcalc.load(network), convention("timm"))
    for count, quantity in ((FlopCountAnalysis, "operations"), (ActivationCountAnalysis, "memory")):
        said = count(model, image).unsupported_ops_warnings(False).uncalled_modules_warnings(False)
        assert said.total() == one.total(quantity)


def test_flop_counter_has_three_figures_for_one_vision_transformer() -> None:
    """ViT-B/16: measured with torch 2.14.1 on the meta device, on a CPU, and on a CPU without gradients."""
    network = archcalc.load("vit_b_16")
    names = ("torch", "torch-cpu", "torch-cpu-no-grad")
    figures = {name: explain(network, convention(name)).total("operations") for name in names}
    products = 2 * 12 * 2 * 197**2 * 768  # queries by keys, and scores by values
    projections = 2 * 12 * 4 * 197 * 768**2
    whole = 2 * (196 * 768 * 768 + 12 * 12 * 197 * 768**2 + 768 * 1000) + products
    assert (whole, whole - products, whole - products - projections) == (
        35_127_656_448,
        33_697_001_472,
        22_542_249_984,
    )
    assert figures == {
        "torch": whole,
        "torch-cpu": whole - products,
        "torch-cpu-no-grad": whole - products - projections,
    }


@pytest.mark.parametrize("name", ["torch-cpu", "torch-cpu-no-grad"])
def test_flop_counter_on_a_cpu(name: str) -> None:
    assert remainders(name, archcalc.load("vit_b_32")) == {"operations": 0}
