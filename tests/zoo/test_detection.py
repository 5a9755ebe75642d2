"""Detectors against torchvision: the figures of their published weights, their tensors, and their raw outputs."""

from typing import Any

import pytest

from archcalc import analyze, load

torch = pytest.importorskip("torch")
models = pytest.importorskip("torchvision").models

from archcalc.witness.built import Built  # noqa: E402
from archcalc.witness.counterpart import fill, output_difference, pairs, take  # noqa: E402
from archcalc.witness.detectors import DETECTORS  # noqa: E402
from archcalc.witness.models import build  # noqa: E402

SIZES = {"ssdlite320_mobilenet_v3_large": 320}
"""The side of the image that a detector sees in torchvision's count of its operations; 800 for the others."""


@pytest.mark.parametrize("name", DETECTORS)
def test_as_the_weights_entry_says(name: str) -> None:
    (entry,) = [entry for entry in models.get_model_weights(name) if entry.name.startswith("COCO")]
    size = SIZES.get(name, 800)
    totals = analyze(load(name, input=(3, size, size))).totals
    assert totals.params == entry.meta["num_params"]
    assert round(totals.macs / 1e9, 3) == entry.meta["_ops"]


@pytest.mark.parametrize("name", DETECTORS)
def test_the_same_weights_give_the_same_raw_maps(name: str) -> None:
    network: Any = load(name, input=(3, 64, 64))
    ours, theirs = Built(network), build(name, meta=False)
    images = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    paired, problem = pairs(ours, theirs, images)
    assert not problem
    fill(theirs)
    take(ours, theirs, paired)
    assert output_difference(ours, theirs, images) == 0.0
