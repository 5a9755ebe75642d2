"""The constants of the model of time: what each means, its unit, and the range in which it is plausible.

A constant that slows an operator down is a factor on the time that the data sheet promises. So 1 is the data sheet, and
2 is half its rate. No constant belongs to a network or to a layer.
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
CONSTANTS: Mapping[str, Constant] = {
    "convolution": Constant(TIMES, 0.7, 5, 1.1, 1.3, "dense convolutions, at their peak"),
    "product": Constant(TIMES, 0.7, 5, 1, 1.2, "matrix products of linear layers, at their peak"),
    "columns": Constant("channels", 0.1, 300, 10, 4, "output channels that a tile of a product computes for nothing"),
    "depth": Constant(
        "values", 0.1, 600, 30, 10, "start of the sum over the depth of a product, in values of this depth"
    ),
    "grouped": Constant(TIMES, 0.7, 200, 1.5, 2, "convolutions of groups of several channels"),
    "width": Constant("channels", 0.1, 300, 8, 8, "channels of a group that a tile computes for nothing"),
    "depthwise": Constant(TIMES, 0.7, 200, 3, 5, "depthwise convolutions with a kernel of their own (3x3 and 5x5)"),
    "depthwise_generic": Constant(TIMES, 1, 1000, 25, 10, "other depthwise convolutions, channels first"),
    "depthwise_last": Constant(TIMES, 0.7, 500, 5, 5, "depthwise convolutions, channels last, up to 7x7"),
    "depthwise_large": Constant(TIMES, 0.7, 3000, 100, 10, "depthwise convolutions over 7x7, channels last"),
    "attention": Constant(TIMES, 0.7, 20, 1.4, 2, "fused attention"),
    "masked": Constant(TIMES, 0.7, 50, 2, 2, "fused attention with a mask or a bias"),
    "memory": Constant(TIMES, 0.7, 3, 1.1, 1.2, "bytes that an operator reads or writes"),
    "cached": Constant(
        "times the memory's time", 0.05, 1.5, 0.6, 0.3, "bytes of tensors that the last-level cache holds"
    ),
    "norm": Constant("times the memory's time", 0.7, 5, 1, 1, "bytes of normalisations and soft-max"),
    "pool": Constant("times the memory's time", 0.7, 10, 1.2, 1.5, "bytes of poolings and means"),
    "transposed": Constant(
        "times the memory's time", 0.7, 10, 1.8, 2, "bytes of copies that move values to another order"
    ),
    "conversion": Constant(
        "times the memory's time",
        0.01,
        3,
        0.3,
        0.1,
        "bytes that convolutions in half precision convert to channels last and back",
    ),
    "upsampling": Constant("ns", 1, 2000, 300, 300, "bilinear interpolation of one map of one image, channels first"),
    "launch": Constant("µs", 0.1, 200, 4, 10, "start of an operator"),
}


def usual(kind: str) -> dict[str, float]:
    """What the constants usually are on a device of this kind, ``gpu`` or ``cpu``."""
    return {name: constant.gpu if kind == "gpu" else constant.cpu for name, constant in CONSTANTS.items()}
