"""The largest square input of a network that fits into a memory budget."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from itertools import count
from math import isqrt, lcm

from archcalc.errors import ArchcalcError, LayerError, clipped
from archcalc.field.node_fields import node_fields
from archcalc.layers.windowed import Windowed
from archcalc.named_inputs import with_axes
from archcalc.network import Network
from archcalc.sizes import ceil_div

TRIED, MAX_SIDE = 64, 2**20
"""TRIED: how many consecutive sizes are tried to find a size that the network accepts. MAX_SIDE: largest side that is
tried, in pixels."""
MOST_LAYERS = 8_000
"""The largest number of layers for which the network is built at many sizes."""


def largest_input(network: Network, budget: int, bytes_of: Callable[[Network], int]) -> Network | None:
    """The network at the largest square input for which ``bytes_of(network)`` fits into the budget; None if none fits.

    If the network does not accept a size, the search takes the next smaller size that the network accepts, up to TRIED
    sizes below. ArchcalcError for a network without spatial axes, and if an input of MAX_SIDE still fits.
    """
    if not network.input.axes:
        raise ArchcalcError(f"{network.full_name} has no spatial axes: its input {network.input} cannot be made larger")
    if len(network.nodes) > MOST_LAYERS:
        raise ArchcalcError(
            f"{network.full_name} has {len(network.after_inputs):,} layers; the largest input is searched for up to "
            f"{MOST_LAYERS:,}"
        )
    seen: list[tuple[int, int]] = []
    best, low, high = None, 0, 0
    size = max(network.input.axes)
    for step in count(1):
        there = _taken(network, size)
        if there is not None:
            seen.append((there.input.axes[-1], bytes_of(there)))
        if there is not None and seen[-1][1] > budget:
            high = size
        else:
            low, best = size, there or best
            if size >= MAX_SIDE:
                if there is not None:
                    raise ArchcalcError(f"an input of {there.input_text} still fits; larger ones are not tried")
                return best
        if high - low == 1:
            break
        between = (low + high) // 2 if high else 2 * low
        guess = between if step % 3 == 0 or not seen else _meeting(seen, budget)
        size = min(max(guess, low + 1), high - 1 if high else MAX_SIDE)
    period = _period(network)

    def fitting(size: int) -> Network | None:
        there = at_side(network, size)
        return there if there is not None and bytes_of(there) <= budget else None

    size = low + 1
    while size <= low + period:
        there, stride = fitting(size), period
        while there is not None:  # memory grows from period to period: double the stride
            low, best = there.input.axes[-1], there
            there, stride = fitting(low + stride), 2 * stride
        size = max(size, low) + 1
    return best


def _taken(network: Network, size: int) -> Network | None:
    """The network at the largest size that the network accepts, from ``size`` downwards."""
    sizes = range(size, max(0, size - TRIED), -1)
    return next((there for n in sizes if (there := at_side(network, n)) is not None), None)


def _meeting(seen: list[tuple[int, int]], budget: int) -> int:
    """The size at which memory reaches the budget, if memory grows with the square of the size (from two tries)."""
    (a, before), (b, now) = seen[-2] if len(seen) > 1 else (0, 0), seen[-1]
    square = a * a + (budget - before) * (b * b - a * a) // (now - before) if now != before else 4 * b * b
    return isqrt(max(0, square))


def _period(network: Network) -> int:
    """How many consecutive sizes may need less memory than a smaller size.

    With ``same`` padding and a stride, the number of zeros around a map depends on the size, and with it a padded copy
    of the map. The number of zeros repeats if the size grows by a common multiple of the steps of all maps, in pixels.
    """
    layers = [node.layer for node in network.nodes if getattr(node.layer, "pad", None) == "same"]
    if not any(isinstance(layer, Windowed) and layer.stride != 1 for layer in layers):
        return 0
    lines = {axis.field for axes in node_fields(network) for axis in axes}
    period = lcm(*(ceil_div(line.step, line.per) for line in lines if line.step))
    most = max(TRIED, 10 * MOST_LAYERS // len(network.nodes))
    if period > most:
        raise ArchcalcError(
            f"{network.full_name} takes as much memory again only {clipped(str(period), 30)} pixels on; the largest "
            f"input is searched where it is so {most:,} pixels on at most"
        )
    return period


def with_side(network: Network, side: int) -> Network:
    """The network at a square input with the same number of channels and frames. Inputs like it change in proportion."""
    axes = network.input.axes
    return network.at(with_axes(network.inputs, (*axes[:-2], *(side for _ in axes[-2:]))))


def at_side(network: Network, side: int) -> Network | None:
    """The network at a square input, or None if the network does not accept this input."""
    with suppress(ArchcalcError, LayerError):
        return with_side(network, side)
    return None
