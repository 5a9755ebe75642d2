"""archcalc's own convention."""

from __future__ import annotations

from archcalc.conventions.convention import Convention

CONVENTIONS = (
    Convention(
        "archcalc",
        "parameters are trained weights and biases; MACs of convolutions, linear layers, attention and matmul, 1 MAC = 2 FLOP",
        "archcalc's documentation, page counting",
        memory_unit=(10**6, "MB", 2),
        more="a MAC is one product of a weight and an input, or of two values in attention, added to a sum; biases, normalisation, activations and "
        "pooling add no MACs",
    ),
)
