"""torchvision's models: which network each of them is, and how one is built without drawing weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archcalc.errors import ArchcalcError, nearest
from archcalc.network import Network

OTHER_NAMES: Mapping[str, str] = {
    "alexnet": "alexnet_tv",
    "googlenet": "googlenet_tv",
    "regnet_x_400mf": "regnet_x_400mf_tv",
    "regnet_y_800mf": "regnet_y_800mf_tv",
    "regnet_y_8gf": "regnet_y_8gf_tv",
    "resnet50": "resnet50_tv",
    "resnet101": "resnet101_tv",
    "resnet152": "resnet152_tv",
}
"""torchvision's name, and the network's where it is another: torchvision departs from the paper there."""
SAME_NAMES = (
    "convnext_base",
    "convnext_large",
    "convnext_small",
    "convnext_tiny",
    "densenet121",
    "densenet161",
    "densenet169",
    "densenet201",
    *(f"efficientnet_b{n}" for n in range(8)),
    "efficientnet_v2_l",
    "efficientnet_v2_m",
    "efficientnet_v2_s",
    "inception_v3",
    "mnasnet0_5",
    "mnasnet0_75",
    "mnasnet1_0",
    "mnasnet1_3",
    "mobilenet_v2",
    "mobilenet_v3_large",
    "mobilenet_v3_small",
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
    "resnext101_32x8d",
    "resnext101_64x4d",
    "resnext50_32x4d",
    "shufflenet_v2_x0_5",
    "shufflenet_v2_x1_0",
    "shufflenet_v2_x1_5",
    "shufflenet_v2_x2_0",
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
    "wide_resnet101_2",
    "wide_resnet50_2",
)
NETWORKS: Mapping[str, str] = dict(sorted({**OTHER_NAMES, **{name: name for name in SAME_NAMES}}.items()))
"""The network that each model of torchvision is."""
SIDE_HEADS = ("googlenet", "inception_v3")
"""Models with auxiliary classifiers, whose weights are costly to draw at random."""


def counterpart(network: Network) -> str:
    """torchvision's name of a network of the zoo; ArchcalcError where it has none, or other settings."""
    found = next((name for name, spec in NETWORKS.items() if spec == network.name), None)
    if found is None:
        close = nearest(network.name, NETWORKS.values())
        hint = f"; {close} is one that it has" if close else ""
        raise ArchcalcError(f"torchvision has no model that is {network.name}{hint}")
    if network.settings_changed:
        raise ArchcalcError(f"torchvision's {found} is {network.name} as it stands, without --set")
    return found


def build(name: str, *, meta: bool) -> Any:
    """A model of torchvision in evaluation mode, on the meta device or with weights that nothing was written to."""
    try:
        from torchvision import models
    except ImportError:
        raise ArchcalcError("measuring needs torch and torchvision: pip install 'archcalc[torch]'") from None
    arguments = {"init_weights": False} if name in SIDE_HEADS else {}
    with _without_memory():
        model = models.get_model(name, weights=None, **arguments).eval()
    return model if meta else model.to_empty(device="cpu")


def _without_memory() -> Any:
    """Parameters on the meta device; RegNet's widths, which torch computes while it builds, stay real."""
    import torch
    from torch.overrides import TorchFunctionMode

    class WithoutMemory(TorchFunctionMode):
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            kwargs = kwargs or {}
            if func in (torch.empty, torch.ones, torch.zeros) and kwargs.get("device") is None:
                kwargs["device"] = "meta"
            return func(*args, **kwargs)

    return WithoutMemory()
