"""Settings as text (`option=c,depths=[3,4]`), and checks: a setting has the same kind of value as the default."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from archcalc.errors import ArchcalcError, clipped, nearest
from archcalc.language.bounds import MAX_NUMBER
from archcalc.language.tree import parse, scalar
from archcalc.layers.settings import message_text
from archcalc.settings_text import setting_text
from archcalc.sizes import arrays_in, int_text, is_array, largest

if TYPE_CHECKING:
    from archcalc.language.family import Family


def read_setting(text: str) -> tuple[str, Any]:
    """The key and the value of KEY=VALUE, with the value as in a spec; ArchcalcError for any other text.

    >>> read_setting("depths=[3, 4]")
    ('depths', [3, 4])
    """
    key, equals, value = text.partition("=")
    key = key.strip()
    if not equals or not key:
        raise ArchcalcError(f"expected KEY=VALUE such as depth=28, got {message_text(text)}")
    if not value.strip() or scalar(value.strip()) is None:
        return key, None if value.strip() else ""
    try:
        return key, parse(value, "").data()
    except ArchcalcError:
        raise ArchcalcError(f"{key}: expected a value such as 28, true or [3, 4], got {message_text(value)}") from None


def read_settings(text: str) -> dict[str, Any]:
    """The settings KEY=VALUE,KEY=VALUE,... that follow the @ of a network's name.

    A comma in brackets or in quotes belongs to a value.
    """
    settings: dict[str, Any] = {}
    for part in parts(text):
        try:
            key, value = read_setting(part)
        except ArchcalcError as error:
            raise ArchcalcError(f"@{clipped(text, 120)}: {error}") from None
        if key in settings:
            raise ArchcalcError(f"{clipped(key, 60)} is set twice in @{clipped(text, 120)}")
        settings[key] = value
    return settings


def parts(text: str) -> list[str]:
    """The text, split at every comma outside brackets and quotes."""
    found, depth, quote, start = [], 0, "", 0
    for at, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote and text[at - 1] != "\\" else quote
        elif letter in "\"'":
            quote = letter
        elif letter in "[{":
            depth += 1
        elif letter in "]}":
            depth -= 1
        elif letter == "," and depth <= 0:
            found.append(text[start:at])
            start = at + 1
    return [*found, text[start:]]


def checked_settings(family: Family, name: str, settings: dict[str, Any]) -> dict[str, Any]:
    """The family's parameters with the network's settings and ``settings``; ArchcalcError if a setting is wrong."""
    values = family.params | family.networks[name].settings
    for key, given in settings.items():
        if key not in values:
            close = nearest(key, values)
            hint = f"; did you mean {close!r}?" if close else ""
            raise ArchcalcError(
                f"{name} has no parameter {clipped(key, 60)!r}{hint}; its parameters and defaults: {defaults(family, name)}"
            )
        wrong = mismatch(key, given, family.params[key])
        if wrong:
            raise ArchcalcError(f"{wrong}; the parameters of {name} and their defaults: {defaults(family, name)}")
        values[key] = given
    return values


def defaults(family: Family, name: str) -> str:
    """The parameters of a network with their defaults, as a message lists them."""
    values = family.params | family.networks[name].settings
    return ", ".join(f"{key}={setting_text(value)}" for key, value in values.items()) or "none"


def mismatch(name: str, given: Any, default: Any) -> str:
    """Why the value ``given`` does not fit a spec parameter with this default; '' if the value fits.

    A default of null accepts every kind of value.

    >>> mismatch("depth", "deep", 2)
    'depth=deep: expected a whole number as in depth=2'
    """
    if isinstance(given, dict):
        return f"{name}: expected a number, true or false, a word or a list of these, got a mapping"
    if not _finite(given):
        return f"{name}: expected finite numbers, got {message_text(given)}"
    for array in arrays_in([given]):
        if str(array.dtype) not in ("int64", "float64"):
            return f"{name}: expected an int64 or a float64 array, got {array.dtype}"
        if largest(abs(array)) > MAX_NUMBER:
            return f"{name}: numbers in arrays are at most {MAX_NUMBER:,}, got {int_text(array)}"
    if default is None or _alike(given, default):
        return ""
    return f"{name}={setting_text(given)}: expected {_kind(default)} as in {name}={setting_text(default)}"


def _finite(given: Any) -> bool:
    """Whether all numbers in a value are finite, and every array has numbers."""
    if isinstance(given, (list, tuple)):
        return all(map(_finite, given))
    if is_array(given) and not (given.size and given.dtype.kind in "iuf"):
        return False
    number = isinstance(given, float) or hasattr(given, "dtype")
    return not number or bool(largest(abs(given)) < float("inf"))  # False for NaN too


def _alike(given: Any, default: Any) -> bool:
    if isinstance(default, bool) or isinstance(given, bool):
        return isinstance(default, bool) and isinstance(given, bool)
    if isinstance(default, int) and is_array(given):
        return bool(str(given.dtype) == "int64")
    if isinstance(default, (int, float)):
        number = isinstance(given, int) or hasattr(given, "dtype")
        return number or (isinstance(given, float) and isinstance(default, float))
    if isinstance(default, list):
        return isinstance(given, (list, tuple))
    return isinstance(given, type(default))


def _kind(default: Any) -> str:
    if isinstance(default, bool):
        return "true or false"
    names = {int: "a whole number", float: "a number", str: "a word", list: "a list"}
    return names.get(type(default), "a value")
