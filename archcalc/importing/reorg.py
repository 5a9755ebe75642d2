"""Darknet's reorg as three movements of values.

Source: AlexeyAB/darknet 59596d7, src/blas.c, reorg_cpu, with the sizes that reorg_old_layer.c gives it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from archcalc.importing.errors import WrongValueError
from archcalc.importing.graph import Blob


def reorganised(rearrange: Callable[..., Any], blob: Blob | None, s: int) -> Blob | None:
    """The map after a reorg with stride ``s``. ``rearrange`` appends one movement.

    The memory of the map is read as 1 / s^2 of the channels and s times the positions along both axes, and then the
    blocks of s x s positions move into the channels.
    """
    if blob is None or s == 1:
        return blob
    if len(blob.shape.axes) != 2 or s < 1 or blob.shape.channels % s**2 or any(n % s for n in blob.shape.axes):
        raise WrongValueError(f"reorg by {s} does not fit a map of {blob.shape}")
    height, width = blob.shape.axes
    patterns = (
        "c h w -> (c h w)",
        f"(c {height} {s} {width} {s}) -> ({s} {s} c {height} {width})",
        f"(c {height // s} {width // s}) -> c {height // s} {width // s}",
    )
    for pattern in patterns:
        blob = rearrange(blob, settings={"pattern": pattern})
    return blob
