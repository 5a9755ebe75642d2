"""Outputs of a network: what nobody reads, or what a spec names; and the layers that then serve none."""

from __future__ import annotations

import pytest

from archcalc import ArchcalcError, Network, analyze
from archcalc.analysis.depth import depth
from archcalc.language.expand import expand
from archcalc.language.expanded import expanded
from archcalc.language.zoo import read_text
from archcalc.memory.backward import BackwardPass
from archcalc.memory.deployed import fold_batch_norm
from archcalc.memory.lifetime import inference, overwritten
from archcalc.memory.training import training
from archcalc.outputs import outputs_lines, unused_lines
from archcalc.report import render
from archcalc.sizes import Shape

TWO_HEADS = """
input: [3, 32, 32]
layers:
  - conv: {out: 4, kernel: 3, pad: 1}
    name: c1
  - conv: {out: 64, kernel: 1}
    name: head1
  - conv: {out: 32, kernel: 1}
    name: c2
    from: c1
  - conv: {out: 32, kernel: 1}
    name: head2
"""
CHAIN = """
input: [4, 8, 8]
layers:
  - {conv: {out: 4, kernel: 3, pad: 1}, name: a}
  - {batch_norm: , name: n}
  - {relu: , name: b}
  - {conv: {out: 6, kernel: 3, pad: 1}, name: c}
  - {conv: {out: 5, kernel: 1}, name: d}
"""
MAP = 4 * 8 * 8 * 4
"""Bytes of a map of 4 channels, 8x8, in float32."""


def build(text: str, name: str = "net", **settings: object) -> Network:
    return expand(read_text(text, "net.yaml", "net"), name, settings or None)


def names(network: Network) -> list[str]:
    return [network.nodes[i].name for i in network.outputs]


def test_what_nobody_reads_is_an_output() -> None:
    net = build(TWO_HEADS)
    assert names(net) == ["head1", "head2"]
    assert outputs_lines(net) == ["outputs: head1 64x32x32, head2 32x32x32"]
    # head1 is held to the end, beside what the last layer reads and makes: 64, 32 and 32 maps of 32x32 floats.
    assert inference(net).peak() == (64 + 32 + 32) * 32 * 32 * 4 == 524_288
    assert "outputs: head1 64x32x32, head2 32x32x32" in render(analyze(net))


def test_a_forgotten_layer_is_an_output_and_so_is_seen() -> None:
    net = build(
        "input: [3, 16, 16]\nlayers:\n  - {conv: {out: 8, kernel: 3, pad: 1}, name: a}\n"
        "  - {conv: {out: 99, kernel: 3, pad: 1}, name: forgotten}\n  - {conv: {out: 4, kernel: 1}, from: a}\n"
    )
    assert "outputs: forgotten 99x16x16, conv 4x16x16" in render(analyze(net))
    assert inference(net).peak() == (8 + 99 + 4) * 16 * 16 * 4


@pytest.mark.parametrize(
    ("layers", "wanted"),
    [
        ("[{relu: , name: a}, {relu: , name: b}]", ["b"]),
        ("[{relu: , name: a}, {relu: , name: b, from: input}, {relu: , name: c, from: input}]", ["a", "b", "c"]),
        ("[{relu: , name: a}, {add: , from: [a, a], name: s}, {relu: , name: b, from: a}]", ["s", "b"]),
        ("[{relu: , name: a}, {side: [flatten]}, {side: [relu]}]", ["a"]),  # a side head reads it, and it is returned
        ("[{relu: , name: a}, {relu: , name: b}, {side: [{relu: , from: a}]}]", ["b"]),
        ("[{relu: , name: a}, {relu: , name: b}, {layers: [], from: a}]", ["a", "b"]),  # the list ends in a
    ],
)
def test_outputs_that_are_not_named(layers: str, wanted: list[str]) -> None:
    assert names(build(f"input: [3, 8, 8]\nlayers: {layers}\n")) == wanted


