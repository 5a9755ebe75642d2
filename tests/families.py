"""The networks of the zoo by family, without those that repeat smaller ones of their family in other numbers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from archcalc import Network, load, networks
from archcalc.layers.settings import Choice, Flag
from archcalc.network import Node

FAMILIES: dict[str, list[str]] = {}
for _net, _family in networks().items():
    FAMILIES.setdefault(_family.name, []).append(_net)
EVERY = os.environ.get("ARCHCALC_ZOO") == "all"


def kind(node: Node) -> tuple[Any, ...]:
    """A layer without its numbers: type, words among the settings, place in the network, and how it is written."""
    layer = node.layer
    words = [value for name, value in layer.settings.items() if isinstance(layer.fields[name], (Choice, Flag))]
    place = len(node.shape.axes), len(node.inputs), len(node.scopes), node.side, node.shares is None
    return (
        layer.type,
        *words,
        layer.settings.get("groups", 1) == 1,
        node.storage,
        node.trained,
        node.times > 1,
        *place,
    )


def varied(family: str) -> Iterator[Network]:
    """The smallest network of a family, and each larger one with a kind of layer that the smaller ones lack.

    ARCHCALC_ZOO=all: all networks.
    """
    seen: set[tuple[Any, ...]] = set()
    for network in sorted(map(load, FAMILIES[family]), key=lambda network: len(network.nodes)):
        kinds = set(map(kind, network.nodes))
        if EVERY or not kinds <= seen:
            seen |= kinds
            yield network
