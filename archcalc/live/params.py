"""The spec parameters of a network, for sliders and choices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archcalc.live.documents import Document


def params_data(found: Document, network: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every spec parameter with its default, its value and its kind."""
    family = found.family
    if family is None:
        return []
    defaults = family.params | family.networks[network].settings
    return [
        {"name": name, "default": default, "value": values.get(name, default), "kind": kind(default)}
        for name, default in defaults.items()
    ]


def kind(value: Any) -> str:
    """The kind of a value: bool, int, float, word, list or any."""
    kinds = {bool: "bool", int: "int", float: "float", str: "word", list: "list"}
    return kinds.get(type(value), "any")
