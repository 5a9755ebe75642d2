"""Convolutions that torch.nn lacks, as modules, in the form of ``missing_layers``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn


class TableConv(nn.Module):
    """Convolution where each output map sees the input maps that a table lists (LeCun et al. 1998, Table I)."""

    def __init__(
        self,
        table: Sequence[Sequence[int]],
        axes: int,
        **settings: Any,
    ) -> None:
        super().__init__()
        self.table = [list(maps) for maps in table]
        conv = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}[axes]
        self.maps = nn.ModuleList(conv(len(maps), 1, **settings) for maps in table)

    def forward(self, x: Tensor) -> Tensor:
        pairs = zip(self.table, self.maps, strict=True)
        return torch.cat([conv(x[:, maps]) for maps, conv in pairs], 1)


class LocalConv(nn.Module):
    """Convolution with weights of its own at every position of the output, ``size`` (Taigman et al. 2014)."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: tuple[int, ...],
        size: tuple[int, ...],
        stride: tuple[int, ...],
        dilation: tuple[int, ...] = (),
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.kernel, self.size, self.stride = kernel, size, stride
        self.dilation = dilation or (1,) * len(kernel)
        places = torch.Size(size).numel()
        cells = places * in_channels * torch.Size(kernel).numel()
        self.conv = nn.Conv1d(cells, places * out_channels, 1, groups=places, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        axes = zip(self.kernel, self.stride, self.dilation, strict=True)
        for axis, (k, s, d) in enumerate(axes, 2):
            x = x.unfold(axis, (k - 1) * d + 1, s)
            x = x[..., ::d] if d > 1 else x
        x = x.movedim(1, 1 + len(self.size))
        x = x.clone(memory_format=torch.contiguous_format)
        y: Tensor = self.conv(x.view(len(x), -1, 1))
        return y.view(len(x), *self.size, -1).movedim(-1, 1)


class RelativeConv(nn.Module):
    """A 1x1 convolution whose groups are queries and whose output channels are keys, position by position.

    The weights of a query and a key are a trained vector of their relative position (Li et al. 2022, equation 4).
    """

    index: Tensor

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        groups: int,
        axes: int,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.groups, self.axes, depth = groups, axes, in_channels // groups
        self.keys = out_channels // groups
        count = 2 * max(groups, self.keys) - 1
        self.vectors = nn.Parameter(torch.empty(count, depth).normal_(std=0.02))
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None
        self.constants()

    def constants(self) -> None:
        """Make the buffer, which follows from the sizes."""
        size = max(self.groups, self.keys)
        queries = torch.arange(self.groups)[:, None] * (size // self.groups)
        keys = (torch.arange(self.keys) - self.keys + 1) * (size // self.keys)
        self.register_buffer("index", (queries - keys).flatten(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        weight = self.vectors[self.index]
        weight = weight.view(*weight.shape, *(1,) * self.axes)
        conv = (F.conv1d, F.conv2d, F.conv3d)[self.axes - 1]
        y: Tensor = conv(x, weight, self.bias, groups=self.groups)
        return y


class FixedConv(nn.Module):
    """A convolution whose weights are constants, such as the blur of Zhang 2019; at first, the mean of each window."""

    weight: Tensor

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: tuple[int, ...],
        stride: int | tuple[int, ...] = 1,
        padding: int | tuple[int, ...] = 0,
        dilation: int | tuple[int, ...] = 1,
        groups: int = 1,
    ) -> None:
        super().__init__()
        self.stride, self.padding = stride, padding
        self.dilation, self.groups = dilation, groups
        weight = torch.ones(out_channels, in_channels // groups, *kernel_size)
        self.register_buffer("weight", weight / weight[0].numel())

    def forward(self, x: Tensor) -> Tensor:
        conv = (F.conv1d, F.conv2d, F.conv3d)[self.weight.dim() - 3]
        settings = self.stride, self.padding, self.dilation, self.groups
        y: Tensor = conv(x, self.weight, None, *settings)
        return y


class OverLastAxes(nn.Module):
    """A layer over the last three axes of a map. The axes before are put into the batch."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        x = x.movedim(1, -4).contiguous()
        y: Tensor = self.layer(x.flatten(0, -5))
        return y.reshape(*x.shape[:-4], *y.shape[1:]).movedim(-4, 1)


class StandardisedConv(nn.Module):
    """Convolution whose weights have mean 0 and deviation 1 in each output channel (Qiao et al. 2019).

    With ``scaled``, they are multiplied with a trained gain and with gamma, and divided
    by the root of their number (Brock et al. 2021).
    """

    def __init__(
        self,
        conv: Any,
        scaled: bool = False,
        eps: float = 1e-8,
        gamma: float = 1.0,
    ) -> None:
        super().__init__()
        self.conv, self.eps, self.gamma = conv, eps, gamma
        self.gain = nn.Parameter(torch.ones(len(conv.weight))) if scaled else None

    def forward(self, x: Tensor) -> Tensor:
        factor = None
        if self.gain is not None:
            number = self.conv.weight[0].numel()
            factor = self.gain * (self.gamma * number**-0.5)
        weight = self.conv.weight.flatten(1)[None]
        weight = F.batch_norm(weight, None, None, factor, None, True, 0, self.eps)
        del factor
        weight = weight.view_as(self.conv.weight)
        y: Tensor = self.conv._conv_forward(x, weight, self.conv.bias)
        return y
