"""Small modules whose built import has their outputs: one for each thing that an import has to get right."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

import torch
from torch import nn

from tests.capture.modules import One
from tests.capture.outputs import difference

IMAGE = (3, 6, 6)


class RowsOfTheBatch(nn.Module):
    """The images are a part of the rows of a product of matrices."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(6, 3, 5))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        rows = x.permute(2, 0, 3, 1).reshape(6, -1, 3)
        return torch.matmul(rows, self.weight).view(6, x.shape[0], 6, 5).transpose(0, 1).relu()


class ExpandedPosition(One):
    """Positions in time and in space, each repeated for the other one."""

    def __init__(self) -> None:
        super().__init__()
        self.time, self.space = nn.Parameter(torch.randn(4, 3)), nn.Parameter(torch.randn(9, 3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        table = torch.repeat_interleave(self.time, 9, dim=0)
        table.add_(self.space.unsqueeze(0).expand(4, -1, -1).reshape(-1, 3))
        rows = self.conv(x).flatten(2).transpose(1, 2) + table.unsqueeze(0)
        return self.conv(rows.transpose(1, 2).reshape(x.shape))


class Blurred(One):
    """Constants are the weights of a convolution."""

    def __init__(self) -> None:
        super().__init__()
        row = torch.tensor([1.0, 2.0, 1.0])
        self.register_buffer("blur", row.outer(row).repeat(3, 1, 1, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = nn.functional.pad(self.conv(x), (1, 1, 1, 1), mode="reflect")
        return nn.functional.conv2d(x, self.blur, stride=2, groups=3)


class Cosines(One):
    """A transform with constants on blocks of images that lie in the rows, in another order, and divided by a parameter."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("cosines", torch.randn(3, 3))
        self.mean, self.deviation = nn.Parameter(torch.randn(9)), nn.Parameter(torch.rand(3, 9) + 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        blocks = self.conv(x).view(-1, 3, 2, 3, 2, 3).permute(0, 2, 4, 1, 3, 5)
        blocks = nn.functional.linear(blocks, self.cosines).reshape(-1, 3, 9)[:, :, [8, 6, 7, 0, 1, 2, 3, 5, 4]]
        blocks = (self.mean - blocks) / self.deviation
        return self.conv(blocks.view(len(x), 2, 2, 3, 9).permute(0, 3, 4, 1, 2).reshape(len(x), 3, 6, 6))


class Diagonals(One):
    """Numbers become small matrices. The images and the channels are one axis."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("diagonal", torch.eye(2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        small = nn.functional.adaptive_avg_pool2d(self.conv(x), 3)
        wide = small.reshape(-1, 9, 1, 1) * self.diagonal
        wide = wide.view(-1, 3, 3, 2, 2).permute(0, 1, 3, 2, 4).reshape(len(x), 3, 6, 6)
        return self.conv(wide.matmul(x))


class BiasOfDropout(One):
    """What is computed from parameters alone goes through dropout."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("places", torch.randn(36, 2))
        self.numbers = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Dropout(0.1), nn.Linear(4, 3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        bias = nn.functional.pad(self.numbers(self.places).t()[:, 1:], [1, 0])
        return self.conv(x + bias.view(1, 3, 6, 6))


class Enlarged(One):
    """Positions of a smaller image, for this one. A filter against aliases does nothing to a map that grows."""

    def __init__(self) -> None:
        super().__init__()
        self.positions = nn.Parameter(torch.randn(1, 3, 4, 5))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        size = x.shape[-2:]
        x = x + nn.functional.interpolate(self.positions, size=size, mode="bilinear", antialias=True)
        small = nn.functional.interpolate(self.positions, size=(4, 5), mode="bilinear", antialias=True)
        return self.conv(x) + nn.functional.interpolate(small, size=size, mode="bicubic")


@pytest.mark.parametrize(
    "kind", [RowsOfTheBatch, ExpandedPosition, Blurred, Cosines, Diagonals, BiasOfDropout, Enlarged]
)
def test_outputs(kind: type[nn.Module]) -> None:
    assert difference(kind(), IMAGE) <= 1e-14
