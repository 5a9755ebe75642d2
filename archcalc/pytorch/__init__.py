"""One record per layer type: how PyTorch code writes the layer, and which operators PyTorch runs.

Nothing here imports torch. The records are complete: the import fails if a layer type has no record.
"""

from archcalc.layers import BUILT_IN
from archcalc.pytorch import (
    activation,
    attention,
    border,
    distance,
    join,
    learned,
    length,
    linear,
    local,
    maths,
    matmul,
    move,
    norm,
    pooling,
    rearrange,
    reduce,
    region,
    resample,
    response,
    sample,
    unfold,
    weighted,
)
from archcalc.pytorch.record import JoinRecord, Record, gaps, records

if problems := gaps(BUILT_IN):
    raise TypeError("; ".join(problems))

__all__ = ["JoinRecord", "Record", "gaps", "records"]
__all__ += [
    "activation",
    "attention",
    "border",
    "distance",
    "join",
    "learned",
    "length",
    "linear",
    "local",
    "maths",
    "matmul",
    "move",
    "norm",
    "pooling",
    "rearrange",
    "reduce",
    "region",
    "resample",
    "response",
    "sample",
    "unfold",
    "weighted",
]
