"""``archcalc list``: the networks of the zoo."""

from __future__ import annotations

from archcalc.cli import names
from archcalc.cli.command import Argument, Arguments, Command
from archcalc.cli.options import EXACT, FORMAT, OUTPUT, SORT, VERBOSE, WHERE, columns, table_extensions
from archcalc.cli.printing import tables_text


def run(args: Arguments) -> str:
    from archcalc.forks import MOST_COPIES, cores
    from archcalc.report.zoo import list_table

    processes = min(cores(), MOST_COPIES)
    return tables_text(args, [list_table(args.pattern, args.columns, args.sort, args.where, processes)])


COMMAND = Command(
    "list",
    "the networks of the zoo",
    "archcalc list --where 'params < 5M and macs < 600M' --sort -macs",
    run,
    arguments=(Argument("PATTERN", "names, with * and ? as wildcards", names.networks, least=0, most=None),),
    options=(
        WHERE,
        SORT._replace(names=names.list_columns),
        FORMAT,
        columns(names.list_columns),
        EXACT,
        VERBOSE,
        OUTPUT,
    ),
    extensions=table_extensions,
    usual="text",
)
