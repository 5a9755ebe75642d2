"""The form of every layer in the model's code or in PyTorch's operators, as far as a convention's count depends on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from archcalc.conventions import Convention
from archcalc.conventions.source_style import APART, MODULE, TORCHVISION, WRITTEN, source_style
from archcalc.errors import ArchcalcError
from archcalc.memory.lifetime import inference
from archcalc.network import Network, Node

FormOf: TypeAlias = Callable[[Node], tuple[str, int]]
"""The form of a layer, and the number of modules that wrap the layer."""


def forms(network: Network, convention: Convention) -> FormOf | None:
    """The form of each layer; None: no count of the convention depends on a form."""
    if convention.library:
        style = source_style(network.zoo_name, convention.library, network.forms)

        def in_code(node: Node) -> tuple[str, int]:
            form, wrappers = style.form(node.layer.type, node.name)
            layer = node.layer
            fixed = layer.type == "conv" and layer.settings["fixed"]
            written = form == MODULE and (fixed or getattr(layer, "relative", False))  # weights that no module has
            return WRITTEN if written else form, wrappers

        return in_code
    known = source_style(network.zoo_name, TORCHVISION).source  # whose code copies windows into the product's order
    apart = _biases_apart(network, convention.name) if convention.counts_fused_biases and not known else ()
    return (lambda node: (APART if node.index in apart else MODULE, 0)) if apart else None


def _biases_apart(network: Network, name: str) -> set[int]:
    """The linear layers whose bias PyTorch adds after the product: their input does not lie in the product's order."""
    if not any(
        node.layer.type == "linear" and node.layer.settings["bias"] and node.shape.axes for node in network.nodes
    ):
        return set()
    if network.arrays:
        raise ArchcalcError(
            f"{name} depends on the order in memory before a linear layer; it takes single sizes, no arrays"
        )
    moments = inference(network).moments
    linear = {node.index for node in network.nodes if node.layer.type == "linear"}
    return {moment.node for moment in moments if moment.operator in ("add", "add_")} & linear
