"""What a parameter can be set to: the same kind of value as its default."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from archcalc.errors import ArchcalcError, clipped, nearest

if TYPE_CHECKING:
    from archcalc.spec.reader import Family


def checked_settings(family: Family, name: str, settings: dict[str, Any]) -> dict[str, Any]:
    """The family's parameters with the network's and the given settings; ArchcalcError for a bad one."""
    values = family.params | family.networks[name].settings
    for key, given in settings.items():
        listed = defaults(family, name)
        if key not in values:
            close = nearest(key, values)
            hint = f"; did you mean {close!r}?" if close else ""
            raise ArchcalcError(
                f"{name} has no parameter {clipped(key, 60)!r}{hint}; its parameters and defaults: {listed}"
            )
        wrong = mismatch(key, given, family.params[key])
        if wrong:
            raise ArchcalcError(f"{wrong}; the parameters of {name} and their defaults: {listed}")
        values[key] = given
    return values


def defaults(family: Family, name: str) -> str:
    """The parameters of a network with their defaults, as a message lists them."""
    values = family.params | family.networks[name].settings
    return ", ".join(f"{key}={written(value)}" for key, value in values.items()) or "none"


def mismatch(name: str, given: Any, default: Any) -> str:
    """What is wrong with setting a parameter of that default so; empty when nothing is.

    A default of null says nothing about the kind.

    >>> mismatch("depth", "deep", 2)
    'depth=deep: expected a whole number as in depth=2'
    """
    if isinstance(given, dict):
        return f"{name}: expected a number, true or false, a word or a list of these, got a mapping"
    if default is None or _alike(given, default):
        return ""
    return f"{name}={written(given)}: expected {_kind(default)} as in {name}={written(default)}"


def _alike(given: Any, default: Any) -> bool:
    if isinstance(default, bool) or isinstance(given, bool):
        return isinstance(default, bool) and isinstance(given, bool)
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


def written(given: Any) -> str:
    """A value as a spec would write it, cut when it is long."""
    if isinstance(given, bool):
        return str(given).lower()
    if given is None:
        return "null"
    if isinstance(given, (list, tuple)):
        return ("[" + ",".join(map(written, given[:20])) + ("" if len(given) <= 20 else ",...") + "]")[:80]
    return str(given)[:80]
