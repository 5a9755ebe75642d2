"""Compares a network with real models: the model built from its spec, and a model of another library."""

from __future__ import annotations

import torch
from torch import nn

from archcalc.analysis import analyze
from archcalc.conventions.source_style import TORCHVISION
from archcalc.errors import ArchcalcError
from archcalc.memory.lifetime import inference, overwritten
from archcalc.network import Network
from archcalc.witness import counts, gradients, need
from archcalc.witness.as_on_cpu import AsOnCpu
from archcalc.witness.built import Built
from archcalc.witness.counterpart import output_difference, pairs, take, unlike_module
from archcalc.witness.device import Device, allocated, layer_times, out_of_memory
from archcalc.witness.figures import (
    AS_FVCORE,
    TRAINING_BATCH,
    images_of,
    layer_figures,
    memory_figures,
    not_on_meta,
    operator_figures,
    output_figures,
    total_figures,
)
from archcalc.witness.models import model_of
from archcalc.witness.need import Room
from archcalc.witness.original import original
from archcalc.witness.random_weights import fill
from archcalc.witness.results import Comparison, OtherModel, Verification

LARGEST_DIFFERENCE = 1e-4
"""Part of the largest output value. Another order of sums differs by less, another epsilon of a norm by more."""
MOST_FIELDS = 200
"""Largest number of layers whose receptive field is measured. Each layer takes a backward pass."""
MOST_VALUES = (2**63 - 1) // 8
"""Largest number of values in a tensor. PyTorch counts bytes in a signed 64-bit number; an index takes 8 bytes."""


def verify(network: Network, device: Device, fields_of: int = MOST_FIELDS, room: Room | None = None) -> Verification:
    """Compare archcalc's figures for one image with real models on a device.

    Receptive fields are checked for at most ``fields_of`` layers with different fields. ``room`` is the free memory
    (default: the free memory of the machine).

    ArchcalcError if PyTorch lacks a layer, if the run does not fit into the free memory (before anything is allocated),
    or if the device runs out of memory.
    """
    _check_sizes(network)
    plan = _check_room(network, device, fields_of, Room.of(device.name) if room is None else room)
    images = images_of(network, device.name)
    library, theirs, other = model_of(network), None, None
    paired: list[tuple[str, str]] = []
    differences: list[Comparison] = []
    with AsOnCpu():  # type: ignore[no-untyped-call]
        with torch.device("meta"):
            model = Built(network, overwritten(network))
        totals = output_figures(model)
        if library is not None and not library.missing:
            theirs = library.build()
            other, paired, differences = _compared(model, theirs, str(library), library.library)
    totals += memory_figures(model)
    model, theirs = _placed(model, theirs, paired, device.name)
    if theirs is not None and other is not None and device.has_values:
        difference = output_difference(model, theirs, *images)
        other = other._replace(difference=difference)
        if not difference <= LARGEST_DIFFERENCE:
            differences.append(
                Comparison(f"output beside that of {other.name}", "the same", f"{difference:.1e} off", True)
            )
    del theirs
    beside = original(network) if device.has_values else None
    if beside is not None:
        other = beside[0]
        differences += beside[1]
    model.eval()
    model.training = True  # the side heads run, but batch normalisation uses its running statistics
    forward = counts.count_forward(model, *images)
    traced = counts.fvcore(model, *images) if device.has_values else None
    fields = gradients.check(network, fields_of, plan) if device.has_values else None
    rows = analyze(network, training=not network.side_problem).rows[len(network.inputs) :]
    counted = analyze(network, training=not network.side_problem, convention=AS_FVCORE).rows[len(network.inputs) :]
    layers = layer_figures(model, rows, counted, forward, traced, fields)
    totals = [*total_figures(model, rows, forward), *operator_figures(counted, traced), *totals, *differences]
    if device.name == "cuda":
        times = iter(layer_times(model.eval(), *images))
        layers = [layer if layer.node.side else layer._replace(milliseconds=next(times)) for layer in layers]
    most = allocated(model.eval(), *images) if device.has_values else None
    return Verification(
        network,
        device.about,
        layers,
        [*totals, *_allocation(network, most)],
        other,
        traced.unsupported if traced else {},
        (fields.layers, fields.of) if fields else None,
        most,
    )


