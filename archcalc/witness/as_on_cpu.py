"""Operators on the meta device, with results in the memory order that they have on a CPU.

PyTorch computes the results of many operators there in Python, in milliseconds. So a result is computed once, and made
again for the same operator and arguments of the same sizes.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch._prims_common import suggest_memory_format
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from archcalc.pytorch.weighted import in_onednn

ATEN = torch.ops.aten
CONVOLUTION = ATEN.convolution.default
KEEPING = (CONVOLUTION, ATEN.roll.default)
"""Operators that keep the memory format of their input on a CPU. On the meta device their results are contiguous."""
RESIZING = (ATEN.im2col.default, ATEN.col2im.default)
"""Operators that make a tensor of the size of the input first, so that the storage is never smaller, on a CPU."""
NORM_GRADIENTS = (ATEN.native_batch_norm_backward.default, ATEN.native_group_norm_backward.default)
"""Operators whose gradient has the memory format of the input on a CPU."""
ACTIVATION_GRADIENTS = (
    *(ATEN.hardswish_backward.default, ATEN.hardsigmoid_backward.default, ATEN.hardtanh_backward.default),
    *(ATEN.elu_backward.default, ATEN.softplus_backward.default),
)
"""Operators whose result has the memory order of the output gradient on a CPU. On the meta device it has another one."""
FIRST_VALUES = ("zero_", "fill_", "normal_", "uniform_", "constant_", "kaiming_normal_", "kaiming_uniform_")
"""The functions that give parameters their first values."""
MOST_RESULTS = 20_000
"""The number of results that are kept. One result takes about a kilobyte."""


PLAIN = (int, float, str, type(None), torch.dtype, torch.layout, torch.device, torch.memory_format)
"""Types of arguments that say all by their value."""


class Made(NamedTuple):
    """The results of an operator: shape, strides and type of every new tensor, or None where there is no tensor."""

    kind: type
    tensors: tuple[tuple[Any, ...] | None, ...]


class _InPlace:
    """The result of an operator is its first argument."""


_results: dict[Any, Made | type[_InPlace] | None] = {}


def run(func: Any, args: Sequence[Any], kwargs: Any) -> Any:
    """The results of an operator, in their memory order on a CPU."""
    key = _key(func, args, kwargs)
    known = _results.get(key) if key is not None else None
    if known is _InPlace:
        return args[0]
    if isinstance(known, Made):
        again = [made and torch.empty_strided(made[0], made[1], dtype=made[2], device="meta") for made in known.tensors]
        return again[0] if known.kind is Tensor else known.kind(again)
    out = _as_on_cpu(func, args, func(*args, **(kwargs or {})))
    if key is not None and key not in _results:
        if len(_results) >= MOST_RESULTS:
            _results.clear()
        _results[key] = _InPlace if out is args[0] and _key(func, args, kwargs) == key else _made(args, out)
    return out


def _as_on_cpu(func: Any, args: Any, out: Any) -> Any:
    if func in KEEPING and out.is_meta and not (func is CONVOLUTION and _without_onednn(*args)):
        return torch.empty_like(out, memory_format=suggest_memory_format(args[0]))
    if func in RESIZING and out.is_meta and args[0].numel() > out.numel():
        return out.new_empty(args[0].numel()).as_strided(out.shape, out.stride())
    if func is ATEN.native_layer_norm_backward.default and isinstance(out[0], Tensor):
        return (out[0].contiguous(), *out[1:])  # on the meta device the gradient has the strides of the output gradient
    if func is ATEN.native_batch_norm.default and out[0].is_meta:
        order = torch.contiguous_format if args[0].is_contiguous() else suggest_memory_format(args[0])
        return (torch.empty_like(out[0], memory_format=order), *out[1:])
    if func in ACTIVATION_GRADIENTS and out.is_meta:
        gradient, x = (one for one in args if isinstance(one, Tensor))
        return ATEN.silu_backward(gradient, x)  # on the meta device, this one is computed as on a CPU
    if func is ATEN.native_group_norm.default and out[0].is_meta:
        return (torch.empty_like(out[0], memory_format=suggest_memory_format(args[0])), *out[1:])
    if func in NORM_GRADIENTS and isinstance(out[0], Tensor) and out[0].is_meta:
        return (torch.empty_like(out[0], memory_format=suggest_memory_format(args[1])), *out[1:])
    return out


def _without_onednn(x: Tensor, weight: Tensor, *settings: Any) -> bool:
    """Whether a convolution over three axes makes a contiguous result from a single image in any order."""
    images, *sizes = x.shape
    return (images, len(sizes), x.dtype) == (1, 4, torch.float32) and not in_onednn(
        sizes, weight.shape[2:], settings[-1]
    )


@cache
def _makes_tensors(func: Any) -> bool:
    """Whether the results of an operator are new tensors, or its first argument, which is changed in place."""
    returned = [result.alias_info for result in func._schema.returns]
    changed = [argument.alias_info for argument in func._schema.arguments[1:]]
    return bool(returned) and all(alias is None or alias.is_write for alias in (*returned, *changed))


def _key(func: Any, args: Sequence[Any], kwargs: Any) -> Any:
    """What decides the results of an operator. None if something else decides as well, or if nothing is on the meta
    device."""
    if not args or not isinstance(args[0], Tensor) or not _makes_tensors(func):
        return None
    try:
        key = func, tuple([_facts(x) for x in args]), tuple([(name, _facts(x)) for name, x in (kwargs or {}).items()])
        hash(key)
    except (TypeError, ValueError):
        return None
    return key


def _facts(x: Any) -> Any:
    """What an operator on the meta device sees of an argument. ValueError for a tensor on another device."""
    if isinstance(x, Tensor):
        if not x.is_meta:
            raise ValueError
        return x.shape, x.stride(), x.dtype
    if isinstance(x, (tuple, list)):
        return tuple([_facts(one) for one in x])
    if not isinstance(x, PLAIN):
        raise ValueError
    return type(x), x


def _made(args: Sequence[Any], out: Any) -> Made | None:
    """The results as sizes. None if a result is no tensor, or if its storage is not its own, or larger than its sizes."""
    kind, tensors = (Tensor, (out,)) if isinstance(out, Tensor) else (type(out), out)
    if kind not in (Tensor, tuple, list) or not all(
        x is None or (isinstance(x, Tensor) and x.is_meta) for x in tensors
    ):
        return None
    made = tuple([None if x is None else (x.shape, x.stride(), x.dtype) for x in tensors])
    storages = [x.untyped_storage() for x in tensors if x is not None]
    again = [
        torch.empty_strided(x[0], x[1], dtype=x[2], device="meta").untyped_storage() for x in made if x is not None
    ]
    places = {x._cdata for x in storages}
    taken = {x.untyped_storage()._cdata for x in args if isinstance(x, Tensor)}
    own = len(places) == len(storages) and not places & taken
    return Made(kind, made) if own and [x.nbytes() for x in storages] == [x.nbytes() for x in again] else None


class AsOnCpu(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Every operator gives its results the memory order that they have on a CPU."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return run(func, args, kwargs)


class WithoutMemory(TorchFunctionMode):
    """Puts new parameters on the meta device, and does not compute their first values.

    RegNet's widths keep their values, because torch computes with the widths while the model is built.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if getattr(func, "__name__", "") in FIRST_VALUES:
            tensor = args[0] if args else kwargs["tensor"]
            if tensor.is_meta:
                return tensor
        numbers = func is torch.arange and kwargs.get("dtype") == torch.float32  # Swin V2's distances
        if (numbers or func in (torch.empty, torch.ones, torch.zeros)) and kwargs.get("device") is None:
            kwargs["device"] = "meta"
        return func(*args, **kwargs)
