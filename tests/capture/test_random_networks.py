"""Random networks of the spec language, built as modules of PyTorch and imported again."""

from __future__ import annotations

from random import Random

import pytest

pytest.importorskip("torch")

import torch
from torch import nn

import archcalc
from archcalc.errors import ArchcalcError
from archcalc.export.module_names import boxes_of
from archcalc.witness.built import Built
from tests.witness.networks import thrown

NETWORKS = 80
FEWEST = 30
"""So many of them at least have a layer for everything that the module does."""


def as_module(network: archcalc.Network) -> nn.Module:
    """The built network with an argument of ``forward`` for every input."""
    names = ", ".join(f"x{at}" for at in range(len(network.inputs)))
    space: dict[str, object] = {}
    exec(f"def forward(self, {names}): return self.built({names})", space)
    module = type("Module", (nn.Module,), {"forward": space["forward"]})()
    module.built = Built(network)
    return module


def sizes(network: archcalc.Network) -> dict[str, tuple[int, ...]]:
    return {f"x{at}": (shape.channels, *shape.axes) for at, shape in enumerate(network.inputs.values())}


def returned(module: nn.Module, network: archcalc.Network) -> list[tuple[int, ...]]:
    """The sizes of what a module returns for one image."""
    with torch.no_grad():
        out = module.to("meta").eval()(*(torch.zeros(1, *one, device="meta") for one in sizes(network).values()))
    return [tuple(one.shape[1:]) for one in (out if isinstance(out, tuple) else (out,))]


@pytest.mark.filterwarnings("ignore")
def test_an_import_has_the_counts_and_the_output_sizes_of_the_module() -> None:
    random, imported, faults = Random(0), 0, []
    for _ in range(NETWORKS):
        drawn = thrown(random)
        network = drawn.network
        constant = any(network.nodes[at].layer.settings.get("fixed") for at in network.outputs)
        if boxes_of(network) or constant:  # regions are no argument of an import, and constants are no output
            continue
        module = as_module(network)
        try:
            made = archcalc.from_torch(module, inputs=sizes(network))
        except ArchcalcError as error:
            faults += [drawn.spec for problem in error.problems if "mistake of archcalc" in problem.text]
            continue
        imported += 1
        totals, wanted = made.analyze().totals, archcalc.analyze(network).totals
        assert (totals.params, totals.macs) == (wanted.params, wanted.macs), drawn.spec
        shapes = [made.nodes[at].shape for at in made.outputs]
        ours = {(shape.channels, *shape.axes) for shape in shapes} | {(*shape.axes, shape.channels) for shape in shapes}
        assert {*returned(module, network)} <= ours, drawn.spec
    assert not faults
    assert imported >= FEWEST
