"""The memory that a witness needs and the memory that is free, compared before anything is allocated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from archcalc.errors import ArchcalcError
from archcalc.memory.lifetime import inference
from archcalc.memory.training import training
from archcalc.network import Network
from archcalc.units import bytes_text, decimal_bytes

FLOAT = 4
LIBRARIES = 200 * 10**6
"""Bytes that PyTorch, its libraries and a trace of the model take in a process, for every input size."""
VERSION_1 = ("memory.limit_in_bytes", "memory.usage_in_bytes")
"""The files of a control group's limit and use in version 1."""
VERSION_2 = ("memory.max", "memory.current")


class Need(NamedTuple):
    """The largest number of bytes that a run needs, by purpose."""

    parts: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.parts.values())

    def problem(self, free: int | None, what: str, hint: str) -> str:
        """A sentence with the numbers if a run needs more memory than is free. Otherwise empty."""
        if free is None or self.total <= free:
            return ""
        parts = ", ".join(f"{name} {decimal_bytes(size)}" for name, size in self.parts.items() if size)
        return f"{what} needs about {bytes_text(self.total)} of memory, {bytes_text(max(free, 0))} are free: {parts}; {hint}"

    def check(self, free: int | None, what: str, hint: str) -> None:
        """ArchcalcError if the run needs more memory than is free."""
        if problem := self.problem(free, what, hint):
            raise ArchcalcError(problem)


class Room(NamedTuple):
    """Free bytes on the device and on the host (the same on a CPU); None if the number is not known."""

    device: int | None
    host: int | None

    @staticmethod
    def of(device: str) -> Room:
        host = free_memory()
        if device != "cuda":
            return Room(host, host)
        import torch

        torch.cuda.empty_cache()  # else what earlier models left with PyTorch would not count as free
        return Room(torch.cuda.mem_get_info()[0], host)


def of_run(network: Network) -> Need:
    """A forward pass of one image, side heads included.

    Operators may copy their input, weights and output into another memory order. So the largest layer counts twice.
    """
    nodes = [node for node in network.running() if node.inputs]
    own = [node.layer.params(*network.input_shapes(node)) for node in nodes]
    weights = sum(sum(params) for node, params in zip(nodes, own, strict=True) if node.shares is None)
    copied = max(
        (
            sum(network.nodes[i].shape.values * network.nodes[i].times for i in node.inputs)
            + node.shape.values * node.times
            + params.weight
        )
        for node, params in zip(nodes, own, strict=True)
    )
    peak = max(inference(network).peak(), FLOAT * max(node.shape.values * node.times for node in nodes))
    return Need(
        {
            "weights": FLOAT * weights,
            "input": FLOAT * sum(shape.values for shape in network.inputs.values()),
            "feature maps": peak,
            "copies in an operator": FLOAT * copied,
            "libraries": LIBRARIES,
        }
    )


def of_step(network: Network, batch: int) -> Need:
    """A forward and a backward pass of a batch."""
    schedule, run = training(network), of_run(network).parts
    return Need(
        {
            "weights and gradients": 2 * run["weights"],
            "input": batch * run["input"],
            "training peak": schedule.peak(batch),
            "libraries": LIBRARIES,
        }
    )


def free_memory() -> int | None:
    """Bytes that this process can still allocate; None if the system does not say."""
    return min((*_available(), *_left_in_groups()), default=None)


def _available() -> Iterator[int]:
    """MemAvailable of Linux."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return
    yield from (int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))


def _left_in_groups(root: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> Iterator[int]:
    """Free bytes under the limits of control groups (containers, batch systems), in version 2 and version 1."""
    try:
        lines = own.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers in ("", "memory"):
            names = VERSION_1 if controllers else VERSION_2
            inside = Path(path.lstrip("/"))
            for group in (inside, *inside.parents):
                yield from _left(root / controllers / group, *names)


def _left(group: Path, limit: str, usage: str) -> Iterator[int]:
    """Limit minus use, in bytes. Pages of files that the system may drop do not count as use."""
    try:
        most, used = int((group / limit).read_text()), int((group / usage).read_text())
        facts = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):  # no such group, or no limit ("max")
        return
    yield most - used + int(facts.get("total_inactive_file", facts.get("inactive_file", 0)))
