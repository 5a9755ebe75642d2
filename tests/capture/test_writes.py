"""Writes into parts of tensors: the built import has the outputs of the module."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

import torch
from torch import nn

import archcalc
from archcalc.errors import ArchcalcError
from tests.capture.modules import One
from tests.capture.outputs import difference

IMAGE = (3, 6, 6)


class WritesThroughView(One):
    """What a view shows that was made before."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.conv(x)
        z = y.flatten(2)
        y.relu_()
        return self.conv(z.view(x.shape))


class WritesPart(One):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.conv(x)
        y[:, :1] = x[:, :1]
        return self.conv(y)


class Adds(One):
    """A part is added to, as a residual that leaves one position out."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.conv(x)
        rows = y.flatten(2)
        rows[:, :, 1:] += x.flatten(2)[:, :, 1:]
        return self.conv(y)


class AddsTwice(One):
    """The second write is into a part of a part; the first one is read in between."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.conv(x)
        part = y[:, 1:]
        part += x[:, 1:]
        between = y.relu()
        part[:, :, :2] += x[:, 1:, :2]
        return y * between + part.sum(1, keepdim=True)


class Selects(One):
    """One position, in the middle, through a transposed view."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.conv(x)
        y.transpose(1, 3)[:, :, 2] = x[:, :, 1].transpose(1, 2)
        return self.conv(y)


class Unbinds(One):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.conv(x)
        first, _, last = y.unbind(1)
        first.relu_()
        last.copy_(first)
        return self.conv(y)


class Bias(nn.Module):
    """Keys without a bias, as in Swin V2."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(6, 9)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        bias = self.linear.bias.clone()
        bias[3:6].zero_()
        return nn.functional.linear(x, self.linear.weight, bias)


class Expanded(One):
    """Every position of an expanded tensor is the same memory."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.conv(x)[:, :1]
        y.expand(-1, 3, -1, -1)[:, :1].relu_()
        return self.conv(torch.cat([y, y, y], 1))


@pytest.mark.parametrize("kind", [WritesPart, WritesThroughView, Adds, AddsTwice, Selects, Unbinds, Bias])
def test_outputs(kind: type[nn.Module]) -> None:
    assert difference(kind(), IMAGE) <= 1e-14


def test_a_part_that_is_added_to_is_a_sum_in_place() -> None:
    net = archcalc.from_torch(Adds(), input=IMAGE)
    found = [
        (node.layer.type, node.storage) for node in net.after_inputs if node.layer.type in ("pad", "add", "concat")
    ]
    assert found == [("pad", "new"), ("add", "in_place")]


def test_features_without_bias() -> None:
    net = archcalc.from_torch(Bias(), input=IMAGE)
    assert [node.layer.zero_bias for node in net.after_inputs] == [(3, 6)]


def test_what_is_written_over_is_not_read() -> None:
    with pytest.raises(ArchcalcError, match="its input was written in place through another view"):
        archcalc.from_torch(Expanded(), input=IMAGE)
