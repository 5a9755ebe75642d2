"""Attention as modules. An exported model carries the source of those that it uses."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn


class Attention(nn.Module):
    """Scaled dot-product attention over the last axis, in each head and window (Vaswani et al. 2017)."""

    def __init__(
        self,
        heads: int,
        causal: bool = False,
        scale: float | None = None,
        cosine: bool = False,
    ) -> None:
        super().__init__()
        self.heads, self.causal, self.scale = heads, causal, 1.0 if cosine else scale
        self.logit_scale = nn.Parameter(torch.full((heads, 1, 1), math.log(10))) if cosine else None

    def forward(self, queries: Tensor, keys: Tensor, values: Tensor, *bias: Tensor) -> Tensor:
        q, k, v = self.split(queries), self.split(keys), self.split(values)
        if self.logit_scale is not None:
            q = F.normalize(q, dim=-1) * self.logit_scale.clamp(max=math.log(100)).exp()
            k = F.normalize(k, dim=-1)
        y = self.attend(q, k, v, len(queries), *bias)
        y = y.transpose(1, 2).contiguous().flatten(2)
        return y.reshape(len(queries), *queries.shape[2:], -1).movedim(-1, 1)

    def attend(self, q: Tensor, k: Tensor, v: Tensor, images: int, *given: Tensor) -> Tensor:
        y: Tensor = F.scaled_dot_product_attention(q, k, v, is_causal=self.causal, scale=self.scale)
        return y

    def split(self, x: Tensor) -> Tensor:
        """Heads x positions x depth of every image and window."""
        x = x.movedim(1, -1)
        if x.stride(-1) != 1:
            x = x.contiguous()
        x = x.flatten(0, -3)
        return x.reshape(*x.shape[:-1], self.heads, -1).transpose(1, 2)


class BiasedAttention(Attention):
    """Attention with a bias of the scores: a map, or in windows a trained number for each relative position.

    A continuous bias makes the numbers of the distances by two linear layers (Liu et al. 2022). causal: the number of queries and of keys, if a query reads only the keys up to its own position. With ``size``,
    positions that a roll by ``shift`` brought together do not read each other (Liu et al. 2021).
    """

    table: Tensor
    index: Tensor
    hidden: Tensor
    distances: Tensor

    def __init__(
        self,
        heads: int,
        block: tuple[int, ...] = (),
        scale: float | None = None,
        relative: bool = False,
        causal: tuple[int, ...] = (),
        size: tuple[int, ...] = (),
        shift: tuple[int, ...] = (),
        cosine: bool = False,
        continuous: bool = False,
    ) -> None:
        super().__init__(heads, scale=scale, cosine=cosine)
        self.block, self.size, self.shift = block, size, shift
        self.relative, self.continuous, self.shifted, self.positions = relative, continuous, bool(size), causal
        if continuous:
            layers = nn.Linear(len(block), 512), nn.ReLU(inplace=True), nn.Linear(512, heads, bias=False)
            self.numbers = nn.Sequential(*layers)
        if relative:
            numbers = math.prod(2 * n - 1 for n in block)
            self.table = nn.Parameter(torch.empty(numbers, heads).normal_(std=0.02))
        self.constants()

    def constants(self) -> None:
        """Make the buffers, which follow from the sizes."""
        if self.continuous:
            axes = torch.meshgrid([torch.arange(1.0 - n, n) / (n - 1) for n in self.block], indexing="ij")
            distances = 8 * torch.stack(axes, -1).flatten(0, -2)
            self.register_buffer("distances", distances.sign() * (distances.abs() + 1).log2() / 3)
        if self.relative or self.continuous:
            index = torch.zeros(1, 1, dtype=torch.long)
            for n in self.block:
                steps = torch.arange(n)[:, None] - torch.arange(n) + n - 1
                index = torch.kron(index * (2 * n - 1), torch.ones_like(steps))
                index += steps.tile(len(index) // n, len(index) // n)
            self.register_buffer("index", index.flatten())
        hidden = [torch.ones(self.positions, dtype=torch.bool).triu(1)] if self.positions else []
        if self.shifted:
            ends = torch.zeros(1, 1, dtype=torch.long)
            for n, side, by in zip(self.size, self.block, self.shift, strict=True):
                end = (torch.arange(n) >= n - by).long().view(-1, side)
                here = torch.kron(ends * 2, torch.ones_like(end))
                ends = here + end.tile(*ends.shape)
            hidden.append(ends[:, None, :, None] != ends[:, None, None])
        if hidden:
            self.register_buffer("hidden", hidden[0] | hidden[-1], persistent=False)

    def attend(self, q: Tensor, k: Tensor, v: Tensor, images: int, *given: Tensor) -> Tensor:
        bias = self.bias(q, images, *given)
        y: Tensor = F.scaled_dot_product_attention(q, k, v, attn_mask=bias, scale=self.scale)
        return y

    def bias(self, q: Tensor, images: int, *given: Tensor) -> Tensor:
        """What is added to the scores of each head and window."""
        if given:
            bias = given[0].movedim(1, -3).contiguous()
            if self.shifted:
                bias = bias.view(images, -1, *bias.shape[-3:])
            if self.shifted or self.positions:
                bias = bias.masked_fill(self.hidden, float("-inf"))
            return bias.flatten(0, -4)
        if self.relative or self.continuous:
            n = q.shape[-2]
            table = self.table if self.relative else 16 * self.numbers(self.distances).sigmoid()
            bias = table[self.index].view(n, n, -1).permute(2, 0, 1).contiguous()[None]
        else:
            bias = q.new_zeros(1, 1, 1, 1)
        if self.shifted or self.positions:
            bias = bias.masked_fill(self.hidden, float("-inf"))
        if self.shifted:
            bias = bias.repeat(images, 1, 1, 1)
        return bias
