"""Outputs of a network that the spec chooses by name. Layers that no chosen output needs are left out and listed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from archcalc.errors import LayerError, unknown
from archcalc.letters import all_prefixes
from archcalc.network import Network, Node, Unused
from archcalc.sizes import is_array
from archcalc.units import counted


def named_outputs(
    network: Network, names: Mapping[str, int | None], wanted: Sequence[str]
) -> tuple[list[int], list[str]]:
    """The nodes of the names in ``wanted``, and a problem for every name without a node.

    ``names``: the index of a node for every name in the spec; None: the node is unknown because of another problem.
    """
    known: dict[str, int | None] = {**{node.name: node.index for node in network.nodes}, **names}
    chosen: dict[int, str] = {}
    problems = []
    what = "an input of the network" if len(network.inputs) > 1 else "the network's input"
    for name in wanted:
        index = known.get(name)
        if name not in known:
            problems.append(unknown("output", name, known))
        elif index is not None and index < len(network.inputs):
            problems.append(f"outputs: {name} is {what}")
        elif index is not None and network.nodes[index].side:
            problems.append(f"outputs: {name} belongs to a side head, which runs in training only")
        elif index in chosen:
            both = f"{chosen[index]} and {name}, which are the same"
            problems.append(f"outputs names {name} twice" if chosen[index] == name else f"outputs names {both}")
        elif index is not None:
            chosen[index] = name
    return list(chosen), problems


def choose(network: Network, outputs: Sequence[int]) -> None:
    """Make ``outputs`` the outputs of a run, in this order, and remove the layers that no output needs.

    A layer that only a side head needs then runs in training only, like the side head. LayerError if a side head would
    own weights of the main path.
    """
    nodes = network.nodes
    read = {i for node in nodes for i in node.inputs}
    heads = [node.index for node in nodes if node.side and node.index not in read]
    inputs = range(len(network.inputs))
    main, needed = _behind(nodes, [*inputs, *outputs]), _behind(nodes, [*inputs, *outputs, *heads])
    left = [node for node in nodes if node.index in needed]
    place = {node.index: at for at, node in enumerate(left)}
    heirs = _heirs(nodes, left, main)
    network.unused = [
        Unused(
            node.name,
            None if node.shares is not None or node.index in heirs else node.layer.params(*network.input_shapes(node)),
        )
        for node in nodes
        if node.index not in needed
    ]
    network.chosen = tuple(place[i] for i in outputs)
    for node in left:
        if node.shares is not None:
            owner = heirs.get(node.shares, node.shares)
            node.trained = nodes[node.shares].trained
            node.shares = None if owner == node.index else place[owner]
    for node in left:
        node.side = node.index not in main
        node.index, node.inputs = place[node.index], tuple([place[i] for i in node.inputs])
        node.instead = tuple([(present, place[i]) for present, i in node.instead])
    nodes[:] = left
    around = set(all_prefixes(node.name for node in left))
    network.blocks = {name: block for name, block in network.blocks.items() if name in around}


def _behind(nodes: Sequence[Node], outputs: Iterable[int]) -> set[int]:
    """The nodes that lead to ``outputs``, with the outputs."""
    leading = set(outputs)
    for node in reversed(nodes):
        if node.index in leading:
            leading.update(node.inputs)
            leading.update(before for _, before in node.instead)
    return leading


def _heirs(nodes: Sequence[Node], left: Sequence[Node], main: set[int]) -> dict[int, int]:
    """The new owner of the weights of every removed layer whose weights other layers use: the first of these layers."""
    there = {node.index for node in left}
    heirs: dict[int, int] = {}
    for node in left:
        if node.shares is None or node.shares in there:
            continue
        heir = nodes[heirs.setdefault(node.shares, node.index)]
        if heir.index not in main and node.index in main:
            raise LayerError(
                f"{nodes[node.shares].name} serves no output; {node.name} would use its weights through {heir.name}, "
                f"which runs in training only"
            )
    return heirs


MOST_NAMED = 12
"""The most outputs or layers that a sentence names."""


def outputs_text(network: Network) -> str:
    """The outputs by name and shape, in the order in which a run returns them."""
    return _listed([f"{name} {shape}" for name, shape in outputs_of(network)])


def outputs_of(network: Network) -> list[tuple[str, str]]:
    """The name and the shape of every output."""
    return [(network.nodes[i].name, network.nodes[i].output) for i in network.outputs]


def outputs_lines(network: Network) -> list[str]:
    """A sentence if the network has several outputs; else nothing."""
    return [f"outputs: {outputs_text(network)}"] if len(network.outputs) > 1 else []


def unread_inputs(network: Network) -> list[str]:
    """The names of the inputs that no layer reads."""
    read = {i for node in network.nodes for i in node.inputs}
    return [name for index, name in enumerate(network.inputs) if index not in read]


def unused_names(network: Network) -> list[str]:
    """The names of the inputs and layers that no output needs."""
    return [*unread_inputs(network), *(layer.name for layer in network.unused)]


def unused_lines(network: Network) -> list[str]:
    """A sentence if no layer reads an input, and one if layers were removed because no chosen output needs them."""
    unused = network.unused
    unread = unread_inputs(network) if len(network.inputs) > 1 else []
    lines = [f"no layer reads the input{'s' if len(unread) > 1 else ''} {_listed(unread)}"] if unread else []
    if not unused:
        return lines
    owned = [layer.params for layer in unused if layer.params is not None]
    params: Any = sum(p.weight + p.bias for p in owned)
    one = len(unused) == 1
    owned_text = "" if is_array(params) else counted(params, "parameter") if params else "no parameters"
    ownership = f"; {'it' if one else 'they'} would own {owned_text}" if owned_text else ""
    return [
        *lines,
        f"{counted(len(unused), 'layer')} {'serves' if one else 'serve'} no output and "
        f"{'is' if one else 'are'} neither run nor counted: {_listed([layer.name for layer in unused])}{ownership}",
    ]


IMPORT = "import: "
"""How the note of a network begins that was imported from a file of another tool."""


def import_lines(network: Network) -> list[str]:
    """What the import of a network left out; nothing for a spec."""
    return [note for note in network.notes if note.startswith(IMPORT)]


def unused_of(networks: Iterable[Network]) -> list[str]:
    """The sentences on imports and unused layers for several networks, each with the name of its network."""
    return [
        f"{network.full_name}: {line}"
        for network in networks
        for line in (*import_lines(network), *unused_lines(network))
    ]


def _listed(names: Sequence[str]) -> str:
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")
