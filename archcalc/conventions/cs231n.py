"""The counting rules of the CS231n notes: weights without biases, and the sum of all feature maps."""

from __future__ import annotations

from archcalc.conventions.convention import Convention, Tally, Term
from archcalc.conventions.counts import any_layer, biases

CONVENTIONS = (
    Convention(
        "cs231n",
        "parameters are weights without biases; memory is the sum of all volumes that are not written in place",
        "CS231n, Convolutional Networks, VGGNet in detail",
        parameters=Tally(Term("biases", any_layer, biases, -1)),
        memory_unit=(10**6, "MB", 1),
    ),
)
