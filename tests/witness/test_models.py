"""Which network each model of torchvision is, and that building one draws no weights."""

from __future__ import annotations

import pytest

from archcalc import ArchcalcError, load, networks
from archcalc.witness.models import NETWORKS, build, counterpart

models = pytest.importorskip("torchvision.models")


def test_every_model_of_torchvision_is_one() -> None:
    from archcalc.witness.detectors import DETECTORS

    homes = (models, models.segmentation, models.video)
    shipped = {name for home in homes for name in models.list_models(module=home)}
    assert set(NETWORKS) - set(DETECTORS) == shipped
    assert set(NETWORKS.values()) <= set(networks())


def test_the_counterpart_is_the_way_back() -> None:
    for name, network in NETWORKS.items():
        assert counterpart(load(network)) == name


def test_without_a_counterpart() -> None:
    with pytest.raises(ArchcalcError, match="no model that is resnet50; resnet50_tv is one that it has"):
        counterpart(load("resnet50"))


@pytest.mark.parametrize("name", ["resnet18", "regnet_y_400mf", "googlenet", "convnext_tiny"])
def test_built_without_memory(name: str) -> None:
    model = build(name, meta=True)
    assert not model.training
    assert all(p.is_meta for p in model.parameters())
    assert not any(p.is_meta for p in build(name, meta=False).parameters())
