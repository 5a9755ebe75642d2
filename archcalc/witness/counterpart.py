"""A model of another library, compared with the model built from a spec: tensors, module calls and outputs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from archcalc.conventions.source_style import MODULE, SUBCLASS, Library, source_style
from archcalc.export.attention_layers import Attention, BiasedAttention
from archcalc.export.convolution_layers import RelativeConv
from archcalc.export.missing_layers import ZeroBiasLinear
from archcalc.network import Node
from archcalc.pytorch.leading import leading
from archcalc.pytorch.record import records
from archcalc.sizes import product
from archcalc.witness.built import Built

KNOWN = frozenset(module for record in records.values() for module in record.modules)
"""Modules of torch or torchvision that are a layer."""
PASSING = ("Identity", "Permute", "SwapAxes", "WindowPartition", "WindowDepartition")
"""Modules that only return or reorder their input."""
INSIDE = "cpb_mlp"
"""The module of torchvision that holds the linear layers behind a continuous bias, which are a part of attention here."""
CONSTANTS = ("index", "distances")
"""Buffers that follow from sizes."""


class ModuleRun(NamedTuple):
    """One call of a module: path, class, and the shape of the output."""

    path: str
    kind: str
    shape: tuple[int, ...]


class UsedTensors(TorchFunctionMode):
    """Records the parameters and buffers that a run uses, in the order of their first use; masks are left out."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        kept = model.state_dict(keep_vars=True).values()
        self.known = {id(tensor) for tensor in kept if tensor.dtype != torch.bool}
        self.tensors: dict[int, Tensor] = {}

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        asks = getattr(func, "__name__", "") == "__get__"  # an attribute, such as x.dtype
        for value in () if asks else (*args, *(kwargs or {}).values()):
            if id(value) in self.known:
                self.tensors.setdefault(id(value), value)
        return func(*args, **(kwargs or {}))


def used_tensors(model: nn.Module, images: Tensor) -> list[Tensor]:
    """The model's parameters and buffers in the order in which a training pass first uses them."""
    with UsedTensors(model.train()) as met, torch.no_grad():
        model(images)
    return list(met.tensors.values())


def calls(model: nn.Module, images: Tensor) -> list[ModuleRun]:
    """Every call of a module without submodules in a training pass, in order."""
    runs: list[ModuleRun] = []
    hooks = []
    for path, module in model.named_modules():
        if next(module.children(), None) is None:

            def note(module: nn.Module, inputs: Any, out: Any, path: str = path) -> None:
                if isinstance(out, Tensor):  # a detector also has modules that choose boxes
                    runs.append(ModuleRun(path, _kind(module), tuple(out.shape)))

            hooks.append(module.register_forward_hook(note))
    try:
        with torch.no_grad():
            model.train()(images)
    finally:
        for hook in hooks:
            hook.remove()
    return runs


def _kind(module: nn.Module) -> str:
    """The module's class, or the class of torch or torchvision that the class is derived from. ``3d`` reads ``2d``."""
    names = [one.__name__.replace("3d", "2d") for one in type(module).__mro__]
    return next((name for name in names if name in KNOWN), names[0])


def pairs(built: Built, theirs: nn.Module, images: Tensor) -> tuple[list[tuple[str, str]], str]:
    """Pairs the parameters and buffers of both models, by name, in the order of their first use.

    At a join, the other model may run the last branch first. So the reversed order of branches is tried as well, and
    then any order that the graph allows. If no order fits, the result is no pairs and the first difference. ``images``
    are on the device of both models. Whole numbers come last: a model may read an index before or after its table.
    """
    others = _whole_last(used_tensors(theirs, images))
    used = used_tensors(built, images)
    names = {id(value): name for name, value in (*theirs.named_parameters(), *theirs.named_buffers())}
    names |= {id(value): name for name, value in (*built.named_parameters(), *built.named_buffers())}
    problems = []
    for ordered in _orders(built, used, others):
        ours = _whole_last(ordered)
        problem = _unlike(ours, others, names)
        if not problem:
            return [(names[id(mine)], names[id(other)]) for mine, other in zip(ours, others, strict=True)], ""
        problems.append(problem)
    return [], problems[0]


