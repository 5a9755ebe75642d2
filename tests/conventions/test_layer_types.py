"""What every convention says of every layer type: counted, counted as nothing, or unknown; held against the tools."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import archcalc
from archcalc import Network
from archcalc.analysis.explanation import explain
from archcalc.conventions import convention, conventions
from archcalc.conventions.convention import Tally
from archcalc.layers import registry
from archcalc.layers.resample import Pooled
from archcalc.nodes import Node
from archcalc.sizes import Shape
from archcalc.witness.tools import TOOLS

MACS = "conv conv_table conv_transpose locally_connected linear"
PRODUCTS = "attention matmul"
LEARNED = "position class_token parameter index_select"
"""Layers with products of two maps."""
POOLS = "avg_pool adaptive_avg_pool global_avg_pool"
MAX_POOLS = "max_pool adaptive_max_pool global_max_pool"
ACTIVATIONS = (
    "relu relu6 leaky_relu prelu elu selu sigmoid hard_sigmoid silu hard_swish gelu tanh hard_tanh softplus mish"
)
PATTERNS = "rearrange channel_shuffle space_to_depth pixel_shuffle to_tokens to_map windows from_windows roll expand unfold fold"
MOVES = f"input identity flatten concat slice crop pad {PATTERNS} pad_channels dropout drop_path"
OTHERS = "unpool grid_sample scale layer_scale softmax log_softmax glu add mean multiply subtract divide maximum minimum math reduce"
NORMS = "batch_norm group_norm instance_norm layer_norm lrn"
NO_MODULE = "subsample rbf"
REGIONS = "roi_align roi_pool ps_roi_pool"
NOTHING_IN_TORCH = f"{NORMS} rms_norm l2_norm {ACTIVATIONS} {MAX_POOLS} {POOLS} upsample {OTHERS} {MOVES} {REGIONS}"

STATUSES = {
    # convention: (counted, counted as nothing), of those that no test can run; all other layer types are unknown
    "lecun98": (f"{MACS} subsample rbf add mean {POOLS}", f"{ACTIVATIONS} {MOVES}"),
    "convnet-burden": (
        "conv linear relu leaky_relu max_pool avg_pool global_avg_pool add multiply lrn upsample",
        "input batch_norm flatten identity concat dropout sigmoid softmax channel_shuffle crop",
    ),
    "netscope": (
        "conv conv_transpose linear batch_norm lrn",
        "input max_pool avg_pool global_avg_pool concat relu leaky_relu dropout softmax flatten identity add crop",
    ),
    "darknet": (
        "conv max_pool avg_pool add",
        "linear locally_connected batch_norm relu leaky_relu elu selu sigmoid tanh mish softmax global_avg_pool concat upsample "
        "space_to_depth input identity flatten dropout crop",
    ),
    "rf-repo": (
        f"conv linear batch_norm scale layer_scale multiply max_pool {POOLS}",
        "input relu relu6 add concat flatten dropout identity",
    ),
    "calflops-flops": (
        # relu6 counts where it is called as a functional
        f"{MACS} matmul {NORMS} relu relu6 leaky_relu prelu elu gelu silu softmax {MAX_POOLS} {POOLS} upsample",
        f"{LEARNED} sigmoid hard_sigmoid hard_swish tanh hard_tanh selu softplus mish glu log_softmax rms_norm l2_norm unpool grid_sample scale layer_scale add mean multiply subtract divide maximum minimum math reduce {MOVES} {REGIONS}",
    ),
    "calflops-macs": (f"{MACS} matmul", f"{LEARNED} {NOTHING_IN_TORCH}"),
    "torchvision": (f"{MACS} {PRODUCTS}", f"{NOTHING_IN_TORCH} {LEARNED}"),
    "keras": (
        "",
        f"conv conv_transpose linear {NORMS.replace(' instance_norm', '')} rms_norm {ACTIVATIONS.replace(' prelu', '')} {MAX_POOLS} {POOLS} upsample {OTHERS.replace('unpool grid_sample ', '')} {PRODUCTS} {LEARNED} {MOVES}",
    ),
    "torchsummary": ("", f"{MACS} {PRODUCTS} {LEARNED} {NOTHING_IN_TORCH}"),
}
COVER_EVERYTHING = ("archcalc", "paper", "cs231n")
"""Conventions whose definition covers every layer type."""
OF_OTHER_AXES = ("expand", "to_map", "windows", "from_windows")
"""Patterns that are written as ``rearrange`` is, on other axes than those of the tests."""
RUN = ("fvcore", "torchinfo", "ptflops", "ptflops-aten", "thop", "torch")
"""Tools that the tests run on every layer type that their convention knows."""
ON_A_CPU = ("torch-cpu", "torch-cpu-no-grad")
"""The tool of ``torch`` on another device, which differs in attention only: see ``test_tools``."""


def test_every_convention_is_held_against_its_source() -> None:
    assert {*STATUSES, *COVER_EVERYTHING, *RUN, "timm", *ON_A_CPU} == set(conventions)
    for name in ON_A_CPU:
        assert convention(name).multiply_adds == convention("torch").multiply_adds
        assert convention(name).nothing == convention("torch").nothing
    assert {type: convention("timm").status(type) for type in registry} == {
        type: convention("fvcore").status(type) for type in registry
    }, "timm's script runs fvcore"


@pytest.mark.parametrize("name", STATUSES)
def test_every_layer_type_is_counted_or_nothing_or_unknown(name: str) -> None:
    counted, nothing = (types.split() for types in STATUSES[name])
    expected = (
        dict.fromkeys(registry, "unknown") | dict.fromkeys(counted, "counted") | dict.fromkeys(nothing, "nothing")
    )
    assert {type: convention(name).status(type) for type in registry} == expected


@pytest.mark.parametrize("name", COVER_EVERYTHING)
def test_a_definition_that_covers_every_layer_type(name: str) -> None:
    assert {type for type in registry if convention(name).status(type) == "counted"} == {
        *MACS.split(),
        *PRODUCTS.split(),
    }
    assert {convention(name).status(type) for type in registry} == {"counted", "nothing"}


@pytest.mark.parametrize("name", conventions)
def test_the_lists_of_a_convention(name: str) -> None:
    """They name layer types that exist, none of them twice, and the reason why all others are unknown."""
    how = convention(name)
    nothing = how.nothing or frozenset()
    assert how.counted | nothing <= set(registry)
    assert not how.counted & nothing
    assert (how.nothing is None) == (not how.unknown_reason)
    assert "input" in nothing or how.nothing is None


def test_an_unknown_type_is_neither_counted_nor_nothing() -> None:
    how = convention("fvcore")._replace(operations=Tally(), nothing=frozenset())
    analysis = archcalc.load("resnet18").analyze(convention=how)
    assert analysis.unknown_types == ("input", "batch_norm", "relu", "max_pool", "add", "global_avg_pool", "flatten")
    assert {row.macs for row in analysis.rows if row.type == "batch_norm"} == {None}
    assert analysis.totals.macs == 1_814_073_344  # convolutions and the linear layer alone


# The tools on one layer each.


def layer_cases() -> dict[str, tuple[dict[str, Any], tuple[tuple[int, ...], ...], Callable[[], Any]]]:
    """A case: the settings of the layer, how many maps of 8 x 6 x 6 it joins, and a module that people write."""
    import torch
    import torch.nn.functional as F  # noqa: N812
    from torch import nn
    from torchvision import ops
    from torchvision.ops import FrozenBatchNorm2d, StochasticDepth

    from archcalc.export.attention_layers import Attention, BiasedAttention
    from archcalc.export.convolution_layers import LocalConv
    from archcalc.export.missing_layers import LocalNorm

    class Written(nn.Module):
        def __init__(self, function: Callable[..., Any], *parameters: torch.Tensor) -> None:
            super().__init__()
            self.function = function
            for at, parameter in enumerate(parameters):
                self.register_parameter(f"p{at}", nn.Parameter(parameter))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.function(x, *self.parameters())

    class Windows(nn.Module):
        def __init__(self, attention: nn.Module) -> None:
            super().__init__()
            self.attention = attention

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.attention(x, x, x)

    class OneImage(nn.Module):
        """Linear layers on one image of distances, as torchvision has them."""

        def __init__(self, inside: nn.Module) -> None:
            super().__init__()
            self.inside = inside

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.inside(x[None])[0]

    def continuous(**settings: Any) -> Windows:
        attention = BiasedAttention(2, (2, 3), continuous=True, **settings)
        attention.numbers = OneImage(attention.numbers)
        return Windows(attention)

    def case(module: Callable[[], Any], **settings: Any) -> tuple[dict[str, Any], Callable[[], Any]]:
        return settings, module

    def boxes(x: torch.Tensor) -> torch.Tensor:
        return torch.zeros(5 * len(x), 5, device=x.device)

    conv = {"out": 4, "kernel": 3}
    return {
        "conv": case(lambda: nn.Conv2d(8, 4, 3), **conv),
        "conv/grouped": case(lambda: nn.Conv2d(8, 4, 3, groups=2, bias=False), **conv, groups=2, bias=False),
        "conv/reflected": case(
            lambda: nn.Conv2d(8, 4, 3, padding=1, padding_mode="reflect"), **conv, pad=1, pad_mode="reflect"
        ),
        "conv_transpose": case(lambda: nn.ConvTranspose2d(8, 4, 3, 2), **conv, stride=2),
        "locally_connected": case(lambda: LocalConv(8, 4, (3, 2), (4, 5), (1, 1)), out=4, kernel=[3, 2]),
        "linear/zero": case(lambda: nn.Linear(6, 5), out=5, axis="last", zero_bias=[1, 3]),
        "linear": case(lambda: nn.Linear(6, 5), out=5, axis="last"),
        "batch_norm": case(lambda: nn.BatchNorm2d(8)),
        "batch_norm/plain": case(lambda: nn.BatchNorm2d(8, affine=False), affine=False),
        "batch_norm/frozen": case(lambda: FrozenBatchNorm2d(8), frozen=True),
        "layer_norm": case(lambda: nn.LayerNorm(6), axis="last"),
        "layer_norm/plain": case(lambda: nn.LayerNorm(6, elementwise_affine=False), axis="last", affine=False),
        "layer_norm/positions": case(lambda: nn.LayerNorm((6, 6)), axis=["height", "width"]),
        "rms_norm": case(lambda: nn.RMSNorm(6), axis="last"),
        "rms_norm/positions": case(lambda: nn.RMSNorm((6, 6)), axis=["height", "width"]),
        "rms_norm/plain": case(lambda: nn.RMSNorm(6, elementwise_affine=False), axis="last", affine=False),
        "l2_norm": case(lambda: Written(lambda x: F.normalize(x))),
        "l2_norm/scale": case(
            lambda: Written(lambda x, scale: F.normalize(x) * scale, torch.ones(8, 1, 1)), scale=True
        ),
        "l2_norm/all": case(
            lambda: Written(lambda x, scale: F.normalize(x, dim=(1, 2, 3)) * scale, torch.ones(1)),
            axis="all",
            scale=True,
            per_channel=False,
        ),
        "group_norm": case(lambda: nn.GroupNorm(2, 8), groups=2),
        "group_norm/plain": case(lambda: nn.GroupNorm(4, 8, affine=False), groups=4, affine=False),
        "instance_norm": case(lambda: nn.InstanceNorm2d(8, affine=True), affine=True),
        "instance_norm/plain": case(lambda: nn.InstanceNorm2d(8)),
        "lrn": case(lambda: nn.LocalResponseNorm(5), size=5),
        "lrn/positions": case(lambda: LocalNorm(3, 2, 1e-4, 0.75, 1), size=3, axis="positions"),
        "relu": case(nn.ReLU),
        "relu6": case(nn.ReLU6),
        "leaky_relu": case(nn.LeakyReLU),
        "prelu": case(lambda: nn.PReLU(8)),
        "prelu/one": case(nn.PReLU, per_channel=False),
        "elu": case(nn.ELU),
        "sigmoid": case(nn.Sigmoid),
        "hard_sigmoid": case(nn.Hardsigmoid),
        "silu": case(nn.SiLU),
        "hard_swish": case(nn.Hardswish),
        "gelu": case(nn.GELU),
        "gelu/tanh": case(lambda: nn.GELU("tanh"), approximate="tanh"),
        "tanh": case(nn.Tanh),
        "hard_tanh": case(nn.Hardtanh),
        "selu": case(nn.SELU),
        "softplus": case(nn.Softplus),
        "mish": case(nn.Mish),
        "glu": case(lambda: nn.GLU(1)),
        "log_softmax": case(lambda: nn.LogSoftmax(1)),
        "softmax": case(lambda: nn.Softmax(1)),
        "softmax/rows": case(lambda: nn.Softmax(2), axis="height"),
        "max_pool": case(lambda: nn.MaxPool2d(3, 2), kernel=3, stride=2),
        "avg_pool": case(lambda: nn.AvgPool2d(3, 2), kernel=3, stride=2),
        "adaptive_avg_pool": case(lambda: nn.AdaptiveAvgPool2d(2), out=2),
        "global_avg_pool": case(lambda: nn.AdaptiveAvgPool2d(1)),
        "adaptive_max_pool": case(lambda: nn.AdaptiveMaxPool2d(2), out=2),
        "global_max_pool": case(lambda: nn.AdaptiveMaxPool2d(1)),
        "upsample": case(lambda: nn.Upsample(scale_factor=2), scale=2),
        "upsample/bilinear": case(lambda: nn.Upsample(scale_factor=2, mode="bilinear"), scale=2, mode="bilinear"),
        "upsample/size": case(lambda: nn.Upsample(size=(9, 9)), size=9),
        "upsample/like": case(lambda: nn.Upsample(size=(9, 9)), like=(9, 9)),
        "upsample/bicubic": case(lambda: nn.Upsample(scale_factor=2, mode="bicubic"), scale=2, mode="bicubic"),
        "upsample/antialias": case(
            lambda: Written(lambda x: F.interpolate(x, (12, 12), mode="bilinear", antialias=True)),
            size=12,
            mode="bilinear",
            antialias=True,
        ),
        "upsample/aligned": case(
            lambda: nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True),
            scale=2,
            mode="bilinear",
            align_corners=True,
        ),
        "unpool": case(
            lambda: Written(
                lambda x: F.max_unpool2d(x, torch.arange(36).reshape(6, 6).expand(1, 8, 6, 6), 2, output_size=(12, 12))
            ),
            of=Pooled(2, 2, 0, 1, False, Shape(8, (12, 12)), Shape(8, (6, 6))),
        ),
        "attention": case(lambda: Written(lambda x: Attention(2)(x, x, x)), heads=2),
        "attention/bias": case(
            lambda: Windows(BiasedAttention(2, (2, 3), relative=True)), heads=2, bias="relative", block=[2, 3]
        ),
        "attention/map": case(
            lambda: Written(lambda x: BiasedAttention(2)(x, x, x, x[:, :2, :, :, None].expand(-1, -1, -1, -1, 6))),
            heads=2,
        ),
        "attention/causal": case(
            lambda: Windows(BiasedAttention(2, (2, 3), relative=True, causal=(6, 6))),
            heads=2,
            bias="relative",
            block=[2, 3],
            causal=True,
        ),
        "attention/shift": case(
            lambda: Windows(BiasedAttention(2, (2, 3), relative=True, size=(4, 9), shift=(1, 1))),
            heads=2,
            bias="relative",
            block=[2, 3],
            shift=1,
            size=[4, 9],
        ),
        "attention/cosine": case(lambda: Windows(Attention(2, cosine=True)), heads=2, cosine=True),
        "attention/continuous": case(continuous, heads=2, bias="continuous", block=[2, 3]),
        "attention/v2": case(lambda: continuous(cosine=True), heads=2, bias="continuous", block=[2, 3], cosine=True),
        "matmul": case(lambda: Written(lambda x: torch.matmul(x, x))),
        "matmul/transposed": case(lambda: Written(lambda x: torch.matmul(x.mT, x)), transpose="first"),
        "grid_sample": case(lambda: Written(lambda x: F.grid_sample(x, x[:, :2].movedim(1, -1), align_corners=False))),
        "add": case(lambda: Written(lambda x: x + x)),
        "mean": case(lambda: Written(lambda x: (x + x) / 2)),
        "multiply": case(lambda: Written(lambda x: x * x)),
        "subtract": case(lambda: Written(lambda x: x - x)),
        "divide": case(lambda: Written(lambda x: x / x)),
        "math": case(lambda: Written(lambda x: x.abs()), function="abs"),
        "math/exp": case(lambda: Written(lambda x: x.exp()), function="exp"),
        "math/power": case(lambda: Written(lambda x: x**2), function="power", exponent=2),
        "maximum": case(lambda: Written(lambda x: torch.maximum(x, x))),
        "minimum": case(lambda: Written(lambda x: torch.minimum(x, x))),
        "reduce": case(lambda: Written(lambda x: x.mean(1, keepdim=True)), by="mean", axis="channels"),
        "reduce/sum": case(lambda: Written(lambda x: x.sum(2, keepdim=True)), by="sum", axis="height"),
        "reduce/max": case(lambda: Written(lambda x: x.amax((2, 3), keepdim=True)), by="max", axis="positions"),
        "concat": case(lambda: Written(lambda x: torch.cat([x, x], 1))),
        "slice": case(lambda: Written(lambda x: x[:, 2:5]), start=2, stop=5),
        "channel_shuffle": case(
            lambda: Written(lambda x: x.view(len(x), 2, 4, 6, 6).transpose(1, 2).reshape(len(x), 8, 6, 6)), groups=2
        ),
        "rearrange": case(
            lambda: Written(lambda x: x.unflatten(2, (-1, 2)).permute(0, 1, 3, 2, 4).flatten(1, 2)),
            pattern="c (h 2) w -> (c 2) h w",
        ),
        "space_to_depth": case(lambda: nn.PixelUnshuffle(2), block=2),
        "pixel_shuffle": case(lambda: nn.PixelShuffle(2), factor=2),
        "roll": case(lambda: Written(lambda x: x.roll((1, -1), (2, 3))), by=[1, -1]),
        "pad/reflect": case(lambda: nn.ReflectionPad2d(1), by=1, mode="reflect"),
        "pad/circular": case(lambda: nn.CircularPad2d(1), by=1, mode="circular"),
        "slice/rows": case(lambda: Written(lambda x: x[:, :, ::2]), axis="height", step=2),
        "concat/rows": case(lambda: Written(lambda x: torch.cat([x, x], 2)), axis="height"),
        "to_tokens": case(lambda: Written(lambda x: x.flatten(2))),
        "unfold": case(lambda: Written(lambda x: F.unfold(x, 3, stride=2).unflatten(2, (2, 2))), kernel=3, stride=2),
        "fold": case(lambda: Written(lambda x: F.fold(x.flatten(2), 12, 2, stride=2)), kernel=2, stride=2),
        "roi_align": case(lambda: Written(lambda x: ops.roi_align(x, boxes(x), 3, 1, 2)), size=3, regions=5),
        "roi_pool": case(lambda: Written(lambda x: ops.roi_pool(x, boxes(x), 3)), size=3, regions=5),
        "ps_roi_pool": case(lambda: Written(lambda x: ops.ps_roi_pool(x, boxes(x), 2)), size=2, regions=5),
        "crop": case(lambda: Written(lambda x: x[:, :, 1:5, 2:]), by=[1, [2, 0]]),
        "pad": case(lambda: Written(lambda x: F.pad(x, (2, 0, 1, 1))), by=[1, [2, 0]]),
        "pad/module": case(lambda: nn.ZeroPad2d((2, 0, 1, 1)), by=[1, [2, 0]]),
        "pad_channels": case(lambda: Written(lambda x: F.pad(x, (0, 0, 0, 0, 1, 1))), before=1, after=1),
        "scale": case(lambda: Written(lambda x: x * 0.5), factor=0.5),
        "layer_scale": case(lambda: Written(lambda x, scale: x * scale, torch.ones(8, 1, 1))),
        "position": case(lambda: Written(lambda x, position: x + position, torch.ones(8, 6, 6))),
        "class_token": case(
            lambda: Written(lambda x, token: torch.cat([token.expand(len(x), -1, 6, -1), x], 3), torch.ones(1, 8, 1, 1))
        ),
        "parameter": case(
            lambda: Written(lambda x, trained: (x, trained.repeat(len(x), 1, 1, 1)), torch.ones(8, 6, 6)),
            size=[8, 6, 6],
        ),
        "index_select": case(lambda: Written(lambda x: x.index_select(-1, torch.zeros(9, dtype=torch.long))), count=9),
        "flatten": case(nn.Flatten),
        "identity": case(nn.Identity),
        "dropout": case(nn.Dropout),
        "drop_path": case(lambda: StochasticDepth(0.5, "row"), p=0.5),
    }  # type: ignore[return-value]


BEFORE = 8 * 8 * 36
"""Multiply-adds of the 1x1 convolution before the layer: some tools fail on a model without parameters."""


def one_layer(case: str, settings: dict[str, Any]) -> Network:
    """A 1x1 convolution of 8 channels without a bias, and the layer behind it."""
    type = case.split("/")[0]
    network = Network("one", Shape(8, (6, 6)))
    network.add("before", registry["conv"](out=8, kernel=1, bias=False))
    if type == "unpool":  # without its pooling, which some tools count
        layer = registry[type](**settings)
        network.nodes.append(Node(2, "layer", layer, (1,), layer.shape(network.nodes[1].shape)))
        return network
    layer = registry[type](**settings)
    if case == "attention/map":
        network.add("rows", registry["slice"](stop=2))
        network.add("keys", registry["rearrange"](pattern="c h w -> c h w 1"))
        network.add("bias", registry["expand"](size=(6, 6, 6)))
        network.add("layer", layer, [1, 1, 1, 4])
        return network
    if type == "grid_sample":
        network.add("layer", layer, [1, network.add("grid", registry["slice"](stop=2))])
        return network
    network.add("layer", layer, [1] * (len(layer.slots) - layer.optional_slots or 2) if layer.joins else [1])
    return network


def run(tool: str, module: Any, *, meta: bool = False) -> Any:
    import torch
    from torch import nn

    from archcalc.witness.tools import quiet

    device = "meta" if meta and TOOLS[tool].meta else "cpu"
    model = nn.Sequential(nn.Conv2d(8, 8, 1, bias=False), module).eval().to(device)
    with quiet(), torch.no_grad():
        return TOOLS[tool].run(model, torch.zeros(1, 8, 6, 6, device=device))


@pytest.mark.parametrize("tool", RUN)
def test_what_a_tool_counts_of_every_layer_type_that_it_is_said_to_know(tool: str) -> None:
    pytest.importorskip("torch")
    cases, how, different = layer_cases(), convention(tool), {}
    known = {type for type in registry if how.knows(type)}
    assert {case.split("/")[0] for case in cases} == known - {"input", "conv_table", *OF_OTHER_AXES}
    for case, (settings, module) in cases.items():
        # on the CPU, two tools have no rule for the fused operator of attention
        found, said = explain(one_layer(case, settings), how), run(tool, module(), meta=case.startswith("attention"))
        counts = {"operations": said.operations, "parameters": said.params}
        for what, count in counts.items():
            if count not in (None, found.total(what)):
                different[case, what] = (count, found.total(what))
        if "/" not in case:
            adds = said.operations != (2 if tool == "torch" else 1) * BEFORE
            assert adds == (how.status(case) == "counted"), case
    assert not different


def computed_weights(norm: str, axes: int, settings: dict[str, Any]) -> Any:
    """A convolution of 8 to 4 channels that computes its weights, as people write it."""
    import torch
    import torch.nn.functional as F  # noqa: N812
    from torch import nn

    conv: Any = {1: nn.Conv1d, 2: nn.Conv2d}[axes]
    if norm in ("channels", "last"):
        dim = 0 if norm == "channels" else axes + 1
        return nn.utils.parametrizations.weight_norm(conv(8, 4, 3, **settings), dim=dim)

    class ScaledStdConv(conv):  # type: ignore[misc]
        """As in timm."""

        def __init__(self) -> None:
            super().__init__(8, 4, 3, **settings)
            self.gain = nn.Parameter(torch.ones(4)) if norm == "scaled" else None

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            flat = self.weight.flatten(1)[None]
            factor = None if self.gain is None else self.gain * self.weight[0].numel() ** -0.5
            weight = F.batch_norm(flat, None, None, factor, training=True, momentum=0.0)
            return self._conv_forward(x, weight.view_as(self.weight), self.bias)

    return ScaledStdConv()


@pytest.mark.parametrize("axes", [1, 2])
@pytest.mark.parametrize("norm", ["channels", "last", "standardised", "scaled"])
@pytest.mark.parametrize("tool", RUN)
def test_convolutions_with_computed_weights(tool: str, norm: str, axes: int) -> None:
    """Half of the tools have a hook for nn.Conv2d that a class derived from nn.Conv2d does not get."""
    torch = pytest.importorskip("torch")
    from torch import nn

    from archcalc.witness.tools import quiet

    for settings in ({}, {"bias": False}, {"groups": 2}):
        network = Network("one", Shape(8, (6,) * axes))
        network.add("before", registry["conv"](out=8, kernel=1, bias=False))
        network.add("layer", registry["conv"](out=4, kernel=3, weight_norm=norm, **settings))
        before = {1: nn.Conv1d, 2: nn.Conv2d}[axes](8, 8, 1, bias=False)
        model = nn.Sequential(before, computed_weights(norm, axes, settings)).eval()
        with quiet(), torch.no_grad():
            said = TOOLS[tool].run(model, torch.zeros(1, 8, *[6] * axes))
        found = explain(network, convention(tool))
        assert said.operations == found.total("operations")
        assert said.params in (None, found.total("parameters"))
        assert said.memory in (None, 4 * found.total("memory"))


@pytest.mark.parametrize("tool", RUN)
def test_convolutions_with_vectors_of_relative_positions(tool: str) -> None:
    """No framework has a module for them, so people call a function of torch in the module around."""
    torch = pytest.importorskip("torch")
    import torch.nn.functional as F  # noqa: N812
    from torch import nn

    from archcalc.witness.tools import quiet

    index = (torch.arange(4)[:, None] - torch.arange(2) * 2 + 2).flatten()
    network = Network("one", Shape(8, (6, 6)))
    network.add("before", registry["conv"](out=8, kernel=1, bias=False))
    network.add("layer", registry["conv"](out=8, kernel=1, groups=4, relative=True, bias=False))

    class Both(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.before = nn.Conv2d(8, 8, 1, bias=False)
            self.vectors = nn.Parameter(torch.ones(7, 2))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return F.conv2d(self.before(x), self.vectors[index].view(8, 2, 1, 1), groups=4)

    with quiet(), torch.no_grad():
        said = TOOLS[tool].run(Both().eval(), torch.zeros(1, 8, 6, 6))
    found = explain(network, convention(tool))
    assert said.operations == found.total("operations")
    assert said.params in (None, found.total("parameters"))
    assert said.memory in (None, 4 * found.total("memory"))


@pytest.mark.parametrize("tool", RUN)
def test_convolutions_with_constant_weights(tool: str) -> None:
    """A blur: timm and others call a function of torch with a buffer."""
    torch = pytest.importorskip("torch")
    import torch.nn.functional as F  # noqa: N812
    from torch import nn

    class Blur(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("weight", torch.ones(8, 1, 3, 3))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return F.conv2d(x, self.weight, stride=2, padding=1, groups=8)

    said = run(tool, Blur())
    settings = {"out": 8, "kernel": 3, "stride": 2, "pad": 1, "groups": 8, "bias": False, "fixed": True}
    found = explain(one_layer("conv", settings), convention(tool))
    assert said.operations == found.total("operations")
    assert said.params in (None, found.total("parameters"))
    assert said.memory in (None, 4 * found.total("memory"))


@pytest.mark.parametrize("tool", RUN)
def test_a_transposed_convolution_with_computed_weights(tool: str) -> None:
    pytest.importorskip("torch")
    from torch import nn

    settings = {"out": 4, "kernel": 3, "stride": 2, "weight_norm": "channels"}
    found = explain(one_layer("conv_transpose", settings), convention(tool))
    said = run(tool, nn.utils.parametrizations.weight_norm(nn.ConvTranspose2d(8, 4, 3, 2)))
    assert said.operations == found.total("operations")
    assert said.params in (None, found.total("parameters"))
    assert said.memory in (None, 4 * found.total("memory"))


@pytest.mark.parametrize("tool", RUN)
def test_a_linear_layer_with_computed_weights(tool: str) -> None:
    pytest.importorskip("torch")
    from torch import nn

    for settings in ({}, {"bias": False}):
        network = one_layer("linear", {"out": 4, "axis": "last", "weight_norm": "channels", **settings})
        module = nn.utils.parametrizations.weight_norm(nn.Linear(6, 4, **settings))
        said, found = run(tool, module), explain(network, convention(tool))
        assert said.operations == found.total("operations")
        assert said.params in (None, found.total("parameters"))
        assert said.memory in (None, 4 * found.total("memory"))


@pytest.mark.parametrize(
    ("norm", "flops", "params", "summary"),
    [
        # calflops 0.3.2 and torchsummary 1.5.1 with torch 2.14.1, recorded: flops and parameters, and parameters and
        # values of the outputs, twice. The weights of a parametrization are 5 outputs of 8x3x3 values.
        ("channels", 9280, 296, (292, 2 * (288 + 64 + 5 * 72))),
        ("last", 9280, 295, (292, 2 * (288 + 64 + 5 * 72))),
        ("standardised", 10432, 292, (292, 2 * (288 + 64))),
        ("scaled", 10720, 296, (292, 2 * (288 + 64))),
    ],
)
def test_what_other_tools_count_of_computed_weights(
    norm: str, flops: int, params: int, summary: tuple[int, int]
) -> None:
    network = one_layer("conv", {"out": 4, "kernel": 3, "weight_norm": norm})
    calflops = explain(network, convention("calflops-flops"))
    assert calflops.total("operations") == 2 * BEFORE + flops
    assert calflops.total("parameters") == 64 + params
    assert explain(network, convention("calflops-macs")).total("operations") == BEFORE + 4608
    torchsummary = explain(network, convention("torchsummary"))
    assert (torchsummary.total("parameters") - 64, torchsummary.total("memory")) == summary


def test_what_other_tools_count_of_a_linear_layer_with_computed_weights() -> None:
    """Recorded with the same versions: 4 lengths do not count, and 6 weights of each output feature are 5 outputs."""
    network = one_layer("linear", {"out": 4, "axis": "last", "weight_norm": "channels"})
    calflops = explain(network, convention("calflops-flops"))
    assert (calflops.total("operations"), calflops.total("parameters")) == (2 * BEFORE + 2304, 64 + 32)
    torchsummary = explain(network, convention("torchsummary"))
    assert (torchsummary.total("parameters"), torchsummary.total("memory")) == (92, 2 * (288 + 192 + 5 * 6))


def test_what_other_tools_count_of_products_and_relative_positions() -> None:
    """Recorded with the same versions: operations and parameters of calflops, parameters and values of torchsummary.

    Neither product is a module, so torchsummary sees the layer before alone.
    """
    for type, settings, flops, params in (
        ("conv", {"out": 8, "kernel": 1, "groups": 4, "relative": True, "bias": False}, 1152, 14),
        ("conv", {"out": 8, "kernel": 1, "groups": 4, "fixed": True, "bias": False}, 1152, 0),
        ("matmul", {}, 3456, 0),
    ):
        network = one_layer(type, settings)
        calflops = explain(network, convention("calflops-flops"))
        assert (calflops.total("operations"), calflops.total("parameters")) == (2 * BEFORE + flops, 64 + params)
        torchsummary = explain(network, convention("torchsummary"))
        assert torchsummary.total("memory") == 2 * 288


@pytest.mark.parametrize("type", ["add", "multiply"])
@pytest.mark.parametrize("tool", RUN)
def test_joins_that_broadcast_count_as_nothing(tool: str, type: str) -> None:
    """One channel beside eight, as in a spatial gate."""
    torch = pytest.importorskip("torch")
    from torch import nn

    class Gate(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + x[:, :1] if type == "add" else x * x[:, :1]

    network = Network("gate", Shape(8, (6, 6)))
    network.add("before", registry["conv"](out=8, kernel=1, bias=False))
    network.add("one", registry["slice"](stop=1))
    network.add("gated", registry[type](), [1, 2])
    assert network.nodes[-1].shape == Shape(8, (6, 6))
    assert run(tool, Gate()).operations == explain(network, convention(tool)).total("operations")


@pytest.mark.parametrize("tool", RUN)
def test_a_head_counts_for_every_region(tool: str) -> None:
    """To a tool, the regions are the batch."""
    torch = pytest.importorskip("torch")
    from torch import nn
    from torchvision import ops

    class Head(nn.Sequential):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            boxes = torch.zeros(5 * len(x), 5, device=x.device)
            return super().forward(ops.roi_align(x, boxes, 3, 1, 2))

    network = Network("head", Shape(8, (6, 6)))
    network.add("before", registry["conv"](out=8, kernel=1, bias=False))
    network.add("regions", registry["roi_align"](size=3, regions=5))
    for type, settings in (
        ("conv", {"out": 4, "kernel": 2}),
        ("batch_norm", {}),
        ("flatten", {}),
        ("linear", {"out": 9}),
    ):
        network.add(type, registry[type](**settings))
    head = Head(nn.Conv2d(8, 4, 2), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(16, 9))
    assert network.nodes[-1].output == "5 x 9"
    found, counts = explain(network, convention(tool)), run(tool, head)
    assert counts.operations == found.total("operations")
    assert counts.params in (None, found.total("parameters"))


def test_torchsummary_loses_the_regions() -> None:
    """summary writes the batch over the first size of every output, so 8x3x3 values count, in two outputs, twice."""
    network = Network("head", Shape(8, (6, 6)))
    network.add("regions", registry["roi_align"](size=3, regions=5))
    network.add("relu", registry["relu"](), storage="in_place")
    assert explain(network, convention("torchsummary")).total("memory") == 2 * 2 * 8 * 3 * 3


def test_what_calflops_counts() -> None:
    """calflops 0.3.2 with torch 2.14.1 on the same layers, recorded: flops, multiply-adds, parameters."""
    recorded = {
        "conv": (9280, 4608, 292),
        "conv/grouped": (4608, 2304, 144),
        "conv/reflected": (20880, 10368, 292),
        "conv_transpose": (20752, 10368, 292),
        "linear": (2880, 1440, 35),
        "batch_norm": (576, 0, 16),
        "batch_norm/plain": (288, 0, 0),
        "batch_norm/frozen": (0, 0, 0),
        "layer_norm": (1440, 0, 12),
        "layer_norm/plain": (1152, 0, 0),
        "rms_norm": (0, 0, 6),
        "l2_norm": (0, 0, 0),
        "l2_norm/scale": (0, 0, 8),
        "group_norm": (1440, 0, 16),
        "group_norm/plain": (1152, 0, 0),
        "instance_norm": (1440, 0, 16),
        "instance_norm/plain": (1152, 0, 0),
        "lrn": (1296, 0, 0),
        "lrn/positions": (1152, 0, 0),
        **dict.fromkeys(
            ("relu", "leaky_relu", "elu", "silu", "gelu", "gelu/tanh", "softmax", "max_pool", "avg_pool"), (288, 0, 0)
        ),
        "prelu": (288, 0, 8),
        "adaptive_avg_pool": (288, 0, 0),
        "global_avg_pool": (288, 0, 0),
        "adaptive_max_pool": (288, 0, 0),
        "global_max_pool": (288, 0, 0),
        "upsample": (288, 0, 0),
        "upsample/bilinear": (288, 0, 0),
        "upsample/size": (81, 0, 0),
        **dict.fromkeys(("hard_tanh", "selu", "softplus", "mish", "glu", "log_softmax"), (0, 0, 0)),
        "upsample/like": (81, 0, 0),
        "upsample/bicubic": (288, 0, 0),
        "upsample/aligned": (288, 0, 0),
        "upsample/antialias": (144, 0, 0),
        **dict.fromkeys(
            ("relu6", "sigmoid", "hard_sigmoid", "hard_swish", "tanh", "add", "mean", "multiply", "concat"), (0, 0, 0)
        ),
        **dict.fromkeys(
            (
                "slice",
                "crop",
                "pad",
                "pad_channels",
                "channel_shuffle",
                "rearrange",
                "scale",
                "flatten",
                "identity",
                "dropout",
            ),
            (0, 0, 0),
        ),
        "layer_scale": (0, 0, 8),
        "matmul": (3456, 1728, 0),
        "matmul/transposed": (3456, 1728, 0),
        "position": (0, 0, 288),
        "class_token": (0, 0, 8),
        "parameter": (0, 0, 288),
        "locally_connected": (7760, 3840, 3920),
        "linear/zero": (2880, 1440, 35),
        "layer_norm/positions": (1440, 0, 72),
        "rms_norm/positions": (0, 0, 36),
        "rms_norm/plain": (0, 0, 0),
        "l2_norm/all": (0, 0, 1),
        "softmax/rows": (288, 0, 0),
        **dict.fromkeys(("divide", "math", "math/exp", "math/power", "subtract", "maximum", "minimum"), (0, 0, 0)),
        **dict.fromkeys(("reduce", "reduce/sum", "reduce/max", "index_select", "roll", "unpool"), (0, 0, 0)),
    }
    pytest.importorskip("torch")
    cases = layer_cases()
    for case, (flops, macs, params) in recorded.items():
        network = one_layer(case, cases[case][0])
        as_flops, as_macs = (explain(network, convention(f"calflops-{what}")) for what in ("flops", "macs"))
        assert as_flops.total("operations") == 2 * BEFORE + flops, case
        assert as_macs.total("operations") == BEFORE + macs, case
        assert as_flops.total("parameters") == 64 + params, case


@pytest.mark.parametrize(
    "case",
    [
        "divide",
        "math",
        "math/exp",
        "math/power",
        "subtract",
        "maximum",
        "minimum",
        "index_select",
        "parameter",
        "l2_norm",
        "l2_norm/scale",
        "l2_norm/all",
    ],
)
def test_torchsummary_does_not_see_what_is_no_module(case: str) -> None:
    """Its parameters were recorded for each: those of the convolution before. It has no hook for an operator."""
    pytest.importorskip("torch")
    found = explain(one_layer(case, layer_cases()[case][0]), convention("torchsummary"))
    assert (found.total("parameters"), found.total("memory")) == (64, 2 * 288)


# Layers that share parameters.

SHARED = {
    # type: its settings, the input, and the module
    "conv": ({"out": 4, "kernel": 3, "pad": 1}, (4, 8, 8), lambda nn: nn.Conv2d(4, 4, 3, padding=1)),
    "conv_transpose": ({"out": 4, "kernel": 3, "pad": 1}, (4, 8, 8), lambda nn: nn.ConvTranspose2d(4, 4, 3, 1, 1)),
    "linear": ({"out": 16}, (16,), lambda nn: nn.Linear(16, 16)),
    "batch_norm": ({}, (4, 8, 8), lambda nn: nn.BatchNorm2d(4)),
    "layer_norm": ({"axis": "last"}, (4, 8, 8), lambda nn: nn.LayerNorm(8)),
    "prelu": ({}, (4, 8, 8), lambda nn: nn.PReLU(4)),
    "group_norm": ({"groups": 2}, (4, 8, 8), lambda nn: nn.GroupNorm(2, 4)),
    "instance_norm": ({"affine": True}, (4, 8, 8), lambda nn: nn.InstanceNorm2d(4, affine=True)),
}


def twice(type: str) -> Network:
    settings, (channels, *axes), _ = SHARED[type]
    network = Network("twice", Shape(channels, tuple(axes)))
    owner = network.add("first", registry[type](**settings))
    network.add("second", registry[type](**settings), shares=owner)
    return network


@pytest.mark.parametrize("type", SHARED)
@pytest.mark.parametrize("tool", RUN)
def test_a_module_that_is_called_twice(tool: str, type: str) -> None:
    nn = pytest.importorskip("torch").nn
    import torch

    from archcalc.witness.tools import quiet

    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.module = SHARED[type][2](nn)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.module(self.module(x))

    with quiet(), torch.no_grad():
        said = TOOLS[tool].run(Twice().eval(), torch.zeros(1, *SHARED[type][1]))
    found = explain(twice(type), convention(tool))
    assert said.operations == found.total("operations")
    assert said.params in (None, found.total("parameters"))
    if said.memory is not None:
        assert said.memory == 4 * found.total("memory")


@pytest.mark.parametrize("tool", RUN)
def test_tied_parameters_of_two_modules(tool: str) -> None:
    """A stride that the owner has not makes a second module, whose parameters are the owner's."""
    nn = pytest.importorskip("torch").nn
    import torch

    from archcalc.witness.tools import quiet

    model = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 4, 3, 2, 1))
    model[1].weight, model[1].bias = model[0].weight, model[0].bias
    network = Network("tied", Shape(4, (8, 8)))
    owner = network.add("first", registry["conv"](out=4, kernel=3, pad=1))
    network.add("second", registry["conv"](out=4, kernel=3, pad=1, stride=2), shares=owner)
    with quiet(), torch.no_grad():
        said = TOOLS[tool].run(model.eval(), torch.zeros(1, 4, 8, 8))
    found = explain(network, convention(tool))
    assert said.operations == found.total("operations")
    assert said.params in (None, found.total("parameters"))
    if tool in ("torchinfo", "thop"):
        assert said.params == 2 * (4 * 4 * 9 + 4)


