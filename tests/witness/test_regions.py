"""Heads of regions next to torchvision: their figures and their memory, moment by moment; the exported file; values."""

from __future__ import annotations

from types import MappingProxyType

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from torchvision import ops
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor

from archcalc import analyze
from archcalc.export.region_layers import RoiAlign, grid
from archcalc.memory.lifetime import inference
from archcalc.memory.training import training
from archcalc.witness import memory
from archcalc.witness.device import device
from archcalc.witness.verify import verify

from .test_memory import BATCH, Checkpointed, assert_every_moment, image_of, module_of
from .test_source import assert_same_function, exported, spec

STEM = """
input: [3, 16, 24]
layers:
  - {conv: {out: 8, kernel: 3, pad: 1, stride: 2}, name: p2}
  - {conv: {out: 8, kernel: 3, pad: 1, stride: 2}, name: p3}
"""
HEADS = MappingProxyType(
    {
        "one map": """
  - regions: 5
    layers:
      - roi_align: {size: 3, aligned: true}
      - {conv: {out: 6, kernel: 3, pad: 1}, name: c}
      - batch_norm
      - relu
      - flatten
      - {linear: {out: 7}}
""",
        "a pyramid, and two outputs": """
  - regions: 7
    layers:
      - roi_align: {size: [2, 3], sampling: 1}
        from: [p2, p3]
      - flatten
      - {linear: {out: 6}, name: fc}
      - dropout
      - {relu: , name: features}
      - {linear: {out: 4}, name: scores}
      - {linear: {out: 16}, name: boxes, from: features}
""",
        "fewer regions than maps": """
  - {regions: 1, layers: [{roi_pool: {size: 2}, from: [p2, p3]}, {group_norm: {groups: 2}}]}
""",
        "two numbers of regions": """
  - {regions: 4, name: a, layers: [{roi_pool: {size: 2}, from: p2}, {conv: {out: 3, kernel: 1}}, gelu]}
  - {regions: 3, name: b, layers: [{roi_align: {size: 4}, from: p3}, {conv_transpose: {out: 2, kernel: 2, stride: 2}}]}
  - {regions: 4, name: again, layers: [{softmax: , from: a}]}
""",
        "cells with channels of their own": """
  - {conv: {out: 12, kernel: 1}}
  - {regions: 4, layers: [{ps_roi_pool: {size: [3, 2]}}, global_avg_pool, flatten]}
""",
        "attention, and a pooling that is undone": """
  - regions: 3
    layers:
      - {roi_align: {size: 4}, name: r}
      - {max_pool: {kernel: 2, stride: 2}, name: pool}
      - attention: {heads: 2, queries: [{conv: {out: 8, kernel: 1}}], keys: [], values: []}
      - {unpool: {of: pool}}
""",
        "a gate and a sum": """
  - regions: 3
    layers:
      - {roi_align: {size: 4}, name: r}
      - multiply: {x: [], gate: [global_avg_pool, {conv: {out: 8, kernel: 1}}, sigmoid]}
      - add: [[], [{layer_norm: {axis: channels}}, {linear: {out: 8, axis: channels}}]]
""",
    }
)


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
def test_memory_and_the_exported_file(head: str) -> None:
    network = spec(STEM + head)
    module, image = module_of(network, "cpu"), image_of(network, "cpu")
    assert_every_moment(inference(network, sums_in_place=False), memory.inference_live(module, image))
    assert memory.saved_difference(network, module, image) == ""
    assert_every_moment(training(network, sums_in_place=False), memory.training_live(module, image))
    assert memory.saved_difference(network, module, image, amp=True) == ""
    assert_every_moment(
        inference(network, amp=True, sums_in_place=False), memory.inference_live(module, image, amp=True)
    )
    assert_every_moment(training(network, amp=True, sums_in_place=False), memory.training_live(module, image, amp=True))
    assert_same_function(network)


@pytest.mark.parametrize("head", ["one map", "a pyramid, and two outputs"])
def test_what_verify_says(head: str) -> None:
    assert verify(spec(STEM + HEADS[head]), device("cpu"), 12).problems == []


def test_the_heads_of_torchvision() -> None:
    """Faster R-CNN's head of boxes and Mask R-CNN's head of masks, as fasterrcnn_resnet50_fpn has them."""
    network = spec("""
input: [256, 64, 64]
layers:
  - regions: 1000
    layers:
      - {roi_align: {size: 7}, from: input}
      - flatten
      - linear: {out: 1024}
      - relu
      - linear: {out: 1024}
      - {relu: , name: features}
      - {linear: {out: 91}, name: scores}
      - {linear: {out: 364}, from: features}
  - regions: 100
    layers:
      - {roi_align: {size: 14}, from: input}
      - {repeat: 4, layers: [{conv: {out: 256, kernel: 3, pad: 1}}, relu]}
      - conv_transpose: {out: 256, kernel: 2, stride: 2}
      - relu
      - conv: {out: 91, kernel: 1}
""")
    with torch.device("meta"):
        boxes = TwoMLPHead(256 * 7 * 7, 1024), FastRCNNPredictor(1024, 91)
        masks = MaskRCNNHeads(256, (256,) * 4, 1), MaskRCNNPredictor(256, 256, 91)
        with FlopCounterMode(display=False) as counter:
            boxes[1](boxes[0](torch.zeros(1000, 256, 7, 7)))
            masks[1](masks[0](torch.zeros(100, 256, 14, 14)))
    totals = analyze(network).totals
    assert totals.params == sum(p.numel() for part in (*boxes, *masks) for p in part.parameters())
    assert 2 * totals.macs == counter.get_total_flops()


def test_the_regions_are_those_of_torchvision() -> None:
    """Boxes in pixels there, in parts of the width here; the map has a quarter of the size of the image."""
    x, boxes = torch.randn(2, 3, 12, 16), [torch.tensor([[3.0, 2, 40, 30], [0, 0, 64, 48]])] * 2
    rois = torch.cat([torch.tensor([[float(at), *box] for box in some.tolist()]) for at, some in enumerate(boxes)])
    rois[:, 1:] /= 64
    wanted = ops.roi_align(x, boxes, 5, 0.25, 2, aligned=True)
    assert torch.allclose(RoiAlign((5, 5), 2, aligned=True)(rois, x), wanted, atol=1e-6)


def test_the_regions_of_the_exported_model() -> None:
    network = spec(STEM + HEADS["two numbers of regions"])
    model = exported(network)().eval()
    with torch.no_grad():
        made = model(torch.zeros(2, 3, 16, 24), grid(4, 16 / 24, 2), grid(3, 16 / 24, 2))
    assert [tuple(out.shape) for out in made] == [(6, 2, 8, 8), (8, 3, 2, 2)]


def test_a_block_of_regions_that_runs_twice() -> None:
    network = spec(STEM + HEADS["one map"].replace("    layers", "    name: head\n    layers"))
    from archcalc.memory.checkpoint import block_runs

    runs = block_runs(network, network.running(), "head")
    module, image = Checkpointed(module_of(network, "cpu"), runs), image_of(network, "cpu")
    schedule = training(network, checkpoint="head", sums_in_place=False)
    assert memory.saved_bytes(module, image) == schedule.saved_bytes(BATCH)
    assert memory.training_peak(module, image) == schedule.peak(BATCH)
