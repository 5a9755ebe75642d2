"""PyTorch modules as trees of a spec: the run of a module is recorded, and becomes layers."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout, suppress
from math import prod
from typing import Any

from torch import nn

from archcalc.capture.models import Model, model_of
from archcalc.capture.program import Program
from archcalc.capture.recording import record, types_of
from archcalc.errors import ArchcalcError, Problem
from archcalc.importing.graph import Imported
from archcalc.importing.traced.calls import Run
from archcalc.importing.traced.network import graph_of, heads_of
from archcalc.language.expand import network_of
from archcalc.language.imports import import_by
from archcalc.layers.settings import message_text
from archcalc.letters import MOST_LETTERS, NETWORK_SIGNS, as_name
from archcalc.named_inputs import given_inputs
from archcalc.network import AnyNetwork
from archcalc.sizes import Shape


def read(text: str, file: str, inputs: Mapping[str, Shape], anew: bool, allow_missing: bool) -> Imported:
    """The network of a name such as ``torchvision:resnet50``, for these inputs; without inputs, for those of the library."""
    del anew  # every size is a run of its own
    with redirect_stdout(sys.stderr):  # what the code of the model prints
        model = model_of(text)
        sizes = {name: (shape.channels, *shape.axes) for name, shape in inputs.items()} or model.sizes
        if not sizes:
            text = "nothing says the size of its input: give --input, as in --input 3x224x224"
            raise ArchcalcError(Problem(text, file))
        return imported(model, sizes, file, allow_missing=allow_missing)


def network_from(
    kind: type[AnyNetwork],
    module: nn.Module,
    inputs: Any,
    training: bool = False,
    allow_missing: bool = False,
) -> AnyNetwork:
    """The network of a module, as an object of the class ``kind``: see ``archcalc.from_torch``."""
    name = type(module).__name__ if isinstance(module, nn.Module) else ""
    if not name:
        raise ArchcalcError(f"expected a torch.nn.Module, got {message_text(module)}")
    if inputs is None:
        raise ArchcalcError(f"{name}: nothing says the size of its input: give input=(3, 224, 224), for one image")

    def read(sizes: Mapping[str, Shape], anew: bool) -> Imported:
        given = {key: (shape.channels, *shape.axes) for key, shape in sizes.items()}
        return imported(Model(module, name, {}), given, name, allow_missing=allow_missing, training=training)

    family = import_by(read, name, as_name(name, MOST_LETTERS, NETWORK_SIGNS), given_inputs(inputs))
    return network_of(kind, family, next(iter(family.networks)))


def imported(
    model: Model,
    sizes: Mapping[str, Sequence[int]],
    file: str,
    *,
    allow_missing: bool = False,
    training: bool = False,
) -> Imported:
    """A module as the tree of a spec, with notes."""
    module = model.module
    run = record(module, sizes, file)
    graph = graph_of(run, file)
    unused = _unused(module, run)
    with suppress(*() if training else (ArchcalcError,)):
        if unused or training:
            other = record(module, sizes, file, training=True)
            heads = heads_of(run, other)
            both = graph_of(other, file, heads or ())
            if training or (heads and not both.missing and not both.problems):
                graph, unused = both, _unused(module, other)
            if training and heads is None:
                graph.remarks["as in training, whose outputs are others than at inference"] = None
    if unused:
        count = sum(prod(shape) for shape in unused.values())
        graph.remarks[f"parameters that no layer uses: {count:,} in {next(iter(unused))}{_more(len(unused))}"] = None
    graph.remarks |= dict.fromkeys((*_types(module), *model.remarks))
    graph.about["title"] = model.title
    graph.names_are_paths = True
    return graph.finish(allow_missing)._replace(program=Program(module))


def _types(module: nn.Module) -> list[str]:
    """What a report says of a module that is not in float32."""
    names = [str(one).removeprefix("torch.") for one in types_of(module)]
    if len(names) > 1:
        return [f"parameters in {' and '.join(names)}; memory is that of one type for all"]
    return [f"parameters in {name} (--dtype {name} for their memory)" for name in names if name != "float32"]


def _unused(module: nn.Module, run: Run) -> dict[str, tuple[int, ...]]:
    """The sizes of the parameters that a run does not read, by name."""
    used = {tensor.name for call in run.calls for tensor in call.tensors if tensor.kind == "parameter"}
    return {name: tuple(one.shape) for name, one in module.named_parameters() if name not in used}


def _more(count: int) -> str:
    return f" and {count - 1} more" if count > 1 else ""
