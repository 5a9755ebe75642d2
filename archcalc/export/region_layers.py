"""Layers that make regions of maps, as modules over operators of torchvision: see ``missing_layers``."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torchvision import ops


class RegionPool(nn.Module):
    """Regions of a map, by an operator of torchvision, or of several maps one after the other.

    A row of ``rois`` is a region: the number of its image in the batch, then left, top,
    right and bottom in parts of the width of the image. With several maps, ``rois`` is a
    list with the regions of each map.
    """

    def __init__(self, operator: Callable[..., Tensor], **settings: Any) -> None:
        super().__init__()
        self.operator, self.settings = operator, settings

    def forward(self, rois: Tensor | list[Tensor], *maps: Tensor) -> Tensor:
        if isinstance(rois, Tensor):
            return self.of(maps[0], rois)
        parts = [self.of(x, part) for x, part in zip(maps, rois, strict=True)]
        return torch.cat(parts)

    def of(self, x: Tensor, rois: Tensor) -> Tensor:
        scale = float(x.shape[-1])
        made = self.operator(x.to(rois.dtype), rois, spatial_scale=scale, **self.settings)
        return made.to(x.dtype)


class RoiAlign(RegionPool):
    """The mean of bilinear samples in each cell of a region (He et al. 2017)."""

    def __init__(self, size: tuple[int, int], sampling: int, aligned: bool = False) -> None:
        super().__init__(ops.roi_align, output_size=size, sampling_ratio=sampling, aligned=aligned)


class RoiPool(RegionPool):
    """The largest value in each cell of a region (Girshick 2015)."""

    def __init__(self, size: tuple[int, int]) -> None:
        super().__init__(ops.roi_pool, output_size=size)


class PsRoiPool(RegionPool):
    """The mean in each cell of a region, a cell having channels of its own (Dai et al. 2016)."""

    def __init__(self, size: tuple[int, int]) -> None:
        super().__init__(ops.ps_roi_pool, output_size=size)


def grid(regions: int, height: float = 1.0, batch: int = 1) -> Tensor:
    """As many equal boxes of every image, side by side; ``height``: in parts of the width."""
    side = math.ceil(math.sqrt(regions))
    at = torch.arange(batch * regions)
    row, column = at % regions // side, at % regions % side
    edges = [column, row * height, column + 1, (row + 1) * height]
    return torch.stack([at // regions, *(edge / side for edge in edges)], 1).float()
