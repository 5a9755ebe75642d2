"""The constants of the model of time: what each means, its unit, and the range in which it is plausible.

A constant that slows an operator down is a factor on the time that the data sheet promises: for products at the highest
clock, as the lower bound has it. So 1 is the data sheet, and 2 is half its rate. No constant belongs to a network or to a layer.

What is usual was fitted on the networks of reports/time.md, for GPUs on those of two cards and all modes together, and
rounded. The start of an operator on a GPU cannot be seen in files with large batches; it is an assumption.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Constant(NamedTuple):
    """A constant: its unit, the range in which it is plausible, what is usual by kind of device, and the reason."""

    unit: str
    low: float
    high: float
    gpu: float
    cpu: float
    about: str


TIMES = "times the data sheet's time"
PEAK = "times the time at the peak of the highest clock"
CONSTANTS: Mapping[str, Constant] = {
    "convolution": Constant(PEAK, 1, 5, 1, 2.1, "dense convolutions, at their peak"),
    "product": Constant(PEAK, 1, 5, 1.05, 2.3, "matrix products of linear layers, at their peak"),
    "columns": Constant("channels", 0.1, 200, 40, 100, "output channels that a tile of a product computes for nothing"),
    "depth": Constant(
        "values", 0.1, 600, 180, 8.5, "start of the sum over the depth of a product, in values of this depth"
    ),
    "backward": Constant("times the forward pass", 0.4, 3, 1.6, 1, "backward products, for each of the two gradients"),
    "grouped": Constant(PEAK, 1, 200, 1.8, 2.3, "convolutions of groups of several channels"),
    "width": Constant("channels", 0.1, 300, 24, 6.5, "channels of a group that a tile computes for nothing"),
    "depthwise": Constant(TIMES, 0.7, 200, 14, 8, "depthwise convolutions with a kernel of their own (3x3 and 5x5)"),
    "depthwise_generic": Constant(TIMES, 1, 1000, 30, 18, "other depthwise convolutions, channels first"),
    "depthwise_last": Constant(TIMES, 0.7, 500, 5.5, 30, "depthwise convolutions, channels last, up to 7x7"),
    "depthwise_large": Constant(TIMES, 0.7, 3000, 88, 12, "depthwise convolutions over 7x7, channels last"),
    "depthwise_backward": Constant("times the forward pass", 0.5, 20, 2.9, 1.5, "backward depthwise convolutions"),
    "attention": Constant(PEAK, 1, 20, 1, 1.7, "fused attention"),
    "masked": Constant(PEAK, 1, 50, 1.5, 3, "fused attention with a mask or a bias"),
    "window": Constant("ns", 0.001, 10000, 32, 550, "start of one head of one window of an attention"),
    "scores": Constant("values", 0.1, 500, 60, 51, "soft-max of a score, in products of a depth of this many values"),
    "memory": Constant(TIMES, 0.7, 8, 1.1, 6, "bytes that an operator reads or writes"),
    "cached": Constant(
        "times the memory's time", 0.05, 1.5, 0.1, 0.46, "bytes of tensors that the last-level cache holds"
    ),
    "mask": Constant(
        "times the memory's time", 0.01, 10, 1, 1, "bytes of the scores that a mask or a bias is added to"
    ),
    "norm": Constant("times the memory's time", 0.4, 5, 0.91, 0.4, "bytes of normalisations and soft-max"),
    "pool": Constant("times the memory's time", 0.4, 10, 1.2, 0.8, "bytes of poolings and means"),
    "transposed": Constant(
        "times the memory's time", 0.7, 10, 2.4, 1.3, "bytes of copies that move values to another order"
    ),
    "conversion": Constant(
        "times the memory's time",
        0.01,
        3,
        0.37,
        0.1,
        "bytes that convolutions in half precision convert to channels last and back",
    ),
    "ordering": Constant(
        "times the memory's time", 0.1, 100, 1, 2.3, "bytes of weights that a CPU puts in order first"
    ),
    "upsampling": Constant("ns", 1, 2000, 260, 300, "bilinear interpolation of one map of one image, channels first"),
    "launch": Constant("µs", 0.1, 200, 6, 7, "start of an operator"),
    "call": Constant("µs", 0.1, 500, 6, 70, "start of a convolution, a matrix product or an attention"),
}


def usual(kind: str) -> dict[str, float]:
    """What the constants usually are on a device of this kind, ``gpu`` or ``cpu``."""
    return {name: constant.gpu if kind == "gpu" else constant.cpu for name, constant in CONSTANTS.items()}
