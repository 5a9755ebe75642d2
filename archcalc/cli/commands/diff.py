"""``archcalc diff``: where two networks differ."""

from __future__ import annotations

from archcalc.cli.command import Arguments, Command
from archcalc.cli.networks import analyses
from archcalc.cli.options import COUNTING, FORMAT, NET, NET_OPTIONS, OUTPUT, VERBOSE, table_extensions
from archcalc.cli.printing import tables_text
from archcalc.errors import ArchcalcError


def run(args: Arguments) -> str:
    from archcalc.report.diff import diff_table

    if len(args.net) != 2:
        raise ArchcalcError(f"diff takes two networks, got {len(args.net)}")
    return tables_text(args, [diff_table(*analyses(args))], exact=True)


COMMAND = Command(
    "diff",
    "the layers in which two networks differ, and the change of every total",
    "archcalc diff resnet50 resnet50_tv",
    run,
    arguments=(NET,),
    options=(*NET_OPTIONS, *COUNTING, FORMAT, VERBOSE, OUTPUT),
    extensions=table_extensions,
    usual="text",
)
