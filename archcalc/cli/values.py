"""How the text of an option becomes a value. ArchcalcError says what was expected."""

from __future__ import annotations

import re
from typing import Any

from archcalc.errors import ArchcalcError
from archcalc.layers.settings import message_text

HELP = ("help", ...)
"""What ``--set help`` sets: the wish to see the parameters of the network."""


def whole(text: str) -> int:
    """A whole number."""
    if not re.fullmatch(r"[-+]?[0-9]+", text):
        raise ArchcalcError(f"expected a whole number, got {message_text(text)}")
    if len(text) > 18:
        raise ArchcalcError(f"expected a whole number of at most 18 digits, got {message_text(text)}")
    return int(text)


def numbers(text: str) -> list[int]:
    """Whole numbers with commas between, each at least 1."""
    values = [whole(part.strip()) for part in text.split(",")]
    if min(values) < 1 or len(values) > 1000:
        raise ArchcalcError(f"expected up to 1000 numbers from 1 on, such as 1,8,32, got {message_text(text)}")
    return values


def setting(text: str) -> tuple[str, Any]:
    """key=value, the value as a spec would write it."""
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
    """Names with commas between."""
    values = [name.strip() for name in text.split(",") if name.strip()]
    if not values:
        raise ArchcalcError(f"expected names with commas between, got {message_text(text)}")
    return values
