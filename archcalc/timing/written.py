"""The network as PyTorch code writes it, where layers of a network say the same in more steps.

A product with a single number is a product with a scalar, which does not change the precision of a map. A sum of a linear
layer without a bias and of a vector that is the same for every image is a linear layer with a bias.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archcalc.layers import registry
from archcalc.network import Network, Node
from archcalc.sizes import Shape


def constants(network: Network) -> set[int]:
    """The nodes whose values are the same for every image: parameters, and what is computed from them alone."""
    found: set[int] = set()
    for node in network.after_inputs:
        if node.layer.type == "parameter" or (node.inputs and found.issuperset(node.inputs)):
            found.add(node.index)
    return found


def as_written(network: Network) -> Network:
    """The network with these steps as one layer each; the same network if there are none."""
    same = constants(network)
    changed = {}
    for node in network.after_inputs if same else ():
        found = _scaled(network, node, same) or _biased(network, node, same)
        if found is not None:
            changed[node.index] = found
    if not changed:
        return network

    def rebuild(inputs: Mapping[str, Shape], settings: dict[str, Any]) -> Network:
        return as_written(network.at(inputs, settings))

    made = type(network)(
        network.name,
        network.inputs,
        title=network.title,
        about=network.about,
        settings=network.settings,
        defaults=network.defaults,
        origin=network.origin,
        file=network.file,
        takes=network.takes,
        notes=network.notes,
        rebuild=rebuild,
    )
    made.blocks, made.called = network.blocks, network.called
    gone = {source for source, layer in changed.values() if layer.type == "linear"}
    place = {i: i for i in range(len(network.inputs))}
    for node in network.after_inputs:
        if node.index in gone:
            continue
        layer, inputs = node.layer, list(node.inputs)
        if node.index in changed:
            source, layer = changed[node.index]
            inputs = list(network.nodes[source].inputs) if source in gone else [source]
        as_it_was = node.index not in changed
        place[node.index] = made.add(
            node.name,
            layer,
            [place[i] for i in inputs],
            scopes=node.scopes,
            place=node.place,
            shares=place[node.shares] if as_it_was and node.shares is not None else None,
            storage=node.storage if as_it_was else None,
        )
        made.nodes[-1].trained, made.nodes[-1].side = node.trained, node.side
    made.chosen, made.unused = tuple(place[i] for i in network.outputs), network.unused
    return made


def _scaled(network: Network, node: Node, same: set[int]) -> tuple[int, Any] | None:
    """The input and the layer of a product with a single number."""
    if node.layer.type != "multiply" or len(node.inputs) != 2:
        return None
    for source, factor in (node.inputs, node.inputs[::-1]):
        if factor in same and source not in same and network.nodes[factor].shape.values == 1:
            return source, registry["scale"](factor=2.0)
    return None


def _biased(network: Network, node: Node, same: set[int]) -> tuple[int, Any] | None:
    """The linear layer, and the same layer with a bias, of a sum with a vector."""
    if node.layer.type != "add" or len(node.inputs) != 2:
        return None
    for source, bias in (node.inputs, node.inputs[::-1]):
        linear, vector = network.nodes[source], network.nodes[bias]
        if linear.layer.type != "linear" or linear.layer.settings["bias"] or linear.shares is not None:
            continue
        alone = sum(source in other.inputs for other in network.nodes) == 1 and source not in network.outputs
        fits = linear.shape == node.shape and vector.shape.values == linear.layer.settings["out"]
        if bias in same and alone and fits:
            return source, type(linear.layer)(**{**linear.layer.chosen, "bias": True})
    return None