def _orders(built: Built, used: list[Tensor], others: list[Tensor]) -> Iterator[list[Tensor]]:
    """The orders that are tried, each computed if those before do not fit."""
    yield used
    yield _last_branch_first(built, used)
    yield _as_ready(built, used, others)


def take(built: Built, theirs: nn.Module, paired: list[tuple[str, str]]) -> None:
    """Copy the parameters and buffers of the other model into the built model.

    An index and distances follow from sizes and have no values on the meta device. So the other model takes them from the
    built model.
    """
    tensors = dict((*theirs.named_parameters(), *theirs.named_buffers()))
    for layer in built.modules():
        if isinstance(layer, (BiasedAttention, RelativeConv, ZeroBiasLinear)):
            with torch.device(next(theirs.parameters()).device):
                layer.constants()
    for mine, other in paired:
        path, _, name = mine.rpartition(".")
        module = built.get_submodule(path)
        if isinstance(module, BiasedAttention) and name in CONSTANTS:
            tensors[other].copy_(getattr(module, name).view_as(tensors[other]))
            continue
        trained = name in module._parameters
        tensor = tensors[other].data.reshape(getattr(module, name).shape)
        if trained:
            module._parameters[name] = nn.Parameter(tensor)
        else:
            module._buffers[name] = tensor


def _unlike(ours: list[Tensor], others: list[Tensor], names: dict[int, str]) -> str:
    """The first two tensors whose shapes differ. Axes of size 1 at the start and the end of a shape are ignored."""
    for mine, other in zip(ours, others, strict=False):
        if _trimmed(mine) != _trimmed(other):
            return f"{names[id(mine)]} {list(mine.shape)} where it has {names[id(other)]} {list(other.shape)}"
    return "" if len(ours) == len(others) else f"{len(ours)} tensors where it has {len(others)}"


def _whole_last(tensors: list[Tensor]) -> list[Tensor]:
    return sorted(tensors, key=lambda tensor: not tensor.is_floating_point())


def _trimmed(tensor: Tensor) -> tuple[int, ...]:
    """The shape without axes of size 1 at the start and the end; of a buffer, how many numbers it has."""
    shape = tuple(tensor.shape) if isinstance(tensor, nn.Parameter) else (tensor.numel(),)
    while shape[:1] == (1,):
        shape = shape[1:]
    while shape[-1:] == (1,):
        shape = shape[:-1]
    return shape


def _last_branch_first(built: Built, used: list[Tensor]) -> list[Tensor]:
    """The tensors in the order of their layers, if the branches of every join run in reversed order."""
    modules = {node.index: (node, module) for node, module in built.layers}
    order: dict[int, None] = {}
    for last in built.outputs[True]:
        waiting = [last]
        while waiting:
            index = waiting[-1]
            inputs = (
                [i for i in modules[index][0].inputs if i in modules and i not in order] if index in modules else []
            )
            if inputs:
                waiting.append(inputs[-1])
            else:
                order.setdefault(waiting.pop())
    position = {id(tensor): at for at, tensor in enumerate(used)}
    ordered: dict[int, Tensor] = {}
    for index in order:
        own = (*modules[index][1].parameters(), *modules[index][1].buffers()) if index in modules else ()
        for tensor in sorted((t for t in own if id(t) in position), key=lambda t: position[id(t)]):
            ordered.setdefault(id(tensor), tensor)
    return list(ordered.values())


