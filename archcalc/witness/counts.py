"""The counts of fvcore and of torch's own counter for a built model, layer by layer."""

from __future__ import annotations

import logging
import warnings
from collections import Counter
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from archcalc.errors import ArchcalcError
from archcalc.witness.attention import InForm
from archcalc.witness.built import Built
from archcalc.witness.device import out_of_memory


class ForwardCounts(NamedTuple):
    """A forward pass: output shapes (without the batch) by node, and MACs of one image by node and by operator."""

    shapes: dict[int, tuple[int, ...]]
    macs: dict[int, int]
    operators: dict[str, int]


class Fvcore(NamedTuple):
    """fvcore's operations by node and by operator, and the number of runs of operators that fvcore has no rule for."""

    operations: dict[int, int]
    by_operator: dict[str, int]
    unsupported: dict[str, int]


def count_forward(model: Built, *images: Tensor) -> ForwardCounts:
    """Run the model, record every layer's output shape, and let torch count MACs.

    torch's counter knows convolutions and matrix products. The counter counts two operations per MAC. ArchcalcError
    with the name of the layer if the device runs out of memory.
    """
    running = [node for node, _ in model.layers if model.training or not node.side]
    shapes: dict[int, tuple[int, ...]] = {}
    macs: dict[int, int] = {}
    counter = FlopCounterMode(display=False)

    def note(module: nn.Module, inputs: Any, out: Any) -> None:
        index = running[len(shapes)].index
        shapes[index] = tuple((out[0] if isinstance(out, tuple) else out).shape[1:])
        macs[index] = counter.get_total_flops() // (2 * len(images[0])) - sum(macs.values())

    hooks = [module.register_forward_hook(note) for module in {id(m): m for _, m in model.layers}.values()]
    try:
        with torch.no_grad(), InForm("math"), counter:  # the counter has no rule for the fused attention of the CPU
            model(*images)
    except (RuntimeError, MemoryError) as error:
        if reason := out_of_memory(error):
            layer = running[len(shapes)].name
            raise ArchcalcError(f"{model.network.full_name}: out of memory in {layer}: {reason}") from None
        raise
    finally:
        for hook in hooks:
            hook.remove()
    totals = counter.get_flop_counts()["Global"]
    return ForwardCounts(shapes, macs, {str(operator): n // (2 * len(images[0])) for operator, n in totals.items()})


def counted_macs(model: nn.Module, images: Tensor) -> int:
    """MACs of all images in the convolutions and matrix products of any model, by torch's counter."""
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        model(images)
    return counter.get_total_flops() // 2


def fvcore(model: Built, *images: Tensor) -> Fvcore | None:
    """Trace the model with fvcore. None if fvcore refuses the model: a normalisation of a map of more than three axes.

    If several nodes share a module, the first node has the operations of all of them. fvcore cannot trace on the meta
    device.
    """
    logging.getLogger("fvcore").setLevel(logging.ERROR)
    paths = {id(module): path for path, module in model.named_modules()}
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # fvcore uses deprecated parts of torch.jit
        from fvcore.nn import FlopCountAnalysis

        count = FlopCountAnalysis(model, images)
        count.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
        try:
            by_module = count.by_module()
        except AssertionError:
            return None
        operators, unsupported = count.by_operator(), count.unsupported_ops()
    first: dict[int, int] = {}
    for node, module in model.layers:
        if model.training or not node.side:
            first.setdefault(id(module), node.index)
    return Fvcore(
        {index: int(by_module[paths[module]]) for module, index in first.items()},
        {name: int(n) for name, n in operators.items()},
        dict(Counter(unsupported)),
    )
