"""What the words of the language mean, for lists of completions and for help at a word."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from archcalc.language.keywords import LAYERS
from archcalc.language.schema import schema
from archcalc.layers import Layer
from archcalc.layers.settings import Choice, Flag, Like, Setting, message_text

KEYS: Mapping[str, str] = {
    "title": "the name of the family, or of a network, for readers",
    "paper": "authors, title, venue and year",
    "table": "the table of the paper that the spec follows",
    "page": "the page of that table",
    "year": "the year of publication",
    "url": "where the paper or the code is",
    "note": "what differs from the paper",
    "params": "parameters with their defaults, which a network or --set replaces",
    "let": "names for values that are computed once",
    "check": "conditions on the parameters, and what to say where one does not hold",
    "budgets": "conditions on the figures, such as macs < 4G, which archcalc check checks",
    "networks": "the networks of the family, each with the parameters that it sets",
    "blocks": "lists of steps with parameters, used by name",
    "layers": "the steps of the network, in the order in which they run",
    "side": "a side head: layers that run in training only",
}
FUNCTIONS: Mapping[str, str] = {
    "abs": "the absolute value",
    "ceil": "rounded up",
    "floor": "rounded down",
    "int": "without the part behind the point",
    "len": "the number of values of a list",
    "make_divisible": "rounded to a multiple of 8 or of the second number, as MobileNet rounds channels",
    "max": "the largest of a list or of several numbers",
    "min": "the smallest of a list or of several numbers",
    "round": "rounded to the nearest whole number, halves to the even one",
    "sum": "the sum of a list",
}


@lru_cache(maxsize=1)
def _schema() -> dict[str, Any]:
    return schema()


def about_key(key: str) -> str:
    """The meaning of a key of a spec, a network or a block."""
    return KEYS.get(key) or str(_schema()["properties"].get(key, {}).get("description", ""))


def about_option(key: str) -> str:
    """The meaning of an option of a step."""
    if key in KEYS:
        return KEYS[key]
    return str(_schema()["$defs"]["step"]["anyOf"][1]["properties"].get(key, {}).get("description", ""))


def about_layer(layer: type[Layer]) -> str:
    """What a layer type computes: the first paragraph of its description."""
    return " ".join((layer.__doc__ or "").split("\n\n")[0].split()).replace("``", "")


def source_of(layer: type[Layer]) -> str:
    """The paper that a layer type follows; '' if it names none."""
    parts = [" ".join(part.split()).replace("``", "") for part in (layer.__doc__ or "").split("\n\n")]
    return next((part for part in parts if part.startswith("Source: ")), "")


def default_text(setting: Setting) -> str:
    """The default of a setting, as a spec writes it."""
    if setting.required:
        return "required"
    return "none" if setting.default is None else message_text(setting.default).strip("'")


def values_of(setting: Setting) -> list[str]:
    """The words that a setting accepts."""
    if isinstance(setting, Flag):
        return ["true", "false"]
    if isinstance(setting, Choice):
        return [message_text(c).strip("'") for c in setting.choices if c is not None]
    words: list[str] = []
    left = [setting.schema()]
    while left:
        one = left.pop()
        words += [str(word) for word in [*one.get("enum", []), *([one["const"]] if "const" in one else [])]]
        left += one.get("anyOf", [])
    return [word for word in dict.fromkeys(words) if word != "None"]


def names_layers(setting: Setting) -> bool:
    """Whether the value of a setting names another layer."""
    return isinstance(setting, Like)


def template(name: str) -> str:
    """A step as it is inserted: a layer type with the settings that it needs."""
    needed = [key for key, setting in LAYERS[name].fields.items() if setting.required]
    if not needed:
        return name
    return f"{name}: {{{', '.join(f'{key}: ' for key in needed)}}}"
