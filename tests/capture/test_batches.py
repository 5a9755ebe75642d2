"""Modules that put maps one after another along the batch, and take them apart again."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

import torch
from torch import nn
from torch.nn import functional

import archcalc
from tests.capture.modules import One
from tests.capture.outputs import difference

SIZES = {"a": (3, 6, 6), "b": (3, 6, 6)}


class Pair(One):
    """Two images, one after another."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.batch_norm, self.linear = nn.InstanceNorm2d(3), nn.BatchNorm2d(3), nn.Linear(3, 4)

    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        x = self.batch_norm(self.norm(self.conv(torch.cat([a, b])))).relu()
        c, d = x.chunk(2)
        return c - 2 * d


class Pooled(Pair):
    """Layers that compute every channel alone, and a layer of vectors."""

    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        x = functional.interpolate(self.conv(torch.cat([a, b])), scale_factor=2, mode="bilinear")
        x = functional.adaptive_avg_pool2d(functional.adaptive_max_pool2d(x, (3, 2)), 1)
        c, d = self.linear(x.flatten(1)).split(len(a))
        return c.exp() - d


class Three(Pair):
    """Two images and one more, of which the last two are taken together, in tokens."""

    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        x = torch.cat([torch.cat([a, b]), self.conv(a)]).flatten(2).transpose(1, 2)
        last = self.linear(x)[len(a) :]
        return last[: len(a)] - 2 * last[len(a) :]


class Vectors(Pair):
    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        c, d = self.linear(torch.cat([a.mean((2, 3)), b.mean((2, 3))])).chunk(2)
        return c.exp() - d


@pytest.mark.parametrize("kind", [Pair, Pooled, Three, Vectors])
def test_outputs(kind: type[nn.Module]) -> None:
    assert difference(kind().eval(), SIZES) <= 1e-14


def test_two_images_are_an_axis() -> None:
    """One layer for both images: its parameters count once, its multiply-adds twice."""
    net = archcalc.from_torch(Pair(), inputs=SIZES)
    conv = next(node for node in net.nodes if node.layer.type == "conv")
    assert (str(conv.shape), net.analyze().totals.macs) == ("3x2x6x6", 2 * 27 * 3 * 36)


class Mixed(Pair):
    """Values of one image between those of the other."""

    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return self.conv(torch.stack([a, b], 1).flatten(0, 1))[1:]


class Grouped(Pair):
    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return functional.group_norm(torch.cat([a, b]), 1)[: len(a)]


class Scaled(Pair):
    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return functional.instance_norm(torch.cat([a, b]), weight=torch.ones(3), bias=torch.ones(3))[: len(a)]


class Both(Pair):
    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return self.conv(torch.cat([a, b])).mean(0)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Mixed, "slice of result 4x3x6x6: images of the batch that are taken out"),
        (Grouped, "group normalisation of each of several maps"),
        (Scaled, "instance normalisation of each of several maps, with trained numbers"),
        (Both, "a reduction over the batch"),
    ],
)
def test_what_is_refused(kind: type[nn.Module], text: str) -> None:
    with pytest.raises(archcalc.ArchcalcError, match=text):
        archcalc.from_torch(kind(), inputs=SIZES)
