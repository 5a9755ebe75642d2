"""The limits of the time of an operator: its arithmetic, its traffic, and what comes on top.

A limit is a sum of terms. A term is a time in seconds, computed from the data sheet, times the constants that it names.
So one rule serves the estimate and the fit of the constants.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from archcalc.sizes import greater
from archcalc.timing.device import Device
from archcalc.timing.operators import Access, Operator

Terms = Mapping[tuple[str, ...], float]
"""Seconds, by the names of the constants that multiply them."""


class Mode(NamedTuple):
    """What the arithmetic runs in: the dtype of values of four and of two bytes in matrix products, and the batch."""

    batch: int
    single: str = "float32"
    half: str = "float16"

    def dtype(self, operator: Operator) -> str:
        """The dtype of an operator's matrix products."""
        return {2: self.half, 4: self.single, 8: "float64", 1: "int8"}[operator.itemsize]


class Limits(NamedTuple):
    """arithmetic, traffic: the limits, of which the larger one decides; always: what comes on top."""

    arithmetic: Terms
    traffic: Terms
    always: Terms


def limits(operator: Operator, device: Device, mode: Mode) -> Limits:
    """The limits of an operator on a device."""
    return Limits(
        _arithmetic(operator, device, mode), _traffic(operator, device, mode.batch), _always(operator, device, mode)
    )


def seconds(terms: Terms, constants: Mapping[str, float]) -> float:
    """A limit in seconds."""
    total = 0.0
    for names, value in terms.items():
        for name in names:
            value *= constants[name]
        total += value
    return total


def operations(operator: Operator, mode: Mode) -> int:
    """The operations of matrix products: two for a multiply-add."""
    return 2 * operator.macs * mode.batch


def _arithmetic(operator: Operator, device: Device, mode: Mode) -> Terms:
    if operator.maps:
        return {("upsampling",): 1e-9 * operator.maps * mode.batch}
    product = operator.product
    if product is None or not operator.macs:
        return {}
    time = operations(operator, mode) / (device.peak(mode.dtype(operator)) * device.overclock)
    if operator.kind == "attention":
        return _attention(operator, time, mode)
    backward = ("backward",) * (operator.phase == "backward")
    if product.is_depthwise:
        time = operations(operator, mode) / device.vector["float32"].value
        return {(_depthwise(operator), *("depthwise_backward",) * len(backward)): time}
    if product.is_grouped:
        return {("grouped", *backward): time, ("grouped", *backward, "width"): time / product.channels}
    name = "convolution" if operator.kind == "convolution" else "product"
    columns, depth = max(1, product.columns), max(1, product.depth)
    return {
        (name, *backward): time,
        (name, *backward, "columns"): time / columns,
        (name, *backward, "depth"): time / depth,
    }


def _attention(operator: Operator, time: float, mode: Mode) -> Terms:
    """Products, a soft-max of every score, and a start for every head of every window."""
    product = operator.product
    assert product is not None
    name = "masked" if is_masked(operator) else "attention"
    windows = 1e-9 * product.groups * mode.batch
    return {(name,): time, (name, "scores"): time / max(1, product.depth), ("window",): windows}


def is_masked(operator: Operator) -> bool:
    """Whether a mask or a bias is added to the scores of an attention."""
    return len(operator.reads) > 1 and operator.reads[-1].fixed > 0


def _depthwise(operator: Operator) -> str:
    """The constant of a depthwise convolution: PyTorch has a kernel for 1x1, 3x3 and 5x5 in half precision."""
    product = operator.product
    assert product is not None
    if operator.writes[0].order == "last":
        return "depthwise_large" if product.widest > 7 else "depthwise_last"
    square = product.widest in (1, 3, 5) and product.cells == product.widest**2
    return "depthwise" if square and product.groups >= 32 else "depthwise_generic"


def _traffic(operator: Operator, device: Device, batch: int) -> Terms:
    name: tuple[str, ...] = ("memory",)
    if operator.kind in ("norm", "softmax"):
        name = ("memory", "norm")
    elif operator.kind == "pool":
        name = ("memory", "pool")
    elif operator.transposes:
        name = ("memory", "transposed")
    found: dict[tuple[str, ...], float] = {}
    if operator.kind == "attention" and is_masked(operator) and operator.product is not None:
        scores = operator.product.rows * operator.product.columns * operator.product.groups * operator.itemsize
        found["memory", "mask"] = scores * batch / device.bandwidth.value
    sizes = [one.bytes(batch) for one in (*operator.reads, *operator.writes)]
    cached = sum(size * _cached(size, device) for size in sizes)
    for key, size in ((name, sum(sizes) - cached), ((*name, "cached"), cached)):
        found[key] = size / device.bandwidth.value
    return found


def _cached(size: int, device: Device) -> bool:
    """Whether the last-level cache holds a tensor until it is read: half of the cache is left to other tensors."""
    return 2 * size <= device.cache.value


def largest_cached(access: Access, device: Device) -> int:
    """The largest batch for which the last-level cache holds a tensor that grows with the batch; 0: none."""
    return max(0, int((device.cache.value // 2 - access.fixed) // access.per_image))


def _always(operator: Operator, device: Device, mode: Mode) -> Terms:
    """The launch, and bytes that move before a convolution starts.

    Units for matrix products in half precision want channels last. A CPU orders the weights anew at every call; where the
    kernel is as large as the map, this takes longer than the convolution.
    """
    product = operator.product
    if operator.phase == "step":
        return {}  # an optimizer updates all weights in a few operators
    if product is None or not operator.macs:
        return {("launch",): 1e-6}
    found: dict[tuple[str, ...], float] = {("call",): 1e-6}
    if operator.kind == "convolution" and not product.is_depthwise:
        if mode.dtype(operator) in device.matrix:
            size = sum(2 * one.bytes(mode.batch) for one in _maps(operator) if one.order == "first")
            found["memory", "conversion"] = size / device.bandwidth.value
        elif device.kind == "cpu" and product.rows == 1 and product.cells > LARGE:
            found["memory", "ordering"] = sum(one.fixed for one in operator.reads) / device.bandwidth.value
    return found


LARGE = 9
"""Positions of a window beyond which the order of its weights matters."""


def _maps(operator: Operator) -> list[Access]:
    """The input and the output of an operator."""
    return [*operator.reads[:1], *operator.writes[:1]]


def bound(operator: Operator, device: Device, mode: Mode) -> float:
    """The seconds that no run of an operator can beat, without fast algorithms such as Winograd's.

    The peak is that of the highest clock. Of the bytes that it reads, the cache can hold as many as it has; and so of
    the bytes that it writes.
    """
    arithmetic = 0.0
    if operator.macs:
        arithmetic = operations(operator, mode) / (device.peak(mode.dtype(operator)) * device.overclock)
    return greater(arithmetic, bound_bytes(operator, device, mode.batch) / device.bandwidth.value)


def bound_bytes(operator: Operator, device: Device, batch: int) -> float:
    """The bytes that must pass between the memory and the cache."""
    return sum(
        greater(0.0, sum(one.bytes(batch) for one in side) - device.cache.value)
        for side in (operator.reads, operator.writes)
    )
