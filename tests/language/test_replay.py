"""Uses of a block that are copied: the network is the one of uses that are expanded one by one."""

from __future__ import annotations

from typing import Any

import pytest

from archcalc import ArchcalcError, Network
from archcalc.language.expand import expand
from archcalc.language.naming import Names
from archcalc.language.replay import Replay
from archcalc.language.zoo import families, read_text, zoo_family
from archcalc.sizes import Shape

UNIT = "  unit: {params: [out], layers: [{conv: {out: out, kernel: 1}, name: conv}, relu]}\n"


def build(text: str) -> Network:
    return expand(read_text(text, "net.yaml", "net"), "net")


def told(network: Network) -> list[Any]:
    """Everything that a network says of its layers and names."""
    slots = [slot for slot in type(network.nodes[0]).__slots__ if slot not in ("layer", "place")]
    nodes = [
        ([getattr(node, slot) for slot in slots], node.layer.type, node.layer.settings, node.place and node.place.line)
        for node in network.nodes[1:]
    ]
    return [nodes, list(network.blocks.items()), network.outputs, network.unused]


@pytest.mark.parametrize("family", families()[::5])
def test_networks_of_the_zoo_are_those_without_copies(family: str, monkeypatch: pytest.MonkeyPatch):
    read = zoo_family(family)
    names = list(read.networks)[-2:]
    taken = []
    check = Names.check
    monkeypatch.setattr(Names, "check", lambda self, operations: taken.append(operations) or check(self, operations))
    copied = [told(expand(read, name)) for name in names]
    monkeypatch.setattr(Replay, "_flawless", lambda self: False)
    assert [told(expand(read, name)) for name in names] == copied
    assert taken[: len(taken) // 2] == taken[len(taken) // 2 :]


def test_a_second_use_is_a_copy(monkeypatch: pytest.MonkeyPatch):
    copies = []
    copied = Replay._copied
    monkeypatch.setattr(Replay, "_copied", lambda self, *given: copies.append(given[2]) or copied(self, *given))
    layers = "layers:\n  - unit: {out: 3}\n  - unit: {out: 3}\n  - unit: {out: 4}\n  - {unit: {out: 4}, name: last}\n"
    network = build(f"input: [3, 8, 8]\nblocks:\n{UNIT}{layers}")
    assert copies == ["unit2."]  # the third reads as many channels, and the fourth reads others
    assert [node.name for node in network.nodes[3:5]] == ["unit2.conv", "unit2.relu"]


def test_a_use_that_reads_a_layer_outside_is_no_copy():
    text = """input: [3, 8, 8]
blocks:
  join: {layers: [tanh, {add: , from: [x, tanh]}]}
layers:
  - {name: a, layers: [{relu: , name: x}, {sigmoid: , name: tanh}, {join: , name: j}]}
  - {name: b, layers: [{relu: , name: x}, {sigmoid: , name: tanh}, {join: , name: j}]}
"""
    network = build(text)
    index = {node.name: node.index for node in network.nodes}
    for group in "ab":
        assert network.nodes[index[f"{group}.j.add"]].inputs == (index[f"{group}.x"], index[f"{group}.tanh"])


def test_a_copy_has_weights_of_its_own():
    group = "{layers: [{conv: {out: 3, kernel: 1}, name: conv}, relu], name: a}"
    uses = "{unit: {out: 3}, name: b, weights: a}, {unit: {out: 3}, name: c}"
    network = build(f"input: [3, 8, 8]\nblocks:\n{UNIT}layers: [{group}, {uses}]\n")
    shares = {node.name: node.shares for node in network.nodes}
    assert shares["b.conv"] == network.nodes[1].index
    assert shares["a.conv"] is None
    assert shares["c.conv"] is None


def test_a_group_uses_the_weights_of_a_group_in_a_copy():
    block = "  unit: {layers: [{layers: [{conv: {out: 3, kernel: 1}, name: conv}, relu], name: g}]}\n"
    uses = "{unit: , name: a}, {unit: , name: b}, {unit: , name: c, weights: b.g}"
    network = build(f"input: [3, 8, 8]\nblocks:\n{block}layers: [{uses}]\n")
    assert [(node.name, node.shares) for node in network.nodes[3:]] == [
        ("b.g.conv", None),
        ("b.g.relu", None),
        ("c.g.conv", 3),
        ("c.g.relu", None),
    ]


def test_weights_shared_within_a_use_are_shared_within_a_copy():
    block = (
        "  twice: {layers: [{conv: {out: 3, kernel: 1}, name: a}, {conv: {out: 3, kernel: 1}, name: b, weights: a}]}\n"
    )
    network = build(f"input: [3, 8, 8]\nblocks:\n{block}layers: [twice, twice, twice]\n")
    index = {node.name: node.index for node in network.nodes}
    assert [network.nodes[index[f"twice{n}.b"]].shares for n in (1, 2, 3)] == [index[f"twice{n}.a"] for n in (1, 2, 3)]


@pytest.mark.parametrize("first", ["3", "3.0"])
def test_arguments_that_python_calls_equal_differ(first: str):
    text = f"input: [3, 8, 8]\nblocks:\n{UNIT}layers: [unit: {{out: {first}}}, unit: {{out: VALUE}}]\n"
    assert build(text.replace("VALUE", "3")).nodes[3].shape.channels == 3
    text = text.replace("3.0", "1.0").replace("out: 3}", "out: 1}")
    with pytest.raises(ArchcalcError, match="out: expected a whole number, got true"):
        build(text.replace("VALUE", "true"))


def test_a_problem_names_the_use_that_has_it():
    """The second use is like the first, and its name is taken."""
    layers = "layers:\n  - {relu: , name: u2.conv}\n  - {unit: {out: 3}, name: u1}\n  - {unit: {out: 3}, name: u2}\n"
    with pytest.raises(ArchcalcError, match=r"two things are called u2\.conv"):
        build(f"input: [3, 8, 8]\nblocks:\n{UNIT}{layers}")


def test_a_use_whose_side_head_does_not_fit_is_not_copied():
    text = """input: [3, 8, 8]
blocks:
  head: {layers: [{side: [{conv: {out: 2, kernel: 5}, name: aux}]}, {relu: , name: main}]}
layers: [head, {max_pool: {kernel: 2, stride: 2}}, {upsample: {scale: 2}}, head]
"""
    family = read_text(text, "net.yaml", "net")
    for size, fits in ((4, False), (8, True), (4, False)):
        network = expand(family, "net", input={"input": Shape(3, (size, size))})
        assert (network.side_problem == "") is fits
        assert sum(node.layer.type == "conv" for node in network.nodes) == 2 * fits
