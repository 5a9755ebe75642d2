"""The words of the spec language: its keys, options and layers, and what may be a name.

The reader, the JSON Schema and the tests all read these tables.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from archcalc.layers import Layer, registry

ABOUT = ("title", "paper", "table", "page", "year", "url", "note")
"""Keys that say what a network is; a network may say them for itself."""
FAMILY = (*ABOUT, "input", "axes", "outputs", "params", "let", "check", "networks", "blocks", "layers")
NETWORK = (*ABOUT, "input", "axes", "outputs", "layers")
BLOCK = ("params", "let", "layers", "note")
OPTIONS = ("name", "label", "when", "repeat", "as", "from", "weights", "storage")
KINDS = ("layers", "side")
RESERVED = ("channels", "if", "else", "and", "or", "not", "true", "false", "none", "null", "True", "False", "None")
"""Words of the expression language, which no parameter can be called."""


class LayerTypes(Mapping[str, type[Layer]]):
    """The layer types that a spec can use: every registered type but ``input``, those of plugins included."""

    def __getitem__(self, name: str) -> type[Layer]:
        if name == "input":
            raise KeyError(name)
        return registry[name]

    def __contains__(self, name: object) -> bool:
        return name in registry and name != "input"

    def __iter__(self) -> Iterator[str]:
        return (name for name in registry if name != "input")

    def __len__(self) -> int:
        return len(registry) - 1


LAYERS = LayerTypes()

PARAM = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")
"""What a parameter or a name of a let is called: a word of the expression language."""
MOST_LETTERS, MOST_LETTERS_OF_BLOCKS = 80, 40
"""The most letters in the name of a layer or network, and of a block or branch."""
LAYER_SIGNS, NETWORK_SIGNS = "./+-", ".-"
"""Signs in the name of a layer, and of a network."""

MAX_AXES = 3
"""The most axes of a feature map, its channels not counted."""
MAX_NAMES = 500
"""The most parameters of a family or a block, and the most names of a let."""
MAX_VALUES = 10_000
"""The most values that a parameter may hold."""
MAX_EXPRESSIONS = 100
"""The most values in a list that holds expressions."""
MAX_PROBLEMS = 50
"""After so many problems nothing more is looked for."""
MAX_LISTED = 20
"""So many problems are listed; the others are counted."""
