"""The figures of a network, computed by archcalc and measured on the built model: per layer, totals, and memory."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from archcalc.analysis.rows import Row
from archcalc.conventions import convention
from archcalc.layers.computed import STANDARDISED
from archcalc.memory.lifetime import inference, overwritten
from archcalc.memory.training import training
from archcalc.network import Network
from archcalc.pytorch.layout import Batch
from archcalc.pytorch.record import records
from archcalc.pytorch.runner import ATTENTION_FORMS, AttentionForm
from archcalc.sizes import Params
from archcalc.witness import counts, gradients, memory
from archcalc.witness.built import Built
from archcalc.witness.results import Comparison, LayerFigures

AS_FVCORE = convention("fvcore")._replace(library=None)
"""fvcore's convention for a model in which every layer is a module."""
NOT_ON_META = frozenset(("conv_table", "mish", "rms_norm"))
"""Layer types whose memory is measured on the CPU.

On the meta device, PyTorch cannot read the indices of input maps of a conv_table. The backward pass of mish runs there
as eight operators, and those of rms_norm give their results another memory order than on a CPU.
"""
TRAINING_BATCH = 2
"""Images in a training batch. Batch normalisation of a map with one position cannot train on one image."""


def images_of(network: Network, device: str, batch: int = 1) -> list[Tensor]:
    """Random images for every input of a network, on a device."""
    return [torch.randn(batch, x.channels, *x.axes, device=device) for x in network.inputs.values()]


def layer_figures(
    model: Built,
    rows: Sequence[Row],
    counted: Sequence[Row],
    forward: counts.ForwardCounts,
    traced: counts.Fvcore | None,
    fields: gradients.FieldChecks | None,
) -> list[LayerFigures]:
    """Every layer's figures. If several layers share a module, the first layer has the operations of all of them."""
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
            Comparison.of("output", (row.shape.channels, *row.shape.axes), forward.shapes.get(index)),
            Comparison.of("params", row.params, owned[index]),
            Comparison.of("macs", row.work.mac, forward.macs.get(index)),
        ]
        if traced is not None:
            figures.append(Comparison.of("fvcore", operations[index], traced.operations.get(index, 0)))
        if checks[row.name]:
            shown = next((check for check in checks[row.name] if not check.agree), checks[row.name][-1])
            computed, measured = _field(shown.computed, shown.pixels), _field(shown.measured, shown.pixels)
            figures.append(Comparison("field", computed, measured, not shown.agree))
        layers.append(LayerFigures(model.network.nodes[index], {figure.name: figure for figure in figures}))
    return layers


def _field(hull: gradients.Hull | None, pixels: int) -> str:
    """The size of a field, and its first and last pixel. ``pixels``: the size of the network input along the axis."""
    if hull is None or hull[0] > hull[1]:
        return "padding alone"
    size = hull[1] - hull[0] + 1
    return f"all {size}" if size == pixels else f"{size}: {hull[0]} to {hull[1]}"


def _index(row: Row) -> int:
    assert row.node is not None
    return row.node.index


def _owned(model: Built) -> dict[int, Params]:
    """The parameters and buffers of each layer's module, without those of earlier modules.

    Whole numbers are not buffers here: PyTorch's count of batches, and the index of a relative bias.
    """
    known: set[int] = set()
    owned = {}
    for node, module in model.layers:
        weight = bias = buffers = 0
        for name, tensor in (*module.named_parameters(), *module.named_buffers()):
            if id(tensor) in known or not tensor.is_floating_point():
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


def total_figures(model: Built, rows: Sequence[Row], forward: counts.ForwardCounts) -> list[Comparison]:
    """Parameters of the whole model, and torch's MACs of convolutions and of matrix products."""
    params = sum(row.params.weight + row.params.bias for row in rows)
    products = sum(row.work.mac for row in rows if row.type in ("linear", "attention", "matmul"))
    convolved = sum(n for operator, n in forward.operators.items() if "convolution" in operator)
    return [
        Comparison.of("params", params, sum(p.numel() for p in model.parameters()), "params"),
        Comparison.of("macs of convolutions", sum(row.work.mac for row in rows) - products, convolved, "macs"),
        Comparison.of("macs of matrix products", products, sum(forward.operators.values()) - convolved, "macs"),
    ]


