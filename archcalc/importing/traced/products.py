"""The multiply-adds of calls, from the sizes of the run alone: what the layers of an import are checked against."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from archcalc.importing.traced.calls import Call, Tensor


def products(call: Call) -> int:
    """The products that a call sums, for all images of the run; 0 for operators that sum none."""
    count = _COUNTS.get(call.operator)
    return count(call.settings, call.results[0]) if count else 0


def _convolution(given: dict[str, Any], out: Tensor) -> int:
    transposed = bool(given.get("transposed"))
    return int(prod((given["input"] if transposed else out).shape) * prod(given["weight"].shape[1:]))


def _transposed(given: dict[str, Any], out: Tensor) -> int:
    return int(prod(given["input"].shape) * prod(given["weight"].shape[1:]))


def _linear(given: dict[str, Any], out: Tensor) -> int:
    return prod(out.shape) * int(given["weight"].shape[-1])


def _matmul(given: dict[str, Any], out: Tensor) -> int:
    first = next(value for value in given.values() if isinstance(value, Tensor) and len(value.shape))
    return prod(out.shape) * first.shape[-1]


def _added(given: dict[str, Any], out: Tensor) -> int:
    first = given.get("mat1", given.get("batch1"))
    return prod(out.shape) * int(first.shape[-1]) if first is not None else 0


def _einsum(given: dict[str, Any], out: Tensor) -> int:
    terms = given["equation"].replace(" ", "").partition("->")[0].split(",")
    if len(terms) != 2 or "." in given["equation"]:
        return 0
    sizes = {
        letter: size
        for term, tensor in zip(terms, given["tensors"], strict=True)
        for letter, size in zip(term, tensor.shape, strict=True)
    }
    return prod(sizes.values())


def _attention(given: dict[str, Any], out: Tensor) -> int:
    query, key, value = (given[name].shape for name in ("query", "key", "value"))
    return int(prod(query[:-1]) * key[-2] * (query[-1] + value[-1]))


_COUNTS: dict[str, Callable[[dict[str, Any], Tensor], int]] = {
    **dict.fromkeys(("conv1d", "conv2d", "conv3d", "convolution"), _convolution),
    **dict.fromkeys(("conv_transpose1d", "conv_transpose2d", "conv_transpose3d"), _transposed),
    **dict.fromkeys(("matmul", "bmm", "mm"), _matmul),
    **dict.fromkeys(("addmm", "baddbmm"), _added),
    "linear": _linear,
    "einsum": _einsum,
    "scaled_dot_product_attention": _attention,
}
