"""The device on which a model runs: its name, and figures that only a device can measure (time, allocated bytes)."""

from __future__ import annotations

import ctypes
import os
import re
from contextlib import suppress
from itertools import accumulate
from statistics import median
from typing import Any, NamedTuple

import torch

from archcalc.errors import ArchcalcError, unknown
from archcalc.units import bytes_text
from archcalc.witness.clock import layer_runs

DEVICES = ("auto", "cuda", "cpu", "meta")
GLIBC_OPTIONS = ((-4, 0), (-1, 2**31 - 1))
"""M_MMAP_MAX: no tensor has pages of its own. M_TRIM_THRESHOLD: free memory is not returned."""


class Device(NamedTuple):
    """A device: its name in PyTorch, and its description in a report."""

    name: str
    about: str

    @property
    def has_values(self) -> bool:
        return self.name != "meta"


def device(asked: str) -> Device:
    """The device of that name; ``auto`` is CUDA if there is a GPU, else the CPU. ArchcalcError if the device is missing."""
    if asked not in DEVICES:
        raise ArchcalcError(unknown("device", asked, DEVICES))
    there = torch.cuda.is_available()
    if asked == "cuda" and not there:
        raise ArchcalcError("--device cuda: PyTorch sees no GPU here; --device cpu runs the same checks without one")
    name = asked if asked != "auto" else "cuda" if there else "cpu"
    chosen = f" (auto: PyTorch sees {'a' if there else 'no'} GPU)" if asked == "auto" else ""
    return Device(name, f"{_described(name)}{chosen}, torch {torch.__version__}, float32")


def _described(name: str) -> str:
    if name == "cuda":
        return (
            f"cuda: {torch.cuda.get_device_name()}, CUDA {torch.version.cuda}, cuDNN {torch.backends.cudnn.version()}"  # type: ignore[no-untyped-call]
        )
    return f"cpu: {torch.backends.cpu.get_cpu_capability()}" if name == "cpu" else "meta: shapes without values"


def keep_freed_memory() -> None:
    """Lets this process keep the memory of freed tensors for the next tensors, where the C library is glibc.

    Otherwise the system clears new pages for every large tensor, which takes longer than many operators.
    """
    with suppress(AttributeError, OSError):
        for option, value in GLIBC_OPTIONS:
            ctypes.CDLL(None).mallopt(option, value)


def return_freed_memory() -> None:
    """Returns all kept memory to the system."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


def synchronize(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def layer_times(model: Any, *images: torch.Tensor) -> list[float]:
    """Milliseconds of every layer on a CUDA device: the median of warm runs, measured with CUDA events.

    The times are in the order of ``model.layers``, without the layers that run in training only.
    """
    return [1000 * median(times) for times in zip(*layer_runs(model, images, "cuda"), strict=True)]


def allocated(model: Any, *images: torch.Tensor) -> int:
    """The peak of the allocator during a forward pass at inference, in bytes, without weights and network input.

    Only this figure includes the scratch of operators: the columns of a convolution, and copies in the memory order
    that oneDNN or cuDNN needs. On the CPU, PyTorch's profiler records every allocation.
    """
    if images[0].device.type != "cuda":
        return _allocated_on_the_cpu(model, *images)
    torch.cuda.synchronize()
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    with torch.no_grad():
        model(*images)
    torch.cuda.synchronize()
    return torch.cuda.max_memory_allocated() - before


def _allocated_on_the_cpu(model: Any, *images: torch.Tensor) -> int:
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # else the profiler's library prints a message without a GPU
    profile = torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True)
    with torch.no_grad(), profile:
        model(*images)
    results: Any = profile.profiler
    events = [event for event in results.kineto_results.events() if event.name() == "[memory]"]
    changes: list[int] = [event.nbytes() for event in sorted(events, key=lambda event: event.start_ns())]
    return max(accumulate(changes), default=0)


def out_of_memory(error: BaseException) -> str | None:
    """If the device is out of memory: the bytes that were asked for and the bytes that were free, as text.

    Otherwise None.
    """
    text = str(error)
    if isinstance(error, torch.cuda.OutOfMemoryError):
        asked = re.search(r"Tried to allocate ([\d.]+ \w+)", text)
        free, total = torch.cuda.mem_get_info()
        return f"asked for {asked[1] if asked else 'more'}, {bytes_text(free)} of {bytes_text(total)} were free"
    asked = re.search(r"(?:can't allocate memory|not enough memory).*?(\d{4,}) bytes", text, re.DOTALL)
    if asked is None and not isinstance(error, MemoryError):
        return None
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return f"asked for {bytes_text(int(asked[1])) if asked else 'more'}, {bytes_text(free)} were free"
