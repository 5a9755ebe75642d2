"""Verifies many networks, one after another or in parallel processes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from importlib.util import find_spec
from multiprocessing import get_context
from typing import TYPE_CHECKING

from archcalc.errors import ArchcalcError, LayerError, clipped
from archcalc.language import load
from archcalc.network import Network
from archcalc.sizes import Shape
from archcalc.witness.models import REGION_SETTINGS
from archcalc.witness.results import Summary, summary_of

if TYPE_CHECKING:
    from archcalc.witness.device import Device


FIELDS_OF_EACH = 16
"""Layers per network whose receptive field is measured, if many networks are verified."""
MOST_MACS = 5 * 10**9
"""Multiply-adds of one image, if many networks are verified. A larger network gets a smaller image."""
FEW_REGIONS = 4
"""Regions of an image, if many networks are verified and a network has more than ``MOST_MACS``."""
LEAST_SIDE = 32
"""The smallest side of a smaller image, in pixels."""


def device_named(asked: str) -> Device:
    """The device of that name. ArchcalcError if the device, PyTorch or another library is missing."""
    for module in ("torch", "torchvision", "fvcore", "tqdm"):
        if find_spec(module) is None:
            raise ArchcalcError(f"verifying needs {module}: pip install 'archcalc[torch]'")
    from archcalc.witness.device import device, keep_freed_memory

    keep_freed_memory()
    return device(asked)


def outcome(name: str, device: str) -> Summary:
    """Verify a network of the zoo. A failure is returned as a summary, too."""
    from archcalc.witness.device import return_freed_memory
    from archcalc.witness.verify import verify

    try:
        return summary_of(verify(affordable(load(name)), device_named(device), FIELDS_OF_EACH))
    except ArchcalcError as error:
        return Summary(name, failure="; ".join(map(str, error.problems)))
    except Exception as error:  # a model may fail in any way; the other networks must still be verified
        return Summary(name, failure=f"{name}: {type(error).__name__}: {clipped(str(error), 160)}")
    finally:
        return_freed_memory()


def affordable(network: Network) -> Network:
    """The network at an image, and with a number of regions, for which a run takes seconds.

    The image is the spec's, or a half, a third ... of it in steps of 32 pixels: the largest with at most ``MOST_MACS``
    multiply-adds, or else the one with the fewest. The weights are those at the image of the spec.
    """
    best, least = network, macs_of(network)
    if least <= MOST_MACS:
        return network
    few = {key: FEW_REGIONS for key in REGION_SETTINGS if key in network.settings}
    weights = _weights(network)
    for part in (1, 2, 3, 4, 6, 8) if few else (2, 3, 4, 6, 8):
        images = {
            name: Shape(x.channels, tuple(_smaller(n, part) for n in x.axes)) for name, x in network.inputs.items()
        }
        with suppress(ArchcalcError, LayerError):  # the network fits other sizes only
            there = network.at(images, {**network.settings, **few})
            if _weights(there) != weights:
                continue
            macs = macs_of(there)
            if macs <= MOST_MACS:
                return there
            if macs < least:
                best, least = there, macs
    return best


def macs_of(network: Network) -> int:
    """The multiply-adds of one image."""
    nodes = network.after_inputs
    return sum(node.layer.work(node.shape, *network.input_shapes(node)).mac * node.times for node in nodes)


def _weights(network: Network) -> tuple[object, ...]:
    """The parameters of every layer, and whether the side heads fit."""
    params = [node.layer.params(*network.input_shapes(node)) for node in network.after_inputs]
    return network.side_problem, *params


def _smaller(size: int, part: int) -> int:
    """A part of a size in steps of 32 pixels, but not below ``LEAST_SIDE`` pixels."""
    return size if part == 1 or size <= LEAST_SIDE else max(LEAST_SIDE, size // part // 32 * 32)


def outcomes(names: Sequence[str], device: str, jobs: int) -> Iterator[Summary]:
    """The summary of every network, in the order of the names. ``jobs`` networks are verified at once."""
    if jobs == 1:
        yield from (outcome(name, device) for name in names)
        return
    threads = max(1, (os.cpu_count() or 1) // jobs)
    with ProcessPoolExecutor(jobs, get_context("spawn"), _alone, (threads,)) as pool:
        try:
            yield from pool.map(outcome, names, [device] * len(names))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _alone(threads: int) -> None:
    """Sets the number of threads of a process that shares the cores with other processes, and its use of memory."""
    import torch

    from archcalc.witness.device import keep_freed_memory

    keep_freed_memory()
    torch.set_num_threads(threads)
