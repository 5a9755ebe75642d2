"""Several inputs by name: what a user may give, and the sentence for what does not fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from archcalc import ArchcalcError, Network, analyze
from archcalc.named_inputs import read_inputs, with_axes
from archcalc.outputs import unused_lines
from archcalc.sizes import LayerError, Shape
from tests.nets import SIAMESE, THREE_INPUTS, network

IMAGE, MASK, AGE = Shape(3, (64, 64)), Shape(1, (16, 16)), Shape(2)


@pytest.fixture(scope="module")
def net() -> Network:
    return network(THREE_INPUTS)


def test_the_inputs_are_the_first_nodes(net: Network) -> None:
    own = {"image": Shape(3, (32, 32)), "mask": Shape(1, (8, 8)), "age": Shape(2)}
    assert net.inputs == own
    assert list(net.inputs) == list(own)
    assert net.input == own["image"]
    assert [(node.name, node.layer.type, node.shape) for node in net.nodes[:3]] == [
        (name, "input", shape) for name, shape in own.items()
    ]
    assert [node.name for node in net.after_inputs] == [
        *("c1", "c2", "masked", "global_avg_pool", "pooled", "both", "scores", "weight"),
    ]
    assert [net.nodes[i].name for i in net.nodes[5].inputs] == ["c2", "mask"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"image": (3, 64, 64), "mask": (1, 16, 16)}, [IMAGE, MASK, AGE]),
        ("image=3x64x64,mask=1x16x16", [IMAGE, MASK, AGE]),
        (" mask = 1,16,16, image=3,64,64 ", [IMAGE, MASK, AGE]),
        ("image=64x64x3 (HxWxC),mask=1x16x16", [IMAGE, MASK, AGE]),
        ({"image": "3x64x64", "mask": MASK, "age": [2]}, [IMAGE, MASK, AGE]),
        # Sizes without a name: one input alone has three channels in two axes, one alone has no axes.
        ((3, 32, 32), [Shape(3, (32, 32)), Shape(1, (8, 8)), AGE]),
        ("1x8x8", [Shape(3, (32, 32)), Shape(1, (8, 8)), AGE]),
        ("7", [Shape(3, (32, 32)), Shape(1, (8, 8)), Shape(7)]),
        ({}, [Shape(3, (32, 32)), Shape(1, (8, 8)), AGE]),
    ],
)
def test_what_a_user_may_give(net: Network, given: Any, expected: list[Shape]) -> None:
    found = analyze(net, input=given)
    assert list(found.inputs.values()) == expected
    assert found.network.nodes[0].shape == expected[0]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            "4x64x64",
            "net has the inputs image (3x32x32), mask (1x8x8), age (2); name the one that is 4x64x64, as in image=4x64x64",
        ),
        ("3x64", "net has the inputs image (3x32x32), mask (1x8x8), age (2); name the one that is 3x64"),
        ("imag=3x64x64", "net: unknown input 'imag'; did you mean 'image'?"),
        ({"picture": (3, 64, 64)}, "net: unknown input 'picture'; known: image, mask, age"),
        ("=3x64x64", "net: unknown input ''; known: image, mask, age"),
        ("image=3x64x64,image=3x32x32", "the input image is given twice"),
        ("image=3x64x64,mask=", "expected CHANNELSxHEIGHTxWIDTH such as 3x224x224, got ''"),
        ("image=64x64x3", "the input image of net takes channels x height x width, got 64x64x3"),
        ("mask=16x16", "the input mask of net takes channels x height x width, got 16x16; did you mean 1x16x16?"),
        ("age=2x2", "the input age of net takes a vector (one size), got 2x2"),
        ({"mask": (1, 0, 16)}, "input mask height: must be at least 1, got 0"),
        ({"mask": 5}, "input mask: expected (channels, height, width), got 5"),
        ({3: (1, 16, 16)}, "net: unknown input '3'"),
        ({"image": (3, 64, 64)}, "net does not take the inputs image=3x64x64,mask=1x8x8,age=2"),
    ],
)
def test_what_does_not_fit_is_said_in_one_sentence(net: Network, given: Any, said: str) -> None:
    with pytest.raises(ArchcalcError) as caught:
        analyze(net, input=given)
    assert said in str(caught.value)


def test_one_input_has_the_name_input() -> None:
    one = network("input: [3, 8, 8]\nlayers: [relu]\n")
    assert analyze(one, input={"input": (3, 9, 9)}).input == Shape(3, (9, 9))
    with pytest.raises(ArchcalcError, match="net: unknown input 'image'; known: input"):
        analyze(one, input={"image": (3, 9, 9)})


def test_arrays() -> None:
    """Both maps grow together; every element is the number of single sizes."""
    net = network(
        "inputs: {image: [3, 32, 32], mask: [1, 8, 8]}\nlayers:\n  - conv: {out: 4, kernel: 4, stride: 4}\n"
        "    name: c\n  - {multiply: , from: [c, mask]}\n"
    )
    sides = np.array([8, 16, 24])
    found = analyze(net, input={"image": (3, 4 * sides, 4 * sides), "mask": (1, sides, sides)})
    single = [analyze(net, input={"image": (3, 4 * n, 4 * n), "mask": (1, n, n)}).totals for n in (8, 16, 24)]
    assert list(found.totals.macs) == [totals.macs for totals in single]
    assert list(found.totals.values) == [totals.values for totals in single]


@pytest.mark.parametrize("text", ["image=3x8x8", "a=1x2x3,b=4", "ünter=3x8x8,b=1"])
def test_the_text_of_the_inputs_is_read_as_it_is_written(text: str) -> None:
    from archcalc.named_inputs import inputs_text

    read = read_inputs(text)
    assert isinstance(read, dict)
    shapes = {name: Shape(sizes[0], tuple(sizes[1:])) for name, sizes in read.items()}
    assert inputs_text(shapes) in (text, text.partition("=")[2])


def test_maps_beside_the_main_input_change_in_proportion(net: Network) -> None:
    assert with_axes(net.inputs, (64, 48)) == {"image": Shape(3, (64, 48)), "mask": Shape(1, (16, 12)), "age": Shape(2)}
    with pytest.raises(LayerError, match="size of mask: 344 is not divisible by 32"):
        with_axes(net.inputs, (43, 32))


def test_an_input_that_no_layer_reads_is_told() -> None:
    unread = network(SIAMESE.replace("    from: right\n", "    from: left\n"))
    assert unused_lines(unread) == ["no layer reads the input right"]
    assert unused_lines(network(SIAMESE)) == []
    assert [node.name for node in unread.nodes[:2]] == ["left", "right"]
    assert len(unread.outputs) == 1
