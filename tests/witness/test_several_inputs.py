"""Networks with several inputs next to PyTorch: memory moment by moment, the exported file, and verify."""

from __future__ import annotations

import re

import pytest
import torch

from archcalc import ArchcalcError, Network
from archcalc.export import torch_source
from archcalc.memory.budget import Budget
from archcalc.memory.deployed import fold_batch_norm
from archcalc.memory.lifetime import inference
from archcalc.memory.order import best_order
from archcalc.memory.training import training
from archcalc.witness import build, gradients, memory, need
from archcalc.witness.device import device
from archcalc.witness.figures import images_of
from archcalc.witness.need import Room
from archcalc.witness.verify import verify
from tests.nets import SIAMESE, THREE_INPUTS

from .test_memory import BATCH, assert_every_moment, module_of
from .test_source import assert_same_function, outputs, spec

NETWORKS = {
    "siamese": SIAMESE,
    "three inputs of different axes": THREE_INPUTS,
    "two towers with an output each": """
inputs: {image: [3, 16, 16], clip: [3, 4, 8, 8], text: [12, 10]}
outputs: [third, first, second]
layers:
  - {conv: {out: 8, kernel: 3, pad: 1, bias: false}, name: c}
  - {batch_norm: , name: n}
  - relu
  - {conv: {out: 4, kernel: 3}, name: first}
  - {conv: {out: 6, kernel: 3, pad: 1}, from: clip}
  - {max_pool: {kernel: 2, stride: 2}, name: second}
  - {conv: {out: 5, kernel: 3, pad: 1}, from: text}
  - {relu: , name: third}
""",
    "an input is read again at the end": """
inputs: {a: [4, 8, 8], b: [4, 8, 8]}
layers:
  - {conv: {out: 8, kernel: 3, pad: 1}}
  - {conv: {out: 4, kernel: 3, pad: 1}, name: c}
  - {add: , from: [b, c], storage: in_place, name: sum}
  - {relu: , name: r}
  - {concat: , from: [a, r, b]}
""",
    "nothing has weights": """
inputs: {a: [4, 8, 8], b: [4, 1, 1], c: [4]}
layers:
  - {multiply: , from: [a, b]}
  - relu
  - global_avg_pool
  - {flatten: , name: v}
  - {add: , from: [v, c]}
""",
    "the channels of a vector move before it gates a map": """
inputs: {a: [4, 8, 8], v: [4]}
layers:
  - {channel_shuffle: {groups: 2}, from: v, name: gate}
  - {multiply: , from: [a, gate]}
  - {conv: {out: 3, kernel: 3}}
""",
    "no layer reads the second": "inputs: {a: [4, 8, 8], b: [4, 8, 8]}\nlayers: [{conv: {out: 3, kernel: 3}}, relu]\n",
    "the main input is read by a side head alone": """
inputs: {a: [4, 8, 8], b: [3, 8, 8]}
layers:
  - side: [{conv: {out: 3, kernel: 3}}]
  - {conv: {out: 2, kernel: 3}, from: b}
""",
}


@pytest.fixture(params=NETWORKS)
def network(request: pytest.FixtureRequest) -> Network:
    return spec(NETWORKS[request.param])


def test_every_byte(network: Network) -> None:
    module, images = module_of(network), images_of(network, "meta", BATCH)
    assert memory.inference_peak(module, *images) == inference(network, sums_in_place=False).peak(BATCH)
    schedule = training(network, sums_in_place=False)
    assert memory.saved_bytes(module, *images) == schedule.saved_bytes(BATCH)
    assert_every_moment(schedule, memory.training_live(module, *images))
    deployed = fold_batch_norm(network)
    assert memory.inference_peak(module_of(deployed), *images) == inference(deployed).peak(BATCH)


def test_the_exported_file_returns_the_same(network: Network) -> None:
    assert_same_function(network)


def test_verify_agrees(network: Network) -> None:
    assert verify(network, device("cpu")).problems == []


