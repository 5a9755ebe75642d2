"""The pictures that the tests look at: each kind of the five networks that every figure must suit, and a few more."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from archcalc import Analysis, load
from archcalc.spaces.sheet import Sheet
from tests.nets import CLIP, FPN, SIAMESE, SSD, THREE_INPUTS, UNET
from tests.nets import network as spec
from tests.timing.round_device import ROUND

SMALL = {
    "small unet": UNET,
    "small fpn": FPN,
    "small ssd": SSD,
    "small clip": CLIP,
    "small siamese": SIAMESE,
    "three inputs": THREE_INPUTS,
}
WIDTHS = (0.25, 0.5, 0.75, 1.0, 1.25)
SIZES = (96, 128, 160, 192, 224, 320)
SHEETS = {
    "front": Sheet(
        "front.csv",
        {
            "width": [w for w in WIDTHS for _ in SIZES],
            "input": [n for _ in WIDTHS for n in SIZES],
            "macs": [round(6000 * n * n * w * w) for w in WIDTHS for n in SIZES],
            "params": [round(3e6 * w + 5000 * (320 - n)) for w in WIDTHS for n in SIZES],
        },
    ),
    "sizes": Sheet(
        "sizes.parquet",
        {
            "input": [n for n in SIZES for _ in (1, 8, 64)],
            "batch": [1, 8, 64] * len(SIZES),
            "macs": [80_000 * n * n * b for n in SIZES for b in (1, 8, 64)],
            "time": [1e-9 * n * n * b + 0.001 for n in SIZES for b in (1, 8, 64)],
        },
    ),
}
"""Tables of sweeps, with made-up figures."""
FIVE = ("lenet5", "vgg16", "googlenet", "resnet152", "densenet201")
CROWD = (
    *("vgg11", "vgg13", "vgg16", "vgg19", "resnet18", "resnet34", "resnet50", "resnet101", "resnet152"),
    *("densenet121", "densenet169", "densenet201", "inception_v3", "resnext101_64x4d", "mobilenet_v2", "alexnet_tv"),
)

PICTURES: list[tuple[str, tuple[str, ...], dict[str, Any]]] = [
    *((kind, (name,), {}) for kind in ("rf", "rf-map", "cost", "shape") for name in FIVE),
    ("rf", FIVE, {}),
    ("rf", ("vgg16", "alexnet"), {}),
    ("rf-map", ("alexnet",), {"layers": ["conv1", "conv2", "conv5"]}),
    ("shape", ("resnet18",), {}),
    ("compare", ("vgg16", "googlenet", "resnet152", "densenet201"), {}),
    ("compare", CROWD, {}),
    *(("memory", (name,), {}) for name in FIVE),
    *(("memory", (f"{name} in training",), {}) for name in FIVE),
    ("memory", ("resnet50 in training",), {"amp": True, "checkpoint": "conv2_x"}),
    *(("budget", (name,), {}) for name in ("googlenet", "densenet201")),
    ("budget", ("lenet5",), {"fit": "64MB"}),
    ("budget", ("vgg16",), {"optimizer": "adam", "overhead": "500MB"}),
    ("budget", ("resnet152",), {"optimizer": "momentum", "amp": True}),
    *((kind, (name,), {}) for kind in ("rf", "shape") for name in ("small unet", "small fpn", "small ssd")),
    ("rf", ("small clip",), {}),
    *(("shape", (name,), {}) for name in ("small siamese", "three inputs")),
    ("rf-map", ("small unet",), {}),
    *((kind, (name,), {}) for kind in ("rf", "rf-map", "cost") for name in ("mobilenet_v2", "efficientnet_b0")),
    ("cost", ("lenet5",), {"dark": True, "title": "LeNet-5 in the dark"}),
    ("roofline", ("vgg16", "mobilenet_v2"), {"on": ROUND, "amp": True}),
    ("roofline", ("lenet5 in training",), {"on": ROUND, "compiled": True, "dark": True}),
    ("pattern", (), {}),
    ("pattern", (), {"kernel": 5, "stack": 2}),
    ("pareto", ("front",), {}),
    ("pareto", ("front",), {"x": "params", "y": "-input", "label": "width", "log": "x"}),
    ("sweep", ("sizes",), {"y": "macs,time"}),
    ("sweep", ("front",), {"x": "width", "y": "params", "dark": True}),
]


def name_of(picture: tuple[str, tuple[str, ...], dict[str, Any]]) -> str:
    kind, networks, options = picture
    named = "-".join(networks) if len(networks) < 3 else f"{networks[0]}-and-{len(networks) - 1}"
    return "_".join(filter(None, [kind, named.replace(" ", "-"), *map(str, options)]))


@lru_cache(maxsize=32)
def analysis(name: str) -> Analysis | Sheet:
    if name in SHEETS:
        return SHEETS[name]
    network, _, how = name.partition(" in ")
    if network in SMALL:
        return spec(SMALL[network], network.replace(" ", "_")).analyze()
    return load(network).analyze(training=how == "training")


def analyses(networks: tuple[str, ...]) -> list[Analysis | Sheet]:
    return [analysis(name) for name in networks]
