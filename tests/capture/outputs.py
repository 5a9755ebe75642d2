"""The outputs of a built import and of its module, on the same weights and the same image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import nn

from archcalc.capture.recording import record
from archcalc.importing.traced.network import graph_of
from archcalc.witness.import_outputs import compared


def difference(module: nn.Module, sizes: Sequence[int] | Mapping[str, Sequence[int]]) -> float:
    """The largest difference, as a part of the largest output."""
    inputs = sizes if isinstance(sizes, Mapping) else {"input": sizes}
    graph = graph_of(record(module, inputs, "module"), "module")
    return float(compared(module, inputs, graph.finish(False), graph.origins)["difference"])