@pytest.mark.parametrize(
    ("outputs", "wanted", "left"),
    [
        ("d", ["d"], ["a", "n", "b", "c", "d"]),
        ("[d, b]", ["d", "b"], ["a", "n", "b", "c", "d"]),  # b is read later as well, and held to the end
        ("[b]", ["b"], ["a", "n", "b"]),
        ("[c, a]", ["c", "a"], ["a", "n", "b", "c"]),
    ],
)
def test_outputs_by_name(outputs: str, wanted: list[str], left: list[str]) -> None:
    net = build(CHAIN.replace("layers:", f"outputs: {outputs}\nlayers:"))
    assert names(net) == wanted
    assert [node.name for node in net.nodes[1:]] == left
    gone = [name for name in "anbcd" if name not in left]
    assert [layer.name for layer in net.unused] == gone
    again = build(expanded(net))
    assert [(n.name, n.inputs) for n in again.nodes] == [(n.name, n.inputs) for n in net.nodes]
    assert names(again) == wanted


@pytest.mark.parametrize(
    ("outputs", "said"),
    [
        ("b", "2 layers serve no output and are neither run nor counted: c, d; they would own 257 parameters"),
        ("c", "1 layer serves no output and is neither run nor counted: d; it would own 35 parameters"),
        ("[a, c]", "1 layer serves no output and is neither run nor counted: d; it would own 35 parameters"),
    ],
)
def test_layers_that_serve_no_output_are_reported(outputs: str, said: str) -> None:
    """c owns 6 * 4 * 9 + 6 = 222 parameters, d 5 * 6 + 5 = 35."""
    net = build(CHAIN.replace("layers:", f"outputs: {outputs}\nlayers:"))
    assert unused_lines(net) == [said]
    assert said in render(analyze(net))


def test_a_tap_is_held_to_the_end_and_not_written_over() -> None:
    tapped = build(CHAIN.replace("layers:", "outputs: [d, n]\nlayers:"))
    assert 3 in overwritten(build(CHAIN))  # the ReLU writes over the normalisation's map
    assert 3 not in overwritten(tapped)
    # n is held from its making on: at the ReLU n and b, at c also 6 maps; at d n, 6 maps and 5.
    assert inference(tapped).peak() == MAP + 6 * MAP // 4 + 5 * MAP // 4
    assert inference(tapped).outputs[2].dies == inference(tapped).last


def test_a_tap_before_a_normalisation_is_not_folded_away() -> None:
    assert [n.name for n in fold_batch_norm(build(CHAIN)).nodes] == ["input", "a", "b", "c", "d"]
    tapped = fold_batch_norm(build(CHAIN.replace("layers:", "outputs: [d, a]\nlayers:")))
    assert [n.name for n in tapped.nodes] == ["input", "a", "n", "b", "c", "d"]
    assert names(tapped) == ["d", "a"]
    assert names(fold_batch_norm(build(CHAIN.replace("layers:", "outputs: [n, d]\nlayers:")))) == ["a", "d"]


def test_depth_is_that_of_the_deepest_output() -> None:
    assert depth(build(CHAIN.replace("layers:", "outputs: [d, a]\nlayers:"))) == 3
    assert depth(build(CHAIN.replace("layers:", "outputs: [a, n]\nlayers:"))) == 1
    assert depth(build(TWO_HEADS)) == 3


BLOCKS = """
input: [3, 8, 8]
params: {last: 2}
outputs: ["u{last}", head]
blocks:
  u: {params: [out], layers: [{conv: {out: out, kernel: 1}, name: conv}, relu]}
networks:
  all: {}
  first: {outputs: [u1.conv]}
  other: {outputs: auto, layers: [{conv: {out: 2, kernel: 1}, name: auto}, relu]}
layers:
  - {u: {out: 2}, name: u1}
  - {u: {out: 4}, name: u2}
  - {conv: {out: 7, kernel: 1}, name: head}
"""


@pytest.mark.parametrize(
    ("name", "settings", "wanted"),
    [
        ("all", {}, ["u2.relu", "head"]),  # a block stands for its last layer
        ("all", {"last": 1}, ["u1.relu", "head"]),
        ("first", {}, ["u1.conv"]),
        ("other", {}, ["auto"]),
    ],
)
def test_outputs_of_one_network_of_a_family(name: str, settings: dict[str, object], wanted: list[str]) -> None:
    net = build(BLOCKS, name, **settings)
    assert names(net) == wanted
    assert names(net.at(Shape(3, (16, 16)))) == wanted


