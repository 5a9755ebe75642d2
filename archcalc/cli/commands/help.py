"""``archcalc help``: the help of the program or of one command."""

from __future__ import annotations

from archcalc.cli import names
from archcalc.cli.command import Argument, Arguments, Command
from archcalc.cli.registry import command, commands


def run(args: Arguments) -> str:
    from archcalc.cli.help_text import command_help, program_help

    return command_help(command(args.command)) if args.command is not None else program_help(commands())


COMMAND = Command(
    "help",
    "the help of archcalc or of one command",
    "archcalc help table",
    run,
    arguments=(Argument("COMMAND", "a command", names.commands, least=0),),
)
