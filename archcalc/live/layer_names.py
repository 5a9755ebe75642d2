"""Names that ``from``, ``weights`` and ``outputs`` may use at a place.

They come from the network, if the text without the line that is typed is valid; else from the names in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from archcalc.errors import ArchcalcError
from archcalc.letters import prefixes
from archcalc.live.documents import network_in
from archcalc.live.places import Spec
from archcalc.live.state import State
from archcalc.network import Network

MOST = 300


def layer_names(state: State, spec: Spec, block: str, line: int) -> Iterator[tuple[str, str]]:
    """The names, the nearest before the line first, each with its shape or what it is."""
    network = _network(state, line)
    if network is None:
        yield from _in_text(spec, block, line)
        return
    prefix = _prefix(network, block)
    if prefix is None:
        yield from _in_text(spec, block, line)
        return
    nodes = [node for node in network.nodes if node.name.startswith(prefix)]
    before = [node for node in nodes if node.place is None or node.place.line < line or state.network != ""]
    known = dict[str, str]()
    for node in reversed(before):
        known.setdefault(node.name[len(prefix) :], str(node.shape))
    for node in reversed(before):
        for name in prefixes(node.name[len(prefix) :]):
            known.setdefault(name, f"ends in {node.shape}")
    yield from list(known.items())[:MOST]


def _network(state: State, line: int) -> Network | None:
    """The network of the text, of the text without one line, or of that before the step; None if none is valid."""
    lines = state.text.split("\n")
    step = max((at for at, one in enumerate(lines[:line]) if re.match(r" {0,2}- ", one)), default=0)
    without = [*lines[: line - 1], "", *lines[line:]]
    for text in (state.text, "\n".join(without), "\n".join(lines[:step])):
        try:
            return network_in(state._replace(text=text))
        except ArchcalcError:
            continue
    return None


def _prefix(network: Network, block: str) -> str | None:
    """What stands before the names in the first use of a block; None if the block is not used."""
    if not block:
        return ""
    return next((f"{name}." for name, used in network.blocks.items() if used == block), None)


def _in_text(spec: Spec, block: str, line: int) -> Iterator[tuple[str, str]]:
    """The names that the text gives to layers, in the same block."""
    inside = ("blocks", block) if block else ("layers",)
    mine = [key for key in spec.keys if key.name == "name" and key.path[: len(inside)] == inside and key.line != line]
    for key in reversed(mine):
        name = key.value.partition(" #")[0].strip(" '\",}")
        if name:
            yield name, "name"
