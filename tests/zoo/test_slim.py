"""TF-Slim's networks where they are not the papers': tensorflow/models, research/slim/nets, as the code stands there.

Receptive fields, strides, paddings and operations of all of them, end point by end point, are judged in
specs/published/receptive_field.yaml; here are their parameters, and what the paddings do to the sizes.
"""

from __future__ import annotations

import pytest

from archcalc import load
from archcalc.published.figures import load_figures
from archcalc.published.printed import read_number
from archcalc.published.quantities import Calculator
from archcalc.published.verdict import judge, value_text


def params(name: str) -> int:
    return int(load(name).analyze().totals.params)


def test_alexnet_v2() -> None:
    """64, 192, 384, 384 and 256 maps with biases; (224-11)/4+1 = 54, pooled to 26, 12 and 5; 4096, 4096, 1000."""
    convolutions = (11 * 11 * 3 + 1) * 64 + (5 * 5 * 64 + 1) * 192 + (9 * 192 + 1) * 384
    convolutions += (9 * 384 + 1) * 384 + (9 * 384 + 1) * 256
    dense = (5 * 5 * 256 + 1) * 4096 + (4096 + 1) * 4096 + (4096 + 1) * 1000
    assert params("alexnet_slim") == convolutions + dense
    sizes = [str(load("alexnet_slim").analyze()[name].shape) for name in ("conv1", "pool1", "pool2", "pool3")]
    assert sizes == ["64x54x54", "64x26x26", "192x12x12", "256x5x5"]


@pytest.mark.parametrize(
    ("slim", "same"),
    [
        ("resnet50_slim", "resnet50"),
        ("resnet101_slim", "resnet101"),
        ("resnet152_slim", "resnet152"),
        ("mobilenet_v1_slim", "mobilenet_v1"),
        ("mobilenet_v1_slim_0.75", "mobilenet_v1_0.75"),
    ],
)
def test_strides_and_paddings_own_nothing(slim: str, same: str) -> None:
    assert params(slim) == params(same)


def test_resnet200() -> None:
    """A bottleneck of width w on 4w maps: 4w*w + 9w*w + w*4w weights, and 2*(w + w + 4w) of normalisation."""
    units = {64: 3, 128: 24, 256: 36, 512: 3}
    total = 7 * 7 * 3 * 64 + 2 * 64 + (2048 + 1) * 1000
    inputs = 64
    for width, count in units.items():
        for _ in range(count):
            total += inputs * width + 9 * width**2 + 4 * width**2 + 2 * 6 * width
            total += 0 if inputs == 4 * width else inputs * 4 * width + 2 * 4 * width
            inputs = 4 * width
    assert params("resnet200_slim") == total


@pytest.mark.parametrize(
    ("name", "pixels", "layer", "first"),
    [  # pad = max(k - (n % s or s), 0) zeros, the odd one after: 3x3 with stride 2 has (0, 1) on even and (1, 1) on odd maps
        ("resnet50_slim", 224, "pool1", -3),  # conv1 pads 3 in code of its own
        ("resnet50_slim", 321, "pool1", -3 - 2 * 1),
        ("mobilenet_v1_slim", 224, "conv1.conv", 0),
        ("mobilenet_v1_slim", 225, "conv1.conv", -1),
        ("inception_resnet_v2_same", 224, "stem.conv1.conv", 0),
        ("inception_resnet_v2_same", 321, "stem.conv1.conv", -1),
    ],
)
def test_same_padding_follows_the_size(name: str, pixels: int, layer: str, first: int) -> None:
    views = load(name).analyze(input=(3, pixels, pixels))[layer].field
    assert {view.field.start for view in views} == {first}


def test_a_stage_strides_in_its_last_unit() -> None:
    """resnet_utils.py: sizes at 224 after block1 to block4 are 28, 14, 7 and 7."""
    for name in ("resnet50_slim", "preact_resnet50_slim"):
        shapes = {row.name: row.shape for row in load(name).analyze().fold(depth=1)}
        sizes = [shapes[stage].axes[0] for stage in ("conv2_x", "conv3_x", "conv4_x", "conv5_x") if shapes[stage]]
        assert sizes == [28, 14, 7, 7]


def test_the_whole_table_of_receptive_fields_matches() -> None:
    """187 end points: three figures without a resolution, four at 224 and four at 321."""
    found = [figure for figure in load_figures() if figure.source.key == "rf_repo"]
    assert len(found) == 187 * (3 + 4 + 4)
    bench = Calculator()
    assert {judge(figure, bench).verdict for figure in found} == {"match"}
    undefined = [figure for figure in found if figure.printed.text == "None"]
    assert len(undefined) == 15 + 15 + 12 + 14 + 14 + 8 * 4  # Inception v2, Inception-ResNet same, MobileNet, ResNets


def test_none_is_no_number_and_a_number_is_not_none() -> None:
    assert read_number("None").manner(()) == "exact"
    assert read_number("None").manner((224, 224)) is None
    assert read_number("15").manner(()) is None
    assert value_text(()) == "None"
