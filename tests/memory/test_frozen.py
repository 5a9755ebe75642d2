"""Frozen weights (``trained: false``): counted, but without gradients and optimizer state, here and in PyTorch."""

from __future__ import annotations

import pytest

from archcalc import analyze
from archcalc.export.file import class_name, torch_source
from archcalc.language.expand import expand
from archcalc.language.expanded import expanded
from archcalc.language.zoo import read_text
from archcalc.memory.budget import Budget
from archcalc.memory.training import training
from archcalc.witness.built import Built
from archcalc.witness.device import device
from archcalc.witness.verify import verify

NET = """input: [3, 8, 8]
blocks:
  stage:
    layers:
      - {conv: {out: 4, kernel: 3, pad: 1}, name: conv}
      - {batch_norm: , name: norm, trained: true}
      - {relu: , name: relu}
layers:
  - {stage: , name: stem, trained: false}
  - layers:
      - {conv: {out: 4, kernel: 3, pad: 1}, name: a}
      - {conv: {out: 4, kernel: 3, pad: 1}, name: b}
      - {conv: {out: 4, kernel: 3, pad: 1}, name: shared, weights: c}
    name: frozen
    trained: "not false"
  - {global_avg_pool: }
  - {flatten: }
  - {linear: {out: 2}, name: fc}
""".replace("  - layers:", "  - {conv: {out: 4, kernel: 3, pad: 1}, name: c}\n  - layers:").replace(
    "not false", "1 > 2"
)
CONV, NORM, CLASSES = 4 * 4 * 9 + 4, 8, 4 * 2 + 2
FIRST = 3 * 4 * 9 + 4


def network(text: str = NET):
    return expand(read_text(text, "spec.yaml", "spec"), "spec")


def test_frozen_parameters_are_counted_and_have_no_gradient():
    net = network()
    totals, budget = analyze(net).totals, Budget(net, optimizer="adam")
    assert totals.frozen == FIRST + 2 * CONV
    assert totals.params == FIRST + NORM + 3 * CONV + CLASSES
    trained = NORM + CONV + CLASSES
    assert (budget.weights, budget.gradients) == (4 * totals.params, 4 * trained)
    assert budget.optimizer_bytes == 2 * 4 * trained + 4 * 6
    schedule = training(net)
    gradients = [storage.fixed for storage in schedule.storages if storage.role == "weight gradient"]
    assert sum(gradients) == 4 * trained
    assert next(net.nodes[one.node].name for one in schedule.saved_once()) == "stem.norm"


def test_the_owner_decides_over_shared_weights():
    net = network()
    assert [node.name for node in net.nodes if net.frozen(node)] == ["stem.conv", "stem.relu", "frozen.a", "frozen.b"]


def test_pytorch_agrees():
    assert verify(network(), device("cpu")).problems == []


def test_the_exported_model_and_the_built_one_have_the_same_frozen_weights():
    net = network()
    source, made = torch_source(net), {}
    exec(compile(source, "model.py", "exec"), made)
    ours = {name: p.requires_grad for name, p in Built(net).named_parameters()}
    assert {name: p.requires_grad for name, p in made[class_name(net)]().named_parameters()} == ours
    assert {name for name, grad in ours.items() if not grad} == {
        f"{layer}.{kind}" for layer in ("stem.conv", "frozen.a", "frozen.b") for kind in ("weight", "bias")
    }
    lines = [line.strip() for line in source.splitlines() if "requires_grad_" in line]
    assert lines == [f"self.{path}.requires_grad_(False)" for path in ("stem.conv", "frozen.a", "frozen.b")]


@pytest.mark.parametrize(
    ("steps", "lines"),
    [
        ("{trained: false, layers: [{conv: {out: 2, kernel: 1}}, batch_norm]}", ["self"]),
        (
            "{trained: false, name: a, layers: [{conv: {out: 2, kernel: 1}}, batch_norm]}, {conv: {out: 2, kernel: 1}}",
            ["self.a"],
        ),
        ("{conv: {out: 2, kernel: 1}}, {relu: , trained: false}", []),
    ],
)
def test_whole_blocks_are_frozen_in_one_line(steps, lines):
    source = torch_source(network(f"input: [2, 4, 4]\nlayers: [{steps}]\n"))
    assert [
        line.strip().removesuffix(".requires_grad_(False)") for line in source.splitlines() if "ires_grad_" in line
    ] == lines


def test_a_frozen_network_needs_no_backward_pass():
    net = network(
        "input: [2, 4, 4]\nlayers: [{trained: false, layers: [{conv: {out: 2, kernel: 1}}, batch_norm, relu]}]\n"
    )
    schedule = training(net)
    assert schedule.saved_bytes(2) == 0
    assert {moment.phase for moment in schedule.moments} == {"forward"}


def test_written_out_the_same_weights_are_frozen():
    net = network()
    again = network(expanded(net))
    assert Budget(again).tensors == Budget(net).tensors
    assert [node.trained for node in again.nodes if node.name == "frozen.a"] == [False]
    assert "trained" not in expanded(network(NET.replace("trained: false", "trained: true").replace("1 > 2", "true")))
