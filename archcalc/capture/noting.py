"""A run on tensors without values, of which every operator is noted but views."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from math import prod
from typing import Any

import torch
from torch import nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.utils._python_dispatch import TorchDispatchMode

from archcalc.capture.ran import Ran, Tensor
from archcalc.capture.without_values import WithoutValues, on_meta, results_of
from archcalc.pytorch.tape import Phase, Storage

FREE = frozenset(("empty", "empty_like", "empty_strided", "new_empty", "new_empty_strided", "resize_", "lift_fresh"))
"""Operators that neither read nor write."""


class Noting(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Runs operators on tensors without values, and notes all but views."""

    def __init__(self, module: nn.Module, batch: int, device: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.batch, self.device, self.ran = batch, device, list[Ran]()
        self.paths = {id(part): path for path, part in module.named_modules()}
        self.stack = [""]
        self.phase: Phase = "forward"
        self.numbers, self.callers = list[int](), list[str]()
        """The numbers of autograd in the forward pass, and the module that ran at each."""
        self.number = 0
        """The number of the node of autograd that runs, in the backward pass."""
        self.storages: dict[int, Storage] = {}
        self.grown: set[int] = set()
        self.alive: list[Any] = []

    def make(self, sizes: Sequence[int], dtype: torch.dtype, last: bool = False) -> WithoutValues:
        """A new tensor on the device."""
        inner = torch.empty(sizes, dtype=dtype, device="meta")
        if last and inner.dim() == 4:
            inner = inner.contiguous(memory_format=torch.channels_last)
        return WithoutValues(inner, self.device)

    def tensor(self, x: torch.Tensor, key: int) -> Tensor:
        """The record of a tensor on meta. ``key``: of its storage."""
        storage = self.storages.setdefault(key, Storage("", 0, "map", 0, 0, 0))
        shape, strides = tuple(x.shape), x.stride()
        grows = (
            key in self.grown and prod(n for n, stride in zip(shape, strides, strict=True) if stride) % self.batch == 0
        )
        return Tensor(x.dtype.itemsize, shape, strides, storage, grows)

    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        read: list[torch.Tensor] = []
        own: dict[int, WithoutValues] = {}
        inner, more = on_meta(args, read, own), on_meta(kwargs or {}, read, own)
        device = more.get("device")
        if not own and (device is None or torch.device(device).type != torch.device(self.device).type):
            return func(*args, **(kwargs or {}))  # of constants of the code
        if device is not None:
            more["device"] = torch.device("meta")
        made = results_of(func, inner, more, read)
        results: list[torch.Tensor] = []
        wrapped = self.wrapped(made, results, own)
        if results:
            self.note(func, inner, read, results)
        return wrapped

    def wrapped(self, made: Any, results: list[torch.Tensor], own: Mapping[int, WithoutValues]) -> Any:
        """What an operator made, with tensors of the device; ``results``: those on meta."""
        if isinstance(made, torch.Tensor):
            results.append(made)
            return own[id(made)] if id(made) in own else WithoutValues(made, self.device)
        if isinstance(made, (list, tuple)):
            return type(made)([self.wrapped(one, results, own) for one in made])
        return made

    def note(self, func: Any, args: Any, read: Sequence[torch.Tensor], results: Sequence[torch.Tensor]) -> None:
        """Note an operator, unless it is a view."""
        self.alive += [*read, *results]  # so that no address is used twice
        name = func._schema.name.removeprefix("aten::")
        keys, made = ([one.untyped_storage()._cdata for one in side] for side in (read, results))
        if not read or not self.grown.isdisjoint(keys):
            self.grown.update(made)
        fresh = any(key not in keys for key in made)
        if name in FREE or not (fresh or func._schema.is_mutable) or not any(one.numel() for one in results):
            return
        parts = sum(args[-1][:2]) if name == "convolution_backward" else 1
        records = tuple(map(self.tensor, read, keys)), tuple(map(self.tensor, results, made))
        self.ran.append(Ran(self.phase, self.path(), name, *records, parts))

    def path(self) -> str:
        """The path of the module that called an operator, or of whose gradient it is a part."""
        if self.phase == "forward":
            self.numbers.append(torch.autograd._get_sequence_nr())  # type: ignore[attr-defined]
            self.callers.append(self.stack[-1])
            return self.stack[-1]
        at = bisect_left(self.numbers, self.number + 1)
        return self.callers[min(at, len(self.callers) - 1)]

    @contextmanager
    def follow(self) -> Iterator[None]:
        """Note inside the ``with`` block which module runs."""

        def before(module: nn.Module, args: Any) -> None:
            self.stack.append(self.paths.get(id(module), self.stack[-1]))

        def after(module: nn.Module, args: Any, output: Any) -> None:
            self.stack.pop()

        with ExitStack() as stack:
            for handle in (
                register_module_forward_pre_hook(before),
                register_module_forward_hook(after, always_call=True),
            ):
                stack.callback(handle.remove)
            yield
