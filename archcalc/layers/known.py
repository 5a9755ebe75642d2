"""What is known of layers for all networks: layers of equal settings, their outputs and their numbers.

Networks have many layers in common, and so have the entries of a spec. Each is made and computed once.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from functools import lru_cache
from typing import Any

from archcalc.layers.base import Layer

MOST_KNOWN = 20_000
"""The most layers, outputs or numbers that are kept."""
MOST_LISTED = 16
"""The most values of a list in a key."""


def known(what: Hashable) -> dict[Any, Any]:
    """What is known so far, by layers and shapes without arrays."""
    found = kept(what)
    if len(found) >= MOST_KNOWN:
        found.clear()
    return found


@lru_cache(maxsize=16)
def kept(what: Hashable) -> dict[Any, Any]:
    """``known`` without a bound."""
    return {}


def known_layer(type: type[Layer], values: Mapping[str, Any]) -> Layer:
    """The layer of these settings; LayerError if there is none."""
    key = type, *[(name, key_part(value)) for name, value in values.items()]
    layers = known("layers")
    try:
        layer: Layer | None = layers.get(key)
    except TypeError:  # arrays
        return type(**values)
    if layer is None:
        layer = layers[key] = type(**values)
    return layer


def key_part(value: Any) -> Any:
    """A value as a part of a key, with its type: 1, 1.0 and true are equal in Python. Arrays and long lists are no keys."""
    if isinstance(value, list) and len(value) <= MOST_LISTED:
        return tuple([(type(one), one) for one in value])
    return value if type(value) is int else (type(value), value)
