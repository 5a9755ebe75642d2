"""The speed of sweeps: ``python -m tests.benchmarks.spaces``. Rates are points in a second of one process."""

from __future__ import annotations

import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import archcalc
from archcalc.spaces.axes import read_axis
from archcalc.spaces.points import points_of
from archcalc.spaces.sweep import USUAL, Request, Sweep
from tests.benchmarks.__main__ import cold, say
from tests.spaces.regnet import CLASSES, counts, draw, points

REGNETS, CHECKED, SINGLE = 100_000, 10_000, 3_000
FIGURES = tuple((name, name) for name in ("params", "macs", "activations"))


def rate(net: str, *axes: str) -> float:
    """Points of a sweep in a second, with all totals and the field."""
    sweep = Sweep(Request(net, tuple(map(read_axis, axes)), {}, figures=USUAL))
    sweep.block(0)
    start = time.perf_counter()
    count = sum(sweep.block(number).points for number in range(sweep.space.blocks))
    return count / (time.perf_counter() - start)


def one_by_one(net: str, sizes: range) -> float:
    """Points in a second without arrays."""
    network = archcalc.load(net)
    start = time.perf_counter()
    for size in sizes:
        analysis = network.analyze(input=(3, size, size))
        analysis.totals, analysis.field  # noqa: B018
    return len(sizes) / (time.perf_counter() - start)


def grids() -> None:
    for net, axes, goal in (
        ("vgg16", ("input=32:1031:1", "batch=1:1000"), "1,000,000 /s"),
        ("resnet50", ("input=32:531:1", "batch=1:1000"), "300,000 /s"),
        ("mobilenet_v2", ("width=0.25:1.5:0.01", "input=96:320:1", "batch=1:16"), "100,000 /s"),
    ):
        found, single = rate(net, *axes), one_by_one(net, range(200, 240))
        say(f"{net} over {' x '.join(axes)}", f"{found:,.0f} /s", goal)
        say("  over one by one, in the same run", f"{found / single:,.0f} x", "-")


def regnets() -> None:
    drawn = random.Random(1)
    networks = [draw(drawn) for _ in range(REGNETS)]
    start = time.perf_counter()
    expected = [counts(network) for network in networks]
    formulas = time.perf_counter() - start
    sweep = Sweep(Request("regnet_x_400mf", points_of(points(networks)), {}, figures=FIGURES, paired=True))
    start = time.perf_counter()
    found = sweep.joined([sweep.block(number) for number in range(sweep.space.blocks)]).columns
    seconds = time.perf_counter() - start
    rows = list(zip(*(found[name].tolist() for name in ("macs", "params", "activations")), strict=True))[:CHECKED]
    wrong = sum((macs + CLASSES, *rest) != one for (macs, *rest), one in zip(rows, expected, strict=False))
    say(f"{REGNETS:,} random RegNetX", f"{seconds:.1f} s", "60 s on two cores")
    say("  structures in a second", f"{REGNETS / seconds:,.0f} /s", "20,000 /s")
    say("  over formulas written for this space alone", f"{seconds / formulas:.1f} x", "-")
    say(f"  of {CHECKED:,}, unlike the formulas", f"{wrong}", "0")
    start = time.perf_counter()
    for one in networks[:SINGLE]:
        analysis = archcalc.load("regnet_x_400mf", **one._asdict()).analyze()
        analysis.totals, analysis.activations  # noqa: B018
    say(
        f"  {SINGLE:,} one by one, the making of formulas included",
        f"{SINGLE / (time.perf_counter() - start):,.0f} /s",
        "1,000 /s",
    )


def commands() -> None:
    where = "params < 5M and macs < 600M and field >= 300"
    listed = cold([sys.executable, "-m", "archcalc", "list", "--where", where, "--sort", "-macs"], runs=3)
    bare = cold([sys.executable, "-c", "pass"])
    say("cold 'archcalc list --where', whole zoo", f"{listed:.2f} s", "1.5 s")
    say("  over 'python -c pass'", f"{listed / bare:.0f} x", "-")
    with tempfile.TemporaryDirectory() as folder:
        sizes = ["sweep", "vgg16", "--input", "32:10031:1", "--batch", "1:1000", "--columns", "params,macs,memory"]
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "archcalc", *sizes, "-o", str(Path(folder, "a.parquet"))], check=True)
        say("a file of 10^7 points", f"{time.perf_counter() - start:.0f} s", "-")
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e6
        say("  its peak memory", f"{peak:.0f} MB", "500 MB")


if __name__ == "__main__":
    commands()  # first: a child has at least the peak memory of this process
    grids()
    regnets()
