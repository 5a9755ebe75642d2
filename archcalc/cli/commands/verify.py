"""``archcalc verify``: computed figures next to figures that were measured on PyTorch models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archcalc.cli import names, values
from archcalc.cli.command import Answer, Arguments, Command, Option
from archcalc.cli.networks import networks
from archcalc.cli.options import EXACT, FORMAT, INPUT, NET, NET_OPTIONS, OUTPUT, VERBOSE, ZOO, table_extensions
from archcalc.cli.printing import progress, tables_text
from archcalc.errors import ArchcalcError

if TYPE_CHECKING:
    from archcalc.report.table import Table
    from archcalc.witness.device import Device


def run(args: Arguments) -> Answer:
    from archcalc.files import write
    from archcalc.report.formats import render_tables
    from archcalc.witness import verify_many

    device = verify_many.device_named(args.device)
    _check(args)
    tables, problems = _whole_zoo(args, device) if args.all else _each(args, device)
    layers = tables if args.all else tables[: len(args.net)]  # all rows of a CSV file have the same columns
    if args.csv is not None:
        write(args.csv, render_tables(layers, "csv"))
    text = tables_text(args, layers if args.format == "csv" else tables)
    return Answer(text, problems, status=1 if problems else 0)


def _check(args: Arguments) -> None:
    """Before any work, ArchcalcError if two options exclude each other or if a file cannot be written."""
    from archcalc.files import check_writable
    from archcalc.report.formats import check_format

    if args.all == bool(args.net):
        raise ArchcalcError("verify takes networks, or --all for the whole zoo")
    if args.jobs < 1:
        raise ArchcalcError(f"--jobs must be at least 1, got {args.jobs}")
    check_format(args.format)
    if args.csv == "-":
        raise ArchcalcError("--csv writes a file beside the output; --format csv prints CSV on standard output")
    if args.all and (args.set or args.input):
        raise ArchcalcError("--all verifies every network as it stands; --set and --input are for single ones")
    for path in (args.output, args.csv):
        if path not in (None, "-"):
            check_writable(path)


def _whole_zoo(args: Arguments, device: Device) -> tuple[list[Table], list[str]]:
    from archcalc.language import networks
    from archcalc.report.verification import summary_tables
    from archcalc.witness import verify_many

    nets = list(networks())
    outcomes = verify_many.outcomes(nets, device.name, min(args.jobs, len(nets)))
    return summary_tables(progress(outcomes, len(nets)), device.about)


def _each(args: Arguments, device: Device) -> tuple[list[Table], list[str]]:
    from archcalc.report.verification import witness_tables
    from archcalc.witness.verify import verify

    nets = networks(args)
    return witness_tables((verify(network, device) for network in progress(nets, len(nets))), device.about)


COMMAND = Command(
    "verify",
    "computed figures beside those measured on real PyTorch models, layer by layer; status 1 if a figure differs",
    "archcalc verify resnet50_tv",
    run,
    arguments=(NET._replace(least=0),),
    options=(
        *NET_OPTIONS,
        ZOO,
        INPUT,
        Option("--device", "cuda, cpu, meta or auto (auto)", "DEVICE", default="auto", names=names.devices),
        Option("--jobs", "networks at once, with --all (2)", "N", values.whole, 2),
        Option("--csv", "also write the result as CSV to this file", "FILE"),
        FORMAT,
        EXACT,
        VERBOSE,
        OUTPUT,
    ),
    extensions=table_extensions,
    usual="text",
    needs="torch",
    page="verification.md",
)
