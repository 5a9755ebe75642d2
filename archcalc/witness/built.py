"""Any network as a module of PyTorch, with the spec's names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from archcalc.errors import ArchcalcError
from archcalc.export import missing_layers as parts
from archcalc.export.file import SOURCES
from archcalc.export.module_names import box_value, boxes_of, how_written, indices_value, module_paths, taken
from archcalc.layers.region import per_map
from archcalc.network import Network, Node
from archcalc.pytorch.code import InlineCode, ModuleCode, TorchCode, takes
from archcalc.pytorch.run import unpooled
from archcalc.units import counted


class Function(nn.Module):
    """A layer that PyTorch writes as an expression, such as ``x0 + x1``."""

    def __init__(self, expression: InlineCode) -> None:
        super().__init__()
        self.inputs = takes(expression)
        names = [f"x{i}" for i in range(self.inputs)]
        self.text = expression.text.format(*names, **expression.arguments)
        self.function = eval(f"lambda {', '.join(names)}: {self.text}", {"torch": torch, "F": F})

    def forward(self, *inputs: Tensor) -> Any:
        return self.function(*inputs)

    def extra_repr(self) -> str:
        return self.text


class BlockModule(nn.Module):
    """A block of the spec: its layers by name. The model runs the layers, not the block."""


class Built(nn.Module):
    """A network's layers under the spec's names, run one by one in the spec's order.

    ``forward`` takes a batch for each input of the network, then the regions (``rois``) if layers read regions. It
    returns the output, or a tuple if there are several outputs. In training, the outputs of the side heads are in the
    tuple, too. A tensor is freed after its last use. The network inputs are not freed, because the caller still refers
    to them.

    over: for a node that writes in place, the index of the input whose storage the node writes into. layers: every node
    of the network with its module; a module that several nodes share appears for each of these nodes. before: the
    statements that run before the module of a node.
    """

    def __init__(self, network: Network, over: Mapping[int, int] = MappingProxyType({})) -> None:
        super().__init__()
        self.network = network
        self.layers: list[tuple[Node, nn.Module]] = []
        self.before: dict[int, list[Function]] = {}
        self.regions_read = boxes_of(network)
        self.takes = {
            node.index: (*box_value(node, self.regions_read), *taken(node, over.get(node.index)))
            for node in network.running()
        }
        made: dict[int, tuple[TorchCode, nn.Module]] = {}
        paths, poolings = module_paths(network).layers, unpooled(network)
        for node in network.running():
            before, how = how_written(network, node, over.get(node.index), indices=node.index in poolings)
            self.before[node.index] = [Function(expression) for expression in before]
            owner = None if node.shares is None or node.layer.type == "unpool" else made[node.shares]
            if owner is not None and owner[0] == how:
                module = owner[1]
            else:
                module = Function(how) if isinstance(how, InlineCode) else instance(how)
                _place(self, paths[node.index], module)
                if owner is not None:
                    parts.tie(module, owner[1])
                elif not node.trained:
                    module.requires_grad_(False)
            made[node.index] = how, module
            self.layers.append((node, module))
        self.outputs = {training: network.results(training) for training in (False, True)}
        self.frees = {training: _frees(network, training) for training in (False, True)}
        self._rois: dict[tuple[int, torch.device], list[list[Tensor]]] = {}

    def default_rois(self, images: Tensor) -> list[Tensor | list[Tensor]]:
        """A fixed set of regions for images: a grid of boxes for each map."""
        if not self.regions_read:
            return []
        from archcalc.export.region_layers import grid

        key = len(images), images.device
        if key not in self._rois:
            axes = self.network.input.axes or (1,)
            height = axes[0] / axes[-1]
            self._rois[key] = [
                [grid(n, height, len(images)).to(images.device) for n in per_map(*boxes)] for boxes in self.regions_read
            ]
        return [parts if len(parts) > 1 else parts[0] for parts in self._rois[key]]

    def forward(self, *given: Any) -> Any:
        count = len(self.network.inputs)
        if len(given) - count not in (0, len(self.regions_read)):
            names = ", ".join([*self.network.inputs, *self.regions_read.values()])
            raise ArchcalcError(f"forward takes {names}; got {counted(len(given), 'tensor')}")
        rois = given[count:] or self.default_rois(given[0])
        values = {**dict(enumerate(given[:count])), **{-1 - at: one for at, one in enumerate(rois)}}
        for node, module in self.layers:
            if node.side and not self.training:
                continue
            inputs = [values[i] for i in self.takes[node.index]]
            frees = self.frees[self.training][node.index]
            for i in frees:
                values.pop(i, None)
            made = self.run(node, module, inputs)
            if isinstance(made, tuple):  # the indices of a pooling
                made, indices = made
                if indices_value(node.index) not in frees:
                    values[indices_value(node.index)] = indices
                del indices
            values[node.index] = made
            del inputs, made
            if node.index in frees:
                del values[node.index]
        found = tuple(values[i] for i in self.outputs[self.training])
        return found if len(found) > 1 else found[0]

    def run(self, node: Node, module: nn.Module, inputs: list[Tensor]) -> Any:
        """Runs a layer on its inputs, in the order of ``takes``.

        An input leaves the list if no later statement needs the input.
        """
        for function in self.before[node.index]:
            front = inputs[: function.inputs]
            inputs[: function.inputs] = []
            inputs.insert(0, function(*front))
            del front
        return module(*inputs)


def _sources() -> Iterator[Any]:
    """The modules with layers that torch.nn lacks; layers of regions need torchvision."""
    yield from (import_module(f"archcalc.export.{name}") for name in SOURCES)


def instance(call: ModuleCode) -> nn.Module:
    """Creates the module that the code describes."""
    home, _, name = call.target.rpartition(".")
    source: Any = nn if home else next(found for found in _sources() if hasattr(found, name))
    for part in home.split(".")[1:]:
        source = getattr(source, part)
    values = [instance(v) if isinstance(v, ModuleCode) else v for v in call.arguments.values()]
    named = dict(list(zip(call.arguments, values, strict=True))[call.positional :])
    module: nn.Module = getattr(source, name)(*values[: call.positional], **named)
    return module


def _place(model: nn.Module, path: str, module: nn.Module) -> None:
    *blocks, name = path.split(".")
    for block in blocks:
        if block not in model._modules:
            model.add_module(block, BlockModule())
        model = model.get_submodule(block)
    model.add_module(name, module)


def _frees(network: Network, training: bool) -> dict[int, list[int]]:
    """For every node, the values of which the node is the last reader.

    If no node reads an output or the indices of a pooling, they are freed after their own node.
    """
    nodes = network.running(training)
    last: dict[int, int] = {}
    for node in nodes:
        last |= {value: node.index for value in (node.index, indices_value(node.index)) if value not in last}
        last.update(dict.fromkeys(taken(node), node.index))
    for output in network.results(training):
        last.pop(output, None)
    frees: dict[int, list[int]] = {node.index: [] for node in nodes}
    for value, node_index in last.items():
        if node_index in frees:
            frees[node_index].append(value)
    return frees
