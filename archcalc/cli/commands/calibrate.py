"""``archcalc calibrate``: a file of a device, from small measurements here or from networks that a user measured."""

from __future__ import annotations

from archcalc.cli import names
from archcalc.cli.command import Answer, Arguments, Command, Option
from archcalc.cli.options import ON, OUTPUT, PLUGIN, RUNNING
from archcalc.cli.printing import progress
from archcalc.errors import ArchcalcError

RAN = ("dtype", "amp", "training", "optimizer", "compiled", "channels_last", "tf32")
"""The options that say how the networks of a file ran."""


def run(args: Arguments) -> Answer:
    if args.file is not None:
        return _from_file(args)
    if unused := next((name for name in ("on", *RAN) if getattr(args, name)), None):
        raise ArchcalcError(f"--{unused.replace('_', '-')} is about a file of measured networks: add --from FILE.csv")
    from archcalc.witness.measure import measuring_device

    here = measuring_device(args.device or "auto")
    from archcalc.witness.calibrate import calibration

    found = calibration(here)
    return Answer(found.text, found.notes)


def _from_file(args: Arguments) -> Answer:
    from importlib.util import find_spec
    from pathlib import Path

    from archcalc.timing.reading import device
    from archcalc.timing.writing import device_text
    from archcalc.version import __version__

    if args.device is not None:
        raise ArchcalcError(f"--from reads measurements and runs nothing: leave out --device {args.device}")
    if args.optimizer is not None and not args.training:
        raise ArchcalcError(f"--optimizer {args.optimizer} is a matter of training: add --training")
    if find_spec("numpy") is None:
        raise ArchcalcError("a fit needs numpy: pip install 'archcalc[torch]'")
    from archcalc.witness.own_device import fitted, samples
    from archcalc.witness.own_times import read_own

    on = None if args.on is None else device(args.on)
    asked = {name: getattr(args, name) for name in RAN if getattr(args, name)}
    file = read_own(Path(args.file), on, asked)
    found = fitted(file, list(progress(samples(file), len(file.runs))))
    about = f"A device for --on: {file.device.title} as archcalc {__version__} fitted it to measured networks."
    return Answer(device_text(found.device, {}, [about]), found.notes)


COMMAND = Command(
    "calibrate",
    "write a file of a device for --on: from small layers that are measured here, or from networks that you measured",
    "archcalc calibrate --device cpu -o mycpu.yaml",
    run,
    options=(
        Option("--device", "what to measure: cpu, cuda or auto (auto)", "DEVICE", names=names.run_devices),
        Option(
            "--from",
            "measure nothing, and fit the device to the measured networks of this file: a row for each, with the columns "
            "network, batch and seconds (or milliseconds, or images_per_second), or a file of timm's benchmark",
            "FILE.csv",
            key="file",
        ),
        ON._replace(about="with --from: the device that was measured, a name or a file (FILE.yaml)", shared=False),
        Option("--dtype", "with --from: type of a value (float32)", "TYPE", names=names.dtypes),
        Option("--amp", "with --from: mixed precision, as autocast to half precision"),
        Option("--training", "with --from: a step of training instead of inference"),
        Option(
            "--optimizer",
            "with --from: optimizer of the training step: sgd, momentum, adam or adamw",
            "NAME",
            names=names.optimizers,
        ),
        *(option._replace(about=f"with --from: {option.about}", shared=False) for option in RUNNING),
        PLUGIN,
        OUTPUT,
    ),
    needs="torch",
    page="time.md",
)
