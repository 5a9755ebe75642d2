"""What PyTorch holds: bytes saved for the backward pass, and bytes alive during a run, tensor by tensor.

Storages are counted once, whatever tensors look at them, and those of parameters, buffers and the image not at
all. A tensor on the meta device has a storage of the right size that takes no memory, so a whole network can be
measured there; it runs the same operators.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import zip_longest
from typing import Any, NamedTuple
from weakref import ref

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from archcalc.memory.lifetime import Schedule, inference
from archcalc.memory.training import training
from archcalc.network import Network
from archcalc.witness.built import Built


class Held(NamedTuple):
    """A storage: the layer that ran when it was first seen, and its bytes."""

    layer: str
    bytes: int


class After(NamedTuple):
    """An operator: the layer that ran, its name, the bytes that it made, and all that were alive after it."""

    layer: str
    operator: str
    made: int
    bytes: int


def saved_bytes(module: nn.Module, image: Tensor) -> int:
    """Bytes that a forward pass of the module in training keeps for its backward pass."""
    return sum(held.bytes for held in saved(module, image))


def inference_peak(module: nn.Module, image: Tensor) -> int:
    """The most bytes alive after any operator while the module runs in evaluation mode without gradients."""
    return peak(inference_live(module, image))


def training_peak(module: nn.Module, image: Tensor) -> int:
    """The most bytes alive after any operator of a forward and a backward pass; weights and the image apart."""
    return peak(training_live(module, image))


def peak(live: Iterable[After]) -> int:
    """The most bytes alive after any operator."""
    return max((after.bytes for after in live), default=0)


def saved_difference(network: Network, module: nn.Module, image: Tensor, *, amp: bool = False) -> str:
    """The first tensor about which the engine and PyTorch disagree; nothing where both keep the same."""
    batch = len(image)
    ours = [kept for kept in training(network, amp=amp).kept_once() if kept.storage.bytes(batch)]
    theirs = [held for held in saved(module, image, amp=amp) if held.bytes]
    for kept, held in zip_longest(ours, theirs):
        here = (
            f"{network.nodes[kept.node].name} keeps {kept.storage.bytes(batch):,} ({kept.why})" if kept else "no more"
        )
        there = f"{held.layer} keeps {held.bytes:,}" if held else "no more"
        if kept is None or held is None or kept.storage.bytes(batch) != held.bytes:
            return f"{here} here, {there} in PyTorch"
    return ""


def peak_difference(network: Network, module: nn.Module, image: Tensor) -> str:
    """The first layer at which other bytes are alive at most during inference than the engine says; or nothing."""
    schedule, batch = inference(network), len(image)
    ours: dict[str, int] = {}
    for moment, live in zip(schedule.moments, schedule.live(batch), strict=True):
        name = network.nodes[moment.node].name
        ours[name] = max(ours.get(name, 0), live)
    theirs: dict[str, int] = {}
    for after in inference_live(module, image):
        theirs[after.layer] = max(theirs.get(after.layer, 0), after.bytes)
    for name, live in theirs.items():
        if name in ours and ours[name] != live:
            return f"{name}: {ours[name]:,} bytes alive here, {live:,} in PyTorch"
    return ""


def moment_difference(schedule: Schedule, live: Iterable[After], batch: int) -> str:
    """The first operator that makes, or leaves alive, other bytes than the engine says; or nothing.

    It is held against the operators that make a storage: views make none, and operators that write over one.
    """
    made = [0] * len(schedule.moments)
    for storage in schedule.storages:
        made[storage.born] += storage.bytes(batch)
    names = [schedule.network.nodes[moment.node].name for moment in schedule.moments]
    rows = zip(names, schedule.moments, made, schedule.live(batch), strict=True)
    ours = [After(name, moment.operator, born, alive) for name, moment, born, alive in rows if born]
    for here, there in zip_longest(ours, (after for after in live if after.made)):
        if here is None or there is None or here[2:] != there[2:]:
            layer = (here or there).layer
            return f"{layer + ', ' if layer else ''}{_said(here)} here, {_said(there)} in PyTorch"
    return ""


def _said(after: After | None) -> str:
    return f"{after.operator} makes {after.made:,} of {after.bytes:,} alive" if after else "no more"


def saved(module: nn.Module, image: Tensor, *, amp: bool = False) -> list[Held]:
    """The storages that a forward pass in training keeps, in the order in which they are saved.

    With ``amp`` it runs under autocast to bfloat16, whose copies of weights are among them.
    """
    known, found, kept = _storages([image, *_owned(module)]), [], []
    layers = _Layers(module)

    def pack(tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        if storage._cdata not in known:
            known.add(storage._cdata)
            kept.append(tensor)
            found.append(Held(layers.now, storage.nbytes()))

    # Nothing runs backward, so nothing is unpacked; a tensor in the graph that made it would never be let go.
    hooks = torch.autograd.graph.saved_tensors_hooks(pack, lambda nothing: nothing)
    with _mode(module, training=True), layers, hooks, torch.autocast("cpu", torch.bfloat16, enabled=amp):
        kept.append(module(image))
    kept.clear()  # it holds the graph, which holds the hooks, which hold it, and Python cannot see that
    return found


def inference_live(module: nn.Module, image: Tensor, *, amp: bool = False) -> list[After]:
    """Every operator of a run in evaluation mode without gradients."""
    layers = _Layers(module)
    cast = torch.autocast("cpu", torch.bfloat16, enabled=amp)
    with _mode(module, training=False), torch.no_grad(), layers, Live([image, *_owned(module)], layers) as live, cast:
        module(image)
    found: list[After] = live.found
    return found


def training_live(module: nn.Module, image: Tensor, *, amp: bool = False) -> list[After]:
    """The same over a forward and a backward pass, with a gradient of the outputs that a loss would give."""
    layers = _Layers(module)
    with _mode(module, training=True), layers, Live([image, *_owned(module)], layers) as live:
        with torch.autocast("cpu", torch.bfloat16, enabled=amp):
            out = module(image)
        layers.now = ""
        outputs = [tensor for tensor in tree_leaves(out) if tensor.requires_grad]
        if outputs:
            loss = Loss.apply(*outputs)
            loss.backward(torch.empty_like(loss))
    module.zero_grad(set_to_none=True)
    found: list[After] = live.found
    return found


class Loss(torch.autograd.Function):
    """Any loss: it holds nothing, and gives every output a gradient."""

    @staticmethod
    def forward(ctx: Any, *outputs: Tensor) -> Tensor:
        ctx.like = [(out.shape, out.dtype, out.device) for out in outputs]
        return outputs[0].new_empty(0)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, ...]:
        return tuple(torch.ones(shape, dtype=dtype, device=device) for shape, dtype, device in ctx.like)


class Live(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Follows every storage that an operator makes until nothing refers to it any more."""

    def __init__(self, known: Iterable[Tensor], layers: _Layers) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.known, self.layers = _storages(known), layers
        self.alive: dict[int, ref[torch.UntypedStorage]] = {}
        self.bytes = 0
        self.found: list[After] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        made = out[:1] if _evaluates_norm(func, args) else out
        before = self.bytes
        for tensor in tree_leaves(made):
            if isinstance(tensor, Tensor):
                storage = tensor.untyped_storage()
                if storage._cdata not in self.known and storage._cdata not in self.alive:
                    self._follow(storage, storage._cdata, storage.nbytes())
        self.found.append(After(self.layers.now, func.__name__, self.bytes - before, self.bytes))
        return out

    def _follow(self, storage: torch.UntypedStorage, at: int, size: int) -> None:
        """Count a storage until it is gone, which its Python object outlives by nothing."""

        def gone(_: object) -> None:
            del self.alive[at]
            self.bytes -= size

        self.alive[at] = ref(storage, gone)
        self.bytes += size


