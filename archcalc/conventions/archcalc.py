"""archcalc's own convention."""

from __future__ import annotations

from archcalc.conventions.convention import Convention

CONVENTIONS = (
    Convention(
        "archcalc",
        "parameters are trained weights and biases; a MAC is one product of a weight and an input added to a sum, "
        "1 MAC = 2 FLOP; biases, normalisation, activations and pooling add no MACs",
        "archcalc's documentation, page counting",
        memory_unit=(10**6, "MB", 2),
    ),
)
