"""A network next to real models: the one built from its spec, and the one that others wrote."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from archcalc.analysis import analyze
from archcalc.analysis.trace import Row
from archcalc.conventions import convention
from archcalc.conventions.source_style import TORCHVISION
from archcalc.errors import ArchcalcError
from archcalc.memory.lifetime import inference, overwritten
from archcalc.memory.training import training
from archcalc.network import Network
from archcalc.pytorch.record import records
from archcalc.sizes import Params
from archcalc.witness import counts, gradients, memory, need
from archcalc.witness.built import Built
from archcalc.witness.counterpart import fill, output_difference, pairs, take, unlike_module
from archcalc.witness.device import Device, allocated, layer_times, out_of_memory
from archcalc.witness.models import model_of
from archcalc.witness.need import Room
from archcalc.witness.verified import Comparison, LayerSeen, Other, Verified

LARGEST_DIFFERENCE = 1e-4
"""Of the largest output value: sums in another order differ by less, another epsilon of batch normalisation by more."""
AS_FVCORE = convention("fvcore")._replace(library=None)
"""fvcore's convention, for a model written in modules throughout."""
MOST_FIELDS = 200
"""A gradient takes a backward pass for every layer."""
TRAINING_BATCH = 2
"""Batch normalisation of a single position cannot train on one image."""
MOST_VALUES = (2**63 - 1) // 8
"""PyTorch counts the bytes of a tensor, 8 for an index, in 64 bits with a sign."""


def verify(network: Network, device: Device, fields_of: int = MOST_FIELDS, room: Room | None = None) -> Verified:
    """Hold the engine's figures for one image against real models on a device.

    Receptive fields are checked for at most ``fields_of`` layers, those that see different pixels. ``room`` is the
    free memory, which is asked of the machine by default.

    ArchcalcError where PyTorch lacks a layer, where the run does not fit into the free memory (before anything is
    allocated), or where the device's memory runs out.
    """
    _check_sizes(network)
    plan = _check_room(network, device, fields_of, Room.of(device.name) if room is None else room)
    with torch.device("meta"):
        model = Built(network, overwritten(network))
    totals = [*_returned(model), *_memory(model)]
    image = _image(network, device.name)
    found, theirs, other = model_of(network), None, None
    paired: list[tuple[str, str]] = []
    differences: list[Comparison] = []
    if found is not None and not found.missing:
        theirs = found.build()
        other, paired, differences = _held_against(model, theirs, str(found), found.library)
    model, theirs = _placed(model, theirs, paired, device.name)
    if theirs is not None and other is not None and device.has_values:
        difference = output_difference(model, theirs, image)
        other = other._replace(difference=difference)
        if not difference <= LARGEST_DIFFERENCE:
            differences.append(
                Comparison(f"output beside that of {other.name}", "the same", f"{difference:.1e} off", True)
            )
    del theirs
    model.eval()
    model.training = True  # the side heads run, and batch normalisation keeps its statistics
    seen = counts.watch(model, image)
    traced = counts.fvcore(model, image) if device.has_values else None
    fields = gradients.check(network, fields_of, plan) if device.has_values else None
    rows = analyze(network, training=not network.side_problem).rows[1:]
    counted = analyze(network, training=not network.side_problem, convention=AS_FVCORE).rows[1:]
    layers = _layers(model, rows, counted, seen, traced, fields)
    totals = [*_sums(model, rows, seen), *_by_operator(counted, traced), *totals, *differences]
    if device.name == "cuda":
        times = iter(layer_times(model.eval(), image))
        layers = [layer if layer.node.side else layer._replace(milliseconds=next(times)) for layer in layers]
    held = None
    if device.has_values:
        peak, held = inference(network).peak(), allocated(model.eval(), image)
        if held < peak:
            totals.append(
                Comparison("inference peak in bytes, what the allocator held", f"at least {peak:,}", f"{held:,}", True)
            )
    return Verified(
        network,
        device.about,
        layers,
        totals,
        other,
        traced.unsupported if traced else {},
        (fields.layers, fields.of) if fields else None,
        held,
    )


def _check_sizes(network: Network) -> None:
    """ArchcalcError for a layer whose output or weights are too large for any tensor."""
    for node in network.nodes:
        weight = node.layer.params(*network.input_shapes(node)).weight if node.inputs else 0
        for what, values in ("output", node.shape.values * TRAINING_BATCH), ("weights", weight):
            if values > MOST_VALUES:
                raise ArchcalcError(
                    f"{network.full_name}, {node.name}: {values:,} values of {what} are more than PyTorch can hold"
                )


