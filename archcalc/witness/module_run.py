"""What a module shows without archcalc: its run on the meta device, with PyTorch's own counter and the data flow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode, flop_registry


class ModuleRun(NamedTuple):
    """A run of a module.

    ``macs``: the operations of ``FlopCounterMode`` for one image, halved, without those on constants and buffers alone.
    ``params`` and ``buffers``: the sizes of those on which an output depends, by name. ``outputs``: the sizes of what the module returns. ``modules``: the sizes of the output of
    every module that gives one tensor and runs once, by its path.
    """

    macs: int
    params: dict[str, int]
    buffers: dict[str, int]
    outputs: list[tuple[int, ...]]
    modules: dict[str, tuple[int, ...]]


class _Flow(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """The storages that every operator reads and writes, in the order of the operators.

    ``given``: the inputs and the parameters. ``fixed``: the operations that depend on none of them.
    """

    def __init__(self, given: Sequence[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.depending = {_storage(one) for one in given}
        self.fixed = 0
        self.calls: list[tuple[set[int], set[int]]] = []
        self.alive: list[Tensor] = []  # no address is used twice

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        read, written = self.storages((args, kwargs)), self.storages(made)
        self.calls.append((read, written))
        if read & self.depending:
            self.depending |= written
        elif func._overloadpacket in flop_registry:
            self.fixed += flop_registry[func._overloadpacket](*args, **(kwargs or {}), out_val=made)
        return made

    def storages(self, values: Any) -> set[int]:
        tensors = [one for one in tree_leaves(values) if isinstance(one, Tensor)]
        self.alive += tensors
        return {_storage(one) for one in tensors}

    def before(self, outputs: Sequence[Tensor]) -> set[int]:
        """The storages on which tensors depend."""
        found = {_storage(one) for one in outputs}
        for read, written in reversed(self.calls):
            if written & found:
                found |= read
        return found


def _storage(tensor: Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)


def run_module(module: nn.Module, sizes: Mapping[str, Sequence[int]], training: bool = False) -> ModuleRun:
    """Runs a module on meta, where it stays afterwards: for one image, and in training for two."""
    images = 2 if training else 1
    module.train(training).requires_grad_(False).to("meta")
    made: dict[str, list[Any]] = {}

    def note(path: str) -> Any:
        return lambda _module, _given, out: made.setdefault(path, []).append(out)

    handles = [one.register_forward_hook(note(path)) for path, one in module.named_modules() if path]
    try:
        inputs = [torch.zeros(images, *size, device="meta") for size in sizes.values()]
        with (
            _Flow([*inputs, *module.parameters()]) as flow,
            FlopCounterMode(display=False) as counter,
            torch.no_grad(),
        ):
            out = module(*inputs)
    finally:
        for handle in handles:
            handle.remove()
    outputs = [one for one in tree_leaves(out) if isinstance(one, Tensor)]
    needed = flow.before(outputs)
    return ModuleRun(
        (counter.get_total_flops() - flow.fixed) // (2 * images),
        {name: one.numel() for name, one in module.named_parameters() if _storage(one) in needed},
        {name: one.numel() for name, one in module.named_buffers() if _storage(one) in needed},
        [tuple(one.shape) for one in outputs],
        {path: tuple(one.shape) for path, (one, *more) in made.items() if isinstance(one, Tensor) and not more},
    )
