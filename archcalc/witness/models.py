"""Models of other libraries: the network of each model, and how to build a model without random weights."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from importlib.util import find_spec
from types import MappingProxyType
from typing import Any, NamedTuple

from archcalc.errors import ArchcalcError, nearest
from archcalc.network import Network

OTHER_NAMES: Mapping[str, str] = {
    "alexnet": "alexnet_tv",
    "googlenet": "googlenet_tv",
    "r2plus1d_18": "r2plus1d_18_tv",
    "regnet_x_400mf": "regnet_x_400mf_tv",
    "regnet_y_800mf": "regnet_y_800mf_tv",
    "regnet_y_8gf": "regnet_y_8gf_tv",
    "resnet50": "resnet50_tv",
    "resnet101": "resnet101_tv",
    "resnet152": "resnet152_tv",
}
"""torchvision's name of a model, and archcalc's name, if the names differ. These models depart from their papers."""
SAME_NAMES = (
    "convnext_base",
    "convnext_large",
    "convnext_small",
    "convnext_tiny",
    "deeplabv3_mobilenet_v3_large",
    "deeplabv3_resnet101",
    "deeplabv3_resnet50",
    "densenet121",
    "densenet161",
    "densenet169",
    "densenet201",
    *(f"efficientnet_b{n}" for n in range(8)),
    "efficientnet_v2_l",
    "efficientnet_v2_m",
    "efficientnet_v2_s",
    "fasterrcnn_mobilenet_v3_large_320_fpn",
    "fasterrcnn_mobilenet_v3_large_fpn",
    "fasterrcnn_resnet50_fpn",
    "fasterrcnn_resnet50_fpn_v2",
    "fcn_resnet101",
    "fcn_resnet50",
    "fcos_resnet50_fpn",
    "inception_v3",
    "keypointrcnn_resnet50_fpn",
    "lraspp_mobilenet_v3_large",
    "maskrcnn_resnet50_fpn",
    "maskrcnn_resnet50_fpn_v2",
    "maxvit_t",
    "mc3_18",
    "mnasnet0_5",
    "mnasnet0_75",
    "mnasnet1_0",
    "mnasnet1_3",
    "mobilenet_v2",
    "mobilenet_v3_large",
    "mobilenet_v3_small",
    "mvit_v1_b",
    "mvit_v2_s",
    "r3d_18",
    "regnet_x_16gf",
    "regnet_x_1_6gf",
    "regnet_x_32gf",
    "regnet_x_3_2gf",
    "regnet_x_800mf",
    "regnet_x_8gf",
    "regnet_y_128gf",
    "regnet_y_16gf",
    "regnet_y_1_6gf",
    "regnet_y_32gf",
    "regnet_y_3_2gf",
    "regnet_y_400mf",
    "resnet18",
    "resnet34",
    "retinanet_resnet50_fpn",
    "retinanet_resnet50_fpn_v2",
    "resnext101_32x8d",
    "resnext101_64x4d",
    "resnext50_32x4d",
    "s3d",
    "shufflenet_v2_x0_5",
    "shufflenet_v2_x1_0",
    "shufflenet_v2_x1_5",
    "shufflenet_v2_x2_0",
    "ssd300_vgg16",
    "ssdlite320_mobilenet_v3_large",
    "squeezenet1_0",
    "squeezenet1_1",
    "vgg11",
    "vgg11_bn",
    "vgg13",
    "vgg13_bn",
    "vgg16",
    "vgg16_bn",
    "vgg19",
    "vgg19_bn",
    "swin3d_b",
    "swin3d_s",
    "swin3d_t",
    "swin_b",
    "swin_s",
    "swin_t",
    "swin_v2_b",
    "swin_v2_s",
    "swin_v2_t",
    *(f"vit_{name}" for name in ("b_16", "b_32", "h_14", "l_16", "l_32")),
    "wide_resnet101_2",
    "wide_resnet50_2",
)
NETWORKS: Mapping[str, str] = dict(sorted({**OTHER_NAMES, **{name: name for name in SAME_NAMES}}.items()))
"""The network of each torchvision model."""
OF_TIMM: Mapping[str, str] = {
    "deit_base_patch16_224": "deit_base",
    "deit_small_patch16_224": "deit_small",
    "deit_tiny_patch16_224": "deit_tiny",
    "darknet53": "darknet53",
    "dpn68": "dpn68",
    "dpn92": "dpn92",
    "inception_resnet_v2": "inception_resnet_v2_released",
    "inception_v4": "inception_v4_released",
    "legacy_senet154": "senet154",
    "legacy_seresnet101": "se_resnet101",
    "legacy_seresnet152": "se_resnet152",
    "legacy_seresnet50": "se_resnet50",
    "legacy_xception": "xception_timm",
    "mixer_b16_224": "mlp_mixer_b16",
    "mixer_b32_224": "mlp_mixer_b32",
    "mixer_l16_224": "mlp_mixer_l16",
    "mixer_l32_224": "mlp_mixer_l32",
    "mixer_s16_224": "mlp_mixer_s16",
    "mixer_s32_224": "mlp_mixer_s32",
    "mobilenetv2_035": "mobilenet_v2_0.35",
    "mobilenetv2_050": "mobilenet_v2_0.5",
    "mobilenetv2_075": "mobilenet_v2_0.75",
    "mobilenetv2_140": "mobilenet_v2_1.4",
    "mobilenetv3_large_075": "mobilenet_v3_large_0.75",
    "mobilenetv3_small_075": "mobilenet_v3_small_0.75",
    "regnetx_002": "regnet_x_200mf",
    "regnetx_004": "regnet_x_400mf",
    "regnetx_006": "regnet_x_600mf",
    "regnetx_040": "regnet_x_4gf",
    "regnetx_064": "regnet_x_6_4gf",
    "regnetx_120": "regnet_x_12gf",
    "regnety_002": "regnet_y_200mf",
    "regnety_006": "regnet_y_600mf",
    "regnety_008": "regnet_y_800mf",
    "regnety_040": "regnet_y_4gf",
    "regnety_064": "regnet_y_6_4gf",
    "regnety_080": "regnet_y_8gf",
    "regnety_120": "regnet_y_12gf",
    "resnetv2_101x1_bit": "bit_r101x1",
    "resnetv2_101x3_bit": "bit_r101x3",
    "resnetv2_152x2_bit": "bit_r152x2",
    "resnetv2_152x4_bit": "bit_r152x4",
    "resnetv2_50x1_bit": "bit_r50x1",
    "resnetv2_50x3_bit": "bit_r50x3",
    "resnext101_32x4d": "resnext101_32x4d",
    "semnasnet_100": "mnasnet_a1",
}
"""The network of each timm model that is used, because torchvision lacks the network."""


def _leaky_relu(**settings: Any) -> Any:
    """Darknet's activation. timm's has the slope 0.01."""
    from torch.nn import LeakyReLU

    return LeakyReLU(0.1, **settings)


TIMM_ARGUMENTS: Mapping[str, Mapping[str, Any]] = {
    "darknet53": {"act_layer": _leaky_relu},
    "mobilenetv3_large_075": {"bn_eps": 1e-3},
    "mobilenetv3_small_075": {"bn_eps": 1e-3},
}
"""Arguments of timm models whose default epsilon or slope differs from that of the authors."""
_NO_WEIGHTS = {"weights_backbone": None}
_WITH_SIDE_HEAD = {"weights_backbone": None, "aux_loss": True}
ARGUMENTS: Mapping[str, Mapping[str, Any]] = {
    "deeplabv3_mobilenet_v3_large": _WITH_SIDE_HEAD,
    "deeplabv3_resnet101": _WITH_SIDE_HEAD,
    "deeplabv3_resnet50": _WITH_SIDE_HEAD,
    "fcn_resnet101": _WITH_SIDE_HEAD,
    "fcn_resnet50": _WITH_SIDE_HEAD,
    "googlenet": {"init_weights": False},
    "inception_v3": {"init_weights": False},
    "lraspp_mobilenet_v3_large": _NO_WEIGHTS,
}
"""Arguments of torchvision's models: no slow initialisation, no weights, and the auxiliary classifiers."""


