"""The course's one-line pattern: what it expands to, what it notes, and what is wrong in which column."""

from __future__ import annotations

import time
from typing import Any

import pytest

from archcalc import Network, analyze
from archcalc.errors import ArchcalcError
from archcalc.language.pattern import load_pattern
from archcalc.sizes import Shape


def layers(text: str) -> list[str]:
    return [f"{node.name} {node.shape}" for node in load_pattern(text).nodes[1:]]


def message(text: str) -> str:
    with pytest.raises(ArchcalcError) as caught:
        load_pattern(text).nodes  # noqa: B018
    return str(caught.value)


def test_the_pattern_of_the_notes() -> None:
    """CS231n, Layer Patterns: INPUT -> [[CONV -> RELU]*2 -> POOL]*3 -> [FC -> RELU]*2 -> FC."""
    network = load_pattern("INPUT 32x32x3 -> [[CONV3-32 -> RELU]*2 -> POOL2]*3 -> [FC-256 -> RELU]*2 -> FC-10")
    types = [node.layer.type for node in network.nodes[1:]]
    assert types == ["conv", "relu", "conv", "relu", "max_pool"] * 3 + ["flatten"] + ["linear", "relu"] * 2 + ["linear"]
    maps = [str(node.shape) for node in network.nodes if node.layer.type == "max_pool"]
    assert maps == ["32x16x16", "32x8x8", "32x4x4"]
    convs = (3 * 9 + 1) * 32 + 5 * (32 * 9 + 1) * 32
    assert analyze(network).totals.params == convs + (512 + 1) * 256 + (256 + 1) * 256 + (256 + 1) * 10


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("INPUT 8x6x3 -> RELU", ["relu1 3x8x6"]),  # height x width x channels, in the course's order
        ("input 8×6×3 → conv3-4 → relu", ["conv1 4x8x6", "relu1 4x8x6"]),
        ("INPUT 8*6*3 -> FC-4", ["flatten1 144", "fc1 4"]),
        ("INPUT 8x6x3 -> FC4 -> FC-2", ["flatten1 144", "fc1 4", "fc2 2"]),
        ("INPUT 8x8x3 -> CONV3-4 s2", ["conv1 4x4x4"]),
        ("INPUT 8x8x3 -> CONV3-4 p0", ["conv1 4x6x6"]),
        ("INPUT 8x8x3 -> CONV3-4 s2 p0", ["conv1 4x3x3"]),
        ("INPUT 8x8x3 -> CONV3-4 pad 2 stride 3", ["conv1 4x4x4"]),
        ("INPUT 8x8x3 -> CONV2-4", ["conv1 4x8x8"]),
        ("INPUT 8x8x3 -> CONV1x7-4", ["conv1 4x8x8"]),
        ("INPUT 8x8x3 -> CONV3x1-4 p0", ["conv1 4x6x8"]),
        ("INPUT 9x9x3 -> POOL2", ["pool1 3x4x4"]),
        ("INPUT 9x9x3 -> MAXPOOL3 s2", ["pool1 3x4x4"]),
        ("INPUT 9x9x3 -> AVGPOOL3 s2 p1", ["avgpool1 3x5x5"]),
        ("INPUT 8x8x3 -> POOL1x2", ["pool1 3x8x4"]),
        ("INPUT 8x8x3 -> GAP -> FC-2", ["global_avg_pool1 3x1x1", "flatten1 3", "fc1 2"]),
        ("INPUT 8x8x3 -> [RELU]*3", ["relu1 3x8x8", "relu2 3x8x8", "relu3 3x8x8"]),
        ("INPUT 8x8x3 -> RELU*2", ["relu1 3x8x8", "relu2 3x8x8"]),
        ("INPUT 8x8x3 -> RELU*0 -> BN", ["batch_norm1 3x8x8"]),
        ("INPUT 8x8x3 -> [POOL2]*2 × 1", ["pool1 3x4x4", "pool2 3x2x2"]),
        ("INPUT 00000000000000000000008x8x3 -> RELU", ["relu1 3x8x8"]),
    ],
)
def test_layers(text: str, wanted: list[str]) -> None:
    assert layers(text) == wanted


