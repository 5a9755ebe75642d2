"""Parameters in other types, that layers share in part, that are computed, and outputs of parameters alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytest.importorskip("torch")

import torch
from torch import nn
from torch.nn.functional import conv2d
from torch.nn.utils.parametrizations import spectral_norm

import archcalc
from archcalc.errors import ArchcalcError
from tests.capture.modules import One

IMAGE = (3, 6, 6)


@pytest.mark.parametrize("type", [torch.float64, torch.float16, torch.bfloat16])
def test_parameters_in_another_type(type: torch.dtype) -> None:
    """The counts are those of float32, and the report names the type."""
    module = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Flatten(), nn.Linear(8 * 16, 5))
    expected = archcalc.from_torch(module, input=IMAGE)
    net = archcalc.from_torch(module.to(type), input=IMAGE)
    assert [repr(one) for one in net.nodes] == [repr(one) for one in expected.nodes]
    name = str(type).removeprefix("torch.")
    assert net.notes == [f"{expected.notes[0]}; parameters in {name} (--dtype {name} for their memory)"]
    assert next(module.parameters()).dtype == type


def test_parameters_in_two_types() -> None:
    class Module(One):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.norm(self.conv(x.half()).float())

        def __init__(self) -> None:
            super().__init__()
            self.norm = nn.BatchNorm2d(3)
            self.conv.half()

    net = archcalc.from_torch(Module(), input=IMAGE)
    assert net.analyze().totals.params == 3 * 3 * 9 + 3 + 6
    assert net.notes[0].endswith("; parameters in float16 and float32; memory is that of one type for all")


class Pair(nn.Module):
    """Two layers, one after the other. ``shared``: names of what the second one has from the first one."""

    def __init__(self, first: nn.Module, second: nn.Module, *shared: str) -> None:
        super().__init__()
        self.a, self.b = first, second
        for name in shared:
            setattr(second, name, getattr(first, name))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.b(self.a(x))


def norm() -> nn.Module:
    return nn.BatchNorm2d(3)


def conv(bias: bool = True) -> nn.Module:
    return nn.Conv2d(3, 3, 3, padding=1, bias=bias)


class Parts(nn.Module):
    """Two convolutions with parts of one parameter."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(16, 3, 1, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return conv2d(x, self.weight[:8]) + conv2d(x, self.weight[8:])


ALL_OR_NONE = ", and not all parameters: layers share all parameters of a layer, or none"
REFUSED: list[tuple[Callable[[], nn.Module], str]] = [
    (lambda: Pair(conv(), conv(), "weight"), f"b: conv shares a.weight with a{ALL_OR_NONE}"),
    (lambda: Pair(conv(), conv(), "bias"), f"b: conv shares a.bias with a{ALL_OR_NONE}"),
    (lambda: Pair(conv(), conv(bias=False), "weight"), f"b: conv shares a.weight with a{ALL_OR_NONE}"),
    (
        lambda: Pair(conv(), nn.ConvTranspose2d(3, 3, 3), "weight", "bias"),
        "b: conv_transpose shares a.weight and a.bias with a, which is of another type (conv)",
    ),
    (
        lambda: Pair(norm(), norm(), "weight", "bias"),
        "b: batch_norm shares a.weight and a.bias with a, and not the running statistics",
    ),
    (Parts, "result 8x3x1x1: a convolution whose weights are computed by slice"),
    (
        lambda: nn.Sequential(spectral_norm(nn.Conv2d(3, 8, 3))),
        "0 (ParametrizedConv2d): conv2d of input 2x3x6x6, result 8x3x3x3, 0.bias 8: a convolution whose weights are computed "
        "by spectral norm",
    ),
    (
        lambda: nn.Sequential(spectral_norm(nn.Linear(6, 8))),
        "result 8x6, 0.bias 8: a linear layer whose weights are computed by spectral norm",
    ),
]


@pytest.mark.parametrize(("build", "text"), REFUSED)
def test_what_is_refused(build: Callable[[], nn.Module], text: str) -> None:
    with pytest.raises(ArchcalcError) as raised:
        archcalc.from_torch(build(), input=IMAGE)
    assert text in str(raised.value)
    assert "archcalc/" not in str(raised.value)  # the code of archcalc is no code of the model


@pytest.mark.parametrize(
    ("module", "params"),
    [(Pair(conv(), conv(), "weight", "bias"), 84), (Pair(norm(), norm(), "weight", "bias", "running_mean"), 6)],
)
def test_parameters_that_layers_share(module: nn.Module, params: int) -> None:
    net = archcalc.from_torch(module, input=IMAGE)
    assert [node.shares for node in net.nodes] == [None, None, 1]
    assert net.analyze().totals.params == params


class Beside(One):
    """An output beside another one."""

    def __init__(self, function: Callable[[Beside, int], torch.Tensor]) -> None:
        super().__init__()
        self.function = function
        self.map, self.row = nn.Parameter(torch.randn(1, 4, 5)), nn.Parameter(torch.randn(5))
        self.linear = nn.Linear(5, 6)
        self.register_buffer("constants", torch.randn(1, 5))

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.conv(x), self.function(self, x.shape[0])


@pytest.mark.parametrize(
    ("function", "shapes"),
    [
        (lambda own, images: own.map.expand(images, -1, -1), ["4x5"]),
        (lambda own, images: own.linear(own.map).repeat(images, 1, 1), ["4x6"]),
        (lambda own, images: own.map[0, :2] * 2, ["2x5"]),
        # what no parameter is in is left out, and so is a parameter itself
        (lambda own, images: torch.zeros(images, 5), []),
        (lambda own, images: own.constants.expand(images, -1), []),
        (lambda own, images: own.row, []),
    ],
)
def test_an_output_without_the_input(function: Callable[[Beside, int], torch.Tensor], shapes: list[str]) -> None:
    net = archcalc.from_torch(Beside(function), input=IMAGE)
    assert [str(net.nodes[at].shape) for at in net.outputs] == ["3x6x6", *shapes]
    assert ("dropped: output that depends on no input" in net.notes[0]) == (not shapes)


@pytest.mark.parametrize(
    "function",
    [
        lambda own, images: own.row.repeat(images, 1),
        lambda own, images: torch.stack([own.row] * images),
        lambda own, images: torch.cat([own.map] * images),
    ],
)
def test_copies_of_parameters_for_every_image(function: Callable[[Beside, int], torch.Tensor]) -> None:
    """The number of images is no size of the network."""
    with pytest.raises(ArchcalcError, match="parameters that the model copies for every image; expand copies nothing"):
        archcalc.from_torch(Beside(function), input=IMAGE)
