"""The layer types, each a small class that states its window, shape, parameters and work."""

from archcalc.layers import (
    activation,
    attention,
    border,
    convolution,
    dense,
    join,
    learned,
    maths,
    matmul,
    move,
    norm,
    pool,
    reduce,
    region,
    resample,
    reshape,
    sample,
    unfold,
)
from archcalc.layers.base import Layer, registry

BUILT_IN = frozenset(registry)
"""The layer types of archcalc; every other type in the registry belongs to a plugin."""

__all__ = ["BUILT_IN", "Layer", "registry"]
__all__ += [
    "activation",
    "attention",
    "border",
    "convolution",
    "dense",
    "join",
    "learned",
    "maths",
    "matmul",
    "move",
    "norm",
    "pool",
    "reduce",
    "region",
    "resample",
    "reshape",
    "sample",
    "unfold",
]
