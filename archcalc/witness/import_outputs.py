"""The outputs of a model that is built from an import, and of the imported model itself, on the same random weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from archcalc.capture.models import Model, model_of
from archcalc.capture.recording import record, types_of
from archcalc.errors import ArchcalcError
from archcalc.importing.graph import Graph, Imported
from archcalc.importing.traced.network import Origin, graph_of
from archcalc.language.expand import expand
from archcalc.language.imports import import_by
from archcalc.witness.import_weights import built_with
from archcalc.witness.need import Room
from archcalc.witness.random_weights import fill

Row = dict[str, Any]
MOST = 1e-9
"""The largest difference of outputs in float64, as a part of the largest output: sums in another order."""
MOST_NARROW = 1e-6
"""The same for a model whose code computes a part in float32, whatever its weights are."""
SMALL = 96
"""The side of a small image, in pixels. Models that take it are compared there."""


class _Narrowing(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Whether an operator makes float32 of float64."""

    found = False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        if isinstance(made, Tensor) and made.dtype == torch.float32 and not self.found:
            self.found = any(one.dtype == torch.float64 for one in tree_leaves(args) if isinstance(one, Tensor))
        return made


class _Widening(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Makes float64 of what operators make in float32, for a model whose own float32 PyTorch would not join with float64."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if func is torch.ops.aten._to_copy.default and args[0].dtype == torch.float64:
            kwargs = {name: value for name, value in kwargs.items() if value != torch.float32}

        def wide(value: Any) -> Any:
            return value.double() if isinstance(value, Tensor) and value.dtype == torch.float32 else value

        return tree_map(wide, func(*args, **kwargs))


def outputs(net: str) -> Row:
    """The row of a model: ``exact`` if the outputs are equal bit for bit, or in float64 but for the order of sums."""
    torch.set_num_threads(1)
    try:
        model = model_of(net)
        sizes, graph, made = _small(model, net)
        need, free = 12 * sum(one.numel() for one in model.module.parameters()), Room.of("cpu").host
        if free is not None and need > 0.8 * free:
            return {"verdict": "left out", "reasons": [f"needs {need / 1e9:.1f} GB for its weights"]}
        return {"input": [list(size) for size in sizes.values()], **compared(model.module, sizes, made, graph.origins)}
    except ArchcalcError as error:
        return {"verdict": "refused", "reasons": [problem.text for problem in error.problems]}


def _small(model: Model, net: str) -> tuple[Mapping[str, Sequence[int]], Graph, Imported]:
    """The sizes of a small input and what is imported there, or those of the library if the model takes no other."""
    for side in (SMALL, 2 * SMALL):
        small = {name: (size[0], *size[1:-2], side, side) for name, size in model.sizes.items()}
        if all(side < size[-1] for size in model.sizes.values()):
            with suppress(ArchcalcError):
                graph = graph_of(record(model.module, small, net), net)
                return small, graph, graph.finish(False)
    graph = graph_of(record(model.module, model.sizes, net), net)
    return model.sizes, graph, graph.finish(False)


def compared(
    module: nn.Module, sizes: Mapping[str, Sequence[int]], made: Imported, origins: Mapping[str, Origin]
) -> Row:
    """The largest difference between the outputs of both models."""
    if types_of(module) not in ([], [torch.float32]):
        module.float()
    with_values(module)
    family = import_by(lambda inputs, anew: made, "the model", "model")
    network = expand(family, family.name)
    module.eval()
    images = [torch.randn(1, *size, generator=torch.Generator().manual_seed(0)) for size in sizes.values()]
    found = difference(built_with(network, module, origins), module, images)
    most, kind = MOST, "float32"
    if found:
        images = [image.double() for image in images]
        built = built_with(network, module.double(), origins)
        try:
            with _Narrowing() as narrowing:  # type: ignore[no-untyped-call]
                found = difference(built, module, images)
            most, kind = (MOST_NARROW, "float64, partly float32") if narrowing.found else (MOST, "float64")
        except RuntimeError:
            with _Widening():  # type: ignore[no-untyped-call]
                found = difference(built, module, images)
            most, kind = MOST, "float64"
    reasons = [] if found <= most else [f"outputs differ by {found:.2g} of the largest in {kind}"]
    return {
        "verdict": "wrong" if reasons else "exact",
        "reasons": reasons,
        "difference": found,
        "in": kind,
        "layers": len(network.nodes) - len(network.inputs),
    }


def with_values(module: nn.Module) -> None:
    """Gives random values to parameters and running statistics. Other buffers keep theirs: they are constants."""
    for one in module.modules():
        for name, parameter in one._parameters.items():
            if parameter is not None and parameter.device.type == "meta":
                one._parameters[name] = nn.Parameter(torch.empty(parameter.shape), parameter.requires_grad)
    owners = {path for path, one in module.named_modules() if "running_mean" in one._buffers}
    fill(module, kept={name for name, _ in module.named_buffers() if name.rpartition(".")[0] not in owners})


def difference(built: nn.Module, theirs: nn.Module, images: Sequence[Tensor]) -> float:
    """The largest difference between outputs, divided by the largest value of the output."""
    with torch.no_grad():
        others = {id(one): one for one in tree_leaves(theirs(*images)) if isinstance(one, Tensor)}.values()
        ours = tree_leaves(built(*images))
    if len(ours) != len(others):
        return float("inf")
    return max(_difference(mine, other) for mine, other in zip(ours, others, strict=True))


def _difference(mine: Tensor, other: Tensor) -> float:
    """The same for one output, which may have its channels last. Infinite for an output that shows nothing."""
    if mine.numel() != other.numel() or not bool(torch.isfinite(other).all()) or float(other.std()) == 0:
        return float("inf")
    if mine.shape != other.shape and mine.movedim(1, -1).shape == other.shape:
        mine = mine.movedim(1, -1)
    return float((mine.reshape(other.shape) - other).abs().max() / other.abs().max())
