"""Layers that torch.nn lacks, as modules.

An exported model carries the source of those that it uses. So each stands on its own, and lines of code
break as a formatter breaks them at 88 columns.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn


class WindowSum(nn.Module):
    """The sum of each window: for windows that no pooling of torch.nn has."""

    def __init__(
        self,
        kernel: tuple[int, ...],
        stride: tuple[int, ...],
        dilation: tuple[int, ...] = (),
    ) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride
        self.dilation = dilation or (1,) * len(kernel)

    def forward(self, x: Tensor) -> Tensor:
        axes = zip(self.kernel, self.stride, self.dilation, strict=True)
        for axis, (k, s, d) in enumerate(axes, 2):
            x = x.unfold(axis, (k - 1) * d + 1, s)
            x = x[..., ::d] if d > 1 else x
        return x.sum(tuple(range(-len(self.kernel), 0)))


class DividedMean(nn.Module):
    """The mean of each window over the cells that count: all but those ``beyond``.

    Beyond are zeros around the map, as torch.nn.functional.pad takes them.
    """

    def __init__(self, windows: nn.Module, beyond: tuple[int, ...] = ()) -> None:
        super().__init__()
        self.windows, self.beyond = windows, beyond

    def forward(self, x: Tensor) -> Tensor:
        ends = zip(self.beyond[-2::-2], self.beyond[::-2], strict=True)
        around = [before + after for before, after in ends] or [0] * (x.dim() - 2)
        inner = [n - zeros for n, zeros in zip(x.shape[2:], around, strict=True)]
        cells = x.new_ones((1, 1, *inner))
        if self.beyond:
            cells = F.pad(cells, self.beyond)
        means: Tensor = self.windows(x)
        share: Tensor = self.windows(cells)
        return means / share


class Subsample(nn.Module):
    """LeNet-5's pooling: each window's sum times a trained coefficient, plus a bias (LeCun et al. 1998)."""

    def __init__(self, channels: int, axes: int, cells: int, sums: nn.Module) -> None:
        super().__init__()
        self.sums = sums
        shape = (channels, *(1 for _ in range(axes)))
        self.weight = nn.Parameter(torch.full(shape, 1 / cells))
        self.bias = nn.Parameter(torch.zeros(shape))

    def forward(self, x: Tensor) -> Tensor:
        sums: Tensor = self.sums(x)
        return sums.mul_(self.weight).add_(self.bias)


class BatchNormShift(nn.modules.batchnorm._BatchNorm):
    """Batch normalisation that trains a shift but no scale."""

    def __init__(self, channels: int, eps: float = 1e-5) -> None:
        super().__init__(channels, eps)
        self.register_parameter("weight", None)

    def reset_parameters(self) -> None:
        self.reset_running_stats()
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def _check_input_dim(self, x: Tensor) -> None:
        pass


class FrozenBatchNorm(nn.Module):
    """Batch normalisation whose four vectors are buffers, as in torchvision's detectors."""

    weight: Tensor
    bias: Tensor
    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int, axes: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.shape, self.eps = (1, channels, *(1 for _ in range(axes))), eps
        self.register_buffer("weight", torch.ones(channels))
        self.register_buffer("bias", torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        weight, bias = self.weight.reshape(self.shape), self.bias.reshape(self.shape)
        var, mean = (
            self.running_var.reshape(self.shape),
            self.running_mean.reshape(self.shape),
        )
        factor = weight * (var + self.eps).rsqrt()
        shift = bias - mean * factor
        return x * factor + shift


class ChannelNorm(nn.LayerNorm):
    """Layer normalisation over the channels at each position."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)


class ChannelRMSNorm(nn.RMSNorm):
    """Root mean square normalisation over the channels at each position."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)


class L2Norm(nn.Module):
    """Values divided by their length along some dimensions, times a trained scale per channel if there is one."""

    def __init__(
        self,
        eps: float,
        dim: Any = 1,
        channels: int = 0,
        axes: int = 0,
        init: float = 1,
    ) -> None:
        super().__init__()
        self.eps, self.dim = eps, dim
        shape = (channels, *(1 for _ in range(axes)))
        self.weight = nn.Parameter(torch.full(shape, init)) if channels else None

    def forward(self, x: Tensor) -> Tensor:
        y = F.normalize(x, dim=self.dim, eps=self.eps)
        return y if self.weight is None else y * self.weight


class LocalNorm(nn.Module):
    """Local response normalisation over the neighbours of a position in one channel, as in Caffe.

    Alpha is the factor of the mean of the squares.
    """

    def __init__(self, size: int, axes: int, alpha: float, beta: float, k: float):
        super().__init__()
        self.size, self.axes = size, axes
        self.alpha, self.beta, self.k = alpha, beta, k

    def forward(self, x: Tensor) -> Tensor:
        y, beyond = x.mul(x), self.size // 2
        if self.axes == 3:  # avg_pool3d refuses maps that are smaller than its windows
            y = F.pad(y, 6 * (beyond,))
            y = F.avg_pool3d(y, self.size, 1)
        else:
            pool = F.avg_pool1d if self.axes == 1 else F.avg_pool2d
            y = pool(y, self.size, 1, beyond)
        y = y.mul(self.alpha).add(self.k).pow(self.beta)
        return x / y


class ChannelLinear(nn.Linear):
    """A linear layer on the channels at each position."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)


class ZeroBiasLinear(nn.Linear):
    """A linear layer, on the last axis or on the channels, of which some biases are zero in every forward pass."""

    zeros: Tensor

    def __init__(
        self,
        in_features: int,
        out_features: int,
        start: int,
        stop: int,
        channels: bool = False,
    ) -> None:
        super().__init__(in_features, out_features)
        self.start, self.stop, self.channels = start, stop, channels
        self.constants()

    def constants(self) -> None:
        """Make the buffer, which follows from the sizes."""
        place = torch.arange(self.out_features)
        zeros = (place >= self.start) & (place < self.stop)
        self.register_buffer("zeros", zeros, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        bias = self.bias.masked_fill(self.zeros, 0)
        if self.channels:
            return F.linear(x.movedim(1, -1), self.weight, bias).movedim(-1, 1)
        return F.linear(x, self.weight, bias)


class LayerScale(nn.Module):
    """Every channel times a trained number (Touvron et al. 2021), plus a bias."""

    def __init__(self, channels: int, axes: int, init: float, bias: bool = False):
        super().__init__()
        shape = (channels, *(1 for _ in range(axes)))
        self.weight = nn.Parameter(torch.full(shape, init))
        self.bias = nn.Parameter(torch.zeros(shape)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight if self.bias is None else x * self.weight + self.bias


class DropPath(nn.Module):
    """Drops a sample's whole path in training (Huang et al. 2016), and scales what is kept."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x
        kept = torch.rand(len(x), *(1 for _ in x.shape[1:]), device=x.device) >= self.p
        return x * kept.to(x.dtype) / max(1 - self.p, 1e-12)


class UnequalSum(nn.Module):
    """The first map, to which each other map is added where both have values (darknet's shortcut)."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, first: Tensor, *others: Tensor) -> Tensor:
        y = first if self.inplace else first.clone()
        for x in others:
            here, there = [slice(None)], [slice(None)]
            for at, (n, m) in enumerate(zip(y.shape[1:], x.shape[1:], strict=True)):
                size, up, down = min(n, m), max(n // m, 1), max(m // n, 1)
                here.append(slice(0, size * up, up) if at else slice(size))
                there.append(slice(0, size * down, down) if at else slice(size))
            part = y if x.shape == y.shape else y[tuple(here)]
            part += x[tuple(there)]
        return y


class Rbf(nn.Module):
    """LeNet-5's output: squared distances to fixed codes of -1 and 1 (LeCun et al. 1998, equation 7)."""

    codes: Tensor

    def __init__(self, features: int, classes: int) -> None:
        super().__init__()
        codes = torch.randint(0, 2, (classes, features)) * 2.0 - 1
        self.register_buffer("codes", codes)

    def forward(self, x: Tensor) -> Tensor:
        return ((x[:, None] - self.codes) ** 2).sum(2)


def tie(module: nn.Module, owner: nn.Module) -> None:
    """Let the module use the owner's parameters and buffers in place of its own. Masks stay its own."""
    for kind in ("_parameters", "_buffers"):
        theirs: list[tuple[nn.Module, str]] = []
        ours: list[tuple[nn.Module, str]] = []
        for one, places in ((owner, theirs), (module, ours)):
            for m in one.modules():
                masks = m._non_persistent_buffers_set
                places += [(m, n) for n in getattr(m, kind) if n not in masks]
        for (m, name), (other, place) in zip(ours, theirs, strict=True):
            getattr(m, kind)[name] = getattr(other, kind)[place]
