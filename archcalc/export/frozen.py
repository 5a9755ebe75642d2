"""The modules of a model whose weights are frozen."""

from __future__ import annotations

from archcalc.export.module_names import module_paths
from archcalc.letters import prefixes
from archcalc.network import Network


def frozen_modules(network: Network) -> list[str]:
    """The paths of the modules whose weights are all frozen, each as far out as possible; '' is the whole model."""
    if all(node.trained for node in network.nodes):
        return []
    paths = module_paths(network).layers
    weighted = [node for node in network.running() if any(node.layer.params(*network.input_shapes(node))[:2])]
    trained = {
        around
        for node in weighted
        if not network.frozen(node)
        for around in ("", *prefixes(paths[node.index]), paths[node.index])
    }
    found = dict.fromkeys(
        next(around for around in ("", *prefixes(paths[node.index]), paths[node.index]) if around not in trained)
        for node in weighted
        if node.shares is None and not node.trained
    )
    return list(found)
