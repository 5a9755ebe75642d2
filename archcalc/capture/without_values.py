"""Tensors that have a device, sizes, strides and a storage, and whose values exist nowhere."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch._prims_common import suggest_memory_format
from torch.utils._pytree import tree_leaves


class WithoutValues(torch.Tensor):
    """A tensor on a device, whose values exist nowhere: sizes, strides and storage are those of a tensor on meta.

    PyTorch's own fake tensors do this too, and take five times as long.
    """

    on_meta: torch.Tensor

    @staticmethod
    def __new__(cls, on_meta: torch.Tensor, device: str) -> WithoutValues:
        make: Any = torch.Tensor._make_wrapper_subclass
        made: WithoutValues = make(
            cls,
            on_meta.shape,
            strides=on_meta.stride(),
            storage_offset=on_meta.storage_offset(),
            dtype=on_meta.dtype,
            device=device,
        )
        made.on_meta = on_meta
        return made

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:  # type: ignore[override]
        raise RuntimeError("a tensor without values outlived its run")


class _Like(NamedTuple):
    """What a tensor on meta is like."""

    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: torch.dtype


def _kept(made: Any) -> Any:
    """Results of an operator, to make equal ones of."""
    if isinstance(made, torch.Tensor):
        return _Like(tuple(made.shape), made.stride(), made.dtype)
    return [*map(_kept, made)] if isinstance(made, (list, tuple)) else made


def _again(kept: Any) -> Any:
    """New results that are like others."""
    if isinstance(kept, _Like):
        return torch.empty_strided(kept.shape, kept.strides, dtype=kept.dtype, device="meta")
    return tuple(map(_again, kept)) if isinstance(kept, list) else kept


KNOWN: dict[Any, Any] = {}
"""What the results of operators are like, by the operator and what its arguments are like."""


def _like(value: Any) -> Any:
    """A tensor's sizes, strides and type; and so for the tensors of a list, beside what is no tensor with its type."""
    if isinstance(value, torch.Tensor):
        return value.shape, value.stride(), value.dtype
    if isinstance(value, (list, tuple)):
        return tuple([_like(one) for one in value])
    return type(value), value


def inner_of(x: torch.Tensor) -> torch.Tensor:
    """The tensor on meta of a tensor, or of a constant of the code."""
    if isinstance(x, WithoutValues):
        return x.on_meta
    return torch.empty_strided(x.shape, x.stride(), dtype=x.dtype, device="meta")


def on_meta(value: Any, read: list[torch.Tensor], own: dict[int, WithoutValues]) -> Any:
    """Arguments with tensors on meta. ``read``: these; ``own``: the tensors of the device, by the ids of these."""
    if isinstance(value, torch.Tensor):
        inner = inner_of(value)
        read.append(inner)
        if isinstance(value, WithoutValues):
            own[id(inner)] = value
        return inner
    if isinstance(value, (list, tuple)):
        return [on_meta(one, read, own) for one in value]
    if isinstance(value, dict):
        return {name: on_meta(one, read, own) for name, one in value.items()}
    return value


CONVOLUTIONS = {"aten::convolution": 2, "aten::convolution_backward": 3}
"""How many first arguments are maps and weights. On meta, their results have no memory format."""


def _in_format(made: Any, given: Any) -> Any:
    """Results of a convolution: channels last if the map or the weights are so."""
    formats = [suggest_memory_format(one) for one in given if one.dim() in (4, 5)]
    order = next((one for one in formats if one != torch.contiguous_format), None)
    if order is None:
        return made
    if isinstance(made, torch.Tensor):
        return made.contiguous(memory_format=order)
    return tuple(one.contiguous(memory_format=order) if one is not None and one.dim() > 3 else one for one in made)


def results_of(func: Any, args: Any, kwargs: Any, read: list[torch.Tensor]) -> Any:
    """The results of an operator on meta. PyTorch computes their sizes slowly, so those of equal calls are kept."""
    if func.is_view or func._schema.is_mutable:
        return func(*args, **kwargs)
    key = func, _like(args), _like([*kwargs.items()])
    if key in KNOWN:
        return _again(KNOWN[key])
    made = func(*args, **kwargs)
    if func._schema.name in CONVOLUTIONS:
        made = _in_format(made, args[: CONVOLUTIONS[func._schema.name]])
    keys = {x.untyped_storage()._cdata for x in read}
    if all(x.untyped_storage()._cdata not in keys for x in tree_leaves(made) if isinstance(x, torch.Tensor)):
        KNOWN[key] = _kept(made)
    return made
