"""Networks with several outputs next to PyTorch: memory moment by moment, the exported file, and verify."""

from __future__ import annotations

import pytest
import torch

from archcalc import Network
from archcalc.memory.budget import Budget
from archcalc.memory.checkpoint import block_runs
from archcalc.memory.deployed import fold_batch_norm
from archcalc.memory.lifetime import inference, overwritten
from archcalc.memory.training import training
from archcalc.witness import build, memory
from archcalc.witness.built import Built
from archcalc.witness.device import device
from archcalc.witness.verify import verify

from .test_memory import BATCH, Checkpointed, assert_every_moment, image_of, module_of
from .test_source import assert_same_function, outputs, spec

TWO_HEADS = """
input: [3, 32, 32]
layers:
  - {conv: {out: 4, kernel: 3, pad: 1}, name: c1}
  - {conv: {out: 64, kernel: 1}, name: head1}
  - {conv: {out: 32, kernel: 1}, name: c2, from: c1}
  - {conv: {out: 32, kernel: 1}, name: head2}
"""
FORGOTTEN = """
input: [3, 16, 16]
layers:
  - {conv: {out: 8, kernel: 3, pad: 1}, name: a}
  - {conv: {out: 99, kernel: 3, pad: 1}, name: forgotten}
  - {conv: {out: 4, kernel: 1}, from: a}
"""
TAPS = """
input: [3, 16, 16]
outputs: [fc, stage2, stage1, stage1.n]
blocks:
  unit:
    params: {out: , stride: 1}
    layers:
      - {conv: {out: out, kernel: 3, pad: 1, stride: stride, bias: false}, name: c}
      - {batch_norm: , name: n}
      - relu
      - add: {main: [{conv: {out: out, kernel: 3, pad: 1}}], shortcut: []}
layers:
  - {unit: {out: 8}, name: stage1}
  - {unit: {out: 16, stride: 2}, name: stage2}
  - {unit: {out: 32, stride: 2}, name: stage3}
  - global_avg_pool
  - flatten
  - {linear: {out: 10}, name: fc}
  - {relu: , name: left_out}
"""
SSD = """
# The heads of SSD300 (Liu et al. 2016, Figure 2): six maps, each with boxes and classes, on a narrow trunk of 1/4 the size.
title: SSD with a narrow trunk
input: [3, 75, 75]
params: {classes: 5, width: 4, boxes: [4, 6, 6, 6, 4, 4], flat: false}
blocks:
  double:
    params: [out]
    layers:
      - layers: [{conv: {out: out, kernel: 3, pad: 1}}, relu]
        repeat: 2
  extra:
    params: [out, kernel, stride, pad]
    layers:
      - conv: {out: out // 2, kernel: 1}
      - relu
      - conv: {out: out, kernel: kernel, stride: stride, pad: pad}
      - {relu: , name: last}
  heads:
    params: [at]
    layers:
      - layers: [{conv: {out: "boxes[at - 1] * 4", kernel: 3, pad: 1}, name: conv}, {flatten: , when: flat}]
        name: "boxes{at}"
      - layers: [{conv: {out: "boxes[at - 1] * classes", kernel: 3, pad: 1}, name: conv}, {flatten: , when: flat}]
        name: "classes{at}"
        from: "map{at}"
layers:
  - double: {out: width}
  - max_pool: {kernel: 2, stride: 2, ceil_mode: true}
  - double: {out: 2 * width}
  - max_pool: {kernel: 2, stride: 2, ceil_mode: true}
  - {double: {out: 4 * width}, name: map1}
  - {heads: {at: 1}, label: heads1}
  - {max_pool: {kernel: 2, stride: 2}, from: map1}
  - {double: {out: 4 * width}, name: map2}
  - {heads: {at: 2}, label: heads2}
  - {extra: {out: 4 * width, kernel: 3, stride: 2, pad: 1}, name: map3, from: map2}
  - {heads: {at: 3}, label: heads3}
  - {extra: {out: 2 * width, kernel: 3, stride: 2, pad: 1}, name: map4, from: map3}
  - {heads: {at: 4}, label: heads4}
  - {extra: {out: 2 * width, kernel: 2, stride: 1, pad: 0}, name: map5, from: map4}
  - {heads: {at: 5}, label: heads5}
  - {extra: {out: 2 * width, kernel: 2, stride: 1, pad: 0}, name: map6, from: map5}
  - {heads: {at: 6}, label: heads6}
"""
JOINED = (
    SSD.replace("flat: false", "flat: true")
    + """
  - {concat: , from: [boxes1, boxes2, boxes3, boxes4, boxes5, boxes6], name: boxes}
  - {concat: , from: [classes1, classes2, classes3, classes4, classes5, classes6], name: classes}
"""
)
DENSE = """
input: [3, 16, 16]
outputs: ["layer{3..4}", every]
layers:
  - {conv: {out: 8, kernel: 3, pad: 1}, name: layer0}
  - repeat: 4
    layers:
      - {concat: , from: ["layer{0..i - 1}"]}
      - {layers: [batch_norm, relu, {conv: {out: 4, kernel: 3, pad: 1, bias: false}}], name: "layer{i}"}
  - {concat: , from: ["layer{0..4}"], name: every}
"""
NETWORKS = {
    "a dense block": DENSE,
    "two heads": TWO_HEADS,
    "a forgotten layer": FORGOTTEN,
    "taps": TAPS,
    "one output read later": TAPS.replace("outputs: [fc, stage2, stage1, stage1.n]", "outputs: stage2"),
    "a normalisation and the convolution before it": TAPS.replace("stage1, stage1.n]", "stage1.n, stage1.c]"),
    "twelve heads": SSD,
    "twelve heads joined": JOINED,
    "two of twelve heads, the later first": SSD.replace("input:", "outputs: [classes6, boxes1]\ninput:"),
    "an input handed on": "input: [3, 8, 8]\nlayers: [{conv: {out: 3, kernel: 1}}, {flatten: , from: input}]\n",
    "a view and its map": "input: [3, 8, 8]\noutputs: [v, c]\nlayers: [{conv: {out: 3, kernel: 1}, name: c}, "
    "{flatten: , name: v}]\n",
    "one map twice": "input: [3, 8, 8]\noutputs: [c, i, d]\nlayers: [{conv: {out: 3, kernel: 1}, name: c}, "
    "{identity: , name: i}, {conv: {out: 3, kernel: 3}, name: d}]\n",
    "heads beside a side head": TWO_HEADS + "  - {side: [{conv: {out: 7, kernel: 1}, from: c1}]}\n",
}


