"""Darknet's activations as layers.

Source: AlexeyAB/darknet 59596d7, src/activations.c and activations.h.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archcalc.errors import clipped
from archcalc.importing.cfg_file import Cfg
from archcalc.importing.darknet import Section
from archcalc.importing.errors import MissingError, WrongValueError
from archcalc.importing.graph import Blob

ACTIVATIONS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "logistic": ("sigmoid", {}),
    "relu": ("relu", {}),
    "relu6": ("relu6", {}),
    "leaky": ("leaky_relu", {"slope": 0.1}),
    "relie": ("leaky_relu", {"slope": 0.01}),
    "elu": ("elu", {}),
    "selu": ("selu", {}),
    "gelu": ("gelu", {"approximate": "tanh"}),
    "tanh": ("tanh", {}),
    "hardtan": ("hard_tanh", {}),
    "mish": ("mish", {}),
    "swish": ("silu", {}),
}
"""The layer of each activation (activations.c); linear is none."""
BY_TWO = {
    "ramp": (("leaky_relu", {"slope": 1 / 11}), ("scale", {"factor": 1.1})),  # x * (x > 0) + 0.1 * x
    "loggy": (("sigmoid", {}), ("scale", {"factor": 2.0, "shift": -1.0})),
}
"""Activations that are two layers."""
STRANGE = (
    *("hard_mish", "normalize_channels", "normalize_channels_softmax", "normalize_channels_softmax_maxval"),
    *("plse", "lhtan", "revleaky", "stair"),
)
"""Activations that are no layer of a spec."""


def activated(cfg: Cfg, section: Section, blob: Blob | None, default: str) -> Blob | None:
    """The blob after the section's activation."""
    given = section.word("activation", default)
    if given == "linear":
        return blob
    if given in ACTIVATIONS:
        type, settings = ACTIVATIONS[given]
        return cfg.add(type, blob, settings=settings)
    if given in BY_TWO:
        for type, settings in BY_TWO[given]:
            blob = cfg.add(type, blob, settings=settings)
        return blob
    if given in STRANGE:
        raise MissingError(f"the activation {given} has no counterpart")
    known = ", ".join(ACTIVATIONS)
    raise WrongValueError(f"unknown activation {clipped(given, 40)!r}; known: linear, {known}")
