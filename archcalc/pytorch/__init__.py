"""What PyTorch does with each layer type, a record for each: how it writes the layer, and which operators run.

Nothing here imports torch. The records are complete: an import fails where a layer type has none.
"""

from archcalc.layers import BUILT_IN
from archcalc.pytorch import activation, join, norm, pooling, rearrange, weighted
from archcalc.pytorch.record import JoinRecord, Record, gaps, records

if problems := gaps(BUILT_IN):
    raise TypeError("; ".join(problems))

__all__ = ["JoinRecord", "Record", "gaps", "records"]
__all__ += ["activation", "join", "norm", "pooling", "rearrange", "weighted"]
