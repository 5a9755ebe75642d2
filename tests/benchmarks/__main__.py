"""Speed and size, as ratios taken in one run: ``python -m tests.benchmarks``.

Each figure stands beside its goal. Times are medians; on a shared machine a ratio says more than a time.
"""

from __future__ import annotations

import compileall
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

import archcalc
from archcalc.language import zoo
from tests.report.tables import memory_table

TABLE = [sys.executable, "-m", "archcalc", "table", "vgg16"]
LIST = [sys.executable, "-m", "archcalc", "list"]
WHERE = [*LIST, "--where", "params < 5M and macs < 600M and field >= 300", "--sort", "-macs"]
RUNS = 7


def cold(command: list[str], runs: int = RUNS) -> float:
    """Median seconds of a process from start to end, after one warm-up."""
    times = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - start)
    return median(times[1:])


def warm(work: Callable[[], object], runs: int = 21) -> float:
    """Median seconds of a call, after one warm-up."""
    times = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return median(times[1:])


def say(what: str, figure: str, goal: str) -> None:
    print(f"{what:<64} {figure:>16}   goal: {goal}")


def processes() -> None:
    # As pip leaves an installation: without this, an editable checkout may compile its sources at every start.
    compileall.compile_dir(str(Path(archcalc.__file__).parent), quiet=1)
    bare, table = cold([sys.executable, "-c", "pass"]), cold(TABLE)
    torch = cold([sys.executable, "-c", "import torch"], runs=3)
    listed = cold(LIST, runs=3)
    say("cold 'archcalc table vgg16' over 'python -c pass'", f"{table / bare:.1f} x", "at most 10 x")
    say("cold 'archcalc table vgg16' over 'import torch'", f"{table / torch:.3f} x", "at most 0.1 x")
    say("cold 'archcalc list', whole zoo, over 'import torch'", f"{listed / torch:.2f} x", "below 1 x")
    chosen = cold(WHERE, runs=3)
    say("cold 'archcalc list --where', totals of the whole zoo", f"{chosen:.1f} s", "below 1.5 s")
    say("  over 'python -c pass'", f"{chosen / bare:.0f} x", "-")
    say(
        "  (python -c pass, table vgg16, list, import torch)",
        f"{bare * 1e3:.0f} {table * 1e3:.0f} {listed * 1e3:.0f} {torch * 1e3:.0f} ms",
        "-",
    )


def peak_memory() -> None:
    subprocess.run(TABLE, check=True, stdout=subprocess.DEVNULL)
    code = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True); "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    peak = int(subprocess.run([sys.executable, "-c", code, *TABLE], check=True, capture_output=True, text=True).stdout)
    say("peak memory of the cold command", f"{peak * 1024 / 1e6:.0f} MB", "at most 60 MB")


def deep_networks() -> None:
    def load_and_analyze() -> None:
        archcalc.load("resnet152").analyze().totals  # noqa: B018

    say(
        "warm load and analyze of resnet152, file already read",
        f"{warm(load_and_analyze) * 1e3:.1f} ms",
        "at most 5 ms",
    )

    def with_reading() -> None:
        zoo._cached.cache_clear()
        load_and_analyze()

    say("the same with the file read and parsed each time", f"{warm(with_reading) * 1e3:.1f} ms", "-")
    times = {}
    with tempfile.TemporaryDirectory() as folder:
        for layers in (100, 1_000, 10_000):
            path = Path(folder) / f"chain{layers}.yaml"
            step = "  - conv: {out: 16, kernel: 3, pad: 1}\n"
            path.write_text("input: [16, 32, 32]\nlayers:\n" + step * layers)
            times[layers] = warm(lambda path=path: archcalc.load(str(path)).analyze().totals, runs=3)
    say(
        "a file of 100 / 1,000 / 10,000 layers, read and analyzed",
        " ".join(f"{t * 1e3:.0f}" for t in times.values()) + " ms",
        "linear, 10,000 in 1 s",
    )
    say("  time per layer, 10,000 over 1,000", f"{times[10_000] / times[1_000] / 10:.2f} x", "about 1 x")


def budgets() -> None:
    def fitting(net: str, **options: Any) -> float:
        network = archcalc.load(net)
        return warm(lambda: memory_table(network, fit="24GiB", **options), runs=3)

    for what, options, goal in (
        ("largest batch in 24 GiB, inference and training", {}, "below 100 ms"),
        ("largest input in 24 GiB at a batch of 8, both", {"batch": 8}, "-"),
    ):
        times = {net: fitting(net, **options) for net in zoo.networks()}
        slowest = max(times, key=times.__getitem__)
        say(f"{what}, median of the zoo", f"{median(times.values()) * 1e3:.0f} ms", goal)
        say(f"  the slowest, {slowest}", f"{times[slowest] * 1e3:.0f} ms", goal)
        late = sum(seconds > 0.1 for seconds in times.values())
        say("  networks of over 100 ms", f"{late} of {len(times)}", "-")


def sweep() -> None:
    """All totals, and the fields of all layers, of many points in one call on one core."""
    sizes = np.arange(32, 432, dtype=np.int64)[:, None]
    batches = np.arange(1, 251, dtype=np.int64)[None, :]
    for net, goal in (("vgg16", "10^6 /s"), ("resnet50", "3 * 10^5 /s")):
        network = archcalc.load(net)

        def grid(network: archcalc.Network = network) -> None:
            analysis = network.analyze(input=(3, sizes, sizes), batch=batches)
            analysis.totals, analysis.at_batch(1).rows

        seconds, points = warm(grid, runs=3), sizes.size * batches.size
        scalar = warm(lambda network=network: network.analyze(input=(3, 224, 224), batch=8).totals)
        say(f"{net} over {points:,} points of resolution x batch", f"{points / seconds:,.0f} /s", goal)
        say("  one call on arrays over that many scalar calls", f"{seconds / (scalar * points):.5f} x", "far below 1 x")
    widths = np.arange(0.4, 1.5, 0.02)[:, None, None]

    def wider() -> None:
        network = archcalc.load("mobilenet_v2", width=widths)
        analysis = network.analyze(input=(3, sizes[64:320:8], sizes[64:320:8]), batch=batches[:, :64])
        analysis.totals, analysis.at_batch(1).rows

    seconds, points = warm(wider, runs=3), widths.size * 32 * 64
    say(f"mobilenet_v2 over {points:,} widths x resolutions x batches", f"{points / seconds:,.0f} /s", "10^5 /s")
    random, points = np.random.default_rng(0), 10_000
    group = 8 * random.integers(1, 9, points)
    parameters = {
        "depths": [random.integers(1, most, points) for most in (5, 9, 16, 5)],
        "widths": [group * random.integers(1, 9, points) for _ in range(4)],
        "group_width": group,
    }
    seconds = warm(lambda: archcalc.load("regnet_x_400mf", **parameters).analyze().totals, runs=3)
    say(f"{points:,} RegNets with random depths, widths and groups", f"{points / seconds:,.0f} /s", "20,000 /s")


if __name__ == "__main__":
    print(f"archcalc {archcalc.__version__}, Python {sys.version.split()[0]}, {os.cpu_count()} cores")
    processes()
    peak_memory()
    deep_networks()
    budgets()
    sweep()
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    print(f"(this benchmark's own peak: {own:.0f} MB)")
