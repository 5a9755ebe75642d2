"""Modules that read maps at computed positions, and optical flow as RAFT estimates it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("torch")

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

import archcalc
from tests.capture.modules import One
from tests.capture.outputs import difference


class Warped(One):
    """A map read at positions of its own size."""

    def __init__(self, **how: Any) -> None:
        super().__init__()
        self.how, self.moved = how, nn.Conv2d(3, 2, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        return F.grid_sample(self.conv(x), self.moved(x).permute(0, 2, 3, 1), **self.how)


class Transformed(One):
    """A spatial transformer: an affine grid of constants, moved by the image."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 2)

    def forward(self, x: Tensor) -> Tensor:
        lines = torch.linspace(-1, 1, 5)
        base = torch.stack(torch.meshgrid(lines, lines, indexing="xy"), -1).expand(len(x), -1, -1, -1)
        grid = base + self.linear(x.mean((2, 3)))[:, None, None]
        return F.grid_sample(self.conv(x), grid, align_corners=True) + F.grid_sample(x, base, align_corners=True)


class Volumes(nn.Module):
    """Positions on three axes, and windows of two axes."""

    def __init__(self) -> None:
        super().__init__()
        self.three, self.two = nn.Conv3d(2, 3, 1), nn.Conv3d(2, 2, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        both = F.grid_sample(x, self.three(x).movedim(1, -1), align_corners=False)
        windows, grid = x.transpose(1, 2).flatten(0, 1), self.two(x).transpose(1, 2).flatten(0, 1)
        sampled = F.grid_sample(windows, grid.movedim(1, -1)[:, :3], align_corners=False)
        return both, sampled.unflatten(0, (len(x), -1)).transpose(1, 2)


class Flow(nn.Module):
    """Optical flow in the manner of RAFT: one encoder for two images, all correlations, and a recurrent update."""

    def __init__(self, levels: int = 2, radius: int = 1, updates: int = 3) -> None:
        super().__init__()
        self.levels, self.radius, self.updates = levels, radius, updates
        self.encoder = nn.Sequential(nn.Conv2d(3, 6, 3, stride=2, padding=1), nn.InstanceNorm2d(6), nn.ReLU(True))
        self.gate = nn.Conv2d(6 + 2 + levels * (2 * radius + 1) ** 2, 6, 3, padding=1)
        self.moves, self.mask = nn.Conv2d(6, 2, 3, padding=1), nn.Conv2d(6, 9 * 4, 1)

    def forward(self, first: Tensor, second: Tensor) -> list[Tensor]:
        a, b = self.encoder(torch.cat([first, second])).chunk(2)
        images, channels, h, w = a.shape
        volume = a.flatten(2).transpose(1, 2) @ b.flatten(2) / torch.sqrt(torch.tensor(channels))
        pyramid = [volume.reshape(images * h * w, 1, h, w)]
        for _ in range(self.levels - 1):
            pyramid.append(F.avg_pool2d(pyramid[-1], 2, stride=2))
        lines = [torch.arange(size) for size in (h, w)]
        start = torch.stack(torch.meshgrid(*lines, indexing="ij")[::-1]).float()[None].repeat(images, 1, 1, 1)
        side = torch.linspace(-self.radius, self.radius, 2 * self.radius + 1)
        around = torch.stack(torch.meshgrid(side, side, indexing="ij"), -1)[None]
        here, state, found = start.clone(), a.tanh(), []
        for _ in range(self.updates):
            here = here.detach()
            at, seen = here.permute(0, 2, 3, 1).reshape(images * h * w, 1, 1, 2), []
            for one in pyramid:
                x, y = (at + around).split([1, 1], -1)
                grid = torch.cat([2 * x / (one.shape[-1] - 1) - 1, 2 * y / (one.shape[-2] - 1) - 1], -1)
                seen.append(F.grid_sample(one, grid, align_corners=True).view(images, h, w, -1))
                at = at / 2
            near = torch.cat(seen, -1).permute(0, 3, 1, 2).contiguous()
            state = torch.tanh(self.gate(torch.cat([state, near, here - start], 1)))
            here = here + self.moves(state)
            mask = self.mask(state).view(images, 1, 9, 2, 2, h, w).softmax(2)
            flow = F.unfold(2 * (here - start), 3, padding=1).view(images, 2, 9, 1, 1, h, w)
            found.append((mask * flow).sum(2).permute(0, 1, 4, 2, 5, 3).reshape(images, 2, 2 * h, 2 * w))
        return found


IMAGE = (3, 8, 12)


@pytest.mark.parametrize(
    ("module", "sizes"),
    [
        (lambda: Warped(align_corners=False), {"x": IMAGE}),
        (lambda: Warped(mode="nearest", padding_mode="border", align_corners=True), {"x": IMAGE}),
        (lambda: Warped(mode="bicubic", padding_mode="reflection", align_corners=False), {"x": IMAGE}),
        (Transformed, {"x": IMAGE}),
        (Volumes, {"x": (2, 4, 5, 6)}),
        (Flow, {"first": IMAGE, "second": IMAGE}),
    ],
)
def test_outputs(module: Callable[[], nn.Module], sizes: dict[str, tuple[int, ...]]) -> None:
    assert difference(module(), sizes) <= 1e-13


def test_the_flow_of_two_images() -> None:
    """4x6 positions. The products of a convolution of both images, of all pairs, and of three updates."""
    net = archcalc.from_torch(Flow(), inputs={"first": IMAGE, "second": IMAGE})
    every_update = 9 * ((8 + 2 * 9) * 6 + 6 * 2) + 6 * 36
    assert net.analyze().totals.macs == 24 * (2 * 27 * 6 + 24 * 6 + 3 * every_update)
    sampled = [str(node.shape) for node in net.nodes if node.layer.type == "grid_sample"]
    assert sampled == ["1x24x3x3"] * 6
    assert [str(net.nodes[at].shape) for at in net.outputs] == ["2x8x12"] * 3


class OfAnother(One):
    """Positions that differ from image to image, and that no image decides."""

    def forward(self, x: Tensor) -> Tensor:
        return F.grid_sample(x.flatten(0, 1)[:, None], torch.zeros(len(x) * 3, 2, 2, 2).cumsum(0), align_corners=False)


class Turned(One):
    def forward(self, x: Tensor) -> Tensor:
        return F.grid_sample(x, x[:, :2].permute(2, 3, 0, 1), align_corners=False)


@pytest.mark.parametrize(
    ("module", "text"),
    [
        (Turned, "a map and positions whose images lie in different places"),
        (OfAnother, "a constant that cumsum computes"),
    ],
)
def test_what_is_refused(module: type[nn.Module], text: str) -> None:
    with pytest.raises(archcalc.ArchcalcError, match=text):
        archcalc.from_torch(module(), input=(3, 2, 2))


class Misfit(One):
    def forward(self, x: Tensor) -> Tensor:
        return F.grid_sample(self.conv(x), x.permute(0, 2, 3, 1), align_corners=False)


def test_a_grid_that_does_not_fit() -> None:
    with pytest.raises(
        archcalc.ArchcalcError, match=r"Misfit fails for 2 images of 3x8x12: .*last dimension must be 2"
    ):
        archcalc.from_torch(Misfit(), input=IMAGE)
