"""Results in the memory order that they have on a CPU, for operators that give them another order on the meta device."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch._prims_common import suggest_memory_format
from torch.utils._python_dispatch import TorchDispatchMode

from archcalc.pytorch.weighted import in_onednn

CONVOLUTION = torch.ops.aten.convolution.default
KEEPING = (CONVOLUTION, torch.ops.aten.roll.default)
"""Operators that keep the memory format of their input on a CPU. On the meta device their results are contiguous."""


def as_on_cpu(func: Any, args: Any, out: Any) -> Any:
    """The outputs of an operator, in their memory order on a CPU."""
    if func in KEEPING and out.is_meta and not (func is CONVOLUTION and _without_onednn(*args)):
        return torch.empty_like(out, memory_format=suggest_memory_format(args[0]))
    if func is torch.ops.aten.native_layer_norm_backward.default and isinstance(out[0], Tensor):
        return (out[0].contiguous(), *out[1:])  # on the meta device the gradient has the strides of the output gradient
    return out


def _without_onednn(x: Tensor, weight: Tensor, *settings: Any) -> bool:
    """Whether a convolution over three axes makes a contiguous result from a single image in any order."""
    images, *sizes = x.shape
    return (images, len(sizes), x.dtype) == (1, 4, torch.float32) and not in_onednn(
        sizes, weight.shape[2:], settings[-1]
    )


class AsOnCpu(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Every operator gives its results the memory order that they have on a CPU."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return as_on_cpu(func, args, func(*args, **(kwargs or {})))
