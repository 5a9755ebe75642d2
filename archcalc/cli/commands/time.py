"""``archcalc time``: how long a network takes on a device."""

from __future__ import annotations

from archcalc.cli import names
from archcalc.cli.command import Arguments, Command, Option
from archcalc.cli.networks import networks
from archcalc.cli.options import (
    BATCH,
    DTYPE,
    EXACT,
    FORMAT,
    INPUT,
    NET,
    NET_OPTIONS,
    ON,
    OUTPUT,
    RUNNING,
    VERBOSE,
    columns,
    table_extensions,
)
from archcalc.cli.printing import tables_text
from archcalc.errors import ArchcalcError


def run(args: Arguments) -> str:
    from archcalc.report.time import TimeRequest, time_table

    if args.on is None:
        raise ArchcalcError(
            "time needs a device: --on rtx4090, --on FILE.yaml or --on all; archcalc devices lists them"
        )
    request = TimeRequest(**{name: getattr(args, name) for name in TimeRequest._fields})
    if args.optimizer is not None and not args.training:
        raise ArchcalcError(f"--optimizer {args.optimizer} is a matter of training: add --training")
    if args.fit is not None and args.energy:
        raise ArchcalcError("--fit compares batches; it shows no energy: leave out --energy")
    if args.fit is None:
        return tables_text(args, [time_table(network, request, args.columns) for network in networks(args)])
    from archcalc.report.fastest import fastest_table

    tables = [fastest_table(network, request).selected(args.columns) for network in networks(args)]
    return tables_text(args, tables)


COMMAND = Command(
    "time",
    "how long a network takes on a device: a lower bound, an estimate and its error, layer by layer",
    "archcalc time vgg16 --on rtx4090 --batch 64 --amp",
    run,
    arguments=(NET,),
    options=(
        *NET_OPTIONS,
        INPUT,
        ON._replace(
            about="the device: a name, a file of a device (FILE.yaml), or all; archcalc devices lists the names",
            names=names.timed_devices,
            shared=False,
        ),
        BATCH._replace(default=None),
        DTYPE,
        Option("--amp", "mixed precision, as autocast to half precision"),
        Option("--training", "a step of training instead of inference"),
        Option(
            "--optimizer",
            "optimizer of the training step: sgd, momentum, adam or adamw (sgd)",
            "NAME",
            names=names.optimizers,
        ),
        *RUNNING,
        Option("--fit", "find the batch with the most images per second that fits into SIZE (example: 24GiB)", "SIZE"),
        Option("--energy", "add the energy of multiply-adds and data movement: an order of magnitude, of no device"),
        FORMAT,
        columns(names.time_columns),
        EXACT,
        VERBOSE,
        OUTPUT,
    ),
    extensions=table_extensions,
    usual="text",
    page="time.md",
)
