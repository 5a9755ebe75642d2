"""``archcalc devices``: the devices that ``archcalc time`` knows, or every figure of some of them."""

from __future__ import annotations

from archcalc.cli import names
from archcalc.cli.command import Argument, Arguments, Command
from archcalc.cli.options import EXACT, FORMAT, OUTPUT, VERBOSE, table_extensions
from archcalc.cli.printing import tables_text


def run(args: Arguments) -> str:
    from archcalc.report.devices import device_table, devices_table
    from archcalc.timing.reading import device

    return tables_text(args, [device_table(device(name)) for name in args.device] or [devices_table()])


COMMAND = Command(
    "devices",
    "the devices that archcalc knows: peaks, bandwidth, sources, and the error of estimates",
    "archcalc devices",
    run,
    arguments=(
        Argument(
            "DEVICE",
            "a name, or a file of a device (FILE.yaml): every figure with its source, instead of a list of all devices",
            names.known_devices,
            least=0,
            most=None,
        ),
    ),
    options=(FORMAT, EXACT, VERBOSE, OUTPUT),
    extensions=table_extensions,
    usual="text",
    page="time.md",
)
