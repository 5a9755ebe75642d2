"""Runs on a CPU of which only the order and the sizes count: products and convolutions give results without values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from archcalc.witness.as_on_cpu import ATEN, CONVOLUTION, run

TRACED = ATEN._convolution.default
"""The operator that a convolution on a CPU consists of. A trace records this one."""
RESULTS: Mapping[Any, Callable[..., Tensor]] = {
    ATEN.mm.default: lambda a, b: a.new_empty(a.shape[0], b.shape[1]),
    ATEN.addmm.default: lambda bias, a, b, **factors: a.new_empty(a.shape[0], b.shape[1]),
    ATEN.bmm.default: lambda a, b: a.new_empty(*a.shape[:2], b.shape[2]),
    ATEN.baddbmm.default: lambda bias, a, b, **factors: a.new_empty(*a.shape[:2], b.shape[2]),
    ATEN._softmax.default: lambda x, *settings: torch.empty_like(x, memory_format=torch.contiguous_format),
    ATEN.gelu.default: lambda x, **form: torch.empty_like(x),
    TRACED: lambda *args: _convolved(*args[:9]),
}
"""For each operator that computes much: its result, of the right sizes and with any values."""


class Uncomputed(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """On a CPU, the operators of ``RESULTS`` compute nothing. A run may be traced."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is CONVOLUTION and args[0].device.type == "cpu":
            with self, _traceable():
                return TRACED(*args, False, False, False, False)
        if func not in RESULTS or args[0].device.type != "cpu":
            return func(*args, **(kwargs or {}))
        with _untraced():
            return RESULTS[func](*args, **(kwargs or {}))


def _convolved(*args: Any) -> Tensor:
    meta = [
        torch.empty_strided(x.shape, x.stride(), dtype=x.dtype, device="meta") if isinstance(x, Tensor) else x
        for x in args
    ]
    out = run(CONVOLUTION, meta, {})
    return torch.empty_strided(out.shape, out.stride(), dtype=out.dtype)


@contextmanager
def _traceable() -> Iterator[None]:
    """A trace records again what a dispatch mode calls."""
    key = "Tracer"
    excluded = torch._C._dispatch_tls_is_dispatch_key_excluded(key)
    torch._C._dispatch_tls_set_dispatch_key_excluded(key, False)
    try:
        yield
    finally:
        torch._C._dispatch_tls_set_dispatch_key_excluded(key, excluded)


@contextmanager
def _untraced() -> Iterator[None]:
    """Nothing is recorded. While a trace records, the sizes of tensors are no numbers."""
    state = torch._C._get_tracing_state()
    with _traceable():
        torch._C._set_tracing_state(None)  # type: ignore[attr-defined]
        try:
            yield
        finally:
            torch._C._set_tracing_state(state)  # type: ignore[attr-defined]
