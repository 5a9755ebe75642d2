"""torchvision's detectors, from the image to the raw maps of their heads.

Anchors, box decoding and non-maximum suppression depend on data, and are no part of a network here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from torch import Tensor, nn
from torchvision.models import get_model
from torchvision.ops.misc import FrozenBatchNorm2d


class Detector(NamedTuple):
    """How a detector becomes a network with raw outputs.

    raw:    the modules whose outputs are the outputs of the network, in this order
    frozen: whether the published weights go with frozen batch normalisations; without weights, torchvision builds the
            model with trained ones
    """

    raw: tuple[str, ...]
    frozen: bool = True


_CLASSES, _BOXES = "head.classification_head", "head.regression_head"
_SIX_MAPS = tuple(f"{head}.module_list.{number}" for head in (_BOXES, _CLASSES) for number in range(6))
DETECTORS: Mapping[str, Detector] = {
    "retinanet_resnet50_fpn": Detector((f"{_CLASSES}.cls_logits", f"{_BOXES}.bbox_reg")),
    "retinanet_resnet50_fpn_v2": Detector((f"{_CLASSES}.cls_logits", f"{_BOXES}.bbox_reg"), frozen=False),
    "fcos_resnet50_fpn": Detector((f"{_CLASSES}.cls_logits", f"{_BOXES}.bbox_reg", f"{_BOXES}.bbox_ctrness")),
    "ssdlite320_mobilenet_v3_large": Detector(_SIX_MAPS, frozen=False),
}
"""The detectors of torchvision by name."""


class RawHeads(nn.Module):
    """A detector that takes a batch of images and returns the raw maps of its heads, module by module."""

    def __init__(self, model: nn.Module, raw: tuple[str, ...]) -> None:
        super().__init__()
        self.model, self.raw = model, raw

    def forward(self, x: Tensor) -> list[Tensor]:
        found: list[list[Tensor]] = []
        hooks = []
        for name in self.raw:
            outputs: list[Tensor] = []

            def note(module: nn.Module, inputs: object, out: Tensor, to: list[Tensor] = outputs) -> None:
                to.append(out)

            hooks.append(self.model.get_submodule(name).register_forward_hook(note))
            found.append(outputs)
        try:
            features = self.model.get_submodule("backbone")(x)
            self.model.get_submodule("head")(list(features.values()))
        finally:
            for hook in hooks:
                hook.remove()
        return [out for outputs in found for out in outputs]


def build_detector(name: str) -> nn.Module:
    """A detector of torchvision with raw outputs, as its published weights need it."""
    detector = DETECTORS[name]
    model = get_model(name, weights=None, weights_backbone=None)
    return RawHeads(freeze(model) if detector.frozen else model, detector.raw)


def freeze(model: nn.Module) -> nn.Module:
    """The model with a frozen normalisation in the place of every batch normalisation."""
    for module in list(model.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.BatchNorm2d):
                setattr(module, name, FrozenBatchNorm2d(child.num_features, eps=child.eps))
    return model
