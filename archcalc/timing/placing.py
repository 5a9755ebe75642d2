"""Operators of a program at the layers of its network.

The code of a model runs operators, and says by which module. The network of its import has layers that bear the paths of
modules, and the layers of a module's own code have its path and their type.
"""

from __future__ import annotations

from collections.abc import Iterable

from archcalc.network import Network, Node
from archcalc.timing.operators import Operator

TYPES = {
    "convolution": ("conv", "conv_transpose", "conv_table"),
    "product": ("linear", "matmul", "attention"),
    "attention": ("attention", "matmul"),
}
"""The layer types whose products an operator of a kind may be."""


def placed(network: Network, found: Iterable[tuple[str, Operator]]) -> list[Operator]:
    """The operators, each at a layer: of the path of its module if there is one, else the one before it."""
    at_path: dict[str, list[Node]] = {}
    found = list(found)
    modules = {path for path, _ in found}
    for node in network.after_inputs:
        path, _, own = node.name.rpartition(".")
        at_path.setdefault(node.name, []).append(node)
        if own.startswith(node.layer.type) and node.name not in modules:
            at_path.setdefault(path, []).append(node)
    first = next((node for node in network.after_inputs if node.inputs), None)
    if first is None:
        return []
    here, result = first, []
    for path, one in found:
        while path and path not in at_path:
            path = path.rpartition(".")[0]
        known = [node for node in at_path.get(path, ()) if node.inputs]
        wanted = TYPES.get(one.kind)
        if wanted is not None:
            known = [node for node in known if node.layer.type in wanted] or known
        later = [node for node in known if node.index >= here.index] if one.phase == "forward" else known
        near = later or known
        if near and here not in near:
            here = min(near, key=lambda node: abs(node.index - here.index))
        result.append(one._replace(node=here.index))
    return result
