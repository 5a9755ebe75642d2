"""``archcalc solve``: the largest or smallest input, batch or setting under a condition."""

from __future__ import annotations

from functools import partial

from archcalc.cli.command import Answer, Arguments, Command, Option
from archcalc.cli.networks import analyses
from archcalc.cli.options import COUNTING, EXACT, FORMAT, NET, NET_OPTIONS, OUTPUT, VERBOSE, WHERE, table_extensions
from archcalc.cli.printing import progress, tables_text
from archcalc.errors import ArchcalcError


def run(args: Arguments) -> Answer:
    from archcalc.report.solution import solution_table
    from archcalc.spaces.solve import solve

    if args.where is None:
        raise ArchcalcError("solve needs a condition, such as --where 'macs <= 150M'; --where help lists the figures")
    question = {"where": args.where, "maximize": args.maximize, "minimize": args.minimize, "over": args.over}
    bar = partial(progress, unit="value")
    found = [(analysis, solve(analysis, **question, progress=bar)) for analysis in analyses(args)]
    text = tables_text(args, [solution_table(*one) for one in found])
    return Answer(text, status=int(any(solution.answer is None for _, solution in found)))


COMMAND = Command(
    "solve",
    "the largest or smallest input, batch or setting under a condition; status 1 if nothing fits",
    "archcalc solve mobilenet_v2 --maximize width --where 'macs <= 150M'",
    run,
    arguments=(NET,),
    options=(
        *NET_OPTIONS,
        *COUNTING,
        Option(
            "--maximize",
            "find the largest value of input (pixels of every axis), batch or a parameter of the spec",
            "NAME",
        ),
        Option("--minimize", "find the smallest value", "NAME"),
        WHERE._replace(about="the condition, such as 'macs <= 150M'; --where help lists all figures", shared=False),
        Option(
            "--over",
            "the values to try: START:STOP:STEP, or values with commas between; by default whole numbers, or steps of 0.01",
            "RANGE",
        ),
        FORMAT,
        EXACT,
        VERBOSE,
        OUTPUT,
    ),
    extensions=table_extensions,
    usual="text",
    page="spaces.md",
)
