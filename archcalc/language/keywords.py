"""The words of the spec language: keys, options and layers, and the rules for names.

The reader, the JSON Schema and the tests all read these tables.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from archcalc.layers import Layer, registry

ABOUT = ("title", "paper", "table", "page", "year", "url", "note")
"""Keys that describe a network. A network may replace the family's description."""
FAMILY = (
    *ABOUT,
    "input",
    "inputs",
    "axes",
    "outputs",
    "params",
    "let",
    "check",
    "budgets",
    "networks",
    "blocks",
    "layers",
)
NETWORK = (*ABOUT, "input", "inputs", "axes", "outputs", "budgets", "layers")
BLOCK = ("params", "let", "layers", "note")
OPTIONS = ("name", "label", "when", "repeat", "as", "from", "weights", "storage", "regions", "trained")
KINDS = ("layers", "side")
RESERVED = ("channels", "if", "else", "and", "or", "not", "true", "false", "none", "null", "True", "False", "None")
"""Words of the expression language. No parameter can have such a name."""


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
"""The name of a spec parameter, or a name under ``let``, as the expression language reads names."""

MAX_AXES = 3
"""The most axes of a feature map, channels not counted."""
MAX_INPUTS = 100
"""The most inputs of a network."""
MAX_NAMES = 500
"""The most parameters of a family or a block, and the most names under one ``let``."""
MAX_VALUES = 10_000
"""The most values in one spec parameter."""
MAX_BUDGETS = 100
"""The most conditions under one ``budgets``."""
MAX_EXPRESSIONS = 100
"""The most values in a list with expressions."""
MAX_PROBLEMS = 50
"""The number of problems after which archcalc stops the search for more."""
MAX_LISTED = 20
"""The number of problems that a message lists. The message counts the others."""
