"""A device with round numbers, on which times are worked out by hand."""

from __future__ import annotations

from archcalc.timing.constants import CONSTANTS
from archcalc.timing.device import Device, Figure

ONES = dict.fromkeys(CONSTANTS, 1.0) | {"columns": 0.0, "depth": 0.0, "conversion": 0.0, "launch": 0.0, "call": 0.0}
ROUND = Device(
    "round",
    "Round numbers",
    "gpu",
    {"float32": Figure(1e12)},
    {"float16": Figure(4e12)},
    Figure(1e11),
    Figure(1.0),
    Figure(1e12),
    (Figure(1e9), Figure(1e9)),
    ONES,
)
"""1 TFLOPS, 4 in half precision, 100 GB/s, no cache, and no inefficiency."""
