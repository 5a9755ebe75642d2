"""Imports against PyTorch: its own counter on the meta device, its parameters, and its outputs on the same weights."""

from __future__ import annotations

import pytest

pytest.importorskip("torchvision")

import torch
import torchvision
from torch.utils.flop_counter import FlopCounterMode

import archcalc
from archcalc.capture.models import model_of
from archcalc.witness import build
from archcalc.witness.as_on_cpu import AsOnCpu
from archcalc.witness.counterpart import output_difference, pairs, take
from archcalc.witness.random_weights import fill

SAMPLE = (
    "alexnet",
    "efficientnet_b0",
    "lraspp_mobilenet_v3_large",
    "mobilenet_v3_small",
    "r2plus1d_18",
    "regnet_y_400mf",
    "shufflenet_v2_x0_5",
    "squeezenet1_1",
    "ssdlite320_mobilenet_v3_large",
    "swin_t",
    "vit_b_32",
)


@pytest.mark.parametrize("name", SAMPLE)
def test_parameters_and_multiply_adds(name: str) -> None:
    """PyTorch counts two operations for a multiply-add."""
    model = model_of(f"torchvision:{name}")
    totals = archcalc.load(f"torchvision:{name}").analyze().totals
    module = model.module.to("meta").eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(torch.zeros(1, *model.sizes["input"], device="meta"))
    params = sum(parameter.numel() for parameter in module.parameters())
    assert (totals.params, 2 * totals.macs) == (params, counter.get_total_flops())


def test_optical_flow() -> None:
    """The parameters that torchvision states, and the products of both images, all pairs and twelve updates."""
    images = {"image1": (3, 128, 128), "image2": (3, 128, 128)}
    totals = archcalc.load("torchvision:raft_small", input=images).analyze().totals
    module = model_of("torchvision:raft_small").module.to("meta").eval()
    with AsOnCpu(), FlopCounterMode(display=False) as counter, torch.no_grad(), torch.device("meta"):
        module(*(torch.zeros(1, *size) for size in images.values()))
    stated = torchvision.models.get_model_weights("raft_small").DEFAULT.meta["num_params"]
    assert (totals.params, 2 * totals.macs) == (stated, counter.get_total_flops())


@pytest.mark.parametrize(
    ("name", "side", "most"),
    [
        ("resnet18", 64, 0),
        ("mobilenet_v3_small", 64, 0),
        ("shufflenet_v2_x0_5", 64, 0),
        ("squeezenet1_1", 64, 0),
        ("swin_t", 224, 1e-5),
    ],
)
def test_the_built_import_has_the_outputs_of_the_model(name: str, side: int, most: float) -> None:
    theirs = torchvision.models.get_model(name, weights=None).eval()
    ours = build(archcalc.from_torch(theirs, input=(3, side, side))).eval()
    image = torch.randn(1, 3, side, side, generator=torch.Generator().manual_seed(0))
    fill(theirs)
    found, problem = pairs(ours, theirs, image)
    assert not problem
    with torch.no_grad():
        take(ours, theirs, found)
    assert output_difference(ours, theirs, image) <= most


@pytest.mark.parametrize(
    ("net", "most"),
    [("torchvision:resnet152", 60), ("torchvision:vit_b_16", 60), ("torchvision:googlenet", 150)],
)
def test_the_text_is_short(net: str, most: int) -> None:
    from archcalc.language.written import import_spec

    assert len(import_spec(net).splitlines()) <= most
