"""Verifies many networks, one after another or in parallel processes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib.util import find_spec
from multiprocessing import get_context
from typing import TYPE_CHECKING

from archcalc.analysis import analyze
from archcalc.errors import ArchcalcError, clipped
from archcalc.language import load
from archcalc.language.zoo import find
from archcalc.witness.results import Summary, summary_of

if TYPE_CHECKING:
    from archcalc.witness.device import Device


FIELDS_OF_EACH = 16
"""Layers per network whose receptive field is measured, if many networks are verified."""
LARGE = 20 * 10**9
"""MACs above which only the smallest network of a family runs on the CPU, if many networks are verified."""


def device_named(asked: str) -> Device:
    """The device of that name. ArchcalcError if the device, PyTorch or another library is missing."""
    for module in ("torch", "torchvision", "fvcore", "tqdm"):
        if find_spec(module) is None:
            raise ArchcalcError(f"verifying needs {module}: pip install 'archcalc[torch]'")
    from archcalc.witness.device import device

    return device(asked)


def device_of(name: str, device: str) -> str:
    """The device for a network of the zoo: ``device``, or ``meta`` in the place of the CPU for a large network.

    A network is large if it has more than LARGE MACs, and its family a network with fewer.
    """
    macs = _macs(name)
    large = device == "cpu" and macs > LARGE and any(_macs(other) < macs for other in find(name).networks)
    return "meta" if large else device


def _macs(name: str) -> int:
    return int(analyze(load(name)).totals.macs)


def outcome(name: str, device: str) -> Summary:
    """Verify a network of the zoo. A failure is returned as a summary, too."""
    from archcalc.witness.verify import verify

    try:
        return summary_of(verify(load(name), device_named(device_of(name, device)), FIELDS_OF_EACH))
    except ArchcalcError as error:
        return Summary(name, failure="; ".join(map(str, error.problems)))
    except Exception as error:  # a model may fail in any way; the other networks must still be verified
        return Summary(name, failure=f"{name}: {type(error).__name__}: {clipped(str(error), 160)}")


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
    """Sets the number of threads of a process that shares the cores with other processes."""
    import torch

    torch.set_num_threads(threads)
