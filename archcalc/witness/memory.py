"""What PyTorch holds: bytes saved for the backward pass, and bytes alive during a run, tensor by tensor.

Storages are counted once, whatever tensors look at them, and those of parameters, buffers and the image not at
all. A tensor on the meta device has a storage of the right size that takes no memory, so a whole network can be
measured there; it runs the same operators.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Held(NamedTuple):
    """A storage: the layer that ran when it was first seen, and its bytes."""

    layer: str
    bytes: int


def saved_bytes(module: nn.Module, image: Tensor) -> int:
    """Bytes that a forward pass of the module in training keeps for its backward pass."""
    return sum(held.bytes for held in saved(module, image))


def inference_peak(module: nn.Module, image: Tensor) -> int:
    """The most bytes alive after any operator while the module runs in evaluation mode without gradients."""
    return max((bytes for _, bytes in inference_live(module, image)), default=0)


def training_peak(module: nn.Module, image: Tensor) -> int:
    """The most bytes alive after any operator of a forward and a backward pass; weights and the image apart."""
    return max((bytes for _, bytes in training_live(module, image)), default=0)


def saved(module: nn.Module, image: Tensor, *, amp: bool = False) -> list[Held]:
    """The storages that a forward pass in training keeps, in the order in which they are saved.

    With ``amp`` it runs under autocast to bfloat16, whose copies of weights are among them.
    """
    known, found, kept = _storages([image, *_owned(module)]), [], []
    layers = _Layers(module)

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in known:
            known.add(storage._cdata)
            kept.append(tensor)
            found.append(Held(layers.now, storage.nbytes()))
        return tensor

    hooks = torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor)
    with _mode(module, training=True), layers, hooks, torch.autocast("cpu", torch.bfloat16, enabled=amp):
        kept.append(module(image))
    return found


def inference_live(module: nn.Module, image: Tensor) -> list[tuple[str, int]]:
    """The layer and the bytes alive after every operator of a run in evaluation mode without gradients."""
    layers = _Layers(module)
    with _mode(module, training=False), torch.no_grad(), layers, Live([image, *_owned(module)], layers) as live:
        module(image)
    return live.found


def training_live(module: nn.Module, image: Tensor, *, amp: bool = False) -> list[tuple[str, int]]:
    """The same over a forward and a backward pass, with a gradient of the outputs that a loss would give."""
    layers = _Layers(module)
    with _mode(module, training=True), layers, Live([image, *_owned(module)], layers) as live:
        with torch.autocast("cpu", torch.bfloat16, enabled=amp):
            out = module(image)
        layers.now = ""
        loss = Loss.apply(*tree_leaves(out))
        loss.backward(torch.empty_like(loss))
    module.zero_grad(set_to_none=True)
    return live.found


class Loss(torch.autograd.Function):
    """Any loss: it holds nothing, and gives every output a gradient."""

    @staticmethod
    def forward(ctx: Any, *outputs: Tensor) -> Tensor:  # type: ignore[override]
        ctx.like = [(out.shape, out.dtype, out.device) for out in outputs]
        return outputs[0].new_empty(0)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, ...]:  # type: ignore[override]
        return tuple(torch.ones(shape, dtype=dtype, device=device) for shape, dtype, device in ctx.like)


class Live(TorchDispatchMode):
    """Follows every storage that an operator makes until nothing refers to it any more."""

    def __init__(self, known: Iterable[Tensor], layers: _Layers) -> None:
        super().__init__()
        self.known, self.layers = _storages(known), layers
        self.alive: dict[int, tuple[StorageWeakRef, int]] = {}
        self.found: list[tuple[str, int]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        made = out[:1] if _evaluates_norm(func, args) else out
        self.alive = {at: held for at, held in self.alive.items() if not held[0].expired()}
        for tensor in tree_leaves(made):
            if isinstance(tensor, Tensor):
                storage = tensor.untyped_storage()
                if storage._cdata not in self.known and storage._cdata not in self.alive:
                    self.alive[storage._cdata] = StorageWeakRef(storage), storage.nbytes()
        self.found.append((self.layers.now, sum(bytes for _, bytes in self.alive.values())))
        return out


def _evaluates_norm(func: Any, args: Any) -> bool:
    """Whether this is batch normalisation by given statistics: it makes one tensor, and on the meta device claims three."""
    return func is torch.ops.aten.native_batch_norm.default and not args[5]


class _Layers:
    """Which layer of a module runs: the last one that was entered."""

    def __init__(self, module: nn.Module) -> None:
        self.now = ""
        self._modules = list(module.named_modules())[1:]
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
