"""Modules with numbers of their own beside the map, which PyTorch does not have."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Position(nn.Module):
    """Adds a trained map (Dosovitskiy et al. 2021)."""

    def __init__(self, sizes: tuple[int, ...]) -> None:
        super().__init__()
        self.sizes = sizes
        positions = torch.Size(sizes[:-1]).numel()
        weight = torch.empty(1, positions, sizes[-1]).normal_(std=0.02)
        self.weight = nn.Parameter(weight)

    def forward(self, x: Tensor) -> Tensor:
        return (x.movedim(1, -1) + self.weight.view(self.sizes)).movedim(-1, 1)


class Repeated(nn.Module):
    """A trained map, repeated for every image; with ``fixed``, a buffer."""

    weight: Tensor

    def __init__(self, sizes: tuple[int, ...], fixed: bool = False) -> None:
        super().__init__()
        weight = torch.empty(sizes).normal_(std=0.02)
        if fixed:
            self.register_buffer("weight", weight)
        else:
            self.weight = nn.Parameter(weight)

    def forward(self, x: Tensor) -> Tensor:
        return self.weight.repeat(len(x), *(1 for _ in self.weight.shape))


class IndexSelect(nn.Module):
    """Positions of one axis, chosen by a list of constants: fill ``index``."""

    index: Tensor

    def __init__(self, positions: int, count: int, axis: int = -1) -> None:
        super().__init__()
        self.axis = axis
        self.register_buffer("index", torch.arange(count) % positions, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return x.index_select(self.axis, self.index)


class ClassToken(nn.Module):
    """Puts trained positions before the others (Dosovitskiy et al. 2021)."""

    def __init__(self, sizes: tuple[int, ...]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1, *sizes))

    def forward(self, x: Tensor) -> Tensor:
        token = self.weight.expand(len(x), *x.shape[2:-1], -1, -1)
        return torch.cat([token, x.movedim(1, -1)], -2).movedim(-1, 1)