def operator_figures(counted: Sequence[Row], traced: counts.Fvcore | None) -> list[Comparison]:
    """fvcore's operations, operator by operator."""
    if traced is None:
        return []
    computed: Counter[str] = Counter()
    for row in counted:
        if row.node is not None and row.node.inputs:
            operations = row.macs or 0
            if getattr(row.node.layer, "weight_norm", None) in STANDARDISED:
                computed["batch_norm"] += operations - row.work.mac
                operations = row.work.mac
            computed[records[row.type].fvcore(row.node.layer)] += operations
    names = [name for name in (*computed, *traced.by_operator) if computed[name] or traced.by_operator.get(name)]
    return [
        Comparison.of(f"fvcore's {name}", computed[name], traced.by_operator.get(name, 0), "fvcore")
        for name in dict.fromkeys(names)
    ]


def output_figures(model: Built) -> list[Comparison]:
    """The shape of every output of a run, if the network has several outputs."""
    network = model.network
    if len(network.outputs) == 1:
        return []
    with torch.no_grad():
        outputs = model.eval()(*images_of(network, "meta"))
    shapes = [tuple(out.shape[1:]) for out in outputs]
    nodes = [network.nodes[i] for i in network.outputs]
    return [
        Comparison.of(f"output {node.name}", (node.shape.channels, *node.shape.axes), shape)
        for node, shape in zip(nodes, shapes, strict=True)
    ]


def memory_figures(model: Built) -> list[Comparison]:
    """Bytes that the forward pass saves for the backward pass, the inference peak of one image, and the training peak.

    They are measured on the meta device. Storages there have the right size and take no memory. A network with attention
    is measured in both forms of attention; a summary has the figures of the first form, as ``archcalc memory`` does.
    """
    attends = any(node.layer.type == "attention" for node in model.network.nodes)
    usual, *others = ATTENTION_FORMS
    figures = _figures_in(model, usual, attends)
    for form in others if attends else ():
        figures += [figure._replace(column="") for figure in _figures_in(model, form, attends)]
    return figures


def _figures_in(model: Built, form: AttentionForm, attends: bool) -> list[Comparison]:
    """The figures of memory in one form of attention, which their names say if the network ``attends``."""
    network, which = model.network, f", attention {form}" if attends else ""
    images, image = images_of(network, "meta", TRAINING_BATCH), images_of(network, "meta")
    saved = Comparison.of(
        f"bytes saved for backward, batch {TRAINING_BATCH}{which}",
        training(network, attention=form, batch=Batch(TRAINING_BATCH)).saved_bytes(TRAINING_BATCH),
        memory.saved_bytes(model, *images, attention=form),
        "saved_bytes",
    )
    peak = Comparison.of(
        f"inference peak in bytes{which}",
        inference(network, attention=form, sums_in_place=False).peak(),
        memory.inference_peak(model, *image, attention=form),
        "peak_bytes",
    )
    if saved.differs:
        difference = memory.saved_difference(network, model, *images, attention=form)
        saved = saved._replace(name=f"{saved.name} ({difference})")
    if peak.differs:
        difference = memory.peak_difference(network, model, *image, attention=form)
        peak = peak._replace(name=f"{peak.name} ({difference})")
    return [saved, peak, _training_peak(model, images, form, which)]


def not_on_meta(network: Network) -> bool:
    return any(node.layer.type in NOT_ON_META for node in network.nodes)


def _training_peak(model: Built, images: list[Tensor], form: AttentionForm, which: str) -> Comparison:
    """The training peak in bytes. The bytes alive after every operator of both passes are compared, too."""
    network = model.network
    if not_on_meta(network):
        model, images = Built(network, overwritten(network)), [torch.zeros(x.shape) for x in images]
    schedule, live = (
        training(network, sums_in_place=False, attention=form),
        memory.training_live(model, *images, attention=form),
    )
    figure = Comparison.of(
        f"training peak in bytes, batch {TRAINING_BATCH}{which}",
        schedule.peak(TRAINING_BATCH),
        memory.peak(live),
        "training_peak_bytes",
    )
    difference = memory.moment_difference(schedule, live, TRAINING_BATCH)
    return figure._replace(name=f"{figure.name} ({difference})", differs=True) if difference else figure