def _check_room(network: Network, device: Device, fields_of: int, room: Room) -> gradients.Plan | None:
    """What is to be checked of receptive fields; ArchcalcError where the run does not fit into the free memory."""
    what, smaller = f"{network.full_name}: verify at {network.input}", "take a smaller --input"
    if any(node.layer.type == "conv_table" for node in network.nodes):  # trains on the CPU, whatever the device
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


def _image(network: Network, device: str, batch: int = 1) -> Tensor:
    return torch.randn(batch, network.input.channels, *network.input.axes, device=device)


def _held_against(
    model: Built, theirs: nn.Module, name: str, library: str
) -> tuple[Other, list[tuple[str, str]], list[Comparison]]:
    """Both models on the meta device: their tensors in pairs, the calls of their modules, and what differs."""
    images = _image(model.network, "meta", TRAINING_BATCH)
    paired, unlike = pairs(model, theirs, images)
    problems, modules = [unlike], None
    if library == "torchvision":
        modules, unlike = unlike_module(model, theirs, images, TORCHVISION)
        problems.append(unlike)
    differences = [Comparison(f"beside {name}", "the same", problem, True) for problem in problems if problem]
    rows = analyze(model.network, training=not model.network.side_problem).rows
    macs = sum(row.work.mac for row in rows)
    differences.append(Comparison.of(f"macs of {name}", macs, counts.counted_macs(theirs.train(), images)))
    return Other(name, len(paired), modules, None), paired, differences


def _placed(
    model: Built, theirs: nn.Module | None, paired: list[tuple[str, str]], device: str
) -> tuple[Built, nn.Module | None]:
    """Both models on the device with random weights, the same ones where they are paired."""
    if device == "meta":
        return model, theirs
    try:
        if theirs is not None and paired:
            fill(theirs.to_empty(device=device))
            take(model, theirs, paired)
        elif any(node.shares is not None for node in model.network.nodes):  # to_empty would part what they share
            with torch.device(device):
                model = Built(model.network, overwritten(model.network))
            theirs = None
        else:
            fill(model.to_empty(device=device))
            theirs = None
    except (RuntimeError, MemoryError) as error:
        if said := out_of_memory(error):
            raise ArchcalcError(f"{model.network.full_name}: out of memory for its weights: {said}") from None
        raise
    return model, theirs


def _layers(
    model: Built,
    rows: Sequence[Row],
    counted: Sequence[Row],
    seen: counts.Seen,
    traced: counts.Fvcore | None,
    fields: gradients.Fields | None,
) -> list[LayerSeen]:
    """Every layer's figures. What a module does for several layers that share it stands at the first."""
    modules = {node.index: id(module) for node, module in model.layers}
    first = {module: index for index, module in reversed(modules.items())}
    operations: Counter[int] = Counter()
    for row in counted:
        operations[first[modules[_index(row)]]] += row.macs or 0
    owned = _owned(model)
    checks = defaultdict(list)
    for check in fields.checks if fields else ():
        checks[check.node].append(check)
    layers = []
    for row in rows:
        index = _index(row)
        assert row.shape is not None
        figures = [
            Comparison.of("output", (row.shape.channels, *row.shape.axes), seen.shapes.get(index)),
            Comparison.of("params", row.params, owned[index]),
            Comparison.of("macs", row.work.mac, seen.macs.get(index)),
        ]
        if traced is not None:
            figures.append(Comparison.of("fvcore", operations[index], traced.operations.get(index, 0)))
        if checks[row.name]:
            shown = next((check for check in checks[row.name] if not check.agree), checks[row.name][-1])
            computed, saw = _field(shown.field, shown.pixels), _field(shown.seen, shown.pixels)
            figures.append(Comparison("field", computed, saw, not shown.agree))
        layers.append(LayerSeen(model.network.nodes[index], {figure.name: figure for figure in figures}))
    return layers


def _field(hull: gradients.Hull | None, pixels: int) -> str:
    """The size of a field, and where it lies in an input of that many pixels."""
    if hull is None or hull[0] > hull[1]:
        return "padding alone"
    size = hull[1] - hull[0] + 1
    return f"all {size}" if size == pixels else f"{size}: {hull[0]} to {hull[1]}"


