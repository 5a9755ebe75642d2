"""Runs attention in one of PyTorch's two forms, on the CPU and on the meta device.

On the meta device PyTorch always takes the form ``math``. There, this mode asks PyTorch which form the CPU takes for
tensors of the same sizes and strides, and calls the fused operator itself.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import _disable_current_modes

from archcalc.pytorch.runner import AttentionForm

BACKENDS = {"math": [SDPBackend.MATH], "flash": [SDPBackend.FLASH_ATTENTION, SDPBackend.MATH]}
"""The operators that PyTorch can take for each form. ``flash`` falls back to ``math`` if the fused operator is refused."""


class InForm(TorchFunctionMode):
    """Every F.scaled_dot_product_attention runs in a form: ``flash`` or ``math``."""

    def __init__(self, form: AttentionForm) -> None:
        super().__init__()
        self.form = form

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is not F.scaled_dot_product_attention:
            return func(*args, **kwargs)
        with sdpa_kernel(BACKENDS[self.form]):
            if self.form == "flash" and args[0].device.type == "meta" and _fused(*args, **kwargs):
                return _flash(*args, **kwargs)
            return func(*args, **kwargs)


def _fused(*tensors: Tensor, attn_mask: Tensor | None = None, **settings: Any) -> bool:
    """Whether PyTorch takes the fused operator on the CPU. The tensors that ask are never written."""
    with _disable_current_modes():
        q, k, v = (_on_cpu(x) for x in tensors)
        mask = None if attn_mask is None else _on_cpu(attn_mask)
        choice: int = torch._fused_sdp_choice(q, k, v, attn_mask=mask, **settings)
    return choice == SDPBackend.FLASH_ATTENTION.value


def _on_cpu(x: Tensor) -> Tensor:
    there = torch.empty_strided(x.shape, x.stride(), dtype=x.dtype, device="cpu")
    return there.requires_grad_(x.requires_grad)


def _flash(*tensors: Tensor, attn_mask: Tensor | None = None, is_causal: bool = False, scale: Any = None) -> Any:
    q, k, v = tensors
    if torch.is_autocast_enabled("cpu"):
        if attn_mask is not None:
            attn_mask = attn_mask.to(torch.bfloat16)
        v, k, q = (x.to(torch.bfloat16) for x in (v, k, q))
    fused = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
    return fused(q, k, v, 0.0, is_causal, attn_mask=attn_mask, scale=scale)[0]
