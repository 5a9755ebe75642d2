"""The recorded operators of a program (``archcalc.capture.program``) as operators with arithmetic and traffic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import NamedTuple

from archcalc.capture.ran import Ran, Run, Tensor
from archcalc.pytorch.tape import Storage
from archcalc.timing.operators import TWICE, Access, Operator, kind_of
from archcalc.timing.products import Product


class Operators(NamedTuple):
    """The operators of a run, each with the path of the module that called it, and the storages of the outputs."""

    operators: list[tuple[str, Operator]]
    outputs: list[Storage]


NAMES: Mapping[str, str] = {
    "max_pool2d_with_indices": "max_pool_with_indices",
    "avg_pool2d": "avg_pool",
    "_adaptive_avg_pool2d": "adaptive_avg_pool",
    "adaptive_max_pool2d": "adaptive_max_pool",
    "baddbmm": "bmm",
    "cudnn_batch_norm": "native_batch_norm",
    "var": "sum",
    "std": "sum",
    "var_mean": "sum",
    "reflection_pad2d": "constant_pad_nd",
    "replication_pad2d": "constant_pad_nd",
    "im2col": "unfold",
    "col2im": "unfold",
    "_scaled_dot_product_flash_attention": "_scaled_dot_product_flash_attention_for_cpu",
    "_scaled_dot_product_efficient_attention": "_scaled_dot_product_flash_attention_for_cpu",
}
"""Names of ATen that differ from those of a recording of layers."""
CONTIGUOUS = {"native_layer_norm": ("first",), "_softmax": ("first",), "native_group_norm": ("first", "last")}
"""Operators that first copy an input whose values do not lie in one of these orders."""
SECTOR = 32
"""The bytes that a GPU reads at least: values that lie apart by less than this in runs are copied as a transposition."""


def operators_of(run: Run) -> Operators:
    """What the operators of a run compute, read and write."""
    found = [(one.path, each) for one in run.ran for each in _operators(one, run.batch)]
    return Operators(found, run.outputs)


def _operators(one: Ran, batch: int) -> Iterator[Operator]:
    backward = one.name.endswith(("_backward", "_backward_data"))
    plain = one.name.removesuffix("_data").removesuffix("_backward")
    base = NAMES.get(plain, plain)
    name = f"{base} backward" if backward else base
    kind = kind_of(name)
    inputs, outputs = one.inputs, one.outputs
    size = inputs[0].itemsize if inputs else 4
    if base in CONTIGUOUS and not backward and inputs and order_of(inputs[0]) not in CONTIGUOUS[base]:
        yield from _copied(one, inputs[0], batch)
    if base in ("copy_", "copy") and len(inputs) > 1:
        inputs = inputs[1:]
    elif base == "index" and outputs:
        inputs = (*outputs, *inputs[1:])
    elif backward and plain in ("select", "slice"):
        kind = "copy"
    reads, writes = [_access(x, batch) for x in inputs], [_access(x, batch) for x in outputs]
    if base in TWICE and (backward or base == "native_group_norm" or one.outputs[1].bytes):
        reads += reads[: 2 if backward else 1]
    product, macs, maps = None, 0, 0
    if kind == "convolution":
        product, macs = _convolution(one, backward, batch)
    elif kind == "product":
        product, macs = _matrices(one, batch)
    elif kind == "attention":
        product, macs = _attention(one, backward, batch)
        reads, writes = _of_attention(one, backward, batch)
    elif kind == "upsample" and outputs and "nearest" not in plain and order_of(outputs[0]) == "first":
        maps = prod(outputs[0].shape[:2]) // batch
    elif kind in ("copy", "elementwise") and inputs and outputs:
        reads = [access._replace(order="first") for access in reads]
        moved = any(transposes(x, outputs[0]) for x in inputs if x.bytes * 2 >= outputs[0].bytes)
        writes = [access._replace(order="moved" if moved else "first") for access in writes]
    yield Operator(one.phase, 0, name, kind, tuple(reads), tuple(writes), product, macs, size, maps)


def _copied(one: Ran, x: Tensor, batch: int) -> Iterator[Operator]:
    """A copy of a tensor into the order of its axes."""
    access = _access(x, batch)._replace(order="first")
    dense = Tensor(x.itemsize, x.shape, _strides(x.shape), x.storage, x.grows)
    written = access._replace(storage=None, order="moved" if transposes(x, dense) else "first")
    yield Operator(one.phase, 0, "clone", "copy", (access,), (written,), itemsize=x.itemsize)


def _access(x: Tensor, batch: int) -> Access:
    size = x.bytes
    per_image, fixed = (size // batch, 0) if x.grows else (0, size)
    return Access(x.storage, per_image, fixed, order_of(x), x.itemsize)


def order_of(x: Tensor) -> str:
    """The memory order of a tensor: ``first``, ``last`` (channels last, for maps over two axes), or ``moved``."""
    if _lies(x, _strides(x.shape)):
        return "first"
    if len(x.shape) == 4:
        n, channels, height, width = x.shape
        del n
        if _lies(x, (channels * height * width, 1, width * channels, channels)):
            return "last"
    return "moved"


def _lies(x: Tensor, strides: Sequence[int]) -> bool:
    return all(a == b for a, b, n in zip(x.strides, strides, x.shape, strict=True) if n > 1)


def _strides(shape: Sequence[int]) -> tuple[int, ...]:
    return tuple(prod(shape[at + 1 :]) for at in range(len(shape)))


def transposes(x: Tensor, out: Tensor) -> bool:
    """Whether values that lie side by side in one of two tensors of equal sizes lie apart in the other."""
    if len(x.shape) != len(out.shape):
        return False
    return _run(x, out) * out.itemsize < min(SECTOR, out.bytes) and _inner(x) != _inner(out)


def _inner(x: Tensor) -> int | None:
    found = [(stride, at) for at, (n, stride) in enumerate(zip(x.shape, x.strides, strict=True)) if n > 1 and stride]
    return min(found)[1] if found else None


def _run(x: Tensor, out: Tensor) -> int:
    """How many values lie side by side in both tensors."""
    order = sorted((at for at, n in enumerate(out.shape) if n > 1), key=lambda at: out.strides[at])
    run = 1
    for at in order:
        if out.strides[at] != run or x.strides[at] != run:
            break
        run *= out.shape[at]
    return run


def _convolution(one: Ran, backward: bool, batch: int) -> tuple[Product, int]:
    if backward:
        out, x, weight = one.inputs[:3]
    else:
        x, weight, out = *one.inputs[:2], one.outputs[0]
    channels, cells = weight.shape[1], prod(weight.shape[2:])
    transposed = x.shape[1] == weight.shape[0] and out.shape[1] != weight.shape[0]
    groups = max(1, x.shape[1] // channels) if not transposed else 1
    rows = prod((x if transposed else out).shape[2:])
    macs = x.shape[0] * rows * weight.shape[0] * channels * cells // batch
    width = weight.shape[0] // groups
    if weight.grows:  # each image has weights of its own, as groups of one image
        groups = max(1, groups // batch)
    else:
        rows *= max(1, x.shape[0] // batch)
    made = Product(macs, rows, width, channels * cells, groups, cells, channels, max(weight.shape[2:]))
    return made, macs * one.parts


def _matrices(one: Ran, batch: int) -> tuple[Product | None, int]:
    given = [x for x in one.inputs if len(x.shape) in (2, 3)][-2:]
    if len(given) < 2 or not one.outputs:
        return None, 0
    first, second, out = *given, one.outputs[0]
    depth, columns = first.shape[-1], second.shape[-1]
    groups = prod(first.shape[:-2])
    each = batch if first.grows or second.grows else 1
    macs = prod(out.shape) * depth // each
    rows = out.shape[-2]
    if groups > 1:
        groups = max(1, groups // each)
    elif out.grows:
        rows //= each  # a gradient of weights is summed over all images: its depth is that of the batch
    if each == 1:
        macs //= batch  # the same for all images
    return Product(macs, rows, columns, depth, groups), macs


def _attention(one: Ran, backward: bool, batch: int) -> tuple[Product, int]:
    queries, keys, values = one.inputs[1:4] if backward else one.inputs[:3]
    heads = prod(queries.shape[:-2]) // batch
    macs = heads * queries.shape[-2] * keys.shape[-2] * (queries.shape[-1] + values.shape[-1])
    made = Product(macs, queries.shape[-2], keys.shape[-2], queries.shape[-1], heads)
    return made, macs * 5 // 2 if backward else macs


def _of_attention(one: Ran, backward: bool, batch: int) -> tuple[list[Access], list[Access]]:
    """What an attention reads and writes; a mask comes last."""
    count = 4 if backward else 3
    reads = [_access(x, batch) for x in one.inputs[:count]]
    writes = [_access(x, batch) for x in one.outputs[: 3 if backward else 1]]
    masks = [x for x in one.inputs[count : count + 1] if len(x.shape) == 4 and "efficient" in one.name]
    for x in masks:
        access = _access(x, batch)
        reads.append(access._replace(fixed=max(1, access.fixed)))
    return reads, writes
