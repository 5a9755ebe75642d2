"""Every command by its name. Only the module of the requested command is imported."""

from __future__ import annotations

from importlib import import_module

from archcalc.cli.command import Command
from archcalc.errors import ArchcalcError, nearest
from archcalc.layers.settings import message_text

NAMES = (
    *(
        "table",
        "list",
        "compare",
        "check",
        "sweep",
        "solve",
        "diff",
        "rf",
        "memory",
        "time",
        "devices",
        "measure",
        "calibrate",
        "audit",
        "explain",
        "verify",
        "plot",
        "report",
        "live",
    ),
    *("show", "import", "export", "schema", "help", "completion"),
)
"""The names of the commands. Each command is in the module with the same name in ``archcalc.cli.commands``."""


def command(name: str) -> Command:
    """The command with this name. ArchcalcError with the nearest name if there is no such command."""
    if name not in NAMES:
        close = nearest(name, NAMES)
        hint = f"did you mean {close!r}?" if close else f"known: {', '.join(NAMES)}"
        raise ArchcalcError(f"unknown command {message_text(name)}; {hint}; see archcalc --help")
    declared: Command = import_module(f"archcalc.cli.commands.{name}").COMMAND
    return declared


def commands() -> list[Command]:
    """All commands, in the order in which the help lists them."""
    return [command(name) for name in NAMES]