def _allocation(network: Network, most: int | None) -> list[Comparison]:
    """A difference if the allocator's peak at inference is smaller than the computed peak. Otherwise empty."""
    peak = inference(network).peak()
    if most is None or most >= peak:
        return []
    return [Comparison("inference peak in bytes, what the allocator held", f"at least {peak:,}", f"{most:,}", True)]


def _check_sizes(network: Network) -> None:
    """ArchcalcError for a layer whose output or weights are too large for any tensor."""
    for node in network.nodes:
        weight = node.layer.params(*network.input_shapes(node)).weight if node.inputs else 0
        for what, values in ("output", node.shape.values * node.times * TRAINING_BATCH), ("weights", weight):
            if values > MOST_VALUES:
                raise ArchcalcError(
                    f"{network.full_name}, {node.name}: {values:,} values of {what} are more than PyTorch can hold"
                )


def _check_room(network: Network, device: Device, fields_of: int, room: Room) -> gradients.Plan | None:
    """The planned checks of receptive fields. ArchcalcError if the run does not fit into the free memory."""
    what, smaller = f"{network.full_name}: verify at {network.input_text}", "take a smaller --input"
    if not_on_meta(network):  # the training pass always runs on the CPU
        need.of_step(network, TRAINING_BATCH).check(room.host, what, smaller)
    if not device.has_values:
        return None
    run = need.of_run(network)
    run.check(room.device, what, f"{smaller}, or --device meta, which needs almost none")
    plan = gradients.planned(network, fields_of)
    others = run.parts if device.name == "cpu" else {"libraries": need.LIBRARIES}
    host = need.Need({"gradients for fields": plan.size, **others})
    host.check(room.host, what, f"{smaller}, or --device meta, which needs almost none")
    return plan


def _compared(
    model: Built, theirs: nn.Module, name: str, library: str
) -> tuple[OtherModel, list[tuple[str, str]], list[Comparison]]:
    """Compares both models on the meta device: the other model's figures, the pairs of tensors, and the differences."""
    (images,) = images_of(model.network, "meta", TRAINING_BATCH)
    paired, unlike = pairs(model, theirs, images)
    problems, modules = [unlike], None
    if library == "torchvision":
        modules, unlike = unlike_module(model, theirs, images, TORCHVISION)
        problems.append(unlike)
    differences = [Comparison(f"beside {name}", "the same", problem, True) for problem in problems if problem]
    rows = analyze(model.network, batch=TRAINING_BATCH, training=not model.network.side_problem).rows
    macs = sum(row.work.mac for row in rows)
    differences.append(
        Comparison.of(f"macs of {name}, batch {TRAINING_BATCH}", macs, counts.counted_macs(theirs.train(), images))
    )
    return OtherModel(name, len(paired), modules, None), paired, differences


def _placed(
    model: Built, theirs: nn.Module | None, paired: list[tuple[str, str]], device: str
) -> tuple[Built, nn.Module | None]:
    """Both models on the device, with the same random weights in paired tensors; without another model, with zeros."""
    if device == "meta":
        return model, theirs
    try:
        if theirs is not None and paired:
            fill(theirs.to_empty(device=device))
            take(model, theirs, paired)
        elif any(node.shares is not None for node in model.network.nodes):  # to_empty would separate shared tensors
            with torch.device(device):
                model = Built(model.network, overwritten(model.network))
            theirs = None
        else:
            model.to_empty(device=device)
            for tensor in (*model.parameters(), *model.buffers()):
                tensor.data.zero_()  # no figure depends on the values
            theirs = None
    except (RuntimeError, MemoryError) as error:
        if reason := out_of_memory(error):
            raise ArchcalcError(f"{model.network.full_name}: out of memory for its weights: {reason}") from None
        raise
    return model, theirs