def test_fields_are_measured_from_every_input() -> None:
    """One 3x3 convolution and a pooling of 2x2 see 4 pixels of the clip along each axis; 3 of 4 frames lie inside."""
    found = gradients.check(spec(NETWORKS["two towers with an output each"]), limit=None)
    assert found.agree
    assert found.layers == found.of == 8
    seen = {(one.node, one.axis, one.pixels): one.measured for one in found.checks}
    own = {("second", 0, 4): (1, 3), ("second", 1, 8): (3, 6), ("second", 2, 8): (3, 6), ("third", 0, 10): (4, 6)}
    assert own.items() <= seen.items()


def test_towers_can_run_in_turns() -> None:
    """At b.pool a map of 4 x 16 x 16 floats, its pooled map and int64 indices are alive, and what the other tower left.

    That is a.conv2 of 8 x 8 x 8 in the order of the spec, and a.pool of 4 x 8 x 8 if a.conv2 runs later.
    """
    schedule = inference(spec(SIAMESE))
    pooling = 4 * 16 * 16 * 4 + 4 * 8 * 8 * (4 + 8)
    assert schedule.peak() == pooling + 8 * 8 * 8 * 4
    assert best_order(schedule)[:2] == (pooling + 4 * 8 * 8 * 4, True)


def test_no_input_counts_as_a_map_of_its_own() -> None:
    net = spec(THREE_INPUTS)
    budget = Budget(net)
    assert budget.image(7) == 7 * 4 * (3 * 32 * 32 + 8 * 8 + 2)
    assert budget.inference_parts(7).network_input == budget.image(7)
    assert need.of_run(net).parts["input"] == budget.image(1)
    assert need.of_step(net, 7).parts["input"] == budget.image(7)
    assert not {"image", "mask", "age"} & {storage.layer for storage in budget.inference.storages}


def test_a_run_that_does_not_fit_names_the_inputs() -> None:
    with pytest.raises(ArchcalcError, match="verify at image=3x32x32,mask=1x8x8,age=2 needs about"):
        verify(spec(THREE_INPUTS), device("cpu"), room=Room(10, 10))


def test_the_built_model_takes_one_tensor_for_each_input() -> None:
    model = build(spec(SIAMESE))
    with pytest.raises(ArchcalcError, match="forward takes left, right; got 1 tensor"):
        model(torch.zeros(1, 1, 16, 16))


def test_towers_with_the_same_weights_are_the_same_function() -> None:
    model, image = build(spec(SIAMESE)).eval(), torch.randn(1, 1, 16, 16)
    other = torch.randn(1, 1, 16, 16)
    found: dict[str, torch.Tensor] = {}
    for node, module in model.layers:
        module.register_forward_hook(lambda _, inputs, out, name=node.name: found.__setitem__(name, out))
    outputs(model, image, other)
    first = found["both"][:, 8:]
    outputs(model, other, image)
    assert torch.equal(found["both"][:, :8], first)


@pytest.mark.parametrize(
    ("names", "arguments"),
    [
        (("image", "mask"), ["image", "mask"]),
        (("x", "y"), ["x", "y"]),
        (("self", "class"), ["self_", "class_"]),
        (("torch", "torch_"), ["torch_", "torch__"]),
        (("F", "OrderedDict"), ["F_", "OrderedDict_"]),
        (("ünter", "卷积"), ["ünter", "卷积"]),
        (("ﬁ", "fi"), ["fi", "fi_"]),
        (("__x", "half"), ["_x_", "half_"]),
    ],
)
def test_forward_names_its_arguments(names: tuple[str, str], arguments: list[str]) -> None:
    a, b = names
    net = spec(
        f"inputs: {{{a}: [3, 8, 8], {b}: [3, 8, 8]}}\nlayers:\n  - {{relu6: , name: r}}\n"
        f"  - {{conv: {{out: 2, kernel: 3}}, from: {b}, name: c}}\n  - {{add: [[{{relu6: , from: {b}}}], [{{sigmoid: , from: r}}]]}}\n"
    )
    text = torch_source(net)
    (signature,) = re.findall(r"def forward\(self, (\w+: Tensor, \w+: Tensor)\) -> tuple", text)
    assert [part.split(":")[0] for part in signature.split(", ")] == arguments
    assert f'"""Inputs: {arguments[0]} 3x8x8, {arguments[1]} 3x8x8. Outputs: c 2x6x6, add 3x8x8."""' in text
    assert_same_function(net)
