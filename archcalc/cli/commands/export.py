"""``archcalc export``: a network as source code."""

from __future__ import annotations

from archcalc.cli import names
from archcalc.cli.command import Arguments, Command, Option
from archcalc.cli.networks import network
from archcalc.cli.options import INPUT, NET, NET_OPTIONS, OUTPUT
from archcalc.errors import ArchcalcError, unknown


def run(args: Arguments) -> str:
    from archcalc.export import torch_source

    if args.to not in names.targets():
        raise ArchcalcError(unknown("export format", args.to, names.targets()))
    return torch_source(network(args, args.net))


COMMAND = Command(
    "export",
    "a network as plain PyTorch source that needs no archcalc",
    "archcalc export vgg16 --to torch",
    run,
    arguments=(NET._replace(most=1),),
    options=(
        *NET_OPTIONS,
        INPUT,
        Option("--to", "what to write: torch (torch)", "FORMAT", default="torch", names=names.targets),
        OUTPUT,
    ),
    extensions=lambda _: {"py": "torch"},
    usual="torch",
    page="export.md",
)
