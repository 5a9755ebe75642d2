"""``archcalc measure``: how long a network takes here, beside the estimate."""

from __future__ import annotations

from archcalc.cli import names
from archcalc.cli.command import Arguments, Command, Option
from archcalc.cli.networks import networks
from archcalc.cli.options import (
    BATCH,
    EXACT,
    FORMAT,
    INPUT,
    NET,
    NET_OPTIONS,
    ON,
    OUTPUT,
    VERBOSE,
    columns,
    table_extensions,
)
from archcalc.cli.printing import progress, tables_text


def run(args: Arguments) -> str:
    from archcalc.report.measured import measured_table, summary_table
    from archcalc.timing.reading import device
    from archcalc.witness.measure import measure, measuring_device

    here = measuring_device(args.device)
    if args.on is not None:
        device(args.on)
    nets = networks(args)
    steps = (measure(one, here, args.batch, args.channels_last, layers=not args.summary) for one in nets)
    measured = list(progress(steps, len(nets)))
    if args.summary:
        return tables_text(args, [summary_table(measured, args.on).selected(args.columns)])
    return tables_text(args, [measured_table(one, args.on).selected(args.columns) for one in measured])


COMMAND = Command(
    "measure",
    "run a network in PyTorch here and measure its time layer by layer, beside the estimate for a device",
    "archcalc measure resnet50_tv --device cpu --on mycpu.yaml",
    run,
    arguments=(NET,),
    options=(
        *NET_OPTIONS,
        INPUT,
        Option("--device", "where to run: cpu, cuda or auto (auto)", "DEVICE", default="auto", names=names.run_devices),
        ON._replace(
            about="show the estimate for this device beside the measurement, such as a file of archcalc calibrate",
            shared=False,
        ),
        BATCH,
        Option("--channels-last", "maps and weights channels-last", shared=True),
        Option("--summary", "a row for each network instead of its layers, as a file for archcalc calibrate --from"),
        FORMAT,
        columns(names.measured_columns),
        EXACT,
        VERBOSE,
        OUTPUT,
    ),
    extensions=table_extensions,
    usual="text",
    needs="torch",
    page="time.md",
)