@pytest.mark.parametrize(
    ("type", "params"), [("linear", 544), ("conv", 296), ("batch_norm", 16), ("conv_transpose", 296), ("prelu", 8)]
)
def test_torchsummary_counts_every_call(type: str, params: int) -> None:
    """Printed by torchsummary 1.5.1 for a module called twice, and for two modules with tied parameters alike."""
    assert explain(twice(type), convention("torchsummary")).total("parameters") == params
    assert twice(type).analyze(convention="torchsummary").totals.params == params
    assert twice(type).analyze().totals.params == params // 2


def test_torchsummary_counts_buffers_that_are_called_weight_or_bias() -> None:
    """Printed by torchsummary 1.5.1 for a convolution and torchvision's FrozenBatchNorm2d of 8 channels: 64 and 16."""
    network = one_layer("batch_norm", {"frozen": True})
    assert explain(network, convention("torchsummary")).total("parameters") == 64 + 16
    assert explain(network, convention("keras")).total("parameters") == 64 + 32
    assert explain(network, convention("archcalc")).total("parameters") == 64


def test_a_kernel_that_is_written_once_or_per_axis_is_one_module() -> None:
    network = Network("same", Shape(4, (8, 8)))
    owner = network.add("first", registry["conv"](out=4, kernel=3, pad=1))
    network.add("second", registry["conv"](out=4, kernel=[3, 3], pad=[1, 1]), shares=owner)
    assert explain(network, convention("torchinfo")).total("parameters") == 4 * 4 * 9 + 4


def test_group_normalisation_as_fvcore_counts_it() -> None:
    """5 per value of 16 x 32 x 32, printed by fvcore: 81,920."""
    network = Network("norm", Shape(16, (32, 32)))
    network.add("norm", registry["group_norm"](groups=4))
    assert explain(network, convention("fvcore")).total("operations") == 5 * 16 * 32 * 32 == 81_920
    nn = pytest.importorskip("torch").nn
    import torch
    from fvcore.nn import FlopCountAnalysis

    from archcalc.witness.tools import quiet

    with quiet(), torch.no_grad():
        assert FlopCountAnalysis(nn.GroupNorm(4, 16), torch.zeros(1, 16, 32, 32)).total() == 81_920