def test_what_is_optional_is_taken_and_noted() -> None:
    network = load_pattern("INPUT 8x8x3 -> [CONV3-4 -> RELU]*1? -> POOL2? -> FC-2")
    assert [node.layer.type for node in network.nodes[1:]] == ["conv", "relu", "max_pool", "flatten", "linear"]
    assert network.notes == ["optional [CONV3-4 -> RELU]? in column 16: taken", "optional POOL2? in column 40: taken"]


def test_groups_are_scopes() -> None:
    network = load_pattern("INPUT 8x8x3 -> [[RELU]*2 -> POOL2]*2")
    assert [node.scopes for node in network.nodes[1:4]] == [
        ("group1_1", "group1_1"),
        ("group1_1", "group1_2"),
        ("group1_1",),
    ]
    assert network.nodes[-1].scopes == ("group1_2",)


def test_it_is_built_anew_for_another_input() -> None:
    network = load_pattern("INPUT 8x8x3 -> CONV3-4 -> FC-2").at(Shape(1, (16, 16)))
    assert str(network.nodes[2].shape) == "1024"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a -> b", "column 1: a pattern starts with its input, as in INPUT 32x32x3 (height x width x channels)"),
        (
            "INPUT 32x32 -> RELU",
            "column 1: a pattern starts with its input, as in INPUT 32x32x3 (height x width x channels)",
        ),
        ("INPUT 8x8x3", "column 12: expected -> and a layer after the input, found 'the end'"),
        ("INPUT 8x8x3 RELU", "column 13: expected -> and a layer after the input, found 'RELU'"),
        ("INPUT 0x8x3 -> RELU", "column 1: input: must be at least 1, got 0"),
        (
            "INPUT 9999999999x8x3 -> RELU",
            "column 1: input: 9999999999 is larger than 2,147,483,647, the largest size there is",
        ),
        (f"INPUT {'9' * 4900}x8x3 -> RELU", "column 1: input: a size of 4,900 digits"),
        ("INPUT 8x8x3 ->", "column 15: expected a layer or [, found 'the end'"),
        ("INPUT 8x8x3 -> RELU ->", "column 23: expected a layer or [, found 'the end'"),
        ("INPUT 8x8x3 -> -> RELU", "column 16: expected a layer or [, found '->'"),
        ("INPUT 8x8x3 -> []", "column 17: expected a layer or [, found ']'"),
        ("INPUT 8x8x3 -> [RELU", "column 21: expected ] for the [ in column 16, found 'the end'"),
        ("INPUT 8x8x3 -> RELU]", "column 20: ']' closes nothing"),
        ("INPUT 8x8x3 -> RELU RELU", "column 21: expected ->, found 'RELU'"),
        ("INPUT 8x8x3 -> RELU s2", "column 21: expected ->, found 's2'"),
        ("INPUT 8x8x3 -> RELU => RELU", "column 21: cannot read '=> RELU'"),
        ("INPUT 8x8x3 -> [RELU]*N", "column 22: cannot read '*N'; write how often as a number, as in *3"),
        ("INPUT 8x8x3 -> [RELU]*9999999999", "column 22: a group cannot be repeated 9999999999 times"),
        ("INPUT 8x8x3 -> CNOV3-32", "column 16: unknown layer 'CNOV3-32'; did you mean 'CONV3-64'?"),
        ("INPUT 8x8x3 -> RELLU", "column 16: unknown layer 'RELLU'; did you mean 'RELU'?"),
        ("INPUT 8x8x3 -> CONV", "column 16: CONV needs its sizes, as in CONV3-64"),
        ("INPUT 8x8x3 -> CONV3", "column 16: CONV3 needs its sizes, as in CONV3-64"),
        ("INPUT 8x8x3 -> POOL", "column 16: POOL needs its sizes, as in POOL2"),
        ("INPUT 8x8x3 -> FC", "column 16: FC needs its sizes, as in FC-10"),
        ("INPUT 8x8x3 -> CONV3-0", "column 16: CONV3-0: out: must be at least 1, got 0"),
        ("INPUT 8x8x3 -> CONV0-3", "column 16: CONV0-3: kernel: must be at least 1, got 0"),
        ("INPUT 8x8x3 -> CONV3-4 s0", "column 16: CONV3-4: stride: must be at least 1, got 0"),
        ("INPUT 8x8x3 -> CONV3-4 s2 s3", "column 16: the stride is given twice"),
        (
            "INPUT 8x8x3 -> CONV3-99999999999",
            "column 16: CONV3-99999999999: out: 99999999999 is larger than 2,147,483,647, the largest size there is",
        ),
        (
            "INPUT 8x8x3 -> POOL9",
            "column 16: max_pool on 3x8x8: the kernel spans 9 but the padded input is only 8 + 0 + 0 = 8",
        ),
        (
            "INPUT 8x8x3 -> [POOL2]*9",
            "column 17: max_pool on 3x1x1: the kernel spans 2 but the padded input is only 1 + 0 + 0 = 1",
        ),
        (
            "INPUT 8x8x3 -> POOL2 p2",
            "column 16: max_pool on 3x8x8: pad 2 and 2 must be smaller than the kernel's span 2",
        ),
        (
            "INPUT 8x8x3 -> FC-2 -> CONV3-3",
            "column 24: conv on 2: conv needs a feature map with height and width, got a vector of 2",
        ),
        ("INPUT 8x8x3 -> " + "[" * 40, "column 47: groups nested deeper than 30"),
        ("INPUT 8x8x3 -> RELU*999999999", "column 16: more than 20,000 layers"),
        ("INPUT 8x8x3 -> [[RELU*0]*999999999]*999999999", "column 17: more than 20,000 layers"),
    ],
)
def test_messages_name_the_column(text: str, said: str) -> None:
    start = time.process_time()
    assert message(text) == f"pattern, {said}"
    assert time.process_time() - start < 2


