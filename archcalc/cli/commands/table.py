"""``archcalc table``: the layers of networks."""

from __future__ import annotations

from archcalc.cli import names, values
from archcalc.cli.command import Arguments, Command, Option
from archcalc.cli.networks import analyses, time_request
from archcalc.cli.options import (
    COUNTING,
    EXACT,
    FORMAT,
    NET,
    NET_OPTIONS,
    OUTPUT,
    TIMING,
    VERBOSE,
    columns,
    table_extensions,
)
from archcalc.cli.printing import tables_text
from archcalc.errors import ArchcalcError


def run(args: Arguments) -> str:
    from archcalc.report import render
    from archcalc.report.formats import FORMATS
    from archcalc.report.layers import layer_table

    fold = {"depth": args.depth, "by": args.by}
    request = time_request(args)
    if request is not None and args.format in FORMATS:
        return tables_text(args, [layer_table(request.timed(a), args.columns, **fold) for a in analyses(args)])
    if request is not None:
        raise ArchcalcError(f"the format {args.format} has its own lines; it shows no time: leave out --on")
    if args.format not in FORMATS:  # the text format ``notes`` has no tables
        return "\n".join(render(a, args.format, columns=args.columns, **fold) for a in analyses(args))
    return tables_text(args, [layer_table(a, args.columns, **fold) for a in analyses(args)])


COMMAND = Command(
    "table",
    "the layers of a network with their shapes, costs and receptive fields",
    "archcalc table vgg16 --as cs231n --format notes",
    run,
    arguments=(NET,),
    options=(
        *NET_OPTIONS,
        *COUNTING,
        *TIMING,
        Option("--depth", "fold blocks nested deeper than N", "N", values.whole),
        Option("--by", "fold by layer type, or by stage (layers on maps of one size)", "type|stage", names=names.folds),
        FORMAT._replace(
            about="text, markdown, csv, latex, html, json or notes (the lines of the CS231n course); without --format, "
            "the extension of FILE decides (text)",
            names=names.layer_formats,
            shared=False,
        ),
        columns(names.layer_columns),
        EXACT,
        VERBOSE,
        OUTPUT,
    ),
    extensions=table_extensions,
    usual="text",
    page="counting.md",
)
