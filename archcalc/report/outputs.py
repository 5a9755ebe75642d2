"""The outputs of a network in words, and the layers that serve none of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from archcalc.network import Network
from archcalc.report.units import counted
from archcalc.sizes import is_array

MOST_NAMED = 12
"""So many outputs or layers are named in a sentence."""


def outputs_text(network: Network) -> str:
    """The outputs by name and shape, in the order in which a run returns them."""
    return _listed([f"{name} {shape}" for name, shape in outputs_of(network)])


def outputs_of(network: Network) -> list[tuple[str, str]]:
    """The name and the shape of every output."""
    return [(network.nodes[i].name, str(network.nodes[i].shape)) for i in network.outputs]


def outputs_lines(network: Network) -> list[str]:
    """A sentence where a network has several outputs."""
    return [f"outputs: {outputs_text(network)}"] if len(network.outputs) > 1 else []


def unused_lines(network: Network) -> list[str]:
    """A sentence where layers serve none of the outputs that were chosen."""
    unused = network.unused
    if not unused:
        return []
    owned = [layer.params for layer in unused if layer.params is not None]
    params: Any = sum(p.weight + p.bias for p in owned)
    one = len(unused) == 1
    owned_text = "" if is_array(params) else counted(params, "parameter") if params else "no parameters"
    said = f"; {'it' if one else 'they'} would own {owned_text}" if owned_text else ""
    return [
        f"{counted(len(unused), 'layer')} {'serves' if one else 'serve'} no output and "
        f"{'is' if one else 'are'} neither run nor counted: {_listed([layer.name for layer in unused])}{said}"
    ]


def unused_of(networks: Iterable[Network]) -> list[str]:
    """The same sentences where several networks stand side by side."""
    return [f"{network.full_name}: {line}" for network in networks for line in unused_lines(network)]


def _listed(names: Sequence[str]) -> str:
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")
