"""The weights of a recorded model, for the model that is built from its import."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from archcalc.errors import ArchcalcError
from archcalc.importing.traced.calls import Tensor as Recorded
from archcalc.importing.traced.network import Origin
from archcalc.network import Network, Node
from archcalc.witness.built import Built

STATISTICS = ("running_mean", "running_var")
FROZEN = ("weight", "bias", *STATISTICS)
"""The buffers of a batch normalisation that is not trained."""


def built_with(network: Network, theirs: nn.Module, origins: Mapping[str, Origin]) -> Built:
    """The model of an import with the weights, statistics and constants of the recorded one, which it shares.

    ArchcalcError if a layer has other tensors than the recorded one.
    """
    with torch.device("meta"):
        built = Built(network).eval()
    state: dict[str, Tensor] = dict((*theirs.named_parameters(), *theirs.named_buffers()))
    for node, module in built.layers:
        for one in module.modules():
            constants: Any = getattr(one, "constants", None)
            if constants is not None:
                constants()
        origin = origins.get(node.name)
        if origin is None:
            continue
        if node.layer.type == "index_select":
            module._buffers["index"] = torch.as_tensor(origin.step.value).flatten().long()
            continue
        given, own = _given(node, origin, state), list(_places(module))
        if len(given) != len(own):
            raise ArchcalcError(f"{node.name}: {len(own)} tensors in the built model, and {len(given)} in the other")
        for place, name, mine in own:  # in the order of the run, apart from a gain of the weights
            at = next((at for at, value in enumerate(given) if value.numel() == mine.numel()), 0)
            value = _laid(given.pop(at).detach(), mine, node, origin)
            if name in place._parameters:
                place._parameters[name] = nn.Parameter(value, requires_grad=False)
            else:
                place._buffers[name] = value
    if lacking := [name for name, one in built.named_parameters() if one.device.type == "meta"]:
        raise ArchcalcError(f"nothing is known of {lacking[0]} and {len(lacking) - 1} more")
    return built


def _places(module: nn.Module) -> Iterator[tuple[nn.Module, str, Tensor]]:
    """The parameters of a layer, then its buffers with numbers of the model: where they are, with their names."""
    for kind in ("_parameters", "_buffers"):
        for one in module.modules():
            for name, tensor in getattr(one, kind).items():
                if tensor is not None and (kind == "_parameters" or name in FROZEN):
                    yield one, name, tensor


def _given(node: Node, origin: Origin, state: Mapping[str, Tensor]) -> list[Tensor]:
    """The tensors of a layer in the order of its module: parameters, then buffers."""
    type, settings = origin.step.type, origin.call.settings if origin.call else {}
    own = [one for one in origin.step.own if one.kind in ("parameter", "buffer")]
    if type == "parameter" and getattr(node.layer, "fixed", False):
        return [_constant(origin.step.own[0] if origin.step.own else None, origin.step.value, node, state)]
    if type == "batch_norm" and getattr(node.layer, "frozen", False):
        path = own[0].name.rpartition(".")[0]
        return [state[f"{path}.{key}"] for key in FROZEN]
    if type in ("batch_norm", "instance_norm"):
        own += [one for key in STATISTICS if isinstance(one := settings.get(key), Recorded)]
    return [state[one.name] for one in own]


def _constant(tensor: Recorded | None, value: Any, node: Node, state: Mapping[str, Tensor]) -> Tensor:
    """The numbers of a layer that is not trained."""
    if tensor is None or tensor.value is None:
        found = torch.as_tensor(value) if tensor is None or tensor.name not in state else state[tensor.name]
    else:
        found = torch.as_tensor(tensor.value)
    found = found.to(next(iter(state.values())).dtype)
    count = int(node.shape.values)
    return found.reshape(-1).expand(count) if found.numel() == 1 else found.reshape(-1)[:count]


def _laid(value: Tensor, mine: Tensor, node: Node, origin: Origin) -> Tensor:
    """The values of a tensor in the order of a built one. A map that is added has its channels last."""
    if value.numel() != mine.numel():
        raise ArchcalcError(f"{node.name}: {list(mine.shape)} in the built model, and {list(value.shape)} in the other")
    if node.layer.type == "position" and origin.step.groups:
        factors = [factor for group in origin.step.groups for factor in group]
        order = sorted(range(len(factors)), key=lambda at: (factors[at].axis or len(factors) + 9, -factors[at].stride))
        value = value.reshape([factor.size for factor in factors]).permute(order)
    elif node.layer.type in ("position", "class_token"):
        sizes = [size for size in value.shape if size > 1]
        last = _sizes(node, mine)
        if sizes != last and sizes == [*last[-1:], *last[:-1]]:
            value = value.reshape(sizes).movedim(0, -1)
    return value.reshape(mine.shape)


def _sizes(node: Node, mine: Tensor) -> list[int]:
    """The sizes of a map that is added, without those of 1, the channels last."""
    channels, *axes = node.shape.channels, *node.shape.axes
    if mine.numel() != node.shape.values:  # along some axes only
        axes = [mine.numel() // channels]
    return [size for size in (*axes, channels) if size > 1]