def _index(row: Row) -> int:
    assert row.node is not None
    return row.node.index


def _owned(model: Built) -> dict[int, Params]:
    """What each layer's module owns that no earlier one does; PyTorch's count of batches is no buffer of ours."""
    known: set[int] = set()
    owned = {}
    for node, module in model.layers:
        weight = bias = buffers = 0
        for name, tensor in (*module.named_parameters(), *module.named_buffers()):
            if id(tensor) in known or name.endswith("num_batches_tracked"):
                continue
            known.add(id(tensor))
            if not isinstance(tensor, nn.Parameter):
                buffers += tensor.numel()
            elif name.endswith("bias"):
                bias += tensor.numel()
            else:
                weight += tensor.numel()
        owned[node.index] = Params(weight, bias, buffers)
    return owned


def _sums(model: Built, rows: Sequence[Row], seen: counts.Seen) -> list[Comparison]:
    """Parameters of the whole model, and torch's multiply-adds by operator: convolutions, and matrix products."""
    params = sum(row.params.weight + row.params.bias for row in rows)
    products = sum(row.work.mac for row in rows if row.type == "linear")
    convolved = sum(n for operator, n in seen.operators.items() if "convolution" in operator)
    return [
        Comparison.of("params", params, sum(p.numel() for p in model.parameters())),
        Comparison.of("macs of convolutions", sum(row.work.mac for row in rows) - products, convolved),
        Comparison.of("macs of matrix products", products, sum(seen.operators.values()) - convolved),
    ]


def _by_operator(counted: Sequence[Row], traced: counts.Fvcore | None) -> list[Comparison]:
    """fvcore's operations, operator by operator."""
    if traced is None:
        return []
    computed: Counter[str] = Counter()
    for row in counted:
        if row.node is not None and row.node.index:
            computed[records[row.type].fvcore(row.node.layer)] += row.macs or 0
    names = [name for name in (*computed, *traced.by_operator) if computed[name] or traced.by_operator.get(name)]
    return [
        Comparison.of(f"fvcore's {name}", computed[name], traced.by_operator.get(name, 0))
        for name in dict.fromkeys(names)
    ]


def _returned(model: Built) -> list[Comparison]:
    """The shape of every output of a run, where there are several."""
    network = model.network
    if len(network.outputs) == 1:
        return []
    with torch.no_grad():
        found = model.eval()(_image(network, "meta"))
    shapes = [tuple(out.shape[1:]) for out in found]
    nodes = [network.nodes[i] for i in network.outputs]
    return [
        Comparison.of(f"output {node.name}", (node.shape.channels, *node.shape.axes), seen)
        for node, seen in zip(nodes, shapes, strict=True)
    ]


def _memory(model: Built) -> list[Comparison]:
    """Bytes that a forward pass keeps for the backward pass, and the peaks of inference for one image and of training.

    On the meta device, whose storages have the right size and take no memory.
    """
    network = model.network
    images, image = _image(network, "meta", TRAINING_BATCH), _image(network, "meta")
    saved = Comparison.of(
        f"bytes saved for backward, batch {TRAINING_BATCH}",
        training(network).kept_bytes(TRAINING_BATCH),
        memory.saved_bytes(model, images),
    )
    peak = Comparison.of("inference peak in bytes", inference(network).peak(), memory.inference_peak(model, image))
    if saved.differs:
        saved = saved._replace(name=f"{saved.name} ({memory.saved_difference(network, model, images)})")
    if peak.differs:
        peak = peak._replace(name=f"{peak.name} ({memory.peak_difference(network, model, image)})")
    return [saved, peak, _training_peak(model, images)]


def _training_peak(model: Built, images: Tensor) -> Comparison:
    """The most bytes alive in a forward and a backward pass, and all that is alive after every operator of both."""
    network = model.network
    if any(node.layer.type == "conv_table" for node in network.nodes):
        # On the meta device PyTorch does not show the numbers of the input maps that a table lists.
        model, images = Built(network, overwritten(network)), torch.zeros(images.shape)
    schedule, live = training(network, sums_in_place=False), memory.training_live(model, images)
    figure = Comparison.of(
        f"training peak in bytes, batch {TRAINING_BATCH}", schedule.peak(TRAINING_BATCH), memory.peak(live)
    )
    said = memory.moment_difference(schedule, live, TRAINING_BATCH)
    return figure._replace(name=f"{figure.name} ({said})", differs=True) if said else figure
