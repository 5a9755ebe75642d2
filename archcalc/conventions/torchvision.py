"""The figures that torchvision gives for its weights: half of PyTorch's FlopCounterMode."""

from __future__ import annotations

from archcalc.conventions.convention import Convention
from archcalc.conventions.counts import NOT_IN_TORCH
from archcalc.conventions.source_style import TORCHVISION
from archcalc.conventions.torch_counter import MULTIPLY_ADDS, NOTHING

CONVENTIONS = (
    Convention(
        "torchvision",
        "multiply-adds of convolutions and matrix products: half of torch's counter, printed in G",
        "torchvision/models: _ops and num_params of the weights entries",
        TORCHVISION.version,
        multiply_adds=MULTIPLY_ADDS,
        nothing=NOTHING,
        unknown_reason=NOT_IN_TORCH,
        counts_side_heads=True,
    ),
)
