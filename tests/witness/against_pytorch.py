"""Every figure of a network beside what PyTorch shows of the built module: numbers, memory and receptive fields."""

from __future__ import annotations

import logging
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from fvcore.nn import FlopCountAnalysis
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from archcalc import Network, analyze
from archcalc.layers.base import per_axis
from archcalc.layers.sample import GridSample
from archcalc.memory.lifetime import Schedule, inference
from archcalc.memory.training import training
from archcalc.nodes import Node
from archcalc.pytorch.runner import AttentionForm
from archcalc.witness import build, gradients, memory
from archcalc.witness.built import Built
from archcalc.witness.counts import Fvcore
from archcalc.witness.figures import images_of, operator_figures

BATCH = 2
PRODUCTS = ("linear", "attention", "matmul")
"""Layer types whose multiply-adds PyTorch runs as products of matrices; all others are convolutions."""
HALF_IN_ONEDNN = torch.ops.mkldnn._is_mkldnn_bf16_supported()
"""Whether PyTorch runs convolutions in bfloat16 with oneDNN here: on CPUs with AVX-512. Others copy otherwise."""
ONE_VALUE = re.compile("Expected more than 1 (value per channel|spatial element) when training")

logging.getLogger("fvcore").setLevel(logging.ERROR)


# Numbers: what one run of the built module shows, beside what the engine says.


class Everything(nn.Module):
    """A model that returns what every layer makes, in their order; fvcore forgets what leads to no output."""

    def __init__(self, model: Built) -> None:
        super().__init__()
        self.model = model
        self.made: dict[nn.Module, list[torch.Tensor]] = defaultdict(list)
        for module in {module for _, module in model.layers}:
            module.register_forward_hook(self.note)

    def note(self, module: nn.Module, inputs: object, out: object) -> None:
        self.made[module].append(out[0] if isinstance(out, tuple) else out)  # a pooling with its indices

    def forward(self, *images: torch.Tensor) -> tuple[torch.Tensor, ...]:
        self.made.clear()
        self.model(*images)
        return tuple(self.made[module].pop(0) for _, module in self.model.layers)


def ready(network: Network, device: str) -> Everything:
    """The built module as at inference, with its side heads."""
    model = build(network, device).eval()
    model.training = True
    return Everything(model)


def measured(network: Network) -> dict[str, object]:
    """Shapes in the order of the layers, parameters and buffers of every module, and its operations by both counters.

    FlopCounterMode counts on the meta device, where attention runs as two products of matrices.
    """
    everything, on_meta = ready(network, "cpu"), ready(network, "meta")
    model, names = everything.model, {module: name for name, module in everything.named_modules()}
    images = tuple(images_of(network, "cpu", BATCH))
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        on_meta(*images_of(network, "meta", BATCH))
    flops = {at.removeprefix("Everything."): sum(counts.values()) for at, counts in counter.get_flop_counts().items()}
    operators = Counter[str]()
    for operator, count in counter.get_flop_counts().get("Global", {}).items():
        operators["convolutions" if "convolution" in str(operator) else "products"] += count
    with torch.no_grad():
        made = everything(*images)
        fvcore = FlopCountAnalysis(everything, images).unsupported_ops_warnings(False).uncalled_modules_warnings(False)
        try:
            by_module = fvcore.by_module()
        except AssertionError:  # fvcore normalises no map of more than three axes
            counted = {}
        else:
            counted = {
                "fvcore": {names[module]: by_module[names[module]] for _, module in model.layers},
                "fvcore by operator": +fvcore.by_operator(),
            }
    return {
        "shapes": [tuple(out.shape) for out in made],
        "params": [owned(module) for _, module in model.layers],
        "all params": sum(p.numel() for p in model.parameters()),
        "FlopCounterMode": {names[module]: flops.get(names[module], 0) for _, module in model.layers},
        "FlopCounterMode by operator": +operators,
        **counted,
    }


def owned(module: nn.Module) -> tuple[int, int, int]:
    """Weights, biases and buffers; whole numbers (batches counted, an index of a bias table) are no statistics."""
    sizes = Counter[str]()
    for name, p in module.named_parameters():
        sizes["bias" if name.endswith("bias") else "weight"] += p.numel()
    buffers = sum(b.numel() for b in module.buffers() if b.is_floating_point())
    return sizes["weight"], sizes["bias"], buffers


def claimed(network: Network) -> dict[str, object]:
    """The same from the engine; what a module does that several layers use is added up."""
    model = build(network, "meta")
    names, first = {module: f"model.{name}" for name, module in model.named_modules()}, len(network.inputs)
    ours = analyze(network, batch=BATCH, training=True)
    theirs = analyze(network, batch=BATCH, training=True, convention="fvcore")
    macs, operators, fvcore = Counter[str](), Counter[str](), Counter[str]()
    for (_, module), row, counted in zip(model.layers, ours.rows[first:], theirs.rows[first:], strict=True):
        macs[names[module]] += 2 * row.work.mac
        operators["products" if row.type in PRODUCTS else "convolutions"] += 2 * row.work.mac
        fvcore[names[module]] += counted.macs or 0
    by_operator = operator_figures(theirs.rows[first:], Fvcore({}, {}, {}))
    return {
        "shapes": [(BATCH * row.node.times, row.shape.channels, *row.shape.axes) for row in ours.rows[first:]],
        "params": [tuple(node.layer.params(*network.input_shapes(node))) for node, _ in model.layers],
        "all params": ours.totals.params,
        "FlopCounterMode": dict(macs),
        "FlopCounterMode by operator": +operators,
        "fvcore": dict(fvcore),
        "fvcore by operator": +Counter({one.name.removeprefix("fvcore's "): one.computed for one in by_operator}),
    }


