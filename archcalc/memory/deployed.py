"""A network as it is deployed: batch normalisations folded into convolutions, and sums written over a summand.

At inference a batch normalisation multiplies and shifts each channel by fixed numbers, which the weights and
the bias of the layer before it can take up. Jacob et al., Quantization and training of neural networks, 2018, section 3.2.
"""

from __future__ import annotations

from typing import Any

from archcalc.layers.convolution import CONVOLUTIONS
from archcalc.layers.dense import Linear
from archcalc.layers.join import Add
from archcalc.layers.norm import BatchNorm
from archcalc.network import Network, Node
from archcalc.sizes import Shape


def fold_batch_norm(network: Network) -> Network:
    """The network without the batch normalisations that are the only readers of a layer with weights of its own.

    Such a layer has a bias then. Sums are held in place, as by runtimes that let the convolution before them add to
    the shortcut (and by ``+=`` in torchvision's ResNet). Side heads, which run in training only, are left out.
    """

    def rebuild(input: Shape, settings: dict[str, Any]) -> Network:
        return fold_batch_norm(network.at(input, settings))

    folded = type(network)(
        network.name,
        network.input,
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
    place = {0: 0}
    for node in network.nodes[1:]:
        if node.side:
            continue
        if node.index in norms:
            place[node.index] = place[node.inputs[0]]
            continue
        layer = type(node.layer)(**{**node.layer.settings, "bias": True}) if node.index in into else node.layer
        place[node.index] = folded.add(
            node.name,
            layer,
            [place[i] for i in node.inputs],
            scopes=node.scopes,
            shares=None if node.shares is None else place[node.shares],
            place=node.place,
            storage="in_place" if isinstance(node.layer, Add) else node.storage,
        )
    folded.chosen, folded.unused = tuple(place[i] for i in network.outputs), network.unused
    return folded


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
