"""A file of the device here: peaks, bandwidth and constants from small layers and copies, measured here."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import partial
from math import log
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

from archcalc.timing.constants import usual
from archcalc.timing.device import Device, Figure
from archcalc.timing.limits import Mode
from archcalc.timing.operators import Operator
from archcalc.timing.time import Settings, recorded
from archcalc.timing.writing import device_text
from archcalc.version import __version__
from archcalc.witness.small_layers import SMALL, Small
from archcalc.witness.time_fit import Sample, Samples, sample

if TYPE_CHECKING:
    from archcalc.witness.device import Device as Here

SECONDS = 0.5
"""The most seconds that a small layer is run, and so about half a minute for all of them."""
BUSY = 0.2
"""How much longer than the fastest run the median run takes on a machine that does something else."""
PRODUCTS = {"cpu": (512, 1024, 1536), "cuda": (2048, 4096, 8192)}
"""The sides of the square matrices whose products give the peak."""
IMAGES = {"cpu": 1, "cuda": 32}
"""How many times the batch of a small layer runs: on a GPU, a few images would measure launches alone."""
ABOUT = "A device for --on, as archcalc calibrate measured it. Every figure can be replaced by that of a data sheet."
NOTE = "The peak and the bandwidth are the best that was measured, so a lower bound is no promise of a data sheet."
SYSTEM = "what the operating system says"
COPIED = 256 * 2**20
"""The bytes of the tensor whose copy gives the bandwidth: more than a cache holds."""


class Run(NamedTuple):
    """A small network that ran: its operators, their mode, and the seconds of its runs."""

    operators: Sequence[Operator]
    mode: Mode
    times: Sequence[float]

    @property
    def rate(self) -> float:
        """Operations per second of the fastest run."""
        return sum(2 * one.macs * self.mode.batch for one in self.operators) / min(self.times)

    def sample(self, device: Device) -> Sample:
        """The median of the runs, for the fit."""
        return sample("", median(self.times), [(one, 1) for one in self.operators], device, self.mode)


class Calibration(NamedTuple):
    """The text of a file of the device here, and sentences about the measurements."""

    text: str
    notes: list[str]


def calibration(here: Here) -> Calibration:
    """The device here as small measurements show it."""
    kind = "gpu" if here.name == "cuda" else "cpu"
    peak, bandwidth = _peak(here.name), _bandwidth(here.name)
    runs = [_run(small, here.name, kind) for small in SMALL]
    cache, memory = _sizes(here.name)
    device = Device(
        "here",
        _title(here.name),
        kind,
        {"float32": Figure(max(peak, *(one.rate for one in runs)))},
        {},
        Figure(bandwidth),
        Figure(float(cache)),
        Figure(float(memory)),
        (Figure(1.0), Figure(1.0)),
        usual(kind),
    )
    samples = Samples([run.sample(device) for run in runs])
    return Calibration(_text(device, samples.fit(usual(kind)), samples, _source(here)), busy(runs))


def busy(runs: Sequence[Run]) -> list[str]:
    """A sentence if runs of one layer took so differently long that something else must have run beside them."""
    usually = median(median(run.times) / min(run.times) - 1 for run in runs)
    if usually <= BUSY:
        return []
    return [
        f"the machine was busy: runs of the same layer took {100 * usually:.0f} % longer than the fastest of them (median); close what "
        "else runs, and calibrate again"
    ]


def _peak(name: str) -> float:
    """The operations per second of the fastest product of matrices."""
    import torch

    torch.backends.cuda.matmul.allow_tf32 = False
    ones = [torch.rand(side, side, device=name) for side in PRODUCTS[name]]
    return max(2 * len(one) ** 3 / _least(partial(torch.mm, one, one), name) for one in ones)


def _bandwidth(name: str) -> float:
    """The bytes per second of the fastest copy, which reads and writes."""
    import torch

    copied = torch.rand(COPIED // 4, device=name)
    return 2 * COPIED / _least(partial(torch.empty_like(copied).copy_, copied), name)


def _least(run: Callable[[], Any], name: str) -> float:
    from archcalc.witness.clock import whole_runs

    return min(whole_runs(run, name, 2 * SECONDS))


def _run(small: Small, name: str, kind: str) -> Run:
    from archcalc.witness.clock import whole_runs
    from archcalc.witness.measure import ready

    batch = small.batch * IMAGES[name]
    network, settings = small.network, Settings(batch, channels_last=small.channels_last)
    model, images = ready(network, name, batch, small.channels_last)
    times = whole_runs(partial(model, *images), name, SECONDS)
    return Run(recorded(network, settings, kind), settings.mode, times)


def _source(here: Here) -> str:
    import torch

    threads = f", {torch.get_num_threads()} threads" if here.name == "cpu" else ""
    versions = f"archcalc {__version__}, {here.about}{threads}, Python {platform.python_version()}"
    return f"measured here on {date.today().isoformat()}: {versions}"


def _text(device: Device, constants: Mapping[str, float], samples: Samples, source: str) -> str:
    estimates = samples.estimates([log(constants[name]) for name in samples.constants])
    off = sorted(abs(estimates / samples.seconds - 1))
    fitted = (
        f"{len(off)} small layers, measured here; median distance of their estimates {100 * off[len(off) // 2]:.0f} %"
    )
    here, system = ((text, how) for text, how in ((source, "measured"), (SYSTEM, "read")))
    found = device._replace(
        vector={dtype: Figure(_rounded(figure.value), *here) for dtype, figure in device.vector.items()},
        bandwidth=Figure(_rounded(device.bandwidth.value), *here),
        cache=Figure(device.cache.value, *system),
        memory=Figure(device.memory.value, *system),
        constants=constants,
        fitted=fitted,
        note=NOTE,
    )
    return device_text(found, {"here": source, "system": SYSTEM}, [ABOUT])


def _rounded(value: float) -> float:
    """A figure with four significant digits."""
    return float(f"{value:.4g}")


def _title(name: str) -> str:
    if name == "cuda":
        import torch

        return str(torch.cuda.get_device_name())
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    except (OSError, UnicodeDecodeError):
        found = None
    return found[1].strip() if found else platform.processor() or platform.machine() or "this device"


def _sizes(name: str) -> tuple[int, int]:
    """The bytes of the last-level cache and of the memory."""
    if name == "cuda":
        import torch

        facts = torch.cuda.get_device_properties(torch.cuda.current_device())
        return facts.L2_cache_size, facts.total_memory
    return _cache(), os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _cache(root: Path = Path("/sys/devices/system/cpu/cpu0/cache")) -> int:
    """The bytes of the largest cache of the first core; 8 MiB if the system does not say."""
    units, found = {"K": 2**10, "M": 2**20, "G": 2**30}, []
    for path in root.glob("index*/size"):
        if match := re.fullmatch(r"(\d+)([KMG])", path.read_text().strip()):
            found.append(int(match[1]) * units[match[2]])
    return max(found, default=8 * 2**20)