def _evaluates_norm(func: Any, args: Any) -> bool:
    """Whether this is batch normalisation by given statistics: it makes one tensor, and on the meta device claims three."""
    return func is torch.ops.aten.native_batch_norm.default and not args[5]


class _Layers:
    """Which layer of a module runs: the last one that was entered, by the spec's name in a module built from it."""

    def __init__(self, module: nn.Module) -> None:
        self.now = ""
        self._modules = (
            [(node.name, part) for node, layer in module.layers for part in (*module.before[node.index], layer)]
            if isinstance(module, Built)
            else list(module.named_modules())[1:]
        )
        self._handles: list[Any] = []

    def __enter__(self) -> None:
        for name, module in self._modules:
            self._handles.append(module.register_forward_pre_hook(self._entering(name)))

    def __exit__(self, *error: object) -> None:
        for handle in self._handles:
            handle.remove()

    def _entering(self, name: str) -> Any:
        def hook(module: nn.Module, inputs: Any) -> None:
            self.now = name

        return hook


def _owned(module: nn.Module) -> list[Tensor]:
    return [*module.parameters(), *module.buffers()]


def _storages(tensors: Iterable[Tensor]) -> set[int]:
    return {tensor.untyped_storage()._cdata for tensor in tensors}


@contextmanager
def _mode(module: nn.Module, *, training: bool) -> Iterator[None]:
    """The module in training or evaluation mode, and afterwards as it was."""
    before = module.training
    module.train(training)
    try:
        yield
    finally:
        module.train(before)
