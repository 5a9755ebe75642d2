"""What a place in a spec may hold, from the keys around it; and the names that an expression may use there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from archcalc.language.keywords import ABOUT, KINDS, LAYERS, OPTIONS
from archcalc.live.outline import Key, Outline

EXPRESSIONS = ("when", "repeat", "regions", "trained")
"""The options of a step whose value is an expression."""
NAMES = ("from", "weights", "outputs")
"""The keys whose value names layers."""


class Place(NamedTuple):
    """What a place holds.

    kind: spec, network, networks, blocks, block, params, let, check, steps, step, join, layer (settings), arguments, or for
    a value: setting, argument, option, param, expression, names, sizes, text. name: of the layer type, block, network or
    key. key: of a setting, argument or parameter.
    """

    kind: str
    name: str = ""
    key: str = ""


class Spec:
    """The keys of a text, by what they stand for."""

    def __init__(self, outline: Outline) -> None:
        self.keys = outline.keys
        self.params = {key.name: key.value for key in self.keys if key.path == ("params",)}
        self.let = {key.name: key.value for key in self.keys if key.path == ("let",)}
        self.networks = [key.name for key in self.keys if key.path == ("networks",)]
        self.blocks: dict[str, Key] = {key.name: key for key in self.keys if key.path == ("blocks",)}

    def of_block(self, block: str, part: str) -> dict[str, str]:
        """The parameters of a block, or its names under ``let``, with their texts."""
        found = {key.name: key.value for key in self.keys if key.path == ("blocks", block, part)}
        for key in self.keys:
            if key.path == ("blocks", block) and key.name == part and key.value.startswith("["):
                words = key.value.strip(" []").split(",")
                found |= {word.strip(): "" for word in words if word.strip()}
        return found

    def branches(self, join: str) -> list[str]:
        """The names of the branches of a join in the text."""
        mine = [key.name for key in self.keys if key.path[-1:] == (join,) and key.name not in LAYERS[join].fields]
        return list(dict.fromkeys(mine))

    def counters(self, block: str) -> list[str]:
        """The names of the counters of repeats: those of ``as``, and ``i``."""
        inside = ("blocks", block) if block else ("layers",)
        mine = [
            key for key in self.keys if key.path[: len(inside)] == inside or (not block and key.path[:1] != ("blocks",))
        ]
        named = [key.value.strip("'\"") for key in mine if key.name == "as" and key.path[-1:] == ("-",)]
        return [*dict.fromkeys(named), *(["i"] if any(key.name == "repeat" for key in mine) else [])]


def place_of(path: tuple[str, ...], key: str, spec: Spec) -> Place:
    """What stands under these keys: a container, or the value of ``key`` in it."""
    place = Place("spec")
    for element in path:
        place = _inside(place, element, spec)
    return _inside(place, key, spec) if key else place


def _inside(place: Place, key: str, spec: Spec) -> Place:
    """What stands under a key of a place; "-": an entry of its list."""
    kind = place.kind
    if key == "-":
        return {"steps": Place("step"), "join": Place("steps"), "step": Place("step")}.get(kind, place)
    if kind == "step" or kind == "steps":
        return _of_step(key, spec)
    if kind == "join":
        fields = LAYERS[place.name].fields
        slots = LAYERS[place.name].slots
        return Place("setting", place.name, key) if key in fields and key not in slots else Place("steps")
    ways: Mapping[str, Any] = {
        "spec": _of_spec,
        "networks": lambda key: Place("network", key),
        "network": lambda key: _of_network(key, place.name, spec),
        "blocks": lambda key: Place("block", key),
        "block": lambda key: _of_block(key, place.name),
        "params": lambda key: Place("param", place.name, key),
        "let": lambda key: Place("expression", key),
        "check": lambda key: Place("text"),
        "layer": lambda key: Place("setting", place.name, key),
        "arguments": lambda key: Place("argument", place.name, key),
    }
    return ways[kind](key) if kind in ways else Place("text")


def _of_spec(key: str) -> Place:
    if key in ABOUT:
        return Place("text")
    kinds = {"layers": "steps", "outputs": "names", "inputs": "sizes", "input": "sizes", "axes": "sizes"}
    return Place(kinds.get(key, key if key in ("params", "let", "check", "networks", "blocks") else "text"), key)


def _of_network(key: str, network: str, spec: Spec) -> Place:
    if key in spec.params:
        return Place("param", network, key)
    return _of_spec(key) if key in ("layers", "outputs", "inputs", "input", "axes") else Place("text")


def _of_block(key: str, block: str) -> Place:
    return Place({"layers": "steps", "params": "params", "let": "let"}.get(key, "text"), block)


def _of_step(key: str, spec: Spec) -> Place:
    if key in KINDS:
        return Place("steps")
    if key in NAMES:
        return Place("names", key)
    if key in OPTIONS:
        return Place("expression" if key in EXPRESSIONS else "option", key)
    if key in spec.blocks:
        return Place("arguments", key)
    if key in LAYERS:
        layer = LAYERS[key]
        return Place("join" if layer.joins and layer.fewest > 1 else "layer", key)
    return Place("text")


def block_around(path: tuple[str, ...]) -> str:
    """The block whose layers, names or parameters stand around a place; '' outside blocks."""
    return path[1] if len(path) > 1 and path[0] == "blocks" else ""


def scope(path: tuple[str, ...], spec: Spec) -> Iterator[tuple[str, str, str]]:
    """The names that an expression may use at a place, innermost first: name, kind and the text of its value."""
    block = block_around(path)
    if path[:1] == ("check",):
        block = ""
    elif path[:1] in (("layers",), ("blocks",)) or "layers" in path:
        for counter in spec.counters(block):
            yield counter, "counter", "the number of the turn, from 1"
        yield "channels", "channels", "the number of channels that reach this step"
    if block:
        for name, value in spec.of_block(block, "params").items():
            yield name, f"parameter of {block}", value
        for name, value in spec.of_block(block, "let").items():
            yield name, f"name in {block}", value
    for name, value in spec.params.items():
        yield name, "parameter", value
    for name, value in spec.let.items():
        yield name, "name", value
