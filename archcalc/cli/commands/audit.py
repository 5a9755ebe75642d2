"""``archcalc audit``: published figures, computed and judged."""

from __future__ import annotations

from archcalc.cli import names
from archcalc.cli.command import Answer, Argument, Arguments, Command, Option
from archcalc.cli.options import FORMAT, OUTPUT, VERBOSE, table_extensions
from archcalc.cli.printing import width
from archcalc.errors import ArchcalcError


def run(args: Arguments) -> Answer:
    from archcalc.published.figures import load_figures, of_networks
    from archcalc.published.verdict import judge_all
    from archcalc.report.audit import audit_table, differences
    from archcalc.report.audit_page import audit_page
    from archcalc.report.formats import render_table

    if args.page and (args.net or args.all_figures):
        raise ArchcalcError("--page is about all figures; it takes no networks and no --all-figures")
    if args.page and args.format not in ("text", "markdown"):
        raise ArchcalcError(f"--page is written in Markdown, not {args.format}; -o FILE.md writes it to a file")
    judgements = judge_all(of_networks(load_figures(), args.net))
    problems = [str(problem) for problem in differences(judgements)]
    if args.page:
        text = audit_page(judgements)
    else:
        text = render_table(audit_table(judgements, args.all_figures), args.format, width=width(args))
    return Answer(text, problems, status=1 if problems else 0)


COMMAND = Command(
    "audit",
    "published figures, computed and judged; status 1 if a verdict is not as recorded",
    "archcalc audit vgg16 --all-figures",
    run,
    arguments=(
        Argument("NET", "the figures of these networks, with * and ? as wildcards", names.networks, least=0, most=None),
    ),
    options=(
        Option("--all-figures", "also show figures that match"),
        Option("--page", "all figures that do not match as one page of Markdown: reports/audit.md"),
        FORMAT,
        VERBOSE,
        OUTPUT,
    ),
    extensions=table_extensions,
    usual="text",
    page="audit.md",
)
