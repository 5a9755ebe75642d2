"""``archcalc calibrate``: a file of the device here, from small measurements."""

from __future__ import annotations

from archcalc.cli import names
from archcalc.cli.command import Arguments, Command, Option
from archcalc.cli.options import OUTPUT


def run(args: Arguments) -> str:
    from archcalc.witness.measure import measuring_device

    here = measuring_device(args.device)
    from archcalc.witness.calibrate import calibration

    return calibration(here)


COMMAND = Command(
    "calibrate",
    "measure small layers and copies here, and write a file of a device for --on",
    "archcalc calibrate --device cpu -o mycpu.yaml",
    run,
    options=(
        Option(
            "--device", "what to measure: cpu, cuda or auto (auto)", "DEVICE", default="auto", names=names.run_devices
        ),
        OUTPUT,
    ),
    needs="torch",
    page="time.md",
)
