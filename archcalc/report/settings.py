"""The settings of networks as columns of a table in which networks stand in rows."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from typing import Any

from archcalc.conditions.reader import SETTING
from archcalc.report.table import Heading
from archcalc.settings_text import setting_text

NUMBERS = (int, float, type(None))


def setting_columns(settings: Iterable[Mapping[str, Any]], taken: Container[str]) -> dict[str, Heading]:
    """A column for every setting, by name. A name that another column has is written ``setting.depth``."""
    kinds: dict[str, bool] = {}
    for one in settings:
        for name, value in one.items():
            kinds[name] = kinds.get(name, True) and isinstance(value, NUMBERS) and not isinstance(value, bool)
    called = {name: SETTING + name if name in taken else name for name in kinds}
    return {called[name]: Heading(called[name], called[name], "number" if of else "text") for name, of in kinds.items()}


def setting_cell(settings: Mapping[str, Any], column: str) -> Any:
    """The value of a setting: a number, or its text; None if the network has no such setting."""
    value = settings.get(column.removeprefix(SETTING))
    number = isinstance(value, NUMBERS) and not isinstance(value, bool)
    return value if number else setting_text(value)
