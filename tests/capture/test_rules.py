"""Small modules, one for each thing that rules put together of several layers."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

import torch
from torch import nn
from torch.nn import functional

import archcalc
from tests.capture import modules
from tests.capture.modules import One

IMAGE = (3, 6, 6)


class Response(One):
    """Global response normalisation: lengths of whole maps, and a sum of a product."""

    def __init__(self) -> None:
        super().__init__()
        self.scale, self.shift = nn.Parameter(torch.randn(3)), nn.Parameter(torch.randn(3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv(x)
        length = x.norm(p=2, dim=(2, 3), keepdim=True)
        share = length / (length.mean(1, keepdim=True) + 1e-6)
        return x + torch.addcmul(self.shift.view(1, -1, 1, 1), self.scale.view(1, -1, 1, 1), x * share)


class Variance(One):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv(x)
        return x * torch.rsqrt(x.var(1, keepdim=True) + 1e-5) + x.var((2, 3), unbiased=False, keepdim=True)


class Skewed(One):
    """Positions that are relative to the row, moved to absolute ones by padding and other sizes."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv(x).reshape(-1, 6, 11)
        x = functional.pad(functional.pad(x, [0, 1]).flatten(1), [0, 5]).reshape(-1, 7, 11)
        return x[:, :6, 5:].reshape(-1, 3, 6, 6)


class Chosen(One):
    """Positions of a table along two axes at once, the same for every image."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.randn(4, 5, 3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        rows, columns = torch.arange(6)[:, None] % 4, torch.arange(6)[None] - 5
        return self.conv(x) + self.table[rows, columns].expand(x.shape[0], -1, -1, -1).permute(0, 3, 1, 2)


class Limited(One):
    """Limits that are buffers, and one that is a number."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("low", torch.tensor(-0.5))
        self.register_buffer("high", torch.tensor(0.25))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(x).clamp(self.low, self.high).clamp(max=0.125)


class Waves(One):
    """Constants that the model moves to the device of its weights."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        places = (~torch.zeros(x.shape[0], 6, 6).to(self.conv.weight.device, torch.bool)).cumsum(1, dtype=x.dtype)
        return x + self.conv(torch.stack((places.sin(), places.cos(), places), 1))


class Rotated(One):
    """Angles that are trained, as in mixed rotary positions."""

    def __init__(self) -> None:
        super().__init__()
        self.angles = nn.Parameter(torch.randn(6, 6))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(x) * self.angles.cos() + x * self.angles.sin()


@pytest.mark.parametrize(
    ("kind", "types"),
    [
        (Response, "conv math reduce math reduce scale divide multiply layer_scale add"),
        (
            Variance,
            "conv reduce subtract math reduce scale scale math multiply global_avg_pool subtract math global_avg_pool add",
        ),
        (Chosen, "conv parameter rearrange index_select to_map add"),
        (Limited, "conv parameter maximum parameter minimum parameter minimum"),
        (Waves, "parameter conv add"),
        (Rotated, "conv parameter math rearrange multiply math rearrange multiply add"),
    ],
)
def test_layers(kind: type[nn.Module], types: str) -> None:
    """The sizes of all layers, the parameters and the multiply-adds are checked by the import."""
    net = archcalc.from_torch(kind(), input=IMAGE)
    assert [node.layer.type for node in net.after_inputs] == types.split()


class Bias(nn.Module):
    """Attention whose bias is a product of a table and of constants."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.randn(3, 11))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        chosen = functional.one_hot(torch.arange(6)[:, None] - torch.arange(6) + 5, 11).to(x.dtype)
        bias = torch.einsum("hr,qkr->hqk", self.table, chosen)
        return functional.scaled_dot_product_attention(x[:, :, :, None], x[:, :, :, None], x[:, :, :, None], bias)


def test_axes_that_are_padded_as_a_part_of_the_batch() -> None:
    types = [node.layer.type for node in archcalc.from_torch(Skewed(), input=(3, 6, 11)).after_inputs]
    assert types == ["conv", "rearrange", "pad", "rearrange", "pad", "slice", "rearrange", "slice", "rearrange"]


def test_products_of_parameters_are_counted() -> None:
    """The bias: 3 heads, 6 queries, 6 keys, 11 distances. The attention: two products for every pair and head."""
    assert archcalc.from_torch(Bias(), input=(3, 6)).analyze().totals.macs == 3 * 6 * 6 * 11 + 2 * 3 * 6 * 6


def test_products_of_constants_are_dropped() -> None:
    net = archcalc.from_torch(modules.Angles(), input=IMAGE)
    assert net.notes == ["import: parameters complete, multiply-adds complete, dropped: matmul of constants"]
    assert net.analyze().totals.macs == 3 * 3 * 9 * 36


class Prompt(One):
    """An output that is made of parameters alone, beside another one."""

    def __init__(self) -> None:
        super().__init__()
        self.rows, self.linear = nn.Parameter(torch.randn(1, 4)), nn.Linear(4, 5)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.conv(x), self.linear(self.rows.expand(x.shape[0], -1))


def test_an_output_of_parameters_alone() -> None:
    net = archcalc.from_torch(Prompt(), input=IMAGE)
    assert [str(net.nodes[at].shape) for at in net.outputs] == ["3x6x6", "5"]


class Every(One):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(x).mean((2, 3), keepdim=True)[:, :, ::2]


def test_a_part_that_is_everything() -> None:
    assert [node.layer.type for node in archcalc.from_torch(Every(), input=IMAGE).after_inputs] == [
        "conv",
        "global_avg_pool",
    ]
