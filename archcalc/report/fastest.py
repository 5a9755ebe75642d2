"""The batch with the most images per second that fits into a memory."""

from __future__ import annotations

from typing import Any

from archcalc.analysis import prepared
from archcalc.errors import ArchcalcError
from archcalc.memory.budget import read_size
from archcalc.network import Network
from archcalc.report.table import Heading, Table
from archcalc.report.time import TimeRequest, error_text, time_header
from archcalc.sizes import MAX_SIZE
from archcalc.timing.fastest import fastest
from archcalc.timing.reading import device
from archcalc.timing.time import Time
from archcalc.units import bytes_text, ratio_text

BATCHES = (
    Heading("fit", "fit", "text", 9),
    Heading("batch", "batch", "number", 9),
    Heading("images_per_second", "images/s", "ratio", 8),
    Heading("lower_bound", "lower bound", "seconds", 5, "time"),
    Heading("estimate", "estimate", "seconds", 7, "time"),
    Heading("memory", "memory", "bytes", 8),
)
FASTEST, LARGEST, NEXT = "fastest that fits", "largest that fits", "first that does not fit"


def fastest_table(network: Network, request: TimeRequest) -> Table:
    """The table of ``archcalc time --fit``: the fastest batch, the largest that fits, and the first that does not."""
    if request.batch is not None:
        raise ArchcalcError(f"--fit finds the batch: leave out --batch {request.batch}, or --fit")
    if request.on == "all":
        raise ArchcalcError("--fit finds the batch for one device: --on all shows them side by side, without --fit")
    where, size = device(request.on), read_size(str(request.fit))
    if size > where.memory.value:
        raise ArchcalcError(
            f"--fit {request.fit} is more than the memory of {where.title}, {bytes_text(int(where.memory.value))}"
        )
    analysis = prepared(network, None, 1, request.dtype, training=request.training)
    time = request.time(analysis, where)
    needed, largest = request.memory(analysis)
    most = min(largest(size), MAX_SIZE)
    if not most:
        raise ArchcalcError(
            f"{network.full_name} does not fit into {request.fit}: one image needs {bytes_text(needed(1))}"
        )
    best = fastest(time, most)
    times = {batch: Time(network, where, time.settings._replace(batch=batch)) for batch in (best, most)}
    rows: list[list[Any]] = [
        [which, batch, _rate(times[batch]), times[batch].lower_bound, times[batch].estimate, needed(batch)]
        for which, batch in ((FASTEST, best), (LARGEST, most))
    ]
    if most < MAX_SIZE:
        rows.append([NEXT, most + 1, None, None, None, needed(most + 1)])
    return Table(
        title=network.title,
        headings=BATCHES,
        rows=rows,
        header=time_header(time, f"the fastest batch on {where.title} that fits into {request.fit}")._replace(
            batch=None
        ),
        footer=[
            f"batch {best:,}: {ratio_text(_rate(times[best]))} images per second, in {bytes_text(needed(best))}",
            error_text(times[best]),
            "not included: memory of the framework and of the GPU context",
        ],
        totals={"batch": best, "images_per_second": _rate(times[best]), "memory": needed(best), "largest": most},
    )


def _rate(time: Time) -> float:
    return time.settings.batch / time.estimate if time.estimate else 0.0
