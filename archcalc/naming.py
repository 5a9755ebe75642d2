"""The names of several networks in one output: two networks never have the same name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from archcalc.network import Network


def distinct(networks: Sequence[Network]) -> list[str]:
    """The full names of the networks in one output. Two different networks never have the same name.

    Networks with the same name get their origin in the name, else their input, else a number.
    Two entries that are the same network at the same input have the same name.
    """
    names = [network.full_name for network in networks]
    for tell in (_with_origin, _with_input):
        for group in _alike(networks, names):
            additions = [tell(networks[at]) for at in group]
            if len(set(additions)) > 1:
                for at, text in zip(group, additions, strict=True):
                    names[at] += f" {text}"
    for group in _alike(networks, names):
        keys = list(dict.fromkeys(_key(networks[at]) for at in group))
        for at in group:
            number = keys.index(_key(networks[at])) + 1
            names[at] += f" ({number})" if number > 1 else ""
    return names


@contextmanager
def told_apart(networks: Sequence[Network]) -> Iterator[None]:
    """Inside the ``with`` block, different networks have different full names."""
    before = [network.called for network in networks]
    call(networks, distinct(networks))
    try:
        yield
    finally:
        call(networks, before)


def call(networks: Sequence[Network], names: Sequence[str]) -> None:
    """Set the full names of the networks."""
    for network, name in zip(networks, names, strict=True):
        network.called = name


def _alike(networks: Sequence[Network], names: Sequence[str]) -> list[list[int]]:
    """The positions of different networks with the same name: one list per name."""
    places: dict[str, list[int]] = {}
    for at, name in enumerate(names):
        places.setdefault(name, []).append(at)
    return [group for group in places.values() if len({_key(networks[at]) for at in group}) > 1]


def same_network(a: Network, b: Network) -> bool:
    """Whether ``a`` and ``b`` are the same network, with the same settings and the same input."""
    return a is b or _key(a) == _key(b)


def _key(network: Network) -> tuple[object, ...]:
    """A key that is equal for two entries if they are the same network at the same input."""
    identity = id(network) if network.origin == "code" else 0
    settings = repr(network.settings_changed)
    return network.name, network.title, settings, network.origin, network.file, repr(network.inputs), identity


def _with_input(network: Network) -> str:
    return f"at {network.input_text}"


def _with_origin(network: Network) -> str:
    return f"({network.file if network.origin == 'file' else network.origin})"
