"""``archcalc list``: the networks of the zoo."""

from __future__ import annotations

from archcalc.cli import names
from archcalc.cli.command import Argument, Arguments, Command, Option
from archcalc.cli.options import EXACT, FORMAT, OUTPUT, VERBOSE, columns, table_extensions
from archcalc.cli.printing import tables_text


def run(args: Arguments) -> str:
    from archcalc.report.zoo import list_table

    return tables_text(args, [list_table(args.pattern, args.columns, args.sort)])


COMMAND = Command(
    "list",
    "the networks of the zoo",
    "archcalc list 'resnet*' --sort macs",
    run,
    arguments=(Argument("PATTERN", "names, with * and ? as wildcards", names.networks, least=0, most=None),),
    options=(
        Option("--sort", "sort by this column; --sort help lists all", "COLUMN", names=names.list_columns),
        FORMAT,
        columns(names.list_columns),
        EXACT,
        VERBOSE,
        OUTPUT,
    ),
    extensions=table_extensions,
    usual="text",
)