def numbers(network: Network, seen: Counter[str]) -> Iterator[str]:
    """Numbers that differ."""
    here, there = claimed(network), measured(network)
    seen.update(f"fvcore's {operator}" for operator in there.get("fvcore by operator", ()))
    seen["fvcore refuses"] += "fvcore" not in there
    seen["multiply-adds"] += bool(here["FlopCounterMode by operator"])
    for name in there:
        if here[name] != there[name]:
            yield f"{name}: {here[name]} here, {there[name]} in PyTorch"


# Memory: the bytes that are made and alive after every operator of both passes, and what the forward pass saves.


def without_onednn(network: Network, batch: int) -> bool:
    """Whether a transposed convolution over three axes may run without oneDNN, and keep more than docs/memory.md says."""
    layers = [node.layer for node in network.nodes if node.layer.type == "conv_transpose" and len(node.shape.axes) == 3]
    return any(batch == 1 or layer.output_pad not in (0, [0, 0, 0], (0, 0, 0)) for layer in layers)


def memory_of(network: Network, seen: Counter[str], batch: int) -> Iterator[str]:
    if without_onednn(network, batch):
        seen[f"without oneDNN, {batch}"] += 1
        return
    with zeros_beyond(network):
        module, images = build(network), images_of(network, "cpu", batch)
    attends = any(node.layer.type == "attention" for node in network.nodes)
    forms: tuple[AttentionForm, ...] = ("flash", "math") if attends else ("flash",)
    seen["attends"] += attends and batch == BATCH
    with threads_for(network):
        for form in forms:
            yield from (f"{form}, {said}" for said in _in_form(network, module, images, form, seen))


@contextmanager
def zeros_beyond(network: Network) -> Iterator[None]:
    """Zeros beyond a map that is sampled: PyTorch's backward pass crashes on other values, if a position is no number."""
    layers = {id(node.layer): node.layer for node in network.nodes if isinstance(node.layer, GridSample)}.values()
    before = [layer.pad_mode for layer in layers]
    for layer in layers:
        layer.pad_mode = "zeros"
    try:
        yield
    finally:
        for layer, mode in zip(layers, before, strict=True):
            layer.pad_mode = mode


@contextmanager
def threads_for(network: Network) -> Iterator[None]:
    """One thread, or two where PyTorch runs convolutions otherwise than docs/memory.md says with one.

    Two threads take several times as long for small maps.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(2 if any(map(_needs_threads, network.nodes)) else 1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def autocasts_for(network: Network) -> tuple[bool, ...]:
    """Without and with autocast; without alone where PyTorch runs convolutions otherwise than docs/memory.md says with it.

    On CPUs without AVX-512, PyTorch has no oneDNN for convolutions in bfloat16.
    """
    over_three = any(node.layer.type.startswith("conv") and len(node.shape.axes) > 2 for node in network.nodes)
    return (False, True) if HALF_IN_ONEDNN or not over_three else (False,)


def _needs_threads(node: Node) -> bool:
    """Whether a layer is over three axes, or a convolution in groups with kernels of one cell."""
    layer = node.layer
    grouped = layer.type == "conv" and layer.groups > 1 and {*per_axis(layer.kernel, node.shape, "kernel")} == {1}
    return grouped or len(node.shape.axes) > 2


def _in_form(
    network: Network, module: Built, images: list[torch.Tensor], form: AttentionForm, seen: Counter[str]
) -> Iterator[str]:
    batch = len(images[0])
    schedule = inference(network, attention=form, sums_in_place=False)
    yield from _moments("inference", schedule, memory.inference_live(module, *images, attention=form), batch, seen)
    try:
        saved = memory.saved_difference(network, module, *images, attention=form)
    except ValueError as error:
        if ONE_VALUE.match(str(error)):  # which PyTorch does not train
            seen["untrained"] += form == "flash"
            return
        raise
    if saved:
        yield f"saved: {saved}"
    schedule = training(network, sums_in_place=False, attention=form)
    yield from _moments("training", schedule, memory.training_live(module, *images, attention=form), batch, seen)


def _moments(
    name: str, schedule: Schedule, live: list[memory.OperatorBytes], batch: int, seen: Counter[str]
) -> Iterator[str]:
    seen[f"operators in {name}"] += sum(after.new_bytes > 0 for after in live)
    if said := memory.moment_difference(schedule, live, batch):
        yield f"{name}: {said}"
    if memory.peak(live) != schedule.peak(batch):
        yield f"{name}: a peak of {schedule.peak(batch):,} here, {memory.peak(live):,} in PyTorch"


def two_images(network: Network, seen: Counter[str]) -> Iterator[str]:
    return memory_of(network, seen, 2)


def one_image(network: Network, seen: Counter[str]) -> Iterator[str]:
    return memory_of(network, seen, 1)


# Receptive fields: the support of a gradient on a stand-in.


def fields(network: Network, seen: Counter[str]) -> Iterator[str]:
    """Fields of the middle unit of every layer along every axis, from every input, that the gradient does not have."""
    found = gradients.check(network, limit=None)
    seen["layers with fields"] += found.layers
    seen["fields"] += len(found.checks)
    seen["exact fields"] += sum(one.exact for one in found.checks)
    return (str(one) for one in found.checks if not one.agree)


COMPARISONS = {
    "numbers": numbers,
    "memory of two images": two_images,
    "memory of one image": one_image,
    "receptive fields": fields,
}
"""By name: what a network shows that differs, as text. Each counts in ``seen`` what it compared."""
