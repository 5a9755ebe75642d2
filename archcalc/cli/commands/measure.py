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
from archcalc.cli.printing import tables_text


def run(args: Arguments) -> str:
    from archcalc.report.measured import measured_table
    from archcalc.timing.reading import device
    from archcalc.witness.measure import measure, measuring_device

    here = measuring_device(args.device)
    if args.on is not None:
        device(args.on)
    measured = [measure(network, here, args.batch, args.channels_last) for network in networks(args)]
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
