"""Sizes that a network is given: their number, their order, and what a wrong one may have meant."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import archcalc
from archcalc.errors import ArchcalcError
from archcalc.inputs import Takes, given_sizes, looks_swapped, read_sizes
from archcalc.sizes import Shape

IMAGE = Takes(Shape(3, (224, 224)), (2,))
GREY = Takes(Shape(1, (28, 28)), (2,))
SEQUENCE = Takes(Shape(16, (1000,)), (1,))
CLIP = Takes(Shape(3, (16, 112, 112)), (3,))
VECTOR = Takes(Shape(784), (0,))
ANY = Takes(Shape(8, (32,)), (1, 2, 3))


def refusal(takes: Takes, sizes: Any) -> str:
    with pytest.raises(ArchcalcError) as caught:
        takes.shape("net", given_sizes(sizes))
    return str(caught.value).removeprefix("net takes ")


@pytest.mark.parametrize(
    ("takes", "sizes", "meant"),
    [
        (IMAGE, "224x224", "3x224x224"),
        (IMAGE, "160x192", "3x160x192"),
        (IMAGE, "3x224", "3x224x224"),
        (IMAGE, "224x3", "3x224x224"),
        (IMAGE, "224", "3x224x224"),
        (IMAGE, "3", "3x224x224"),
        (GREY, "28x28", "1x28x28"),
        (GREY, "1x28", "1x28x28"),
        (GREY, "28x1", "1x28x28"),
        (SEQUENCE, "500", "16x500"),
        (SEQUENCE, "16", "16x1000"),
        (CLIP, "16x112x112", "3x16x112x112"),
        (CLIP, "3x112x112", "3x16x112x112"),
        (VECTOR, "28x28", "784"),
        (VECTOR, "1x28x28", "784"),
    ],
)
def test_missing_axes(takes: Takes, sizes: str, meant: str) -> None:
    said = refusal(takes, sizes)
    assert f", got {sizes}" in said
    assert said.endswith(f"; did you mean {meant}?"), said


@pytest.mark.parametrize(
    ("takes", "sizes", "meant"),
    [
        (IMAGE, "1x3x224x224", "with the batch in front as torchinfo has it; did you mean 3x224x224?"),
        (IMAGE, "8x3x96x96", "with the batch in front as torchinfo has it; did you mean 3x96x96 and a batch of 8?"),
        (IMAGE, "1x1x224x224", "with the batch in front as torchinfo has it; did you mean 1x224x224?"),
        (IMAGE, "1x224x160x3", "with the batch in front and the channels last; did you mean 3x224x160?"),
        (GREY, "1x1x28x28", "with the batch in front as torchinfo has it; did you mean 1x28x28?"),
        (SEQUENCE, "1x16x1000", "with the batch in front as torchinfo has it; did you mean 16x1000?"),
        (CLIP, "2x3x8x64x64", "with the batch in front as torchinfo has it; did you mean 3x8x64x64 and a batch of 2?"),
        (VECTOR, "32x784", "with the batch in front as torchinfo has it; did you mean 784 and a batch of 32?"),
    ],
)
def test_a_batch_in_front(takes: Takes, sizes: str, meant: str) -> None:
    assert refusal(takes, sizes).endswith(f", got {sizes}, {meant}")


@pytest.mark.parametrize(
    ("takes", "sizes", "meant"),
    [
        (IMAGE, "224x224x3", "3x224x224"),
        (IMAGE, "224x160x3", "3x224x160"),
        (IMAGE, "224x3x160", "3x224x160"),
        (IMAGE, "224x224x1", "1x224x224"),
        (IMAGE, "224x224x4", "4x224x224"),
        (GREY, "28x28x1", "1x28x28"),
        (SEQUENCE, "1000x16", "16x1000"),
        (CLIP, "16x3x112x112", "3x16x112x112"),
        (CLIP, "16x112x112x3", "3x16x112x112"),
        (ANY, "50x8", "8x50"),
    ],
)
def test_another_order(takes: Takes, sizes: str, meant: str) -> None:
    said = refusal(takes, sizes)
    assert f"did you mean {meant}?" in said
    channels, order = sizes.split("x")[0], {1: "CxL", 2: "CxHxW", 3: "CxDxHxW"}[sizes.count("x")]
    assert said.endswith(f" For {channels} channels, write the order too: '{sizes} ({order})'")
    assert takes.shape("net", given_sizes(f"{sizes} ({order})")).channels == int(channels)


@pytest.mark.parametrize(
    ("takes", "sizes"),
    [
        (IMAGE, "3x320x320"),
        (IMAGE, "3x3x3"),
        (IMAGE, "3x1x3"),
        (IMAGE, "1x224x224"),
        (IMAGE, "4x224x224"),
        (IMAGE, "1x32x320"),
        (IMAGE, "64x3x3"),
        (GREY, "3x28x28"),
        (SEQUENCE, "32x500"),
        (CLIP, "1x8x64x64"),
        (VECTOR, "100"),
        (ANY, "8x32"),
        (ANY, "8x32x32"),
        (ANY, "8x4x32x32"),
    ],
)
def test_other_channels_and_sizes_are_taken(takes: Takes, sizes: str) -> None:
    channels, *axes = map(int, sizes.split("x"))
    assert takes.shape("net", given_sizes(sizes)) == Shape(channels, tuple(axes))


def test_what_a_network_takes_is_said() -> None:
    assert refusal(IMAGE, "9").startswith("channels x height x width, got 9")
    assert refusal(VECTOR, "9x9").startswith("a vector (one size), got 9x9")
    assert refusal(ANY, "9").startswith(
        "channels x length or channels x height x width or channels x depth x height x width, got 9"
    )
    assert refusal(IMAGE, "3x3x3x3x3x3") == (
        "channels x height x width, got 3x3x3x3x3x3; the input of its spec is 3x224x224"
    )


def test_arrays_are_held_to_the_same_rules() -> None:
    sides = np.arange(1, 300)
    assert "did you mean 3x[1..299]x[1..299]?" in refusal(IMAGE, (sides, sides))
    assert "did you mean 3x[1..299]x[1..299]?" in refusal(IMAGE, (sides, sides, 3))
    assert "did you mean 1x[1..299]x[1..299]?" in refusal(IMAGE, (sides, sides, 1))
    assert "with the batch in front" in refusal(IMAGE, (1, 3, sides, sides))
    assert IMAGE.shape("net", given_sizes((1, sides, sides))).channels == 1
    assert IMAGE.shape("net", given_sizes((np.array([1, 3, 4])[:, None], sides, sides))).axes == (sides, sides)
    assert IMAGE.shape("net", given_sizes(Shape(sides, (sides, 3)))).axes[1] == 3


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        ("3x224x224", (3, 224, 224)),
        ("224x160x3 (HxWxC)", Shape(3, (224, 160))),
        ("224x160x3(hwc)", Shape(3, (224, 160))),
        ("160x224x3 (WxHxC)", Shape(3, (224, 160))),
        ("224x160x3 (CxHxW)", Shape(224, (160, 3))),
        ("1000x16 (LxC)", Shape(16, (1000,))),
        ("16x3x112x96 (TxCxHxW)", Shape(3, (16, 112, 96))),
        ("784 (C)", Shape(784)),
    ],
)
def test_an_order_may_be_written(text: str, sizes: object) -> None:
    assert read_sizes(text) == sizes


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("3x224x", "expected CHANNELSxHEIGHTxWIDTH such as 3x224x224, got '3x224x'"),
        ("1x3x8x8 (NxCxHxW)", "the batch is no part of the input"),
        ("8x8x3 (HxW)", "expected the order of 3 sizes, as in (CxHxW or HxWxC), got (HxW)"),
        ("8x8x3 (HxHxC)", "expected the order of 3 sizes, as in (CxHxW or HxWxC), got (HxHxC)"),
        ("8x8 (HxW)", "expected the order of 2 sizes, as in (CxL or LxC), got (HxW)"),
    ],
)
def test_orders_that_are_none(text: str, said: str) -> None:
    with pytest.raises(ArchcalcError) as caught:
        read_sizes(text)
    assert said in str(caught.value)


def test_sizes_that_look_swapped() -> None:
    assert looks_swapped(Shape(32, (32, 3))) == Shape(3, (32, 32))
    assert looks_swapped(Shape(480, (640, 3))) == Shape(3, (480, 640))
    for shape in (Shape(3, (32, 32)), Shape(512, (7, 7)), Shape(64, (1, 1)), Shape(16, (1000,)), Shape(784)):
        assert looks_swapped(shape) is None


def test_in_python() -> None:
    network = archcalc.load("resnet18")
    for sizes in ((224, 224), (1, 3, 224, 224), (224, 224, 3), (3, 224), [224, 224], "224x224x3"):
        with pytest.raises(ArchcalcError, match=r"resnet18 takes channels x height x width, got .* did you mean 3x224"):
            network.analyze(input=sizes)
        with pytest.raises(ArchcalcError, match=r"did you mean 3x224x224"):
            archcalc.load("resnet18", input=sizes)
    params = 11_689_512  # torchvision's resnet18
    assert network.analyze(input="3x160x160").totals.params == params
    assert network.analyze(input="160x160x3 (HxWxC)").input == Shape(3, (160, 160))
    # one channel: the 64 7x7 kernels of conv1 see one map instead of three
    assert archcalc.load("resnet18", input=(1, 224, 224)).analyze().totals.params == params - 64 * 49 * 2
    swapped = network.analyze(input=Shape(224, (224, 3)))
    assert swapped.totals.params == params + 64 * 49 * (224 - 3)


def test_one_channel_in_another_place(archcalc) -> None:
    assert (
        "where its 1 channel stands in another place; did you mean 1x32x32?"
        in archcalc("table", "lenet5", "--input", "32x32x1")[2]
    )


def test_channels_that_are_the_specs_own_stand_in_their_place(archcalc) -> None:
    """11 pixels do not fit into 3, and 224 channels are no better a reading of 3x3x224 for a network that takes 3."""
    error = archcalc("table", "alexnet", "--input", "3x3x224")[2]
    assert "alexnet does not take the input 3x3x224" in error
    assert "did you mean" not in error
