"""What a network is called, with the settings that it was built with: `resnet50@option=c,classes=10`.

The text is what a user types to load the same network, so every table, picture and page can be traced to a command.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from archcalc.sizes import is_array, written

if TYPE_CHECKING:
    from archcalc.network import Network
    from archcalc.types import Setting

LONGEST, MOST = 80, 20
"""The most characters of a value, and the most values of a list, that are written out."""

_WORD = r"[A-Za-z_][A-Za-z0-9_./+-]*"
_NO_WORDS = ("true", "false", "null")


def setting_text(value: Any) -> str:
    """A value as a spec would write it, cut when it is long.

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
        return written(value)
    if isinstance(value, str) and (not re.fullmatch(_WORD, value) or value.lower() in _NO_WORDS):
        from json import dumps

        return _cut(dumps(value, ensure_ascii=not value.isprintable()))
    return _cut(str(value))


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def settings_text(settings: Mapping[str, Any]) -> str:
    """Settings as they follow the @ of a name.

    >>> settings_text({"option": "c", "depths": [3, 4]})
    'option=c,depths=[3,4]'
    """
    return ",".join(f"{key}={setting_text(value)}" for key, value in settings.items())


def changed(settings: Mapping[str, Setting], defaults: Mapping[str, Setting]) -> dict[str, Setting]:
    """The settings that differ from the defaults; a tuple stands for a list, and an array always differs."""
    return {
        key: value
        for key, value in settings.items()
        if is_array(value) or key not in defaults or _plain(value) != _plain(defaults[key])
    }


def _plain(value: Any) -> Any:
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def full_name(name: str, settings: Mapping[str, Any]) -> str:
    """The name of a network with its settings; the name alone where there are none."""
    return f"{name}@{settings_text(settings)}" if settings else name


def prefixes(name: str) -> Iterator[str]:
    """The names around a name, outermost first.

    >>> list(prefixes("a.b.c"))
    ['a', 'a.b']
    """
    return (name[:at] for at, letter in enumerate(name) if letter == ".")


def distinct(networks: Sequence[Network]) -> list[str]:
    """The full names of networks that stand in one output: never one name for two networks.

    Networks of one name are told apart by where they came from, else by their inputs, else by a number.
    Two entries that are the same network at the same input keep the same name.
    """
    names = [network.full_name for network in networks]
    for tell in (_with_origin, _with_input):
        for group in _alike(networks, names):
            told = [tell(networks[at]) for at in group]
            if len(set(told)) > 1:
                for at, text in zip(group, told, strict=True):
                    names[at] += f" {text}"
    for group in _alike(networks, names):
        keys = list(dict.fromkeys(_key(networks[at]) for at in group))
        for at in group:
            number = keys.index(_key(networks[at])) + 1
            names[at] += f" ({number})" if number > 1 else ""
    return names


@contextmanager
def told_apart(networks: Sequence[Network]) -> Iterator[None]:
    """Meanwhile no two of the networks have one full name."""
    before = [network.called for network in networks]
    call(networks, distinct(networks))
    try:
        yield
    finally:
        call(networks, before)


def call(networks: Sequence[Network], names: Sequence[str]) -> None:
    """Let the networks have these full names."""
    for network, name in zip(networks, names, strict=True):
        network.called = name


def _alike(networks: Sequence[Network], names: Sequence[str]) -> list[list[int]]:
    """The places of networks that differ and have one name, a list for each name."""
    places: dict[str, list[int]] = {}
    for at, name in enumerate(names):
        places.setdefault(name, []).append(at)
    return [group for group in places.values() if len({_key(networks[at]) for at in group}) > 1]


def same_network(a: Network, b: Network) -> bool:
    """Whether both are one network, with the same settings at the same input."""
    return a is b or _key(a) == _key(b)


def _key(network: Network) -> tuple[object, ...]:
    """What makes two entries the same network at the same input."""
    made = id(network) if network.origin == "code" else 0
    settings = repr(network.settings_changed)
    return network.name, network.title, settings, network.origin, network.file, repr(network.input), made


def _with_input(network: Network) -> str:
    return f"at {network.input}"


def _with_origin(network: Network) -> str:
    return f"({network.file if network.origin == 'file' else network.origin})"