@pytest.fixture(params=NETWORKS)
def network(request: pytest.FixtureRequest) -> Network:
    return spec(NETWORKS[request.param])


def test_every_byte(network: Network) -> None:
    module, image = module_of(network), image_of(network)
    assert memory.inference_peak(module, image) == inference(network, sums_in_place=False).peak(BATCH)
    schedule = training(network, sums_in_place=False)
    assert memory.saved_bytes(module, image) == schedule.saved_bytes(BATCH)
    assert_every_moment(schedule, memory.training_live(module, image))
    deployed = fold_batch_norm(network)
    assert memory.inference_peak(module_of(deployed), image) == inference(deployed).peak(BATCH)


def test_the_exported_file_returns_the_same(network: Network) -> None:
    assert_same_function(network)


def test_outputs_come_in_the_order_of_the_spec(network: Network) -> None:
    found = outputs(build(network, "meta").eval(), image_of(network))
    shapes = [network.nodes[i].shape for i in network.outputs]
    assert [out.shape for out in found] == [(BATCH, shape.channels, *shape.axes) for shape in shapes]


def test_every_output_has_a_backward_pass(network: Network) -> None:
    """``torch.autograd.backward`` from a gradient of each output alone reaches the layers before that output, and no others."""
    model = build(network).eval()
    for at, output in enumerate(network.outputs):
        model.zero_grad(set_to_none=True)
        out = outputs(model, torch.randn(1, network.input.channels, *network.input.axes))[at]
        before = {output}
        for node in reversed(network.nodes):
            before.update(node.inputs if node.index in before else ())
        if out.requires_grad:
            torch.autograd.backward([out], [torch.ones_like(out)])
        for node, module in model.layers:
            assert all((p.grad is not None) == (node.index in before) for p in module.parameters())


@pytest.mark.parametrize("text", [TWO_HEADS, FORGOTTEN, TAPS, SSD])
def test_verify_agrees(text: str) -> None:
    found = verify(spec(text), device("cpu"), 4)
    assert found.problems == []
    returned = [figure for figure in found.totals if figure.name.startswith("output ")]
    assert [figure.name for figure in returned] == [
        f"output {found.network.nodes[i].name}" for i in found.network.outputs
    ]


def test_heads_of_a_detector_in_their_order() -> None:
    net = spec(SSD)
    sizes, boxes = (19, 9, 5, 3, 2, 1), (4, 6, 6, 6, 4, 4)
    assert [(net.nodes[i].name, str(net.nodes[i].shape)) for i in net.outputs] == [
        pair
        for at, (side, count) in enumerate(zip(sizes, boxes, strict=True), 1)
        for pair in (
            (f"boxes{at}.conv", f"{count * 4}x{side}x{side}"),
            (f"classes{at}.conv", f"{count * 5}x{side}x{side}"),
        )
    ]
    priors = sum(side**2 * count for side, count in zip(sizes, boxes, strict=True))
    joined = spec(JOINED)
    assert [str(joined.nodes[i].shape) for i in joined.outputs] == [str(priors * 4), str(priors * 5)]


def test_a_budget_holds_all_outputs() -> None:
    """At the last convolution head1, its input and its output are alive: 64, 32 and 32 maps of 32x32 floats."""
    net = spec(TWO_HEADS)
    parts = Budget(net).inference_parts(7)
    assert parts.activations == 7 * (64 + 32 + 32) * 32 * 32 * 4
    assert inference(net).largest_batch(10 * 524_288 + 1) == 10


@pytest.mark.parametrize(
    "outputs", ["[fc]", "[fc, stage2, stage1]", "[stage2.main.conv, fc]", "[stage3.n, stage1.c, fc]"]
)
@pytest.mark.parametrize("block", ["unit", "stage2", "stage1, stage3"])
def test_checkpointed_blocks_whose_layers_are_outputs(outputs: str, block: str) -> None:
    net = spec(TAPS.replace("outputs: [fc, stage2, stage1, stage1.n]", f"outputs: {outputs}"))
    runs = block_runs(net, net.running(), block)
    schedule = training(net, checkpoint=block, sums_in_place=False)
    inside = {node.index for run in runs for node in run}
    takes = {node.index for run in runs for node in run if not set(node.inputs) <= inside}
    with torch.device("meta"):
        module = Checkpointed(Built(net, {n: i for n, i in overwritten(net).items() if n not in takes}), runs)
    image = image_of(net)
    assert memory.saved_bytes(module, image) == schedule.saved_bytes(BATCH)
    assert_every_moment(schedule, memory.training_live(module, image))