def test_automatic_names_may_be_outputs() -> None:
    assert names(build("input: [3, 8, 8]\noutputs: [relu1]\nlayers: [relu, relu]\n")) == ["relu1"]


@pytest.mark.parametrize(
    ("outputs", "said"),
    [
        ("[hed1]", "unknown output 'hed1'; did you mean 'head1'?"),
        ("[head1, head1]", "outputs names head1 twice"),
        ("[head1, same]", "outputs names head1 and same, which are the same"),
        ("[input]", "outputs: input is the network's input"),
        ("[aux.flatten]", "outputs: aux.flatten belongs to a side head, which runs in training only"),
        ("[]", "outputs names no layer"),
        ("{a: b}", "expected a name, got a mapping with 'a'"),
        ("[true]", "expected a name, got true"),
        ("['{x}']", "unknown name 'x'"),
        ("['head 1']", "a name is at most 80 letters"),
    ],
)
def test_outputs_that_cannot_be(outputs: str, said: str) -> None:
    text = TWO_HEADS + "  - {layers: [], from: head1, name: same}\n  - {side: [flatten], name: aux}\n"
    with pytest.raises(ArchcalcError) as caught:
        build(text.replace("layers:", f"outputs: {outputs}\nlayers:", 1))
    (problem,) = caught.value.problems
    assert said in problem.text
    assert (problem.line, problem.path[:7]) == (3, "outputs")


def test_weights_of_a_layer_that_is_left_out_are_owned_by_the_first_that_uses_them() -> None:
    net = build(
        "input: [3, 8, 8]\noutputs: [b, c]\nlayers:\n  - {conv: {out: 4, kernel: 3}, name: a}\n"
        "  - {conv: {out: 4, kernel: 3}, name: b, from: input, weights: a}\n"
        "  - {conv: {out: 4, kernel: 3, stride: 2}, name: c, from: input, weights: a}\n"
    )
    assert [(node.name, node.shares) for node in net.nodes[1:]] == [("b", None), ("c", 1)]
    assert unused_lines(net) == [
        "1 layer serves no output and is neither run nor counted: a; it would own no parameters"
    ]
    assert analyze(net).totals.params == 4 * 3 * 9 + 4


def test_a_layer_that_serves_a_side_head_alone_runs_in_training_alone() -> None:
    net = build(
        "input: [3, 8, 8]\noutputs: [a]\nlayers:\n  - {conv: {out: 4, kernel: 3}, name: a}\n"
        "  - {conv: {out: 4, kernel: 3}, name: b}\n  - {side: [flatten], name: aux}\n  - {relu: , name: c}\n"
    )
    assert [(node.name, node.side) for node in net.nodes[1:]] == [("a", False), ("b", True), ("aux.flatten", True)]
    assert [layer.name for layer in net.unused] == ["c"]


def test_a_side_head_does_not_own_weights_of_the_main_path() -> None:
    with pytest.raises(ArchcalcError, match=r"outputs: a serves no output; c would use its weights through aux\.b"):
        build(
            "input: [3, 8, 8]\noutputs: [c]\nlayers:\n  - {conv: {out: 4, kernel: 1}, name: a}\n"
            "  - {side: [{conv: {out: 4, kernel: 1}, weights: a, from: input, name: b}], name: aux}\n"
            "  - {conv: {out: 4, kernel: 1}, weights: a, from: input, name: c}\n"
        )


def test_every_operator_of_training_leads_to_an_output(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two heads, a tap and a side head: each output has its gradient, and nothing is saved in vain."""
    text = (
        TWO_HEADS.replace("layers:", "outputs: [head2, c1, head1]\nlayers:")
        + "  - {side: [{conv: {out: 1, kernel: 1}}]}\n"
    )
    net = build(text)
    seen = []
    monkeypatch.setattr(BackwardPass, "_unused", lambda self, operation: seen.append(operation))
    schedule = training(net)
    assert not seen
    gradients = [s.name for s in schedule.storages if s.name.startswith("gradient of ")]
    assert gradients == ["gradient of head2", "gradient of c1", "gradient of head1", "gradient of conv"]
