"""``archcalc table``: the layers of networks."""

from __future__ import annotations

from archcalc.cli import names, values
from archcalc.cli.command import Arguments, Command, Option
from archcalc.cli.networks import analyses
from archcalc.cli.options import COUNTING, EXACT, FORMAT, NET, NET_OPTIONS, OUTPUT, VERBOSE, columns, table_extensions
from archcalc.cli.printing import width


def run(args: Arguments) -> str:
    from archcalc.report import render
    from archcalc.report.formats import joined, render_table

    if args.format == "csv":  # one file, whose rows are of one kind
        from archcalc.report.layers import layer_table
        from archcalc.report.table import for_programs

        tables = [layer_table(a, args.columns, depth=args.depth, by=args.by) for a in analyses(args)]
        return joined([render_table(t, "csv") for t in for_programs(tables)], "csv")
    fold = {"depth": args.depth, "by": args.by}
    parts = [
        render(a, args.format, columns=args.columns, **fold, exact=args.exact, width=width(args), verbose=args.verbose)
        for a in analyses(args)
    ]
    return joined(parts, args.format)


COMMAND = Command(
    "table",
    "the layers of a network with their shapes, costs and receptive fields",
    "archcalc table vgg16 --as cs231n --format notes",
    run,
    arguments=(NET,),
    options=(
        *NET_OPTIONS,
        *COUNTING,
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
