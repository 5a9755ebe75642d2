"""The constant of convolutions whose weights are scaled: one number for as many of them as the run allows.

A model multiplies the weights with a gain divided by the root of their number. The run has the product, which rounding makes
that of several gains.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from math import inf, nextafter, prod

from archcalc.importing.traced.steps import Step

NEIGHBOURS = 4
"""How many numbers on each side of a gain may give the same product."""


def gains(factor: float, number: int) -> list[float]:
    """Every gain that, divided by the root of the number of weights, is the factor; those with the fewest digits first."""
    middle = factor * number**0.5
    some = [middle, *(float(f"{middle:.{digits}g}") for digits in range(1, 17))]
    for end in (inf, -inf):
        near = middle
        for _ in range(NEIGHBOURS):
            near = nextafter(near, end)
            some.append(near)
    return sorted({one for one in some if one * number**-0.5 == factor}, key=lambda gain: (len(repr(gain)), gain))


def same_gains(steps: Iterable[Step]) -> None:
    """Give convolutions the gain that most of them can have. Each one keeps its product, to the last bit."""
    found = []
    for step in steps:
        if "gamma" in step.settings:
            number = max(prod(tensor.shape[1:]) for tensor in step.own)
            found.append((step, gains(step.settings["gamma"] * number**-0.5, number)))
    often = Counter(gain for _, some in found for gain in some)
    for step, some in found:
        step.settings["gamma"] = max(some, key=lambda gain: often[gain])
