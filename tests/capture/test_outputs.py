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


@pytest.mark.parametrize("kind", [RowsOfTheBatch, ExpandedPosition, Blurred])
def test_outputs(kind: type[nn.Module]) -> None:
    assert difference(kind(), IMAGE) <= 1e-14
