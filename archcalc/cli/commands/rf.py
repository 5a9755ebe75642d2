"""``archcalc rf``: receptive fields."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archcalc.cli import names, values
from archcalc.cli.command import Arguments, Command, Option
from archcalc.cli.networks import networks
from archcalc.cli.options import EXACT, FORMAT, INPUT, NET, NET_OPTIONS, OUTPUT, VERBOSE, columns, table_extensions
from archcalc.cli.printing import tables_text
from archcalc.errors import ArchcalcError

if TYPE_CHECKING:
    from archcalc.report.table import Table


def run(args: Arguments) -> str:
    if args.summary and (args.layer is not None or args.unit or args.all_layers or args.columns):
        raise ArchcalcError(
            "--summary has one line per network; it takes no --layer, --unit, --all-layers or --columns"
        )
    if args.unit and (args.layer is None or args.all_layers or args.columns):
        raise ArchcalcError("--unit needs --layer NAME, and takes no --all-layers or --columns")
    return tables_text(args, _tables(args))


def _tables(args: Arguments) -> list[Table]:
    from archcalc.analysis import analyze
    from archcalc.report.growth import summary_table

    analyses = [analyze(network) for network in networks(args)]
    if args.from_input is not None:
        analyses = [analysis.from_input(args.from_input) for analysis in analyses]
    if args.summary:
        return [summary_table(analyses)]
    if args.unit:
        from archcalc.report.unit import unit_table

        return [unit_table(analysis, args.layer, args.unit) for analysis in analyses]
    from archcalc.report.receptive_field import field_tables

    one_file = args.format == "csv"
    tables = field_tables(analyses, args.columns, everything=args.all_layers, name=args.layer, alike=one_file)
    if len(tables) > 1 and args.format not in ("csv", "json"):  # all rows of a CSV or JSON file have the same columns
        tables.append(summary_table(analyses))
    return tables


COMMAND = Command(
    "rf",
    "the receptive field of every layer, and a summary of the fields at this input",
    "archcalc rf alexnet --layer conv5 --unit 3,4",
    run,
    arguments=(NET,),
    options=(
        *NET_OPTIONS,
        INPUT,
        Option("--from-input", "the fields in pixels of this input of the network (the main input)", "NAME"),
        Option("--all-layers", "also show layers that do not change the receptive field"),
        Option("--layer", "one layer; or a block, for the last layer of the block", "NAME"),
        Option("--unit", "the pixels that this unit of the layer sees; needs --layer", "Y,X", values.unit),
        Option("--summary", "one line per network, with the number of parameters"),
        FORMAT,
        columns(names.field_columns),
        EXACT,
        VERBOSE,
        OUTPUT,
    ),
    extensions=table_extensions,
    usual="text",
    page="receptive-field.md",
)
