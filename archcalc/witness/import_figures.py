"""The figures of an imported model, and those of the model itself: parameters, buffers, shapes and multiply-adds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from archcalc.analysis import Analysis, analyze
from archcalc.capture.models import Model, model_of
from archcalc.capture.networks import imported
from archcalc.errors import ArchcalcError
from archcalc.importing.traced.mapping import FAULT
from archcalc.importing.traced.network import MOVES
from archcalc.language.expand import expand
from archcalc.language.family import Family
from archcalc.language.imports import import_by
from archcalc.language.written import text_of
from archcalc.network import Network
from archcalc.sizes import Shape
from archcalc.witness.module_run import ModuleRun, run_module

Row = dict[str, Any]


def figures(net: str) -> Row:
    """The row of a model: ``exact``, or ``wrong`` with what differs, or ``refused`` with the reasons."""
    torch.set_num_threads(1)
    try:
        model = model_of(net)
        family = family_of_model(model, net)
        network = expand(family, family.name)
    except ArchcalcError as error:
        reasons = [problem.text for problem in error.problems]
        return {"verdict": "fails" if any(FAULT in one for one in reasons) else "refused", "reasons": reasons}
    found = compared(network, model)
    wrong = [
        f"{name}: {ours:,}, the model {theirs:,}" for name, (ours, theirs) in found["equal"].items() if ours != theirs
    ]
    wrong += found.pop("unlike")
    try:
        lines = len(text_of(family, net).splitlines())
    except ArchcalcError as error:
        wrong, lines = [*wrong, str(error)], 0
    return {"verdict": "wrong" if wrong else "exact", "reasons": wrong, "lines": lines, **found}


def family_of_model(model: Model, net: str) -> Family:
    """A model as the command line imports it, at the size of its library."""
    return import_by(lambda inputs, anew: imported(model, model.sizes, net), net, net.partition(":")[2])


def compared(network: Network, model: Model) -> Row:
    """What must be equal, by name: the figure of the network, and that of the module. And more that the report says."""
    module = model.module
    analysis = analyze(network)
    run = run_module(module, model.sizes)
    statistics = _statistics(module, run)
    own = sum(int(row.params.buffers) for row in analysis.rows if row.type == "batch_norm")
    equal = {
        "parameters": (analysis.totals.params, sum(run.params.values())),
        "multiply-adds": (analysis.totals.macs, run.macs),
        "statistics": (own, statistics),
    }
    if any(node.side for node in network.nodes):
        in_training = run_module(module, model.sizes, training=True)
        both = analyze(network, training=True).totals.params
        equal["parameters in training"] = both, sum(in_training.params.values())
    shapes, unlike = _shapes(analysis, run)
    return {
        "equal": equal,
        "unlike": unlike,
        "layers": len(network.nodes) - len(network.inputs),
        "module": {
            "parameters": sum(one.numel() for one in module.parameters()),
            "buffers": sum(one.numel() for one in module.buffers()),
        },
        "constants": (analysis.totals.buffers - own, sum(run.buffers.values()) - statistics),
        "shapes": shapes,
        "notes": [note for note in network.notes if "nothing dropped" not in note],
    }


def _statistics(module: nn.Module, run: ModuleRun) -> int:
    """The buffers that outputs depend on of modules that keep a running mean: all else is constant."""
    owners = {path for path, one in module.named_modules() if "running_mean" in one._buffers}
    return sum(size for name, size in run.buffers.items() if name.rpartition(".")[0] in owners)


def _shapes(analysis: Analysis, run: ModuleRun) -> tuple[int, list[str]]:
    """How many layers have the name of a module and were compared with its output; and which are unlike.

    A module may have the channels last, and windows in the batch. So the number of values is compared.
    """
    count, unlike = 0, []
    for row in analysis.rows:
        theirs = run.modules.get(row.name)
        if theirs is None or row.type in MOVES or row.node is None:
            continue
        count += 1
        if row.node.shape.values * row.node.times != torch.Size(theirs).numel():
            unlike.append(f"{row.name}: {row.node.shape}, the module {'x'.join(map(str, theirs))}")
    ours = sorted(int(shape.values) for shape in _outputs(analysis.network))
    theirs_of = sorted(torch.Size(one).numel() for one in run.outputs)
    if ours != theirs_of:
        unlike.append(f"outputs of {ours} values, the module {theirs_of}")
    return count + len(ours), unlike


def _outputs(network: Network) -> Iterator[Shape]:
    return (network.nodes[index].shape for index in network.results(False))
