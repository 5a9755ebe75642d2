"""``archcalc compare``: networks side by side."""

from __future__ import annotations

from archcalc.cli import names
from archcalc.cli.command import Arguments, Command, Option
from archcalc.cli.networks import analyses, analysis, input_of, time_request
from archcalc.cli.options import (
    COUNTING,
    EXACT,
    FORMAT,
    NET,
    NET_OPTIONS,
    OUTPUT,
    SORT,
    TIMING,
    VERBOSE,
    WHERE,
    columns,
    table_extensions,
)
from archcalc.cli.printing import tables_text


def run(args: Arguments) -> str:
    from archcalc.language import load
    from archcalc.report.compare import compare_table

    compared = analyses(args)
    baseline = analysis(args, load(args.baseline, input=input_of(args))) if args.baseline else None
    return tables_text(
        args, [compare_table(compared, args.columns, baseline, time_request(args), args.sort, args.where)]
    )


COMMAND = Command(
    "compare",
    "networks side by side, one row each",
    "archcalc compare vgg16 resnet50 googlenet --baseline alexnet",
    run,
    arguments=(NET,),
    options=(
        *NET_OPTIONS,
        *COUNTING,
        Option(
            "--baseline",
            "add ratios to the figures of this network; --set does not change it, NET@KEY=VALUE does",
            "NET",
            names=names.networks,
            free=True,
        ),
        WHERE,
        SORT._replace(names=names.compare_columns),
        *TIMING,
        FORMAT,
        columns(names.compare_columns),
        EXACT,
        VERBOSE,
        OUTPUT,
    ),
    extensions=table_extensions,
    usual="text",
)
