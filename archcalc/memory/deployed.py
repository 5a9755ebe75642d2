"""The deployed network: batch normalisations are folded into convolutions, and sums are written in place.

At inference, a batch normalisation multiplies and shifts each channel by fixed numbers. The weights and the bias of the
layer before the normalisation can include these numbers. Jacob et al., Quantization and training of neural networks,
2018, section 3.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archcalc.layers.base import Layer
from archcalc.layers.convolution import CONVOLUTIONS
from archcalc.layers.dense import Linear
from archcalc.layers.join import Add
from archcalc.layers.norm import BatchNorm
from archcalc.network import Network, Node
from archcalc.sizes import Shape


def fold_batch_norm(network: Network) -> Network:
    """The network with each batch normalisation folded into the layer before the normalisation, if possible.

    Only a convolution or a linear layer that does not share its weights, and that no other layer reads, can take a
    normalisation; the layer then has a bias. Sums are written in place, as in runtimes whose convolution adds to the
    shortcut (and as ``+=`` in torchvision's ResNet). Side heads, which run in training only, are left out.
    """

    def rebuild(inputs: Mapping[str, Shape], settings: dict[str, Any]) -> Network:
        return fold_batch_norm(network.at(inputs, settings))

    folded = type(network)(
        network.name,
        network.inputs,
        title=network.title,
        about=network.about,
        settings=network.settings,
        defaults=network.defaults,
        origin=network.origin,
        file=network.file,
        takes=network.takes,
        notes=[
            *network.notes,
            "as deployed: batch normalisations folded into the layers before them, sums written over a summand",
        ],
        rebuild=rebuild,
    )
    folded.blocks, folded.called = network.blocks, network.called
    norms = _foldable(network)
    into = {network.nodes[i].inputs[0] for i in norms}
    place = {i: i for i in range(len(network.inputs))}
    for node in network.after_inputs:
        if node.side:
            continue
        if node.index in norms:
            place[node.index] = place[node.inputs[0]]
            continue
        layer = _with_bias(node.layer) if node.index in into else node.layer
        place[node.index] = folded.add(
            node.name,
            layer,
            [place[i] for i in node.inputs],
            scopes=node.scopes,
            shares=None if node.shares is None else place[node.shares],
            place=node.place,
            storage="in_place" if isinstance(node.layer, Add) else node.storage,
        )
        folded.nodes[-1].trained = node.trained
    folded.chosen, folded.unused = tuple(place[i] for i in network.outputs), network.unused
    return folded


def _with_bias(layer: Layer) -> Layer:
    """The layer with the shift of a normalisation in its bias; so no bias is zero."""
    given = {name: value for name, value in layer.chosen.items() if name != "zero_bias"}
    return type(layer)(**{**given, "bias": True})


def _foldable(network: Network) -> set[int]:
    readers: dict[int, list[Node]] = {}
    kept = {node.index for node in network.nodes if node.shares is not None}
    kept |= {node.shares for node in network.nodes if node.shares is not None} | set(network.outputs)
    for node in network.nodes:
        for i in node.inputs:
            readers.setdefault(i, []).append(node)
    return {
        node.index
        for node in network.nodes
        if isinstance(node.layer, BatchNorm)
        and isinstance(network.nodes[node.inputs[0]].layer, (*CONVOLUTIONS, Linear))
        and readers[node.inputs[0]] == [node]
        and node.inputs[0] not in kept
        and not node.side
    }
