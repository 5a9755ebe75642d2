"""torchvision's detectors, from the image to the raw outputs of their heads.

Anchors, box decoding and non-maximum suppression depend on data, and are no part of a network here. The heads of R-CNNs
run on a fixed grid of boxes, as the built model does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from torch import Tensor, nn
from torchvision.models import get_model
from torchvision.ops.misc import FrozenBatchNorm2d

from archcalc.export.region_layers import RoiAlign, grid
from archcalc.layers.region import per_map


class Detector(NamedTuple):
    """How a detector becomes a network with raw outputs.

    raw:    the modules whose outputs are the outputs of the network, in the order of their calls
    boxes:  the module of ``raw`` whose output goes through F.relu
    frozen: whether the published weights go with frozen batch normalisations; without weights, torchvision builds the
            model with trained ones
    """

    raw: tuple[str, ...]
    frozen: bool = True
    boxes: str = ""


_ANCHORS = ("head.classification_head.cls_logits", "head.regression_head.bbox_reg")
_SIX_MAPS = tuple(
    f"head.{head}.module_list.{n}" for head in ("regression_head", "classification_head") for n in range(6)
)
_RCNN = (
    "rpn.head.cls_logits",
    "rpn.head.bbox_pred",
    "roi_heads.box_predictor.cls_score",
    "roi_heads.box_predictor.bbox_pred",
)
_MASK = (*_RCNN, "roi_heads.mask_predictor")
DETECTORS: Mapping[str, Detector] = {
    "fasterrcnn_mobilenet_v3_large_320_fpn": Detector(_RCNN),
    "fasterrcnn_mobilenet_v3_large_fpn": Detector(_RCNN),
    "fasterrcnn_resnet50_fpn": Detector(_RCNN),
    "fasterrcnn_resnet50_fpn_v2": Detector(_RCNN, frozen=False),
    "fcos_resnet50_fpn": Detector((*_ANCHORS, "head.regression_head.bbox_ctrness"), boxes=_ANCHORS[1]),
    "keypointrcnn_resnet50_fpn": Detector((*_RCNN, "roi_heads.keypoint_predictor")),
    "maskrcnn_resnet50_fpn": Detector(_MASK),
    "maskrcnn_resnet50_fpn_v2": Detector(_MASK, frozen=False),
    "retinanet_resnet50_fpn": Detector(_ANCHORS),
    "retinanet_resnet50_fpn_v2": Detector(_ANCHORS, frozen=False),
    "ssd300_vgg16": Detector(_SIX_MAPS, frozen=False),
    "ssdlite320_mobilenet_v3_large": Detector(_SIX_MAPS, frozen=False),
}
"""The detectors of torchvision by name."""


class RawHeads(nn.Module):
    """A detector that takes a batch of images and returns the raw outputs of its heads.

    ``regions``: the boxes of an image for the box head, and for a head of masks or keypoints.
    """

    def __init__(self, model: Any, detector: Detector, regions: tuple[int, int]) -> None:
        super().__init__()
        self.model, self.detector, self.regions = model, detector, regions

    def forward(self, x: Tensor) -> list[Tensor]:
        found: list[Tensor] = []

        def note(module: nn.Module, inputs: object, out: Tensor) -> None:
            found.append(out.relu() if module is boxes else out)

        boxes = self.model.get_submodule(self.detector.boxes) if self.detector.boxes else None
        hooks = [self.model.get_submodule(name).register_forward_hook(note) for name in self.detector.raw]
        try:
            features = self.model.backbone(x)
            if hasattr(self.model, "rpn"):
                self._regions(x, features)
            else:
                self.model.head(list(features.values()))
        finally:
            for hook in hooks:
                hook.remove()
        return found

    def _regions(self, x: Tensor, features: Mapping[str, Tensor]) -> None:
        self.model.rpn.head(list(features.values()))
        heads = self.model.roi_heads
        maps = [value for name, value in features.items() if name != "pool"]
        for kind, regions in zip(("box", "mask", "keypoint"), (*self.regions, self.regions[1]), strict=True):
            pool = getattr(heads, f"{kind}_roi_pool", None)
            if pool is not None:
                height = x.shape[-2] / x.shape[-1]
                rois = [grid(n, height, len(x)).to(x.device) for n in per_map(regions, len(maps))]
                found = RoiAlign(pool.output_size, pool.sampling_ratio)(rois, *maps)
                getattr(heads, f"{kind}_predictor")(getattr(heads, f"{kind}_head")(found))


def build_detector(name: str, regions: int = 1000, detections: int = 100) -> nn.Module:
    """A detector of torchvision with raw outputs, as its published weights need it.

    ``regions`` and ``detections``: the boxes of an image for the box head, and for a head of masks or keypoints.
    """
    detector = DETECTORS[name]
    model = get_model(name, weights=None, weights_backbone=None)
    return RawHeads(freeze(model) if detector.frozen else model, detector, (regions, detections))


def freeze(model: nn.Module) -> nn.Module:
    """The model with a frozen normalisation in the place of every batch normalisation."""
    for module in list(model.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.BatchNorm2d):
                setattr(module, name, FrozenBatchNorm2d(child.num_features, eps=child.eps))
    return model