def test_messages_without_a_column() -> None:
    assert message("INPUT 8x8x3 -> RELU*0") == "pattern: the pattern has no layers"
    assert message("INPUT 8x8x3 -> " + "RELU -> " * 1000) == "pattern: 8,015 characters; 5,000 are the most"


@pytest.mark.parametrize("used", [lambda n: n.nodes, lambda n: analyze(n).totals])
def test_the_most_layers_are_read(used: Any) -> None:
    network: Network = load_pattern("INPUT 8x8x3 -> [RELU]*9999")
    assert used(network)


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("INPUT 3x32x32 (CxHxW) -> RELU", Shape(3, (32, 32))),
        ("INPUT 3x32x32 (HxWxC) -> RELU", Shape(32, (3, 32))),
        ("INPUT 3×32×48(chw) → relu", Shape(3, (32, 48))),
        ("INPUT 48x32x3 (WxHxC) -> RELU", Shape(3, (32, 48))),
        ("INPUT 4x4x512 -> RELU", Shape(512, (4, 4))),
        ("INPUT 480x640x3 -> RELU", Shape(3, (480, 640))),
        ("INPUT 4x5x512 -> RELU", Shape(512, (4, 5))),
        ("INPUT 3x3x3 -> RELU", Shape(3, (3, 3))),
    ],
)
def test_both_orders_can_be_written(text: str, shape: Shape) -> None:
    assert load_pattern(text).input == shape


@pytest.mark.parametrize(
    ("sizes", "meant"),
    [("3x32x32", "32x32x3"), ("1x28x28", "28x28x1"), ("3x224x320", "224x320x3"), ("16x32x32", "32x32x16")],
)
def test_one_order_is_not_taken_for_the_other(sizes: str, meant: str) -> None:
    assert message(f"INPUT {sizes} -> CONV3-32") == (
        f"pattern, column 1: the sizes of a pattern are height x width x channels, and {sizes} looks like channels x "
        f"height x width; did you mean {meant}? Or write the order too: INPUT {sizes} (CxHxW), or INPUT {sizes} (HxWxC)"
    )


def test_another_order_than_the_two() -> None:
    assert "expected the order of 3 sizes, as in (CxHxW or HxWxC), got (HxW)" in message("INPUT 3x3x3 (HxW) -> RELU")


def test_another_input_is_channels_first() -> None:
    text = "INPUT 32x32x3 -> CONV3-8 -> [POOL2]*6"
    assert load_pattern(text, (3, 64, 64)).nodes[-1].shape == Shape(8, (1, 1))  # 32 pixels were not enough
    with pytest.raises(ArchcalcError, match=r"did you mean 3x64x64\?"):
        load_pattern(text, (64, 64, 3))
    with pytest.raises(ArchcalcError, match=r"takes channels x height x width, got 64x64; did you mean 3x64x64\?"):
        load_pattern(text, (64, 64))
