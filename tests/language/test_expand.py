"""A family is expanded as often as one likes: settings and inputs leave it as it was, and problems keep their place."""

from __future__ import annotations

import time

import numpy as np
import pytest

from archcalc import Network, analyze
from archcalc.errors import ArchcalcError
from archcalc.language.expand import expand
from archcalc.language.expander import MAX_STEPS
from archcalc.language.family import Family
from archcalc.language.zoo import read_text
from archcalc.sizes import Shape

TEXT = """\
input: [3, 16, 16]
params: {w: 4, n: 2, deep: true}
let: {wide: 2 * w}
networks: {a: {}, b: {w: 8, deep: false}}
blocks:
  unit:
    params: [out]
    layers:
      - conv: {out: out, kernel: 3, pad: 1}
      - {relu: , when: deep}
layers:
  - unit: {out: wide}
    repeat: n
  - max_pool: {kernel: 4, stride: 4}
  - flatten
  - linear: {out: w}
"""


@pytest.fixture
def family() -> Family:
    return read_text(TEXT, "spec.yaml", "spec")


def described(network: Network) -> list[str]:
    return [f"{node!r}" for node in network.nodes]


def test_expanding_leaves_the_family_as_it_was(family: Family) -> None:
    first = described(expand(family, "a"))
    expand(family, "a", {"w": 9, "deep": False}, Shape(1, (32, 32)))
    expand(family, "b")
    assert described(expand(family, "a")) == first


def test_a_network_knows_its_settings(family: Family) -> None:
    assert expand(family, "b").settings == {"w": 8, "n": 2, "deep": False}
    assert expand(family, "b").settings_changed == {}
    assert expand(family, "b", {"n": 1}).settings_changed == {"n": 1}


def test_another_input_is_computed_anew(family: Family) -> None:
    network = expand(family, "a", {"n": 1})
    other = network.at(Shape(1, (8, 12)))
    assert described(other) == described(expand(family, "a", {"n": 1}, Shape(1, (8, 12))))
    assert str(other.nodes[-2].shape) == "48"


def test_problems_at_another_input_keep_their_place(family: Family) -> None:
    network = expand(family, "a")
    with pytest.raises(ArchcalcError) as caught:
        analyze(network, input=(3, 2, 2))
    assert str(caught.value) == (
        "spec.yaml:14: the kernel spans 4 but the padded input is only 2 + 0 + 0 = 2 (at layers[1].max_pool)\n"
        "a does not take the input 3x2x2"
    )


def test_settings_may_be_arrays(family: Family) -> None:
    widths = np.array([1, 4, 10])
    found = analyze(expand(family, "a", {"w": widths})).totals.params
    assert [int(n) for n in found] == [analyze(expand(family, "a", {"w": int(w)})).totals.params for w in widths]


def test_a_network_that_is_unknown(family: Family) -> None:
    with pytest.raises(ArchcalcError, match=r"^spec.yaml: unknown network 'c'; known: a, b$"):
        expand(family, "c")


def test_a_check_that_does_not_hold_is_told_with_what_else_is_wrong() -> None:
    text = "params: {n: 3}\ncheck:\n  n % 2 == 0: n must be even\n  n < 3: n must be small\n  n: a\n"
    family = read_text(text + "input: [n // 0, 8, 8]\nlayers: [relu]\n", "spec.yaml", "spec")
    with pytest.raises(ArchcalcError) as caught:
        expand(family, "spec")
    assert [str(problem) for problem in caught.value.problems] == [
        "spec.yaml:3: n must be even (at check.n % 2 == 0)",
        "spec.yaml:4: n must be small (at check.n < 3)",
        "spec.yaml:5: a condition must be true or false, got 3 (at check.n)",
        "spec.yaml:6: input: division by zero: 3 // 0 (at input)",
    ]


def test_the_largest_network_is_built_soon() -> None:
    start = time.process_time()
    layers = f"  - repeat: {MAX_STEPS // 2 - 1}\n    layers:\n      - conv: {{out: channels, kernel: 1}}\n"
    text = f"input: [3, 8, 8]\nlayers:\n{layers}"
    network = expand(read_text(text, "spec.yaml", "spec"), "spec")
    assert len(network.nodes) == MAX_STEPS // 2
    assert time.process_time() - start < 5


UNET = """\
input: [1, 32, 32]
params: {names: [skip, up]}
layers:
  - {conv: {out: 8, kernel: 3}, name: skip}
  - max_pool: {kernel: 2, stride: 2}
  - conv: {out: 16, kernel: 3}
  - {conv_transpose: {out: 8, kernel: 2, stride: 2}, name: up}
  - concat:
      old: [{crop: {like: "{names[1]}"}, from: skip, name: cropped}]
      new: []
  - conv: {out: 2, kernel: 3}
  - {pad: {like: input}, name: padded}
"""