REGION_SETTINGS = ("regions", "detections")
"""The settings of detectors that no weight depends on: how many regions of an image the heads run for."""


class Model(NamedTuple):
    """A library's model of a network. ``regions``: the values of ``REGION_SETTINGS``, for a detector."""

    library: str
    name: str
    regions: Mapping[str, Any] = MappingProxyType({})

    def __str__(self) -> str:
        return f"{self.library}'s {self.name}"

    @property
    def missing(self) -> bool:
        """Whether the library is not installed."""
        return find_spec(self.library) is None

    def build(self) -> Any:
        """The model on the meta device."""
        if self.library == "torchvision":
            return build(self.name, meta=True, regions=self.regions)
        from archcalc.witness.as_on_cpu import WithoutMemory

        with warnings.catch_warnings(), WithoutMemory():
            warnings.simplefilter("ignore")  # timm uses deprecated parts of torch.jit
            import timm

            return timm.create_model(self.name, **TIMM_ARGUMENTS.get(self.name, {}))


def regions_of(network: Network) -> dict[str, Any]:
    """The values of ``REGION_SETTINGS`` that the network has."""
    return {key: value for key, value in network.settings.items() if key in REGION_SETTINGS}


def model_of(network: Network) -> Model | None:
    """The model of this network in torchvision, or else in timm. None if neither library has the network."""
    regions = regions_of(network)
    if not network.zoo_name or network.settings_changed.keys() - regions:
        return None
    for library, known in (("torchvision", NETWORKS), ("timm", OF_TIMM)):
        for name, spec in known.items():
            if spec == network.name:
                return Model(library, name, regions)
    return None


