"""Functions that read the value of an option from its text. ArchcalcError names the expected text."""

from __future__ import annotations

import re
from typing import Any

from archcalc.errors import ArchcalcError
from archcalc.layers.settings import message_text

HELP = ("help", ...)
"""The setting that ``--set help`` makes. It asks for a list of the spec parameters of the network."""


def whole(text: str) -> int:
    """A whole number."""
    if not re.fullmatch(r"[-+]?[0-9]+", text):
        raise ArchcalcError(f"expected a whole number, got {message_text(text)}")
    if len(text) > 18:
        raise ArchcalcError(f"expected a whole number of at most 18 digits, got {message_text(text)}")
    return int(text)


def numbers(text: str) -> list[int]:
    """Whole numbers, separated by commas. Each number is at least 1."""
    values = [whole(part.strip()) for part in text.split(",")]
    if min(values) < 1 or len(values) > 1000:
        raise ArchcalcError(f"expected up to 1000 numbers from 1 on, such as 1,8,32, got {message_text(text)}")
    return values


def setting(text: str) -> tuple[str, Any]:
    """A setting ``key=value``. The value is written as in a spec."""
    if text == "help":
        return HELP
    from archcalc.language.settings import read_setting

    return read_setting(text)


def unit(text: str) -> tuple[int, ...]:
    """The position of a unit in a map: Y,X."""
    text = text.strip().lower()
    if not re.fullmatch(r"-?[0-9]{1,18}([,x]-?[0-9]{1,18}){0,2}", text):
        raise ArchcalcError(f"expected a position such as 3,4 (row, column), got {message_text(text)}")
    return tuple(map(int, re.split("[,x]", text)))


def names(text: str) -> list[str]:
    """Names, separated by commas."""
    values = [name.strip() for name in text.split(",") if name.strip()]
    if not values:
        raise ArchcalcError(f"expected names with commas between, got {message_text(text)}")
    return values
