"""The spec language as a JSON Schema, generated from the layer classes and the reader's tables."""

from __future__ import annotations

from typing import Any

from archcalc.language.keywords import ABOUT, BLOCK, FAMILY, KINDS, LAYERS, MAX_AXES, MAX_BUDGETS, NETWORK, OPTIONS
from archcalc.layers.base import STORAGES

_NAME = {"type": ["string", "number"], "description": "a name; braces hold expressions, as in conv{stage}_{i}"}
_ANY = {
    "description": "a number, true or false, a word, an expression, or a list of these",
    "type": ["number", "boolean", "string", "array", "null"],
}
_OPTION_SCHEMAS: dict[str, Any] = {
    "name": _NAME,
    "label": {**_NAME, "description": "names the block in folded tables, without becoming part of the names inside"},
    "when": {"type": ["boolean", "string"], "description": "a condition; a step not taken passes its input on"},
    "repeat": {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string"}], "description": "how often"},
    "as": {"type": "string", "description": "what the counter of repeat is called (i)"},
    "from": {
        "anyOf": [_NAME, {"type": "array", "items": _NAME, "minItems": 1}],
        "description": "the layer, block or input that this step takes instead of the one before",
    },
    "storage": {
        "anyOf": [{"enum": list(STORAGES)}, {"type": "string"}],
        "description": "how the output is held, where that is not as the layer's type does it",
    },
    "weights": {**_NAME, "description": "the earlier layer, block or group whose parameters are used"},
    "regions": {
        "anyOf": [{"type": "integer", "minimum": 1}, {"type": "string"}],
        "description": "the regions of an image for each of which a block or group runs",
    },
    "trained": {
        "type": ["boolean", "string"],
        "description": "false: the weights are frozen, for all layers inside",
    },
}
_ABOUT_SCHEMAS = {key: {"type": ["string", "number"]} for key in ABOUT}
_INPUT = {
    "type": "array",
    "items": {"type": ["integer", "string"]},
    "minItems": 1,
    "maxItems": 4,
    "description": "channels, height, width",
}
_INPUTS = {
    "type": "object",
    "additionalProperties": _INPUT,
    "minProperties": 2,
    "description": "several inputs by name; the first step of layers reads the first",
}
_OUTPUTS = {
    "anyOf": [_NAME, {"type": "array", "items": _NAME, "minItems": 1}],
    "description": "the layers whose outputs a run returns, in their order; without, all that no layer reads",
}
_BUDGETS = {
    "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "maxItems": MAX_BUDGETS}],
    "description": "conditions on the figures, such as macs < 4G, which archcalc check checks",
}
_COUNT = {"type": "integer", "minimum": 0, "maximum": MAX_AXES}
_AXES = {
    "anyOf": [_COUNT, {"type": "array", "items": _COUNT, "minItems": 1, "uniqueItems": True}],
    "description": "how many axes an input may have beside its channels; as many as the spec's own unless given",
}
_STEPS = {"type": ["array", "null"], "items": {"$ref": "#/$defs/step"}}


_PARAMS: dict[str, Any] = {"type": "object", "additionalProperties": _ANY}
_BLOCK: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["layers"],
    "properties": {
        "params": {"anyOf": [{"type": "array", "items": {"type": "string"}}, _PARAMS, {"type": "null"}]},
        "let": _PARAMS,
        "layers": _STEPS,
        "note": {"type": "string"},
    },
}


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a spec file."""
    layers = {name: _layer(name) for name in LAYERS}
    joins = [name for name, layer in LAYERS.items() if layer.joins and layer.fewest > 1]
    kinds = {**{name: {"$ref": f"#/$defs/{name}"} for name in LAYERS}, **dict.fromkeys(KINDS, _STEPS)}
    step = {
        "anyOf": [
            {"type": "string", "description": "a layer or block without settings"},
            {
                "type": "object",
                "properties": {**kinds, **_OPTION_SCHEMAS},
                "minProperties": 1,
                "additionalProperties": {"type": ["object", "null"], "description": "the arguments of a block"},
            },
        ],
    }
    network = {
        "type": ["object", "null"],
        "properties": {
            **_ABOUT_SCHEMAS,
            "input": _INPUT,
            "inputs": _INPUTS,
            "axes": _AXES,
            "outputs": _OUTPUTS,
            "budgets": _BUDGETS,
            "layers": _ANY,
        },
        "additionalProperties": _ANY,
    }
    properties = {
        **_ABOUT_SCHEMAS,
        "input": _INPUT,
        "inputs": _INPUTS,
        "axes": _AXES,
        "outputs": _OUTPUTS,
        "params": _PARAMS,
        "let": _PARAMS,
        "layers": _STEPS,
        "check": {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "description": "conditions on the parameters, and what to say where one does not hold",
        },
        "budgets": _BUDGETS,
        "networks": {"type": "object", "minProperties": 1, "additionalProperties": {"$ref": "#/$defs/network"}},
        "blocks": {"type": "object", "additionalProperties": {"$ref": "#/$defs/block"}},
    }
    for stated, words in ((properties, FAMILY), (_BLOCK["properties"], BLOCK), (network["properties"], NETWORK)):
        assert set(stated) == set(words)
    assert set(_OPTION_SCHEMAS) == set(OPTIONS)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "archcalc spec",
        "description": "A family of networks; see docs/spec.md",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "$defs": {"step": step, "block": _BLOCK, "network": network, **layers, **{name: _join(name) for name in joins}},
    }


def _layer(name: str) -> dict[str, Any]:
    layer = LAYERS[name]
    required = [key for key, field in layer.fields.items() if field.required]
    mapping = {
        "type": "object" if required else ["object", "null"],
        "description": " ".join((layer.__doc__ or "").split("\n\n")[0].split()),
        "properties": {key: field.schema() for key, field in layer.fields.items()},
        "required": required,
        "additionalProperties": False,
    }
    return {"anyOf": [mapping, layer.fields[layer.direct].schema()]} if layer.direct else mapping


def _join(name: str) -> dict[str, Any]:
    layer = _layer(name)
    both = {key: {"anyOf": [of, _STEPS]} for key, of in layer["properties"].items() if key in LAYERS[name].slots}
    several: dict[str, Any] = {"minProperties": 2}
    settings = {"propertyNames": {"enum": list(layer["properties"])}}
    branches = {"type": "object", "properties": layer["properties"] | both, "additionalProperties": _STEPS}
    branches |= {"anyOf": [several, settings]} if layer["properties"] else several
    listed = {"type": "array", "items": _STEPS, "minItems": 2}
    return {"anyOf": [branches, listed, {"type": "null"}], "description": layer["description"]}
