"""Estimates of time held against measurements here: ``python -m tests.benchmarks.time``.

Measures small layers and fits a device to them (``calibrate --device cpu``), measures 30 networks of the zoo, and says how
far the estimates are off, as they are and as ratios in one run. Nothing of the 30 networks is in the fit. On a machine that
does nothing else, it takes a few minutes. ``--keep FILE.yaml`` keeps the device; ``--on FILE.yaml`` takes one, and does not
calibrate.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from archcalc import load
from archcalc.report.formats import render_table
from archcalc.report.measured import summary_table
from archcalc.witness.calibrate import calibration
from archcalc.witness.measure import measure, measuring_device
from tests.benchmarks.__main__ import say

NETWORKS = (
    "alexnet", "vgg11", "vgg16", "vgg16_bn", "zfnet", "nin",
    "squeezenet1_0", "squeezenet1_1", "googlenet", "inception_v3", "xception",
    "resnet18", "resnet34", "resnet50_tv", "resnet101_tv", "wide_resnet50_2", "resnext50_32x4d", "se_resnet50",
    "densenet121", "dpn68", "darknet19",
    "mobilenet_v1", "mobilenet_v2", "mobilenet_v3_large", "shufflenet_v2_x1_0", "mnasnet1_0",
    "efficientnet_b0", "regnet_y_800mf", "convnext_tiny", "vit_b_32",
)  # fmt: skip
"""Networks of all families of the zoo for images, at the inputs of their papers."""
MOST_SECONDS = 5.0
"""The most seconds of runs for each network."""


def device_here(on: str | None, keep: str | None) -> str:
    """The path of a device of this machine."""
    if on is not None:
        return on
    begun = time.perf_counter()
    text, notes = calibration(measuring_device("cpu"))
    print("\n".join(notes))
    path = Path(keep or f"{tempfile.mkdtemp()}/here.yaml")
    path.write_text(text)
    print(text)
    say("seconds of archcalc calibrate", f"{time.perf_counter() - begun:.0f}", "about 30")
    return str(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--on")
    parser.add_argument("--keep")
    given = parser.parse_args()
    begun, here = time.perf_counter(), measuring_device("cpu")
    path = device_here(given.on, given.keep)
    measured = []
    for name in NETWORKS:
        measured.append(measure(load(name), here, layers=False, most=MOST_SECONDS))
        print(f"{name}: {1000 * measured[-1].whole.median:.1f} ms", file=sys.stderr)
    table = summary_table(measured, path)
    print(render_table(table, "text"))
    found = table.totals
    say("median error, as ratios in one run", f"{100 * found['relative_error']:.1f} %", "12 %")
    say("error of 90 %, as ratios in one run", f"{100 * found['relative_error_90']:.1f} %", "30 %")
    say("Spearman's rank correlation", f"{found['spearman']:.3f}", "0.98")
    say("seconds in all", f"{time.perf_counter() - begun:.0f}", "below 480")


if __name__ == "__main__":
    main()
