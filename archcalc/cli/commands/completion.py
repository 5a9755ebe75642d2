"""``archcalc completion``: completion scripts."""

from __future__ import annotations

from archcalc.cli import names
from archcalc.cli.command import Argument, Arguments, Command
from archcalc.cli.shells import SCRIPTS
from archcalc.errors import ArchcalcError, unknown


def run(args: Arguments) -> str:
    if args.shell not in SCRIPTS:
        raise ArchcalcError(unknown("shell", args.shell, SCRIPTS))
    return SCRIPTS[args.shell]


COMMAND = Command(
    "completion",
    "a completion script for a shell",
    "archcalc completion bash > ~/.local/share/bash-completion/completions/archcalc",
    run,
    arguments=(Argument("SHELL", "the shell", names.shells, free=False),),
)
