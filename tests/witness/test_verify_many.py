"""The image of each network, if the whole zoo is verified."""

from __future__ import annotations

import pytest

from archcalc import load
from archcalc.witness.verify_many import MOST_MACS, affordable, macs_of

IMAGES = [
    # network, the image and the regions with which it is verified
    ("resnet18", "3x224x224", {}),  # 1.8 G multiply-adds
    ("vgg16_bn", "3x96x96", {}),  # 15.5 G; a half is 112, so 96
    ("vgg16", "3x224x224", {}),  # another image would change the weights of fc6
    ("fasterrcnn_resnet50_fpn", "3x128x128", {"regions": 4}),  # a quarter, 192, has 7 G; a sixth is 133, so 128
    ("mlp_mixer_b16", "3x224x224", {}),  # 12.6 G, and no other image fits
]


@pytest.mark.parametrize(("name", "image", "settings"), IMAGES)
def test_a_large_network_gets_a_smaller_image(name: str, image: str, settings: dict[str, int]) -> None:
    network = affordable(load(name))
    assert (network.input_text, network.settings_changed) == (image, settings)
    assert macs_of(network) <= MOST_MACS or image == load(name).input_text
