"""The name of a network with its settings: `resnet50@option=c,classes=10`.

A user can type this text to load the same network. So every table, picture and page can be traced to a command.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from archcalc.sizes import any_array, int_text, is_array

if TYPE_CHECKING:
    from archcalc.types import Setting

LONGEST, MOST = 80, 20
"""The most characters of a value, and the most values of a list, that a text shows."""

_WORD = r"[A-Za-z_][A-Za-z0-9_./+-]*"
_NO_WORDS = ("true", "false", "null")


def setting_text(value: Any) -> str:
    """A value as in a spec, cut if the value is long.

    >>> setting_text([6, 12, 24]), setting_text("c"), setting_text("7"), setting_text(False)
    ('[6,12,24]', 'c', '"7"', 'false')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "null"
    if isinstance(value, (list, tuple)):
        return _cut("[" + ",".join(map(setting_text, value[:MOST])) + ("" if len(value) <= MOST else ",...") + "]")
    if is_array(value):
        return int_text(value)
    if isinstance(value, str) and (not re.fullmatch(_WORD, value) or value.lower() in _NO_WORDS):
        from json import dumps

        return _cut(dumps(value, ensure_ascii=not value.isprintable()))
    return _cut(str(value))


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def settings_text(settings: Mapping[str, Any]) -> str:
    """Settings as the text after the @ of a name.

    >>> settings_text({"option": "c", "depths": [3, 4]})
    'option=c,depths=[3,4]'
    """
    return ",".join(f"{key}={setting_text(value)}" for key, value in settings.items())


def changed(settings: Mapping[str, Setting], defaults: Mapping[str, Setting]) -> dict[str, Setting]:
    """The settings that differ from the defaults. A tuple equals a list of the same values; an array always differs."""
    return {
        key: value
        for key, value in settings.items()
        if any_array([value]) or key not in defaults or _plain(value) != _plain(defaults[key])
    }


def _plain(value: Any) -> Any:
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def full_name(name: str, settings: Mapping[str, Any]) -> str:
    """The name of a network with its settings; only the name if there are no settings."""
    return f"{name}@{settings_text(settings)}" if settings else name
