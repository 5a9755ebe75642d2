"""Random weights for a model."""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import nn

DRAWN = 1_000_003
"""How many random values are drawn for large weights, which repeat them. A prime: no axis has this period."""


def fill(model: nn.Module, seed: int = 0, kept: Collection[str] = ()) -> None:
    """Fills a model with random weights that keep values in range, and with running statistics other than 0 and 1.

    ``kept``: the names of buffers that are not filled.
    """
    tensors = [one for one in (*model.named_parameters(), *model.named_buffers()) if one[0] not in kept]
    if not tensors:
        return
    device = tensors[0][1].device
    filled, start = torch.Generator(device).manual_seed(seed), 0
    many = torch.empty(DRAWN, device=device).normal_(generator=torch.Generator(device).manual_seed(seed + 1)).repeat(2)
    for name, tensor in tensors:
        if not tensor.is_floating_point():
            tensor.zero_()
        elif name.endswith("running_var") or (tensor.dim() == 1 and name.endswith("weight")):
            tensor.data.uniform_(0.5, 1.5, generator=filled)
        elif tensor.dim() < 2:
            tensor.data.normal_(0, 0.1, generator=filled)
        elif tensor.numel() < DRAWN // 10:
            tensor.data.normal_(0, (1.5 / max(tensor[0].numel(), 1)) ** 0.5, generator=filled)
        else:
            values = tensor.data.as_strided((tensor.numel(),), (1,))
            for part in torch.split(values, DRAWN):
                part.copy_(many[start : start + len(part)])
            values.mul_((1.5 / tensor[0].numel()) ** 0.5)
            start = (start + len(values)) % DRAWN