def counterpart(network: Network) -> str:
    """torchvision's name of a network of the zoo.

    ArchcalcError if torchvision lacks the network, or has the network with other settings only.
    """
    theirs = next((name for name, spec in NETWORKS.items() if spec == network.zoo_name), None)
    if theirs is None:
        close = nearest(network.name, NETWORKS.values())
        hint = f"; {close} is one that it has" if close else ""
        whose = "" if network.zoo_name else f" of {network.file or 'this pattern'}, which is no network of the zoo"
        raise ArchcalcError(f"torchvision has no model that is {network.full_name}{whose}{hint}")
    if network.settings_changed.keys() - regions_of(network):
        raise ArchcalcError(f"torchvision's {theirs} is {network.name}, and not {network.full_name}")
    return theirs


def build(name: str, *, meta: bool, regions: Mapping[str, Any] | None = None) -> Any:
    """A model of torchvision in evaluation mode, on the meta device or with uninitialised weights.

    ``regions``: the values of ``REGION_SETTINGS``, for a detector.
    """
    try:
        from torchvision import models
    except ImportError:
        raise ArchcalcError("measuring needs torch and torchvision: pip install 'archcalc[torch]'") from None
    from archcalc.witness.as_on_cpu import AsOnCpu, WithoutMemory
    from archcalc.witness.detectors import DETECTORS, build_detector

    with AsOnCpu(), WithoutMemory():  # type: ignore[no-untyped-call]
        if name in DETECTORS:
            model = build_detector(name, **(regions or {}))
        else:
            model = models.get_model(name, weights=None, **ARGUMENTS.get(name, {}))
    if meta:
        return model.eval()
    for buffer in model.eval().to_empty(device="cpu").buffers():
        if not buffer.is_floating_point():  # an index must lie inside its table
            buffer.zero_()
    return model
