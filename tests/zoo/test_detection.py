"""Detectors against torchvision: the figures of their published weights, their tensors, and their raw outputs."""

from typing import Any

import pytest

from archcalc import analyze, load
from archcalc.conventions.source_style import TORCHVISION

torch = pytest.importorskip("torch")
models = pytest.importorskip("torchvision").models

from archcalc.witness.built import Built  # noqa: E402
from archcalc.witness.counterpart import output_difference, pairs, take, unlike_module  # noqa: E402
from archcalc.witness.detectors import DETECTORS  # noqa: E402
from archcalc.witness.models import build  # noqa: E402
from archcalc.witness.random_weights import fill  # noqa: E402

COUNTED_REGIONS = {
    "fasterrcnn_mobilenet_v3_large_320_fpn": (0, 0),
    "fasterrcnn_mobilenet_v3_large_fpn": (0, 0),
    "fasterrcnn_resnet50_fpn": (1000, 0),
    "fasterrcnn_resnet50_fpn_v2": (1000, 0),
    "keypointrcnn_resnet50_fpn COCO_LEGACY": (1000, 0),
    "keypointrcnn_resnet50_fpn COCO_V1": (1000, 1),
    "maskrcnn_resnet50_fpn": (1000, 0),
    "maskrcnn_resnet50_fpn_v2": (1000, 100),
}
"""The proposals and the detections of the image for which torchvision counted the operations.

A detector finds as many as it does in that image. The numbers here are the only ones that give the printed figure: one
proposal of the box head is 14 million multiply-adds, one detection 500 million or more.
"""
SIZES = {"ssd300_vgg16": (1, 300)}
"""How many images, and their side, where two of 64 pixels do not fit. SSDlite has the same head for two images."""
WEIGHTS = [(name, entry) for name in DETECTORS for entry in models.get_model_weights(name)]


@pytest.mark.parametrize(("name", "entry"), WEIGHTS, ids=[f"{name}-{entry.name}" for name, entry in WEIGHTS])
def test_as_the_weights_entry_says(name: str, entry: Any) -> None:
    analysis = analyze(load(name))
    assert analysis.totals.params == entry.meta["num_params"]
    proposals, detections = COUNTED_REGIONS.get(f"{name} {entry.name}") or COUNTED_REGIONS.get(name, (0, 0))
    regions = {"box_head": proposals, "mask_head": detections, "keypoint_head": detections}
    macs = 0
    for row in analysis.rows:
        head = row.name.partition(".")[0]
        share = (row.macs or 0) * regions[head] if head in regions else (row.macs or 0) * row.node.times
        assert share % row.node.times == 0
        macs += share // row.node.times
    assert round(macs / 1e9, 3) == entry.meta["_ops"]


@pytest.mark.parametrize("name", DETECTORS)
def test_the_same_weights_give_the_same_raw_outputs(name: str) -> None:
    settings = {"regions": 6, "detections": 5}
    count, side = SIZES.get(name, (2, 64))
    there = {key: n for key, n in settings.items() if key in load(name).settings}
    network: Any = load(name, input=(3, side, side), **there)
    ours, theirs = Built(network), build(name, meta=False, regions=settings)
    images = torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(1))
    paired, problem = pairs(ours, theirs, images)
    assert not problem
    assert not unlike_module(ours, theirs, images, TORCHVISION)[1]
    fill(theirs)
    take(ours, theirs, paired)
    assert output_difference(ours, theirs, images) == 0.0


def test_no_detector_of_torchvision_is_missing() -> None:
    assert set(models.list_models(module=models.detection)) == set(DETECTORS)


SSD = {
    # network: parameters, multiply-adds (None: not known from elsewhere), default boxes of section 3.1 of the paper
    "ssd300": (26_285_486, 31_373_537_792, 8_732),  # torchvision's ssd300_vgg16 with 21 classes, by FlopCounterMode
    "ssd512": (None, None, 24_564),
}


@pytest.mark.parametrize("name", SSD)
def test_ssd_has_the_boxes_of_its_paper(name: str) -> None:
    network = load(name)
    params, macs, boxes = SSD[name]
    totals = analyze(network).totals
    assert params in (None, totals.params)
    assert macs in (None, totals.macs)
    maps = [node.shape for node in network.nodes if node.name.startswith("box")]
    assert sum(shape.values // 4 for shape in maps) == boxes


def test_the_pyramid_is_torchvisions() -> None:
    from torchvision.models.detection.backbone_utils import resnet_fpn_backbone

    theirs = resnet_fpn_backbone(backbone_name="resnet50", weights=None, norm_layer=torch.nn.BatchNorm2d)
    ours = Built(load("fpn_resnet50", input=(3, 64, 96)))
    images = torch.rand(2, 3, 64, 96, generator=torch.Generator().manual_seed(1))
    paired, problem = pairs(ours, theirs, images)
    assert not problem
    fill(theirs)
    take(ours, theirs, paired)
    assert output_difference(ours, theirs, images) == 0.0
