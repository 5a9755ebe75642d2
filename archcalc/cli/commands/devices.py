"""``archcalc devices``: the devices that ``archcalc time`` knows."""

from __future__ import annotations

from archcalc.cli.command import Arguments, Command
from archcalc.cli.options import EXACT, FORMAT, OUTPUT, VERBOSE, table_extensions
from archcalc.cli.printing import tables_text


def run(args: Arguments) -> str:
    from archcalc.report.time import devices_table

    return tables_text(args, [devices_table()])


COMMAND = Command(
    "devices",
    "the devices that archcalc knows: peaks, bandwidth, sources, and the error of estimates",
    "archcalc devices",
    run,
    options=(FORMAT, EXACT, VERBOSE, OUTPUT),
    extensions=table_extensions,
    usual="text",
    page="time.md",
)
