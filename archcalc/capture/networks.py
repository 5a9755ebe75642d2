"""PyTorch modules as trees of a spec: the run of a module is recorded, and becomes layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from archcalc.capture.models import model_of
from archcalc.capture.recording import record
from archcalc.errors import ArchcalcError, Problem
from archcalc.importing.graph import Imported
from archcalc.importing.traced.network import graph_of
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
    model = model_of(text)
    sizes = {name: (shape.channels, *shape.axes) for name, shape in inputs.items()} or model.sizes
    if not sizes:
        raise ArchcalcError(Problem("nothing says the size of its input: give --input, as in --input 3x224x224", file))
    return imported(model.module, sizes, file, model.title, allow_missing)


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
    del training

    def read(sizes: Mapping[str, Shape], anew: bool) -> Imported:
        given = {key: (shape.channels, *shape.axes) for key, shape in sizes.items()}
        return imported(module, given, name, name, allow_missing)

    family = import_by(read, name, as_name(name, MOST_LETTERS, NETWORK_SIGNS), given_inputs(inputs))
    return network_of(kind, family, next(iter(family.networks)))


def imported(
    module: nn.Module, sizes: Mapping[str, Sequence[int]], file: str, title: str, allow_missing: bool = False
) -> Imported:
    """A module as the tree of a spec, with notes."""
    run = record(module, sizes, file)
    graph = graph_of(run, file)
    graph.about["title"] = title
    return graph.finish(allow_missing)