@pytest.mark.parametrize(
    ("sizes", "skip", "up"),
    [
        # 32 - 2 = 30, of which the pooling makes 15, the convolution 13, and the transposed one 26: 2 and 2 cut off
        ((32, 32), (30, 30), (26, 26)),
        # 35 - 2 = 33, 16, 14, 28: of 5 the third is the odd one, cut off at the end; 30 - 2 = 28, 14, 12, 24
        ((35, 30), (33, 28), (28, 24)),
    ],
)
def test_a_crop_to_the_size_of_another_map(sizes: tuple[int, ...], skip: tuple[int, ...], up: tuple[int, ...]) -> None:
    """One level of Ronneberger et al. 2015, Figure 1: a skip is cropped to what comes from below."""
    net = expand(read_text(UNET, "spec.yaml", "spec"), "spec", input=Shape(1, sizes))
    nodes = {node.name: node for node in net.nodes}
    assert nodes["skip"].shape == (8, skip)
    assert nodes["up"].shape == (8, up)
    assert nodes["old.cropped"].shape == (8, up)
    cuts = [(n - m) // 2 for n, m in zip(skip, up, strict=True)]
    assert [-window.before for window in nodes["old.cropped"].layer.window(Shape(8, skip))] == cuts
    assert nodes["padded"].shape == (2, sizes)


def test_like_on_arrays() -> None:
    """The same on many inputs at once."""
    sides = np.arange(24, 40)
    net = expand(read_text(UNET, "spec.yaml", "spec"), "spec", input=Shape(1, (sides, sides)))
    many = net.nodes[-2].shape.axes[0]
    for at, side in enumerate(sides):
        one = expand(read_text(UNET, "spec.yaml", "spec"), "spec", input=Shape(1, (int(side),) * 2))
        assert one.nodes[-2].shape.axes[0] == many[at]


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("{crop: {like: upp}}", "like: unknown layer 'upp'; did you mean 'up'?"),
        ("{crop: {like: later}}", "like: later comes later; a layer can use just what stands before it"),
        ("{crop: {like: vector}}", "like: vector is a vector and has no positions"),
        ("{crop: {like: input}}", "crop cannot make 6 positions 8; the layer pad makes a map larger"),
        ("{pad: {like: up}}", "pad cannot make 6 positions 4; the layer crop makes a map smaller"),
        ("{crop: {like: up, by: 1}}", "crop needs by, size or like, one of the three"),
        ("{crop: {like: [4, 4]}}", "expected a name, got a list of 2"),
        ('{crop: {like: "{nope}"}}', "unknown name 'nope'"),
        ("{crop: {like: }}", "expected a name, got nothing"),
        ("crop", "crop needs by, size or like, one of the three"),
        ("{crop: {by: -1}}", "by: must be at least 0, got -1; the layer pad puts zeros around"),
        ("{pad: {by: [[0, -1], 0]}}", "by: must be at least 0, got -1; the layer crop cuts positions off"),
    ],
)
def test_what_cannot_be_cropped_is_said(step: str, said: str) -> None:
    text = (
        "input: [1, 8, 8]\nlayers:\n"
        "  - {layers: [{conv: {out: 1, kernel: 5}}, flatten], name: vector}\n"
        "  - {conv: {out: 1, kernel: 5}, from: input, name: up}\n"
        "  - {conv: {out: 1, kernel: 3}, from: input}\n"
        f"  - {step}\n  - {{relu: , name: later}}\n"
    )
    with pytest.raises(ArchcalcError) as error:
        expand(read_text(text, "spec.yaml", "spec"), "spec")
    assert said in str(error.value)


RANGES = """
input: [3, 8, 8]
layers:
  - {conv: {out: 8, kernel: 1}, name: layer0}
  - repeat: 3
    layers:
      - {concat: , from: ["layer{0..i - 1}"]}
      - {conv: {out: 2, kernel: 1}, name: "layer{i}"}
  - {concat: , from: ["layer{2..3}", layer0, "layer{4..3}"]}
"""


def test_a_range_stands_for_several_names() -> None:
    network = expand(read_text(RANGES, "spec.yaml", "spec"), "spec")
    reads = [[network.nodes[i].name for i in node.inputs] for node in network.nodes if node.layer.type == "concat"]
    every = ["layer0", "layer1", "layer2", "layer3"]
    assert reads == [every[:1], every[:2], every[:3], ["layer2", "layer3", "layer0"]]
    assert [node.shape.channels for node in network.nodes if node.layer.type == "concat"] == [8, 10, 12, 12]


def test_outputs_have_ranges_too() -> None:
    network = expand(read_text('outputs: ["layer{1..3}"]' + RANGES, "spec.yaml", "spec"), "spec")
    assert [network.nodes[i].name for i in network.outputs] == ["layer1", "layer2", "layer3"]
