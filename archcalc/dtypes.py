"""Bytes of one value, by dtype."""

from __future__ import annotations

from collections.abc import Mapping

from archcalc.errors import ArchcalcError, unknown

DTYPES: Mapping[str, int] = {
    "float64": 8,
    "float32": 4,
    "float16": 2,
    "bfloat16": 2,
    "int64": 8,
    "int32": 4,
    "int16": 2,
    "int8": 1,
    "uint8": 1,
}
"""Bytes of one value, by dtype name."""


def itemsize(dtype: str) -> int:
    """Bytes of one value of that dtype; ArchcalcError with the nearest name when it is unknown."""
    if dtype not in DTYPES:
        raise ArchcalcError(unknown("dtype", dtype, DTYPES))
    return DTYPES[dtype]
