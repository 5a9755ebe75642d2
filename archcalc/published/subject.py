"""What a published figure is about."""

from __future__ import annotations

from typing import Any, NamedTuple


class Subject(NamedTuple):
    """What a figure is about: a network with its settings, at an input, and a layer or block of it or all of it."""

    network: str
    layer: str = ""
    input: tuple[int, ...] = ()
    settings: tuple[tuple[str, Any], ...] = ()
    training: bool = False
