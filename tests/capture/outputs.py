"""The outputs of a built import and of its module, on the same weights and the same image."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

import archcalc
from archcalc.witness import build
from archcalc.witness.counterpart import output_difference, pairs, take
from archcalc.witness.random_weights import fill


def difference(theirs: nn.Module, sizes: Sequence[int]) -> float:
    """The largest difference, in numbers of 64 bits."""
    fill(theirs.eval())
    ours = build(archcalc.from_torch(theirs, input=sizes)).double().eval()
    image = torch.randn(1, *sizes, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    theirs = theirs.double()
    found, problem = pairs(ours, theirs, image)
    assert not problem, problem
    with torch.no_grad():
        take(ours, theirs, found)
    return output_difference(ours, theirs, image)
