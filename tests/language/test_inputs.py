"""The key ``inputs`` of a spec: several inputs by name."""

from __future__ import annotations

from typing import Any

import pytest

from archcalc.errors import ArchcalcError
from archcalc.language.expand import expand
from archcalc.language.expanded import expanded
from archcalc.language.zoo import read_text
from archcalc.network import Network
from archcalc.sizes import Shape
from tests.nets import SIAMESE, THREE_INPUTS


def build(text: str, name: str = "net", **given: Any) -> Network:
    return expand(read_text(text, "net.yaml", "net"), name, **given)


TWO = "inputs: {image: [3, 8, 8], mask: [1, 8, 8]}\nlayers:\n"


@pytest.mark.parametrize(
    ("layers", "reads"),
    [
        ("  - {relu: , name: r}\n", ["image"]),
        ("  - {relu: , name: r, from: mask}\n", ["mask"]),
        ("  - {multiply: , name: r, from: [image, mask]}\n", ["image", "mask"]),
        ("  - {concat: , name: r, from: [mask, image, mask]}\n", ["mask", "image", "mask"]),
        ("  - {layers: [{layers: [{relu: , name: r, from: mask}]}], repeat: 1, name: g}\n", ["mask"]),
        ("  - {add: {x: [], y: [{conv: {out: 3, kernel: 1}, from: mask}]}, name: r}\n", ["image", "r.y.conv"]),
        ("  - {layers: [], from: mask, name: alias}\n  - {relu: , name: r, from: alias}\n", ["mask"]),
    ],
)
def test_the_first_entry_reads_the_first_input_and_from_names_another(layers: str, reads: list[str]) -> None:
    net = build(TWO + layers)
    last = net.nodes[-1]
    assert [net.nodes[i].name for i in last.inputs] == reads


def test_parameters_a_network_and_a_user_set_the_inputs() -> None:
    text = (
        "params: {side: 8}\ninputs: {image: [3, side, side], mask: [1, side // 2, side // 2]}\n"
        "networks:\n  small: {}\n  large: {side: 16}\n  other: {inputs: {a: [3, 4, 4], b: [2]}}\n  one: {input: [3, 5, 5]}\n"
        "layers: [{conv: {out: 4, kernel: 3}}]\n"
    )
    inputs = {name: build(text, name).inputs for name in ("small", "large", "other", "one")}
    assert inputs == {
        "small": {"image": Shape(3, (8, 8)), "mask": Shape(1, (4, 4))},
        "large": {"image": Shape(3, (16, 16)), "mask": Shape(1, (8, 8))},
        "other": {"a": Shape(3, (4, 4)), "b": Shape(2)},
        "one": {"input": Shape(3, (5, 5))},
    }
    given = build(text, "small", settings={"side": 1}, input={"image": (3, 6, 6), "mask": (1, 2, 2)})
    assert given.inputs == {"image": Shape(3, (6, 6)), "mask": Shape(1, (2, 2))}
    with pytest.raises(ArchcalcError, match="input: must be at least 1, got 0"):
        build(text, "small", settings={"side": 1}, input={"image": (3, 6, 6)})


@pytest.mark.parametrize("text", [SIAMESE, THREE_INPUTS, TWO + "  - relu\n"])
def test_the_expanded_spec_is_the_same_network(text: str) -> None:
    net = build(text)
    again = build(expanded(net))
    assert again.inputs == net.inputs
    assert again.chosen == net.chosen
    assert [(n.name, repr(n.layer), n.inputs, n.shape, n.shares) for n in again.nodes[len(net.inputs) :]] == [
        (n.name, repr(n.layer), n.inputs, n.shape, n.shares) for n in net.nodes[len(net.inputs) :]
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "inputs: [3, 8, 8]\n",
            "inputs must be a mapping of 2 to 100 names to sizes; one input is written input: [3, 224, 224]",
        ),
        ("inputs: {image: [3, 8, 8]}\n", "inputs must be a mapping of 2 to 100 names to sizes"),
        ("inputs: {}\n", "inputs must be a mapping of 2 to 100 names to sizes"),
        ("input: {image: [3, 8, 8], mask: [1, 8, 8]}\n", "several inputs with names stand under inputs"),
        ("input: [3, 8, 8]\ninputs: {a: [3, 8, 8], b: [3, 8, 8]}\n", "a network has input or inputs, not both"),
        ("inputs: {a: [3, 8, 8], 2b: [3, 8, 8]}\n", "an input is called by at most 40 letters, digits and _, got '2b'"),
        (
            "inputs: {a: [3, 8, 8], b.c: [3, 8, 8]}\n",
            "an input is called by at most 40 letters, digits and _, got 'b.c'",
        ),
        ("inputs: {a: [3, 8, 8], b: 3}\n", "input must be [channels, height, width], got"),
        ("inputs: {a: [3, 8, 8], b: [1, 2, 3, 4, 5]}\n", "input must be [channels, height, width], got"),
        ("inputs: {a: [3, 8, 8], b: [0, 8, 8]}\n", "input: must be at least 1, got 0"),
        ("inputs: {a: [3, 8, 8], b: [n, 8, 8]}\n", "unknown name 'n'"),
        ("inputs: {a: [3, 8, 8], b: [3, 8, 8]}\naxes: [2]\n", "axes is for a network with one input"),
    ],
)
def test_inputs_that_cannot_be(text: str, said: str) -> None:
    with pytest.raises(ArchcalcError) as caught:
        build(text + "layers: [relu]\n")
    (problem,) = caught.value.problems
    assert said in problem.text


@pytest.mark.parametrize(
    ("layers", "said"),
    [
        ("  - {relu: , name: mask}\n", "two things are called mask"),
        ("  - {relu: , from: masks}\n", "unknown layer 'masks'; did you mean 'mask'?"),
        ("  - {relu: , from: input}\n", "unknown layer 'input'"),
        ("  - {layers: [], from: mask}\n", "net has no layers"),
        ("  - {add: , from: [image, mask, image]}\n", ""),
    ],
)
def test_names_of_inputs(layers: str, said: str) -> None:
    if not said:
        assert build(TWO + layers).nodes[-1].shape == Shape(3, (8, 8))
        return
    with pytest.raises(ArchcalcError, match=said.replace("?", "\\?")):
        build(TWO + layers)


def test_an_input_is_no_output() -> None:
    with pytest.raises(ArchcalcError, match="outputs: mask is an input of the network"):
        build("outputs: [mask]\n" + TWO + "  - relu\n")


def test_inputs_stay_if_no_output_needs_them() -> None:
    net = build("outputs: [a]\n" + TWO + "  - {relu: , name: a}\n  - {relu: , from: mask, name: b}\n")
    assert [node.name for node in net.nodes] == ["image", "mask", "a"]
    assert [layer.name for layer in net.unused] == ["b"]
    assert net.outputs == (2,)
