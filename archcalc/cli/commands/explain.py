"""``archcalc explain``: archcalc's count and the count of a tool, a paper or a course; the operations of one layer."""

from __future__ import annotations

from archcalc.cli.command import Arguments, Command, Option
from archcalc.cli.networks import networks
from archcalc.cli.options import CONVENTION, FORMAT, INPUT, NET, NET_OPTIONS, OUTPUT, VERBOSE, table_extensions
from archcalc.cli.printing import tables_text
from archcalc.errors import ArchcalcError


def run(args: Arguments) -> str:
    if args.layer is not None:
        return _operations(args)
    from archcalc.report.explain import explain_table

    tables = [explain_table(network, args.convention, args.measure) for network in networks(args)]
    return tables_text(args, tables, exact=True)


def _operations(args: Arguments) -> str:
    from archcalc.analysis import analyze
    from archcalc.report.operations import operations_table

    if args.convention is not None or args.measure:
        raise ArchcalcError("--layer shows archcalc's count of a layer; it takes no --as or --measure")
    return tables_text(args, [operations_table(analyze(network), args.layer) for network in networks(args)], exact=True)


COMMAND = Command(
    "explain",
    "the difference between archcalc's count and the count of a tool, a paper or a course, term by term",
    "archcalc explain resnet50_tv --as fvcore",
    run,
    arguments=(NET,),
    options=(
        *NET_OPTIONS,
        INPUT,
        CONVENTION._replace(
            about="fvcore, torchinfo, ptflops, thop ...; without --as, all conventions side by side",
            value="TOOL",
            default=None,
            shared=False,
        ),
        Option(
            "--measure",
            "run the tool on torchvision's model and show the remainder (needs archcalc[torch,tools])",
        ),
        Option("--layer", "the operations of one layer, part by part; or of every layer in a block", "NAME"),
        FORMAT,
        VERBOSE,
        OUTPUT,
    ),
    extensions=table_extensions,
    usual="text",
    page="counting.md",
)
