"""One thing by one name: names that are made up keep out of the way of names that a spec gives."""

from __future__ import annotations

import pytest

from archcalc import ArchcalcError, Network
from archcalc.language.expand import expand
from archcalc.language.zoo import read_text

HEAD = """
input: [3, 8, 8]
blocks:
  b: {layers: [{conv: {out: 3, kernel: 1}, name: conv}, relu]}
  nest: {layers: [b, {relu: , name: b1}]}
layers:
"""


def build(layers: str) -> Network:
    return expand(read_text(HEAD + layers, "net.yaml", "net"), "net")


def names(network: Network) -> list[str]:
    return [node.name for node in network.nodes[1:]]


@pytest.mark.parametrize(
    ("layers", "wanted"),
    [
        # a block has the name of an unnamed layer, before and after it
        (
            "  - {b: , name: conv1}\n  - conv: {out: 8, kernel: 3}\n  - conv: {out: 2, kernel: 1}\n",
            ["conv1.conv", "conv1.relu", "conv2", "conv3"],
        ),
        (
            "  - conv: {out: 8, kernel: 3}\n  - conv: {out: 2, kernel: 1}\n  - {b: , name: conv2}\n",
            ["conv1", "conv3", "conv2.conv", "conv2.relu"],
        ),
        # a layer, a group, a join and a branch
        ("  - {tanh: , name: relu}\n  - relu\n", ["relu", "relu1"]),
        ("  - relu\n  - {layers: [tanh], name: relu}\n", ["relu1", "relu.tanh"]),
        ("  - relu\n  - {add: [[], []], name: relu}\n", ["relu1", "relu.add"]),
        ("  - relu\n  - add: {relu: [tanh], other: []}\n", ["relu1", "relu.tanh", "add"]),
        # the name before a dot in a given name
        ("  - relu\n  - {tanh: , name: relu.x}\n", ["relu1", "relu.x"]),
        # inside a scope
        (
            "  - layers: [relu, {tanh: , name: relu}]\n    name: g\n  - relu\n",
            ["g.relu1", "g.relu", "relu"],
        ),
        # names made up for blocks: a given one before, and one after
        ("  - {relu: , name: b1}\n  - b\n", ["b1", "b2.conv", "b2.relu"]),
        ("  - b\n  - {relu: , name: b1}\n", ["b2.conv", "b2.relu", "b1"]),
        ("  - b\n  - b\n  - {relu: , name: b2}\n", ["b1.conv", "b1.relu", "b3.conv", "b3.relu", "b2"]),
        ("  - b\n  - add: {b1: [relu], x: []}\n", ["b2.conv", "b2.relu", "b1.relu", "add"]),
        ("  - b\n  - {relu: , name: b1.conv}\n", ["b2.conv", "b2.relu", "b1.conv"]),
        ("  - nest\n", ["nest1.b2.conv", "nest1.b2.relu", "nest1.b1"]),
        (
            "  - nest\n  - {relu: , name: nest1}\n",
            ["nest2.b2.conv", "nest2.b2.relu", "nest2.b1", "nest1"],
        ),
        # names made up for branches
        ("  - {tanh: , name: b1}\n  - add: [[relu], []]\n", ["b1", "b2.relu", "add"]),
        ("  - add: [[relu], []]\n  - {tanh: , name: b1}\n", ["b2.relu", "add", "b1"]),
        ("  - b\n  - add: [[relu], []]\n", ["b1.conv", "b1.relu", "b2.relu", "add"]),
        ("  - add: [[relu], [tanh]]\n  - b\n", ["b1.relu", "b2.tanh", "add", "b3.conv", "b3.relu"]),
        # branches of several joins have names in common
        ("  - add: [[relu], []]\n  - add: [[relu], []]\n", ["b1.relu1", "add1", "b1.relu2", "add2"]),
        ("  - add: [[relu], []]\n  - add: {b1: [tanh], c: []}\n", ["b1.relu", "add1", "b1.tanh", "add2"]),
    ],
)
def test_names_made_up_keep_out_of_the_way(layers: str, wanted: list[str]) -> None:
    net = build(layers)
    assert names(net) == wanted
    around = {name[:at] for name in wanted for at, letter in enumerate(name) if letter == "."}
    assert len(set(wanted)) == len(wanted)
    assert around.isdisjoint(wanted)


def test_from_and_the_row_mean_one_layer() -> None:
    net = build("  - {b: , name: conv1}\n  - conv: {out: 8, kernel: 3}\n  - {relu: , from: conv1}\n")
    assert net.nodes[net.nodes[-1].inputs[0]].name == "conv1.relu"
    assert not any(node.name == "conv1" for node in net.nodes)


@pytest.mark.parametrize(
    ("layers", "twice"),
    [
        ("  - {relu: , name: a}\n  - {tanh: , name: a}\n", "a"),
        ("  - {relu: , name: a}\n  - {layers: [tanh], name: a}\n", "a"),
        ("  - {b: , name: a}\n  - {relu: , name: a}\n", "a"),
        ("  - {b: , name: a}\n  - {relu: , name: a.conv}\n", "a.conv"),
        ("  - {relu: , name: a}\n  - add: {a: [tanh], c: []}\n", "a, this branch and another"),
        ("  - add: {a: [tanh], c: []}\n  - {relu: , name: a}\n", "a"),
        ("  - {relu: , name: input}\n", "input"),
        ("  - {b: , repeat: 2, name: x}\n", "x"),
        ("  - layers: [b, {relu: , name: y}, {relu: , name: y}]\n    name: g\n", "g.y"),
    ],
)
def test_a_name_given_twice_is_refused(layers: str, twice: str) -> None:
    with pytest.raises(ArchcalcError, match=f"two things are called {twice}"):
        build(layers)


def test_a_name_given_twice_inside_a_block_without_a_name_is_refused() -> None:
    text = HEAD.replace("  nest:", "  twice: {layers: [{relu: , name: y}, {relu: , name: y}]}\n  nest:") + "  - twice\n"
    with pytest.raises(ArchcalcError, match=r"two things are called twice1\.y"):
        expand(read_text(text, "net.yaml", "net"), "net")


def test_clashes_on_every_level_of_blocks() -> None:
    """Every level gives a name that was made up for the block before it."""
    levels = "".join(f"  n{i}x: {{layers: [n{i + 1}x, {{relu: , name: n{i + 1}x1}}]}}\n" for i in range(30))
    text = f"input: [3, 8, 8]\nblocks:\n{levels}  n30x: {{layers: [relu]}}\nlayers: [n0x, {{relu: , name: n0x1}}]\n"
    found = names(expand(read_text(text, "net.yaml", "net"), "net"))
    prefix = ".".join(f"n{i}x2" for i in range(31))
    assert found[0] == f"{prefix}.relu"
    assert found[1:] == [f"{prefix.partition(f'n{i}x2')[0]}n{i}x1" for i in reversed(range(31))]


def test_clashes_without_end_are_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archcalc.language.expander.PER_STEP", 10**9)
    with pytest.raises(ArchcalcError, match=r"two things are called nest2\.b1"):
        build("  - nest\n  - {relu: , name: nest1}\n")
