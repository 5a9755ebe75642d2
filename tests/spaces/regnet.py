"""The design space of RegNetX (Radosavovic et al. 2020, section 3.3), drawn at random, and the figures of its networks by formulas.

The formulas are written for this space alone, from the paper's description of the blocks, and with the counts that the authors'
code pycls documents: multiply-adds of convolutions and of the classifier with one for each bias, parameters with two for each
channel of a normalisation, activations as the outputs of convolutions and of the classifier.
"""

from __future__ import annotations

import math
import random
from typing import NamedTuple

DEPTH, INITIAL, SLOPE, RATIO, GROUP = (12, 28), (8, 256), (8, 256), (2, 3), (8, 128)
"""The ranges of pycls: d, w_0, w_a, w_m and the group width."""
STEM, CLASSES, SIDE = 32, 1000, 224


class Drawn(NamedTuple):
    """A network of the space: blocks, channels of each of the four stages, and the channels of a group."""

    depths: list[int]
    widths: list[int]
    group_width: int


def draw(drawn: random.Random) -> Drawn:
    """A network with four stages: equations 2 to 4 of the paper, widths in multiples of 8 and of the group."""
    while True:
        depth = drawn.randint(*DEPTH)
        initial, group = (8 * round(_log_uniform(drawn, *ends) / 8) for ends in (INITIAL, GROUP))
        slope, ratio = _log_uniform(drawn, *SLOPE), _log_uniform(drawn, *RATIO)
        powers = [round(math.log((initial + slope * j) / initial, ratio)) for j in range(depth)]
        rounded = [8 * round(initial * ratio**power / 8) for power in powers]
        widths = sorted(set(rounded))
        depths = [rounded.count(width) for width in widths]
        widths = [max(g, round(width / g) * g) for width in widths for g in [min(group, width)]]
        if len(widths) == 4 and widths == sorted(set(widths)):
            return Drawn(depths, widths, group)


def _log_uniform(drawn: random.Random, low: float, high: float) -> float:
    return math.exp(drawn.uniform(math.log(low), math.log(high)))


class Counts(NamedTuple):
    """flops as pycls counts them, params, and activations, at 3 x 224 x 224."""

    flops: int
    params: int
    activations: int


def counts(network: Drawn) -> Counts:
    """The figures by formulas: a stem, four stages of bottlenecks of ratio 1, and a classifier."""
    side = _half(SIDE)
    flops, params, activations = 27 * STEM * side**2, 27 * STEM + 2 * STEM, STEM * side**2
    entering = STEM
    for depth, width in zip(network.depths, network.widths, strict=True):
        of_a_group, before, side = min(network.group_width, width), side, _half(side)
        grouped = 9 * width * of_a_group
        first = entering * width * before**2 + (grouped + width**2 + entering * width) * side**2
        later = (2 * width**2 + grouped) * side**2
        flops += first + (depth - 1) * later
        weights = grouped + 2 * width**2 + 6 * width
        params += depth * weights + entering * width - width**2 + entering * width + 2 * width
        activations += width * before**2 + 3 * width * side**2 + (depth - 1) * 3 * width * side**2
        entering = width
    return Counts(flops + entering * CLASSES + CLASSES, params + entering * CLASSES + CLASSES, activations + CLASSES)


def _half(side: int) -> int:
    return (side - 1) // 2 + 1


def points(networks: list[Drawn]) -> dict[str, list[object]]:
    """The networks as the points of a sweep."""
    return {name: [getattr(network, name) for network in networks] for name in Drawn._fields}