def _as_ready(built: Built, used: list[Tensor], others: list[Tensor]) -> list[Tensor]:
    """The tensors in an order that the graph allows, with the shapes of the other model's tensors as far as possible.

    The next layer is always the first layer in the spec's order that is ready and whose tensors have the next shapes.
    """
    position = {id(tensor): at for at, tensor in enumerate(used) if tensor.is_floating_point()}
    waiting: dict[int, tuple[tuple[int, ...], list[Tensor]]] = {}
    for node, module in built.layers:
        tensors = [tensor for tensor in (*module.parameters(), *module.buffers()) if id(tensor) in position]
        inputs = node.inputs
        if isinstance(module, Attention):  # its bias does not depend on its inputs
            bias = [tensor for tensor in tensors if tensor is not module.logit_scale]
            waiting[-1 - node.index] = (), sorted(bias, key=lambda tensor: position[id(tensor)])
            tensors = [tensor for tensor in tensors if tensor is module.logit_scale]
        waiting[node.index] = inputs, sorted(tensors, key=lambda tensor: position[id(tensor)])
    ordered: dict[int, Tensor] = {}
    shapes = [_trimmed(tensor) for tensor in others]
    while waiting:
        ready = [index for index, (inputs, _) in waiting.items() if not any(i in waiting for i in inputs)]
        free = [index for index in ready if not waiting[index][1]]
        for index in free:
            del waiting[index]
        if free:
            continue
        next_shapes = shapes[len(ordered) :]
        fits = (i for i in ready if (own := [_trimmed(x) for x in waiting[i][1]]) == next_shapes[: len(own)])
        for tensor in waiting.pop(next(fits, ready[0]))[1]:
            ordered.setdefault(id(tensor), tensor)
    return [*ordered.values(), *(tensor for tensor in used if id(tensor) not in position)]


def unlike_module(built: Built, theirs: nn.Module, images: Tensor, library: Library) -> tuple[int, str]:
    """Compare every module call of the other model with the layers of the spec, in order.

    Returns the number of calls that agree in kind and output shape, and the first problem. A problem is a call without
    a layer, or a layer without a call although ``conventions.source_style`` says that the layer is a module.
    """
    network = built.network
    code = source_style(network.zoo_name, library)
    extras = {extra.name for extra in code.extras}
    nodes = [node for node, _ in built.layers]
    agreed = at = 0

    def left_out(node: Node) -> bool:
        return code.form(node.layer.type, node.name)[0] in (MODULE, SUBCLASS)

    def is_call(node: Node, call: ModuleRun) -> bool:
        return call.kind in records[node.layer.type].modules and call.shape in _shapes(node, len(images))

    for call in calls(theirs, images):
        path = call.path.split(".")
        if call.kind in PASSING or path[-1] in extras or INSIDE in path:
            continue
        if call.kind not in KNOWN:
            return agreed, f"{call.path} is a {call.kind}, which no layer is known to be"
        stop = next((n for n in range(at, len(nodes)) if left_out(nodes[n])), len(nodes))
        # the layer that must be a module comes before layers that may be one
        found = next((n for n in (*range(stop, len(nodes))[:1], *range(at, stop)) if is_call(nodes[n], call)), None)
        if found is None and stop < len(nodes):
            node = nodes[stop]
            return agreed, f"{node.name} ({node.layer.type} {node.shape}) where it has {call.path} {list(call.shape)}"
        if found is None:
            return agreed, f"no layer is its {call.path} ({call.kind} {list(call.shape)})"
        agreed, at = agreed + 1, found + 1
    extra = next((node for node in nodes[at:] if left_out(node)), None)
    return agreed, f"{extra.name} ({extra.layer.type}) where it has nothing" if extra else ""


def _shapes(node: Node, batch: int) -> Iterator[tuple[int, ...]]:
    """The layer's output shape with the channels first, with the channels last (between Permutes in ConvNeXt), and with
    the axes before the last three in the batch."""
    first = leading(node.shape)
    yield (batch * node.times * product(node.shape.axes[:first]), node.shape.channels, *node.shape.axes[first:])
    yield (batch * node.times, node.shape.channels, *node.shape.axes)
    yield (batch * node.times, *node.shape.axes, node.shape.channels)


def output_difference(built: Built, theirs: nn.Module, image: Tensor) -> float:
    """The largest difference between outputs of the two models, divided by the largest value of the output.

    Side heads run if the other model returns their outputs at inference, too.
    """
    with torch.no_grad():
        others = tree_leaves(theirs.eval()(image))
        built.eval()
        built.training = len(others) > len(built.outputs[False])
        ours = tree_leaves(built(image))
        built.training = False
    if len(ours) != len(others):
        return float("inf")
    return max(_difference(mine, other) for mine, other in zip(ours, others, strict=True))


def _difference(mine: Tensor, other: Tensor) -> float:
    constant = other.numel() > 1 and float(other.std()) == 0
    if mine.shape != other.shape or constant or not bool(torch.isfinite(other).all()):
        return float("inf")
    return float((mine - other).abs().max() / other.abs().max())
